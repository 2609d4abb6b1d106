// The processes of JP 2002-217942, Fig. 2, as data: who sends what to whom, on which connection. Terminal 11 has connections 1
// and 3, terminal 21 connections 2 and 4; 4 is the relay server. One message of the codec does for several processes.
import type { MessageName } from '../message/index.js'

export type LoginRelayParty = '4' | '11' | '21'

export interface LoginRelayStep {
  /** The document's own, `(21')`. */
  readonly number: string
  readonly from: LoginRelayParty
  readonly to: LoginRelayParty
  readonly connection: 1 | 2 | 3 | 4
  /** Null for TCP's own packets. */
  readonly message: MessageName | null
  readonly title: string
}

const TERMINAL_OF = { 1: '11', 2: '21', 3: '11', 4: '21' } as const

const sent = (number: string, connection: 1 | 2 | 3 | 4, message: MessageName | null, title: string): LoginRelayStep =>
  ({ number, from: TERMINAL_OF[connection], to: '4', connection, message, title })

const received = (number: string, connection: 1 | 2 | 3 | 4, message: MessageName, title: string): LoginRelayStep =>
  ({ number, from: '4', to: TERMINAL_OF[connection], connection, message, title })

/** Log-in and holding, which every connection begins with. */
const begin = (connection: 1 | 2 | 3 | 4, first: number, prime: string): LoginRelayStep[] => [
  sent(`(${first}${prime})`, connection, null, 'connection'),
  sent(`(${first + 1}${prime})`, connection, 'login', 'user ID and password'),
  received(`(${first + 2}${prime})`, connection, 'loginAnswer', 'log-in answer'),
  sent(`(${first + 3}${prime})`, connection, 'hold', 'connection holding'),
  received(`(${first + 4}${prime})`, connection, 'holdAnswer', 'holding answer'),
]

export const LOGIN_RELAY_STEPS: readonly LoginRelayStep[] = [
  ...begin(1, 1, ''),
  ...begin(2, 1, "'"),
  sent('(6)', 1, 'demand', 'connection demand'),
  received('(7)', 2, 'demandNotification', 'connection demand notification'),
  sent('(8)', 2, 'demandAnswer', 'demand answer'),
  received('(9)', 1, 'demandResult', 'demand answer passed on'),
  ...begin(3, 10, ''),
  ...begin(4, 10, "'"),
  sent('(15)', 1, 'relayData', 'data'),
  received('(16)', 2, 'relayData', 'data passed on'),
  sent('(17)', 2, 'relayData', 'answer'),
  received('(18)', 1, 'relayData', 'answer passed on'),
  sent('(19)', 1, 'termination', 'termination notice'),
  received('(20)', 2, 'termination', 'termination notice passed on'),
  sent('(21)', 1, 'release', 'release notice'),
  sent("(21')", 2, 'release', 'release notice'),
  sent('(22)', 1, 'logout', 'log-out'),
  sent('(23)', 1, null, 'disconnection'),
  sent('(24)', 3, null, 'disconnection'),
]
