// The rendezvous server (101): takes registrations by UDP, requests of issuers by TCP, and passes each request on to the
// acceptor that it names. It keeps the issuer's connection open until it knows the outcome, so that the issuer ends with a
// clear answer in every case.
//
// The server is always the end that closes the first and the second connection first: TIME_WAIT is then the server's, and
// an issuer or acceptor that uses a fixed local port (1500, 2600) can use it again at once.
import { reasonOfFault } from './errors.js'
import { formatPeer } from './peer.js'
import { ENTRY_LIFETIME, SERVER_PORTS, TIMEOUTS } from './defaults.js'
import { Defect, decode, encode } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { plainChannel } from './channel/socket-channel.js'
import { emitter, wallClock } from './events.js'
import { answer, describe, verdictOf } from './answers.js'
import { PendingRequests } from './pending.js'
import { EquipmentRegistry } from './registry.js'
import { addressOf, bindUdp, closeUdp, listenTcp, stopListening } from './sockets.js'
import { within } from './waiting.js'
import type { RemoteInfo, Socket as UdpSocket } from 'node:dgram'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Verdict } from './answers.js'
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Level } from './defaults.js'
import type { FailureReason } from './errors.js'
import type { Clock, Emit, OnEvent } from './events.js'
import type { Peer } from './peer.js'
import type { Message, MessageOf } from './message/index.js'
import type { PendingRequest } from './pending.js'
import type { EquipmentRow } from './registry.js'

export interface ServerTimeouts {
  readonly message: number
  readonly repeat: number
  readonly notify: number
  readonly report: number
}

export interface ServerOptions {
  /** Of this machine; all of its addresses when absent. */
  readonly address?: string
  /** Ports; 0 lets the system choose. */
  readonly udpPort?: number
  readonly issuerPort?: number
  readonly acceptorPort?: number
  readonly level?: Level
  /** Milliseconds without a registration after which an entry of the equipment list lapses. */
  readonly lifetime?: number
  readonly maxEquipment?: number
  /** TCP connections at one port; more are closed at once. */
  readonly maxConnections?: number
  /** Requests for one equipment that may be under way at the same time. */
  readonly maxRequests?: number
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<ServerTimeouts>
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  readonly openChannel?: OpenChannel
}

export interface RendezvousServer {
  /** Where registrations go, by UDP. */
  readonly registrations: Peer
  /** Where issuers connect. */
  readonly issuers: Peer
  /** Where acceptors connect; null at level 1, which has no second connection. */
  readonly acceptors: Peer | null
  /** The equipment list of Fig. 9. */
  list(): EquipmentRow[]
  /** Ends every connection and frees the ports. */
  close(): Promise<void>
}

interface Sockets { readonly udp: UdpSocket, readonly issuers: TcpServer, readonly acceptors: TcpServer | null }

/** @throws EndpointError when one of the ports cannot be bound; none is then left open */
export async function startServer(options: ServerOptions = {}): Promise<RendezvousServer> {
  const { udpPort = SERVER_PORTS.udp, issuerPort = SERVER_PORTS.issuer, acceptorPort = SERVER_PORTS.acceptor } = options
  const { level = 3, maxConnections = 256 } = options
  const at = (port: number) => ({ port, ...(options.address === undefined ? {} : { address: options.address }) })
  const udp = await bindUdp('UDP port for registrations', at(udpPort))
  let issuers: TcpServer | null = null
  try {
    issuers = await listenTcp('TCP port for issuers', at(issuerPort), maxConnections)
    const acceptors = level === 1 ? null : await listenTcp('TCP port for acceptors', at(acceptorPort), maxConnections)
    return new Server({ udp, issuers, acceptors }, level, options)
  } catch (error) {
    await Promise.all([closeUdp(udp), ...(issuers ? [stopListening(issuers)] : [])])
    throw error
  }
}

class Server implements RendezvousServer {
  readonly registrations: Peer
  readonly issuers: Peer
  readonly acceptors: Peer | null
  readonly #sockets: Sockets
  readonly #level: Level
  readonly #registry: EquipmentRegistry
  readonly #pending: PendingRequests
  readonly #timeouts: ServerTimeouts
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #openChannel: OpenChannel
  readonly #sweep: NodeJS.Timeout
  readonly #open = new Set<Socket>()
  readonly #tasks = new Set<Promise<void>>()
  #closed: Promise<void> | null = null

