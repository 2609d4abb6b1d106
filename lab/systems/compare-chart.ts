// The comparison (compare.ts) as a picture: a panel a quantity, a bar a system, each with its figure. SVG 1.1, readable on a light and
// on a dark page.
import type { CompareRow } from './compare-row.js'
import { bytesText, rateText, secondsText } from '../quantities.js'

interface Panel {
  readonly title: string
  /** What is good about it. */
  readonly note: string
  readonly value: (row: CompareRow) => number
  readonly text: (value: number) => string
}

/** The quantities that are compared, with their figures as people read them. */
export const QUANTITIES = {
  throughServer: { title: 'bytes through the server', note: 'in and out, headers included; less is better', value: row => row.serverReceived + row.serverSent, text: bytesText },
  throughput: { title: 'throughput', note: 'of the data, from end to end; more is better', value: row => row.throughput, text: rateText },
  serverCpu: { title: 'CPU time of the server process', note: 'user and system; less is better', value: row => row.serverCpu, text: secondsText },
} as const satisfies Record<string, Panel>

const WIDTH = 760, MARGIN = 24, LABELS = 150, FIGURES = 110
const HEAD = 64, PANEL_HEAD = 46, BAR = 22, GAP = 8, PANEL_GAP = 22
const LONGEST = WIDTH - 2 * MARGIN - LABELS - FIGURES

const STYLE = `
    .ground { fill: #ffffff } .title { font-size: 17px; font-weight: 600; fill: #1c2430 } .name { font-weight: 600; fill: #1c2430 }
    .small { font-size: 12px; fill: #4b5566 } .label, .figure { fill: #1c2430 } .axis { stroke: #8a94a6; stroke-width: 1 }
    .relay { fill: #d08a1d } .relay-login { fill: #3b6fd4 } .direct { fill: #2a9d5c }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #161b22 } .title, .name, .label, .figure { fill: #e6edf3 } .small { fill: #a3adba } .axis { stroke: #6b7688 }
      .relay { fill: #e0a54a } .relay-login { fill: #6f9bf0 } .direct { fill: #4cc283 }
    }
  `

/**
 * @param bytes that each system moved
 * @returns an SVG file
 */
export function comparisonChart(bytes: number, rows: readonly CompareRow[]): string {
  const panels = Object.values<Panel>(QUANTITIES)
  const panelHeight = PANEL_HEAD + rows.length * (BAR + GAP) + PANEL_GAP, height = HEAD + panels.length * panelHeight
  const title = `${bytesText(bytes)} from one LAN to another, by each system`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="14">`,
    `  <title>${escape(title)}</title>`,
    `  <style>${STYLE}</style>`,
    `  <rect class="ground" width="${WIDTH}" height="${height}"/>`,
    text(MARGIN, 38, 'title', title),
    ...panels.flatMap((panel, at) => panelLines(panel, rows, HEAD + at * panelHeight)),
    '</svg>',
  ].join('\n')}\n`
}

function panelLines({ title, note, value, text: figure }: Panel, rows: readonly CompareRow[], top: number): string[] {
  const most = Math.max(...rows.map(value)), left = MARGIN + LABELS, first = top + PANEL_HEAD
  return [
    text(MARGIN, top + 14, 'name', title),
    text(MARGIN, top + 32, 'small', note),
    ...rows.flatMap((row, at) => {
      const y = first + at * (BAR + GAP), middle = y + BAR / 2 + 5
      const length = most === 0 ? 0 : value(row) / most * LONGEST
      return [
        text(left - 10, middle, 'label', row.title, 'end'),
        `  <rect class="${row.system}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="${Math.min(3, length / 2).toFixed(1)}"/>`,
        text(left + Number(length.toFixed(1)) + 8, middle, 'figure', figure(value(row))),
      ]
    }),
    `  <line class="axis" x1="${left}" y1="${first - 4}" x2="${left}" y2="${first + rows.length * (BAR + GAP) - 4}"/>`,
  ]
}

const text = (x: number, y: number, style: string, content: string, anchor?: 'end'): string =>
  `  <text class="${style}" x="${x}" y="${y}"${anchor === undefined ? '' : ` text-anchor="${anchor}"`}>${escape(content)}</text>`

const escape = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
