// Opening and closing sockets as promises, with errors for people.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { EndpointError, bindFailure, connectFailure } from './errors.js'
import type { Socket as UdpSocket } from 'node:dgram'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Local, Peer } from './peer.js'

const ANY = '0.0.0.0' // IPv4, as everything in the figures is

/** @throws EndpointError when the address cannot be bound */
export async function listenTcp(what: string, { address = ANY, port = 0 }: Local, maxConnections: number): Promise<Server> {
  // Half-open sockets, so that a channel alone decides when its side closes.
  const server = createServer({ allowHalfOpen: true })
  server.maxConnections = maxConnections
  try {
    server.listen({ host: address, port })
    await once(server, 'listening')
    return server
  } catch (error) {
    throw bindFailure(error, what, { address, port })
  }
}

/** @throws EndpointError when the address cannot be bound */
export async function bindUdp(what: string, { address = ANY, port = 0 }: Local): Promise<UdpSocket> {
  const socket = createSocket('udp4')
  try {
    socket.bind({ address, port })
    await once(socket, 'listening')
    return socket
  } catch (error) {
    socket.close()
    throw bindFailure(error, what, { address, port })
  }
}

/** Limits the socket to one peer: the kernel then drops what others send, and reports when nothing listens there. */
export async function connectUdp(socket: UdpSocket, to: Peer, what: string): Promise<void> {
  try {
    socket.connect(to.port, to.address)
    await once(socket, 'connect')
  } catch (error) {
    socket.close()
    throw connectFailure(error, what, to)
  }
}

export interface ConnectOptions {
  readonly to: Peer
  readonly from?: Local
  /** Milliseconds until the attempt is given up. */
  readonly within: number
  readonly signal?: AbortSignal | undefined
}

/** @throws EndpointError when no connection comes about */
export async function connectTcp(what: string, { to, from = {}, within, signal }: ConnectOptions): Promise<Socket> {
  if (signal?.aborted) throw cancelled(what)
  const socket = connect({
    host: to.address, port: to.port, family: 4, allowHalfOpen: true,
    ...(from.address === undefined ? {} : { localAddress: from.address }),
    ...(from.port === undefined ? {} : { localPort: from.port }),
  })
  return await untilConnected(socket, what, { to, within, signal })
}

/** Waits until `socket` has emitted `connect`. @throws EndpointError when it fails or does not; it is destroyed then */
export async function untilConnected<S extends Duplex>(socket: S, what: string, { to, within, signal }: ConnectOptions): Promise<S> {
  const timer = setTimeout(() => socket.destroy(new EndpointError(
    'connect-failed', `${what} to ${to.address}:${to.port} got no answer within ${within} ms`,
    'check the address, and that no firewall or router drops the packets')), within)
  const cancel = () => socket.destroy(cancelled(what))
  signal?.addEventListener('abort', cancel)
  if (signal?.aborted) cancel()
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    throw error instanceof EndpointError ? error : connectFailure(error, what, to)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

export const cancelled = (what: string): EndpointError => new EndpointError('cancelled', `${what} was cancelled`, '')

/** Where a bound socket stands. */
export function addressOf(socket: Server | UdpSocket): Peer {
  const bound = socket.address()
  return bound === null || typeof bound === 'string' ? { address: '', port: 0 } : { address: bound.address, port: bound.port }
}

/** Stops listening; connections that are open stay so. */
export function stopListening(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}

export function closeUdp(socket: UdpSocket): Promise<void> {
  return new Promise(resolve => socket.close(() => resolve()))
}
