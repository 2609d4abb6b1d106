// A ladder as text, line by line: the header first, then each entry as it comes. Three shapes, by the width of the terminal:
// names beside the lanes (from about 105 columns for five lanes), names above the arrows, and, where the lanes themselves do not
// fit, a plain list.
import { displayWidth, fit, printable } from '../decode/text-width.js'
import type { Hop, Ladder, LadderEntry, LadderPacket, LadderStep, Lane } from './ladder.js'

export interface LadderTextOptions {
  /** Columns of the terminal. */
  readonly width?: number
  readonly colour?: boolean
  /** Entries of class detail too: acknowledgements and the like. */
  readonly detail?: boolean
  /** The numbers of frames, where packets have some. */
  readonly frames?: boolean
}

type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad'
/** Text that stays on one line. */
interface Word { readonly text: string, readonly style: Style, readonly before: string }

const CODES: Readonly<Record<Style, string>> = { plain: '', bold: '\x1b[1m', dim: '\x1b[2m', good: '\x1b[32m', bad: '\x1b[31m' }
const RESET = '\x1b[0m'

/** The time in front of a line: up to six digits of milliseconds. */
const TIME_WIDTH = 6
const FIRST_LANE = 9
/** Between the last lane and the names. */
const MARGIN = 3
/** Columns that the names of Fig. 2 take at most, and the fewest worth having beside the lanes. */
const NAMES = 46, FEWEST_NAMES = 30
/** Between lanes: room for `─ 1500→1201 ─►`, and as much as looks well. */
const SMALLEST_GAP = 15, LARGEST_GAP = 18
/** Where a note stands under a name: behind its number. */
const INDENT = '    '

export class LadderText {
  readonly #lanes: readonly Lane[]
  readonly #start: bigint
  readonly #width: number
  readonly #colour: boolean
  readonly #detail: boolean
  readonly #frames: boolean
  readonly #columns: readonly number[]
  readonly #shape: 'beside' | 'above' | 'list'

  /** `start` is the time that counts as 0 ms, nanoseconds since 1970. */
  constructor(lanes: readonly Lane[], start: bigint, { width = 120, colour = false, detail = false, frames = false }: LadderTextOptions = {}) {
    this.#lanes = lanes
    this.#start = start
    this.#width = width
    this.#colour = colour
    this.#detail = detail
    this.#frames = frames
    const smallest = Math.max(SMALLEST_GAP, ...lanes.map(lane => Math.max(displayWidth(lane.name), displayWidth(lane.address)) + 2))
    const gaps = Math.max(1, lanes.length - 1)
    const gap = Math.max(smallest, Math.min(LARGEST_GAP, Math.floor((width - FIRST_LANE - MARGIN - NAMES) / gaps)))
    this.#columns = lanes.map((_, at) => FIRST_LANE + at * gap)
    const last = FIRST_LANE + gaps * gap
    this.#shape = width - last - MARGIN >= FEWEST_NAMES ? 'beside' : width >= last + Math.ceil(smallest / 2) ? 'above' : 'list'
  }

