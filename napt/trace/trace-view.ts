// One trace record in the memory of a ring, read where it lies; as an object only on request.
import { timeOfStamp } from '../clock.js'
import { choicesOf, passEnds, readExplanation, readKnown, type NumberMemory } from './explanation-numbers.js'
import type { Explanation, KnownSession } from './explanation.js'
import { completeChecksum } from '../packet.js'
import { ACTION_BITS, ACTIONS, aligned, CONTROL_BYTES, explanationBytes, HEAD, HEADER_BYTES, NO_REASON, PASS_BYTES, PASS_HEAD, SIDE_BITS, SIDES, TRACE_FACT, TRACE_SHIFT, UNIT_WORDS, WORD } from './trace-layout.js'
import type { TraceAction, TraceRecord } from './trace.js'
import { DROP_REASON_NAMES, type Side } from '../verdict.js'

export class TraceView implements NumberMemory {
  readonly words: Int32Array
  readonly doubles: Float64Array
  /** Where frames are. */
  readonly bytes: Uint8Array
  #position = 0
  #word = 0

  /** @param memory a TraceRing's */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, CONTROL_BYTES)
    this.doubles = new Float64Array(memory, CONTROL_BYTES)
    this.bytes = new Uint8Array(memory, CONTROL_BYTES)
  }

  /** Looks at the record at a position from now on; gives the position. */
  moveTo(position: number): number {
    this.#position = position
    this.#word = position * UNIT_WORDS
    return position
  }

  /** No record: it is the end of a segment. */
  get isFiller(): boolean { return this.words[this.#word + WORD.units] === 0 }
  /** The position of what comes behind it. */
  get next(): number { return this.isFiller ? this.#facts : this.#position + this.words[this.#word + WORD.units] }

  get action(): TraceAction { return ACTIONS[(this.#facts >>> TRACE_SHIFT.action) & ACTION_BITS] }
  get waited(): boolean { return (this.#facts & TRACE_FACT.waited) !== 0 }
  /** The frame's transport checksum, as it came in and as it went on, is partial (see wire/checksum.ts). */
  get isPartial(): boolean { return (this.#facts & TRACE_FACT.isPartial) !== 0 }
  get receivedSide(): Side | null { return SIDES[(this.#facts >>> TRACE_SHIFT.received) & SIDE_BITS] }
  get sentSide(): Side | null { return SIDES[(this.#facts >>> TRACE_SHIFT.sent) & SIDE_BITS] }
  /** The time as a clock stamps it: seconds since 1970, as 32 bits, and nanoseconds. */
  get seconds(): number { return this.words[this.#word + WORD.time] }
  get nanoseconds(): number { return this.words[this.#word + WORD.time + 1] }
  /** Nanoseconds since 1970. */
  get time(): bigint { return timeOfStamp(this.words, this.#word + WORD.time) }
  get receivedLength(): number { return this.words[this.#word + WORD.receivedLength] }
  /** Where the frame that came in lies in `bytes`. */
  get receivedAt(): number { return (this.#word << 2) + HEADER_BYTES }
  /** Where in `bytes` there is what the first bytes of the frame became, where it went on, and how many of them. The others are those that came in. */
  get sentHeadAt(): number { return this.#sentAt }
  get sentHeadLength(): number { return Math.min(this.receivedLength, this.#isPass ? PASS_HEAD : HEAD) }
  /** The same as a view. */
  get sentHead(): Uint8Array { return this.bytes.subarray(this.#sentAt, this.#sentAt + this.sentHeadLength) }

  /** See choicesOf. */
  get choices(): number { return choicesOf(this, this.#explanation) }

  /** See readKnown. */
  known(session: KnownSession): boolean { return readKnown(this, this.#explanation, session) }

  /** The record with frames of its own, as they would be on a wire. */
  record(): TraceRecord {
    const { receivedSide, sentSide, waited } = this, reason = (this.#facts >>> TRACE_SHIFT.reason) & 255, explanation = this.#explained()
    return {
      time: this.time, action: this.action,
      ...(waited ? { waited } : {}),
      ...(reason === NO_REASON ? {} : { reason: DROP_REASON_NAMES[reason] }),
      ...(explanation === undefined ? {} : { explanation }),
      ...(receivedSide === null ? {} : { received: { side: receivedSide, frame: this.#completed(this.#received()) } }),
      ...(sentSide === null ? {} : { sent: { side: sentSide, frame: this.#sent() } }),
    }
  }

  get #facts(): number { return this.words[this.#word + WORD.facts] }
  get #isPass(): boolean { return (this.#facts & TRACE_FACT.isPass) !== 0 }
  /** In words. */
  get #explanation(): number { return this.#word + (HEADER_BYTES + aligned(this.receivedLength) >> 2) }
  get #sentAt(): number {
    const explanation = this.#explanation
    return (explanation << 2) + (this.#isPass ? PASS_BYTES : explanationBytes(this.words[explanation]))
  }

  #explained(): Explanation | undefined {
    if (!this.#isPass) return readExplanation(this, this.#explanation)
    const received = this.bytes.subarray(this.receivedAt, this.receivedAt + PASS_HEAD)
    return readExplanation(this, this.#explanation, passEnds(received, this.sentHead, this.receivedSide === 'lan'))
  }

  #received(): Uint8Array { return this.bytes.slice(this.receivedAt, this.receivedAt + this.receivedLength) }

  #sent(): Uint8Array {
    if ((this.#facts & TRACE_FACT.wentOn) === 0) {
      const at = this.#sentAt
      return this.bytes.slice(at, at + this.words[this.#word + WORD.sentLength])
    }
    const frame = this.#received()
    frame.set(this.sentHead)
    return this.#completed(frame)
  }

  #completed(frame: Uint8Array): Uint8Array {
    if (this.isPartial) completeChecksum(frame, 0, frame.length)
    return frame
  }
}
