// Two connections joined: what comes from either goes to the other, in order. A relay's core.
//
// - Back-pressure: a direction reads its next bytes only when the other end has taken the last ones, so a slow reader costs the
//   relay one chunk and the buffers of two sockets, and TCP's window holds the sender back.
// - Half-close: when one end sends no more, the other is told so behind the last byte; the opposite direction runs on.
// - Abort: when one end is lost, the other is reset. What was still under way to it is lost too, as it is when a connection
//   without a relay is reset. (The system tells of a lost connection only while it is read from; behind a reader that takes
//   nothing it shows when the reader goes on, or after `stall`.)
import { deadlineOf, type ReadOutcome, type WriteOutcome } from '../channel/byte-stream.js'
import { Deferred } from '../waiting.js'

/** What can be joined. A ByteStream (a whole connection) is one; so is whatever carries bytes in messages. */
export interface SpliceEnd {
  /** The next bytes; 'ended' when no more will come. One reader at a time. */
  read(): Promise<ReadOutcome>
  /** Resolves when there is room for more. `deadline` as of `deadlineOf`. */
  write(bytes: Uint8Array, deadline: number): Promise<WriteOutcome>
  /** Nothing more will be written. Resolves when all of it is on its way. */
  end(deadline: number): Promise<WriteOutcome>
  /** Ends both directions at once. */
  reset(): void
  /** Calls when the connection is lost while nobody reads or writes. Returns how not to be called any more. */
  onGone(listener: () => void): () => void
  /** Why it was lost, or ''. */
  readonly trouble: string
}

export type SpliceSide = 'first' | 'second'

export interface SpliceOptions {
  /** Milliseconds for which an end may take nothing while something waits for it; without it, as long as it likes. */
  readonly stall?: number | undefined
}

export interface SpliceResult {
  /** 'ended': both ends said that they send no more. 'aborted': one was lost, or `abort` was called, and both were reset. */
  readonly outcome: 'ended' | 'aborted'
  /** The end at which it began: the one that ended last, or was lost; null for `abort`. */
  readonly side: SpliceSide | null
  /** In words; '' for 'ended'. */
  readonly message: string
}

/** Bytes that an end has taken, by the end that they came from. */
export interface SpliceBytes { first: number, second: number }

export interface Splice {
  /** Never rejects. At 'ended' the ends have sent all they had, and are left as they are. */
  readonly ended: Promise<SpliceResult>
  /** As of now. */
  readonly bytes: Readonly<SpliceBytes>
  /** Resets both ends. */
  abort(message: string): void
}

/** Joins two ends, which from then on nobody else reads from or writes to. */
export const splice = (first: SpliceEnd, second: SpliceEnd, options: SpliceOptions = {}): Splice => new RunningSplice({ first, second }, options)

class RunningSplice implements Splice {
  readonly ended: Promise<SpliceResult>
  readonly bytes: SpliceBytes = { first: 0, second: 0 }
  readonly #ends: Readonly<Record<SpliceSide, SpliceEnd>>
  readonly #stall: number | undefined
  readonly #failure = new Deferred<SpliceResult>()
  #last: SpliceSide = 'first'

  constructor(ends: Readonly<Record<SpliceSide, SpliceEnd>>, { stall }: SpliceOptions) {
    this.#ends = ends
    this.#stall = stall
    this.ended = this.#run()
  }

  abort(message: string): void { this.#failure.resolve({ outcome: 'aborted', side: null, message }) }

  async #run(): Promise<SpliceResult> {
    const { first, second } = this.#ends
    const forget = [first.onGone(() => this.#lose('first')), second.onGone(() => this.#lose('second'))]
    const pumps = Promise.all([this.#pump('first', first, second), this.#pump('second', second, first)])
    const ended = pumps.then((): SpliceResult => ({ outcome: 'ended', side: this.#last, message: '' }))
    const result = await Promise.race([this.#failure.promise, ended])
    for (const each of forget) each()
    if (result.outcome === 'ended') return result
    first.reset()
    second.reset()
    await pumps // ends that are reset let go of whoever waits for them
    return result
  }

  /** One direction. Returns when it has ended, or anything has failed. */
  async #pump(side: SpliceSide, from: SpliceEnd, to: SpliceEnd): Promise<void> {
    const other = side === 'first' ? 'second' : 'first'
    for (;;) {
      const chunk = await from.read()
      if (chunk === 'lost' || chunk === 'late') {
        this.#lose(side)
        return
      }
      const deadline = deadlineOf(this.#stall)
      const taken = chunk === 'ended' ? await to.end(deadline) : await to.write(chunk, deadline)
      if (taken !== 'taken') {
        this.#lose(other, taken === 'late' ? `nothing was taken for ${this.#stall ?? 0} ms` : undefined)
        return
      }
      if (chunk === 'ended') break
      this.bytes[side] += chunk.length
    }
    this.#last = side
  }

  #lose(side: SpliceSide, why = this.#ends[side].trouble): void {
    this.#fail(side, `the connection was lost${why ? ` (${why})` : ''}`)
  }

  /** Only the first failure counts; the others follow from it. */
  #fail(side: SpliceSide, message: string): void { this.#failure.resolve({ outcome: 'aborted', side, message }) }
}
