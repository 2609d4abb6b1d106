// The other end of a TraceRing, in another thread: one record after the other, as far as they have been published.
import { CONTROL, CONTROL_BYTES } from './trace-layout.js'
import { TraceView } from './trace-view.js'

export class TraceReader {
  /** The record at which `next` has arrived; good until `release`. */
  readonly record: TraceView
  readonly #control: Int32Array
  #position = 0
  #written = 0

  /** @param memory a TraceRing's, from which nobody has read yet */
  constructor(memory: SharedArrayBuffer) {
    this.record = new TraceView(memory)
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4)
  }

  /** Goes on to the next record; false when there is none yet. */
  next(): boolean {
    const { record } = this
    for (;;) {
      if (this.#position === this.#written) this.#written = Atomics.load(this.#control, CONTROL.written)
      if (this.#position === this.#written) return false
      record.moveTo(this.#position)
      this.#position = record.next
      if (!record.isFiller) return true
    }
  }

  /** Gives the memory of all records so far back to the writer. */
  release(): void { Atomics.store(this.#control, CONTROL.read, this.#position) }

  /** From now on the writer tells when there is more (TraceRing.publish). False when there is more already. */
  sleep(): boolean {
    Atomics.store(this.#control, CONTROL.isAsleep, 1)
    return Atomics.load(this.#control, CONTROL.written) === this.#position || Atomics.exchange(this.#control, CONTROL.isAsleep, 0) === 0
  }
}
