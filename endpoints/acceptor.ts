// The request acceptor (103): registers with the server again and again, and when the server notifies it of a request (205)
// connects to the server (221), takes the request (226), checks the password (S207), connects to the issuer (208) and
// reports to the server how it went. At level 1 the request itself comes by UDP, and so does the report.
//
// Several requests may be under way at once. The fixed local port for 221 serves one connection at a time; a request that
// comes while it is in use takes any port, rather than wait behind one whose issuer may not be reachable.
import { createHash, timingSafeEqual } from 'node:crypto'
import { EndpointError, messageOf, reasonOfFault } from './errors.js'
import { formatPeer } from './peer.js'
import { REGISTRATION_INTERVAL, SERVER_PORTS, TIMEOUTS } from './defaults.js'
import { Defect, decode, encode } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { plainChannel } from './channel/socket-channel.js'
import { emitter, wallClock } from './events.js'
import { answer, describe, verdictOf } from './answers.js'
import { addressOf, bindUdp, closeUdp, connectTcp, connectUdp } from './sockets.js'
import type { Socket as UdpSocket } from 'node:dgram'
import type { Verdict } from './answers.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Connection } from './connection.js'
import type { Level } from './defaults.js'
import type { Clock, Emit, OnEvent } from './events.js'
import type { Peer } from './peer.js'
import type { Message, MessageOf } from './message/index.js'

export interface AcceptorTimeouts {
  readonly message: number
}

interface CommonOptions {
  readonly equipmentId: string
  /** The ports are 1200 and 1300 when absent. */
  readonly server: { readonly address: string, readonly udpPort?: number, readonly port?: number }
  /** Of this machine; any when absent. */
  readonly address?: string
  /** Local UDP port of the registrations; any when absent. */
  readonly localPort?: number
  /** Local TCP port of the second connection; any when absent. */
  readonly connectPort?: number
  /** Milliseconds between two registrations. */
  readonly interval?: number
  /** Requests that are dealt with at the same time; more are left unanswered. */
  readonly maxRequests?: number
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<AcceptorTimeouts>
  /** Gets each direct connection that came about, and owns it from then on. */
  readonly onConnection: (connection: Connection) => void
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  readonly openChannel?: OpenChannel
}

/** Level 3, the default, needs a password; the levels below have none. */
export type AcceptorOptions = CommonOptions & (
  | { readonly level?: 3, readonly password: string }
  | { readonly level: 1 | 2, readonly password?: undefined }
)

export interface Acceptor {
  /** Where registrations come from, on this side of any router. */
  readonly local: Peer
  /** Stops registering and gives up what is under way; connections handed over are not touched. */
  close(): Promise<void>
}

/** @throws EndpointError when the UDP port cannot be bound, EncodeError when the equipment ID does not fit a message */
export async function startAcceptor(options: AcceptorOptions): Promise<Acceptor> {
  const registration = encode(registrationOf(options.equipmentId))
  const { address, localPort: port = 0, server } = options
  const udp = await bindUdp('UDP port for registrations', { port, ...(address === undefined ? {} : { address }) })
  await connectUdp(udp, { address: server.address, port: server.udpPort ?? SERVER_PORTS.udp }, 'UDP')
  return new RegisteringAcceptor(options, udp, registration)
}

/** The server sends an address no more bytes than came from it; 64 bytes make room for three notifications. */
const REGISTRATION_LENGTH = 64

function registrationOf(equipmentId: string): Message {
  const bare = encode({ name: 'registration', equipmentId, padding: new Uint8Array(0) }).length
  return { name: 'registration', equipmentId, padding: new Uint8Array(Math.max(0, REGISTRATION_LENGTH - bare)) }
}

/** How many requests are remembered, so that a repeated datagram is known as such. */
const REMEMBERED = 64

