// An acceptor's side of the equipment list: registers with the server again and again by UDP, hears what the server sends to
// that address, and starts each request that it is notified of once, however often the datagram comes.
import { REGISTRATION_INTERVAL, SERVER_PORTS } from './defaults.js'
import { Throttle } from './access/throttle.js'
import { wallClock } from './events.js'
import { Defect, decode, encode } from './message/index.js'
import { formatPeer } from './peer.js'
import { addressOf, bindUdp, closeUdp, connectUdp } from './sockets.js'
import type { Socket as UdpSocket } from 'node:dgram'
import type { Verdict } from './answers.js'
import type { ThrottleOptions } from './access/throttle.js'
import type { FailureReason } from './errors.js'
import type { Clock, Emit } from './events.js'
import type { Local, Peer } from './peer.js'
import type { Message, MessageOf } from './message/index.js'

export interface RegistrarOptions {
  readonly equipmentId: string
  /** The ports are 1200 and 1300 when absent. */
  readonly server: { readonly address: string, readonly udpPort?: number, readonly port?: number }
  /** Of this machine; any when absent. */
  readonly address?: string
  /** Local UDP port of the registrations; any when absent. */
  readonly localPort?: number
  /** Milliseconds between two registrations. */
  readonly interval?: number
  readonly clock?: Clock
  /** Requests that are dealt with at the same time; more are left unanswered. */
  readonly maxRequests?: number
}

/** What registrations are made of, and whose datagrams are taken. */
export interface Registering {
  /** The next registration. */
  next(): Uint8Array
  /** What is wrong with a message that came by UDP, or null when it is to be dealt with. */
  complaint(message: Message): Complaint | null
}

export interface Complaint { readonly reason: FailureReason, readonly message: string }

/** Without a key: the same registration again and again, and nothing by which to know the server but its address. */
export const openRegistering = (registration: Registration): Registering => {
  const bytes = encode(padded(registration))
  return { next: () => bytes, complaint: () => null }
}

type Registration = MessageOf<'registration' | 'relayRegistration'>

/** The server sends an address no more bytes than came from it (registry.ts); 64 bytes make room for three notifications. */
const REGISTRATION_LENGTH = 64

/** The registration, made `length` bytes long if it is shorter. @throws EncodeError when the equipment ID does not fit a message */
export function padded<R extends Registration>(registration: R, length = REGISTRATION_LENGTH): R {
  const bare = encode({ ...registration, padding: new Uint8Array(0) }).length
  return { ...registration, padding: new Uint8Array(Math.max(0, length - bare)) }
}

/** Binds the UDP port, connected with the server. @throws EndpointError */
export async function openRegistrationSocket({ address, localPort: port = 0, server }: RegistrarOptions): Promise<UdpSocket> {
  const local: Local = { port, ...(address === undefined ? {} : { address }) }
  const udp = await bindUdp('UDP port for registrations', local)
  await connectUdp(udp, { address: server.address, port: server.udpPort ?? SERVER_PORTS.udp }, 'UDP')
  return udp
}

/** How many requests are remembered, so that a repeated datagram is known as such. */
const REMEMBERED = 64
/** Of notifications that come to nothing: who sends them in the server's name makes an acceptor connect to its server this often at most. */
const VAIN: ThrottleOptions = { burst: 32, interval: 1000, limit: 0 }

export class Registrar {
  /** Where registrations come from, on this side of any router. */
  readonly local: Peer
  /** Where they go. */
  readonly server: Peer
  readonly #options: RegistrarOptions
  readonly #udp: UdpSocket
  readonly #registering: Registering
  readonly #emit: Emit
  readonly #timer: NodeJS.Timeout
  /** By token; null while under way. */
  readonly #seen = new Map<string, Verdict | null>()
  readonly #tasks = new Set<Promise<void>>()
  readonly #vain = new Throttle(VAIN)
  readonly #clock: Clock
  #isFlooded = false
  #trouble = ''
  #isStopped = false

