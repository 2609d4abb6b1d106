// Times of packets as nanoseconds in a bigint, made from the 32-bit words that files hold. Every arithmetic step on bigints makes a
// new one; words worked on as numbers make one a packet, which is a third of the time of reading a packet.

const WORD = 2 ** 32, NANOSECONDS_A_SECOND = 1_000_000_000n
/** Times a word, this still is a whole number that a double holds. */
const LARGEST_FACTOR = 1_000_000

export class Nanoseconds {
  readonly #words = new DataView(new ArrayBuffer(8))
  /** The second that came last, in nanoseconds: packets of one second stand together. */
  #second = -1
  #high = 0
  #low = 0

  /** @param seconds 0 to 2^32 - 1. @param fraction nanoseconds, a whole number below 2^52; more than a second is carried over */
  of(seconds: number, fraction: number): bigint {
    if (seconds !== this.#second) {
      const start = BigInt(seconds) * NANOSECONDS_A_SECOND
      this.#second = seconds
      this.#high = Number(start >> 32n)
      this.#low = Number(start & 0xffff_ffffn)
    }
    return this.#join(this.#high, this.#low + fraction)
  }

  /** @param high and `low` words of a number of units. @param nanosecondsAUnit what one is */
  ofUnits(high: number, low: number, nanosecondsAUnit: number): bigint {
    if (nanosecondsAUnit === 1) return this.#join(high, low)
    const product = high * nanosecondsAUnit
    if (nanosecondsAUnit <= LARGEST_FACTOR && product < WORD - LARGEST_FACTOR) return this.#join(product, low * nanosecondsAUnit)
    return this.#join(high, low) * BigInt(nanosecondsAUnit)
  }

  /** `low` may be more than a word; the sum is to fit 64 bits. */
  #join(high: number, low: number): bigint {
    this.#words.setUint32(0, low < WORD ? high : high + Math.floor(low / WORD))
    this.#words.setUint32(4, low)
    return this.#words.getBigUint64(0)
  }
}
