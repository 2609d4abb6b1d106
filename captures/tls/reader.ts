// Reads a TLS structure from front to back (the presentation language of RFC 8446 §3). What is not there reads as zero or
// nothing, and `isWhole` says so at the end: one check instead of one a field.
import { read16 } from '../../napt/wire/bytes.js'

export class Reader {
  #at = 0
  #isWhole = true

  constructor(private readonly source: Uint8Array) {}

  /** Whether everything that was asked for was there. */
  get isWhole(): boolean { return this.#isWhole }
  get left(): number { return this.source.length - this.#at }

  bytes(length: number): Uint8Array {
    if (length > this.left) {
      this.#isWhole = false
      length = this.left
    }
    return this.source.subarray(this.#at, this.#at += length)
  }

  uint8(): number { return this.#has(1) ? this.source[this.#at++] : 0 }
  uint16(): number { return this.#has(2) ? read16(this.source, (this.#at += 2) - 2) : 0 }
  uint24(): number { return (this.uint8() << 16) | this.uint16() }

  /** A vector whose length stands before it in 1, 2 or 3 bytes. */
  vector(lengthBytes: 1 | 2 | 3): Uint8Array {
    return this.bytes(lengthBytes === 1 ? this.uint8() : lengthBytes === 2 ? this.uint16() : this.uint24())
  }

  #has(length: number): boolean {
    this.#isWhole &&= length <= this.left
    return length <= this.left
  }
}
