// Reports of checks as lines for people.
import type { FileCheckReport, FileResult } from './check-files.js'
import type { FigureReport, FigureResult } from './figure-check.js'
import type { GoldenReport } from './regression/golden.js'
import { KEY_LOG_FILE } from './tls/key-log.js'
import { printable } from './decode/text-width.js'

export const formatFileCheck = ({ files, figures, golden }: FileCheckReport): string[] => [
  ...files.flatMap((file, at) => formatFile(file, files.slice(0, at))),
  ...(files.every(file => file.packets === 0) ? ['✗ no packet was there to check'] : []),
  ...(figures === null ? [] : formatFigures(figures)),
  ...(golden === null ? [] : formatGoldenReport(golden)),
].map(printable)

/** One line a layout, and under it every field that differs. */
export function formatFigures({ results, compared }: FigureReport): string[] {
  const lines = results.flatMap(result => [
    `${MARKS[result.result]} ${result.figure}  ${result.packet} at ${result.interface}${figureVerdict(result)}`,
    ...result.checks.filter(check => !check.ok).map(check => `      ${check.field}: wanted ${check.wanted}, got ${check.got}`),
  ])
  return compared === 0 ? [...lines, '✗ no packet was compared with a layout'] : lines
}

const MARKS = { passed: '✓', failed: '✗', missing: '✗', uncaptured: '·' } as const

function figureVerdict({ result, frame }: FigureResult): string {
  switch (result) {
    case 'passed': return `, frame ${frame ?? '?'}`
    case 'failed': return `, nearest is frame ${frame ?? '?'}`
    case 'missing': return ': no such packet'
    case 'uncaptured': return ': not checked, there is no capture'
  }
}

/** The verdict, then differences, missing and unexpected packets. */
export function formatGoldenReport(report: GoldenReport): string[] {
  const { golden, result, compared, differences, missing, unexpected, uncaptured, ignored, sealed } = report
  const name = `golden ${golden}`
  if (result === 'no golden') return [`✗ ${name}: there is no such golden. Record it from a good run, or give another name or file.`]
  if (result === 'nothing compared') return [`✗ ${name}: not one packet was compared; none of these files shows an interface of the golden`]
  const left = [...ignored].flatMap(([each, kinds]) => Object.entries(kinds).map(([kind, count]) => `${count} ${kind} at ${each}`))
  return [
    `${result === 'equal' ? '✓' : '✗'} ${name}: ${compared} packets and messages compared${left.length > 0 ? ` (not compared: ${left.join(', ')})` : ''}`,
    ...sealed === null ? [] : [`  ${sealed.connections} TLS connections stayed encrypted: ${sealed.why}. Put the run's ${KEY_LOG_FILE} beside the captures, or give it with --keys.`],
    ...differences.flatMap(each => [
      `  ${each.interface}${frameText(each)}${each.packet === '' ? '' : `, ${each.packet} of ${each.flow}`}${each.again > 0 ? `, and ${each.again} more` : ''}`,
      `      ${each.field}: wanted ${each.wanted}, got ${each.got}`,
      `      likely: ${each.cause}`,
    ]),
    ...missing.map(each => `  missing at ${each.interface}: ${each.packet} of ${each.flow}`),
    ...unexpected.map(each => `  unexpected at ${each.interface}${frameText(each)}: ${each.packet} of ${each.flow}`),
    ...uncaptured.map(each => `  not checked: ${each}, there is no capture`),
  ]
}

/** What a golden has instead of a capture is in no frame. */
const frameText = ({ frame }: { readonly frame: number | null }): string => frame === null ? '' : `, frame ${frame}`

/** Damage of a file with several interfaces is told with the first of them. */
function formatFile({ interface: name, file, packets, damage, faults }: FileResult, before: readonly FileResult[]): string[] {
  const isGood = damage === null && faults.length === 0
  return [
    `${isGood ? '✓' : '✗'} ${name}: ${packets} packets${isGood ? ', whole, all checksums right' : ''} (${file})`,
    ...(damage === null || before.some(other => other.damage === damage) ? [] : [`      ${damage}`]),
    ...faults.map(({ frame, field, wanted, got }) => `      frame ${frame}: ${field}: wanted ${wanted}, got ${got}`),
  ]
}
