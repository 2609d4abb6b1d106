// What every server of this family does, whatever becomes of a request: it keeps the equipment list from registrations by UDP,
// takes requests of issuers by TCP, notifies the acceptor that a request names, and matches the connection that the acceptor then
// makes with the request. 101 (server.ts) and the relay 11 (relay/relay-server.ts) are built on it.
import { messageOf, reasonOfError, reasonOfFault } from './errors.js'
import { formatPeer } from './peer.js'
import { Connections } from './connections.js'
import { ENTRY_LIFETIME, SERVER_PORTS, TIMEOUTS } from './defaults.js'
import { Defect, decode, encode } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { receiveFirst } from './channel/first-message.js'
import { plainChannel } from './channel/socket-channel.js'
import { emitter, wallClock } from './events.js'
import { answer, verdictOf } from './answers.js'
import { Claims } from './claims.js'
import { PendingRequests, type RequestKey } from './pending.js'
import { EquipmentRegistry } from './registry.js'
import { addressOf, bindUdp, closeUdp, listenTcp, stopListening } from './sockets.js'
import { Throttle } from './access/throttle.js'
import { pause, within } from './waiting.js'
import type { ServerGuard } from './access/server-guard.js'
import type { ThrottleOptions } from './access/throttle.js'
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Verdict } from './answers.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { FailureReason } from './errors.js'
import type { Clock, Emit } from './events.js'
import type { Peer } from './peer.js'
import type { Message, MessageOf } from './message/index.js'
import type { PendingRequest } from './pending.js'
import type { Numbering, RendezvousOptions, ServerTimeouts, Service } from './rendezvous-options.js'
import type { EquipmentRow } from './registry.js'

export type { Numbering, RendezvousOptions, ServerTimeouts, Service } from './rendezvous-options.js'

/** What the server sends to an acceptor's registered address. */
type ToAcceptor = MessageOf<'notification' | 'forwardedRequest' | 'relayNotification'>

/**
 * IPv4 and UDP, bytes: they count for what the server may send to an address, since they travel too. Not so without keys, where a
 * registration is as short as in the figures and has to make room for the notifications of several requests.
 */
const DATAGRAM_HEADERS = 28

/** Events about registrations and reports that are not authenticated: of each address, and of all together. */
const COMPLAINTS: ThrottleOptions = { burst: 5, interval: 1000 }
/** Answers to second connections that are not, by address. */
const INTRUDERS: ThrottleOptions = { burst: 3, interval: 1000, limit: 3000 }

interface Sockets { readonly udp: UdpSocket, readonly issuers: TcpServer, readonly acceptors: TcpServer | null }

export class Rendezvous<Request extends RequestKey> {
  /** Where registrations go, by UDP. */
  readonly registrations: Peer
  /** Where issuers connect. */
  readonly issuers: Peer
  /** Where acceptors connect, if they do. */
  readonly acceptors: Peer | null
  readonly emit: Emit
  readonly clock: Clock
  readonly timeouts: ServerTimeouts
  readonly pending: PendingRequests<Request>
  readonly #sockets: Sockets
  readonly #numbering: Numbering
  readonly #guard: ServerGuard | null
  readonly #headers: number
  readonly #stop = new AbortController()
  readonly #complaints = new Throttle(COMPLAINTS)
  readonly #intruders = new Throttle(INTRUDERS)
  readonly #registry: EquipmentRegistry
  readonly #claims: Claims
  readonly #openChannel: OpenChannel
  readonly #sweep: NodeJS.Timeout
  readonly #connections = new Connections()
  #unsaid = 0
  #closed: Promise<void> | null = null

  /**
   * Binds the ports. `hasAcceptors`: whether acceptors connect to the server. `guard`: what vouches for 201, 221 and reports.
   * @throws EndpointError when one of the ports cannot be bound; none is then left open
   */
  static async open<Request extends RequestKey>(options: RendezvousOptions, numbering: Numbering, hasAcceptors: boolean, guard: ServerGuard | null = null): Promise<Rendezvous<Request>> {
    const { udpPort = SERVER_PORTS.udp, issuerPort = SERVER_PORTS.issuer, acceptorPort = SERVER_PORTS.acceptor, maxConnections = 256 } = options
    const at = (port: number) => ({ port, ...(options.address === undefined ? {} : { address: options.address }) })
    const udp = await bindUdp('UDP port for registrations', at(udpPort))
    let issuers: TcpServer | null = null
    try {
      issuers = await listenTcp('TCP port for issuers', at(issuerPort), maxConnections)
      const acceptors = hasAcceptors ? await listenTcp('TCP port for acceptors', at(acceptorPort), maxConnections) : null
      return new Rendezvous<Request>({ udp, issuers, acceptors }, numbering, options, guard)
    } catch (error) {
      await Promise.all([closeUdp(udp), ...(issuers ? [stopListening(issuers)] : [])])
      throw error
    }
  }

