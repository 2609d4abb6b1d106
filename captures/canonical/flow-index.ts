// Flows with ports by their ends, the same for either way: numbers in one piece of memory, since a map of objects costs several cold
// lines of cache for every packet of a file with many flows.
import type { Ends } from '../decode/decode.js'

/** Numbers a slot: the ends in order (two addresses, both ports), and the flow's number and protocol; 0 in the last is nobody. */
const SLOT = 4
const FIRST_SLOTS = 1024

export class FlowIndex<Flow> {
  #slots = new Int32Array(FIRST_SLOTS * SLOT)
  readonly #flows: Flow[] = []
  /** The ends that were looked for last, in order. */
  #low = 0
  #high = 0
  #ports = 0

  /** Undefined where there is none; `add` puts one there. */
  find(isTcp: boolean, ends: Ends): Flow | undefined {
    const at = this.#seek(isTcp, ends), found = this.#slots[at + 3]
    return found === 0 ? undefined : this.#flows[(found >> 1) - 1]
  }

  /** A flow that is not there yet. */
  add(isTcp: boolean, ends: Ends, flow: Flow): void {
    if ((this.#flows.length + 1) * 2 * SLOT > this.#slots.length) this.#grow()
    const at = this.#seek(isTcp, ends)
    this.#flows.push(flow)
    this.#slots[at] = this.#low
    this.#slots[at + 1] = this.#high
    this.#slots[at + 2] = this.#ports
    this.#slots[at + 3] = this.#flows.length << 1 | (isTcp ? 1 : 0)
  }

  /** The slot that has these ends, or the empty one where they belong. */
  #seek(isTcp: boolean, { source, destination }: Ends): number {
    const isOrdered = source.address < destination.address || (source.address === destination.address && source.port <= destination.port)
    this.#low = isOrdered ? source.address : destination.address
    this.#high = isOrdered ? destination.address : source.address
    this.#ports = isOrdered ? source.port << 16 | destination.port : destination.port << 16 | source.port
    return this.#slotOf(this.#low, this.#high, this.#ports, isTcp ? 1 : 0)
  }

  #slotOf(low: number, high: number, ports: number, protocol: number): number {
    const slots = this.#slots, mask = slots.length / SLOT - 1
    for (let slot = hashOf(low, high, ports); ; slot++) {
      const at = (slot & mask) * SLOT, found = slots[at + 3]
      if (found === 0 || (slots[at] === low && slots[at + 1] === high && slots[at + 2] === ports && (found & 1) === protocol)) return at
    }
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Int32Array(2 * before.length)
    for (let at = 0; at < before.length; at += SLOT) {
      if (before[at + 3] !== 0) this.#slots.set(before.subarray(at, at + SLOT), this.#slotOf(before[at], before[at + 1], before[at + 2], before[at + 3] & 1))
    }
  }
}

function hashOf(low: number, high: number, ports: number): number {
  const mixed = Math.imul(Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b) ^ ports, 0xc2b2ae35)
  return mixed ^ mixed >>> 15
}
