// The router's clock: milliseconds since it was started, and as much more as it was advanced. All timers run on it, so that
// a mapping can be made to lapse now, with real programs attached.
import { performance } from 'node:perf_hooks'

export interface Clock { now(): number }

export class RouterClock implements Clock {
  #advanced = 0

  now(): number { return performance.now() + this.#advanced }

  /** @param milliseconds above 0: a clock does not run backwards */
  advance(milliseconds: number): void { this.#advanced += milliseconds }
}

/** The wall clock in nanoseconds since 1970, steady within a process. */
const wallOffset = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n - process.hrtime.bigint()
export const wallTime = (): bigint => process.hrtime.bigint() + wallOffset
