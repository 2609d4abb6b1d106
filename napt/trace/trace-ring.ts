// Where the thread that forwards puts what it did with each frame, without allocating anything: memory in segments, used round and
// round (trace-layout.ts), that another thread reads (TraceReader) while this one goes on. Its size is all the memory there is: what
// does not fit is refused, and counted by the caller; forwarding never waits for whoever reads.
//
// A record is written in two steps: `open` keeps the head of a frame before the router rewrites it, `close` or `closePass` adds what
// became of it. The other thread sees nothing before `publish`; this one may read it before that (`unpublished`).
import type { NumberMemory } from './explanation-numbers.js'
import { ACTIONS, aligned, CONTROL, CONTROL_BYTES, EXPLANATION_BYTES, explanationBytes, HEAD, HEADER_BYTES, NO_REASON, PASS_BYTES, PASS_HEAD, segmentUnits, SIDES, TRACE_FACT, TRACE_SHIFT, UNIT, UNIT_WORDS, WORD } from './trace-layout.js'
import { TraceView } from './trace-view.js'
import type { TraceAction, TraceRecord } from './trace.js'
import { DROP_REASON_NAMES, type DropReason, type Side } from '../verdict.js'

const FORWARD = ACTIONS.indexOf('forward'), LAN = SIDES.indexOf('lan'), WAN = SIDES.indexOf('wan')
// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const HEADER = HEADER_BYTES, HEADER_WORDS = HEADER_BYTES / 4, MOST_EXPLAINED = EXPLANATION_BYTES, PASS_EXPLAINED = PASS_BYTES, HEAD_BYTES = HEAD, PASS_HEAD_BYTES = PASS_HEAD
const UNITS = WORD.units, FACTS = WORD.facts, RECEIVED_LENGTH = WORD.receivedLength, SENT_LENGTH = WORD.sentLength, TIME = WORD.time
const PASS_FACTS = TRACE_FACT.isPass | TRACE_FACT.wentOn | FORWARD << TRACE_SHIFT.action | NO_REASON << TRACE_SHIFT.reason
const PASS_OUTBOUND = PASS_FACTS | LAN << TRACE_SHIFT.received | WAN << TRACE_SHIFT.sent
const PASS_INBOUND = PASS_FACTS | WAN << TRACE_SHIFT.received | LAN << TRACE_SHIFT.sent
/** Shifts for what every packet needs: a quotient would be a fraction to V8. */
const UNIT_SHIFT = Math.log2(UNIT), UNIT_WORD_SHIFT = Math.log2(UNIT_WORDS)
const NONE = -1

/** In place of a frame, for records without one that came in. */
export const NO_FRAME: DataView = new DataView(new ArrayBuffer(0))

export class TraceRing implements NumberMemory {
  /** For a TraceReader. */
  readonly memory: SharedArrayBuffer
  readonly words: Int32Array
  readonly doubles: Float64Array
  readonly #bytes: Uint8Array
  readonly #control: Int32Array
  /** Units. */
  readonly #segment: number
  readonly #segments: number
  readonly #reading: TraceView
  /** Positions: behind the last record, where the segment ends that it is in, and behind the last published one. */
  #next = 0
  #end: number
  #published = 0
  /** How many segments had been freed when none was free, or -1. */
  #freed = NONE
  /** Where the open record begins, or -1 where there is no room; the word at which its explanation does. */
  #at = NONE
  #explanation = 0
  /** The frame that it is about. */
  #source = NO_FRAME
  #start = 0
  #length = 0
  #isPartial = false

  /** @param capacity bytes, a power of two; touched only as far as it is needed */
  constructor(capacity: number) {
    this.memory = new SharedArrayBuffer(CONTROL_BYTES + capacity)
    this.#control = new Int32Array(this.memory, 0, CONTROL_BYTES / 4)
    this.words = new Int32Array(this.memory, CONTROL_BYTES)
    this.doubles = new Float64Array(this.memory, CONTROL_BYTES)
    this.#bytes = new Uint8Array(this.memory, CONTROL_BYTES)
    this.#segment = segmentUnits(capacity)
    this.#segments = capacity / UNIT / this.#segment
    this.#reading = new TraceView(this.memory)
    this.#end = this.#enter(0)
  }

