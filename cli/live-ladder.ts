// A ladder on the terminal as it happens; the header comes with the first entry, whose time is 0.
import { Folding, type LadderEntry, type Lane } from '../captures/ladder/ladder.js'
import { LadderText } from '../captures/ladder/text.js'
import { hasColour } from './terminal.js'

/** Columns, where the output is no terminal. */
const PLAIN_WIDTH = 120

export class LiveLadder {
  readonly #title: string
  readonly #lanes: readonly Lane[]
  readonly #detail: boolean
  readonly #folding = new Folding()
  #text: LadderText | undefined

  /** @param detail show acknowledgements and the like too, and fold nothing */
  constructor(title: string, lanes: readonly Lane[], detail: boolean) {
    this.#title = title
    this.#lanes = lanes
    this.#detail = detail
  }

  show(entry: LadderEntry): void {
    if (this.#detail) this.#print(entry)
    else for (const each of this.#folding.push(entry)) this.#print(each)
  }

  end(): void {
    for (const entry of this.#folding.flush()) this.#print(entry)
  }

  #print(entry: LadderEntry): void {
    if (this.#text === undefined) {
      const width = process.stdout.isTTY ? process.stdout.columns : PLAIN_WIDTH
      this.#text = new LadderText(this.#lanes, entry.time, { width, colour: hasColour(), detail: this.#detail })
      this.#write(['', ...this.#text.header(this.#title)])
    }
    this.#write(this.#text.entry(entry))
  }

  #write(lines: readonly string[]): void {
    for (const line of lines) process.stdout.write(`${line.trimEnd()}\n`)
  }
}
