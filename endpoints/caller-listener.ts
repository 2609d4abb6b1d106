// Where an issuer awaits the acceptor, by TCP or by UDP.
import { listenDatagrams } from './datagram-stream/listen.js'
import { addressOf, listenTcp, stopListening } from './sockets.js'
import type { ConnectedSocket } from './channel/connected-socket.js'
import type { Emit } from './events.js'
import type { Local, Peer } from './peer.js'
import type { Transport } from './plain.js'

/** Callers that may be open at the same time while the right one is awaited. */
const MAX_CALLERS = 16

export interface CallerListener {
  readonly transport: Transport
  readonly local: Peer
  /** Gives every caller from now on. */
  serve(onCaller: (socket: ConnectedSocket) => void): void
  /** Takes no more callers. */
  close(): void
}

/**
 * @param token by UDP a caller shows it at once, and others are not heard; by TCP it comes in the greeting
 * @throws EndpointError when the port cannot be bound
 */
export async function listenForCaller(transport: Transport, at: Local, token: string, emit: Emit): Promise<CallerListener> {
  if (transport === 'udp') return await listenDatagrams('UDP port for the direct connection', at, token, emit)
  const server = await listenTcp('TCP port for the direct connection', at, MAX_CALLERS)
  return {
    transport,
    local: addressOf(server),
    serve(onCaller) {
      server.on('connection', onCaller)
      server.on('error', error => emit({ event: 'error', reason: 'listen-failed', message: error.message }))
    },
    close: () => void stopListening(server),
  }
}
