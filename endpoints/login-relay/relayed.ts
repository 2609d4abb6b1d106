// One communication between two terminals, as a terminal sees it: bytes both ways inside the messages of one of its connections
// to the relay server. It can be joined with a socket (relay/splice.ts), so an application's own protocol passes unchanged.
//
// Either side ends its own direction by itself (half-close). When both have, the side that ended first sends the termination
// notice (19); so does a side that breaks off, with a sentence that says why.
import { ChannelError } from '../channel/channel.js'
import { FIELDS } from '../message/index.js'
import { Deferred } from '../waiting.js'
import type { ReadOutcome, WriteOutcome } from '../channel/byte-stream.js'
import type { Message } from '../message/index.js'
import type { SpliceEnd } from '../relay/splice.js'

/** What carries it: the terminal's connection. */
export interface Carrier {
  /** @throws ChannelError */
  send(message: Message, within?: number): Promise<void>
  /** The communication is over on this side: (19) unless it came from the other, then (21). */
  over(notice: { readonly sentence: string } | null): void
}

export class RelayedConnection implements SpliceEnd {
  readonly #carrier: Carrier
  readonly #gone = new Set<() => void>()
  #state: 'open' | 'ended' | 'lost' = 'open'
  #trouble = ''
  /** What came and was not read yet. */
  #chunk: Uint8Array | null = null
  #heardEnd = false
  #saidEnd = false
  /** The reader waits for something to come. */
  #wanted: Deferred<null> | null = null
  /** The carrier waits until it is read. */
  #room: Deferred<null> | null = null
  #sent = 0
  #received = 0

  /** @param userId of the other terminal */
  constructor(readonly userId: string, carrier: Carrier) {
    this.#carrier = carrier
  }

  get trouble(): string { return this.#trouble }
  /** Data that was handed to the relay, bytes. */
  get sent(): number { return this.#sent }
  /** Data that came, bytes. */
  get received(): number { return this.#received }

  async read(): Promise<ReadOutcome> {
    for (;;) {
      const chunk = this.#chunk
      if (chunk) {
        this.#chunk = null
        this.#room?.resolve(null)
        return chunk
      }
      if (this.#state === 'lost') return 'lost'
      if (this.#heardEnd || this.#state === 'ended') return 'ended'
      this.#wanted = new Deferred()
      await this.#wanted.promise
    }
  }

  /** (15), (17). `deadline` as of `deadlineOf`. */
  async write(bytes: Uint8Array, deadline = Infinity): Promise<WriteOutcome> {
    for (let at = 0; at < bytes.length; at += FIELDS.relayed.max) {
      const relayed = bytes.subarray(at, at + FIELDS.relayed.max)
      const outcome = await this.#send({ name: 'relayData', relayed }, deadline)
      if (outcome !== 'taken') return outcome
      this.#sent += relayed.length
    }
    return 'taken'
  }

  /** Nothing more will be written; what comes can still be read. */
  async end(deadline = Infinity): Promise<WriteOutcome> {
    if (this.#saidEnd || this.#state === 'ended') return 'taken' // the other side has ended all of it
    this.#saidEnd = true
    return await this.#send({ name: 'relayEnd' }, deadline)
  }

  /** (19): ends both directions behind what was written. */
  terminate(): void {
    if (this.#state === 'open') this.#finish('ended', '', { sentence: '' })
  }

  /** Breaks off; the other side hears that it was no orderly end. */
  reset(): void {
    if (this.#state === 'open') this.#finish('lost', 'it was broken off here', { sentence: 'the other terminal broke off' })
  }

  onGone(listener: () => void): () => void {
    this.#gone.add(listener)
    return () => this.#gone.delete(listener)
  }

  // --- from the carrier ---------------------------------------------------------------------------------------------

  /** (16), (18). Resolves when it was read, so that nobody has to hold more. */
  async take(bytes: Uint8Array): Promise<void> {
    if (this.#state !== 'open') return // it was under way when this side ended
    if (this.#heardEnd) throw new ChannelError('malformed', 'data came after its end')
    this.#received += bytes.length
    this.#chunk = bytes
    this.#room = new Deferred()
    this.#wanted?.resolve(null)
    await this.#room.promise
  }

  takeEnd(): void {
    this.#heardEnd = true
    this.#wanted?.resolve(null)
    if (this.#saidEnd) this.terminate()
  }

  /** (20). */
  takeTermination(sentence: string): void {
    if (this.#state === 'open') this.#finish(sentence ? 'lost' : 'ended', sentence || 'the other terminal has ended the communication', null)
  }

  /** The carrier itself is lost. */
  lose(trouble: string): void {
    if (this.#state === 'open') this.#finish('lost', trouble, null)
  }

  #finish(state: 'ended' | 'lost', trouble: string, notice: { readonly sentence: string } | null): void {
    this.#state = state
    this.#trouble = trouble
    this.#carrier.over(notice)
    this.#wanted?.resolve(null)
    this.#room?.resolve(null)
    if (state === 'lost') for (const listener of [...this.#gone]) listener()
  }

  async #send(message: Message, deadline: number): Promise<WriteOutcome> {
    if (this.#state !== 'open') return 'lost'
    try {
      await this.#carrier.send(message, deadline === Infinity ? undefined : Math.max(0, deadline - performance.now()))
      return 'taken'
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      return error.fault === 'timed-out' ? 'late' : 'lost'
    }
  }
}
