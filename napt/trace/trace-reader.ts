// The other end of a TraceRing, in another thread: one record after the other, as far as they have been published.
import { CONTROL, CONTROL_BYTES, segmentUnits } from './trace-layout.js'
import { TraceView } from './trace-view.js'

export class TraceReader {
  /** The record at which `next` has arrived; good until `release`. */
  readonly record: TraceView
  readonly #control: Int32Array
  /** Units. */
  readonly #segment: number
  /** Numbers of those that have been read and not been given back. */
  readonly #left: number[] = []
  #position = 0
  #written = 0

  /** @param memory a TraceRing's, from which nobody has read yet */
  constructor(memory: SharedArrayBuffer) {
    this.record = new TraceView(memory)
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4)
    this.#segment = segmentUnits(memory.byteLength - CONTROL_BYTES)
  }

  /** Goes on to the next record; false when there is none yet. */
  next(): boolean {
    const { record } = this
    for (;;) {
      if (this.#position === this.#written) this.#written = Atomics.load(this.#control, CONTROL.written)
      if (this.#position === this.#written) return false
      const at = record.moveTo(this.#position)
      this.#position = record.next
      if (!record.isFiller) return true
      this.#left.push(Math.floor(at / this.#segment))
    }
  }

  /** Gives the segments that have been read to their end back to the writer. */
  release(): void {
    for (const segment of this.#left.splice(0)) {
      Atomics.store(this.#control, CONTROL.segments + segment, 0)
      Atomics.add(this.#control, CONTROL.freed, 1)
    }
  }

  /** From now on the writer tells when there is more (TraceRing.publish). False when there is more already. */
  sleep(): boolean {
    Atomics.store(this.#control, CONTROL.isAsleep, 1)
    return Atomics.load(this.#control, CONTROL.written) === this.#position || Atomics.exchange(this.#control, CONTROL.isAsleep, 0) === 0
  }
}
