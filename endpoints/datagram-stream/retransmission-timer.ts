// How long to wait for an acknowledgement: the estimator of RFC 6298. It differs from the RFC in its bounds, which suit a
// connection that gives up after a minute of silence: 200 ms at least (rather than 1 s) and 2 s at most (rather than 60 s).

const MIN = 200
const MAX = 2_000
/** Before the first measurement (RFC 6298 §2.1). */
const INITIAL = 1_000

export class RetransmissionTimer {
  #smoothed: number | null = null
  #variation = 0
  #backOffs = 0

  /** Takes a measured round trip, ms. The sender takes it from the last sending alone, so none is ambiguous (Karn). */
  measured(ms: number): void {
    if (this.#smoothed === null) {
      this.#smoothed = ms
      this.#variation = ms / 2
      return
    }
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - ms)
    this.#smoothed = 0.875 * this.#smoothed + 0.125 * ms
  }

  /** It has run out (RFC 6298 §5.5). */
  backOff(): void { this.#backOffs++ }

  /** Something new was acknowledged. */
  relax(): void { this.#backOffs = 0 }

  /** How often in a row it has run out. */
  get backOffs(): number { return this.#backOffs }

  /** Milliseconds. */
  get length(): number {
    const base = this.#smoothed === null ? INITIAL : Math.max(MIN, this.#smoothed + 4 * this.#variation)
    return Math.min(MAX, base * 2 ** Math.min(this.#backOffs, 16))
  }
}
