// Clocks. A router's timers run on a clock of its own, which can be advanced, so that a mapping can be made to lapse now, with
// real programs attached; records carry the wall clock's time.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Milliseconds; only differences mean something. Never runs backwards. */
  now(): number
  /** Nanoseconds since 1970, for records. */
  wallTime(): bigint
  /** Lets `milliseconds` pass on this clock alone. */
  advance(milliseconds: number): void
}

/** The machine's time, and as much more as it was advanced. */
export class RouterClock implements Clock {
  #advanced = 0

  now(): number { return performance.now() + this.#advanced }
  wallTime(): bigint { return wallTime() }
  advance(milliseconds: number): void { this.#advanced += milliseconds }
}

/** The time of the frames of a capture file. */
export class FileClock implements Clock {
  #time = 0n

  now(): number { return Number(this.#time / 1000n) / 1000 }
  wallTime(): bigint { return this.#time }
  advance(milliseconds: number): void { this.#time += BigInt(Math.round(milliseconds * 1e6)) }
  /** The next frame's time, nanoseconds since 1970; an earlier one than before is taken for the same moment. */
  set(time: bigint): void { if (time > this.#time) this.#time = time }
}

const wallOffset = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n - process.hrtime.bigint()

/** The wall clock in nanoseconds since 1970, steady within a process. */
export const wallTime = (): bigint => process.hrtime.bigint() + wallOffset
