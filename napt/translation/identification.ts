// The identifications that outgoing datagrams get which may be fragmented: several hosts behind one address may have chosen the
// same ones (RFC 7857 §10).

export class IdentificationCounter {
  #next: number

  /** @param first the identification of the first datagram, 0 … 65535 */
  constructor(first: number) {
    this.#next = first
  }

  /** For a frame with `payload` bytes of IP payload; a GSO frame's packets, `segment` bytes each (0: one packet), count on from it. */
  next(payload: number, segment: number): number {
    const identification = this.#next
    this.#next = (identification + (segment === 0 ? 1 : Math.ceil(payload / segment))) & 0xffff
    return identification
  }
}
