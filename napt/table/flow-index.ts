// A hash index from (protocol, two addresses, two ports) to the number of a row that holds them. Open addressing with linear probing
// and backward-shift deletion. A slot is four bytes, the row's number and some bits of its key's hash: a look-up reads one cache line
// here and mostly one row, the right one, and a million flows take 8 MB, which the processor's cache has room for.
//
// When the index doubles, rows move over a few at a time with each insertion, in the order of their numbers, so that no packet waits
// for the move of a million. Until that is done, rows from `moved` on are still to be looked for in the old slots. Memory that is
// touched for the first time makes the kernel find and clear a page (2 µs and more), and rows fall all over the new slots: so these
// are made beforehand, and a page of them is touched now and then.
//
// Addresses and port pairs are signed 32-bit integers: those stay unboxed.
import { CODE_SHIFT, ROW_BITS } from '../assembly/layout.js'
import type { Rows } from './rows.js'
import { HEAP, type WordMemory } from './word-memory.js'

export { CODE_SHIFT }

/**
 * Three bits tell the protocol within a row; 0 is never used, so that it tells a free row. `other` stands for all protocols
 * without ports; their number takes the place of the port.
 */
export const PROTOCOL_CODE = { tcp: 1, udp: 2, icmp: 3, other: 4 } as const
export type ProtocolCode = typeof PROTOCOL_CODE[keyof typeof PROTOCOL_CODE]
/** Bits of a row's number in a slot. */
const ROW = (1 << ROW_BITS) - 1
/** In old slots: what was there is gone. */
const GONE = ROW
/** The largest row number. */
export const MAXIMUM_ROW = ROW - 2
const NONE = -1
/** Rows that move with each insertion at least. */
const LEAST_MOVED = 8
/** Slots in a page of memory; and so many insertions touch one of the next slots, that all are by the time they are needed. */
const PAGE = 1024, INSERTIONS_A_PAGE = 64

export const portPair = (first: number, second: number): number => (first << 16) | second

/** Of the rows, what the index asks of them. */
type IndexedRows = Pick<Rows, 'limit' | 'get' | 'chunkOf' | 'placeOf'>

/** Fields of a row: the key, and the protocol's code in the top three bits of one. */
export interface KeyFields { readonly a: number, readonly b: number, readonly ports: number, readonly code: number }

export class FlowIndex {
  readonly #rows: IndexedRows
  readonly #a: number
  readonly #b: number
  readonly #ports: number
  readonly #code: number
  readonly #isIn: (row: number) => boolean
  readonly #memory: WordMemory
  readonly #where: Int32Array | null
  /** Row number + 1, and the hash's highest bits above; 0 where free. */
  #slots: Int32Array
  #mask: number
  #size = 0
  #old: Int32Array | null = null
  /** What the index will double to, from an eighth before that on, and how much of it has been touched. */
  #next: Int32Array | null = null
  #touched = 0
  #moved = 0
  /** Rows from this one on are new since the index doubled. */
  #last = 0
  /** So many rows an insertion that all have moved before the new slots are full. */
  #step = LEAST_MOVED

  /**
   * @param isIn whether a row in use is in this index: asked when the index doubles
   * @param memory where the slots are to lie
   * @param where where to note what the fast path has to know of it (`#tell`)
   */
  constructor(rows: IndexedRows, fields: KeyFields, isIn: (row: number) => boolean, capacity = 64, memory = HEAP, where: Int32Array | null = null) {
    this.#rows = rows
    this.#a = fields.a
    this.#b = fields.b
    this.#ports = fields.ports
    this.#code = fields.code
    this.#isIn = isIn
    this.#memory = memory
    this.#where = where
    this.#slots = memory.allocate(capacity)
    this.#mask = capacity - 1
    this.#tell()
  }

