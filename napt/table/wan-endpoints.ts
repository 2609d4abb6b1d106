// Which mapping is the first on a WAN endpoint. The ports of an address are mostly taken by the thousand: so a number stands ready
// for each, in pages that are made when one of their ports gets a mapping, and nothing is hashed or moved.
import type { ProtocolCode } from './flow-index.js'

const PAGE_BITS = 10, WITHIN = (1 << PAGE_BITS) - 1
/** Pages of one protocol on one address. */
const PAGES = 1 << 16 - PAGE_BITS
const PROTOCOLS = 4
const NOBODY = new Int32Array(1 << PAGE_BITS)
const NONE = -1

export class WanEndpoints {
  /** By address, the pages of each protocol one after the other: mapping + 1 by port, 0 for none. */
  readonly #pages = new Map<number, Int32Array[]>()

  /** The mapping, or -1. */
  first(code: ProtocolCode, address: number, port: number): number {
    const pages = this.#pages.get(address)
    return pages === undefined ? NONE : pages[pageOf(code, port)][port & WITHIN] - 1
  }

  /** The mapping that is the first there: `mapping`, if there was none. */
  take(code: ProtocolCode, address: number, port: number, mapping: number): number {
    const page = this.#page(code, address, port), first = page[port & WITHIN]
    if (first !== 0) return first - 1
    page[port & WITHIN] = mapping + 1
    return mapping
  }

  /** Another mapping is the first from now on; -1 for none. */
  set(code: ProtocolCode, address: number, port: number, mapping: number): void {
    this.#page(code, address, port)[port & WITHIN] = mapping + 1
  }

  /** Gives up the memory of addresses that are not wanted any more; no mapping may be left on them. */
  keep(isWanted: (address: number) => boolean): void {
    for (const address of this.#pages.keys()) if (!isWanted(address)) this.#pages.delete(address)
  }

  /** Made, if need be. */
  #page(code: ProtocolCode, address: number, port: number): Int32Array {
    let pages = this.#pages.get(address)
    if (pages === undefined) {
      pages = new Array<Int32Array>(PROTOCOLS * PAGES).fill(NOBODY)
      this.#pages.set(address, pages)
    }
    const at = pageOf(code, port)
    if (pages[at] === NOBODY) pages[at] = new Int32Array(1 << PAGE_BITS)
    return pages[at]
  }
}

const pageOf = (code: ProtocolCode, port: number): number => (code - 1) * PAGES + (port >>> PAGE_BITS)
