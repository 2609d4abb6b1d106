// RFC 7857 §2, TCP session tracking.
import { ACK_IN, ACK_OUT, ESTABLISHED, FIN_IN, FIN_OUT, RST_IN, SYN, TCP_GONE } from './flows.js'
import type { Requirement } from './requirement.js'

export const TCP_TRACKING: readonly Requirement[] = [
  {
    clause: '§2', level: 'should', text: 'should track TCP connections by the state machine of RFC 6146',
    cases: [
      {
        name: 'INIT: the transitory time-out',
        script: `${SYN}
          pass 240s
          ${TCP_GONE}`,
      },
      {
        name: 'ESTABLISHED once the other side has sent SYN',
        script: `${ESTABLISHED}
          pass 7439.999s
          ${ACK_IN}`,
      },
      {
        name: 'C FIN RCV and S FIN RCV: as established',
        script: `${ESTABLISHED}
          ${FIN_IN}
          pass 7439.999s
          ${ACK_OUT}
          pass 7439.999s
          ${ACK_IN}`,
      },
      {
        name: 'C FIN + S FIN RCV: the transitory time-out',
        script: `${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          pass 239.999s
          ${ACK_OUT}
          pass 240s
          ${TCP_GONE}`,
      },
      {
        name: 'TRANS after a RST, and ESTABLISHED again with data',
        script: `${ESTABLISHED}
          ${RST_IN}
          pass 239.999s
          ${ACK_OUT}
          pass 7439.999s
          ${ACK_IN}`,
      },
    ],
  },
  {
    clause: '§2.1', level: 'should', text: 'should have separate time-outs for opening and closing connections, of 4 minutes by default; may allow less while opening',
    cases: [
      {
        name: 'both 4 minutes by default',
        script: `${SYN}
          pass 239.999s
          ${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          pass 239.999s
          ${ACK_OUT}`,
      },
      {
        name: 'opening shorter', option: { timeouts: { tcpOpening: 30 } },
        script: `${SYN}
          pass 30s
          ${TCP_GONE}
          ${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          pass 239.999s
          ${ACK_OUT}`,
      },
      {
        name: 'closing shorter', option: { timeouts: { tcpClosing: 60 } },
        script: `${SYN}
          pass 239.999s
          ${ESTABLISHED}
          ${FIN_OUT}
          ${FIN_IN}
          pass 60s
          ${TCP_GONE}`,
      },
    ],
  },
  {
    clause: '§2.2', level: 'must', text: 'must translate a RST that matches a mapping, and should keep the session for 4 minutes after it',
    cases: [
      {
        name: 'from either side',
        script: `${ESTABLISHED}
          ${RST_IN}
          lan tcp A:2600 > S:1300 RST ACK
          → wan tcp R:2600 > S:1300 RST ACK`,
      },
      {
        name: 'gone 4 minutes later, to the millisecond',
        script: `${ESTABLISHED}
          ${RST_IN}
          pass 239.999s
          ${RST_IN}
          pass 240s
          ${TCP_GONE}`,
      },
      {
        name: 'data after it: the connection lives on',
        script: `${ESTABLISHED}
          ${RST_IN}
          pass 239.999s
          ${ACK_OUT}
          pass 7439.999s
          ${ACK_IN}`,
      },
      {
        name: 'one of no connection changes nothing',
        script: `${ESTABLISHED}
          wan tcp S:1301 > R:2600 RST
          → dropped filtered
          wan tcp T:1300 > R:2600 RST
          → dropped filtered
          pass 7439.999s
          ${ACK_IN}`,
      },
    ],
  },
]
