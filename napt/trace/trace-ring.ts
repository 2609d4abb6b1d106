// Where the thread that forwards puts what it did with each frame, without allocating anything: a ring of bytes that another thread
// reads (TraceReader) while this one goes on. Its size is all the memory there is: what does not fit is refused, and counted by
// the caller; forwarding never waits for whoever reads.
//
// A record is written in two steps: `open` keeps the head of a frame before the router rewrites it, `close` adds what became of it.
// The other thread sees nothing before `publish`; this one may read it before that (`unpublished`).
import type { NumberMemory } from './explanation-numbers.js'
import { ACTIONS, aligned, CONTROL, CONTROL_BYTES, HEAD, HEADER_BYTES, NO_REASON, SIDES, TRACE_FACT, TRACE_SHIFT, UNIT, WORD } from './trace-layout.js'
import { TraceView } from './trace-view.js'
import type { TraceAction, TraceRecord } from './trace.js'
import { DROP_REASON_NAMES, type DropReason, type Side } from '../verdict.js'

const FORWARD = ACTIONS.indexOf('forward'), LAN = SIDES.indexOf('lan'), WAN = SIDES.indexOf('wan')

/** In place of a frame, for records without one that came in. */
export const NO_FRAME: DataView = new DataView(new ArrayBuffer(0))

export class TraceRing implements NumberMemory {
  /** For a TraceReader. */
  readonly memory: SharedArrayBuffer
  readonly words: Int32Array
  readonly doubles: Float64Array
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #control: Int32Array
  readonly #units: number
  readonly #reading: TraceView
  /** Positions: behind the last record, behind the last published one, and where the reader was when it was last looked at. */
  #next = 0
  #published = 0
  #read = 0
  /** The unit at which the open record begins, or -1 where there is no room; and units at the memory's end that it leaves out. */
  #at = -1
  #skipped = 0
  /** The frame that it is about. */
  #source = NO_FRAME
  #start = 0
  #length = 0
  #facts = 0

  /** @param capacity bytes, a power of two; used only as far as it is filled */
  constructor(capacity: number) {
    this.memory = new SharedArrayBuffer(CONTROL_BYTES + capacity)
    this.#control = new Int32Array(this.memory, 0, CONTROL_BYTES / 4)
    this.words = new Int32Array(this.memory, CONTROL_BYTES)
    this.doubles = new Float64Array(this.memory, CONTROL_BYTES)
    this.#bytes = new Uint8Array(this.memory, CONTROL_BYTES)
    this.#view = new DataView(this.memory, CONTROL_BYTES)
    this.#units = capacity / UNIT
    this.#reading = new TraceView(this.memory)
  }