  get size(): number { return this.#size }
  get bytes(): number { return this.#slots.byteLength + (this.#old?.byteLength ?? 0) + (this.#next?.byteLength ?? 0) }

  /** The row, or -1. */
  find(a: number, b: number, ports: number, code: ProtocolCode): number {
    const slots = this.#slots, mask = this.#mask, h = flowHash(a, b, ports, code)
    for (let at = h & mask, slot = slots[at]; slot !== 0; slot = slots[at]) {
      if ((slot ^ h) >>> ROW_BITS === 0) {
        // As in `#matches`, which V8 does not always write out here.
        const row = (slot & ROW) - 1, fields = this.#rows.chunkOf(row), place = this.#rows.placeOf(row)
        if (fields[place + this.#ports] === ports && fields[place + this.#a] === a && fields[place + this.#b] === b && fields[place + this.#code] >>> CODE_SHIFT === code) return row
      }
      at = at + 1 & mask
    }
    return this.#old === null ? NONE : this.#findOld(this.#old, h, a, b, ports, code)
  }

  /** The row's key must be written, and not be in the index yet. */
  insert(row: number): void {
    const filled = (this.#size + 1) * 8 / (this.#mask + 1)
    if (filled > 6) this.#grow()
    else if (filled > 5 && this.#size % INSERTIONS_A_PAGE === 0) this.#prepare()
    if (this.#old !== null) this.#move()
    this.#place(row)
    this.#size++
  }

  /** The row's key must be as it was inserted; a row that is not in the index stays out. */
  remove(row: number): void {
    const slots = this.#slots, mask = this.#mask
    let at = this.#hashOf(row) & mask
    while (slots[at] !== 0 && (slots[at] & ROW) !== row + 1) at = at + 1 & mask
    if (slots[at] === 0) {
      if (this.#old !== null && row >= this.#moved) this.#removeOld(this.#old, row)
      return
    }
    this.#size--
    // Slots behind the hole move up unless that would put them before their home.
    let hole = at
    for (let next = hole + 1 & mask; slots[next] !== 0; next = next + 1 & mask) {
      const home = this.#hashOf((slots[next] & ROW) - 1) & mask
      if ((next - home & mask) >= (next - hole & mask)) {
        slots[hole] = slots[next]
        hole = next
      }
    }
    slots[hole] = 0
  }

  #matches(row: number, a: number, b: number, ports: number, code: number): boolean {
    const chunk = this.#rows.chunkOf(row), at = this.#rows.placeOf(row)
    return chunk[at + this.#ports] === ports && chunk[at + this.#a] === a && chunk[at + this.#b] === b && chunk[at + this.#code] >>> CODE_SHIFT === code
  }

  #hashOf(row: number): number {
    const chunk = this.#rows.chunkOf(row), at = this.#rows.placeOf(row)
    return flowHash(chunk[at + this.#a], chunk[at + this.#b], chunk[at + this.#ports], chunk[at + this.#code] >>> CODE_SHIFT)
  }

  /** Puts a row into the first free slot, unless it is there already. */
  #place(row: number): void {
    const slots = this.#slots, mask = this.#mask, h = this.#hashOf(row)
    let at = h & mask
    for (let slot = slots[at]; slot !== 0; slot = slots[at]) {
      if ((slot & ROW) === row + 1) return
      at = at + 1 & mask
    }
    slots[at] = h & ~ROW | row + 1
  }

  /** Touches one page more of the next slots. */
  #prepare(): void {
    this.#next ??= this.#memory.allocate(this.#slots.length * 2)
    this.#next[this.#touched] = 0
    this.#touched = Math.min(this.#touched + PAGE, this.#next.length - 1)
  }

  #grow(): void {
    this.#old = this.#slots
    this.#moved = 0
    this.#last = this.#rows.limit
    this.#step = Math.max(LEAST_MOVED, Math.ceil(this.#last * 2 / this.#old.length))
    this.#slots = this.#next ?? this.#memory.allocate(this.#old.length * 2)
    this.#mask = this.#slots.length - 1
    this.#next = null
    this.#touched = 0
    this.#tell()
  }

  #move(): void {
    const end = Math.min(this.#moved + this.#step, this.#last)
    for (; this.#moved < end; this.#moved++) {
      if (this.#rows.get(this.#moved, this.#code) >>> CODE_SHIFT !== 0 && this.#isIn(this.#moved)) this.#place(this.#moved)
    }
    if (this.#moved === this.#last) {
      if (this.#old !== null) this.#memory.release(this.#old)
      this.#old = null
    }
    this.#tell()
  }

  /** As assembly/layout.ts has it: slots and mask, old slots and mask, moved. */
  #tell(): void {
    const where = this.#where
    if (where === null) return
    where[0] = this.#slots.byteOffset
    where[1] = this.#mask
    where[2] = this.#old === null ? 0 : this.#old.byteOffset
    where[3] = this.#old === null ? 0 : this.#old.length - 1
    where[4] = this.#moved
  }

  #findOld(old: Int32Array, h: number, a: number, b: number, ports: number, code: number): number {
    const mask = old.length - 1
    for (let at = h & mask, slot = old[at]; slot !== 0; slot = old[at]) {
      const row = (slot & ROW) - 1
      if (row >= this.#moved && slot !== GONE && (slot ^ h) >>> ROW_BITS === 0 && this.#matches(row, a, b, ports, code)) return row
      at = at + 1 & mask
    }
    return NONE
  }

  #removeOld(old: Int32Array, row: number): void {
    const mask = old.length - 1
    for (let at = this.#hashOf(row) & mask; old[at] !== 0; at = at + 1 & mask) {
      if (old[at] === GONE || (old[at] & ROW) !== row + 1) continue
      old[at] = GONE
      this.#size--
      return
    }
  }
}

/** Two rounds of multiply and xor-shift: enough that sequential ports and addresses spread. The fast path has the same. */
function flowHash(a: number, b: number, ports: number, code: number): number {
  const h = Math.imul(a ^ code, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(ports, 0xc2b2ae3d)
  const mixed = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return mixed ^ (mixed >>> 13)
}
