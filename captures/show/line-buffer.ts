// Text of many lines, as bytes that grow: ASCII goes straight into them (ascii.ts), any other text through `text`.

const FIRST_ROOM = 160 << 10

export class LineBuffer {
  /** What `length` counts is written. Both are for those who put bytes in themselves, behind `reserve`. */
  bytes = Buffer.allocUnsafe(FIRST_ROOM)
  length = 0

  /** What was written so far, which is then the caller's; begins anew. */
  take(): Uint8Array {
    const taken = this.bytes.subarray(0, this.length)
    // Memory that is used again would change under a stream that still writes it.
    this.bytes = Buffer.allocUnsafe(FIRST_ROOM)
    this.length = 0
    return taken
  }

  /** Makes room for so many bytes more. */
  reserve(length: number): void {
    if (this.length + length <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + length))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  /** Any text, in UTF-8. Makes its own room. */
  text(text: string): void {
    this.reserve(text.length * 3)
    this.length += this.bytes.write(text, this.length)
  }
}