  /** Nothing has been written since the last `publish` or `clear`. */
  get isEmpty(): boolean { return this.#next === this.#published }

  /**
   * Begins the record of a frame that came in, `source[start, end)`, before any of it is rewritten.
   * @returns the word at which the record begins, for time and explanation (WORD); -1 where there is no room
   */
  open(source: DataView, start: number, end: number, isPartial: boolean): number {
    const length = end - start, head = Math.min(length, HEAD), at = this.#find(bytesOf(length, 0))
    this.#source = source
    this.#start = start
    this.#length = length
    this.#facts = isPartial ? TRACE_FACT.isPartial : 0
    this.#at = at
    if (at < 0) return -1
    copyShort(source, start, head, this.#view, at * UNIT + HEADER_BYTES + aligned(head))
    const word = at * UNIT >> 2
    this.words[word + WORD.explanation] = 0
    return word
  }

  /**
   * Ends the open record. `sent` is a frame of the router's own that went out at `sentSide`; with null, the open frame itself went out
   * there, as it is now. False where there was no room.
   */
  close(action: TraceAction, reason: DropReason | null, waited: boolean, receivedSide: Side | null, sentSide: Side | null, sent: Uint8Array | null): boolean {
    const length = this.#length, bytes = bytesOf(length, sent?.length ?? 0), wentOn = sentSide !== null && sent === null
    if (this.#at < 0 || (sent !== null && !this.#enlarge(bytes))) return false
    const head = Math.min(length, HEAD), frames = this.#at * UNIT + HEADER_BYTES, received = frames + aligned(head)
    if (wentOn) copyShort(this.#source, this.#start, head, this.#view, frames)
    if (length > head) this.#bytes.set(new Uint8Array(this.#source.buffer, this.#source.byteOffset + this.#start + head, length - head), received + head)
    if (sent !== null) this.#bytes.set(sent, received + aligned(length))
    const words = this.words, word = this.#at * UNIT >> 2
    words[word + WORD.facts] = this.#facts | (waited ? TRACE_FACT.waited : 0) | (wentOn ? TRACE_FACT.wentOn : 0) | codeOf(action) << TRACE_SHIFT.action |
      sideCode(receivedSide) << TRACE_SHIFT.received | sideCode(sentSide) << TRACE_SHIFT.sent | (reason === null ? NO_REASON : DROP_REASON_NAMES.indexOf(reason)) << TRACE_SHIFT.reason
    words[word + WORD.receivedLength] = length
    words[word + WORD.sentLength] = wentOn ? length : sent?.length ?? 0
    words[word + WORD.units] = bytes / UNIT
    if (this.#skipped > 0) words[(this.#next & this.#units - 1) * UNIT >> 2] = 0
    this.#next = this.#next + this.#skipped + bytes / UNIT | 0
    return true
  }

  /** The records that nobody in another thread has seen yet; they stay. Their frames are copies. */
  unpublished(): TraceRecord[] {
    const view = this.#reading, records: TraceRecord[] = []
    for (let at = view.moveTo(this.#published); at !== this.#next; at = view.moveTo(view.next)) {
      if (!view.isFiller) records.push(view.record())
    }
    return records
  }

  /** The reader may have all that was written. True when it waits to be told so. */
  publish(): boolean {
    this.#published = this.#next
    Atomics.store(this.#control, CONTROL.written, this.#next)
    return Atomics.load(this.#control, CONTROL.isAsleep) === 1 && Atomics.exchange(this.#control, CONTROL.isAsleep, 0) === 1
  }

  /** Forgets all that was written: for a ring that no other thread reads. It begins anew, in memory that is at hand. */
  clear(): void {
    this.#next = 0
    this.#published = 0
  }

  /** The unit from which on so many bytes are free in one piece, or -1. */
  #find(bytes: number): number {
    const units = bytes / UNIT, at = this.#next & this.#units - 1, skipped = at + units > this.#units ? this.#units - at : 0
    if (units + skipped > this.#free) {
      this.#read = Atomics.load(this.#control, CONTROL.read)
      if (units + skipped > this.#free) return -1
    }
    this.#skipped = skipped
    return skipped > 0 ? 0 : at
  }

  get #free(): number { return this.#units - (this.#next - this.#read | 0) }

  /** Gives the open record so many bytes, elsewhere if need be. */
  #enlarge(bytes: number): boolean {
    const before = this.#at, at = this.#find(bytes), written = HEADER_BYTES + 2 * aligned(Math.min(this.#length, HEAD))
    if (at >= 0 && at !== before) this.#bytes.copyWithin(at * UNIT, before * UNIT, before * UNIT + written)
    this.#at = at
    return at >= 0
  }
}

// Without a call for what most records are.
const codeOf = (action: TraceAction): number => action === 'forward' ? FORWARD : ACTIONS.indexOf(action)
const sideCode = (side: Side | null): number => side === 'lan' ? LAN : side === 'wan' ? WAN : 0

/** Of a whole record. */
const bytesOf = (received: number, sent: number): number => HEADER_BYTES + aligned(Math.min(received, HEAD)) + aligned(received) + aligned(sent)

/** Word by word: for as few bytes as a header has, a third of the time that `set` and a view of its own would take. */
function copyShort(from: DataView, start: number, length: number, to: DataView, at: number): void {
  const whole = length & -4
  for (let i = 0; i < whole; i += 4) to.setInt32(at + i, from.getInt32(start + i, true), true)
  for (let i = whole; i < length; i++) to.setUint8(at + i, from.getUint8(start + i))
}
