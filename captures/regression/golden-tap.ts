// Reports on goldens in the Test Anything Protocol, version 14 (testanything.org): a subtest for each golden, in it a test point for
// each interface and flow, and what is wrong as YAML.
import { stringify } from 'yaml'
import { pointsOf, type TestPoint } from './golden-points.js'
import type { GoldenReport } from './golden.js'
import { printable } from '../decode/text-width.js'

/** @param isPartial see pointsOf */
export function goldensToTap(reports: readonly GoldenReport[], isPartial = false): string {
  const lines = ['TAP version 14', `1..${reports.length}`]
  for (const [at, report] of reports.entries()) {
    const points = pointsOf(report, isPartial), name = description(`golden ${report.golden}`)
    lines.push(`# Subtest: ${name}`, `    1..${points.length}`, ...points.flatMap(pointLines).map(line => `    ${line}`))
    lines.push(`${report.ok ? 'ok' : 'not ok'} ${at + 1} - ${name}`)
  }
  return `${lines.join('\n')}\n`
}

function pointLines({ name, ok, details }: TestPoint, at: number): string[] {
  const line = `${ok === false ? 'not ok' : 'ok'} ${at + 1} - ${description(name)}`
  if (ok === null) return [`${line} # SKIP ${details.message}`]
  if (ok) return [line]
  return [line, '  ---', ...stringify(details, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd().split('\n').map(each => `  ${printable(each)}`), '  ...']
}

/** `#` would begin a directive. */
const description = (text: string): string => printable(text).replace(/[\\#]/g, mark => `\\${mark}`)
