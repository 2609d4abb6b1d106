// One direction of a TCP connection in the order in which it was sent: what came twice is left out, what came early waits. A hole
// is closed by what fills it, or passed over when too much waits behind it, and at the end.

/** Bytes that follow those of the chunk before, or after `gap` bytes that are missing. */
export interface Chunk<Tag> {
  readonly bytes: Uint8Array
  readonly gap: number
  /** Of the segment that brought them. */
  readonly tag: Tag
}

interface Waiting<Tag> { readonly start: number, readonly bytes: Uint8Array, readonly tag: Tag }

export class InOrder<Tag> {
  readonly #limit: number
  #position = 0
  /** Sorted by their beginnings. */
  #waiting: Waiting<Tag>[] = []
  /** Bytes that wait. */
  #held = 0

  /** `base` is the sequence number of the first byte; at most `limit` bytes wait behind a hole. */
  constructor(private readonly base: number, limit = Infinity) { this.#limit = limit }

  /** True for a segment of `length` bytes that is just the next one, as nearly all are; it is taken then, and nothing is made for it. */
  takeNext(sequence: number, length: number): boolean {
    if (this.#waiting.length > 0 || ((sequence - this.base - this.#position) | 0) !== 0) return false
    this.#position += length
    return true
  }

  /** Takes a segment, and gives what is in order with it. */
  push(sequence: number, bytes: Uint8Array, tag: Tag): Chunk<Tag>[] {
    const start = this.#position + ((sequence - this.base - this.#position) | 0) // within 2 GiB of where the stream is, RFC 9293 §3.4
    if (this.#waiting.length === 0 && start <= this.#position) {
      const fresh = bytes.subarray(Math.max(0, this.#position - start))
      this.#position += fresh.length
      return fresh.length > 0 ? [{ bytes: fresh, gap: 0, tag }] : []
    }
    const at = this.#waiting.findLastIndex(each => each.start <= start)
    this.#waiting.splice(at + 1, 0, { start, bytes, tag })
    this.#held += bytes.length
    const chunks = this.#take(false)
    return this.#held > this.#limit ? [...chunks, ...this.flush()] : chunks
  }

  /** How many bytes wait behind a hole. */
  get waiting(): number { return this.#held }
  /** In how many segments they wait. */
  get segments(): number { return this.#waiting.length }

  /** Gives what waits, behind its gaps. */
  flush(): Chunk<Tag>[] { return this.#take(true) }

  #take(overGaps: boolean): Chunk<Tag>[] {
    const chunks: Chunk<Tag>[] = []
    let next = this.#waiting.at(0)
    while (next !== undefined && (overGaps || next.start <= this.#position)) {
      this.#waiting.shift()
      this.#held -= next.bytes.length
      const gap = Math.max(0, next.start - this.#position)
      const fresh = next.bytes.subarray(Math.max(0, this.#position - next.start)) // the rest is a retransmission or a keep-alive
      this.#position += gap + fresh.length
      if (fresh.length > 0) chunks.push({ bytes: fresh, gap, tag: next.tag })
      next = this.#waiting.at(0)
    }
    return chunks
  }
}
