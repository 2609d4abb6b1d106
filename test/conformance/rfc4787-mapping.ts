// RFC 4787 §4, mapping: REQ-1 to REQ-7.
import { FLOW, UDP_GONE, UDP_IN } from './flows.js'
import type { Case, Requirement } from './requirement.js'
import { onlyPorts, THREE_ADDRESSES, TWO_ADDRESSES } from './setups.js'

const ALTERNATIVE_REFRESHES: readonly Case[] = [
  {
    name: 'outbound alone: packets from the WAN keep nothing', option: { refresh: 'outbound' },
    script: `${FLOW}
      pass 200s
      ${UDP_IN}
      pass 100s
      ${UDP_GONE}`,
  },
  {
    name: 'inbound alone: packets from the LAN keep nothing', option: { refresh: 'inbound' },
    script: `${FLOW}
      pass 200s
      ${FLOW}
      pass 100s
      ${UDP_GONE}`,
  },
]

export const MAPPING: readonly Requirement[] = [
  {
    clause: 'REQ-1', level: 'must', text: 'must have endpoint-independent mapping',
    cases: [
      {
        name: 'another port and another address meet the same WAN port',
        script: `${FLOW}
          lan udp A:2000 > S:1201
          → wan udp R:2000 > S:1201
          lan udp A:2000 > T:9000
          → wan udp R:2000 > T:9000`,
      },
      {
        name: 'also where the host could not keep its port',
        script: `${FLOW}
          lan udp B:2000 > S:1200
          → wan udp R:$p > S:1200
          where $p ≠ 2000
          lan udp B:2000 > T:9000
          → wan udp R:$p > T:9000`,
      },
    ],
  },
  {
    clause: 'REQ-2', level: 'should', text: 'should have paired IP address pooling: one host, one WAN address',
    cases: [{
      name: 'a host keeps its address of three', setup: THREE_ADDRESSES,
      script: `
        lan udp A:2000 > S:1200
        → wan udp $a:2000 > S:1200
        lan udp B:3000 > S:1200
        → wan udp $b:3000 > S:1200
        lan udp A:2001 > T:9000
        → wan udp $a:2001 > T:9000
        lan udp B:3001 > T:9000
        → wan udp $b:3001 > T:9000
        lan udp A:2002 > M:53
        → wan udp $a:2002 > M:53`,
    }],
    also: [{
      name: 'arbitrary: a mapping takes the next address', setup: TWO_ADDRESSES, option: { pooling: 'arbitrary' },
      script: `
        lan udp A:2000 > S:1200
        → wan udp $a:2000 > S:1200
        lan udp A:2001 > S:1200
        → wan udp $b:2001 > S:1200
        where $a ≠ $b`,
    }],
  },
  {
    clause: 'REQ-3', level: 'must', text: 'must not overload ports: no two LAN endpoints share a WAN port',
    cases: [
      {
        name: 'two hosts with the same port, to different destinations',
        script: `${FLOW}
          lan udp B:2000 > T:9000
          → wan udp R:$p > T:9000
          where $p ≠ 2000`,
      },
      {
        name: 'not even when no port is left', setup: onlyPorts(5000, 5000),
        script: `
          lan udp A:5000 > S:1200
          → wan udp R:5000 > S:1200
          lan udp B:5000 > T:9000
          → dropped no-free-port
          → lan icmp 3/13 G > B [udp B:5000 > T:9000]
          wan udp S:1200 > R:5000
          → lan udp S:1200 > A:5000`,
      },
    ],
  },
  {
    clause: 'REQ-3a', level: 'should', text: 'should give a port of 0–1023 for one of 0–1023, and one of 1024–65535 for one of those',
    cases: [
      {
        name: 'a well-known port stays one, taken or not',
        script: `
          lan udp A:500 > S:500
          → wan udp R:500 > S:500
          lan udp B:500 > S:500
          → wan udp R:$p > S:500
          where $p in 1-1023
          where $p ≠ 500`,
      },
      {
        name: 'no other port becomes one',
        script: `${FLOW}
          lan udp B:2000 > S:1200
          → wan udp R:$p > S:1200
          where $p in 1024-65535`,
      },
    ],
  },
  {
    clause: 'REQ-4', level: 'should', text: 'should preserve port parity',
    cases: [{
      name: 'even for even, odd for odd, where the port itself is taken', option: { portParity: true },
      script: `${FLOW}
        lan udp A:2001 > S:1200
        → wan udp R:2001 > S:1200
        lan udp B:2000 > S:1200
        → wan udp R:$p > S:1200
        where $p even
        lan udp C:2000 > S:1200
        → wan udp R:$q > S:1200
        where $q even
        lan udp B:2001 > S:1200
        → wan udp R:$r > S:1200
        where $r odd`,
    }],
    also: [{
      name: 'contiguity: the port behind that of the port before (§4.2.3)', option: { portParity: true, portContiguity: true },
      script: `${FLOW}
        lan udp B:2000 > S:1200
        → wan udp R:$p > S:1200
        lan udp C:4000 > S:1200
        → wan udp R:4000 > S:1200
        lan udp B:2001 > S:1200
        → wan udp R:$q > S:1200
        where $q = $p + 1`,
    }],
    note: 'RFC 7857 §8 lets a NAT leave parity alone, as the default does',
  },
  {
    clause: 'REQ-5', level: 'must', text: 'must keep a UDP mapping at least 2 minutes',
    cases: [{
      name: 'an answer after 2 minutes',
      script: `${FLOW}
        pass 120s
        ${UDP_IN}`,
    }],
  },
  {
    clause: 'REQ-5a', level: 'may', text: 'may keep mappings for well-known destination ports for less',
    because: 'time-outs are the protocol\'s and know no ports',
    also: [{
      name: 'port 53 as long as any other',
      script: `
        lan udp A:2000 > S:53
        → wan udp R:2000 > S:53
        pass 299.999s
        wan udp S:53 > R:2000
        → lan udp S:53 > A:2000`,
    }],
  },
  {
    clause: 'REQ-5b', level: 'may', text: 'may have a configurable UDP mapping timer',
    cases: [{
      name: 'a longer one, to the millisecond', option: { timeouts: { udp: 600 } },
      script: `${FLOW}
        pass 599.999s
        ${UDP_IN}
        pass 600s
        ${UDP_GONE}`,
    }],
  },
  {
    clause: 'REQ-5c', level: 'should', text: 'should keep a UDP mapping for 5 minutes or more by default',
    cases: [{
      name: '5 minutes, to the millisecond',
      script: `${FLOW}
        pass 299.999s
        ${UDP_IN}
        pass 300s
        ${UDP_GONE}`,
    }],
  },
  {
    clause: 'REQ-6', level: 'must', text: 'must refresh a mapping with outbound packets',
    cases: [{
      name: 'a host that goes on sending is reached',
      script: `${FLOW}
        pass 200s
        ${FLOW}
        pass 200s
        ${UDP_IN}`,
    }],
    also: ALTERNATIVE_REFRESHES,
  },
  {
    clause: 'REQ-6a', level: 'may', text: 'may refresh a mapping with inbound packets',
    cases: [{
      name: 'a host that goes on being sent to is reached',
      script: `${FLOW}
        pass 200s
        ${UDP_IN}
        pass 200s
        ${UDP_IN}`,
    }],
  },
  {
    clause: 'REQ-7', level: 'must', text: 'must, if its WAN address is given dynamically, keep the LAN\'s network clear of the WAN\'s, or translate between equal addresses',
    because: 'both networks are the user\'s to choose: a WAN address inside the LAN\'s network is refused with the reason, at the start and when it changes, rather than the LAN renumbered, and hosts outside with the LAN\'s addresses are not reached',
    also: [
      { name: 'a WAN address in the LAN\'s network is refused', lanAddress: '202.204.16.1/24', refusal: /lies in the LAN's network/ },
      { name: 'also when it changes', renumberTo: '192.168.1.77', refusal: /lies in the LAN's network/ },
      {
        name: 'a host outside with an address of the LAN gets nothing in',
        script: `${FLOW}
          wan udp B:1200 > R:2000
          → dropped not-routed`,
      },
    ],
  },
]