  header(title: string): string[] {
    const top = [this.#paint(fit(printable(title), this.#width), 'bold'), '']
    if (this.#shape === 'list') return [...top, ...this.#lanes.map(lane => fit(`${lane.name.padEnd(TIME_WIDTH)}  ${lane.address}`, this.#width)), '']
    const names = this.#centred(this.#lanes.map(lane => lane.name)), addresses = this.#centred(this.#lanes.map(lane => lane.address))
    return [...top, this.#paint(names, 'bold'), addresses, this.#line('ms', this.#bars())]
  }

  /** The lines of an entry; none for a detail that nobody asked for. */
  entry(entry: LadderEntry): string[] {
    if (entry.kind === 'packet' && entry.isDetail && !this.#detail) return []
    const time = entry.kind === 'packet' ? String((entry.time - this.#start) / 1_000_000n) : ''
    const words = entry.kind === 'packet' ? packetWords(entry, this.#detail, this.#frames) : noteWords(entry)
    const notes = entry.kind === 'packet' && entry.drop !== undefined ? [word(INDENT + 'dropped:', 'bad', ''), ...wordsOf(entry.drop.reason, 'bad')] : []
    if (this.#shape === 'list') return this.#listed(entry, time, words, notes)

    const arrows = this.#line(time, entry.kind === 'packet' ? this.#drawPacket(entry) : this.#drawStep(entry))
    if (this.#shape === 'above') {
      const indent = ' '.repeat(TIME_WIDTH + 1)
      const above = [...this.#wrap(words, this.#width - indent.length), ...this.#wrap(notes, this.#width - indent.length)]
      return [...above.map(text => indent + text), arrows]
    }
    const room = this.#width - (this.#columns.at(-1) ?? 0) - MARGIN
    const beside = [...this.#wrap(words, room), ...this.#wrap(notes, room)]
    const space = ' '.repeat(MARGIN - 1)
    const under = this.#line('', this.#bars())
    return beside.length === 0 ? [arrows] : beside.map((text, at) => `${at === 0 ? arrows : under}${space}${text}`)
  }

  /** A sentence below the ladder. */
  note(text: string): string[] { return this.#wrap(wordsOf(text, 'dim'), this.#width) }

  #listed(entry: LadderEntry, time: string, words: readonly Word[], notes: readonly Word[]): string[] {
    const path = entry.kind === 'step' ? `${entry.lane} ${entry.name}` : [entry.hops[0]?.from, ...entry.hops.map(hop => hop.to)].filter(Boolean).join(' → ')
    const [first = '', ...rest] = this.#wrap([word(path, 'dim', ''), ...words.map((each, at) => at === 0 ? { ...each, before: '  ' } : each)], this.#width - TIME_WIDTH - 2)
    const indent = ' '.repeat(TIME_WIDTH + 2)
    return [`${time.padStart(TIME_WIDTH)}  ${first}`, ...[...rest, ...this.#wrap(notes, this.#width - indent.length)].map(text => indent + text)]
  }

  /** The lanes without anything on them; a cell is a column. */
  #bars(): string[] {
    const cells = new Array<string>((this.#columns.at(-1) ?? 0) + 1).fill(' ')
    for (const column of this.#columns) cells[column] = '│'
    return cells
  }

  #line(time: string, cells: readonly string[]): string {
    const text = cells.join('').replace(/^ +/, spaces => time.padStart(TIME_WIDTH).slice(0, spaces.length).padEnd(spaces.length))
    return this.#paint(text, 'plain')
  }

  #drawPacket({ hops, drop }: LadderPacket): string[] {
    const cells = this.#bars()
    for (const hop of hops) this.#drawHop(cells, hop)
    const at = drop === undefined ? undefined : this.#columnOf(drop.lane)
    if (at !== undefined) cells[at] = '✗'
    return cells
  }

  #drawHop(cells: string[], { from, to, label }: Hop): void {
    const start = this.#columnOf(from), end = this.#columnOf(to)
    if (start === undefined || end === undefined) return
    if (start === end) {
      cells[start] = '↺'
      return
    }
    const isRight = end > start
    const [left, right] = isRight ? [start, end] : [end, start]
    for (let at = left + 1; at < right; at++) cells[at] = this.#columns.includes(at) ? '┼' : '─'
    cells[isRight ? right - 1 : left + 1] = isRight ? '►' : '◄'
    cells[start] = isRight ? '├' : '┤'
    // The label stands in the gap next to the sender, clear of the arrow's point.
    const gap = this.#columns[1] - this.#columns[0] - 1
    const room = gap - 1
    const text = ` ${fit(label, room - 2)} `
    const offset = Math.floor((room - text.length + 1) / 2)
    const first = isRight ? left + 1 + offset : right - offset - text.length
    Array.from(text).forEach((character, at) => { cells[first + at] = character })
  }

  /** `S202 ●`; to the right of the first lane, where the time stands on the left. */
  #drawStep({ lane, name }: LadderStep): string[] {
    const cells = this.#bars()
    const column = this.#columnOf(lane)
    if (column === undefined) return cells
    cells[column] = '●'
    const first = column - 1 - name.length > TIME_WIDTH ? column - 1 - name.length : column + 2
    Array.from(name).forEach((character, at) => { cells[first + at] = character })
    return cells
  }

  #columnOf(lane: string): number | undefined {
    const at = this.#lanes.findIndex(each => each.name === lane)
    return at < 0 ? undefined : this.#columns[at]
  }

  #centred(texts: readonly string[]): string {
    let line = ''
    texts.forEach((text, at) => {
      const first = this.#columns[at] - Math.floor(displayWidth(text) / 2)
      line += ' '.repeat(Math.max(0, first - displayWidth(line))) + text
    })
    return line
  }

  /** Words on lines of `room` columns; a word that is longer is cut. */
  #wrap(words: readonly Word[], room: number): string[] {
    const lines: string[] = []
    let line = '', used = 0
    for (const { text, style, before } of words) {
      const fitted = fit(printable(text), room)
      const width = displayWidth(fitted)
      if (used > 0 && used + before.length + width > room) {
        lines.push(line)
        line = ''
        used = 0
      }
      const space = used === 0 ? (lines.length === 0 ? '' : INDENT.slice(0, Math.max(0, room - width))) : before
      line += space + this.#paint(fitted, style)
      used += space.length + width
    }
    return line === '' ? lines : [...lines, line]
  }

  #paint(text: string, style: Style): string {
    return this.#colour && style !== 'plain' ? CODES[style] + text + RESET : text
  }
}

/** A whole ladder at once. */
export function ladderToText({ title, lanes, entries, notes = [] }: Ladder, options: LadderTextOptions = {}): string {
  const text = new LadderText(lanes, entries.at(0)?.time ?? 0n, options)
  const below = notes.length === 0 ? [] : ['', ...notes.flatMap(note => text.note(note))]
  return [...text.header(title), ...entries.flatMap(entry => text.entry(entry)), ...below].map(line => `${line.trimEnd()}\n`).join('')
}

const word = (text: string, style: Style = 'plain', before = ' '): Word => ({ text, style, before })
const wordsOf = (text: string, style: Style = 'plain'): Word[] => text.split(' ').filter(each => each !== '').map(each => word(each, style))

function packetWords({ title, figures, size, count, isRepeat, beside = [], frames = [] }: LadderPacket, detail: boolean, hasFrames: boolean): Word[] {
  const times = count > 1 || isRepeat ? [word(isRepeat ? `×${count} more` : `×${count}`, 'dim')] : []
  const bytes = size > 0 ? [word(formatSize(size), 'dim', ', ')] : []
  const marks = figures.map(({ figure, ok }, at) => word(`${figure} ${ok ? '✓' : '✗'}`, ok ? 'good' : 'bad', at === 0 ? '  ' : ' '))
  const more = detail && beside.length > 0 ? wordsOf(`(${beside.join(', ')})`, 'dim') : []
  const numbers = hasFrames && frames.length > 0 ? [word(`#${frames.join(',')}`, 'dim', '  ')] : []
  return [...wordsOf(title), ...more, ...times, ...bytes, ...marks, ...numbers]
}

const noteWords = ({ note }: LadderStep): Word[] => {
  const [first, ...rest] = wordsOf(note)
  return note === '' ? [] : [{ ...first, text: INDENT + first.text }, ...rest]
}

export const formatSize = (bytes: number): string =>
  bytes < 1000 ? `${bytes} B` : bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
