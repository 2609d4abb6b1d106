// The acceptor of Fig. 13 (13): registers with the relay server again and again (31), and when it is notified of a request (36)
// connects to the server (37), which joins that connection with the issuer's. In the hybrid system its registration says which
// address it has, and where 36 names the issuer's, it connects there instead and reports to the server how that went.
import { addressCheck } from '../access/address-policy.js'
import { answer, describe } from '../answers.js'
import { Calls } from '../calls.js'
import { plainChannel } from '../channel/socket-channel.js'
import { SERVER_PORTS, TIMEOUTS } from '../defaults.js'
import { emitter, wallClock } from '../events.js'
import { encode } from '../message/index.js'
import { Registrar, openRegistering, openRegistrationSocket } from '../registrar.js'
import type { AddressPolicy } from '../access/address-policy.js'
import type { Acceptor, AcceptorTimeouts } from '../acceptor.js'
import type { Verdict } from '../answers.js'
import type { OpenChannel } from '../channel/channel.js'
import type { Connection } from '../connection.js'
import type { Emit, OnEvent } from '../events.js'
import type { Message, MessageOf } from '../message/index.js'
import type { RegistrarOptions } from '../registrar.js'

export interface RelayAcceptorOptions extends RegistrarOptions {
  /** True in the hybrid system: registrations say which address this end has, so that issuers may be met directly. */
  readonly isDirect?: boolean
  /** Which addresses a direct connection may lead to; see AddressPolicy. */
  readonly policy?: AddressPolicy
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<AcceptorTimeouts>
  /** Gets each connection that came about, and owns it from then on. */
  readonly onConnection: (connection: Connection) => void
  readonly onEvent?: OnEvent
  /** For connections to the server. */
  readonly openChannel?: OpenChannel
}

/** @throws EndpointError when the UDP port cannot be bound, EncodeError when the equipment ID does not fit a message */
export async function startRelayAcceptor(options: RelayAcceptorOptions): Promise<Acceptor> {
  const { equipmentId, isDirect = false } = options
  const refusalOf = addressCheck(options.policy)
  openRegistering({ name: 'relayRegistration', equipmentId }) // what does not fit is told before anything is opened
  const udp = await openRegistrationSocket(options)
  const own = isDirect ? { address: udp.address().address } : {}
  const emit = emitter('13', options.onEvent, options.clock ?? wallClock)
  const stop = new AbortController()
  const within = options.timeouts?.message ?? TIMEOUTS.message
  const calls = new Calls({ equipmentId, within, refusalOf, signal: stop.signal, emit, ...(options.address === undefined ? {} : { address: options.address }) })
  const registrar: Registrar = new Registrar(options, udp, openRegistering({ name: 'relayRegistration', equipmentId, ...own }), emit, message => onMessage(message))
  const take = taker(options, calls, registrar, emit)
  const onMessage = (message: Message): true | string => {
    if (message.name !== 'relayNotification') return `a ${message.name} by UDP has no place here`
    take(message)
    return true
  }
  let closed: Promise<void> | null = null
  const close = async (): Promise<void> => {
    registrar.stop()
    stop.abort()
    await registrar.close()
    emit({ event: 'stopped' })
  }
  return { local: registrar.local, register: () => registrar.register(), close: () => closed ??= close() }
}

/** What becomes of a 36. */
function taker({ equipmentId, server, onConnection, openChannel = plainChannel }: RelayAcceptorOptions, calls: Calls, registrar: Registrar, emit: Emit) {
  const call = async ({ address, port, token }: MessageOf<'relayNotification'>): Promise<Verdict> => {
    const isDirect = address !== undefined && port !== undefined
    const to = isDirect ? { address, port } : { address: registrar.server.address, port: server.port ?? SERVER_PORTS.acceptor }
    const { verdict, channel } = await (isDirect ? calls.callNamed(to, token, plainChannel) : calls.call(to, token, openChannel))
    if (isDirect) registrar.send(encode(answer(verdict, token)))
    if (channel) {
      emit({ event: 'connected', equipmentId, ...channel.peer })
      onConnection({ channel, apparatus: '13', equipmentId })
    }
    return verdict
  }
  return (message: MessageOf<'relayNotification'>): void => {
    const { notification, token, address } = message
    const verdict = registrar.seen(token)
    if (verdict && address !== undefined) registrar.send(encode(answer(verdict, token))) // the report was lost
    if (notification && verdict === undefined) registrar.start(token, () => call(message), describe)
  }
}
