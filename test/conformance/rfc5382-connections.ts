// RFC 5382 §4, how connections begin: REQ-1 to REQ-4.
import { ACK_OUT, DATA_IN, DATA_OUT, ESTABLISHED, FIN_IN, FIN_OUT, SYN, SYN_IN } from './flows.js'
import { grid } from './grid.js'
import type { Requirement } from './requirement.js'

const UNSOLICITED = `
  wan tcp S:1300 > R:2600 SYN
  → dropped no-mapping`

export const CONNECTIONS: readonly Requirement[] = [
  {
    clause: 'REQ-1', level: 'must', text: 'must have endpoint-independent mapping for TCP',
    cases: [{
      name: 'another port and another address meet the same WAN port',
      script: `${SYN}
        lan tcp A:2600 > S:1301 SYN
        → wan tcp R:2600 > S:1301 SYN
        lan tcp A:2600 > T:9000 SYN
        → wan tcp R:2600 > T:9000 SYN`,
    }],
  },
  {
    clause: 'REQ-2', level: 'must', text: 'must let every valid sequence of TCP packets pass, for connections begun on either side where the filter permits them',
    cases: [
      {
        name: 'begun inside: opened, used, closed by both',
        script: `${ESTABLISHED}
          ${DATA_OUT}
          ${DATA_IN}
          ${FIN_OUT}
          ${FIN_IN}
          ${ACK_OUT}`,
      },
      {
        name: 'begun outside, into a static mapping', setup: { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.3', port: 1600 }] },
        script: `
          wan tcp T:9000 > R:5000 SYN
          → lan tcp T:9000 > A:1600 SYN
          lan tcp A:1600 > T:9000 SYN ACK
          → wan tcp R:5000 > T:9000 SYN ACK
          wan tcp T:9000 > R:5000 ACK
          → lan tcp T:9000 > A:1600 ACK
          lan tcp A:1600 > T:9000 PSH ACK 'hello'
          → wan tcp R:5000 > T:9000 PSH ACK 'hello'`,
      },
      {
        name: 'begun outside, through an endpoint-independent filter', setup: { filtering: 'endpoint-independent' },
        script: `${SYN}
          wan tcp T:9000 > R:2600 SYN
          → lan tcp T:9000 > A:2600 SYN
          lan tcp A:2600 > T:9000 SYN ACK
          → wan tcp R:2600 > T:9000 SYN ACK
          wan tcp T:9000 > R:2600 ACK
          → lan tcp T:9000 > A:2600 ACK`,
      },
      {
        name: 'half closed: data goes on the other way',
        script: `${ESTABLISHED}
          ${FIN_OUT}
          ${DATA_IN}
          ${ACK_OUT}
          ${FIN_IN}
          ${ACK_OUT}`,
      },
      {
        name: 'closed by both at once, and a FIN repeated',
        script: `${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          ${FIN_OUT}
          ${ACK_OUT}`,
      },
      {
        name: 'SYN and FIN repeated',
        script: `${SYN}
          pass 1s
          ${ESTABLISHED}
          ${FIN_IN}
          pass 1s
          ${FIN_IN}
          ${FIN_OUT}`,
      },
      {
        name: 'a half-open connection is opened anew',
        script: `${ESTABLISHED}
          ${SYN}
          wan tcp S:1300 > R:2600 ACK
          → lan tcp S:1300 > A:2600 ACK
          lan tcp A:2600 > S:1300 RST
          → wan tcp R:2600 > S:1300 RST
          ${ESTABLISHED}
          ${DATA_IN}`,
      },
      {
        name: 'the same endpoints again, after the end',
        script: `${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          ${ACK_OUT}
          ${ESTABLISHED}
          pass 2h
          ${DATA_IN}`,
      },
    ],
    also: [{
      name: 'a segment of no connection is none',
      script: `
        lan tcp A:2600 > S:1300 ACK
        → dropped no-session`,
    }],
  },
  {
    clause: 'REQ-2a', level: 'must', text: 'must handle simultaneous open',
    cases: [
      {
        name: 'both SYNs pass, then both SYN ACKs',
        script: `${SYN}
          wan tcp S:1300 > R:2600 SYN
          → lan tcp S:1300 > A:2600 SYN
          lan tcp A:2600 > S:1300 SYN ACK
          → wan tcp R:2600 > S:1300 SYN ACK
          ${SYN_IN}
          ${DATA_OUT}
          ${DATA_IN}`,
      },
      {
        name: 'the other side\'s SYN came too early, and comes again',
        script: `${UNSOLICITED}
          pass 1s
          ${SYN}
          wan tcp S:1300 > R:2600 SYN
          → lan tcp S:1300 > A:2600 SYN
          lan tcp A:2600 > S:1300 SYN ACK
          → wan tcp R:2600 > S:1300 SYN ACK
          pass 10s
          ${DATA_IN}`,
      },
    ],
  },
  {
    clause: 'REQ-3', level: 'should', text: 'should have endpoint-independent filtering for transparency, or address-dependent filtering for strictness',
    cases: [
      {
        name: 'endpoint-independent: anybody reaches the mapping', option: { filtering: { tcp: 'endpoint-independent' } },
        script: `${SYN}
          wan tcp T:9000 > R:2600 SYN
          → lan tcp T:9000 > A:2600 SYN`,
      },
      {
        name: 'address-dependent: any port of an address that was sent to', option: { filtering: { tcp: 'address-dependent' } },
        script: `${SYN}
          wan tcp S:9000 > R:2600 SYN
          → lan tcp S:9000 > A:2600 SYN
          wan tcp T:9000 > R:2600 SYN
          → dropped filtered`,
      },
    ],
    also: [{
      name: 'the default is stricter: address and port-dependent',
      script: `${SYN}
        ${SYN_IN}
        wan tcp S:9000 > R:2600 SYN
        → dropped filtered`,
    }],
    note: 'the default is address and port-dependent, what most NATs in the field do',
  },
  { clause: 'REQ-3a', level: 'may', text: 'may let its administrator choose the filtering', cases: grid('tcp') },
  {
    clause: 'REQ-3b', level: 'may', text: 'may filter TCP otherwise than UDP',
    cases: [{
      name: 'TCP open, UDP not', option: { filtering: { tcp: 'endpoint-independent' } },
      script: `${SYN}
        lan udp A:2600 > S:1300
        → wan udp R:2600 > S:1300
        wan tcp T:9000 > R:2600 SYN
        → lan tcp T:9000 > A:2600 SYN
        wan udp T:9000 > R:2600
        → dropped filtered`,
    }],
  },
  {
    clause: 'REQ-4', level: 'must', text: 'must not answer an unsolicited SYN for 6 seconds; must forget it if the host opens that connection meanwhile; else should answer with ICMP port unreachable',
    cases: [
      {
        name: 'an answer after 6 seconds, to the millisecond',
        script: `${UNSOLICITED}
          pass 5.999s
          pass 1ms
          → wan icmp 3/3 R > S [tcp S:1300 > R:2600 SYN]
          pass 1m`,
      },
      {
        name: 'one that the filter stopped, as well',
        script: `${SYN}
          wan tcp T:9000 > R:2600 SYN
          → dropped filtered
          pass 5.999s
          pass 1ms
          → wan icmp 3/3 R > T [tcp T:9000 > R:2600 SYN]`,
      },
      {
        name: 'no answer if the host opens the connection',
        script: `${UNSOLICITED}
          pass 5.999s
          ${SYN}
          pass 1m`,
      },
      {
        name: 'an answer if it opens another one',
        script: `${UNSOLICITED}
          lan tcp A:2600 > S:1301 SYN
          → wan tcp R:2600 > S:1301 SYN
          pass 6s
          → wan icmp 3/3 R > S [tcp S:1300 > R:2600 SYN]`,
      },
    ],
  },
  {
    clause: 'REQ-4a', level: 'must', text: 'must drop it silently where an answer is against its policy',
    cases: [{
      name: 'no answer at all', option: { unsolicitedSyn: { answer: 'none' } },
      script: `${UNSOLICITED}
        pass 1m`,
    }],
    also: [{
      name: 'a reset instead, by option', option: { unsolicitedSyn: { answer: 'reset' } },
      script: `${UNSOLICITED}
        pass 5.999s
        pass 1ms
        → wan tcp R:2600 > S:1300 RST ACK`,
    }],
  },
]
