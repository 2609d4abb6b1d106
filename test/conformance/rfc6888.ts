// RFC 6888: common requirements for carrier-grade NATs.
import { FLOW } from './flows.js'
import type { Requirement } from './requirement.js'
import { onlyPorts, THREE_ADDRESSES } from './setups.js'

const SECOND_IS_REFUSED = `${FLOW}
  lan udp A:2001 > S:1200
  → dropped host-limit
  → lan icmp 3/13 G > A [udp A:2001 > S:1200]
  lan udp B:3000 > S:1200
  → wan udp R:3000 > S:1200`

const THIRD_IS_TOO_FAST = `${FLOW}
  lan udp A:2001 > S:1200
  → wan udp R:2001 > S:1200
  lan udp A:2002 > S:1200
  → dropped host-rate
  → lan icmp 3/13 G > A [udp A:2002 > S:1200]
  lan udp B:3000 > S:1200
  → wan udp R:3000 > S:1200
  pass 1s
  lan udp A:2002 > S:1200
  → wan udp R:2002 > S:1200`

/** Two ports, both taken. */
const NO_PORT_LEFT = `
  lan udp A:5000 > S:1200
  → wan udp R:5000 > S:1200
  lan udp A:5001 > S:1200
  → wan udp R:5001 > S:1200
  lan udp B:5000 > S:1200
  → dropped no-free-port
  → lan icmp 3/13 G > B [udp B:5000 > S:1200]`

