// Rows of 32-bit fields with a list of free rows: memory that is laid out once and used again. The rows lie in chunks, so that a
// table of millions grows by one chunk and copies nothing; only the first chunk, small at the beginning, doubles. Reaching a row
// through its chunk costs a nanosecond, copying a table of a million rows stopped the loop for ten milliseconds.
import { CHUNK_ROW_BITS as CHUNK_BITS } from '../assembly/layout.js'
import { HEAP, type WordMemory } from './word-memory.js'

/** Rows of a chunk. */
const CHUNK = 1 << CHUNK_BITS
const WITHIN = CHUNK - 1
const NONE = -1

export class Rows {
  readonly width: number
  readonly #memory: WordMemory
  readonly #places: Int32Array | null
  readonly #chunks: Int32Array[] = []
  readonly #wide: Float64Array[] = []
  #used = 0
  #free = NONE
  #count = 0

  /**
   * @param capacity rows that there is room for at first, at most a chunk's
   * @param memory where the chunks are to lie
   * @param places where to note the byteOffset of each chunk
   */
  constructor(width: number, capacity = 64, memory = HEAP, places: Int32Array | null = null) {
    this.width = width
    this.#memory = memory
    this.#places = places
    this.#append(memory.allocate(width * capacity))
  }

  get count(): number { return this.#count }
  /** One above the highest row that was ever used. */
  get limit(): number { return this.#used }
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
    const isFull = last.length === CHUNK * this.width, chunk = this.#memory.allocate(isFull ? last.length : last.length * 2)
    if (!isFull) {
      chunk.set(last)
      this.#chunks.pop()
      this.#wide.pop()
      this.#memory.release(last)
    }
    this.#append(chunk)
  }

  #append(chunk: Int32Array): void {
    if (this.#places !== null) this.#places[this.#chunks.length] = chunk.byteOffset
    this.#chunks.push(chunk)
    this.#wide.push(new Float64Array(chunk.buffer, chunk.byteOffset, chunk.length >>> 1))
  }
}
