// How often a router may do something of its own accord: a token bucket, with a burst of one second's worth. RFC 1812 §4.3.2.8
// asks for one on the ICMP errors that a router sends.

export class TokenBucket {
  #rate: number
  #tokens: number
  /** When tokens were last added. */
  #filled: number

  /** `ratePerSecond` of 0: never. `now` in milliseconds; the bucket begins full. */
  constructor(ratePerSecond: number, now: number) {
    this.#rate = ratePerSecond
    this.#tokens = ratePerSecond
    this.#filled = now
  }

  /** Whether it may be done now; true takes a token. */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#rate, this.#tokens + (now - this.#filled) * this.#rate / 1000)
    this.#filled = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** From now on this rate holds. */
  change(ratePerSecond: number): void {
    this.#rate = ratePerSecond
    this.#tokens = Math.min(this.#tokens, ratePerSecond)
  }
}