  /** Nothing has been written since the last `publish` or `clear`. */
  get isEmpty(): boolean { return this.#next === this.#published }

  /**
   * Begins the record of a frame that came in, `source[start, end)`, before any of it is rewritten.
   * @returns the word at which the explanation begins, none so far; -1 where there is no room
   */
  open(source: DataView, start: number, end: number, isPartial: boolean): number {
    const length = end - start, most = HEADER + aligned(length) + MOST_EXPLAINED + aligned(Math.min(length, HEAD_BYTES))
    const units = most >> UNIT_SHIFT, at = this.#next + units <= this.#end ? this.#next : this.#find(units)
    if (this.#source !== source) this.#source = source
    this.#start = start
    this.#length = length
    this.#isPartial = isPartial
    this.#at = at
    if (at < 0) return NONE
    const received = (at << UNIT_WORD_SHIFT) + HEADER_WORDS, explanation = received + (aligned(length) >> 2)
    this.#copyHead(Math.min(length, HEAD_BYTES), received)
    this.words[explanation] = 0
    this.#explanation = explanation
    return explanation
  }

  /**
   * Ends the open record. `sent` is a frame of the router's own that went out at `sentSide`; with null, the open frame itself went out
   * there, as it is now. `time` as Clock.stamp writes it. False where there was no room.
   */
  close(action: TraceAction, reason: DropReason | null, waited: boolean, receivedSide: Side | null, sentSide: Side | null, sent: Uint8Array | null, time: Int32Array): boolean {
    if (this.#at < 0 || (sent !== null && !this.#enlarge(sent.length))) return false
    const wentOn = sentSide !== null && sent === null, sentAt = this.#explanation + (explanationBytes(this.words[this.#explanation]) >> 2)
    if (wentOn) this.#copyHead(Math.min(this.#length, HEAD), sentAt)
    if (sent !== null) this.#bytes.set(sent, sentAt << 2)
    const facts = (waited ? TRACE_FACT.waited : 0) | (wentOn ? TRACE_FACT.wentOn : 0) | ACTIONS.indexOf(action) << TRACE_SHIFT.action |
      sideCode(receivedSide) << TRACE_SHIFT.received | sideCode(sentSide) << TRACE_SHIFT.sent | (reason === null ? NO_REASON : DROP_REASON_NAMES.indexOf(reason)) << TRACE_SHIFT.reason
    this.#finish(facts, sent?.length ?? 0, sentAt + (aligned(wentOn ? Math.min(this.#length, HEAD) : sent?.length ?? 0) >> 2), time)
    return true
  }

  /**
   * Ends the open record, for which there was room, of a frame that took the fast path: it went on to the other side, and its
   * explanation is a pass's (explanation-numbers.ts).
   */
  closePass(outbound: boolean, time: Int32Array): void {
    const head = Math.min(this.#length, PASS_HEAD_BYTES), sentAt = this.#explanation + (PASS_EXPLAINED >> 2)
    this.#copyHead(head, sentAt)
    this.#finish(outbound ? PASS_OUTBOUND : PASS_INBOUND, 0, sentAt + (aligned(head) >> 2), time)
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
    this.#control.fill(0, CONTROL.segments)
    this.#next = 0
    this.#published = 0
    this.#freed = NONE
    this.#end = this.#enter(0)
  }

  /** What is the same for every record: numbers of the frame that came in, and its bytes that no router changes. `end` in words. */
  #finish(facts: number, sentLength: number, end: number, time: Int32Array): void {
    const { words } = this, at = this.#at, word = at << UNIT_WORD_SHIFT, length = this.#length, units = (end >> UNIT_WORD_SHIFT) - at
    if (length > HEAD_BYTES) this.#bytes.set(new Uint8Array(this.#source.buffer, this.#source.byteOffset + this.#start + HEAD_BYTES, length - HEAD_BYTES), (word << 2) + HEADER + HEAD_BYTES)
    words[word + UNITS] = units
    words[word + FACTS] = this.#isPartial ? facts | TRACE_FACT.isPartial : facts
    words[word + RECEIVED_LENGTH] = length
    words[word + SENT_LENGTH] = sentLength
    words[word + TIME] = time[0]
    words[word + TIME + 1] = time[1]
    if (at !== this.#next) this.#leaveFor(at)
    this.#next = at + units
  }

  /** Copies the first bytes of the frame to a word of the memory: 60 of them in 28 ns, in a loop in 42; `set` and a view of its own would take 114. */
  #copyHead(length: number, to: number): void {
    const { words } = this, source = this.#source, start = this.#start | 0, whole = length >> 2
    let i = 0
    if (length >= PASS_HEAD_BYTES) {
      words[to | 0] = source.getInt32(start, true)
      words[to + 1 | 0] = source.getInt32(start + 4, true)
      words[to + 2 | 0] = source.getInt32(start + 8, true)
      words[to + 3 | 0] = source.getInt32(start + 12, true)
      words[to + 4 | 0] = source.getInt32(start + 16, true)
      words[to + 5 | 0] = source.getInt32(start + 20, true)
      words[to + 6 | 0] = source.getInt32(start + 24, true)
      words[to + 7 | 0] = source.getInt32(start + 28, true)
      words[to + 8 | 0] = source.getInt32(start + 32, true)
      words[to + 9 | 0] = source.getInt32(start + 36, true)
      words[to + 10 | 0] = source.getInt32(start + 40, true)
      words[to + 11 | 0] = source.getInt32(start + 44, true)
      words[to + 12 | 0] = source.getInt32(start + 48, true)
      words[to + 13 | 0] = source.getInt32(start + 52, true)
      i = PASS_HEAD_BYTES >> 2
    }
    for (; i < whole; i++) words[to + i] = source.getInt32(start + (i << 2), true)
    for (i = whole << 2; i < length; i++) this.#bytes[(to << 2) + i] = source.getUint8(start + i)
  }

  /** Where so many units are free in one piece, or -1. */
  #find(units: number): number {
    if (this.#next + units <= this.#end) return this.#next
    return units < this.#segment ? this.#freeSegment() : NONE
  }

  /** Where the lowest segment begins that is free, or -1. */
  #freeSegment(): number {
    const control = this.#control, freed = Atomics.load(control, CONTROL.freed)
    if (freed === this.#freed) return NONE
    for (let segment = 0; segment < this.#segments; segment++) {
      if (Atomics.load(control, CONTROL.segments + segment) === 0) return segment * this.#segment
    }
    this.#freed = freed
    return NONE
  }

  /** What is written goes on at the beginning of another segment. */
  #leaveFor(at: number): void {
    const word = this.#next * UNIT_WORDS
    this.words[word + UNITS] = 0
    this.words[word + FACTS] = at
    this.#end = this.#enter(at)
  }

  /** Takes the segment that begins at a position. Gives where the room for its records ends. */
  #enter(at: number): number {
    Atomics.store(this.#control, CONTROL.segments + at / this.#segment, 1)
    return at + this.#segment - 1
  }

  /** Gives the open record room for a frame of the router's own, elsewhere if need be. */
  #enlarge(sent: number): boolean {
    const before = this.#at, written = HEADER_BYTES + aligned(this.#length) + EXPLANATION_BYTES
    const at = this.#find((written + aligned(sent)) / UNIT)
    if (at >= 0 && at !== before) this.#bytes.copyWithin(at * UNIT, before * UNIT, before * UNIT + written)
    this.#explanation += (at - before) * UNIT_WORDS
    this.#at = at
    return at >= 0
  }
}

const sideCode = (side: Side | null): number => side === 'lan' ? LAN : side === 'wan' ? WAN : 0
