// The request acceptor (103): registers with the server again and again, and when the server notifies it of a request (205)
// connects to the server (221), takes the request (226), checks the password (S207), connects to the issuer (208) and
// reports to the server how it went. At level 1 the request itself comes by UDP, and so does the report.
//
// Several requests may be under way at once. The fixed local port for 221 serves one connection at a time; a request that
// comes while it is in use takes any port, rather than wait behind one whose issuer may not be reachable.
import { createHash, timingSafeEqual } from 'node:crypto'
import { messageOf, reasonOfError } from './errors.js'
import { formatPeer } from './peer.js'
import { SERVER_PORTS, TIMEOUTS } from './defaults.js'
import { UDP_TRANSPORT, encode } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { plainChannel } from './channel/socket-channel.js'
import { keyedClient } from './channel/tls-channel.js'
import { emitter, wallClock } from './events.js'
import { answer, describe, verdictOf } from './answers.js'
import { Calls } from './calls.js'
import { AcceptorGuard } from './access/acceptor-guard.js'
import { addressCheck } from './access/address-policy.js'
import { Throttle } from './access/throttle.js'
import { isUnderTls } from './connection.js'
import { Registrar, openRegistering, openRegistrationSocket } from './registrar.js'
import { connectTcp } from './sockets.js'
import { pause } from './waiting.js'
import type { Socket as UdpSocket } from 'node:dgram'
import type { Verdict } from './answers.js'
import type { Outcome } from './calls.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Connection, Data } from './connection.js'
import type { Level } from './defaults.js'
import type { Clock, Emit, OnEvent } from './events.js'
import type { Peer } from './peer.js'
import type { AddressPolicy } from './access/address-policy.js'
import type { ThrottleOptions } from './access/throttle.js'
import type { Registering, RegistrarOptions } from './registrar.js'
import type { Message, MessageOf } from './message/index.js'

export interface AcceptorTimeouts {
  readonly message: number
}

interface CommonOptions extends RegistrarOptions {
  /** Local TCP port of the second connection; any when absent. */
  readonly connectPort?: number
  /** The key that the server knows for this equipment: registrations are authenticated then, and so must be what the server sends by UDP. */
  readonly key?: Uint8Array
  /** The time of day for that, milliseconds since the epoch. */
  readonly timeOfDay?: () => number
  /** Which addresses a request may name. By default neither special ones, nor this machine's, nor those of its networks. */
  readonly policy?: AddressPolicy
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<AcceptorTimeouts>
  /** Gets each direct connection that came about, and owns it from then on. */
  readonly onConnection: (connection: Connection) => void
  readonly onEvent?: OnEvent
  /** For the second connection. */
  readonly openChannel?: OpenChannel
  /** `tls` (or `udp-tls`): requests for a direct connection in the clear are refused. When absent, it is as each issuer asks. */
  readonly data?: Data
}

/** Level 3, the default, needs a password; the levels below have none. */
export type AcceptorOptions = CommonOptions & (
  | { readonly level?: 3, readonly password: string }
  | { readonly level: 1 | 2, readonly password?: undefined }
)

export interface Acceptor {
  /** Where registrations come from, on this side of any router. */
  readonly local: Peer
  /** Registers now, out of turn: for who knows that the way to the server has become another one. */
  register(): void
  /** Stops registering and gives up what is under way; connections handed over are not touched. */
  close(): Promise<void>
}

/**
 * @throws EndpointError when the UDP port cannot be bound, EncodeError when the equipment ID does not fit a message, RangeError when the
 *   policy holds what is no prefix
 */
export async function startAcceptor(options: AcceptorOptions): Promise<Acceptor> {
  const { equipmentId, key, timeOfDay, policy } = options
  const refusalOf = addressCheck(policy)
  const open = openRegistering({ name: 'registration', equipmentId }) // what does not fit is told before anything is opened
  const guard = key === undefined ? null : new AcceptorGuard(equipmentId, key, timeOfDay)
  return new RegisteringAcceptor(options, await openRegistrationSocket(options), { open, guard, refusalOf })
}

/** What the options make of security. */
interface Safeguards {
  readonly open: Registering
  readonly guard: AcceptorGuard | null
  readonly refusalOf: (address: string) => string | null
}

