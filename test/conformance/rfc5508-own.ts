// RFC 5508 §6 to §8, messages of the router's own: REQ-8 to REQ-11.
import { QUERY } from './flows.js'
import type { Case, NatFields, Requirement } from './requirement.js'
import { onlyPorts } from './setups.js'

/** One session of each kind that an error can be about. */
const SESSIONS = `
  lan udp A:2000 > S:1200
  → wan udp R:2000 > S:1200
  lan tcp A:2600 > S:1300 SYN
  → wan tcp R:2600 > S:1300 SYN
  ${QUERY}`

const refused = (name: string, reason: string, setup: NatFields, script: string): Case => ({
  name, setup,
  script: `${script}
    lan udp B:5000 > S:1200
    → dropped ${reason}
    → lan icmp 3/13 G > B [udp B:5000 > S:1200]`,
})

const A_SENDS = `
  lan udp A:5000 > S:1200
  → wan udp R:5000 > S:1200`

const B_SENDS = `
  lan udp B:4000 > S:1200
  → wan udp R:4000 > S:1200`

export const OWN: readonly Requirement[] = [
  {
    clause: 'REQ-8', level: 'should', text: 'should answer a new flow that it has no resources for, or may not let pass, with ICMP type 3 code 13, and drop it',
    cases: [
      refused('no port is left', 'no-free-port', onlyPorts(5000, 5000), A_SENDS),
      refused('the host\'s port is taken, and it may have no other', 'port-taken', { portCollision: 'refuse' }, A_SENDS),
      refused('the table is full', 'table-full', { limits: { sessions: 1 } }, A_SENDS),
      refused('the host has as many mappings as it may', 'host-limit', { limits: { mappingsPerHost: 1 } }, B_SENDS),
      refused('the host has as many sessions as it may', 'host-limit', { limits: { sessionsPerHost: 1 } }, B_SENDS),
      refused('the host opens sessions too fast', 'host-rate', { limits: { newSessionsPerSecond: 1 } }, B_SENDS),
      refused('every WAN address is another host\'s', 'no-free-address', { translation: 'addresses', pool: ['202.204.16.13'] }, A_SENDS),
      refused('there is no block of ports for the host', 'no-port-block', { portBlock: 16000 }, ''),
    ],
  },
  {
    clause: 'REQ-9', level: 'may', text: 'may have a policy that keeps ICMP messages from being sent to certain interfaces',
    because: 'its own ICMP errors can be limited or turned off (`limits.icmpErrorsPerSecond`), but for both sides at once',
    also: [{
      name: 'turned off', option: { limits: { icmpErrorsPerSecond: 0 } },
      script: `
        lan udp A:2000 > S:1200 ttl 1
        → dropped ttl-expired`,
    }],
  },
  {
    clause: 'REQ-10', level: 'must', text: 'must support (a) destination unreachable, time exceeded and echo',
    cases: [
      {
        name: 'destination unreachable: fragmentation needed, with the MTU', mtu: { wan: 1300 },
        script: `
          lan tcp A:2600 > S:1300 SYN length 1400 df
          → dropped too-big
          → lan icmp 3/4 G > A [tcp A:2600 > S:1300 …] mtu 1300`,
      },
      {
        name: 'another router\'s fragmentation needed passes, with its MTU',
        script: `${SESSIONS}
          wan icmp 3/4 M > R [udp R:2000 > S:1200] mtu 1280
          → lan icmp 3/4 M > A [udp A:2000 > S:1200] mtu 1280`,
      },
      {
        name: 'time exceeded, to both sides',
        script: `${SESSIONS}
          lan udp A:2000 > S:1200 ttl 1
          → dropped ttl-expired
          → lan icmp 11/0 G > A [udp A:2000 > S:1200]
          wan udp S:1200 > R:2000 ttl 1
          → dropped ttl-expired
          → wan icmp 11/0 R > S [udp S:1200 > R:2000]
          lan udp A:2000 > S:1200 ttl 2
          → wan udp R:2000 > S:1200 ttl 1`,
      },
      {
        name: 'echo, at its own addresses',
        script: `
          lan echo A > G id 7
          → lan echo-reply G > A id 7
          wan echo S > R id 7
          → wan echo-reply R > S id 7`,
      },
    ],
  },
  {
    clause: 'REQ-10b', level: 'may', text: 'may support redirects, timestamps, source routes, address masks, parameter problems and router discovery',
    because: 'timestamps and parameter problems of others are translated, but the router itself sends and answers none of these; packets with a source route are dropped, which would show LAN addresses outside (§7.3)',
    also: [
      {
        name: 'timestamp, address mask and router solicitation to the router',
        script: `
          lan timestamp A > G id 7
          → dropped no-service
          lan icmp 17/0 A > G
          → dropped no-service
          lan icmp 10/0 A > G
          → dropped no-service`,
      },
      {
        name: 'a source route',
        script: `
          lan echo A > S id 7 source-route
          → dropped source-route`,
      },
    ],
  },
  {
    clause: 'REQ-10c', level: 'should', text: 'should not support source quench and information requests',
    cases: [{
      name: 'no answer to an information request, and prohibited instead of source quench', setup: { limits: { sessions: 1 } },
      script: `
        lan icmp 15/0 A > G
        → dropped no-service
        lan udp A:2000 > S:1200
        → wan udp R:2000 > S:1200
        lan udp A:2001 > S:1200
        → dropped table-full
        → lan icmp 3/13 G > A [udp A:2001 > S:1200]`,
    }],
  },
  {
    clause: 'REQ-10d', level: 'should', text: 'should copy the DS field into the ICMP errors that it sends',
    cases: [{
      name: 'expedited forwarding in, expedited forwarding back',
      script: `
        lan udp A:2000 > S:1200 ttl 1 tos 184
        → dropped ttl-expired
        → lan icmp 11/0 G > A [udp A:2000 > S:1200] tos 184`,
    }],
  },
  {
    clause: 'REQ-10e', level: 'should', text: 'should send no ICMP error about ICMP errors, fragments but the first, broadcasts and the like (RFC 1812 §4.3.2.7)',
    cases: [
      {
        name: 'about an ICMP error',
        script: `${SESSIONS}
          wan icmp 3/3 S > R [udp R:2000 > S:1200] ttl 1
          → dropped ttl-expired
          lan icmp 3/3 A > S [udp S:1200 > A:2000] ttl 1
          → dropped ttl-expired`,
      },
      {
        name: 'about a later fragment',
        script: `
          lan udp A:2000 > S:1200 length 1992 fragment 0-1480
          → wan udp R:2000 > S:1200 fragment 0-1480
          lan udp A:2000 > S:1200 length 1992 fragment 1480-2000 ttl 1
          → dropped ttl-expired`,
      },
      {
        name: 'about a broadcast',
        script: `
          lan udp A:68 > 192.168.1.255:67 ttl 1
          → dropped broadcast`,
      },
      {
        name: 'to a port that is closed on the WAN',
        script: `
          wan udp S:1200 > R:2000 ttl 1
          → dropped no-mapping`,
      },
    ],
  },
  {
    clause: 'REQ-10f', level: 'should', text: 'should limit the rate of the ICMP errors that it sends',
    cases: [{
      name: 'two a second, and the third is not sent', setup: { limits: { icmpErrorsPerSecond: 2 } },
      script: `
        lan udp A:2000 > S:1200 ttl 1
        → dropped ttl-expired
        → lan icmp 11/0 G > A [udp A:2000 > S:1200]
        lan udp A:2000 > S:1200 ttl 1
        → dropped ttl-expired
        → lan icmp 11/0 G > A [udp A:2000 > S:1200]
        lan udp A:2000 > S:1200 ttl 1
        → dropped ttl-expired
        pass 1s
        lan udp A:2000 > S:1200 ttl 1
        → dropped ttl-expired
        → lan icmp 11/0 G > A [udp A:2000 > S:1200]`,
    }],
    note: '1000 a second unless `limits.icmpErrorsPerSecond` says otherwise',
  },
  {
    clause: 'REQ-11', level: 'may', text: 'may drop ICMP messages that are neither queries nor errors',
    cases: [{
      name: 'router discovery, from either side',
      script: `
        lan icmp 9/0 A > S
        → dropped icmp-type
        wan icmp 9/0 S > R
        → dropped icmp-type`,
    }],
  },
]