export const CARRIER_GRADE: readonly Requirement[] = [
  {
    clause: 'REQ-1', level: 'must', text: 'must, for each transport protocol that it forwards, meet that protocol\'s requirements: RFC 4787, 5382, 5508, and 5597 for DCCP',
    because: 'RFC 4787 REQ-7 is not met, see there; every other must of the three is. DCCP is not forwarded, unless `otherProtocols` has it passed by address',
    also: [{
      name: 'DCCP',
      script: `
        lan protocol 33 A > S
        → dropped protocol`,
    }],
  },
  {
    clause: 'REQ-2', level: 'must', text: 'must have paired address pooling by default, whatever the protocol',
    cases: [{
      name: 'UDP, TCP and queries of a host have one address of three', setup: THREE_ADDRESSES,
      script: `
        lan udp A:2000 > S:1200
        → wan udp $a:2000 > S:1200
        lan tcp B:2600 > S:1300 SYN
        → wan tcp $b:2600 > S:1300 SYN
        lan tcp A:2600 > S:1300 SYN
        → wan tcp $a:2600 > S:1300 SYN
        lan echo A > S id 7
        → wan echo $a > S id 7
        lan udp B:3000 > T:9000
        → wan udp $b:3000 > T:9000
        lan echo B > T id 8
        → wan echo $b > T id 8`,
    }],
  },
  {
    clause: 'REQ-3', level: 'must', text: 'must be configurable with WAN addresses that are contiguous or not; should have no limit on their number',
    cases: [{
      name: 'three hosts on three addresses far apart', option: { pool: ['202.204.16.13', '202.204.16.20', '202.204.16.99'] }, setup: onlyPorts(5000, 5000),
      script: `
        lan udp A:5000 > S:1200
        → wan udp $a:5000 > S:1200
        lan udp B:5000 > S:1200
        → wan udp $b:5000 > S:1200
        lan udp C:5000 > S:1200
        → wan udp $c:5000 > S:1200
        where $a ≠ $b
        where $b ≠ $c
        where $a ≠ $c`,
    }],
  },
  {
    clause: 'REQ-4', level: 'must', text: 'must support limiting the ports and identifiers of a subscriber',
    cases: [
      { name: 'one mapping a host', option: { limits: { mappingsPerHost: 1 } }, script: SECOND_IS_REFUSED },
      {
        name: 'query identifiers count as well', option: { limits: { mappingsPerHost: 1 } },
        script: `
          lan echo A > S id 7
          → wan echo R > S id 7
          lan echo A > S id 8
          → dropped host-limit
          → lan icmp 3/13 G > A [echo A > S id 8]`,
      },
      {
        name: 'a mapping that lapses makes room', option: { limits: { mappingsPerHost: 1 } },
        script: `${SECOND_IS_REFUSED}
          pass 300s
          lan udp A:2001 > S:1200
          → wan udp R:2001 > S:1200`,
      },
    ],
  },
  {
    clause: 'REQ-4a', level: 'must', text: 'must let the administrator configure these limits',
    cases: [{
      name: 'two mappings a host', option: { limits: { mappingsPerHost: 2 } },
      script: `${FLOW}
        lan udp A:2001 > S:1200
        → wan udp R:2001 > S:1200
        lan udp A:2002 > S:1200
        → dropped host-limit
        → lan icmp 3/13 G > A [udp A:2002 > S:1200]`,
    }],
  },
  {
    clause: 'REQ-4b', level: 'may', text: 'may have limits per transport protocol',
    because: 'a host\'s limit counts the mappings of all protocols together',
    also: [{
      name: 'UDP leaves none for TCP', option: { limits: { mappingsPerHost: 1 } },
      script: `${FLOW}
        lan tcp A:2600 > S:1300 SYN
        → dropped host-limit
        → lan icmp 3/13 G > A [tcp A:2600 > S:1300 SYN]`,
    }],
  },
  {
    clause: 'REQ-4c', level: 'should', text: 'should have adjustable thresholds against a subscriber that costs too much CPU time',
    cases: [{ name: 'two new sessions a second', option: { limits: { newSessionsPerSecond: 2 } }, script: THIRD_IS_TOO_FAST }],
  },
  {
    clause: 'REQ-5', level: 'should', text: 'should support limiting the memory of a mapping and of a subscriber',
    cases: [{
      name: 'one session a host, on however many mappings', option: { limits: { sessionsPerHost: 1 } },
      script: `${FLOW}
        lan udp A:2000 > T:9000
        → dropped host-limit
        → lan icmp 3/13 G > A [udp A:2000 > T:9000]
        lan udp B:3000 > S:1200
        → wan udp R:3000 > S:1200`,
    }],
  },
  {
    clause: 'REQ-5a', level: 'should', text: 'should let the administrator configure these limits',
    cases: [{
      name: 'two sessions a host', option: { limits: { sessionsPerHost: 2 } },
      script: `${FLOW}
        lan udp A:2000 > T:9000
        → wan udp R:2000 > T:9000
        lan udp A:2000 > M:53
        → dropped host-limit
        → lan icmp 3/13 G > A [udp A:2000 > M:53]`,
    }],
  },
  {
    clause: 'REQ-5b', level: 'should', text: 'should be able to limit the rate at which memory is taken',
    cases: [{ name: 'two new sessions a second', option: { limits: { newSessionsPerSecond: 2 } }, script: THIRD_IS_TOO_FAST }],
  },
  {
    clause: 'REQ-6', level: 'must', text: 'must let the administrator turn translation off for destination addresses and ports',
    because: 'every destination is translated; the hosts of a bench have private addresses, which its WAN has no route to',
    also: [{ name: 'translated, whoever it goes to', script: FLOW }],
  },
  {
    clause: 'REQ-7', level: 'should', text: 'should have endpoint-independent filtering; may have address-dependent filtering where that is known to do no harm',
    cases: [{
      name: 'anybody reaches the mapping', option: { filtering: 'endpoint-independent' },
      script: `${FLOW}
        wan udp T:9000 > R:2000
        → lan udp T:9000 > A:2000
        lan tcp A:2600 > S:1300 SYN
        → wan tcp R:2600 > S:1300 SYN
        wan tcp T:9000 > R:2600 SYN
        → lan tcp T:9000 > A:2600 SYN`,
    }],
  },
  {
    clause: 'REQ-8', level: 'should', text: 'should not give a port to a new mapping for 120 seconds after it was freed, unless (a) TCP is tracked, (b) ports are a host\'s for good, or (c) filters depend on addresses',
    cases: [{
      name: 'another host gets the port after 120 seconds', option: { portReuseDelay: 120 }, setup: { filtering: 'endpoint-independent' },
      script: `${FLOW}
        pass 300s
        lan udp B:2000 > S:1200
        → wan udp R:$p > S:1200
        where $p ≠ 2000
        pass 119.999s
        lan udp C:2000 > S:1200
        → wan udp R:$q > S:1200
        where $q ≠ 2000
        pass 1ms
        lan udp 192.168.1.6:2000 > S:1200
        → wan udp R:2000 > S:1200`,
    }],
    also: [{
      name: 'at once by default: exceptions (a) and (c)',
      script: `${FLOW}
        pass 300s
        lan udp B:2000 > S:1200
        → wan udp R:2000 > S:1200
        wan udp T:9000 > R:2000
        → dropped filtered`,
    }],
  },
  {
    clause: 'REQ-8 (limits)', level: 'must', text: 'must let the administrator configure that time and the number of ports that may rest',
    because: 'the time is (`portReuseDelay`), the number is not: every freed port rests',
    also: [{
      name: 'every port may rest', option: { portReuseDelay: 600 }, setup: onlyPorts(5000, 5001),
      script: `
        lan udp A:5000 > S:1200
        → wan udp R:5000 > S:1200
        lan udp A:5001 > S:1200
        → wan udp R:5001 > S:1200
        pass 300s
        lan udp A:5000 > S:1200
        → dropped no-free-port
        → lan icmp 3/13 G > A [udp A:5000 > S:1200]
        pass 10m
        lan udp A:5000 > S:1200
        → wan udp R:5000 > S:1200`,
    }],
  },
  {
    clause: 'REQ-9', level: 'must', text: 'must give subscribers a protocol to control mappings, which should be PCP',
    because: 'there is no PCP server: static mappings are configured, or set through the control socket by whoever holds the bench',
    also: [{
      name: 'nothing listens on PCP\'s port',
      script: `
        lan udp A:2000 > G:5351
        → dropped no-service`,
    }],
  },
  {
    clause: 'REQ-10', level: 'should', text: 'should be manageable, at best by a standard such as the MIB of RFC 4008',
    because: 'it is managed, through its control socket (`naptlab table`, `counters`, `trace`, `map`, `clock`), but by no standard',
    also: [{
      name: 'nothing listens on SNMP\'s port',
      script: `
        lan udp A:2000 > G:161
        → dropped no-service`,
    }],
  },
  {
    clause: 'REQ-11', level: 'must', text: 'must drop a packet that it can make no mapping for, for lack of resources or by quota (a)',
    cases: [
      { name: 'no port is left', setup: onlyPorts(5000, 5001), script: NO_PORT_LEFT },
      { name: 'the subscriber\'s quota is used up', setup: { limits: { mappingsPerHost: 1 } }, script: SECOND_IS_REFUSED },
    ],
  },
  {
    clause: 'REQ-11b', level: 'should', text: 'should answer it with ICMP host unreachable (type 3 code 1)',
    because: 'the answer is code 13, as RFC 5508 REQ-8 asks; the two contradict each other',
    also: [{ name: 'code 13', setup: onlyPorts(5000, 5001), script: NO_PORT_LEFT }],
  },
  {
    clause: 'REQ-11c', level: 'should', text: 'should notify a management system',
    because: 'there is none on a bench; counters and trace tell who asks',
    also: [{ name: 'nothing but the ICMP answer is sent', setup: onlyPorts(5000, 5001), script: NO_PORT_LEFT }],
  },
  {
    clause: 'REQ-11d', level: 'must', text: 'must not delete a mapping to make room for another',
    cases: [
      {
        name: 'those that took the last ports go on', setup: onlyPorts(5000, 5001),
        script: `${NO_PORT_LEFT}
          wan udp S:1200 > R:5000
          → lan udp S:1200 > A:5000
          wan udp S:1200 > R:5001
          → lan udp S:1200 > A:5001`,
      },
      {
        name: 'those of a full table go on', setup: { limits: { sessions: 1 } },
        script: `${FLOW}
          lan udp B:3000 > S:1200
          → dropped table-full
          → lan icmp 3/13 G > B [udp B:3000 > S:1200]
          wan udp S:1200 > R:2000
          → lan udp S:1200 > A:2000`,
      },
    ],
  },
  {
    clause: 'REQ-12', level: 'should', text: 'should not log destinations',
    cases: [{
      name: 'a mapping comes and goes, and nothing is sent but the packets',
      script: `${FLOW}
        wan udp S:1200 > R:2000
        → lan udp S:1200 > A:2000
        pass 10m`,
    }],
    note: 'there is no log; `naptlab trace` shows what passes to whoever watches',
  },
  {
    clause: 'REQ-13', level: 'should', text: 'should use ports to the full',
    cases: [{
      name: 'every port of the range is given before one is refused', setup: onlyPorts(5000, 5003),
      script: `
        ${[0, 1, 2, 3].map(i => `
          lan udp A:${2000 + i} > S:1200
          → wan udp R:$p${i} > S:1200
          where $p${i} in 5000-5003`).join('')}
        lan udp B:3000 > S:1200
        → dropped no-free-port
        → lan icmp 3/13 G > B [udp B:3000 > S:1200]`,
    }],
  },
  {
    clause: 'REQ-14', level: 'should', text: 'should keep logs small by its allocation of ports',
    cases: [{
      name: 'deterministic blocks: nothing to log (RFC 7422)', option: { portBlock: 100 },
      script: `
        lan udp A:2000 > S:1200
        → wan udp R:$p > S:1200
        where $p in 1324-1423
        lan udp A:7000 > T:9000
        → wan udp R:$q > T:9000
        where $q in 1324-1423
        lan udp B:2000 > S:1200
        → wan udp R:$r > S:1200
        where $r in 1424-1523`,
    }],
  },
  {
    clause: 'REQ-15', level: 'should', text: 'should make ports hard to guess',
    cases: [{
      name: 'random allocation', option: { portAllocation: 'random' },
      script: `
        ${[0, 1, 2, 3, 4].map(i => `
          lan udp A:${2000 + i} > S:1200
          → wan udp R:$p${i} > S:1200`).join('')}
        where $p0 $p1 $p2 $p3 $p4 in no order`,
    }],
  },
]
