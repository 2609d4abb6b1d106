// A hash index from (protocol, two addresses, two ports) to the number of a row. Open addressing with linear probing and
// backward-shift deletion. An entry is 16 bytes, so that a look-up mostly touches one cache line, and nothing is allocated
// but when the index doubles.
//
// Addresses and port pairs are signed 32-bit integers: those stay unboxed.

/**
 * Three bits tell the protocol within an entry; 0 is never used, so that an entry of zeros is a free one. `other` stands for
 * all protocols without ports; their number takes the place of the port.
 */
export const PROTOCOL_CODE = { tcp: 1, udp: 2, icmp: 3, other: 4 } as const
export type ProtocolCode = typeof PROTOCOL_CODE[keyof typeof PROTOCOL_CODE]

/** The largest row number. */
export const MAXIMUM_ROW = (1 << 29) - 2

export const portPair = (first: number, second: number): number => (first << 16) | second

export class FlowIndex {
  /** Per entry: address, address, ports, protocol code in the top three bits and row number + 1 below. */
  #words: Int32Array
  #mask: number
  #size = 0

  constructor(capacity = 64) {
    this.#words = new Int32Array(capacity * 4)
    this.#mask = capacity - 1
  }

  get size(): number { return this.#size }
  get bytes(): number { return this.#words.byteLength }

  /** The row, or -1. */
  find(a: number, b: number, ports: number, code: ProtocolCode): number {
    const words = this.#words, mask = this.#mask
    for (let slot = hash(a, b, ports, code) & mask; ; slot = (slot + 1) & mask) {
      const at = slot << 2, last = words[at + 3]
      if (last === 0) return -1
      if (words[at] === a && words[at + 1] === b && words[at + 2] === ports && last >>> 29 === code) return (last & 0x1fffffff) - 1
    }
  }

  /** The key must not be in the index yet. */
  insert(a: number, b: number, ports: number, code: ProtocolCode, row: number): void {
    if ((this.#size + 1) * 4 > (this.#mask + 1) * 3) this.#grow()
    this.#place(a, b, ports, (code << 29) | (row + 1))
    this.#size++
  }

  remove(a: number, b: number, ports: number, code: ProtocolCode): void {
    const words = this.#words, mask = this.#mask
    let slot = hash(a, b, ports, code) & mask
    for (; ; slot = (slot + 1) & mask) {
      const at = slot << 2, last = words[at + 3]
      if (last === 0) return
      if (words[at] === a && words[at + 1] === b && words[at + 2] === ports && last >>> 29 === code) break
    }
    this.#size--
    // Entries behind the hole move up unless that would put them before their home slot.
    for (let next = (slot + 1) & mask; words[(next << 2) + 3] !== 0; next = (next + 1) & mask) {
      const at = next << 2
      const home = hash(words[at], words[at + 1], words[at + 2], words[at + 3] >>> 29) & mask
      if (((next - home) & mask) >= ((next - slot) & mask)) {
        words.copyWithin(slot << 2, at, at + 4)
        slot = next
      }
    }
    words.fill(0, slot << 2, (slot << 2) + 4)
  }

  #place(a: number, b: number, ports: number, last: number): void {
    const words = this.#words, mask = this.#mask
    let slot = hash(a, b, ports, last >>> 29) & mask
    while (words[(slot << 2) + 3] !== 0) slot = (slot + 1) & mask
    const at = slot << 2
    words[at] = a
    words[at + 1] = b
    words[at + 2] = ports
    words[at + 3] = last
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Int32Array(old.length * 2)
    this.#mask = this.#mask * 2 + 1
    for (let at = 0; at < old.length; at += 4) {
      if (old[at + 3] !== 0) this.#place(old[at], old[at + 1], old[at + 2], old[at + 3])
    }
  }
}

/** Two rounds of multiply and xor-shift: enough that sequential ports and addresses spread. */
function hash(a: number, b: number, ports: number, code: number): number {
  let h = Math.imul(a ^ code, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(ports, 0xc2b2ae3d)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}