/** Wrong passwords are told to the issuers at one address ever later, but while 101 still waits (TIMEOUTS.report). */
const GUESSES: ThrottleOptions = { burst: 3, interval: 1000, limit: 4000 }

class RegisteringAcceptor implements Acceptor {
  readonly #options: AcceptorOptions
  readonly #registrar: Registrar
  readonly #level: Level
  readonly #within: number
  readonly #emit: Emit
  readonly #stop = new AbortController()
  readonly #calls: Calls
  readonly #guard: AcceptorGuard | null
  readonly #guesses = new Throttle(GUESSES)
  readonly #clock: Clock
  /** Reset when the acceptor closes. */
  readonly #channels = new Set<Channel>()
  #closed: Promise<void> | null = null
  #connectPortInUse = false

  constructor(options: AcceptorOptions, udp: UdpSocket, { open, guard, refusalOf }: Safeguards) {
    this.#options = options
    this.#level = options.level ?? 3
    this.#within = options.timeouts?.message ?? TIMEOUTS.message
    this.#guard = guard
    this.#clock = options.clock ?? wallClock
    this.#emit = emitter('103', options.onEvent, this.#clock)
    const { equipmentId, address } = options
    this.#calls = new Calls({ equipmentId, within: this.#level < 3 ? this.#within / 2 : this.#within, refusalOf, signal: this.#stop.signal, emit: this.#emit, ...(address === undefined ? {} : { address }) })
    this.#registrar = new Registrar(options, udp, guard ?? open, this.#emit, message => this.#onMessage(message))
  }

  get local(): Peer { return this.#registrar.local }

  register(): void { this.#registrar.register() }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    this.#registrar.stop()
    this.#stop.abort()
    for (const channel of this.#channels) channel.reset()
    await this.#registrar.close()
    this.#emit({ event: 'stopped' })
  }

  // --- UDP ----------------------------------------------------------------------------------------------------------

  #onMessage(message: Message): true | string {
    if (message.name === 'notification' && this.#level > 1) this.#onNotification(message)
    else if (message.name === 'forwardedRequest' && this.#level === 1) this.#onForwarded(message)
    else return `a ${message.name} by UDP has no place at level ${this.#level}; server and acceptor must run at one level`
    return true
  }

  #onNotification({ notification, token }: MessageOf<'notification'>): void {
    if (!notification || this.#registrar.seen(token) !== undefined) return
    this.#registrar.start(token, () => this.#takeByTcp(token), describe)
  }

  #onForwarded(request: MessageOf<'forwardedRequest'>): void {
    const { token } = request
    const verdict = this.#registrar.seen(token)
    if (verdict) this.#sendReport(verdict, token) // the last one was lost
    if (verdict !== undefined) return
    this.#registrar.start(token, async () => {
      const outcome = this.#checkData(request) ?? await this.#callIssuer(request)
      this.#sendReport(outcome.verdict, token)
      this.#handOver(outcome)
      return outcome.verdict
    }, describe)
  }