  /** Begins at once. `onMessage` gets what the server sends; false when that has no place here, with a sentence why. */
  constructor(options: RegistrarOptions, udp: UdpSocket, registering: Registering, emit: Emit, onMessage: (message: Message) => true | string) {
    this.#options = options
    this.#udp = udp
    this.#registering = registering
    this.#clock = options.clock ?? wallClock
    this.#emit = emit
    this.local = addressOf(udp)
    this.server = { address: udp.remoteAddress().address, port: udp.remoteAddress().port }
    emit({ event: 'listening', transport: 'udp', purpose: 'notifications', ...this.local })
    udp.on('message', bytes => this.#onDatagram(bytes, onMessage))
    udp.on('error', error => this.#onTrouble(error))
    this.#timer = setInterval(() => this.register(), options.interval ?? REGISTRATION_INTERVAL)
    this.register()
  }

  /** Registers no more; requests under way go on. */
  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  /** Registers now; the timer does so again and again. Nothing happens once it was stopped. */
  register(): void {
    if (this.#isStopped) return
    this.send(this.#registering.next())
    this.#emit({ event: 'registration-sent', equipmentId: this.#options.equipmentId, ...this.server })
  }

  /** Resolves when the last request is over and the port is free. */
  async close(): Promise<void> {
    this.stop()
    await Promise.all(this.#tasks)
    await closeUdp(this.#udp)
  }

  send(bytes: Uint8Array): void {
    this.#udp.send(bytes, error => { if (error) this.#onTrouble(error) })
  }

  /** Whether a request was started already, and how it ended, if it has. */
  seen(token: string): Verdict | null | undefined { return this.#seen.get(token) }

  /** Deals with a request that has not been seen before. `take` gives null when it came to nothing that the server need know. */
  start(token: string, take: () => Promise<Verdict | null>, describe: (verdict: Verdict) => string): void {
    const { equipmentId, maxRequests = 16 } = this.#options
    if (this.#tasks.size >= maxRequests) {
      this.#emit({ event: 'error', reason: 'busy', message: `${this.#tasks.size} requests are under way; this one is left unanswered` })
      return
    }
    const turn = this.#vain.turn('', this.#clock())
    if (turn === null) {
      if (!this.#isFlooded) this.#emit({ event: 'error', reason: 'busy', message: 'too many notifications have come to nothing; some are left unanswered' })
      this.#isFlooded = true
      return
    }
    this.#isFlooded = false
    this.#emit({ event: 'notification-received', equipmentId, ...this.server })
    this.#seen.set(token, null)
    for (const old of this.#seen.keys()) {
      if (this.#seen.size <= REMEMBERED) break
      this.#seen.delete(old)
    }
    const task = take().then(verdict => {
      turn.settle(verdict === null, this.#clock())
      if (!verdict) return
      this.#seen.set(token, verdict)
      this.#emit({ event: 'request-handled', equipmentId, outcome: verdict.reason, message: describe(verdict) })
    }).finally(() => this.#tasks.delete(task))
    this.#tasks.add(task)
  }

  /** A server that is not there is told once, not at every registration. */
  #onTrouble(error: Error): void {
    if (this.#trouble === error.message) return
    this.#trouble = error.message
    this.#emit({
      event: 'error', reason: 'send-failed', ...this.server,
      message: `registrations do not reach ${formatPeer(this.server)}: ${error.message}; check that the server runs; registering goes on`,
    })
  }

  #onDatagram(bytes: Uint8Array, onMessage: (message: Message) => true | string): void {
    this.#trouble = ''
    const message = decode(bytes)
    const complaint = message instanceof Defect ? null : this.#registering.complaint(message)
    if (complaint) {
      this.#emit({ event: 'error', ...complaint, ...this.server })
      return
    }
    const outcome = message instanceof Defect ? message.toString() : onMessage(message)
    if (outcome !== true) this.#emit({ event: 'error', reason: 'malformed', message: `server ${formatPeer(this.server)}: ${outcome}`, ...this.server })
  }
}
