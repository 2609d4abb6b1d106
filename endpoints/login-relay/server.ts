// The relay server (4) of JP 2002-217942: terminals connect to it (1), log in (2), (3) and keep their connections with hold
// messages (4), (5); it passes on demands between them and relays their data (switchboard.ts).
//
// What has not logged in yet is bounded by itself: when too many such connections are open, the one that has waited longest
// goes, since an honest terminal logs in within a round trip. So a flood of connections that say nothing keeps nobody out.
import { ChannelError } from '../channel/channel.js'
import { receiveFirst } from '../channel/first-message.js'
import { plainChannel } from '../channel/socket-channel.js'
import { Connections } from '../connections.js'
import { HOLD_LIFETIME, LOGIN_RELAY_PORT, TIMEOUTS } from '../defaults.js'
import { EndpointError, messageOf, reasonOfError, reasonOfFault } from '../errors.js'
import { emitter, wallClock } from '../events.js'
import { answer, coded, describe, verdictOf } from '../answers.js'
import { formatPeer } from '../peer.js'
import { addressOf, listenTcp, stopListening } from '../sockets.js'
import { Directory } from './directory.js'
import { Leg } from './leg.js'
import { Switchboard } from './switchboard.js'
import { UserFile } from './users.js'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Verdict } from '../answers.js'
import type { Channel, OpenChannel } from '../channel/channel.js'
import type { FailureReason } from '../errors.js'
import type { Clock, Emit, OnEvent } from '../events.js'
import type { MessageName, MessageOf } from '../message/index.js'
import type { Peer } from '../peer.js'
import type { LoggedInUser } from './directory.js'
import type { SwitchboardTimeouts } from './switchboard.js'

export interface LoginRelayOptions {
  /** The file of `naptlab relay user add`. */
  readonly users: string
  /** Of this machine; all of its addresses when absent. */
  readonly address?: string
  /** 0 lets the system choose; 1400 when absent. */
  readonly port?: number
  /** Milliseconds without any message after which a connection lapses. */
  readonly lifetime?: number
  /** TCP connections; more are closed at once. */
  readonly maxConnections?: number
  /** Of these, connections that have not sent a log-in yet; the one that has waited longest makes room. */
  readonly maxUnknown?: number
  /** Log-ins whose password is being checked; more are refused as busy. */
  readonly maxChecks?: number
  /** Connections of one user. */
  readonly maxPerUser?: number
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<SwitchboardTimeouts>
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  readonly openChannel?: OpenChannel
}

export interface LoginRelay {
  readonly address: Peer
  /** Data relayed since the start, bytes, both ways. */
  readonly relayed: number
  /** Who is logged in. */
  list(): LoggedInUser[]
  /** Ends every connection and frees the port. */
  close(): Promise<void>
}

/** @throws EndpointError when the user file cannot be used or the port cannot be bound */
export async function startLoginRelay(options: LoginRelayOptions): Promise<LoginRelay> {
  const { port = LOGIN_RELAY_PORT, address, maxConnections = 1024 } = options
  const users = await UserFile.open(options.users)
  const listener = await listenTcp('TCP port for log-ins', { port, ...(address === undefined ? {} : { address }) }, maxConnections)
  return new Relay(listener, users, options)
}

/** What a terminal may send once it is logged in. */
const FROM_TERMINAL = [
  'hold', 'demand', 'demandAnswer', 'relayData', 'relayEnd', 'termination', 'release', 'logout', 'userListRequest',
] as const satisfies MessageName[]
type FromTerminal = typeof FROM_TERMINAL[number]

class Relay implements LoginRelay {
  readonly address: Peer
  readonly #listener: TcpServer
  readonly #users: UserFile
  readonly #options: LoginRelayOptions
  readonly #timeouts: SwitchboardTimeouts
  readonly #emit: Emit
  readonly #directory: Directory
  readonly #switchboard: Switchboard
  readonly #sockets = new Connections()
  /** Those that have sent no log-in yet, the oldest first. */
  readonly #unknown = new Set<Socket>()
  /** Those that had to make room. */
  readonly #evicted = new WeakSet<Socket>()
  #checks = 0
  #connections = 0
  #closed: Promise<void> | null = null

