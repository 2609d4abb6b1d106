// An issuer's side of a direct connection: a listener that takes the one caller who greets with the request's token. Whatever
// else connects meanwhile is told that it is wrong, and in the end reset.
import { EndpointError, messageOf, reasonOfError } from './errors.js'
import { answer } from './answers.js'
import { formatPeer } from './peer.js'
import { listenForCaller } from './caller-listener.js'
import { Deferred } from './waiting.js'
import type { CallerListener } from './caller-listener.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { ConnectedSocket } from './channel/connected-socket.js'
import type { Emit } from './events.js'
import type { Local, Peer } from './peer.js'
import type { Transport } from './plain.js'

export interface AwaitedCallerOptions {
  /** TCP when absent. */
  readonly transport?: Transport
  /** Of the request. */
  readonly token: string
  /** Milliseconds for a caller to greet. */
  readonly within: number
  readonly openChannel: OpenChannel
  readonly emit: Emit
}

export class AwaitedCaller {
  /** Where it listens. */
  readonly local: Peer
  readonly #listener: CallerListener
  readonly #options: AwaitedCallerOptions
  readonly #callers = new Set<ConnectedSocket>()
  readonly #caller = new Deferred<Channel>()
  #right: ConnectedSocket | null = null
  /** The right caller has come, or the request is over. */
  #taken = false

  private constructor(listener: CallerListener, options: AwaitedCallerOptions) {
    this.#listener = listener
    this.#options = options
    const { emit } = options
    this.local = listener.local
    emit({ event: 'listening', transport: listener.transport, purpose: 'direct connection', ...this.local })
    listener.serve(socket => void this.#onCaller(socket))
  }

  /** @throws EndpointError when the port cannot be bound */
  static async listen(at: Local, options: AwaitedCallerOptions): Promise<AwaitedCaller> {
    const { transport = 'tcp', token, emit } = options
    return new AwaitedCaller(await listenForCaller(transport, at, token, emit), options)
  }

  /** The right caller. Never rejects. */
  get caller(): Promise<Channel> { return this.#caller.promise }

  /** The right caller is now somebody else's to close. */
  handOver(): void {
    if (this.#right) this.#callers.delete(this.#right)
  }

  /** Frees the port and resets all callers, but for one that was handed over. */
  close(): void {
    this.#taken = true
    this.#listener.close()
    for (const socket of this.#callers) socket.resetAndDestroy()
  }

  async #onCaller(socket: ConnectedSocket): Promise<void> {
    this.#callers.add(socket)
    socket.once('close', () => this.#callers.delete(socket))
    const caller = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    try {
      await this.#meet(socket, caller)
    } catch (error) {
      // Once the request is over, callers are reset by ourselves, which is no fault of theirs.
      const reason = reasonOfError(error)
      if (!this.#taken) this.#options.emit({ event: 'error', reason, message: `${formatPeer(caller)}: ${messageOf(error)}`, ...caller })
      if (!socket.destroyed) socket.resetAndDestroy()
    }
  }

  async #meet(socket: ConnectedSocket, caller: Peer): Promise<void> {
    const { token: wanted, within, openChannel, emit } = this.#options
    const channel = await openChannel(socket, within)
    const { token } = await channel.receive(['greeting'], within)
    const right = token === wanted && !this.#taken
    if (right) this.#taken = true
    await channel.send(answer({ reason: right ? 'accepted' : 'wrong-token', detail: '' }), within)
    if (right) {
      this.#right = socket
      this.#caller.resolve(channel)
    } else {
      emit({ event: 'error', reason: 'wrong-token', message: `${formatPeer(caller)} greeted with the token of another request`, ...caller })
      await channel.close()
    }
  }
}

/** For a request whose caller does not come. */
export const notConnected = (equipmentId: string, limit: number): EndpointError => new EndpointError(
  'no-direct-connection', `${equipmentId} did not connect within ${limit} ms`,
  'check that the server and the acceptor run, and that your router maps the address and port you are reached at')
