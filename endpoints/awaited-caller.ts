// An issuer's side of a direct connection: a listener that takes the one caller who greets with the request's token. Whatever
// else connects meanwhile is told that it is wrong, and in the end reset.
import { EndpointError, reasonOfFault } from './errors.js'
import { answer } from './answers.js'
import { ChannelError } from './channel/channel.js'
import { plainChannel } from './channel/socket-channel.js'
import { formatPeer } from './peer.js'
import { listenForCaller } from './caller-listener.js'
import { Deferred } from './waiting.js'
import type { CallerListener } from './caller-listener.js'
import type { Channel } from './channel/channel.js'
import type { ConnectedSocket } from './channel/connected-socket.js'
import type { Emit } from './events.js'
import type { Local, Peer } from './peer.js'
import type { Transport } from './plain.js'

export class AwaitedCaller {
  /** Where it listens. */
  readonly local: Peer
  readonly #listener: CallerListener
  readonly #token: string
  /** Milliseconds for the greeting. */
  readonly #within: number
  readonly #emit: Emit
  readonly #callers = new Set<ConnectedSocket>()
  readonly #caller = new Deferred<Channel>()
  #right: ConnectedSocket | null = null
  /** The right caller has come, or the request is over. */
  #taken = false

  private constructor(listener: CallerListener, token: string, limit: number, emit: Emit) {
    this.#listener = listener
    this.#token = token
    this.#within = limit
    this.#emit = emit
    this.local = listener.local
    emit({ event: 'listening', transport: listener.transport, purpose: 'direct connection', ...this.local })
    listener.serve(socket => void this.#onCaller(socket))
  }

  /** @param limit milliseconds for a caller to greet. @throws EndpointError when the port cannot be bound */
  static async listen(at: Local, token: string, limit: number, emit: Emit, transport: Transport = 'tcp'): Promise<AwaitedCaller> {
    return new AwaitedCaller(await listenForCaller(transport, at, token, emit), token, limit, emit)
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
    const channel = await plainChannel(socket, this.#within)
    const caller = formatPeer(channel.peer)
    try {
      const { token } = await channel.receive(['greeting'], this.#within)
      const right = token === this.#token && !this.#taken
      if (right) this.#taken = true
      await channel.send(answer({ reason: right ? 'accepted' : 'wrong-token', detail: '' }), this.#within)
      if (right) {
        this.#right = socket
        this.#caller.resolve(channel)
      } else {
        this.#emit({ event: 'error', reason: 'wrong-token', message: `${caller} greeted with the token of another request`, ...channel.peer })
        await channel.close()
      }
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      // Once the request is over, callers are reset by ourselves, which is no fault of theirs.
      if (!this.#taken) this.#emit({ event: 'error', reason: reasonOfFault(error.fault), message: `${caller}: ${error.message}`, ...channel.peer })
      channel.reset()
    }
  }
}

/** For a request whose caller does not come. */
export const notConnected = (equipmentId: string, limit: number): EndpointError => new EndpointError(
  'no-direct-connection', `${equipmentId} did not connect within ${limit} ms`,
  'check that the server and the acceptor run, and that your router maps the address and port you are reached at')
