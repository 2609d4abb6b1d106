// The memory in which a router has what its fast path's WebAssembly reads and writes: known sessions, their indexes, a few tables of
// fixed places (assembly/layout.ts), and frames, where a device puts them here. It grows, and what lies in it never moves.
import { FIRST_FREE } from './assembly/layout.js'
import type { WordMemory } from './table/word-memory.js'

/** Bytes: the unit in which WebAssembly gives out memory, and the most that its addresses reach. */
const PAGE = 1 << 16, MOST_PAGES = 1 << 16
/** Bytes of a page of the system's, and of a line of the processor's cache. */
const SYSTEM_PAGE = 4096, LINE = 64

export class RouterMemory implements WordMemory {
  /** Shared, or views of it would end when it grows. */
  readonly memory = new WebAssembly.Memory({ initial: 2, maximum: MOST_PAGES, shared: true })
  /** What `memory` has had as its buffer: views of each are good. */
  readonly #buffers = new WeakSet<ArrayBufferLike>()
  /** Pieces that were given back, by the logarithm of their bytes. */
  readonly #free: number[][] = Array.from({ length: 33 }, () => [])
  #next = FIRST_FREE
  #used = 0

  /** Bytes that `allocate` gave out and has not got back. */
  get used(): number { return this.#used }

  words(place: number, length: number): Int32Array { return new Int32Array(this.#buffer(), place, length) }
  numbers(place: number, length: number): Float64Array { return new Float64Array(this.#buffer(), place, length) }
  bytes(place: number, length: number): Uint8Array { return new Uint8Array(this.#buffer(), place, length) }

  /** Whether an array is a view of this memory: its byteOffset is its place then. */
  holds(array: ArrayBufferView): boolean { return this.#buffers.has(array.buffer) }

  /** `length`, of 16 words or more, must be a power of two. @throws RangeError when there is no more memory */
  allocate(length: number): Int32Array {
    const size = 2 + Math.log2(length)
    this.#used += 2 ** size
    const place = this.#takeFree(size)
    return place === null ? this.words(this.#take(2 ** size, LINE), length) : this.words(place, length).fill(0)
  }

  /** What `allocate` gave. */
  release(words: Int32Array): void {
    this.#used -= words.byteLength
    this.#free[Math.log2(words.byteLength)].push(words.byteOffset)
  }

  /** Whole pages of the system's, for good. @throws RangeError when there is no more memory */
  pages(bytes: number): Uint8Array { return this.bytes(this.#take(Math.ceil(bytes / SYSTEM_PAGE) * SYSTEM_PAGE, SYSTEM_PAGE), bytes) }

  /** A piece of 2^size bytes, cut out of the smallest one that is large enough; null when there is none. */
  #takeFree(size: number): number | null {
    const from = this.#free.findIndex((pieces, its) => its >= size && pieces.length > 0)
    if (from < 0) return null
    const place = this.#free[from].pop() ?? null
    if (place !== null) for (let half = from - 1; half >= size; half--) this.#free[half].push(place + 2 ** half)
    return place
  }

  #take(bytes: number, alignment: number): number {
    const place = Math.ceil(this.#next / alignment) * alignment, end = place + bytes, missing = end - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    this.#next = end
    return place
  }

  #buffer(): ArrayBufferLike {
    const { buffer } = this.memory
    this.#buffers.add(buffer)
    return buffer
  }
}
