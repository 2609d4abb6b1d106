// Times of packets in nanoseconds, as the two 32-bit halves of a number, made from the words that files hold: an arithmetic step on
// bigints makes a new one, which would be a third of the time of reading a packet.

const WORD = 2 ** 32, NANOSECONDS_A_SECOND = 1_000_000_000n
/** Times a word, this still is a whole number that a double holds. */
const LARGEST_FACTOR = 1_000_000

/** One object is used again for every time. */
export class Nanoseconds {
  high = 0
  low = 0
  /** The second that came last, in nanoseconds: packets of one second stand together. */
  #second = -1
  #secondHigh = 0
  #secondLow = 0

  /** @param seconds 0 to 2^32 - 1. @param fraction nanoseconds, a whole number below 2^52; more than a second is carried over */
  set(seconds: number, fraction: number): void {
    if (seconds !== this.#second) {
      const start = BigInt(seconds) * NANOSECONDS_A_SECOND
      this.#second = seconds
      this.#secondHigh = Number(start >> 32n)
      this.#secondLow = Number(start & 0xffff_ffffn)
    }
    this.#join(this.#secondHigh, this.#secondLow + fraction)
  }

  /** @param high and `low` halves of a number of units. @param nanosecondsAUnit what one is. @returns false where 64 bits may not hold it: nothing is set then */
  setUnits(high: number, low: number, nanosecondsAUnit: number): boolean {
    const product = high * nanosecondsAUnit
    if (nanosecondsAUnit !== 1 && (nanosecondsAUnit > LARGEST_FACTOR || product >= WORD - LARGEST_FACTOR)) return false
    this.#join(product, low * nanosecondsAUnit)
    return true
  }

  /** Any time; of one that 64 bits do not hold, the lower ones. */
  setTime(time: bigint): void {
    this.high = Number(time >> 32n & 0xffff_ffffn)
    this.low = Number(time & 0xffff_ffffn)
  }

  /** `low` may be more than a word; the sum is to fit 64 bits. */
  #join(high: number, low: number): void {
    if (low < WORD) {
      this.high = high
      this.low = low
    } else {
      const carry = Math.floor(low / WORD)
      this.high = high + carry
      this.low = low - carry * WORD
    }
  }
}