  constructor(listener: TcpServer, users: UserFile, options: LoginRelayOptions) {
    this.#listener = listener
    this.#users = users
    this.#options = options
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.#emit = emitter('4', options.onEvent, options.clock ?? wallClock)
    this.#directory = new Directory(options.maxPerUser ?? 32)
    this.#switchboard = new Switchboard(this.#directory, this.#timeouts, this.#emit)
    this.address = addressOf(listener)
    this.#emit({ event: 'listening', transport: 'tcp', purpose: 'log-ins', ...this.address })
    listener.on('connection', socket => this.#take(socket))
    listener.on('drop', data => this.#reject('too-many-connections', 'too many connections are open; this one was closed', {
      address: data?.remoteAddress ?? '', port: data?.remotePort ?? 0,
    }))
    listener.on('error', error => this.#emit({ event: 'error', reason: 'listen-failed', message: error.message }))
  }

  get relayed(): number {
    return this.#switchboard.relayed
  }

  list(): LoggedInUser[] {
    return this.#directory.list()
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    await Promise.all([stopListening(this.#listener), this.#sockets.end()])
    this.#emit({ event: 'stopped' })
  }

  #take(socket: Socket): void {
    const { maxUnknown = 64 } = this.#options
    for (const oldest of this.#unknown) {
      if (this.#unknown.size < maxUnknown) break
      this.#unknown.delete(oldest)
      this.#evicted.add(oldest)
      this.#reject('too-many-connections', `${maxUnknown} newer connections have not logged in either; this one made room`, peerOf(oldest))
      oldest.resetAndDestroy()
    }
    this.#unknown.add(socket)
    socket.once('close', () => this.#unknown.delete(socket))
    this.#sockets.take(socket, this.#serve(socket))
  }

  async #serve(socket: Socket): Promise<void> {
    const from = peerOf(socket)
    let channel: Channel
    try {
      channel = await (this.#options.openChannel ?? plainChannel)(socket, this.#timeouts.message)
    } catch (error) {
      this.#reject(reasonOfError(error), messageOf(error), from)
      socket.destroy()
      return
    }
    try {
      const message = await receiveFirst(channel, ['login', ...FROM_TERMINAL], this.#timeouts.message)
      this.#unknown.delete(socket)
      if (message.name === 'login') await this.#logIn(channel, message)
      else await this.#turnAway(channel, { reason: 'not-logged-in', detail: '' })
    } catch (error) {
      const isLate = error instanceof ChannelError && error.fault === 'timed-out'
      if (isLate) await this.#turnAway(channel, { reason: 'not-logged-in', detail: `no whole log-in came within ${this.#timeouts.message} ms` })
      else if (!this.#evicted.has(socket)) await this.#fail(channel, error)
    }
    await channel.close()
  }

  // --- (2) and (3) --------------------------------------------------------------------------------------------------

  async #logIn(channel: Channel, { userId, password, token }: MessageOf<'login'>): Promise<void> {
    const verdict = await this.#check(userId, password) ?? this.#objection(userId, token)
    if (verdict) {
      this.#reject(verdict.reason, `log-in of ${userId}: ${describe(verdict)}`, channel.peer)
      await channel.send({ name: 'loginAnswer', ...coded(verdict.reason === 'log-in-refused' ? { ...verdict, detail: '' } : verdict) }, this.#timeouts.message)
      return
    }
    const leg = new Leg(channel, userId, ++this.#connections)
    const isFirst = this.#directory.add(leg, token)
    this.#emit({ event: 'logged-in', step: isFirst ? '(3)' : '(12)', userId, connection: leg.number, ...channel.peer })
    leg.tell({ name: 'loginAnswer', reason: 0 }, this.#timeouts.message)
    this.#switchboard.vacate(leg)
    await this.#attend(leg)
  }

  /** Null when the password is right. What is wrong is told here, in the detail, and not to the terminal. */
  async #check(userId: string, password: string): Promise<Refusal | null> {
    const { maxChecks = 16 } = this.#options
    if (this.#checks >= maxChecks) return { reason: 'busy', detail: `${maxChecks} log-ins are being checked` }
    this.#checks++
    try {
      const outcome = await this.#users.verify(userId, password)
      return outcome === 'right' ? null : { reason: 'log-in-refused', detail: outcome === 'unknown-user' ? 'no such user' : 'wrong password' }
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error
      this.#emit({ event: 'error', reason: error.reason, message: error.message })
      return { reason: 'busy', detail: 'log-ins cannot be checked at the moment' }
    } finally {
      this.#checks--
    }
  }

  #objection(userId: string, token: string): Refusal | null {
    const reason = this.#directory.objection(userId, token)
    return reason && { reason, detail: reason === 'busy' ? 'this user has as many connections as one may have' : '' }
  }

  // --- once logged in -----------------------------------------------------------------------------------------------

  /** Reads what the terminal sends until it logs out or its connection ends. */
  async #attend(leg: Leg): Promise<void> {
    const { lifetime = HOLD_LIFETIME } = this.#options
    const { channel, userId, number } = leg
    let why = 'logged out'
    try {
      do await leg.told
      while (await this.#obey(leg, await channel.receive(FROM_TERMINAL, lifetime)))
      this.#logOut(leg)
      await channel.closeAfterPeer(this.#timeouts.message) // (23), (24)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      why = error.fault === 'timed-out' ? `nothing came for ${lifetime} ms` : error.fault === 'closed' ? 'the terminal closed it' : error.message
      this.#switchboard.drop(leg, why)
      if (error.fault === 'timed-out') this.#reject('lapsed', `connection ${number} of ${userId} lapsed: ${why}`, channel.peer)
      if (error.fault === 'malformed') await this.#fail(channel, error)
      else if (error.fault !== 'closed') channel.reset()
    } finally {
      this.#switchboard.drop(leg, why)
      leg.dismiss()
      this.#emit({ event: 'disconnected', userId, connection: number, message: why })
    }
  }

  /** False at log-out. */
  async #obey(leg: Leg, message: MessageOf<FromTerminal>): Promise<boolean> {
    if (leg.state.kind === 'gone') return true
    switch (message.name) {
      case 'logout': return false
      case 'hold': leg.confirmHold(); return true
      case 'userListRequest': await this.#tellUsers(leg.channel); return true
      case 'demand':
        if (leg.state.kind === 'vacant' || leg.state.kind === 'asked') this.#switchboard.demand(leg, message.userId)
        else throw new ChannelError('malformed', `(6) came on a connection that is ${leg.state.kind}`)
        return true
      case 'demandAnswer': return this.#held(leg, this.#switchboard.answer(leg, verdictOf(message)), '(8)')
      case 'relayData': case 'relayEnd': return this.#held(leg, await this.#switchboard.pass(leg, message), 'data')
      case 'termination': return this.#held(leg, this.#switchboard.terminate(leg, message.sentence), '(19)')
      case 'release': return this.#held(leg, this.#switchboard.release(leg), '(21)')
    }
  }

  /** A message about a communication that there is not: the terminal is told, and keeps its connection. */
  #held(leg: Leg, isHeld: boolean, what: string): true {
    if (isHeld) return true
    const verdict = { reason: 'not-held', detail: `${what} on a connection that is ${leg.state.kind}` } as const
    this.#reject('not-held', `connection ${leg.number} of ${leg.userId}: ${describe(verdict)}`, leg.channel.peer)
    leg.tell(answer(verdict), this.#timeouts.message)
    return true
  }

  async #tellUsers(channel: Channel): Promise<void> {
    for (const { userId, connections } of this.#directory.list()) await channel.send({ name: 'userListEntry', userId, connections }, this.#timeouts.message)
    await channel.send({ name: 'userListEnd' }, this.#timeouts.message)
  }

  /** (22) on any connection ends all of them. The terminal closes them; those that it forgets are cut off. */
  #logOut({ userId }: Leg): void {
    const legs = this.#directory.legsOf(userId)
    this.#emit({ event: 'logged-out', step: '(22)', userId, connections: legs.length })
    for (const leg of legs) {
      this.#switchboard.drop(leg, 'logged out')
      leg.dismiss(this.#timeouts.message)
    }
  }

  // --- refusing -----------------------------------------------------------------------------------------------------

  async #fail(channel: Channel, error: unknown): Promise<void> {
    if (!(error instanceof ChannelError)) throw error
    this.#reject(reasonOfFault(error.fault), error.message, channel.peer)
    if (error.fault === 'malformed') await this.#send(channel, { reason: 'malformed', detail: error.message })
  }

  async #turnAway(channel: Channel, verdict: Verdict & { reason: Exclude<Verdict['reason'], 'accepted'> }): Promise<void> {
    this.#reject(verdict.reason, describe(verdict), channel.peer)
    await this.#send(channel, verdict)
  }

  /** To whoever can still hear it. */
  async #send(channel: Channel, verdict: Verdict): Promise<void> {
    await channel.send(answer(verdict), this.#timeouts.message).catch((error: unknown) => {
      if (!(error instanceof ChannelError)) throw error
    })
  }

  #reject(reason: FailureReason, sentence: string, from: Peer): void {
    this.#emit({ event: 'error', reason, message: `${formatPeer(from)}: ${sentence}`, ...from })
  }
}

interface Refusal { readonly reason: 'busy' | 'log-in-refused' | 'logged-in-elsewhere', readonly detail: string }

const peerOf = (socket: Socket): Peer => ({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 })
