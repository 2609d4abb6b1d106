// Which process of JP 2002-217942 a packet of the log-in relay's run is. One message does for several of them, and which one it
// is follows from the connection: terminal 11 has connections 1 and 3, terminal 21 has 2 and 4, each known by its ports.
import type { ConnectionName } from '../../captures/decode/connection-names.js'
import type { PayloadDecoder } from '../../captures/decode/payload.js'
import { decodePayload } from '../../captures/decode/protocol.js'
import { LOGIN_RELAY_STEPS, type LoginRelayStep } from '../../endpoints/login-relay/steps.js'
import { MESSAGES } from '../../endpoints/message/index.js'

/** Local ports of the terminals; each further connection has the next. */
export const TERMINAL_PORTS = { 11: 1101, 21: 2101 } as const
export const SERVER = { address: '130.74.23.6', port: 1400 } as const

/** Of each connection: its port in the LAN, and the one that the gateway's NAPT gives it. */
const PORTS: readonly { readonly connection: LoginRelayStep['connection'], readonly lan: string, readonly ports: readonly number[] }[] = [
  { connection: 1, lan: `192.168.1.11:${TERMINAL_PORTS[11]}`, ports: [TERMINAL_PORTS[11], 5001] },
  { connection: 3, lan: `192.168.1.11:${TERMINAL_PORTS[11] + 1}`, ports: [TERMINAL_PORTS[11] + 1, 5002] },
  { connection: 2, lan: `192.168.1.21:${TERMINAL_PORTS[21]}`, ports: [TERMINAL_PORTS[21], 6001] },
  { connection: 4, lan: `192.168.1.21:${TERMINAL_PORTS[21] + 1}`, ports: [TERMINAL_PORTS[21] + 1, 6002] },
]

/** The four connections, whose start is a process, and whose end is one for terminal 11. */
export const RELAY_LOGIN_CONNECTIONS: readonly ConnectionName[] = PORTS.map(({ connection, lan }) => {
  const numbers = LOGIN_RELAY_STEPS.filter(step => step.connection === connection && step.message === null).map(({ number }) => number)
  const end = numbers.at(1)
  return { called: `${SERVER.address}:${SERVER.port}`, caller: lan, start: numbers[0], step: '', ...(end === undefined ? {} : { end }) }
})

/** As the payload decoder of every run, with the number of the process instead of the message's own. */
export const relayLoginDecoder: PayloadDecoder = (protocol, ports, bytes) => {
  const message = decodePayload(protocol, ports, bytes)
  if (message?.number == null) return message
  const isFromServer = ports.source === SERVER.port
  const ofTerminal = isFromServer ? ports.destination : ports.source
  const connection = PORTS.find(each => each.ports.includes(ofTerminal))?.connection
  const step = LOGIN_RELAY_STEPS.find(each => each.connection === connection && (each.from === '4') === isFromServer
    && each.message !== null && MESSAGES[each.message].title === message.name)
  return step === undefined ? message : { ...message, number: step.number, name: step.title }
}
