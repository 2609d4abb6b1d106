// Which bytes of one IPv4 datagram its fragments have brought so far. No byte may come twice but in an exact duplicate: overlaps
// let a sender rewrite what a filter has already seen (RFC 1858 §4, RFC 3128, RFC 5722 §3).

/**
 * Ranges of one datagram. One of 64 KiB needs 121 over an MTU of 576 and 242 over 296, the smallest in use that RFC 1191 §7.1
 * lists above the minimum; more is somebody wasting memory.
 */
export const MAXIMUM_RANGES = 256

/** Both kinds pass: `new` brought bytes, `known` is the same range again. */
export type RangeOutcome = 'new' | 'known' | 'overlap' | 'full'

export class FragmentRanges {
  /** Sorted, and pairwise apart. */
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  #seen = 0
  /** The datagram's length, known from its last fragment on; -1 before that. */
  #length = -1

  /** Whether every byte from the first to the last has come. */
  get isComplete(): boolean { return this.#seen === this.#length }

  /** Notes the payload bytes `[start, end)`, not empty; `isLast`: the fragment has MF clear. Anything but `new` changes nothing. */
  add(start: number, end: number, isLast: boolean): RangeOutcome {
    const count = this.#starts.length
    if (!this.#fitsLength(end, isLast)) return 'overlap'
    // Fragments mostly come in order, so the search begins at the end.
    let i = count
    while (i > 0 && this.#starts[i - 1] > start) i--
    if (i > 0 && this.#starts[i - 1] === start && this.#ends[i - 1] === end) return 'known'
    if ((i > 0 && this.#ends[i - 1] > start) || (i < count && this.#starts[i] < end)) return 'overlap'
    if (count >= MAXIMUM_RANGES) return 'full'
    this.#starts.splice(i, 0, start)
    this.#ends.splice(i, 0, end)
    this.#seen += end - start
    if (isLast) this.#length = end
    return 'new'
  }

  clear(): void {
    this.#starts.length = this.#ends.length = 0
    this.#seen = 0
    this.#length = -1
  }

  /** The last fragment ends where the datagram ends, and no other reaches that far. */
  #fitsLength(end: number, isLast: boolean): boolean {
    if (this.#length >= 0) return isLast ? end === this.#length : end < this.#length
    return !isLast || (this.#ends.at(-1) ?? 0) < end
  }
}
