// A set of ports that finds its next member quickly: a bitmap, and how many members each 1024 ports have. A search reads a few
// words where ports are, and one counter for every 1024 ports where none are, so that an exhausted range is refused at the price
// of some dozens of looks, not of 64,000.

export const HIGHEST_PORT = 65535
export const NO_PORT = -1

/** A port of either parity will do. */
export const EITHER = -1
export type Parity = 0 | 1 | typeof EITHER
export const parityOf = (port: number): Parity => (port & 1) === 0 ? 0 : 1

const CHUNK_BITS = 10
const CHUNK = 1 << CHUNK_BITS
const EVEN = 0x55555555, ODD = 0xaaaaaaaa | 0

export class PortSet {
  /** A bit a port. */
  readonly #words = new Int32Array((HIGHEST_PORT + 1) / 32)
  /** Two counters a chunk: its even members, and its odd ones. */
  readonly #counts = new Uint16Array((HIGHEST_PORT + 1) / CHUNK * 2)

  /** All ports, 0 … 65535. */
  static full(): PortSet {
    const set = new PortSet()
    set.#words.fill(-1)
    set.#counts.fill(CHUNK / 2)
    return set
  }

  has(port: number): boolean { return (this.#words[port >> 5] >>> (port & 31) & 1) === 1 }

  /** The port must not be in the set yet. */
  add(port: number): void {
    this.#words[port >> 5] |= 1 << (port & 31)
    this.#counts[counterOf(port)]++
  }

  /** The port must be in the set. */
  delete(port: number): void {
    this.#words[port >> 5] &= ~(1 << (port & 31))
    this.#counts[counterOf(port)]--
  }

  /** The first member of `from` … `to`, both included, or -1. */
  next(from: number, to: number, parity: Parity): number {
    const wanted = parity === EITHER ? -1 : parity === 0 ? EVEN : ODD
    for (let port = from; port <= to;) {
      if (port % CHUNK === 0 && this.#isChunkWithout(parity, port)) {
        port += CHUNK
        continue
      }
      const bits = this.#words[port >> 5] & wanted & (-1 << (port & 31))
      if (bits !== 0) {
        const found = (port & ~31) + 31 - Math.clz32(bits & -bits)
        return found <= to ? found : NO_PORT
      }
      port = (port | 31) + 1
    }
    return NO_PORT
  }

  #isChunkWithout(parity: Parity, port: number): boolean {
    const at = counterOf(port)
    return parity === EITHER ? this.#counts[at] + this.#counts[at + 1] === 0 : this.#counts[at + parity] === 0
  }
}

/** Of the first port of a chunk: its even members' counter. */
const counterOf = (port: number): number => (port >> CHUNK_BITS) * 2 + (port & 1)
