// One connection of a terminal to the relay server, logged in: it is held with (4), carries one communication at a time, and is
// vacant before and after. The terminal (terminal.ts) decides what each is used for.
import { coded, sentenceOf, verdictOf } from '../answers.js'
import { ChannelError } from '../channel/channel.js'
import { EndpointError } from '../errors.js'
import { Deferred, within } from '../waiting.js'
import { RelayedConnection } from './relayed.js'
import type { Verdict } from '../answers.js'
import type { Channel } from '../channel/channel.js'
import type { Message, MessageName, MessageOf } from '../message/index.js'
import type { Carrier } from './relayed.js'

export interface ListedUser { readonly userId: string, readonly connections: number }

export interface LineOptions {
  /** Milliseconds between two hold messages. */
  readonly interval: number
  /** Milliseconds for an answer that the relay server owes at once. */
  readonly message: number
}

/** What a terminal hears of its connections. */
export interface LineListener {
  /** (7). The terminal answers with `accept` or `refuse`. */
  onNotified(line: Line, userId: string): void
  /** (5). */
  onHeld(line: Line): void
  /** The relay server found fault with something. */
  onComplaint(line: Line, verdict: Verdict): void
  /** A communication is over; `isOwn` when this side said so first. */
  onOver(line: Line, connection: RelayedConnection, isOwn: boolean): void
  /** (21): vacant again. */
  onReleased(line: Line): void
  onEnd(line: Line, why: string): void
}

const FROM_RELAY = [
  'holdAnswer', 'demandNotification', 'demandResult', 'relayData', 'relayEnd', 'termination', 'userListEntry', 'userListEnd', 'answer',
] as const satisfies MessageName[]
type FromRelay = typeof FROM_RELAY[number]

export class Line implements Carrier {
  /** vacant · demanding: (6) went, (9) has not come · asked: (7) came, (8) has not gone · used · gone */
  #state: 'vacant' | 'demanding' | 'asked' | 'used' | 'gone' = 'vacant'
  readonly #channel: Channel
  readonly #listener: LineListener
  readonly #timer: NodeJS.Timeout
  readonly #ended: Promise<void>
  #demand: { readonly to: string, readonly outcome: Deferred<Verdict | RelayedConnection | EndpointError> } | null = null
  #list: { readonly users: ListedUser[], readonly done: Deferred<readonly ListedUser[]> } | null = null
  #relayed: RelayedConnection | null = null
  #heard = performance.now()
  #isHolding = false

  /** Counts the terminal's connections, from 1. */
  readonly number: number
  /** It is not a spare one, (10) to (14). */
  readonly isFirst: boolean

  /** The first hold message goes at once. */
  constructor(channel: Channel, { number, isFirst }: Pick<Line, 'number' | 'isFirst'>, listener: LineListener, { interval, message }: LineOptions) {
    this.number = number
    this.isFirst = isFirst
    this.#channel = channel
    this.#listener = listener
    this.#timer = setInterval(() => this.#hold(interval + message), interval)
    this.#ended = this.#read()
    this.#hold(interval + message)
  }

