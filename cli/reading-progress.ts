// How far the reading of a large file is, on a terminal whose standard output goes elsewhere.
import { StatusLine } from './terminal.js'

/** Milliseconds: nothing is said of what takes less, and then so often. */
const FIRST = 1000, EVERY = 200

export class ReadingProgress {
  readonly #stream: { readonly file: string, readonly size: number | null, readonly bytesRead: number }
  readonly #line: StatusLine | null
  readonly #started = performance.now()
  #told = -Infinity

  constructor(stream: { readonly file: string, readonly size: number | null, readonly bytesRead: number }) {
    this.#stream = stream
    this.#line = process.stderr.isTTY && !process.stdout.isTTY ? new StatusLine(process.stderr) : null
  }

  update(): void {
    if (this.#line === null) return
    const now = performance.now()
    if (now - this.#started < FIRST || now - this.#told < EVERY) return
    this.#told = now
    const { file, size, bytesRead } = this.#stream, read = `${(bytesRead / 1e6).toFixed(0)} MB`
    this.#line.show(`${file}: ${read}${size === null || size === 0 ? '' : ` of ${(size / 1e6).toFixed(0)} MB, ${Math.floor(bytesRead / size * 100)} %`}`)
  }

  end(): void {
    if (this.#told > -Infinity) this.#line?.clear()
  }
}
