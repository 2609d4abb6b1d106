// Clocks. A router's timers, ARP's among them, run on a clock of its own, which can be advanced, frozen or run at another rate,
// so that a mapping can be made to lapse now, with real programs attached; records carry the wall clock's time.
import { performance } from 'node:perf_hooks'
import { number } from './fields.js'

const SECOND = 1_000_000_000n
/** The wall clock when `performance.now()` was 0. */
const WALL_ORIGIN = BigInt(Math.round(performance.timeOrigin * 1e3)) * 1000n
const ORIGIN = { seconds: Number(WALL_ORIGIN / SECOND), nanoseconds: Number(WALL_ORIGIN % SECOND) }

export interface Clock {
  /** Milliseconds; only differences mean something. Never runs backwards. */
  now(): number
  /** Milliseconds that pass here by themselves while one passes on the machine; 0 on a clock that only others move. */
  readonly rate: number
  /** Nanoseconds since 1970, for records: the frames' true time, whatever this clock says. */
  wallTime(): bigint
  /** The same as two numbers, seconds and nanoseconds, in `words[at]` and behind it: a bigint would be an allocation a frame. */
  stamp(words: Int32Array, at: number): void
  /** Lets `milliseconds` pass on this clock alone. */
  advance(milliseconds: number): void
}

/** How slow and how fast a router's clock may run: beyond these, timers of a millisecond or of a day mean nothing any more. */
export const CLOCK_RATES = { least: 0.001, most: 1000 } as const

/** Begins at 0 and runs with the machine's time, until it is told otherwise. Whoever changes it has to set timers anew. */
export class RouterClock implements Clock {
  readonly #machine: () => number
  #rate = 1
  /** What both clocks said when the rate was last changed. */
  #since: number
  #then = 0

  /** `machine` is a clock in milliseconds that never runs backwards. */
  constructor(machine = (): number => performance.now()) {
    this.#machine = machine
    this.#since = machine()
  }

  now(): number { return this.#then + (this.#machine() - this.#since) * this.#rate }
  /** 0 while it is frozen. */
  get rate(): number { return this.#rate }
  wallTime(): bigint { return wallTime() }

  stamp(words: Int32Array, at: number): void {
    const now = performance.now(), seconds = Math.floor(now / 1000), nanoseconds = Math.round((now - seconds * 1000) * 1e6) + ORIGIN.nanoseconds
    const carry = nanoseconds < 1e9 ? 0 : 1
    words[at] = seconds + ORIGIN.seconds + carry
    words[at + 1] = nanoseconds - carry * 1e9
  }

  /** Works on a frozen clock too. */
  advance(milliseconds: number): void { this.#then += milliseconds }
  /** Stands still from now on, but for `advance`. */
  freeze(): void { this.#turn(0) }
  /** Goes on from where it stands, `rate` times as fast as the machine's. @throws ConfigError unless the rate is one of CLOCK_RATES */
  run(rate = 1): void { this.#turn(number(rate, 'rate', CLOCK_RATES.least, CLOCK_RATES.most)) }

  #turn(rate: number): void {
    this.#then = this.now()
    this.#since = this.#machine()
    this.#rate = rate
  }
}

/** The time of the frames of a capture file. */
export class FileClock implements Clock {
  #time = 0n

  readonly rate = 0
  now(): number { return Number(this.#time / 1000n) / 1000 }
  wallTime(): bigint { return this.#time }

  stamp(words: Int32Array, at: number): void {
    words[at] = Number(this.#time / SECOND)
    words[at + 1] = Number(this.#time % SECOND)
  }

  advance(milliseconds: number): void { this.#time += BigInt(Math.round(milliseconds * 1e6)) }
  /** The next frame's time, nanoseconds since 1970; an earlier one than before is taken for the same moment. */
  set(time: bigint): void { if (time > this.#time) this.#time = time }
}

/** The wall clock in nanoseconds since 1970, steady within a process. */
export const wallTime = (): bigint => WALL_ORIGIN + BigInt(Math.round(performance.now() * 1e6))

/** What `stamp` has written. */
export const timeOfStamp = (words: Int32Array, at: number): bigint => BigInt(words[at] >>> 0) * SECOND + BigInt(words[at + 1])