class RegisteringAcceptor implements Acceptor {
  readonly local: Peer
  readonly #options: AcceptorOptions
  readonly #udp: UdpSocket
  readonly #server: Peer
  readonly #registration: Uint8Array
  readonly #level: Level
  readonly #within: number
  readonly #emit: Emit
  readonly #timer: NodeJS.Timeout
  readonly #stop = new AbortController()
  /** By token; null while under way. */
  readonly #seen = new Map<string, Verdict | null>()
  readonly #tasks = new Set<Promise<void>>()
  /** Reset when the acceptor closes. */
  readonly #channels = new Set<Channel>()
  #closed: Promise<void> | null = null
  #connectPortInUse = false
  #trouble = ''

  constructor(options: AcceptorOptions, udp: UdpSocket, registration: Uint8Array) {
    this.#options = options
    this.#udp = udp
    this.#registration = registration
    this.#level = options.level ?? 3
    this.#within = options.timeouts?.message ?? TIMEOUTS.message
    this.#emit = emitter('103', options.onEvent, options.clock ?? wallClock)
    this.local = addressOf(udp)
    this.#server = { address: udp.remoteAddress().address, port: udp.remoteAddress().port }
    this.#emit({ event: 'listening', transport: 'udp', purpose: 'notifications', ...this.local })
    udp.on('message', bytes => this.#onDatagram(bytes))
    udp.on('error', error => this.#onTrouble(error))
    this.#timer = setInterval(() => this.#register(), options.interval ?? REGISTRATION_INTERVAL)
    this.#register()
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop.abort()
    for (const channel of this.#channels) channel.reset()
    await Promise.all(this.#tasks)
    await closeUdp(this.#udp)
    this.#emit({ event: 'stopped' })
  }

  // --- UDP ----------------------------------------------------------------------------------------------------------

  #register(): void {
    this.#send(this.#registration)
    this.#emit({ event: 'registration-sent', equipmentId: this.#options.equipmentId, ...this.#server })
  }

  #send(bytes: Uint8Array): void {
    this.#udp.send(bytes, error => { if (error) this.#onTrouble(error) })
  }

  /** A server that is not there is told once, not at every registration. */
  #onTrouble(error: Error): void {
    if (this.#trouble === error.message) return
    this.#trouble = error.message
    this.#emit({
      event: 'error', reason: 'send-failed', ...this.#server,
      message: `registrations do not reach ${formatPeer(this.#server)}: ${error.message}; check that the server runs; registering goes on`,
    })
  }

  #onDatagram(bytes: Uint8Array): void {
    this.#trouble = ''
    const message = decode(bytes)
    if (message instanceof Defect) this.#reject(message.toString())
    else if (message.name === 'notification' && this.#level > 1) this.#onNotification(message)
    else if (message.name === 'forwardedRequest' && this.#level === 1) this.#onForwarded(message)
    else this.#reject(`a ${message.name} by UDP has no place at level ${this.#level}; server and acceptor must run at one level`)
  }

  #reject(sentence: string): void {
    this.#emit({ event: 'error', reason: 'malformed', message: `server ${formatPeer(this.#server)}: ${sentence}`, ...this.#server })
  }

  #onNotification({ notification, token }: MessageOf<'notification'>): void {
    if (!notification || this.#seen.has(token)) return
    this.#start(token, () => this.#takeByTcp(token))
  }

  #onForwarded(request: MessageOf<'forwardedRequest'>): void {
    const { token } = request
    const verdict = this.#seen.get(token)
    if (verdict) this.#send(encode(answer(verdict, token))) // the report was lost
    if (this.#seen.has(token)) return
    this.#start(token, async () => {
      const outcome = await this.#callIssuer(request)
      this.#send(encode(answer(outcome.verdict, token)))
      this.#handOver(outcome)
      return outcome.verdict
    })
  }

  #start(token: string, take: () => Promise<Verdict | null>): void {
    const { equipmentId, maxRequests = 16 } = this.#options
    this.#emit({ event: 'notification-received', equipmentId, ...this.#server })
    if (this.#tasks.size >= maxRequests) {
      this.#emit({ event: 'error', reason: 'busy', message: `${this.#tasks.size} requests are under way; this one is left unanswered` })
      return
    }
    this.#seen.set(token, null)
    for (const old of this.#seen.keys()) {
      if (this.#seen.size <= REMEMBERED) break
      this.#seen.delete(old)
    }
    const task = take().then(verdict => {
      if (!verdict) return
      this.#seen.set(token, verdict)
      this.#emit({ event: 'request-handled', equipmentId, outcome: verdict.reason, message: describe(verdict) })
    }).finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
  }

  // --- the second connection ----------------------------------------------------------------------------------------

  /** S206 and what follows. Null when the server did not hand the request over. */
  async #takeByTcp(token: string): Promise<Verdict | null> {
    const second = await this.#connectSecond()
    if (!second) return null
    const { channel, freed } = second
    this.#channels.add(channel)
    try {
      await channel.send({ name: 'greeting', token }, this.#within)
      const message = await channel.receive(['forwardedRequest', 'answer'], this.#within)
      if (message.name === 'answer') {
        this.#emit({ event: 'error', reason: 'no-such-request', message: `server ${formatPeer(channel.peer)}: ${describe(verdictOf(message))}` })
        await channel.closeAfterPeer()
        return null
      }
      const outcome = this.#checkPassword(message) ?? await this.#callIssuer(message)
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
    const to = { address: this.#server.address, port: server.port ?? SERVER_PORTS.acceptor }
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

  /** S207. Null when the request may go on. */
  #checkPassword({ password }: MessageOf<'forwardedRequest'>): Outcome | null {
    const { equipmentId, password: own } = this.#options
    if (this.#level < 3) return null
    const outcome = password === undefined ? 'absent' : own !== undefined && isSame(password, own) ? 'right' : 'wrong'
    this.#emit({ event: 'password-checked', step: 'S207', equipmentId, outcome })
    if (outcome === 'right') return null
    return { verdict: { reason: outcome === 'absent' ? 'password-required' : 'wrong-password', detail: '' }, channel: null }
  }

  // --- the direct connection ----------------------------------------------------------------------------------------

  /** 208, and the greeting that shows the issuer whom it has met. */
  async #callIssuer({ address: issuer, port, token }: MessageOf<'forwardedRequest'>): Promise<Outcome> {
    const { equipmentId, address } = this.#options
    const to = { address: issuer, port }
    this.#emit({ event: 'connecting', equipmentId, ...to })
    let channel: Channel | null = null
    try {
      const from = address === undefined ? {} : { address }
      const socket = await connectTcp('the direct connection', { to, from, within: this.#within, signal: this.#stop.signal })
      channel = await plainChannel(socket, this.#within)
      this.#channels.add(channel)
      await channel.send({ name: 'greeting', token }, this.#within)
      const verdict = verdictOf(await channel.receive(['answer'], this.#within))
      if (verdict.reason === 'accepted') return { verdict, channel }
      channel.reset()
      return this.#unreachable(to, `the issuer did not take the connection: ${describe(verdict)}`)
    } catch (error) {
      channel?.reset()
      return this.#unreachable(to, `${formatPeer(to)}: ${messageOf(error)}`)
    } finally {
      if (channel) this.#channels.delete(channel)
    }
  }

  #unreachable(to: Peer, detail: string): Outcome {
    this.#emit({ event: 'error', reason: 'issuer-unreachable', message: detail, ...to })
    return { verdict: { reason: 'issuer-unreachable', detail }, channel: null }
  }

  #handOver({ channel }: Outcome): void {
    if (!channel) return
    const { equipmentId, onConnection } = this.#options
    this.#emit({ event: 'connected', step: 'S209', equipmentId, ...channel.peer })
    onConnection({ channel, apparatus: '103', equipmentId })
  }

  #report(error: unknown, peer: Peer): void {
    if (error instanceof EndpointError) this.#emit({ event: 'error', reason: error.reason, message: error.message, ...peer })
    else if (error instanceof ChannelError) this.#emit({ event: 'error', reason: reasonOfFault(error.fault), message: `server ${formatPeer(peer)}: ${error.message}`, ...peer })
    else throw error
  }
}

/** How the acceptor's part ended; the channel is the direct connection, if it came about. */
interface Outcome { readonly verdict: Verdict, readonly channel: Channel | null }

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** Compares digests, which are equally long, in a time that tells nothing about where two passwords differ. */
const isSame = (given: string, own: string): boolean => timingSafeEqual(digest(given), digest(own))
