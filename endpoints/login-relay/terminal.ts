// A terminal of the log-in relay (11, 21): it logs in, keeps at least one connection vacant so that it can be reached while
// others are used (10) to (14), demands connections with other users, and answers their demands.
//
// When all of its connections are lost it goes on trying, an interval apart, until it is closed or its log-in is refused.
import { randomBytes } from 'node:crypto'
import { describe, verdictOf } from '../answers.js'
import { ChannelError } from '../channel/channel.js'
import { plainChannel } from '../channel/socket-channel.js'
import { HOLD_INTERVAL, LOGIN_RELAY_PORT, TIMEOUTS } from '../defaults.js'
import { EndpointError, messageOf, reasonOfFault, refusal } from '../errors.js'
import { emitter, wallClock } from '../events.js'
import { TOKEN_LENGTH } from '../message/index.js'
import { formatPeer } from '../peer.js'
import { cancelled, connectTcp } from '../sockets.js'
import { Deferred } from '../waiting.js'
import { Line } from './line.js'
import { RelayedConnection } from './relayed.js'
import type { Verdict } from '../answers.js'
import type { OpenChannel } from '../channel/channel.js'
import type { Apparatus, Clock, Emit, OnEvent } from '../events.js'
import type { Local, Peer } from '../peer.js'
import type { LineListener, ListedUser } from './line.js'

/** What a terminal says to a demand: who takes the communication that follows, or why there is none. */
export type Decision = { readonly take: (connection: RelayedConnection) => void } | { readonly refuse: string }

export interface TerminalTimeouts {
  readonly message: number
  readonly request: number
}

export interface TerminalOptions {
  readonly userId: string
  readonly password: string
  /** The port is 1400 when absent. */
  readonly server: { readonly address: string, readonly port?: number }
  /** Of this machine; any when absent. */
  readonly address?: string
  /** Local TCP port of the first connection; the next has the next. Any when absent. */
  readonly localPort?: number
  /** Connections that are kept vacant. With 0 there is one, and no other while it is used: (10) to (14) are left out. */
  readonly spare?: number
  /** Milliseconds between two hold messages on one connection. */
  readonly interval?: number
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<TerminalTimeouts>
  /** Another user demands a connection; without it, all are refused. */
  readonly onDemand?: (userId: string) => Decision | Promise<Decision>
  /** What it is called in its events; 11 unless given. */
  readonly apparatus?: Extract<Apparatus, '11' | '21'>
  /** Gives up logging in, while that lasts. */
  readonly signal?: AbortSignal
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  /** A source of secret random bytes; the system's when absent. */
  readonly random?: (count: number) => Uint8Array
  readonly openChannel?: OpenChannel
}

export interface Terminal {
  readonly userId: string
  /** (6) to (9). @throws EndpointError when there is no connection; its reason says why */
  demand(userId: string): Promise<RelayedConnection>
  /** Who is logged in at the relay server. @throws EndpointError when no answer comes */
  users(): Promise<readonly ListedUser[]>
  /** (22) to (24): logs out and closes every connection. */
  close(): Promise<void>
  /** Resolves when the terminal is closed; with an error when the relay server refuses to let it in again. */
  readonly ended: Promise<EndpointError | null>
}

/** How often a demand is made anew when it crosses one that came. */
const MAX_CROSSINGS = 3

/** Logs in. @throws EndpointError when that fails; EncodeError when the user ID or the password does not fit a log-in */
export async function startTerminal(options: TerminalOptions): Promise<Terminal> {
  const terminal = new RunningTerminal(options)
  await terminal.begin()
  return terminal
}

class RunningTerminal implements Terminal, LineListener {
  readonly userId: string
  readonly ended: Promise<EndpointError | null>
  readonly #options: TerminalOptions
  readonly #server: Peer
  readonly #timeouts: TerminalTimeouts
  readonly #interval: number
  readonly #spare: number
  readonly #token: string
  readonly #apparatus: '11' | '21'
  readonly #emit: Emit
  readonly #end = new Deferred<EndpointError | null>()
  readonly #stop = new AbortController()
  /** In the order of their log-ins. */
  readonly #lines = new Set<Line>()
  #retry: NodeJS.Timeout | undefined
  #count = 0
  #securing: Promise<void> | null = null
  #hasChanged = false
  #closed: Promise<void> | null = null
  #trouble = ''