  constructor(sockets: Sockets, level: Level, options: ServerOptions) {
    const { lifetime = ENTRY_LIFETIME, maxEquipment = 10_000, maxRequests = 16, clock = wallClock } = options
    this.#sockets = sockets
    this.#level = level
    this.#registry = new EquipmentRegistry({ lifetime, maxEntries: maxEquipment })
    this.#pending = new PendingRequests(maxRequests)
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.#clock = clock
    this.#emit = emitter('101', options.onEvent, clock)
    this.#openChannel = options.openChannel ?? plainChannel
    this.registrations = addressOf(sockets.udp)
    this.issuers = addressOf(sockets.issuers)
    this.acceptors = sockets.acceptors && addressOf(sockets.acceptors)
    this.#emit({ event: 'listening', transport: 'udp', purpose: 'registrations', ...this.registrations })
    this.#emit({ event: 'listening', transport: 'tcp', purpose: 'first connections', ...this.issuers })
    if (this.acceptors) this.#emit({ event: 'listening', transport: 'tcp', purpose: 'second connections', ...this.acceptors })
    sockets.udp.on('message', (bytes, from) => this.#onDatagram(bytes, from))
    sockets.udp.on('error', error => this.#emit({ event: 'error', reason: 'send-failed', message: error.message }))
    this.#serve(sockets.issuers, socket => this.#serveIssuer(socket))
    if (sockets.acceptors) this.#serve(sockets.acceptors, socket => this.#serveAcceptor(socket))
    this.#sweep = setInterval(() => this.#dropLapsed(), Math.max(10, lifetime / 4)).unref()
  }

  list(): EquipmentRow[] {
    return this.#registry.list(this.#clock())
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    clearInterval(this.#sweep)
    const closing = [stopListening(this.#sockets.issuers), ...(this.#sockets.acceptors ? [stopListening(this.#sockets.acceptors)] : [])]
    this.#pending.cancelAll()
    for (const socket of this.#open) socket.resetAndDestroy()
    await Promise.all([...closing, ...this.#tasks])
    await closeUdp(this.#sockets.udp)
    this.#emit({ event: 'stopped' })
  }

  #serve(server: TcpServer, handle: (socket: Socket) => Promise<void>): void {
    server.on('connection', socket => {
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
      const task = handle(socket).finally(() => this.#tasks.delete(task))
      this.#tasks.add(task)
    })
    server.on('drop', data => this.#reject('too-many-connections', 'too many connections are open; this one was closed', {
      address: data?.remoteAddress ?? '', port: data?.remotePort ?? 0,
    }))
    server.on('error', error => this.#emit({ event: 'error', reason: 'listen-failed', message: error.message }))
  }

  // --- UDP: 201, and at level 1 the acceptor's report ---------------------------------------------------------------

  #onDatagram(bytes: Uint8Array, { address, port }: RemoteInfo): void {
    const from = { address, port }
    const message = decode(bytes)
    if (message instanceof Defect) this.#reject('malformed', message.toString(), from)
    else if (message.name === 'registration') this.#register(message.equipmentId, from, bytes.length)
    else if (message.name === 'answer' && this.#level === 1) this.#onReport(message, from)
    else this.#reject('malformed', `a ${message.name} has no place in a datagram to the server`, from)
  }

  #register(equipmentId: string, from: Peer, bytes: number): void {
    this.#dropLapsed()
    const outcome = this.#registry.register(equipmentId, from, bytes, this.#clock())
    if (outcome === 'full') this.#reject('registry-full', `the equipment list is full; ${equipmentId} was not registered`, from)
    else this.#emit({ event: 'registered', step: outcome === 'added' ? 'S202' : 'S202A', equipmentId, ...from, outcome })
  }

  #onReport(message: MessageOf<'answer'>, from: Peer): void {
    const pending = message.token === undefined ? undefined : this.#pending.find(message.token)
    const registered = pending && this.#registry.find(pending.request.equipmentId, this.#clock())
    // A report can come twice, since the request is repeated until one comes: the second is no fault.
    if (registered?.address === from.address && registered.port === from.port) pending?.report.resolve(verdictOf(message))
  }

  #dropLapsed(): void {
    for (const row of this.#registry.expire(this.#clock())) this.#emit({ event: 'lapsed', ...row })
  }

  // --- TCP from issuers: the first connection -----------------------------------------------------------------------

  async #serveIssuer(socket: Socket): Promise<void> {
    const channel = await this.#opened(socket)
    if (!channel) return
    try {
      const request = await channel.receive(['request'], this.#timeouts.message)
      const { equipmentId, address, port } = request
      this.#emit({ event: 'request-received', equipmentId, reachedAt: { address, port }, ...channel.peer })
      const verdict = await this.#settle(request, channel)
      if (!verdict) {
        this.#emit({ event: 'request-ended', equipmentId, outcome: 'withdrawn', message: 'the issuer closed the first connection' })
        return
      }
      this.#emit({ event: 'request-ended', equipmentId, outcome: verdict.reason, message: describe(verdict) })
      await channel.send(answer(verdict), this.#timeouts.message)
    } catch (error) {
      await this.#turnAway(channel, error)
    } finally {
      await channel.close()
    }
  }

  /** The outcome of a request, or null when the issuer went away before there was one. */
  async #settle(request: MessageOf<'request'>, issuer: Channel): Promise<Verdict | null> {
    const { equipmentId } = request
    const found = this.#registry.find(equipmentId, this.#clock())
    this.#emit({
      event: 'looked-up', step: 'S204', equipmentId,
      ...(found ? { outcome: 'found', address: found.address, port: found.port } : { outcome: 'unknown' }),
    })
    if (!found) return { reason: 'unknown-equipment', detail: equipmentId }
    if (this.#level === 3 && request.password === undefined) return { reason: 'password-required', detail: '' }
    const pending = this.#pending.add(request)
    if (!pending) return { reason: 'busy', detail: '' }
    try {
      const outcome = this.#level === 1 ? this.#forwardByUdp(pending) : this.#forwardByTcp(pending)
      // Whatever the issuer sends now is out of place, so this ends only with its connection.
      const gone = issuer.receive([]).then(() => null, () => null)
      const verdict = await Promise.race([outcome, gone])
      if (!verdict) pending.cancel()
      return verdict
    } finally {
      this.#pending.remove(pending)
    }
  }

  // --- to the acceptor ----------------------------------------------------------------------------------------------

  /** Levels 2 and 3: 205, and 226 on the connection that the acceptor then makes. */
  async #forwardByTcp(pending: PendingRequest): Promise<Verdict | null> {
    const { equipmentId, token, address, port, password } = pending.request
    const notification: Message = { name: 'notification', notification: true, token }
    let attempts = 0
    const second = await this.#repeat(pending, notification, pending.second.promise, this.#timeouts.notify, (to, attempt) => {
      attempts = attempt
      this.#emit({ event: 'notified', step: '205', equipmentId, attempt, ...to })
    })
    if (!second) return pending.cancelled ? null : silence(attempts)
    try {
      const secret = this.#level === 3 && password !== undefined ? { password } : {}
      await second.send({ name: 'forwardedRequest', ...secret, address, port, token }, this.#timeouts.message)
      this.#emit({ event: 'request-forwarded', transport: 'tcp', equipmentId, attempt: 1, ...second.peer })
      return verdictOf(await second.receive(['answer'], this.#timeouts.report))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      if (!pending.cancelled) this.#reject(reasonOfFault(error.fault), error.message, second.peer)
      return { reason: error.fault === 'timed-out' ? 'timed-out' : 'gone-silent', detail: error.message }
    } finally {
      // Not awaited: the issuer need not wait until the acceptor has closed its side too.
      this.#track(second.close())
    }
  }

  /** Level 1: 226 itself goes to the registered address, in the clear and without a password. */
  async #forwardByUdp(pending: PendingRequest): Promise<Verdict | null> {
    const { equipmentId, token, address, port } = pending.request
    let attempts = 0
    const report = pending.report.promise
    const forwarded: Message = { name: 'forwardedRequest', address, port, token }
    const verdict = await this.#repeat(pending, forwarded, report, this.#timeouts.notify, (to, attempt) => {
      attempts = attempt
      // Only the first of the repeats is the step.
      this.#emit({ event: 'request-forwarded', ...(attempt === 1 ? { step: 'S206' } : {}), transport: 'udp', equipmentId, attempt, ...to })
    }) ?? await within(report, pending.cancelled || attempts === 0 ? 0 : this.#timeouts.report)
    return verdict ?? (pending.cancelled ? null : silence(attempts))
  }

  /**
   * Sends a datagram to the equipment, again and again until `done` or until `limit` ms have passed; gives null then. A
   * repeat that would make the server send more to the address than came from it waits for further registrations.
   */
  async #repeat<T>(
    pending: PendingRequest, message: Message, done: Promise<T>, limit: number, onSent: (to: Peer, attempt: number) => void,
  ): Promise<T | null> {
    const { equipmentId } = pending.request
    const bytes = encode(message)
    const deadline = performance.now() + limit
    for (let attempt = 1; performance.now() < deadline && !pending.cancelled;) {
      const to = this.#registry.spend(equipmentId, bytes.length, this.#clock())
      if (to) {
        this.#send(bytes, to)
        onSent(to, attempt++)
      }
      const value = await within(done, Math.min(this.#timeouts.repeat, deadline - performance.now()))
      if (value !== null) return value
    }
    return null
  }

  #send(bytes: Uint8Array, to: Peer): void {
    this.#sockets.udp.send(bytes, to.port, to.address, error => {
      if (error) this.#reject('send-failed', `a datagram could not be sent: ${error.message}`, to)
    })
  }

  // --- TCP from acceptors: the second connection --------------------------------------------------------------------

  async #serveAcceptor(socket: Socket): Promise<void> {
    const channel = await this.#opened(socket)
    if (!channel) return
    try {
      const { token } = await channel.receive(['greeting'], this.#timeouts.message)
      const pending = this.#pending.find(token)
      if (pending?.claim(channel)) { // from here on the request closes it
        this.#emit({ event: 'second-connection-accepted', equipmentId: pending.request.equipmentId, ...channel.peer })
        return
      }
      this.#reject('no-such-request', 'a second connection came for a request that is not waiting', channel.peer)
      await channel.send(answer({ reason: 'no-such-request', detail: '' }), this.#timeouts.message)
    } catch (error) {
      await this.#turnAway(channel, error)
    }
    await channel.close()
  }

  async #opened(socket: Socket): Promise<Channel | null> {
    const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    try {
      return await this.#openChannel(socket, this.#timeouts.message)
    } catch (error) {
      this.#reject('malformed', error instanceof Error ? error.message : 'the handshake failed', from)
      socket.destroy()
      return null
    }
  }

  /** Tells a peer that did not keep to the protocol so, where it can still hear it. */
  async #turnAway(channel: Channel, error: unknown): Promise<void> {
    if (!(error instanceof ChannelError)) throw error
    this.#reject(reasonOfFault(error.fault), error.message, channel.peer)
    if (error.fault !== 'malformed' && error.fault !== 'timed-out') return
    await channel.send(answer({ reason: 'malformed', detail: error.message }), this.#timeouts.message).catch(ignoreLoss)
  }

  #reject(reason: FailureReason, sentence: string, from: Peer): void {
    this.#emit({ event: 'error', reason, message: `${formatPeer(from)}: ${sentence}`, ...from })
  }

  #track(task: Promise<void>): void {
    const tracked = task.finally(() => this.#tasks.delete(tracked))
    this.#tasks.add(tracked)
  }
}

const silence = (attempts: number): Verdict => attempts > 0
  ? { reason: 'gone-silent', detail: `notified ${attempts === 1 ? 'once' : `${attempts} times`}` }
  : { reason: 'busy', detail: 'no notification may be sent before the next registration' }

function ignoreLoss(error: unknown): void {
  if (!(error instanceof ChannelError)) throw error
}
