// A ladder as SVG: one file that needs nothing else, readable on a light and on a dark page. A router is a band across which a
// packet changes: what it changes stands out on both sides. Every row tells its frames and ends to whoever points at it.
import type { Hop, Ladder, LadderEntry, LadderPacket, LadderStep, Lane } from './ladder.js'
import { escapeXml, fitted, textWidth, wrapped } from './markup.js'
import { shortTitle } from './title.js'
import { formatSize } from './text.js'

export interface LadderSvgOptions {
  /** Entries of class detail too: acknowledgements and the like. */
  readonly detail?: boolean
  /** The numbers of frames beside the names, too. */
  readonly frames?: boolean
  /** Below the title: the file, the time. */
  readonly subtitle?: string
}

const MARGIN = 24, TIME = 44, NAMES_GAP = 22
/** The column of names: as wide as the longest needs, within these. */
const FEWEST_NAMES = 200, MOST_NAMES = 400
/** Between two lanes: at least so much; labels make it wider. */
const SMALLEST_GAP = 118
const BAND = 26, BOX = { height: 42, padding: 12 }
const SIZE = { title: 17, name: 13, small: 11, label: 11.5, address: 9.5 }
const ROW = 24, ROW_WITH_ADDRESSES = 36, LINE = 17
/** Bold letters of a font that has no bold of its own are drawn wider. Between facts beside a name, pixels. */
const BOLDER = 1.06, FACT_GAP = 10
const DROP = { width: 300, line: 15, padding: 7 }

const STYLE = `
    .ground { fill: #ffffff } .title { font-size: ${SIZE.title}px; font-weight: 600 } .title, .name, .lane { fill: #1c2430 } .small { font-size: ${SIZE.small}px; fill: #5b6576 }
    .lane { font-size: ${SIZE.name}px; font-weight: 600 } .mono, .label, .address { font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace }
    .label { font-size: ${SIZE.label}px; fill: #1c2430 } .address { font-size: ${SIZE.address}px; fill: #667085 } .number { font-weight: 600; fill: #2757b8 }
    .line { stroke: #c9d0db; stroke-width: 1.2 } .host { fill: #eef4ff; stroke: #3b6fd4; stroke-width: 1.4 }
    .router { fill: #fff3e2; stroke: #d08a1d; stroke-width: 1.4 } .band { fill: #fff3e2; stroke: #ecc27e; stroke-width: 1 }
    .arrow { stroke: #3d4a60; stroke-width: 1.5; fill: none } .point { fill: #3d4a60 } .through { stroke: #d08a1d; stroke-width: 2.5 }
    .changed { fill: #a85b00; font-weight: 600 } .step { fill: #2757b8 } .stepname { font-size: ${SIZE.small}px; font-weight: 600; fill: #2757b8 }
    .halo { fill: #ffffff } .cross { stroke: #c62828; stroke-width: 2.6; stroke-linecap: round } .lost { stroke: #c62828 } .lostpoint { fill: #c62828 }
    .reason { font-size: ${SIZE.small}px; fill: #a32020 } .reasonbox { fill: #fdecec; stroke: #e5a3a3 }
    .good { fill: #1f7a47 } .bad { fill: #c62828 } .mark { font-size: ${SIZE.small}px; font-weight: 600 } .detail { opacity: 0.6 } .row { fill: #2757b8; fill-opacity: 0 } g:hover > .row { fill-opacity: 0.06 }
    @media (prefers-color-scheme: dark) {
      .ground, .halo { fill: #161b22 } .title, .name, .lane, .label { fill: #e6edf3 } .small { fill: #a3adba } .address { fill: #939eac } .number { fill: #86aefc }
      .line { stroke: #3a4452 } .host { fill: #1c2a44; stroke: #6f9bf0 } .router { fill: #3a2a12; stroke: #e0a54a } .band { fill: #2c2314; stroke: #6b5227 }
      .arrow { stroke: #b3bfce } .point { fill: #b3bfce } .through { stroke: #e0a54a } .changed { fill: #f0b968 } .step, .stepname { fill: #86aefc }
      .cross, .lost { stroke: #ff7b72 } .lostpoint { fill: #ff7b72 } .reason { fill: #ffa8a0 } .reasonbox { fill: #35191b; stroke: #7d3a3a } .good { fill: #4cc283 } .bad { fill: #ff7b72 } .row { fill: #86aefc }
    }
  `

/** @returns an SVG file */
export function ladderToSvg(ladder: Ladder, options: LadderSvgOptions = {}): string {
  return new Drawing(ladder, options).draw()
}

