// What is only for a terminal: colours, and a screen that is drawn again and again in place.
import { fit } from '../captures/decode/text-width.js'

/** Unless the user wants none (https://no-color.org). */
export const hasColour = (): boolean => process.stdout.isTTY && process.env.NO_COLOR === undefined

const CODES = { good: '\x1b[32m', bad: '\x1b[31m', dim: '\x1b[2m' } as const

export const coloured = (text: string, style: keyof typeof CODES): string => `${CODES[style]}${text}\x1b[0m`

/** Of a terminal, or of what stands in for one. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): unknown
}

/** Lines drawn where the last ones stood, as many and as much of each as there is room for. */
export class Screen {
  readonly #terminal: Terminal
  #isFirst = true

  constructor(terminal: Terminal) { this.#terminal = terminal }

  draw(lines: readonly string[]): void {
    // A terminal that does not know its size says 0. The last row is left to the cursor.
    const columns = this.#terminal.columns || 80, room = Math.max(1, (this.#terminal.rows || 24) - 1)
    const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more lines`]
    const begin = this.#isFirst ? '\x1b[2J\x1b[H' : '\x1b[H'
    this.#isFirst = false
    this.#terminal.write(`${begin}${shown.map(line => `${fit(line, columns)}\x1b[K\n`).join('')}\x1b[J`)
  }
}

/** One line that says how far something is, drawn again in place; where the output is no terminal, nothing. */
export class StatusLine {
  readonly #terminal: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>

  constructor(terminal: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>) { this.#terminal = terminal }

  show(text: string): void {
    // The last column is left to the cursor, or some terminals begin a new line.
    if (this.#terminal.isTTY) this.#terminal.write(`\r${fit(text, (this.#terminal.columns || 80) - 1)}\x1b[K`)
  }

  clear(): void { this.show('') }
}
