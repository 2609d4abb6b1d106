// Applications on either side of the relay. Beside one terminal stands a client program, which connects to a local listener as
// if that were its server (like `ssh -L`); beside the other stands the real server, to which that terminal connects for each
// demand. Their bytes pass unchanged, half-closes and resets included.
import { ByteStream } from '../channel/byte-stream.js'
import { EndpointError, messageOf } from '../errors.js'
import { emitter, wallClock } from '../events.js'
import { splice } from '../relay/splice.js'
import { addressOf, connectTcp, listenTcp, stopListening } from '../sockets.js'
import type { Socket } from 'node:net'
import type { Clock, OnEvent } from '../events.js'
import type { Local, Peer } from '../peer.js'
import type { RelayedConnection } from './relayed.js'
import type { Decision, Terminal } from './terminal.js'

export interface ForwardOptions {
  readonly terminal: Pick<Terminal, 'demand'>
  /** The user whose application is meant. */
  readonly to: string
  /** Where clients connect; this machine alone when no address is given, any port when none is. */
  readonly listen?: Local
  /** Clients at the same time; more are closed at once. */
  readonly maxClients?: number
  readonly onEvent?: OnEvent
  readonly clock?: Clock
}

export interface Forwarder {
  readonly address: Peer
  /** Stops listening and resets what is under way. */
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'

/** @throws EndpointError when the address cannot be bound */
export async function forwardTo({ terminal, to, listen = {}, maxClients = 64, onEvent, clock = wallClock }: ForwardOptions): Promise<Forwarder> {
  const emit = emitter('11', onEvent, clock)
  const listener = await listenTcp('TCP port for applications', { address: LOOPBACK, ...listen }, maxClients)
  const open = new Set<Socket>(), tasks = new Set<Promise<void>>()
  emit({ event: 'listening', transport: 'tcp', purpose: 'applications', ...addressOf(listener) })
  const serve = async (socket: Socket): Promise<void> => {
    const stream = new ByteStream(socket)
    try {
      await splice(stream, await terminal.demand(to)).ended
      stream.destroy()
    } catch (error) {
      stream.reset()
      if (!(error instanceof EndpointError)) throw error
      emit({ event: 'error', reason: error.reason, message: error.message })
    }
  }
  listener.on('connection', socket => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const task = serve(socket).finally(() => tasks.delete(task))
    tasks.add(task)
  })
  listener.on('error', error => emit({ event: 'error', reason: 'listen-failed', message: error.message }))
  return {
    address: addressOf(listener),
    close: async () => {
      const closing = stopListening(listener)
      for (const socket of open) socket.resetAndDestroy()
      await Promise.all([closing, ...tasks])
    },
  }
}

export interface TargetOptions {
  /** Where the application listens. */
  readonly target: Peer
  /** Users who may reach it; all who are logged in when absent. */
  readonly allow?: readonly string[]
  /** Milliseconds for the connection to it; less than the relay server waits for the answer (8). */
  readonly within?: number
}

/** A terminal's `onDemand` that connects whoever may with an application. */
export function toTarget({ target, allow, within = 5000 }: TargetOptions): (userId: string) => Promise<Decision> {
  return async userId => {
    if (allow && !allow.includes(userId)) return { refuse: 'this user may not connect' }
    try {
      const stream = new ByteStream(await connectTcp('the connection to the application', { to: target, within }))
      return {
        take: (connection: RelayedConnection) => {
          void splice(stream, connection).ended.then(() => stream.destroy())
        },
      }
    } catch (error) {
      // The address behind the terminal is nobody else's business.
      return { refuse: error instanceof EndpointError ? 'the application there does not answer' : messageOf(error) }
    }
  }
}
