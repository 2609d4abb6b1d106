// Rows of 32-bit fields with a list of free rows: memory that is laid out once and used again. The rows lie in chunks, so that a
// table of millions grows by one chunk and copies nothing; only the first chunk, small at the beginning, doubles. Reaching a row
// through its chunk costs a nanosecond, copying a table of a million rows stopped the loop for ten milliseconds.

export const CHUNK_BITS = 14
/** Rows of a chunk. */
const CHUNK = 1 << CHUNK_BITS
export const WITHIN = CHUNK - 1
const NONE = -1

export class Rows {
  readonly width: number
  readonly #chunks: Int32Array[]
  readonly #wide: Float64Array[]
  #used = 0
  #free = NONE
  #count = 0

  /** @param capacity rows that there is room for at first, at most a chunk's */
  constructor(width: number, capacity = 64) {
    this.width = width
    this.#chunks = [new Int32Array(width * capacity)]
    this.#wide = this.#chunks.map(wideViewOf)
  }

  get count(): number { return this.#count }
  /** One above the highest row that was ever used. */
  get limit(): number { return this.#used }
  /** For who reads several fields of a row and cannot pay for calls: row n lies in chunk n >>> CHUNK_BITS, at (n & WITHIN) * width. */
  get chunks(): readonly Int32Array[] { return this.#chunks }
  /** The same memory as 64-bit numbers: field 2n and 2n + 1 are number n. Only where the width is even. */
  get wideChunks(): readonly Float64Array[] { return this.#wide }
  get bytes(): number { return this.#chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) }

  /** A row whose fields the caller sets. */
  add(): number {
    this.#count++
    if (this.#free !== NONE) {
      const row = this.#free
      this.#free = this.get(row, 0)
      return row
    }
    this.#makeRoom()
    return this.#used++
  }

  /** Its fields stay as they are, but for the first. */
  remove(row: number): void {
    this.set(row, 0, this.#free)
    this.#free = row
    this.#count--
  }

  get(row: number, field: number): number { return this.#chunks[row >>> CHUNK_BITS][Math.imul(row & WITHIN, this.width) + field] }
  set(row: number, field: number, value: number): void { this.#chunks[row >>> CHUNK_BITS][Math.imul(row & WITHIN, this.width) + field] = value }

  /** `number` counts the pairs of fields. */
  getWide(row: number, number: number): number { return this.#wide[row >>> CHUNK_BITS][Math.imul(row & WITHIN, this.width >>> 1) + number] }
  setWide(row: number, number: number, value: number): void { this.#wide[row >>> CHUNK_BITS][Math.imul(row & WITHIN, this.width >>> 1) + number] = value }

  /** For whoever reads several fields: the chunk of a row, and where the row begins in it. */
  chunkOf(row: number): Int32Array { return this.#chunks[row >>> CHUNK_BITS] }
  placeOf(row: number): number { return Math.imul(row & WITHIN, this.width) }

  #makeRoom(): void {
    const last = this.#chunks[this.#chunks.length - 1], room = CHUNK * (this.#chunks.length - 1) + last.length / this.width
    if (this.#used < room) return
    const isFull = last.length === CHUNK * this.width, chunk = new Int32Array(isFull ? last.length : last.length * 2)
    if (!isFull) {
      chunk.set(last)
      this.#chunks.pop()
      this.#wide.pop()
    }
    this.#chunks.push(chunk)
    this.#wide.push(wideViewOf(chunk))
  }
}

const wideViewOf = ({ buffer, length }: Int32Array): Float64Array => new Float64Array(buffer, 0, length >>> 1)
