// Reports on goldens as JUnit XML, as CI systems read it: a test suite for each golden, in it a test case for each interface and flow.
import { stringify } from 'yaml'
import { pointsOf, type TestPoint } from './golden-points.js'
import type { GoldenReport } from './golden.js'
import { printable } from '../decode/text-width.js'

/** @param isPartial see pointsOf */
export function goldensToJunit(reports: readonly GoldenReport[], isPartial = false): string {
  const suites = reports.map(report => ({ name: `golden ${report.golden}`, points: pointsOf(report, isPartial) }))
  const all = suites.flatMap(suite => suite.points)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="naptlab golden check" ${counts(all)}>`,
    ...suites.flatMap(({ name, points }) => [`  <testsuite name=${quoted(name)} ${counts(points)}>`, ...points.flatMap(point => caseLines(point, name)), '  </testsuite>']),
    '</testsuites>\n',
  ].join('\n')
}

const counts = (points: readonly TestPoint[]): string =>
  `tests="${points.length}" failures="${points.filter(point => point.ok === false).length}" errors="0" skipped="${points.filter(point => point.ok === null).length}"`

function caseLines({ name, ok, details }: TestPoint, suite: string): string[] {
  const start = `    <testcase classname=${quoted(suite)} name=${quoted(name)}`
  if (ok === true) return [`${start}/>`]
  if (ok === null) return [`${start}><skipped message=${quoted(details.message)}/></testcase>`]
  return [`${start}>`, `      <failure message=${quoted(details.message)}>${escaped(stringify(details, { lineWidth: 0, aliasDuplicateObjects: false }))}</failure>`, '    </testcase>']
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** XML 1.0 has no control characters, not even escaped (§2.2); line ends stay. */
const escaped = (text: string): string =>
  text.split('\n').map(printable).join('\n').replace(/[&<>"]/g, mark => ENTITIES[mark]).replace(/[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
const quoted = (text: string): string => `"${escaped(text)}"`
