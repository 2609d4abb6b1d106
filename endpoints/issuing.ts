// What every issuer does: connects to the server, makes its request, and waits for what comes first: the acceptor at its own listener,
// an acceptor at the far end of the server's relay, a refusal, the end of its patience, or being cancelled. 102 (issuer.ts) and 12
// (relay/relay-issuer.ts) are built on it.
import { EndpointError, reasonOfFault, refusal } from './errors.js'
import { SERVER_PORTS, TIMEOUTS } from './defaults.js'
import { ChannelError } from './channel/channel.js'
import { plainChannel } from './channel/socket-channel.js'
import { describe, verdictOf } from './answers.js'
import { notConnected } from './awaited-caller.js'
import { cancelled, connectTcp } from './sockets.js'
import { Deferred } from './waiting.js'
import { formatPeer } from './peer.js'
import type { AwaitedCaller } from './awaited-caller.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Connection } from './connection.js'
import type { Clock, Emit, OnEvent } from './events.js'
import type { Local, Peer } from './peer.js'
import type { Message } from './message/index.js'

export interface IssuerTimeouts {
  readonly message: number
  readonly request: number
}

/** What an issuer of any kind can be told. */
export interface IssuingOptions {
  /** ID of the equipment to be connected with. */
  readonly equipmentId: string
  /** Where the server takes first connections; the port is 1201 when absent. */
  readonly server: { readonly address: string, readonly port?: number }
  /** Where the first connection comes from; any when absent. */
  readonly from?: Local
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<IssuerTimeouts>
  /**
   * Awaited before the first connection, when the listener (if there is one) is open: who lets a router map its port for this one
   * request does so here. What it throws ends the request.
   */
  readonly prepare?: (listener: Peer | null) => Promise<void>
  /** Gives the request up. */
  readonly signal?: AbortSignal
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  /** A source of secret random bytes; the system's when absent. */
  readonly random?: (count: number) => Uint8Array
  readonly openChannel?: OpenChannel
}

/** What tells one kind of issuer from another. */
export interface IssuerKind {
  readonly apparatus: '102' | '12'
  /** How the documents number its steps, where they do. */
  readonly steps?: { readonly first: 'S203', readonly connected: 'S209' }
  /** The request; `first` is the connection that it goes out on. */
  compose(first: Channel): Message
  /** True: once the server has accepted, the first connection leads to the acceptor, unless the server has made them known to each other. */
  readonly isRelayed: boolean
}

export class Issuing {
  readonly #options: IssuingOptions
  readonly #kind: IssuerKind
  readonly #awaited: AwaitedCaller | null
  readonly #server: Peer
  readonly #emit: Emit
  readonly #timeouts: IssuerTimeouts
  readonly #failure = new Deferred<EndpointError>()
  /** The first connection, once it leads to the acceptor. */
  readonly #relayed = new Deferred<Channel>()
  #answered = false

  /** @param awaited the listener for a direct connection; null where none can come about. It is closed with the request */
  constructor(options: IssuingOptions, kind: IssuerKind, awaited: AwaitedCaller | null, emit: Emit) {
    this.#options = options
    this.#kind = kind
    this.#awaited = awaited
    this.#server = { address: options.server.address, port: options.server.port ?? SERVER_PORTS.issuer }
    this.#emit = emit
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
  }

  /** @throws EndpointError when the request fails; its reason is the server's or the acceptor's where they gave one */
  async run(): Promise<Connection> {
    const { equipmentId } = this.#options
    const { apparatus, steps } = this.#kind
    try {
      await this.#options.prepare?.(this.#awaited?.local ?? null)
      const first = await this.#connectFirst()
      try {
        await first.send(this.#kind.compose(first), this.#timeouts.message)
        const answered = this.#readAnswer(first)
        const channel = await this.#outcome()
        this.#awaited?.handOver()
        this.#emit({ event: 'connected', ...(steps ? { step: steps.connected } : {}), equipmentId, ...channel.peer })
        // The server answers when the acceptor has reported; the caller need not wait for that.
        if (channel !== first) void answered.then(() => first.closeAfterPeer())
        return { channel, apparatus, equipmentId }
      } catch (error) {
        // A server that has answered closes at once, and has to be the first to close. RST leaves no TIME_WAIT either.
        if (this.#answered) await first.closeAfterPeer()
        else first.reset()
        throw error
      }
    } catch (error) {
      throw error instanceof ChannelError ? this.#fault(error) : error
    } finally {
      this.#awaited?.close()
    }
  }

  async #connectFirst(): Promise<Channel> {
    const { from = {}, equipmentId, signal, openChannel = plainChannel } = this.#options
    const to = this.#server
    this.#emit({ event: 'first-connection', ...(this.#kind.steps ? { step: this.#kind.steps.first } : {}), equipmentId, ...to })
    const socket = await connectTcp('the first connection', { to, from, within: this.#timeouts.message, signal })
    return await openChannel(socket, this.#timeouts.message)
  }

  /** The connection with the acceptor, unless something fails or time runs out first. */
  async #outcome(): Promise<Channel> {
    const { equipmentId, signal } = this.#options
    const cancel = () => this.#failure.resolve(cancelled('the request'))
    signal?.addEventListener('abort', cancel)
    if (signal?.aborted) cancel()
    const timer = setTimeout(() => this.#failure.resolve(notConnected(equipmentId, this.#timeouts.request)), this.#timeouts.request)
    try {
      const met = [this.#relayed.promise, ...(this.#awaited ? [this.#awaited.caller] : [])]
      const outcome = await Promise.race([...met, this.#failure.promise])
      if (outcome instanceof EndpointError) throw outcome
      return outcome
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** A refusal, or a server that goes away, fails the request; after an acceptance the connection alone counts. */
  async #readAnswer(first: Channel): Promise<void> {
    const { equipmentId } = this.#options
    try {
      const message = await first.receive(this.#kind.isRelayed ? ['answer', 'direct'] : ['answer'], this.#timeouts.request)
      if (message.name === 'direct') this.#emit({ event: 'introduced', equipmentId, acceptor: message.address })
      const isRelayed = this.#kind.isRelayed && message.name === 'answer'
      const verdict = verdictOf(message.name === 'answer' ? message : await first.receive(['answer'], this.#timeouts.request))
      this.#answered = true
      this.#emit({ event: 'answered', equipmentId, outcome: verdict.reason, message: describe(verdict) })
      if (verdict.reason !== 'accepted') this.#failure.resolve(refusal(verdict.reason, `server ${formatPeer(this.#server)}`, verdict.detail))
      else if (isRelayed) this.#relayed.resolve(first)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#failure.resolve(this.#fault(error))
    }
  }

  #fault({ fault, message }: ChannelError): EndpointError {
    return new EndpointError(reasonOfFault(fault), `server ${formatPeer(this.#server)}: ${message}`, 'check that the server runs, is of this version, and is encrypted as this end is')
  }
}
