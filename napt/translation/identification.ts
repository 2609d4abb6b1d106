// The identifications that outgoing datagrams get which may be fragmented: several hosts behind one address may have chosen the
// same ones (RFC 7857 §10).

import { IDENTIFICATION } from '../assembly/layout.js'
import type { RouterMemory } from '../router-memory.js'

export class IdentificationCounter {
  /** In the router's memory: the fast path counts, too (`identify`). */
  readonly #next: Int32Array

  /** @param first the identification of the first datagram, 0 … 65535 */
  constructor(first: number, memory: RouterMemory) {
    this.#next = memory.words(IDENTIFICATION, 1)
    this.#next[0] = first
  }

  /** For a frame with `payload` bytes of IP payload; a GSO frame's packets, `segment` bytes each (0: one packet), count on from it. */
  next(payload: number, segment: number): number {
    const identification = this.#next[0]
    this.#next[0] = (identification + (segment === 0 ? 1 : Math.ceil(payload / segment))) & 0xffff
    return identification
  }
}