  get isVacant(): boolean { return this.#state === 'vacant' }

  /** (6). The communication, or the relay server's reason (9) why there is none, or why no reason came. */
  async demand(to: string, limit: number): Promise<Verdict | RelayedConnection | EndpointError> {
    const outcome = new Deferred<Verdict | RelayedConnection | EndpointError>()
    this.#demand = { to, outcome }
    this.#state = 'demanding'
    this.#tell({ name: 'demand', userId: to })
    const result = await within(outcome.promise, limit)
    if (result) return result
    this.reset() // nobody knows what state it is in at the relay server
    return new EndpointError('no-answer', `the relay server did not answer a demand for ${to} within ${limit} ms`, 'try again')
  }

  /** (8). Null when the connection has been lost meanwhile. */
  accept(userId: string): RelayedConnection | null {
    if (this.#state !== 'asked') return null
    const relayed = this.#use(userId)
    this.#tell({ name: 'demandAnswer', reason: 0 })
    return relayed
  }

  refuse(detail: string): void {
    if (this.#state !== 'asked') return
    this.#state = 'vacant'
    this.#tell({ name: 'demandAnswer', ...coded({ reason: 'refused', detail }) })
  }

  /** Who is logged in; null when no answer came. One question at a time. */
  async users(limit: number): Promise<readonly ListedUser[] | null> {
    if (this.#list) return await within(this.#list.done.promise, limit)
    this.#list = { users: [], done: new Deferred() }
    this.#tell({ name: 'userListRequest' })
    return await within(this.#list.done.promise, limit)
  }

  /** (22): this one is said to go, and the others with it. */
  async logOut(limit: number): Promise<void> {
    await this.#channel.send({ name: 'logout' }, limit).catch(ignoreLoss)
  }

  /** (23), (24): closes this side first. What still comes is thrown away. */
  async close(): Promise<void> {
    this.#end('closed')
    await this.#channel.close()
    await this.#ended
  }

  reset(): void {
    this.#channel.reset()
  }

  // --- as a carrier -------------------------------------------------------------------------------------------------

  async send(message: Message, limit?: number): Promise<void> {
    await this.#channel.send(message, limit)
  }

  over(notice: { readonly sentence: string } | null): void {
    const relayed = this.#relayed
    if (!relayed) return
    this.#relayed = null
    this.#listener.onOver(this, relayed, notice !== null)
    if (this.#state !== 'used') return
    if (notice) this.#tell({ name: 'termination', ...sentenceOf(notice.sentence) })
    this.#tell({ name: 'release' })
    this.#state = 'vacant'
    this.#heard = performance.now()
    this.#listener.onReleased(this)
  }

  // ------------------------------------------------------------------------------------------------------------------

  #use(userId: string): RelayedConnection {
    this.#state = 'used'
    this.#relayed = new RelayedConnection(userId, this)
    return this.#relayed
  }

  /** What fails to be sent is noticed by the reader. */
  #tell(message: Message): void {
    this.#channel.send(message).catch(ignoreLoss)
  }

  /**
   * (4). While a communication is under way its data may stand before the answer (5) for as long as nobody reads it, so only a
   * connection that is not used is given up.
   */
  #hold(limit: number): void {
    if (this.#state !== 'used' && performance.now() - this.#heard > limit) {
      this.#end(`the relay server has said nothing for ${limit} ms`)
      this.reset()
    }
    if (this.#isHolding || this.#state === 'gone') return
    this.#isHolding = true
    void this.#channel.send({ name: 'hold' }).catch(ignoreLoss).finally(() => { this.#isHolding = false })
  }

  async #read(): Promise<void> {
    try {
      for (;;) await this.#take(await this.#channel.receive(FROM_RELAY))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      this.#end(error.message)
      if (error.fault === 'closed') await this.#channel.close()
      else this.reset()
    }
  }

  async #take(message: MessageOf<FromRelay>): Promise<void> {
    this.#heard = performance.now()
    switch (message.name) {
      case 'holdAnswer': this.#listener.onHeld(this); break
      case 'demandNotification': this.#notified(message.userId); break
      case 'demandResult': this.#takeResult(verdictOf(message)); break
      // Data and a notice that were under way when this side ended belong to nothing any more.
      case 'relayData': await this.#relayed?.take(message.relayed); break
      case 'relayEnd': this.#relayed?.takeEnd(); break
      case 'termination': this.#relayed?.takeTermination(message.sentence ?? ''); break
      case 'userListEntry': this.#list?.users.push({ userId: message.userId, connections: message.connections }); break
      case 'userListEnd':
        this.#list?.done.resolve(this.#list.users)
        this.#list = null
        break
      case 'answer': this.#listener.onComplaint(this, verdictOf(message))
    }
  }

  #notified(userId: string): void {
    if (this.#state !== 'vacant' && this.#state !== 'demanding') throw new ChannelError('malformed', `(7) came on a connection that is ${this.#state}`)
    // A demand of ours that it crossed on the way will be refused as `crossed`.
    this.#state = 'asked'
    this.#listener.onNotified(this, userId)
  }

  #takeResult(verdict: Verdict): void {
    const demand = this.#demand
    if (!demand) throw new ChannelError('malformed', '(9) came and nothing was demanded')
    this.#demand = null
    if (verdict.reason !== 'accepted') {
      if (this.#state === 'demanding') this.#state = 'vacant'
      demand.outcome.resolve(verdict)
    } else if (this.#state === 'demanding') {
      demand.outcome.resolve(this.#use(demand.to))
    } else {
      throw new ChannelError('malformed', `(9) accepts a demand on a connection that is ${this.#state}`)
    }
  }

  /** Only the first end counts. */
  #end(why: string): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    clearInterval(this.#timer)
    this.#relayed?.lose(why)
    this.#demand?.outcome.resolve(new EndpointError('connection-lost', `the connection to the relay server was lost before it answered: ${why}`, 'try again'))
    this.#list?.done.resolve([])
    this.#listener.onEnd(this, why)
  }
}

function ignoreLoss(error: unknown): void {
  if (!(error instanceof ChannelError)) throw error
}
