// The request issuer (102): asks the server for a connection with the equipment that it names, and waits for that equipment
// to connect to it. In order: listen (1600), first connection (211) and 217 (S203), then either a refusal or the direct
// connection (208), which is taken only if it greets with this request's token (awaited-caller.ts).
import { randomBytes } from 'node:crypto'
import { EndpointError, reasonOfFault, refusal } from './errors.js'
import { SERVER_PORTS, TIMEOUTS } from './defaults.js'
import { TOKEN_LENGTH } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { plainChannel } from './channel/socket-channel.js'
import { emitter, wallClock } from './events.js'
import { describe, verdictOf } from './answers.js'
import { AwaitedCaller, notConnected } from './awaited-caller.js'
import { cancelled, connectTcp } from './sockets.js'
import { Deferred } from './waiting.js'
import { formatPeer } from './peer.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Connection } from './connection.js'
import type { Clock, Emit, OnEvent } from './events.js'
import type { Local, Peer } from './peer.js'

export interface IssuerTimeouts {
  readonly message: number
  readonly request: number
}

export interface RequestOptions {
  /** ID of the equipment to be connected with. */
  readonly equipmentId: string
  /** Of that equipment; needed at level 3, and absent below. */
  readonly password?: string
  /** Where the server takes first connections; the port is 1201 when absent. */
  readonly server: { readonly address: string, readonly port?: number }
  /** Where the first connection comes from; any when absent. */
  readonly from?: Local
  /** Where the direct connection is awaited on this machine; any port when absent. */
  readonly listen?: Local
  /**
   * The address and port at which the acceptor reaches that listener: those of the router's WAN side. When absent, the
   * listener's own port at the address that the first connection comes from, which is right without a router between.
   */
  readonly reachedAt?: Peer
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<IssuerTimeouts>
  /** Gives the request up. */
  readonly signal?: AbortSignal
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  /** A source of secret random bytes; the system's when absent. */
  readonly random?: (count: number) => Uint8Array
  readonly openChannel?: OpenChannel
}

/** @throws EndpointError when the request fails; its reason is the server's or the acceptor's where they gave one */
export async function requestConnection(options: RequestOptions): Promise<Connection> {
  const { signal, clock = wallClock, random = randomBytes } = options
  const emit = emitter('102', options.onEvent, clock)
  if (signal?.aborted) throw cancelled('the request')
  const token = Buffer.from(random(TOKEN_LENGTH)).toString('hex')
  const awaited = await AwaitedCaller.listen(options.listen ?? {}, token, options.timeouts?.message ?? TIMEOUTS.message, emit)
  return await new Request(options, awaited, token, emit).run()
}

class Request {
  readonly #options: RequestOptions
  readonly #awaited: AwaitedCaller
  readonly #server: Peer
  readonly #token: string
  readonly #emit: Emit
  readonly #timeouts: IssuerTimeouts
  readonly #failure = new Deferred<EndpointError>()
  #answered = false

  constructor(options: RequestOptions, awaited: AwaitedCaller, token: string, emit: Emit) {
    this.#options = options
    this.#awaited = awaited
    this.#server = { address: options.server.address, port: options.server.port ?? SERVER_PORTS.issuer }
    this.#token = token
    this.#emit = emit
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
  }

  async run(): Promise<Connection> {
    const { equipmentId } = this.#options
    try {
      const first = await this.#connectFirst()
      try {
        await this.#send217(first)
        const answered = this.#readAnswer(first)
        const channel = await this.#outcome()
        this.#awaited.handOver()
        this.#emit({ event: 'connected', step: 'S209', equipmentId, ...channel.peer })
        // The server answers when the acceptor has reported; the caller need not wait for that.
        void answered.then(() => first.closeAfterPeer())
        return { channel, apparatus: '102', equipmentId }
      } catch (error) {
        // A server that has answered closes at once, and has to be the first to close. RST leaves no TIME_WAIT either.
        if (this.#answered) await first.closeAfterPeer()
        else first.reset()
        throw error
      }
    } catch (error) {
      throw error instanceof ChannelError ? this.#fault(error) : error
    } finally {
      this.#awaited.close()
    }
  }

  async #connectFirst(): Promise<Channel> {
    const { from = {}, equipmentId, signal, reachedAt, openChannel = plainChannel } = this.#options
    const to = this.#server
    this.#emit({ event: 'first-connection', step: 'S203', equipmentId, ...(reachedAt ? { reachedAt } : {}), ...to })
    const socket = await connectTcp('the first connection', { to, from, within: this.#timeouts.message, signal })
    return await openChannel(socket, this.#timeouts.message)
  }

  async #send217(first: Channel): Promise<void> {
    const { equipmentId, password, reachedAt } = this.#options
    const { address, port } = reachedAt ?? { address: first.local.address, port: this.#awaited.local.port }
    const secret = password === undefined ? {} : { password }
    await first.send({ name: 'request', equipmentId, ...secret, address, port, token: this.#token }, this.#timeouts.message)
  }

  /** The direct connection, unless something fails or time runs out first. */
  async #outcome(): Promise<Channel> {
    const { equipmentId, signal } = this.#options
    const cancel = () => this.#failure.resolve(cancelled('the request'))
    signal?.addEventListener('abort', cancel)
    if (signal?.aborted) cancel()
    const timer = setTimeout(() => this.#failure.resolve(notConnected(equipmentId, this.#timeouts.request)), this.#timeouts.request)
    try {
      const outcome = await Promise.race([this.#awaited.caller, this.#failure.promise])
      if (outcome instanceof EndpointError) throw outcome
      return outcome
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** A refusal, or a server that goes away, fails the request; after an acceptance the direct connection alone counts. */
  async #readAnswer(first: Channel): Promise<void> {
    const { equipmentId } = this.#options
    try {
      const verdict = verdictOf(await first.receive(['answer'], this.#timeouts.request))
      this.#answered = true
      this.#emit({ event: 'answered', equipmentId, outcome: verdict.reason, message: describe(verdict) })
      if (verdict.reason !== 'accepted') this.#failure.resolve(refusal(verdict.reason, `server ${formatPeer(this.#server)}`, verdict.detail))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#failure.resolve(this.#fault(error))
    }
  }

  #fault({ fault, message }: ChannelError): EndpointError {
    return new EndpointError(reasonOfFault(fault), `server ${formatPeer(this.#server)}: ${message}`, 'check that the server runs and is of this version')
  }
}
