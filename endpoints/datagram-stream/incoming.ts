// The receiving half of a stream over datagrams: puts what comes into order, gives it to the reader once and whole, and knows what
// to acknowledge. Nothing is taken beyond what the reader has room for, so memory is bounded whatever the other end sends.
import { MAX_RANGES } from '../message/datagram.js'
import type { Range } from '../message/datagram.js'

/** Bytes that wait for the reader, in order or behind a hole. */
export const RECEIVE_WINDOW = 512 * 1024
/** Pieces behind holes: as many as fill the window at the smaller packet size. */
const MAX_PIECES = 1024
/** For an acknowledgement that may wait for a second packet, ms (RFC 5681 §4.2 allows 500). */
const ACKNOWLEDGEMENT_DELAY = 25

interface Piece { readonly from: number, readonly to: number, readonly bytes: Uint8Array }

export class Incoming {
  /** In order and not read yet. */
  readonly #ready: Uint8Array[] = []
  /** Behind a hole, by position, without overlaps. */
  readonly #pieces: Piece[] = []
  /** All before it has come. */
  #position = 0
  #read = 0
  /** Where the stream ends, once that is known; the end itself is a position, too. */
  #end = Infinity
  #largest = 0
  /** The limit that the other end was told. */
  #told = RECEIVE_WINDOW
  #unacknowledged = 0
  #deadline = Infinity

  /** When an acknowledgement is due. */
  get deadline(): number { return this.#deadline }
  /** Everything has come. */
  get isComplete(): boolean { return this.#position > this.#end }
  /** Everything has come and was read. */
  get isOver(): boolean { return this.isComplete && this.#ready.length === 0 }
  get limit(): number { return this.#read + RECEIVE_WINDOW }

  /** @returns false when the packet contradicts what came before */
  take(now: number, { number, position, bytes, kind }: { readonly number: number, readonly position: number, readonly bytes: Uint8Array, readonly kind: 'data' | 'end' }): boolean {
    const to = position + bytes.length
    if (kind === 'end' ? (this.#end !== Infinity && this.#end !== to) || this.#lastHeld > to : to > this.#end) return false
    this.#largest = Math.max(this.#largest, number)
    const before = this.#position
    if (to <= this.limit) {
      if (kind === 'end') this.#end = to
      this.#insert(position, bytes)
    }
    if (this.#position === this.#end) this.#position++
    // At once when asked, when something is out of order or comes again, when a hole closes, and at the end (RFC 5681 §4.2).
    const isPlain = bytes.length > 0 && position === before && this.#position === to && this.#pieces.length === 0
    this.#unacknowledged++
    this.#deadline = Math.min(this.#deadline, isPlain && this.#unacknowledged < 2 ? now + ACKNOWLEDGEMENT_DELAY : now)
    return true
  }

  /** The next bytes, or null when there are none now. */
  read(now: number): Uint8Array | null {
    const bytes = this.#ready.shift() ?? null
    if (bytes) {
      this.#read += bytes.length
      // The other end may be waiting for this room.
      if (this.limit - this.#told >= RECEIVE_WINDOW / 2 && !this.isComplete) this.#deadline = now
    }
    return bytes
  }

  /** What has come so far; it counts as acknowledged with this. */
  report(): { largest: number, position: number, limit: number, ranges: Range[] } {
    this.#deadline = Infinity
    this.#unacknowledged = 0
    this.#told = this.limit
    return { largest: this.#largest, position: this.#position, limit: this.#told, ranges: this.#ranges() }
  }

  get #lastHeld(): number { return this.#pieces.at(-1)?.to ?? Math.min(this.#position, this.#end) }

  #insert(position: number, bytes: Uint8Array): void {
    let from = Math.max(position, this.#position)
    const to = position + bytes.length
    let at = this.#pieces.findLastIndex(piece => piece.from <= from) + 1
    from = Math.max(from, this.#pieces[at - 1]?.to ?? 0)
    // What overlaps was cut differently when it was sent again; each gap is filled by itself.
    while (from < to) {
      const next = this.#pieces[at] as Piece | undefined
      const until = Math.min(to, next?.from ?? Infinity)
      if (from < until) {
        if (this.#pieces.length >= MAX_PIECES && from > this.#position) return // it comes again
        this.#pieces.splice(at++, 0, { from, to: until, bytes: bytes.subarray(from - position, until - position) })
      }
      from = Math.max(until, next?.to ?? until)
      at++
    }
    this.#deliver()
  }

  #deliver(): void {
    let count = 0
    for (const { from, to, bytes } of this.#pieces) {
      if (from !== this.#position) break
      this.#ready.push(bytes)
      this.#position = to
      count++
    }
    this.#pieces.splice(0, count)
  }

  #ranges(): Range[] {
    const ranges: Range[] = []
    for (const { from, to } of this.#pieces) {
      const last = ranges.at(-1)
      if (last?.to === from) ranges[ranges.length - 1] = { from: last.from, to }
      else if (ranges.length < MAX_RANGES) ranges.push({ from, to })
      else break
    }
    // The end came behind a hole.
    const last = ranges.at(-1)
    if (last?.to === this.#end) ranges[ranges.length - 1] = { from: last.from, to: last.to + 1 }
    return ranges
  }
}