interface Row { readonly lines: readonly string[], readonly height: number }

class Drawing {
  readonly #entries: readonly LadderEntry[]
  readonly #start: bigint
  readonly #gap: number
  readonly #first: number
  readonly #names: number
  readonly #room: number
  readonly #width: number

  constructor(private readonly ladder: Ladder, private readonly options: LadderSvgOptions) {
    const { lanes, entries } = ladder
    this.#entries = entries.filter(entry => entry.kind === 'step' || !entry.isDetail || options.detail === true)
    this.#start = entries.at(0)?.time ?? 0n
    const labels = this.#entries.flatMap(entry => entry.kind === 'step' ? [] : entry.hops.map((hop, at) => this.#labelWidth(hop, changesOf(entry.hops, at))))
    const heads = lanes.map(lane => Math.min(SMALLEST_GAP * 1.5, boxWidth(lane) + 14))
    this.#gap = Math.ceil(Math.max(SMALLEST_GAP, ...heads, ...labels.map(width => width + BAND + 22)))
    this.#first = MARGIN + TIME + Math.ceil(Math.max(40, (heads.at(0) ?? 0) / 2))
    this.#names = this.#first + Math.max(0, lanes.length - 1) * this.#gap + Math.max(NAMES_GAP, Math.ceil((heads.at(-1) ?? 0) / 2))
    const needed = this.#entries.map(entry => entry.kind === 'step' ? textWidth(entry.note, SIZE.small, 'sans') + 12 : widthOf(this.#facts(entry), textWidth(this.#titleOf(entry), SIZE.name, 'sans')))
    this.#room = Math.ceil(Math.max(FEWEST_NAMES, Math.min(MOST_NAMES, Math.max(0, ...needed))))
    this.#width = this.#names + this.#room + MARGIN
  }

