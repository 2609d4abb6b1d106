// The sending half of a stream over datagrams: what was written, cut into segments; which of them are on their way; which are lost
// and go out anew. A segment keeps its place in the stream, and gets a packet number of its own each time it is sent: so an
// acknowledgement says which sending it answers, a round trip is measured without doubt, and the loss of a retransmission is seen
// as soon as that of a first sending.
import { MAX_RANGES } from '../message/datagram.js'
import { CongestionWindow } from './congestion.js'
import { RetransmissionTimer } from './retransmission-timer.js'
import type { Range } from '../message/datagram.js'

/** Lost, once a packet that was sent this many later has come (fast retransmit: RFC 5681 §3.2, RFC 9002 §6.1.1). */
const REORDERING = 3
/** After so many time-outs in a row full-sized packets are suspected of not passing at all, and smaller ones are sent. */
const SHRINK_AFTER = 3

/** A piece of the stream. The end of the stream is a position, too, so `to` is one more than the bytes where `isLast`. */
export interface Segment { readonly from: number, readonly to: number, readonly bytes: Uint8Array, readonly isLast: boolean }
interface Flight { readonly segment: Segment, readonly sentAt: number }
export interface Outbound { readonly number: number, readonly segment: Segment }
interface Report { readonly largest: number, readonly position: number, readonly limit: number, readonly ranges: readonly Range[] }

export class Outgoing {
  readonly #timer = new RetransmissionTimer()
  readonly #congestion: CongestionWindow
  /** Bytes of a segment. */
  #segmentLength: number
  readonly #smallLength: number
  /** Written and not yet cut. */
  readonly #queue: Uint8Array[] = []
  #queued = 0
  /** By packet number, rising. */
  readonly #flight = new Map<number, Flight>()
  #flying = 0
  /** By position, rising. */
  #lost: Segment[] = []
  /** Where the next new segment begins. */
  #position = 0
  #nextNumber = 1
  /** The other end takes nothing from here on. */
  #limit = 0
  #isEnding = false
  /** The last segment was cut; its end is the position that has to be acknowledged. */
  #hasEnded = false
  #acknowledged = 0
  /** When the timer runs out; Infinity while nothing is awaited. */
  #deadline = Infinity
  /** An acknowledgement is to be asked for: the other end had no room. */
  #isAsking = false

  /** @param length bytes of a full segment, and `small` where those do not pass */
  constructor(length: number, small: number) {
    this.#segmentLength = length
    this.#smallLength = small
    this.#congestion = new CongestionWindow(length)
  }

