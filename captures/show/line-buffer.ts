// Text as bytes, put together piece by piece without a string for each: ASCII and numbers go straight into a buffer.

const FIRST_ROOM = 64 << 10
const ZERO = 48, SPACE = 32, DOT = 46, MINUS = 45
/** The decimal digits of 0 … 255, four bytes each: how many, then the digits. */
const OCTETS = octetTable()

export class LineBuffer {
  #bytes = Buffer.allocUnsafe(FIRST_ROOM)
  #length = 0

  get length(): number { return this.#length }

  /** What was written so far, which is then the caller's; begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length)
    // A view of memory that is used again would change under a stream that still writes it.
    this.#bytes = Buffer.allocUnsafe(this.#bytes.length)
    this.#length = 0
    return taken
  }

  /** Makes room for so many bytes; `byte`, `ascii`, `number` and `address` do not look. */
  reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + length))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  byte(value: number): void { this.#bytes[this.#length++] = value }

  /** Bytes as they are, few of them. */
  raw(text: Uint8Array): void {
    const bytes = this.#bytes, start = this.#length
    for (let at = 0; at < text.length; at++) bytes[start + at] = text[at]
    this.#length = start + text.length
  }

  /** Any text, in UTF-8. Makes its own room. */
  text(text: string): void {
    this.reserve(text.length * 3)
    this.#length += this.#bytes.write(text, this.#length)
  }

  /** A whole number from 0, in decimal digits, with blanks before it up to `width` characters. */
  number(value: number, width = 0): void {
    const bytes = this.#bytes
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    let end = this.#length
    for (let blank = width - digits; blank > 0; blank--) bytes[end++] = SPACE
    end += digits
    this.#length = end
    if (value < 0x7fffffff) {
      // Numbers of 31 bits are divided as integers, which is several times faster.
      let rest = value | 0
      for (let at = end - 1; at >= end - digits; at--) {
        const next = (rest / 10) | 0
        bytes[at] = ZERO + rest - next * 10
        rest = next
      }
      return
    }
    for (let at = end - 1, rest = value; at >= end - digits; at--) {
      const next = Math.floor(rest / 10)
      bytes[at] = ZERO + rest - next * 10
      rest = next
    }
  }

  /** Thousandths as `-12.345`, with blanks before it up to `width` characters. */
  thousandths(value: number, width: number): void {
    const whole = Math.floor(Math.abs(value) / 1000), rest = Math.abs(value) - whole * 1000
    let digits = 1
    for (let limit = 10; whole >= limit; limit *= 10) digits++
    for (let blank = width - digits - 4 - (value < 0 ? 1 : 0); blank > 0; blank--) this.byte(SPACE)
    if (value < 0) this.byte(MINUS)
    this.number(whole)
    this.byte(DOT)
    this.byte(ZERO + ((rest / 100) | 0))
    this.byte(ZERO + ((rest / 10) | 0) % 10)
    this.byte(ZERO + rest % 10)
  }

  /** An Ipv4Address in its four numbers. */
  address(value: number): void {
    this.#octet(value >>> 24)
    this.byte(DOT)
    this.#octet((value >>> 16) & 255)
    this.byte(DOT)
    this.#octet((value >>> 8) & 255)
    this.byte(DOT)
    this.#octet(value & 255)
  }

  #octet(value: number): void {
    const bytes = this.#bytes, from = value << 2, digits = OCTETS[from], at = this.#length
    bytes[at] = OCTETS[from + 1]
    if (digits > 1) bytes[at + 1] = OCTETS[from + 2]
    if (digits > 2) bytes[at + 2] = OCTETS[from + 3]
    this.#length = at + digits
  }
}

function octetTable(): Uint8Array {
  const table = new Uint8Array(1024)
  for (let value = 0; value < 256; value++) {
    const digits = String(value)
    table.set([digits.length, ...Buffer.from(digits)], value * 4)
  }
  return table
}
