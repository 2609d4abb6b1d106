// The figures as a picture: a panel a figure, a bar an entrant, a thin line from the least to the most of the rounds.
import { svgFile, text, type Style } from '../svg.js'
import { number, times } from '../text.js'
import { KERNEL } from './entrants.js'
import { FIGURES, type FigureName } from './figures.js'
import { ratio, spread, type EntrantResult } from './results.js'

const PANELS: readonly { readonly figure: FigureName, readonly title: string }[] = [
  { figure: 'udp1', title: 'small UDP, 1 flow' }, { figure: 'udp64', title: 'small UDP, 64 flows' },
  { figure: 'udp4096', title: 'small UDP, 4,096 flows' }, { figure: 'cpu', title: "router's CPU time a packet" },
  { figure: 'out1', title: 'bulk TCP, 1 stream out' }, { figure: 'in1', title: 'bulk TCP, 1 stream in' },
  { figure: 'out8', title: 'bulk TCP, 8 streams out' }, { figure: 'in8', title: 'bulk TCP, 8 streams in' },
  { figure: 'p50', title: 'round trip, p50' }, { figure: 'p99', title: 'round trip, p99' },
  { figure: 'p999', title: 'round trip, p99.9' }, { figure: 'connections', title: 'short TCP connections' },
]
const COLUMNS = 2
const MARGIN = 24, HEAD = 78, PANEL = 440, GUTTER = 24, PANEL_HEAD = 34, BAR = 15, STEP = 21, PANEL_FOOT = 18
const LABELS = 88, FIGURES_WIDTH = 128, LONGEST = PANEL - LABELS - FIGURES_WIDTH

const STYLE: Style = {
  light: '.ours { fill: #2a9d5c } .kernel { fill: #8a94a6 } .peer { fill: #d08a1d } .range { stroke: #1c2430; stroke-width: 1.5 } .axis { stroke: #8a94a6; stroke-width: 1 }',
  dark: '.ours { fill: #4cc283 } .kernel { fill: #6b7688 } .peer { fill: #e0a54a } .range { stroke: #e6edf3 } .axis { stroke: #6b7688 }',
}

/** @returns an SVG file */
export function networkChart(title: string, entrants: readonly EntrantResult[]): string {
  const present = entrants.filter(({ rounds }) => rounds.length > 0), height = PANEL_HEAD + present.length * STEP + PANEL_FOOT
  const panels = PANELS.filter(({ figure }) => present.some(entrant => spread(entrant, figure) !== null))
  return svgFile(title, 2 * MARGIN + COLUMNS * PANEL + GUTTER, HEAD + Math.ceil(panels.length / COLUMNS) * height + MARGIN / 2, STYLE, [
    text(MARGIN, 36, 'title', title),
    text(MARGIN, 57, 'small', 'The median of the rounds, and its ratio to the kernel\'s; the thin line goes from the least to the most.'),
    ...panels.flatMap((panel, at) =>
      drawPanel(panel, present, MARGIN + at % COLUMNS * (PANEL + GUTTER), HEAD + Math.floor(at / COLUMNS) * height)),
  ])
}

function drawPanel({ figure, title }: typeof PANELS[number], entrants: readonly EntrantResult[], left: number, top: number): string[] {
  const { unit, digits, better } = FIGURES[figure], kernel = entrants.find(({ name }) => name === KERNEL), zero = left + LABELS
  const spreads = entrants.map(entrant => spread(entrant, figure)), most = Math.max(...spreads.map(value => value?.most ?? 0)) || 1
  const x = (value: number): string => (zero + value / most * LONGEST).toFixed(1)
  return [
    text(left, top + 18, 'name', title),
    text(left + PANEL, top + 18, 'small', `${unit}; ${better} is better`, 'end'),
    ...entrants.flatMap((entrant, row) => {
      const y = top + PANEL_HEAD + row * STEP, middle = y + BAR / 2, value = spreads[row]
      const label = text(zero - 8, middle + 4, 'small', entrant.name, 'end')
      if (value === null) return [label, text(zero + 8, middle + 4, 'small', 'none')]
      const against = entrant === kernel ? null : ratio(entrant, kernel, figure)
      return [
        label,
        `  <rect class="${entrant.isOurs ? 'ours' : entrant.name === KERNEL ? 'kernel' : 'peer'}" x="${zero}" y="${y}" width="${(value.median / most * LONGEST).toFixed(1)}" height="${BAR}"/>`,
        `  <line class="range" x1="${x(value.least)}" y1="${middle}" x2="${x(value.most)}" y2="${middle}"/>`,
        text(zero + LONGEST + 8, middle + 4, 'small', `${number(value.median, digits)}${against === null ? '' : ` · ${times(against)}`}`),
      ]
    }),
    `  <line class="axis" x1="${zero}" y1="${top + PANEL_HEAD - 4}" x2="${zero}" y2="${top + PANEL_HEAD + entrants.length * STEP - 2}"/>`,
  ]
}
