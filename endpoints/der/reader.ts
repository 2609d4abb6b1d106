// DER (ITU-T X.690) as it is read: values one after another, from anywhere. Each has one form here, as DER wants it, so that nobody
// else makes something different of the same bytes; nothing is copied, and nothing is read beyond the value that it stands in.
import { TAG } from './tags.js'

/** The message tells what is wrong, at which byte of the structure that is read. */
export class DerError extends Error {}

interface Value { readonly content: Uint8Array, readonly whole: Uint8Array }

export class DerReader {
  #at = 0
  constructor(private readonly bytes: Uint8Array) {}

  /** Of the next value; null when there is none. */
  get tag(): number | null { return this.#at < this.bytes.length ? this.bytes[this.#at] : null }

  /** The content of the next value. @throws DerError when that is another, or is cut off */
  take(tag: number): Uint8Array { return this.#next(tag).content }

  /** The next value with its tag and length. @throws DerError */
  takeWhole(tag: number): Uint8Array { return this.#next(tag).whole }

  /** The values within the next one. @throws DerError */
  enter(tag: number): DerReader { return new DerReader(this.take(tag)) }

  /** @throws DerError when more follows */
  end(): void {
    if (this.tag !== null) throw new DerError(`byte ${this.#at}: nothing more is due`)
  }

  #next(tag: number): Value {
    const start = this.#at
    if (this.tag !== tag) throw new DerError(`byte ${start}: ${this.tag === null ? 'nothing is there' : `there is ASN.1 tag ${this.tag}`}, where ${tag} is due`)
    const { length, from } = this.#length(start + 1)
    this.#at = from + length
    return { content: this.bytes.subarray(from, this.#at), whole: this.bytes.subarray(start, this.#at) }
  }

  /** 8.1.3 and 10.1: definite, and as short as possible. */
  #length(at: number): { length: number, from: number } {
    const first = this.bytes.at(at) ?? 0x80, size = first < 0x80 ? 0 : first & 0x7f, from = at + 1 + size
    const length = size === 0 ? first : this.bytes.subarray(at + 1, from).reduce((sum, byte) => sum * 256 + byte, 0)
    const isShortest = size === 0 ? first < 0x80 : size <= 4 && length >= 0x80 && this.bytes.at(at + 1) !== 0
    if (!isShortest || from + length > this.bytes.length) throw new DerError(`byte ${at}: this is no length, or less is there`)
    return { length, from }
  }
}

/** Null when the bytes are one DER sequence, no byte less or more; parsers differ in what they make of anything else. */
export function derFlaw(bytes: Uint8Array): string | null {
  if (bytes[0] !== TAG.sequence) return 'it is no DER sequence'
  const lengthBytes = bytes[1] < 0x80 ? 0 : bytes[1] & 0x7f
  const length = lengthBytes === 0 ? bytes[1] : bytes.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  const total = 2 + lengthBytes + length
  return total === bytes.length ? null : `it holds ${bytes.length} bytes of DER and announces ${total}`
}

/** The bytes of a bit string that has no odd bits. @throws DerError */
export function wholeBytes(bitString: Uint8Array): Uint8Array {
  if (bitString.at(0) !== 0) throw new DerError('a bit string does not end with a whole byte')
  return bitString.subarray(1)
}

/** 8.19: `2.5.29.17`. @throws DerError */
export function objectIdentifier(content: Uint8Array): string {
  if (content.length === 0 || content.length > 64 || content[content.length - 1] >= 0x80) throw new DerError('an object identifier is cut off, or too long')
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      arcs.push(...arcs.length > 0 ? [arc] : arc < 80 ? [Math.floor(arc / 40), arc % 40] : [2, arc - 80])
      arc = 0
    }
  }
  return arcs.join('.')
}