  private constructor(sockets: Sockets, numbering: Numbering, options: RendezvousOptions, guard: ServerGuard | null) {
    const { lifetime = ENTRY_LIFETIME, maxEquipment = 10_000, maxRequests = 16, clock = wallClock } = options
    this.#sockets = sockets
    this.registrations = addressOf(sockets.udp)
    this.issuers = addressOf(sockets.issuers)
    this.acceptors = sockets.acceptors && addressOf(sockets.acceptors)
    this.#numbering = numbering
    this.#guard = guard
    this.#headers = guard === null ? 0 : DATAGRAM_HEADERS
    this.#registry = new EquipmentRegistry({ lifetime, maxEntries: maxEquipment })
    this.#claims = new Claims(lifetime)
    this.pending = new PendingRequests(maxRequests)
    this.timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.clock = clock
    this.emit = emitter(numbering.apparatus, options.onEvent, clock)
    this.#openChannel = options.openChannel ?? plainChannel
    this.#sweep = setInterval(() => this.#dropLapsed(), Math.max(10, lifetime / 4)).unref()
  }

  /** Begins to serve. */
  serve(service: Service): void {
    const { udp, issuers, acceptors } = this.#sockets
    this.emit({ event: 'listening', transport: 'udp', purpose: 'registrations', ...this.registrations })
    this.emit({ event: 'listening', transport: 'tcp', purpose: 'first connections', ...this.issuers })
    if (this.acceptors) this.emit({ event: 'listening', transport: 'tcp', purpose: 'second connections', ...this.acceptors })
    udp.on('message', (bytes, from) => this.#onDatagram(service, bytes, from))
    udp.on('error', error => this.emit({ event: 'error', reason: 'send-failed', message: error.message }))
    this.#listen(issuers, socket => this.#serveIssuer(service, socket))
    if (acceptors) this.#listen(acceptors, socket => this.#serveAcceptor(socket))
  }

  /** The equipment list of Fig. 9. */
  list(): EquipmentRow[] { return this.#registry.list(this.clock()) }

  /** Ends every connection and frees the ports. */
  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    clearInterval(this.#sweep)
    this.#stop.abort()
    const closing = [stopListening(this.#sockets.issuers), ...(this.#sockets.acceptors ? [stopListening(this.#sockets.acceptors)] : [])]
    this.pending.cancelAll()
    await Promise.all([...closing, this.#connections.end()])
    await closeUdp(this.#sockets.udp)
    this.emit({ event: 'stopped' })
  }

  /** Fires when the server begins to close. */
  get stopping(): AbortSignal { return this.#stop.signal }

  /** Keeps `close` waiting for a task that nobody else awaits. */
  track(task: Promise<void>): void { this.#connections.await(task) }

  /** Tells of something wrong that a peer did. */
  reject(reason: FailureReason, sentence: string, from: Peer): void {
    this.emit({ event: 'error', reason, message: `${formatPeer(from)}: ${sentence}`, ...from })
  }

  // --- the equipment list -------------------------------------------------------------------------------------------

  /** Stores a registration if the guard takes it; without a guard, all are taken. */
  registerGuarded(message: MessageOf<'registration'>, from: Peer, bytes: number): void {
    const objection = this.#guard?.objection(message)
    if (!objection) {
      this.register(message.equipmentId, from, bytes)
      return
    }
    this.#complain(objection.reason, objection.sentence, from)
    if (objection.answer === null) return
    const reply = encode(objection.answer)
    if (reply.length <= bytes) this.#send(reply, from)
  }

  /**
   * As `reject`, but not more often than people can read: these datagrams cost their sender nothing, and name any source they like.
   * For the same reason they slow nobody: what is authenticated is taken, whatever else has come from there.
   */
  #complain(reason: FailureReason, sentence: string, from: Peer): void {
    if (!this.#complaints.take(from.address, this.clock()) || !this.#complaints.take('all of them', this.clock())) {
      this.#unsaid++
      return
    }
    this.reject(reason, this.#unsaid > 0 ? `${sentence} (and ${this.#unsaid} more that were not told)` : sentence, from)
    this.#unsaid = 0
  }

  /** Stores a registration (S202, S32). `own`: the address that the equipment has by its own word. */
  register(equipmentId: string, from: Peer, bytes: number, own?: string): void {
    this.#dropLapsed()
    const now = this.clock(), before = this.#registry.find(equipmentId, now)
    const outcome = this.#registry.register(equipmentId, from, bytes + this.#headers, now, own)
    if (outcome === 'full') this.reject('registry-full', `the equipment list is full; ${equipmentId} was not registered`, from)
    else this.emit({ event: 'registered', step: this.#numbering.registered[outcome === 'added' ? 'first' : 'again'], equipmentId, ...from, outcome })
    if (outcome === 'moved' && before && this.#claims.moved(equipmentId, before, from, now)) {
      this.emit({ event: 'claimed', equipmentId, ...from, rival: { address: before.address, port: before.port } })
    }
  }

  /** S204, S35. `path` says more of an equipment that is found. */
  lookUp(equipmentId: string, path?: (found: EquipmentRow) => string): EquipmentRow | null {
    const found = this.find(equipmentId)
    this.emit({
      event: 'looked-up', step: this.#numbering.lookedUp, equipmentId,
      ...(found ? { outcome: 'found', address: found.address, port: found.port, ...(path ? { path: path(found) } : {}) } : { outcome: 'unknown' }),
    })
    return found
  }

  find(equipmentId: string): EquipmentRow | null { return this.#registry.find(equipmentId, this.clock()) }

  #dropLapsed(): void {
    for (const { equipmentId, address, port, age } of this.#registry.expire(this.clock())) {
      this.#claims.forget(equipmentId)
      this.emit({ event: 'lapsed', equipmentId, address, port, age })
    }
  }

  // --- UDP ----------------------------------------------------------------------------------------------------------

  #onDatagram(service: Service, bytes: Uint8Array, { address, port }: RemoteInfo): void {
    const from = { address, port }
    const message = decode(bytes)
    if (message instanceof Defect) this.reject('malformed', message.toString(), from)
    else if (!service.onDatagram(message, from, bytes.length)) this.reject('malformed', `a ${message.name} has no place in a datagram to the server`, from)
  }

  /**
   * Sends a datagram to the equipment, again and again until `done` or until `timeouts.notify` ms have passed; gives how often it was
   * sent then. A repeat that would make the server send more to the address than came from it waits for further registrations.
   */
  async repeat<T extends object>(
    pending: PendingRequest<Request>, message: ToAcceptor, done: Promise<T | null>, onSent: (to: Peer, attempt: number) => void): Promise<T | number> {
    const { equipmentId } = pending.request
    const deadline = performance.now() + this.timeouts.notify
    let sent = 0
    // A timer may be a millisecond early, and what is left then is no time for another one.
    while (deadline - performance.now() > 1 && !pending.cancelled) {
      const bytes = encode(this.#sealed(message, equipmentId))
      const to = this.#registry.spend(equipmentId, bytes.length + this.#headers, this.clock())
      if (to) {
        this.#send(bytes, to)
        onSent(to, ++sent)
      }
      const value = await within(done, Math.min(this.timeouts.repeat, deadline - performance.now()))
      if (value !== null) return value
    }
    return sent
  }

  /** Sends the request itself by UDP until the acceptor reports by UDP how it went (`onReport`). Null when it was cancelled. */
  async forwardByUdp(pending: PendingRequest<Request>, message: ToAcceptor, onSent: (to: Peer, attempt: number) => void): Promise<Verdict | null> {
    const report = pending.report.promise
    const verdict = await this.repeat(pending, message, report, onSent)
    if (typeof verdict !== 'number') return verdict
    const late = await within(report, pending.cancelled || verdict === 0 ? 0 : this.timeouts.report)
    return late ?? (pending.cancelled ? null : silence(verdict))
  }

  /** With the authenticator that goes with the last registration, which may have come since the last repeat. */
  #sealed(message: ToAcceptor, equipmentId: string): Message {
    return this.#guard === null || message.name === 'relayNotification' ? message : this.#guard.seal(message, equipmentId)
  }

  /** The acceptor's report, if it comes from the acceptor. */
  onReport(message: MessageOf<'answer'>, from: Peer): void {
    const pending = message.token === undefined ? undefined : this.pending.find(message.token)
    if (!pending) return
    const { equipmentId } = pending.request
    if (this.#guard && !this.#guard.isFrom(equipmentId, message)) {
      this.#complain('not-authenticated', `a report on a request for ${equipmentId} is not authenticated with its key`, from)
      return
    }
    const registered = this.find(equipmentId)
    // A report can come twice, since the request is repeated until one comes: the second is no fault.
    if (registered?.address === from.address && registered.port === from.port) pending.report.resolve(verdictOf(message))
  }

  #send(bytes: Uint8Array, to: Peer): void {
    this.#sockets.udp.send(bytes, to.port, to.address, error => {
      if (error) this.reject('send-failed', `a datagram could not be sent: ${error.message}`, to)
    })
  }

  // --- TCP ----------------------------------------------------------------------------------------------------------

  #listen(server: TcpServer, handle: (socket: Socket) => Promise<void>): void {
    server.on('connection', socket => this.#connections.take(socket, handle(socket)))
    server.on('drop', data => this.reject('too-many-connections', 'too many connections are open; this one was closed', {
      address: data?.remoteAddress ?? '', port: data?.remotePort ?? 0,
    }))
    server.on('error', error => this.emit({ event: 'error', reason: 'listen-failed', message: error.message }))
  }

  async #serveIssuer(service: Service, socket: Socket): Promise<void> {
    const channel = await this.#opened(socket)
    if (!channel) return
    try {
      await service.serveIssuer(channel)
    } catch (error) {
      await this.#turnAway(channel, error)
    } finally {
      await channel.close()
    }
  }

  /**
   * What comes of `outcome`, or null when the issuer went away before: the request is then cancelled. In either case it is
   * pending no longer.
   */
  async unlessGone<T>(pending: PendingRequest<Request>, issuer: Channel, outcome: Promise<T | null>): Promise<T | null> {
    const over = new AbortController()
    try {
      // Whatever the issuer sends now is out of place, so this ends only with its connection.
      const gone = issuer.receive([], undefined, over.signal).then(() => null, () => null)
      const value = await Promise.race([outcome, gone])
      if (value === null) pending.cancel()
      return value
    } finally {
      over.abort()
      this.pending.remove(pending)
    }
  }

  async #serveAcceptor(socket: Socket): Promise<void> {
    const channel = await this.#opened(socket)
    if (!channel) return
    try {
      const greeting = await receiveFirst(channel, ['greeting'], this.timeouts.message)
      const pending = this.pending.find(greeting.token)
      if (pending && this.#guard && !this.#guard.isFrom(pending.request.equipmentId, greeting)) {
        await this.#refuseIntruder(channel, pending.request.equipmentId)
        return
      }
      if (pending?.claim(channel)) { // from here on the request closes it
        this.emit({ event: 'second-connection-accepted', equipmentId: pending.request.equipmentId, ...channel.peer })
        return
      }
      this.reject('no-such-request', 'a second connection came for a request that is not waiting', channel.peer)
      await channel.send(answer({ reason: 'no-such-request', detail: '' }), this.timeouts.message)
    } catch (error) {
      await this.#turnAway(channel, error)
    }
    await channel.close()
  }

  /** Whoever knows a token, from a 205 that was overheard, but not the key. The request goes on waiting for its equipment. */
  async #refuseIntruder(channel: Channel, equipmentId: string): Promise<void> {
    this.#complain('not-authenticated', `a second connection for ${equipmentId} is not authenticated with its key`, channel.peer)
    await pause(this.#intruders.failed(channel.peer.address, this.clock()), this.stopping)
    await channel.send(answer({ reason: 'not-authenticated', detail: '' }), this.timeouts.message).catch(ignoreLoss)
    await channel.close()
  }

  async #opened(socket: Socket): Promise<Channel | null> {
    const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    try {
      return await this.#openChannel(socket, this.timeouts.message)
    } catch (error) {
      this.reject(reasonOfError(error), messageOf(error), from)
      socket.destroy()
      return null
    }
  }

  /** Tells a peer that did not keep to the protocol so, where it can still hear it. */
  async #turnAway(channel: Channel, error: unknown): Promise<void> {
    if (!(error instanceof ChannelError)) throw error
    this.reject(reasonOfFault(error.fault), error.message, channel.peer)
    if (error.fault !== 'malformed' && error.fault !== 'timed-out') return
    await channel.send(answer({ reason: 'malformed', detail: error.message }), this.timeouts.message).catch(ignoreLoss)
  }
}

/** Why an acceptor could not be had, after `attempts` notifications in vain. */
export const silence = (attempts: number): Verdict => attempts > 0
  ? { reason: 'gone-silent', detail: `notified ${attempts === 1 ? 'once' : `${attempts} times`}` }
  : { reason: 'busy', detail: 'no notification may be sent before the next registration' }

function ignoreLoss(error: unknown): void {
  if (!(error instanceof ChannelError)) throw error
}