  #sendReport(verdict: Verdict, token: string): void {
    const report = answer(verdict, token)
    this.#registrar.send(encode(this.#guard?.seal(report) ?? report))
  }

  // --- the second connection ----------------------------------------------------------------------------------------

  /** S206 and what follows. Null when the server did not hand the request over. */
  async #takeByTcp(token: string): Promise<Verdict | null> {
    const second = await this.#connectSecond()
    if (!second) return null
    const { channel, freed } = second
    this.#channels.add(channel)
    try {
      const greeting = { name: 'greeting', token } as const
      await channel.send(this.#guard?.seal(greeting) ?? greeting, this.#within)
      const message = await channel.receive(['forwardedRequest', 'answer'], this.#within)
      if (message.name === 'answer') {
        this.#emit({ event: 'error', reason: 'no-such-request', message: `server ${formatPeer(channel.peer)}: ${describe(verdictOf(message))}` })
        await channel.closeAfterPeer()
        return null
      }
      const outcome = await this.#checkPassword(message) ?? this.#checkData(message) ?? await this.#callIssuer(message)
      this.#handOver(outcome)
      await channel.send(answer(outcome.verdict), this.#within)
      await channel.closeAfterPeer()
      return outcome.verdict
    } catch (error) {
      channel.reset()
      this.#report(error, channel.peer)
      return null
    } finally {
      this.#channels.delete(channel)
      freed()
    }
  }

  async #connectSecond(): Promise<{ channel: Channel, freed: () => void } | null> {
    const { equipmentId, address, connectPort = 0, server, openChannel = plainChannel } = this.#options
    const to = { address: this.#registrar.server.address, port: server.port ?? SERVER_PORTS.acceptor }
    const fixed = connectPort !== 0 && !this.#connectPortInUse
    const freed = () => { if (fixed) this.#connectPortInUse = false }
    if (fixed) this.#connectPortInUse = true
    this.#emit({ event: 'second-connection', step: 'S206', equipmentId, ...to })
    try {
      const from = { port: fixed ? connectPort : 0, ...(address === undefined ? {} : { address }) }
      const socket = await connectTcp('the second connection', { to, from, within: this.#within, signal: this.#stop.signal })
      return { channel: await openChannel(socket, this.#within), freed }
    } catch (error) {
      freed()
      this.#report(error, to)
      return null
    }
  }

  /**
   * S207. Null when the request may go on. A right password goes on at once, whatever was wrong before; the answer to a wrong one
   * comes the later the more were wrong. All that is seen here of who guesses is the address in the request, which may be another's;
   * the server knows the guesser's own, and makes that one wait.
   */
  async #checkPassword({ password, address }: MessageOf<'forwardedRequest'>): Promise<Outcome | null> {
    const { equipmentId, password: own } = this.#options
    if (this.#level < 3) return null
    const outcome = password === undefined ? 'absent' : own !== undefined && isSame(password, own) ? 'right' : 'wrong'
    this.#emit({ event: 'password-checked', step: 'S207', equipmentId, outcome })
    if (outcome === 'right') return null
    if (outcome === 'wrong') await pause(this.#guesses.failed(address, this.#clock()), this.#stop.signal)
    return { verdict: { reason: outcome === 'absent' ? 'password-required' : 'wrong-password', detail: '' }, channel: null }
  }

  /** Null when the request may go on. */
  #checkData({ connectionKey, transport }: MessageOf<'forwardedRequest'>): Outcome | null {
    if (transport !== undefined && transport !== UDP_TRANSPORT) {
      this.#emit({ event: 'error', reason: 'unknown-transport', message: `a request for a direct connection over IP protocol ${transport} was refused` })
      return { verdict: { reason: 'unknown-transport', detail: `IP protocol ${transport}` }, channel: null }
    }
    const { data = 'tcp' } = this.#options
    if (!isUnderTls(data) || connectionKey !== undefined) return null
    this.#emit({ event: 'error', reason: 'encryption-required', message: 'a request for a direct connection in the clear was refused' })
    return { verdict: { reason: 'encryption-required', detail: '' }, channel: null }
  }

  // --- the direct connection ----------------------------------------------------------------------------------------

  /**
   * 208. At level 3 whoever asks has given the password, and is told what went wrong. Below, anybody may ask: so that nobody learns from
   * this acceptor which ports are open elsewhere, all failures then look the same, and take the same time.
   */
  async #callIssuer({ address, port, token, connectionKey, transport }: MessageOf<'forwardedRequest'>): Promise<Outcome> {
    const began = performance.now()
    const openChannel = connectionKey === undefined ? plainChannel : keyedClient(Buffer.from(connectionKey, 'hex'))
    const outcome = await this.#calls.callNamed({ address, port }, token, openChannel, transport === undefined ? 'tcp' : 'udp')
    if (this.#level === 3 || outcome.verdict.reason !== 'issuer-unreachable') return outcome
    await pause(began + this.#within - performance.now(), this.#stop.signal)
    return { ...outcome, verdict: { ...outcome.verdict, detail: '' } }
  }

  #handOver({ channel }: Outcome): void {
    if (!channel) return
    const { equipmentId, onConnection } = this.#options
    this.#emit({ event: 'connected', step: 'S209', equipmentId, ...channel.peer })
    onConnection({ channel, apparatus: '103', equipmentId })
  }

  #report(error: unknown, peer: Peer): void {
    const at = error instanceof ChannelError ? `server ${formatPeer(peer)}: ` : ''
    this.#emit({ event: 'error', reason: reasonOfError(error), message: at + messageOf(error), ...peer })
  }
}

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** Compares digests, which are equally long, in a time that tells nothing about where two passwords differ. */
const isSame = (given: string, own: string): boolean => timingSafeEqual(digest(given), digest(own))
