// Token buckets, one a source, in as little memory as can be: a bucket is the time at which it will be full again (the generic
// cell rate algorithm of ITU-T I.371). `burst` go at once, and then one in each `interval`. The time is an argument.

export interface ThrottleOptions {
  readonly burst: number
  /** Milliseconds. */
  readonly interval: number
  /** Milliseconds that a turn may be away; whoever would have to wait longer gets none. */
  readonly limit?: number
  /** Sources with a debt that are remembered; beyond that the one that came first is forgotten. */
  readonly maxSources?: number
}

/** Nobody is held to account for longer than this, milliseconds. */
const MAX_DEBT = 300_000

/** One attempt that may fail. */
export interface Turn {
  /** Milliseconds until it may go ahead. */
  readonly wait: number
  /** To be told once, how it ended. */
  settle(hasFailed: boolean, now: number): void
}

export class Throttle {
  readonly #options: ThrottleOptions
  readonly #limit: number
  readonly #maxSources: number
  /** When each bucket will be full again; those that are stand here no more, once somebody asks. */
  readonly #full = new Map<string, number>()

  constructor(options: ThrottleOptions) {
    this.#options = options
    this.#limit = options.limit ?? Infinity
    this.#maxSources = options.maxSources ?? 4096
  }

  /** Sources remembered. */
  get size(): number { return this.#full.size }

  /** Milliseconds until this source's next turn; takes nothing. */
  wait(source: string, now: number): number {
    const { burst, interval } = this.#options
    return Math.max(0, this.#debt(source, now) - (burst - 1) * interval)
  }

  /** Takes a turn, if there is one at once. */
  take(source: string, now: number): boolean {
    if (this.wait(source, now) > 0) return false
    this.charge(source, now)
    return true
  }

  /** Something has failed: the milliseconds to wait before that is said. */
  failed(source: string, now: number): number {
    const wait = Math.min(this.wait(source, now), this.#limit)
    this.charge(source, now)
    return wait
  }

  /**
   * A turn for an attempt whose failure counts; null when it would have to wait for longer than the limit. Who has no failure
   * to account for goes at once, and is charged for a failure alone, so that many honest ones behind one address do not wait
   * for each other. Who has pays in advance, so that guesses made at the same time are not cheaper than one after another.
   */
  turn(source: string, now: number): Turn | null {
    const wait = this.wait(source, now)
    if (wait > this.#limit) return null
    const isInAdvance = this.#debt(source, now) > 0
    if (isInAdvance) this.charge(source, now)
    return {
      wait,
      settle: (hasFailed, then) => {
        if (hasFailed && !isInAdvance) this.charge(source, then)
        if (!hasFailed && isInAdvance) this.#set(source, this.#debt(source, then) - this.#options.interval, then)
      },
    }
  }

  charge(source: string, now: number): void { this.#set(source, this.#debt(source, now) + this.#options.interval, now) }

  #debt(source: string, now: number): number { return Math.max(0, (this.#full.get(source) ?? 0) - now) }

  #set(source: string, debt: number, now: number): void {
    this.#full.delete(source)
    if (debt <= 0) return
    if (this.#full.size >= this.#maxSources) this.#makeRoom(now)
    this.#full.set(source, now + Math.min(debt, MAX_DEBT))
  }

  /** Forgets those who owe nothing, or else whoever failed the longest ago. */
  #makeRoom(now: number): void {
    for (const [source, full] of this.#full) if (full <= now) this.#full.delete(source)
    for (const source of this.#full.keys()) {
      if (this.#full.size < this.#maxSources) break
      this.#full.delete(source)
    }
  }
}
