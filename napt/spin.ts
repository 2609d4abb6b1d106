// Whether to look for frames once more before the event loop puts the thread to sleep. A wake-up costs more than most frames do: in a
// dialogue, where each frame waits for the one before, it is most of the round trip. So, as KVM polls before it halts a processor, the
// loop looks on for a moment, but only while that pays: when the last frames came so soon that looking on would have met them.
// One wait that was longer ends it. An idle router therefore sleeps, and so does one whose frames come now and then.

/** Milliseconds. Twice what a wake-up takes; the other end of a cable on the same machine answers within it. */
export const LONGEST_SPIN = 0.05

export class Spin {
  #since = -Infinity
  #pays = false

  /** The event loop says that frames are there. `now` in milliseconds, as below. */
  woken(now: number): void { this.#pays = now - this.#since < LONGEST_SPIN }

  /** Everything that was there has been taken. */
  worked(now: number): void { this.#since = now }

  /** Nothing is there: whether to look again. */
  goesOn(now: number): boolean { return this.#pays && now - this.#since < LONGEST_SPIN }
}