  draw(): string {
    const { title, lanes, notes = [] } = this.ladder, { subtitle = '' } = this.options
    const titles = wrapped(title, this.#width - 2 * MARGIN, SIZE.title, 'bold'), subtitles = wrapped(subtitle, this.#width - 2 * MARGIN, SIZE.small, 'sans')
    const head = 20 + titles.length * 24 + subtitles.length * 16 + 8, top = head + BOX.height
    const rows: string[] = []
    let y = top + 14
    for (const entry of this.#entries) {
      const { lines, height } = entry.kind === 'step' ? this.#step(entry, y) : this.#packet(entry, y)
      rows.push(...lines)
      y += height
    }
    const bottom = y + 6
    const below = notes.flatMap(note => wrapped(note, this.#width - 2 * MARGIN, SIZE.small, 'sans'))
    const height = bottom + 14 + below.length * 16 + 6
    return `${[
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${this.#width} ${height}" width="${this.#width}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="${SIZE.name}">`,
      `  <title>${escapeXml(title)}</title>`,
      `  <style>${STYLE}</style>`,
      `  <rect class="ground" width="${this.#width}" height="${height}"/>`,
      ...titles.map((line, at) => text(MARGIN, 34 + at * 24, 'title', line)),
      ...subtitles.map((line, at) => text(MARGIN, 30 + titles.length * 24 + at * 16, 'small', line)),
      ...lanes.flatMap((lane, at) => this.#lane(lane, at, head, bottom)),
      text(MARGIN + TIME - 8, top - 8, 'small', 'ms', 'end'),
      ...rows,
      ...below.map((line, at) => text(MARGIN, bottom + 20 + at * 16, 'small', line)),
      '</svg>',
    ].join('\n')}\n`
  }

  #x(lane: string): number | undefined {
    const at = this.ladder.lanes.findIndex(each => each.name === lane)
    return at < 0 ? undefined : this.#first + at * this.#gap
  }

  /** Where an arrow touches the lane, seen from `towards`. */
  #edge(lane: string, x: number, towards: number): number {
    const isRouter = this.ladder.lanes.some(each => each.name === lane && each.isRouter === true)
    return isRouter ? x + Math.sign(towards - x) * BAND / 2 : x
  }

  #lane(lane: Lane, at: number, top: number, bottom: number): string[] {
    const x = this.#first + at * this.#gap, width = Math.min(this.#gap - 8, boxWidth(lane)), room = width - BOX.padding
    const hasAddress = lane.address !== '' && lane.address !== lane.name
    const shaft = lane.isRouter === true
      ? `  <rect class="band" x="${x - BAND / 2}" y="${top + BOX.height}" width="${BAND}" height="${bottom - top - BOX.height}"/>`
      : `  <line class="line" x1="${x}" y1="${top + BOX.height}" x2="${x}" y2="${bottom}"/>`
    return [
      shaft,
      `  <rect class="${lane.isRouter === true ? 'router' : 'host'}" x="${round(x - width / 2)}" y="${top}" width="${round(width)}" height="${BOX.height}" rx="7"/>`,
      text(x, top + (hasAddress ? 18 : 26), 'lane', fitted(lane.name, room, SIZE.name, 'bold'), 'middle'),
      ...hasAddress ? [text(x, top + 33, 'small', fitted(lane.address, room, SIZE.small, 'sans'), 'middle')] : [],
    ]
  }

  // --- rows ---------------------------------------------------------------------------------------------------------

  #packet(entry: LadderPacket, y: number): Row {
    const { hops, drop, isDetail } = entry
    const hasAddresses = hops.some((_, at) => changesOf(hops, at).addresses.some(Boolean))
    const middle = y + 16
    const names = this.#packetNames(entry, middle + 4)
    const reason = drop === undefined ? { lines: [], height: 0 } : this.#reason(drop, middle + (hasAddresses ? 18 : 12))
    const height = Math.max((hasAddresses ? ROW_WITH_ADDRESSES : ROW) + reason.height, names.height + 14)
    return {
      height,
      lines: [
        `  <g${isDetail ? ' class="detail"' : ''}>`,
        `  <title>${escapeXml(tooltip(entry))}</title>`,
        `  <rect class="row" x="${MARGIN / 2}" y="${y}" width="${this.#width - MARGIN}" height="${height}"/>`,
        text(MARGIN + TIME - 8, middle + 4, 'small', String((entry.time - this.#start) / 1_000_000n), 'end'),
        ...hops.flatMap((_, at) => this.#hop(hops, at, middle, drop !== undefined && at === hops.length - 1)),
        ...this.#cross(drop, middle), ...reason.lines, ...names.lines,
        '  </g>',
      ],
    }
  }

  #hop(hops: readonly Hop[], nth: number, y: number, isLost: boolean): string[] {
    const hop = hops[nth], from = this.#x(hop.from), to = this.#x(hop.to)
    if (from === undefined || to === undefined) return []
    if (from === to) return this.#loop(hop, from, y)
    const start = this.#edge(hop.from, from, to), end = this.#edge(hop.to, to, from), way = Math.sign(to - from)
    // A packet that is lost ends in the middle of the band, where the cross is.
    const tip = isLost && start !== end ? to - way * 7 : end
    const through = nth === 0 ? [] : [`  <line class="through" x1="${from - way * BAND / 2}" y1="${y}" x2="${from + way * BAND / 2}" y2="${y}"/>`]
    const changes = changesOf(hops, nth)
    return [
      ...through,
      `  <line class="arrow${isLost ? ' lost' : ''}" x1="${round(start)}" y1="${y}" x2="${round(tip - way * 6)}" y2="${y}"/>`,
      `  <path class="${isLost ? 'lostpoint' : 'point'}" d="M ${round(tip)} ${y} l ${-way * 9} -4 v 8 z"/>`,
      labelText(this.#middleOf(hop.from, from, to), y - 5, 'label', hop.label.split('→'), way, changes.ports),
      ...this.#addresses(hop, changes.addresses, from, to, y + 12),
    ]
  }

  /** The addresses that a router changes; the others stand above the lanes. */
  #addresses({ from, to, addresses = ['', ''] }: Hop, [source, destination]: Changes['addresses'], start: number, end: number, y: number): string[] {
    const way = Math.sign(end - start), near = this.#middleOf(from, start, end), far = this.#middleOf(to, end, start)
    if (source && destination && near === far) return [labelText(near, y, 'address', addresses, way, [true, true])]
    return [...source ? [text(near, y, 'address changed', addresses[0], 'middle')] : [], ...destination ? [text(source ? far : near, y, 'address changed', addresses[1], 'middle')] : []]
  }

  /** Of the gap next to a lane, in the direction of `towards`. */
  #middleOf(lane: string, x: number, towards: number): number {
    const way = Math.sign(towards - x), next = x + way * this.#gap
    const other = this.ladder.lanes.at(Math.round((next - this.#first) / this.#gap))
    const near = this.#edge(lane, x, towards), far = other === undefined ? next : this.#edge(other.name, next, x)
    return (near + far) / 2
  }

  /** Pixels of a gap that a hop needs. */
  #labelWidth({ from, to, label, addresses = ['', ''] }: Hop, { addresses: [source, destination] }: Changes): number {
    const at = (lane: string): number => this.ladder.lanes.findIndex(each => each.name === lane)
    const isNext = Math.abs(at(from) - at(to)) === 1
    const widths = addresses.map((address, end) => [source, destination][end] ? textWidth(address, SIZE.address, 'mono') * BOLDER : 0)
    const below = isNext && source && destination ? widths[0] + widths[1] + textWidth(' → ', SIZE.address, 'mono') : Math.max(...widths)
    return Math.max(textWidth(label.replace('→', ' → '), SIZE.label, 'mono') * BOLDER, below)
  }

  /** Between two that share a lane. */
  #loop(hop: Hop, x: number, y: number): string[] {
    const isLast = x >= this.#first + (this.ladder.lanes.length - 1) * this.#gap, way = isLast && this.ladder.lanes.length > 1 ? -1 : 1
    return [
      `  <path class="arrow" d="M ${x} ${y - 5} h ${way * 18} q ${way * 8} 0 ${way * 8} 5 q 0 5 ${-way * 8} 5 h ${-way * 12}"/>`,
      `  <path class="point" d="M ${x} ${y + 5} l ${way * 9} -4 v 8 z"/>`,
      text(x + way * 32, y + 4, 'label', hop.label, way > 0 ? undefined : 'end'),
    ]
  }

  #cross(drop: LadderPacket['drop'], y: number): string[] {
    const x = drop === undefined ? undefined : this.#x(drop.lane)
    if (x === undefined) return []
    const arm = 5
    return [`  <path class="cross" d="M ${x - arm} ${y - arm} l ${2 * arm} ${2 * arm} m 0 ${-2 * arm} l ${-2 * arm} ${2 * arm}"/>`]
  }

  #reason({ lane, reason }: NonNullable<LadderPacket['drop']>, y: number): Row {
    const x = this.#x(lane)
    if (x === undefined) return { lines: [], height: 0 }
    const lines = wrapped(`dropped: ${reason}`, DROP.width - 2 * DROP.padding, SIZE.small, 'sans')
    const width = Math.min(DROP.width, Math.max(...lines.map(line => textWidth(line, SIZE.small, 'sans'))) + 2 * DROP.padding)
    const right = this.#names - 8, left = Math.max(MARGIN + TIME, Math.min(x - width / 2, right - width)), height = lines.length * DROP.line + 2 * DROP.padding - 3
    return {
      height: height + 8,
      lines: [
        `  <rect class="halo" x="${round(left)}" y="${y}" width="${round(width)}" height="${height}" rx="5"/>`,
        `  <rect class="reasonbox" x="${round(left)}" y="${y}" width="${round(width)}" height="${height}" rx="5"/>`,
        ...lines.map((line, at) => text(round(left + DROP.padding), y + DROP.padding + 9 + at * DROP.line, 'reason', line)),
      ],
    }
  }

  #titleOf(entry: LadderPacket): string {
    const { beside = [] } = entry
    return shortTitle(entry) + (this.options.detail === true && beside.length > 0 ? ` (${beside.join(', ')})` : '')
  }

  #facts({ figures, size, count, isRepeat, frames = [] }: LadderPacket): Fact[] {
    return [
      ...count > 1 || isRepeat ? [fact(`×${count}${isRepeat ? ' more' : ''}`, 'small')] : [], ...size > 0 ? [fact(formatSize(size), 'small')] : [],
      ...figures.map(({ figure, ok }) => fact(`${figure} ${ok ? '✓' : '✗'}`, `mark ${ok ? 'good' : 'bad'}`)),
      ...this.options.frames === true && frames.length > 0 ? [fact(framesText(frames), 'small')] : [],
    ]
  }

  #packetNames(entry: LadderPacket, y: number): Row {
    const title = this.#titleOf(entry), lines = wrapped(title, this.#room, SIZE.name, 'sans')
    const number = /^(\d{2,3}|S\d{3}) /.exec(title)?.[0] ?? ''
    const drawn = lines.map((line, at) => at === 0 && number !== '' && line.startsWith(number)
      ? `  <text class="name" x="${this.#names}" y="${y}"><tspan class="number">${escapeXml(number.trimEnd())}</tspan> ${escapeXml(line.slice(number.length))}</text>`
      : text(this.#names, y + at * LINE, 'name', line))
    let x = this.#names + textWidth(lines.at(-1) ?? '', SIZE.name, 'sans') + FACT_GAP, row = lines.length - 1
    for (const { content, style, width } of this.#facts(entry)) {
      if (x + width > this.#names + this.#room && x > this.#names) {
        row++
        x = this.#names
      }
      drawn.push(text(round(x), y + row * LINE, style, content))
      x += width + FACT_GAP
    }
    return { lines: drawn, height: (row + 1) * LINE }
  }

  #step({ lane, name, note, time }: LadderStep, y: number): Row {
    const x = this.#x(lane), middle = y + 10, isRouter = this.ladder.lanes.some(each => each.name === lane && each.isRouter === true)
    const notes = wrapped(note, this.#room - 12, SIZE.small, 'sans')
    const dot = x === undefined ? [] : [
      `  <circle class="step" cx="${x}" cy="${middle}" r="4.5"/>`,
      text(x + (isRouter ? BAND / 2 + 6 : 9), middle + 4, 'stepname', fitted(name, this.#gap - 30, SIZE.small, 'bold')),
    ]
    const height = Math.max(ROW, notes.length * 15 + 8)
    return {
      height,
      lines: [
        '  <g>', `  <title>${escapeXml(`${name} ${note}, ${(time - this.#start) / 1_000_000n} ms`)}</title>`,
        ...dot, ...notes.map((line, at) => text(this.#names + 12, middle + 4 + at * 15, 'small', line)), '  </g>',
      ],
    }
  }
}

const round = (value: number): number => Math.round(value * 10) / 10
const boxWidth = ({ name, address }: Lane): number => Math.max(64, textWidth(name, SIZE.name, 'bold'), textWidth(address, SIZE.small, 'sans')) + 2 * BOX.padding
const text = (x: number, y: number, style: string, content: string, anchor?: 'end' | 'middle'): string =>
  `  <text class="${style}" x="${round(x)}" y="${round(y)}"${anchor === undefined ? '' : ` text-anchor="${anchor}"`}>${escapeXml(content)}</text>`

interface Fact { readonly content: string, readonly style: string, readonly width: number }
const fact = (content: string, style: string): Fact => ({ content, style, width: textWidth(content, SIZE.small, style === 'small' ? 'sans' : 'bold') })
const widthOf = (facts: readonly Fact[], title: number): number => facts.reduce((sum, { width }) => sum + FACT_GAP + width, title)

/** `source → destination`, in the order of the arrow; what a router changes stands out. */
function labelText(x: number, y: number, style: string, parts: readonly string[], way: number, changed: readonly [boolean, boolean]): string {
  if (parts.length !== 2) return text(x, y, style, parts.join('→'), 'middle')
  const [source, destination] = parts.map((part, at) => changed[at] ? `<tspan class="changed">${escapeXml(part)}</tspan>` : escapeXml(part))
  const content = way > 0 ? `${source} → ${destination}` : `${destination} ← ${source}`
  return `  <text class="${style}" x="${round(x)}" y="${round(y)}" text-anchor="middle">${content}</text>`
}

/** Of a hop's two ends, source first: what is other on the hop before it or behind it. */
interface Changes { readonly ports: readonly [boolean, boolean], readonly addresses: readonly [boolean, boolean] }

function changesOf(hops: readonly Hop[], at: number): Changes {
  const hop = hops[at], others = [hops.at(at - 1), hops.at(at + 1)].filter((_, side) => side === 0 ? at > 0 : at + 1 < hops.length)
  const isOther = (of: (each: Hop | undefined) => string | undefined): boolean => others.some(other => of(other) !== of(hop))
  return {
    ports: [isOther(each => each?.label.split('→').at(0)), isOther(each => each?.label.split('→').at(1))],
    addresses: [isOther(each => each?.addresses?.[0]), isOther(each => each?.addresses?.[1])],
  }
}

const framesText = (frames: readonly number[]): string => `frame${frames.length === 1 ? '' : 's'} ${frames.join(', ')}`

function tooltip({ title, hops, frames = [], count, drop }: LadderPacket): string {
  const ways = hops.map(({ from, to, label, addresses }) => {
    const [source, destination] = label.split('→')
    const ends = addresses === undefined || (destination as string | undefined) === undefined ? label : `${addresses[0]}:${source} → ${addresses[1]}:${destination}`
    return `${from} → ${to}: ${ends}`
  })
  const reason = drop === undefined ? [] : [`dropped at ${drop.lane}: ${drop.reason}`]
  return [title, ...ways, ...reason, ...frames.length === 0 ? [] : [framesText(frames) + (count > 1 ? ` and ${count - 1} more like it` : '')]].join(' · ')
}