  /** Bytes that were written and are not acknowledged. */
  get held(): number { return this.#queued + this.#position - this.#acknowledged }
  /** Everything, the end too, has reached the other end. */
  get isDone(): boolean { return this.#hasEnded && this.#acknowledged === this.#position }
  get deadline(): number { return this.#deadline }

  /** The other end takes bytes before this position. */
  allow(limit: number): void { this.#limit = Math.max(this.#limit, limit) }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#queue.push(bytes.slice()) // the writer may use its memory again
    this.#queued += bytes.length
  }

  end(): void { this.#isEnding = true }

  /** What is to be sent now, if anything. */
  next(now: number): Outbound | null {
    const segment = this.#lost[0] ? this.#nextLost() : this.#nextNew()
    if (segment === null) {
      if (!this.#isBlocked) return null
      this.#arm(now) // where nothing answers, a word that there is room again may have been lost
      if (!this.#isAsking) return null
      this.#isAsking = false
      return this.question()
    }
    const number = this.#nextNumber++
    this.#flight.set(number, { segment, sentAt: now })
    this.#flying += segment.to - segment.from
    this.#arm(now)
    return { number, segment }
  }

  /** A packet that only asks for an acknowledgement. */
  question(): Outbound {
    return { number: this.#nextNumber++, segment: { from: this.#position, to: this.#position, bytes: new Uint8Array(0), isLast: false } }
  }

  acknowledge(now: number, report: Report): void {
    const { largest, position, limit, ranges } = report
    if (largest >= this.#nextNumber || position > this.#position) return // nothing of the kind was ever sent
    this.allow(limit)
    const isUsed = this.#flying + this.#segmentLength > this.#congestion.size
    const isThere = ({ from, to }: Segment): boolean => to <= position || ranges.some(range => range.from <= from && to <= range.to)
    const sample = this.#flight.get(largest)
    if (sample && isThere(sample.segment)) this.#timer.measured(now - sample.sentAt)
    let isProgress = position > this.#acknowledged
    for (const [number, { segment }] of this.#flight) {
      if (!isThere(segment)) continue
      this.#flight.delete(number)
      this.#flying -= segment.to - segment.from
      this.#congestion.acknowledged(number, segment.to - segment.from, isUsed)
      isProgress = true
    }
    this.#lost = this.#lost.filter(segment => !isThere(segment))
    this.#acknowledged = Math.max(this.#acknowledged, position)
    if (isProgress) this.#timer.relax()
    this.#findLost(report)
    if (isProgress || this.#flight.size === 0) this.#rearm(now)
  }

  /** The timer has run out: all that is on its way counts as lost, and the wait doubles (RFC 6298 §5.4–5.6). */
  advance(now: number): void {
    if (now < this.#deadline) return
    this.#timer.backOff()
    if (this.#flight.size > 0) {
      this.#congestion.timedOut(this.#flying, this.#nextNumber)
      for (const [number] of this.#flight) this.#lose(number)
      if (this.#timer.backOffs >= SHRINK_AFTER) this.#segmentLength = Math.min(this.#segmentLength, this.#smallLength)
    } else {
      this.#isAsking = true
    }
    this.#rearm(now)
  }

  #findLost({ largest, ranges }: Report): void {
    // A full report is silent about what came behind its last range.
    const known = ranges.length < MAX_RANGES ? Infinity : ranges[MAX_RANGES - 1].to
    for (const [number, { segment }] of this.#flight) {
      if (number + REORDERING > largest) return
      if (segment.from >= known) continue
      this.#congestion.lost(number, this.#nextNumber)
      this.#lose(number)
    }
  }

  #lose(number: number): void {
    const lost = this.#flight.get(number)
    if (!lost) return
    this.#flight.delete(number)
    this.#flying -= lost.segment.to - lost.segment.from
    const at = this.#lost.findLastIndex(({ from }) => from < lost.segment.from)
    this.#lost.splice(at + 1, 0, lost.segment)
  }

  /** Nothing is on its way, and the other end's limit keeps back what there is. */
  get #isBlocked(): boolean { return this.#flight.size === 0 && this.#queued > 0 && this.#position >= this.#limit }

  #nextLost(): Segment | null {
    const [segment] = this.#lost
    if (!this.#hasRoom(Math.min(this.#segmentLength, segment.to - segment.from))) return null
    this.#lost.shift()
    if (segment.bytes.length <= this.#segmentLength) return segment
    const middle = segment.from + this.#segmentLength
    this.#lost.unshift({ ...segment, from: middle, bytes: segment.bytes.subarray(this.#segmentLength) })
    return { from: segment.from, to: middle, bytes: segment.bytes.subarray(0, this.#segmentLength), isLast: false }
  }

  #nextNew(): Segment | null {
    const length = Math.min(this.#segmentLength, this.#queued, this.#limit - this.#position)
    const isLast = this.#isEnding && !this.#hasEnded && length === this.#queued
    if ((length <= 0 && !isLast) || !this.#hasRoom(length)) return null
    // The other end has room for a part of a packet only: more is awaited (RFC 1122 §4.2.3.4), unless nothing is to come.
    if (length < Math.min(this.#segmentLength, this.#queued) && this.#flight.size > 0) return null
    const bytes = this.#cut(length)
    const from = this.#position
    this.#position += length + (isLast ? 1 : 0)
    if (isLast) this.#hasEnded = true
    return { from, to: this.#position, bytes, isLast }
  }

  /** With nothing on its way there is always room for one. */
  #hasRoom(length: number): boolean { return this.#flying === 0 || this.#flying + length <= this.#congestion.size }

  /** Takes bytes from the front of the queue. */
  #cut(length: number): Uint8Array {
    this.#queued -= length
    if (length < this.#queue[0]?.length) {
      const out = this.#queue[0].subarray(0, length)
      this.#queue[0] = this.#queue[0].subarray(length)
      return out
    }
    const out = new Uint8Array(length)
    for (let at = 0; at < length;) {
      const [first] = this.#queue
      const taken = first.subarray(0, length - at)
      out.set(taken, at)
      at += taken.length
      if (taken.length === first.length) this.#queue.shift()
      else this.#queue[0] = first.subarray(taken.length)
    }
    return out
  }

  #arm(now: number): void { if (this.#deadline === Infinity) this.#deadline = now + this.#timer.length }

  #rearm(now: number): void {
    this.#deadline = this.#flight.size > 0 || this.#lost.length > 0 || this.#isBlocked ? now + this.#timer.length : Infinity
  }
}
