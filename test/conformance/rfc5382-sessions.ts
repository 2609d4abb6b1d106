// RFC 5382 §5 to §7, time-outs and the rest: REQ-5 to REQ-10.
import { ACK_OUT, DATA_IN, ESTABLISHED, FIN_IN, FIN_OUT, SYN, SYN_IN } from './flows.js'
import type { Requirement } from './requirement.js'
import { onlyPorts } from './setups.js'

const HAIRPINNED = `${SYN}
  lan tcp B:2700 > R:2600 SYN
  → lan tcp R:2700 > A:2600 SYN
  lan tcp A:2600 > R:2700 SYN ACK
  → lan tcp R:2600 > B:2700 SYN ACK
  lan tcp B:2700 > R:2600 ACK
  → lan tcp R:2700 > A:2600 ACK
  lan tcp B:2700 > R:2600 PSH ACK 'there'
  → lan tcp R:2700 > A:2600 PSH ACK 'there'
  lan tcp A:2600 > R:2700 PSH ACK 'back'
  → lan tcp R:2600 > B:2700 PSH ACK 'back'`

export const SESSIONS: readonly Requirement[] = [
  {
    clause: 'REQ-5', level: 'must', text: 'must keep an idle connection at least 2 h 4 min when it is established, and 4 min while it opens or closes',
    cases: [
      {
        name: 'established: 2 h 4 min',
        script: `${ESTABLISHED}
          pass 7439.999s
          ${DATA_IN}`,
      },
      {
        name: 'closed by one side is established still',
        script: `${ESTABLISHED}
          ${FIN_OUT}
          pass 7439.999s
          ${DATA_IN}`,
      },
      {
        name: 'opening: 4 min',
        script: `${SYN}
          pass 239.999s
          ${SYN_IN}`,
      },
      {
        name: 'closing: 4 min',
        script: `${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          pass 239.999s
          ${ACK_OUT}`,
      },
    ],
  },
  {
    clause: 'REQ-5a', level: 'may', text: 'may have configurable time-outs',
    cases: [
      {
        name: 'established: 3 hours', option: { timeouts: { tcpEstablished: 10800 } },
        script: `${ESTABLISHED}
          pass 10799.999s
          ${DATA_IN}
          pass 3h
          wan tcp S:1300 > R:2600 ACK
          → dropped no-mapping`,
      },
      {
        name: 'opening: 5 minutes', option: { timeouts: { tcpOpening: 300 } },
        script: `${SYN}
          pass 299.999s
          ${SYN_IN}`,
      },
      {
        name: 'closing: 5 minutes', option: { timeouts: { tcpClosing: 300 } },
        script: `${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          pass 299.999s
          ${ACK_OUT}
          pass 5m
          wan tcp S:1300 > R:2600 ACK
          → dropped no-mapping`,
      },
    ],
  },
  {
    clause: 'REQ-6', level: 'should', text: 'should have ALGs for TCP (but FTP\'s) disabled by default',
    cases: [{
      name: 'there is none: FTP\'s PORT goes out as it is',
      script: `
        lan tcp A:2600 > S:21 SYN
        → wan tcp R:2600 > S:21 SYN
        wan tcp S:21 > R:2600 SYN ACK
        → lan tcp S:21 > A:2600 SYN ACK
        lan tcp A:2600 > S:21 PSH ACK 'PORT 192,168,1,3,10,41 192.168.1.3'
        → wan tcp R:2600 > S:21 PSH ACK 'PORT 192,168,1,3,10,41 192.168.1.3'`,
    }],
  },
  {
    clause: 'REQ-7', level: 'must', text: 'must not overload ports for TCP',
    cases: [
      {
        name: 'two hosts with the same port, to different destinations',
        script: `${SYN}
          lan tcp B:2600 > T:9000 SYN
          → wan tcp R:$p > T:9000 SYN
          where $p ≠ 2600`,
      },
      {
        name: 'not even when no port is left', setup: onlyPorts(5000, 5000),
        script: `
          lan tcp A:5000 > S:1300 SYN
          → wan tcp R:5000 > S:1300 SYN
          lan tcp B:5000 > T:9000 SYN
          → dropped no-free-port
          → lan icmp 3/13 G > B [tcp B:5000 > T:9000 SYN]`,
      },
    ],
  },
  {
    clause: 'REQ-8', level: 'must', text: 'must support hairpinning for TCP',
    cases: [
      { name: 'a connection between two hosts of the LAN by their WAN endpoints', script: HAIRPINNED },
      {
        name: 'simultaneous open, hairpinned',
        script: `${SYN}
          lan tcp B:2700 > S:1300 SYN
          → wan tcp R:2700 > S:1300 SYN
          lan tcp A:2600 > R:2700 SYN
          → lan tcp R:2600 > B:2700 SYN
          lan tcp B:2700 > R:2600 SYN
          → lan tcp R:2700 > A:2600 SYN
          lan tcp A:2600 > R:2700 SYN ACK
          → lan tcp R:2600 > B:2700 SYN ACK`,
      },
    ],
  },
  {
    clause: 'REQ-8a', level: 'must', text: 'must show a hairpinned segment\'s WAN address and port as its source',
    cases: [{ name: 'each host sees the other\'s WAN endpoint', script: HAIRPINNED }],
    also: [{
      name: 'internal source, by option', option: { hairpinning: 'internal-source' },
      script: `${SYN}
        lan tcp B:2700 > R:2600 SYN
        → lan tcp B:2700 > A:2600 SYN`,
    }],
  },
  {
    clause: 'REQ-9', level: 'should', text: 'should translate ICMP destination unreachable for TCP',
    cases: ['3/0', '3/1', '3/3', '3/4', '3/13'].map(type => ({
      name: `each type of error, both ways: ${type}`,
      script: `${ESTABLISHED}
        wan icmp ${type} M > R [tcp R:2600 > S:1300 PSH ACK 'data']
        → lan icmp ${type} M > A [tcp A:2600 > S:1300 PSH ACK 'data']
        lan icmp ${type} A > S [tcp S:1300 > A:2600 PSH ACK 'data']
        → wan icmp ${type} R > S [tcp S:1300 > R:2600 PSH ACK 'data']`,
    })),
  },
  {
    clause: 'REQ-10', level: 'must', text: 'must not end a mapping or a connection because of any ICMP message',
    cases: ['3/1', '3/3', '3/13', '11/0', '12/0'].map(type => ({
      name: `each type of error: ${type}`,
      script: `${ESTABLISHED}
        wan icmp ${type} S > R [tcp R:2600 > S:1300 ACK]
        → lan icmp ${type} S > A [tcp A:2600 > S:1300 ACK]
        pass 7439.999s
        ${DATA_IN}`,
    })),
  },
]
