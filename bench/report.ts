// Results as a table for people (Markdown, as in docs/performance.md) and as a picture: a bar a contest, as long as its ratio.
import type { EntrantResult, Result } from './rounds.js'
import { markdownTable } from './markdown-table.js'
import type { Spread } from './statistics.js'
import { svgFile, text } from './svg.js'

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(2)
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
const times = (ratio: number): string => `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×`
const range = ({ least, most }: Spread, figure: (value: number) => string): string => `${figure(least)}–${figure(most)}`
const timeOf = ({ time }: EntrantResult): string => `${seconds(time.median)} s (${range(time, seconds)})`

const HEADINGS = ['work', 'naptlab', 'peer', 'the peer takes', 'of CPU time', 'wanted', '']

/** Lines of a Markdown table. */
export function table(results: readonly Result[]): string[] {
  const rows = results.map(({ name, ours, peer, ratio, cpuRatio, wanted, ok }) => [
    name, `${timeOf(ours)}, ${megabytes(ours.memory.most)}`, peer === null ? 'not installed' : `${peer.name} ${timeOf(peer)}`,
    ratio === null ? '–' : `${times(ratio.median)} (${range(ratio, value => value.toFixed(2))})`, cpuRatio === null ? '–' : times(cpuRatio.median), `${wanted} ×`, ok === null ? '' : ok ? '✓' : '✗',
  ])
  return markdownTable(HEADINGS, rows)
}

const WIDTH = 760, MARGIN = 24, HEAD = 104, ROW = 64, BAR = 20, FOOT = 28
/** The length of a bar that fills the picture; room for its figure stands behind it. */
const LONGEST = WIDTH - 2 * MARGIN - 120

const STYLE = {
  light: '.mark { stroke: #1c2430; stroke-width: 2; stroke-dasharray: 3 2 } .good { fill: #2a9d5c } .bad { fill: #d08a1d } .range { stroke: #1c2430; stroke-width: 1.5 }',
  dark: '.mark, .range { stroke: #e6edf3 } .good { fill: #4cc283 } .bad { fill: #e0a54a }',
}

/** An SVG file, readable on a light and on a dark page. Contests without a peer have no bar. */
export function chart(title: string, results: readonly Result[]): string {
  const shown = results.flatMap(result => result.ratio === null ? [] : [{ ...result, ratio: result.ratio }])
  const most = Math.max(1, ...shown.flatMap(({ ratio, wanted }) => [ratio.most, wanted])), height = HEAD + shown.length * ROW + FOOT
  const x = (ratio: number): string => (MARGIN + ratio / most * LONGEST).toFixed(1)
  return svgFile(title, WIDTH, height, STYLE, [
    text(MARGIN, 38, 'title', title),
    text(MARGIN, 60, 'small', "The peer's time as a multiple of naptlab's: the median of the rounds; longer is better."),
    text(MARGIN, 77, 'small', 'The thin line goes from the least to the most of the rounds. Dashed: what is wanted.'),
    ...shown.flatMap(({ name, ours, peer, ratio, wanted, ok }, at) => {
      const top = HEAD + at * ROW, bar = top + 24, middle = bar + BAR / 2
      return [
        text(MARGIN, top + 14, 'name', name),
        text(MARGIN + 150, top + 14, 'small', `naptlab ${seconds(ours.time.median)} s, ${peer?.name ?? ''} ${seconds(peer?.time.median ?? 0)} s`),
        `  <rect class="${ok === true ? 'good' : 'bad'}" x="${MARGIN}" y="${bar}" width="${(ratio.median / most * LONGEST).toFixed(1)}" height="${BAR}" rx="3"/>`,
        `  <line class="range" x1="${x(ratio.least)}" y1="${middle}" x2="${x(ratio.most)}" y2="${middle}"/>`,
        `  <line class="mark" x1="${x(wanted)}" y1="${bar - 4}" x2="${x(wanted)}" y2="${bar + BAR + 4}"/>`,
        text(Number(x(Math.max(ratio.most, wanted))) + 10, middle + 5, 'figure', times(ratio.median)),
      ]
    }),
  ])
}
