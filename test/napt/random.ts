// Seeded randomness for property tests: the same seed gives the same run, so that a failure can be seen again.

export class Random {
  #state: number

  constructor(seed: number) { this.#state = seed >>> 0 }

  /** 0 … 2^32 - 1 (mulberry32). */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  /** 0 … limit - 1 */
  below(limit: number): number { return this.word() % limit }

  /** True once in `times`. */
  oneIn(times: number): boolean { return this.below(times) === 0 }

  pick<T>(choices: readonly T[]): T { return choices[this.below(choices.length)] }

  bytes(length: number): Uint8Array { return Uint8Array.from({ length }, () => this.below(256)) }
}
