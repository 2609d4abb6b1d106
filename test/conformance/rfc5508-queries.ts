// RFC 5508 §3 to §5, queries and errors of others: REQ-1 to REQ-7.
import { QUERY } from './flows.js'
import { grid } from './grid.js'
import type { Requirement } from './requirement.js'
import { BASIC_NAT } from './setups.js'

const REPLY = `
  wan echo-reply S > R id 7
  → lan echo-reply S > A id 7`

/** One session of each kind that an error can be about. */
const SESSIONS = `
  lan udp A:2000 > S:1200
  → wan udp R:2000 > S:1200
  lan tcp A:2600 > S:1300 SYN
  → wan tcp R:2600 > S:1300 SYN
  ${QUERY}`

const HAIRPINNED = `
  lan udp A:2000 > S:1200
  → wan udp R:2000 > S:1200
  lan udp B:3000 > S:1200
  → wan udp R:3000 > S:1200
  lan udp B:3000 > R:2000
  → lan udp R:3000 > A:2000`

/** Two hosts with a WAN address each. */
const BOTH_ADDRESSED = `
  lan echo A > S id 7
  → wan echo $a > S id 7
  lan echo B > S id 8
  → wan echo $b > S id 8
  where $a ≠ $b`

export const TRANSLATED: readonly Requirement[] = [
  {
    clause: 'REQ-1', level: 'must', text: 'must let queries from the LAN and their answers pass',
    cases: [
      { name: 'echo', script: QUERY + REPLY },
      {
        name: 'timestamp',
        script: `
          lan timestamp A > S id 7
          → wan timestamp R > S id 7
          wan timestamp-reply S > R id 7
          → lan timestamp-reply S > A id 7`,
      },
      {
        name: 'two hosts with the same identifier',
        script: `${QUERY}
          lan echo B > S id 7
          → wan echo R > S id $i
          where $i ≠ 7
          wan echo-reply S > R id $i
          → lan echo-reply S > B id 7
          ${REPLY}`,
      },
    ],
  },
  {
    clause: 'REQ-1a', level: 'should', text: 'should map query identifiers independently of the external host',
    cases: [{
      name: 'another address meets the same identifier',
      script: `
        lan echo B > S id 7
        → wan echo R > S id 7
        lan echo A > S id 7
        → wan echo R > S id $i
        lan echo A > T id 7
        → wan echo R > T id $i`,
    }],
    also: grid('icmp'),
  },
  {
    clause: 'REQ-2', level: 'must', text: 'must keep a query session at least 60 seconds',
    cases: [{
      name: 'an answer just before',
      script: `${QUERY}
        pass 59.999s
        ${REPLY}`,
    }],
  },
  {
    clause: 'REQ-2a', level: 'should', text: 'should have a configurable query session timer',
    cases: [{
      name: 'a longer one, to the millisecond', option: { timeouts: { icmp: 90 } },
      script: `${QUERY}
        pass 89.999s
        ${REPLY}
        pass 90s
        wan echo-reply S > R id 7
        → dropped no-mapping`,
    }],
  },
  {
    clause: 'REQ-3', level: 'should', text: 'should drop an ICMP error with a wrong ICMP checksum silently',
    cases: [{
      name: 'from either side',
      script: `${SESSIONS}
        wan icmp 3/3 S > R [udp R:2000 > S:1200] bad-checksum
        → dropped checksum
        lan icmp 3/3 A > S [udp S:1200 > A:2000] bad-checksum
        → dropped checksum`,
    }],
  },
  {
    clause: 'REQ-3a', level: 'should', text: 'should drop it silently if the quoted packet\'s IP checksum is wrong',
    cases: [{
      name: 'from either side',
      script: `${SESSIONS}
        wan icmp 3/3 S > R [udp R:2000 > S:1200 bad-header-checksum]
        → dropped checksum
        lan icmp 3/3 A > S [udp S:1200 > A:2000 bad-header-checksum]
        → dropped checksum`,
    }],
  },
  {
    clause: 'REQ-3b', level: 'must', text: 'must find the quoted transport header behind IP options',
    cases: [{
      name: 'eight and forty bytes of options',
      script: `${SESSIONS}
        wan icmp 3/3 S > R [udp R:2000 > S:1200 options 8]
        → lan icmp 3/3 S > A [udp A:2000 > S:1200]
        lan icmp 3/3 A > S [udp S:1200 > A:2000 options 40]
        → wan icmp 3/3 R > S [udp S:1200 > R:2000]`,
    }],
  },
  {
    clause: 'REQ-3c', level: 'should', text: 'should not check the quoted packet\'s transport checksum',
    cases: [{
      name: 'a wrong one passes, and stays wrong',
      script: `${SESSIONS}
        wan icmp 3/3 S > R [udp R:2000 > S:1200 'x' bad-checksum]
        → lan icmp 3/3 S > A [udp A:2000 > S:1200 'x' !udp-checksum]
        wan icmp 3/3 S > R [tcp R:2600 > S:1300 SYN bad-checksum]
        → lan icmp 3/3 S > A [tcp A:2600 > S:1300 SYN !tcp-checksum]`,
    }],
  },
  {
    clause: 'REQ-3d', level: 'must', text: 'must leave padding and ICMP extensions out when it evaluates that checksum',
    cases: [{
      name: 'it evaluates none, and the extension passes as it is',
      script: `${SESSIONS}
        wan icmp 11/0 M > R [udp R:2000 > S:1200 'x'] extension
        → lan icmp 11/0 M > A [udp A:2000 > S:1200 'x'] extension`,
    }],
  },
  {
    clause: 'REQ-4', level: 'must', text: 'must translate an ICMP error from the WAN by the mapping of the packet it quotes; should drop it silently if there is none',
    cases: [
      {
        name: 'no mapping: silence',
        script: `${SESSIONS}
          wan icmp 3/3 S > R [udp R:2001 > S:1200]
          → dropped no-mapping
          wan icmp 11/0 M > R [echo R > S id 9]
          → dropped no-mapping`,
      },
      {
        name: 'a mapping: about UDP, TCP and a query',
        script: `${SESSIONS}
          wan icmp 3/3 S > R [udp R:2000 > S:1200]
          → lan icmp 3/3 S > A [udp A:2000 > S:1200]
          wan icmp 3/1 M > R [tcp R:2600 > S:1300 SYN]
          → lan icmp 3/1 M > A [tcp A:2600 > S:1300 SYN]
          wan icmp 11/0 M > R [echo R > S id 7]
          → lan icmp 11/0 M > A [echo A > S id 7]`,
      },
    ],
  },
  {
    clause: 'REQ-4a', level: 'must', text: 'must restore the quoted IP and transport headers',
    cases: [{
      name: 'whole, and cut to eight bytes of transport',
      script: `
        lan udp B:2000 > S:1200
        → wan udp R:2000 > S:1200
        lan udp A:2000 > S:1200
        → wan udp R:$p > S:1200
        wan icmp 3/3 S > R [udp R:$p > S:1200 'abc']
        → lan icmp 3/3 S > A [udp A:2000 > S:1200 'abc']
        lan tcp A:2600 > S:1300 SYN
        → wan tcp R:2600 > S:1300 SYN
        wan icmp 3/1 M > R [tcp R:2600 > S:1300 SYN] quoting 28
        → lan icmp 3/1 M > A [tcp A:2600 > S:1300 …]`,
    }],
  },
  {
    clause: 'REQ-4b', level: 'must', text: 'must leave type and code as they are',
    cases: ['3/0', '3/2', '3/4', '3/10', '11/0', '11/1', '12/0'].map(type => ({
      name: `each type of error: ${type}`,
      script: `${SESSIONS}
        wan icmp ${type} M > R [udp R:2000 > S:1200]
        → lan icmp ${type} M > A [udp A:2000 > S:1200]`,
    })),
  },
  {
    clause: 'REQ-4c', level: 'must', text: 'must send it to the quoted packet\'s source as it is after translation',
    cases: [{
      name: 'two hosts, each gets its own',
      script: `${SESSIONS}
        lan udp B:3000 > S:1200
        → wan udp R:3000 > S:1200
        wan icmp 3/3 S > R [udp R:3000 > S:1200]
        → lan icmp 3/3 S > B [udp B:3000 > S:1200]
        wan icmp 3/3 S > R [udp R:2000 > S:1200]
        → lan icmp 3/3 S > A [udp A:2000 > S:1200]`,
    }],
  },
  {
    clause: 'REQ-5', level: 'must', text: 'must translate an ICMP error from the LAN by the mapping of the packet it quotes; should drop it silently if there is none',
    cases: [
      {
        name: 'no mapping: silence',
        script: `${SESSIONS}
          lan icmp 3/3 A > S [udp S:1200 > A:2001]
          → dropped no-mapping`,
      },
      {
        name: 'a mapping: about UDP, TCP and an answer to a query',
        script: `${SESSIONS}
          lan icmp 3/3 A > S [udp S:1200 > A:2000]
          → wan icmp 3/3 R > S [udp S:1200 > R:2000]
          lan icmp 3/3 A > S [tcp S:1300 > A:2600 SYN ACK]
          → wan icmp 3/3 R > S [tcp S:1300 > R:2600 SYN ACK]
          lan icmp 3/3 A > S [echo-reply S > A id 7]
          → wan icmp 3/3 R > S [echo-reply S > R id 7]`,
      },
    ],
  },
  {
    clause: 'REQ-5a', level: 'must', text: 'must restore the quoted IP and transport headers',
    cases: [{
      name: 'whole, and cut to eight bytes of transport',
      script: `
        lan udp B:2000 > S:1200
        → wan udp R:2000 > S:1200
        lan udp A:2000 > S:1200
        → wan udp R:$p > S:1200
        lan icmp 3/3 A > S [udp S:1200 > A:2000 'abc']
        → wan icmp 3/3 R > S [udp S:1200 > R:$p 'abc']
        lan icmp 3/3 A > S [udp S:1200 > A:2000 'abc'] quoting 28
        → wan icmp 3/3 R > S [udp S:1200 > R:$p …]`,
    }],
  },
  {
    clause: 'REQ-5b', level: 'must', text: 'must leave type and code as they are',
    cases: ['3/2', '3/3', '3/10', '11/1', '12/0'].map(type => ({
      name: `each type of error: ${type}`,
      script: `${SESSIONS}
        lan icmp ${type} A > S [udp S:1200 > A:2000]
        → wan icmp ${type} R > S [udp S:1200 > R:2000]`,
    })),
  },
  {
    clause: 'REQ-5c', level: 'must', text: 'must send it from its own WAN address; basic NAT from that of the sender, if this has a mapping',
    cases: [
      {
        name: 'NAPT, from a router inside the LAN',
        script: `${SESSIONS}
          lan icmp 11/0 C > S [udp S:1200 > A:2000]
          → wan icmp 11/0 R > S [udp S:1200 > R:2000]`,
      },
      {
        name: 'basic NAT, from a sender with a mapping', setup: BASIC_NAT,
        script: `${BOTH_ADDRESSED}
          lan icmp 3/2 A > S [echo-reply S > A id 7]
          → wan icmp 3/2 $a > S [echo-reply S > $a id 7]
          lan icmp 11/0 B > S [echo-reply S > A id 7]
          → wan icmp 11/0 $b > S [echo-reply S > $a id 7]`,
      },
      {
        name: 'basic NAT, from a sender without one', setup: BASIC_NAT,
        script: `${BOTH_ADDRESSED}
          lan icmp 11/0 C > S [echo-reply S > A id 7]
          → wan icmp 11/0 R > S [echo-reply S > $a id 7]`,
      },
    ],
  },
  {
    clause: 'REQ-6', level: 'must', text: 'must not refresh or delete the session that an ICMP error is about, if that is a query\'s',
    cases: [
      {
        name: 'not deleted',
        script: `${QUERY}
          wan icmp 11/0 M > R [echo R > S id 7]
          → lan icmp 11/0 M > A [echo A > S id 7]
          ${REPLY}`,
      },
      {
        name: 'not refreshed',
        script: `${QUERY}
          pass 59.999s
          wan icmp 11/0 M > R [echo R > S id 7]
          → lan icmp 11/0 M > A [echo A > S id 7]
          pass 1ms
          wan echo-reply S > R id 7
          → dropped no-mapping`,
      },
    ],
  },
  {
    clause: 'REQ-7', level: 'must', text: 'must let hairpinned errors pass, and as basic NAT hairpinned queries too',
    cases: [
      {
        name: 'an error, both translated', script: `${HAIRPINNED}
          lan icmp 3/3 A > R [udp R:3000 > A:2000]
          → lan icmp 3/3 R > B [udp B:3000 > R:2000]`,
      },
      {
        name: 'a query and its answer, basic NAT', setup: { ...BASIC_NAT, filtering: 'endpoint-independent' },
        script: `${BOTH_ADDRESSED}
          lan echo B > $a id 9
          → lan echo $b > A id 9
          lan echo-reply A > $b id 9
          → lan echo-reply $a > B id 9`,
      },
    ],
  },
  {
    clause: 'REQ-7a', level: 'must', text: 'must send a hairpinned error to the quoted packet\'s source as it is after translation',
    cases: [
      {
        name: 'to the host that sent it',
        script: `${HAIRPINNED}
          lan icmp 3/3 A > R [udp R:3000 > A:2000 'abc']
          → lan icmp 3/3 R > B [udp B:3000 > R:2000 'abc']`,
      },
      {
        name: 'from a router inside the LAN',
        script: `${HAIRPINNED}
          lan icmp 11/0 C > R [udp R:3000 > A:2000]
          → lan icmp 11/0 R > B [udp B:3000 > R:2000]`,
      },
    ],
  },
]