  constructor(options: TerminalOptions) {
    const { userId, server, random = randomBytes } = options
    this.userId = userId
    this.ended = this.#end.promise
    this.#options = options
    this.#server = { address: server.address, port: server.port ?? LOGIN_RELAY_PORT }
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.#interval = options.interval ?? HOLD_INTERVAL
    this.#spare = options.spare ?? 1
    this.#token = Buffer.from(random(TOKEN_LENGTH)).toString('hex')
    this.#apparatus = options.apparatus ?? '11'
    this.#emit = emitter(this.#apparatus, options.onEvent, options.clock ?? wallClock)
    const { signal } = options
    if (signal?.aborted) this.#stop.abort()
    signal?.addEventListener('abort', () => { if (this.#lines.size === 0) this.#stop.abort() }, { once: true, signal: this.#stop.signal })
  }

  async begin(): Promise<void> {
    await this.#open()
    void this.#secure()
  }

  async demand(userId: string): Promise<RelayedConnection> {
    for (let crossings = 0; ; crossings++) {
      const line = this.#vacant() ?? await this.#open()
      this.#emit({ event: 'demanded', step: '(6)', userId: this.userId, to: userId, connection: line.number })
      const result = await line.demand(userId, this.#timeouts.request)
      if (result instanceof EndpointError) throw result
      if (!(result instanceof RelayedConnection)) {
        if (result.reason === 'crossed' && crossings < MAX_CROSSINGS) continue
        this.#told('(9)', this.userId, userId, result)
        if (result.reason === 'accepted') throw new EndpointError('malformed', 'the relay server accepted without a connection', '')
        throw refusal(result.reason, `relay server ${formatPeer(this.#server)}`, result.detail)
      }
      this.#told('(9)', this.userId, userId, ACCEPTED, line)
      void this.#secure()
      return result
    }
  }

  async users(): Promise<readonly ListedUser[]> {
    const line = this.#vacant() ?? await this.#open()
    const users = await line.users(this.#timeouts.message)
    if (!users) throw new EndpointError('no-answer', `relay server ${formatPeer(this.#server)} did not send its list`, 'try again')
    this.#emit({ event: 'users-listed', users: users.map(({ userId }) => userId) })
    return users
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish()
    return this.#closed
  }

  async #finish(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#retry)
    const [first] = [...this.#lines].sort((a, b) => Number(b.isVacant) - Number(a.isVacant)) as [Line?]
    if (first) {
      this.#emit({ event: 'logged-out', step: '(22)', userId: this.userId, connections: this.#lines.size })
      await first.logOut(this.#timeouts.message)
    }
    for (const line of [...this.#lines]) await line.close()
    await this.#securing
    this.#emit({ event: 'stopped' })
    this.#end.resolve(null)
  }

  // --- its connections ----------------------------------------------------------------------------------------------

  #vacant(): Line | null {
    for (const line of this.#lines) if (line.isVacant) return line
    return null
  }

  /** (1) to (3), and (10) to (12) for a further one. @throws EndpointError */
  async #open(): Promise<Line> {
    const { userId, password, address, localPort, openChannel = plainChannel } = this.#options
    const from: Local = { ...(address === undefined ? {} : { address }), ...(localPort === undefined ? {} : { port: localPort + this.#count }) }
    const number = ++this.#count
    const socket = await connectTcp('the connection to the relay server', { to: this.#server, from, within: this.#timeouts.message, signal: this.#stop.signal })
    const abort = (): void => { socket.resetAndDestroy() }
    this.#stop.signal.addEventListener('abort', abort)
    try {
      const channel = await openChannel(socket, this.#timeouts.message)
      await channel.send({ name: 'login', userId, password, token: this.#token }, this.#timeouts.message)
      const verdict = verdictOf(await channel.receive(['loginAnswer', 'answer'], this.#timeouts.message))
      if (verdict.reason !== 'accepted') throw refusal(verdict.reason, `relay server ${formatPeer(this.#server)}`, verdict.detail)
      const isFirst = this.#lines.size === 0
      const line = new Line(channel, { number, isFirst }, this, { interval: this.#interval, message: this.#timeouts.message })
      this.#emit({ event: 'logged-in', step: isFirst ? '(3)' : '(12)', userId, connection: number, ...channel.local })
      this.#lines.add(line)
      this.#trouble = ''
      return line
    } catch (error) {
      socket.destroy()
      if (this.#stop.signal.aborted) throw cancelled('the log-in')
      throw error instanceof ChannelError
        ? new EndpointError(reasonOfFault(error.fault), `relay server ${formatPeer(this.#server)}: ${error.message}`, 'check that the relay server runs, is of this version, and is encrypted as this end is')
        : error
    } finally {
      this.#stop.signal.removeEventListener('abort', abort)
    }
  }

  /** Opens what is missing and closes what is too much. Never rejects. */
  #secure(): Promise<void> {
    this.#hasChanged = true
    this.#securing ??= this.#fill().finally(() => { this.#securing = null })
    return this.#securing
  }

  async #fill(): Promise<void> {
    clearTimeout(this.#retry)
    try {
      while (this.#hasChanged && !this.#stop.signal.aborted) {
        this.#hasChanged = false
        while (this.#lacksOne()) await this.#open()
        // One more than the spare ones may stay, so that a communication that ends and another that begins change nothing.
        const surplus = [...this.#lines].filter(({ isVacant }) => isVacant).slice(this.#spare + 1)
        for (const line of surplus) await line.close()
      }
    } catch (error) {
      this.#onFailure(error)
    }
  }

  /** Without spare ones, a connection is made only when there is none. */
  #lacksOne(): boolean {
    if (this.#stop.signal.aborted) return false
    return this.#spare === 0 ? this.#lines.size === 0 : [...this.#lines].filter(({ isVacant }) => isVacant).length < this.#spare
  }

  #onFailure(error: unknown): void {
    if (this.#stop.signal.aborted) return
    if (!(error instanceof EndpointError)) throw error
    if (this.#trouble !== error.message) this.#emit({ event: 'error', reason: error.reason, message: error.message, ...this.#server })
    this.#trouble = error.message // told once
    if (this.#lines.size === 0 && FINAL.has(error.reason)) {
      this.#stop.abort()
      this.#end.resolve(error)
    } else {
      this.#retry = setTimeout(() => void this.#secure(), this.#interval)
    }
  }

  // --- as a listener to them ----------------------------------------------------------------------------------------

  onNotified(line: Line, userId: string): void {
    void this.#decide(userId).then(decision => {
      if ('refuse' in decision) {
        line.refuse(decision.refuse)
        this.#told('(8)', userId, this.userId, { reason: 'refused', detail: decision.refuse })
        return
      }
      const connection = line.accept(userId)
      if (!connection) {
        const lost = new RelayedConnection(userId, { send: () => Promise.reject(new ChannelError('lost', 'gone')), over: () => undefined })
        lost.lose('the connection to the relay server was lost')
        decision.take(lost)
        return
      }
      this.#told('(8)', userId, this.userId, ACCEPTED, line)
      decision.take(connection)
      void this.#secure()
    })
  }

  async #decide(userId: string): Promise<Decision> {
    const { onDemand } = this.#options
    try {
      return onDemand ? await onDemand(userId) : { refuse: 'this terminal takes no connections' }
    } catch (error) {
      this.#emit({ event: 'error', reason: 'refused', message: `the demand of ${userId} could not be decided: ${messageOf(error)}` })
      return { refuse: 'the terminal could not decide' }
    }
  }

  onHeld({ number, isFirst }: Line): void {
    this.#emit({ event: 'held', step: isFirst ? '(5)' : '(14)', userId: this.userId, connection: number })
  }

  onComplaint(line: Line, verdict: Verdict): void {
    if (verdict.reason === 'accepted') return
    this.#emit({ event: 'error', reason: verdict.reason, message: `relay server ${formatPeer(this.#server)}, connection ${line.number}: ${describe(verdict)}`, ...this.#server })
  }

  onOver(_line: Line, { userId, sent, received, trouble }: RelayedConnection, isOwn: boolean): void {
    const message = trouble || 'both sides have ended'
    this.#emit({ event: 'communication-ended', step: isOwn ? '(19)' : '(20)', userId: this.userId, to: userId, sent, received, message })
  }

  onReleased(line: Line): void {
    this.#emit({ event: 'released', step: '(21)', userId: this.userId, connection: line.number })
    void this.#secure()
  }

  onEnd(line: Line, message: string): void {
    this.#lines.delete(line)
    this.#emit({ event: 'disconnected', userId: this.userId, connection: line.number, message })
    if (!this.#stop.signal.aborted) void this.#secure()
  }

  #told(step: '(8)' | '(9)', userId: string, to: string, verdict: Verdict, line?: Line): void {
    this.#emit({
      event: 'demand-ended', step, userId, to, outcome: verdict.reason, message: describe(verdict), ...(line ? { connections: [line.number] } : {}),
    })
  }
}

const ACCEPTED: Verdict = { reason: 'accepted', detail: '' }

/** Trying again would not help. */
const FINAL = new Set<string>(['log-in-refused', 'logged-in-elsewhere', 'malformed'])
