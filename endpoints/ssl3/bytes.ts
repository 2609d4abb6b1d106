// The presentation language of SSL 3.0 (RFC 6101 4): numbers are big-endian, a vector is its length and then its bytes.
import { Ssl3Error } from './fault.js'

/** A number in `size` bytes. */
export function uint(value: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  bytes.writeUIntBE(value, 0, size)
  return bytes
}

/** A vector whose length is written in `size` bytes. */
export const vector = (bytes: Uint8Array, size: number): Buffer => Buffer.concat([uint(bytes.length, size), bytes])

/** Reads a message from front to back; it cannot read past the end. */
export class ByteReader {
  #at = 0

  /** @param what names the message in errors */
  constructor(private readonly bytes: Buffer, private readonly what: string) {}

  get left(): number { return this.bytes.length - this.#at }

  /** @throws Ssl3Error, as everything here, when the message is too short */
  take(size: number): Buffer {
    if (size > this.left) throw new Ssl3Error('illegalParameter', `the other end's ${this.what} is cut short at byte ${this.bytes.length}`)
    this.#at += size
    return this.bytes.subarray(this.#at - size, this.#at)
  }

  uint(size: number): number { return this.take(size).readUIntBE(0, size) }

  vector(size: number): Buffer { return this.take(this.uint(size)) }

  /** @throws Ssl3Error when something is left over */
  end(): void {
    if (this.left > 0) throw new Ssl3Error('illegalParameter', `the other end's ${this.what} has ${this.left} bytes too many`)
  }
}
