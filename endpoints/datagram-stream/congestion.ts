// How much may be on its way: the congestion window of RFC 5681 in bytes. Slow start, congestion avoidance, and one halving for all
// that is lost out of one window (NewReno, RFC 6582), told by packet numbers as in RFC 9002 §7.

/** Initial window, packets (RFC 6928). */
const INITIAL = 10
/** After a time-out. RFC 5681 says one; two (RFC 9002 §7.2) keep a path that loses every other packet from standing still. */
const MIN = 2

export class CongestionWindow {
  #window: number
  #threshold = Infinity
  /** Packets before this number belong to a window that was reduced already. */
  #recoveredFrom = 0

  /** @param segment bytes of a full packet */
  constructor(private readonly segment: number) {
    this.#window = INITIAL * segment
  }

  /** Bytes. */
  get size(): number { return this.#window }

  /** A packet was acknowledged; `isUsed`: the window was what limited the sender, without which it must not grow (RFC 7661). */
  acknowledged(number: number, bytes: number, isUsed: boolean): void {
    if (number < this.#recoveredFrom || !isUsed) return
    this.#window += this.#window < this.#threshold ? bytes : this.segment * bytes / this.#window
  }

  /** A packet was lost; `next` is the number that the next packet gets. */
  lost(number: number, next: number): void {
    if (number < this.#recoveredFrom) return
    this.#recoveredFrom = next
    this.#threshold = this.#window = Math.max(this.#window / 2, MIN * this.segment)
  }

  /** Nothing was acknowledged for as long as the timer runs (RFC 5681 §3.1); `flight` is what was on its way, bytes. */
  timedOut(flight: number, next: number): void {
    this.#recoveredFrom = next
    this.#threshold = Math.max(flight / 2, MIN * this.segment)
    this.#window = MIN * this.segment
  }
}
