// The figures as tables: one a group, a row an entrant, each cell with the median of the rounds, the least and the most, and the ratio to
// the kernel's.
import { markdownTable } from '../markdown-table.js'
import { times, withRange } from '../text.js'
import type { Target } from '../targets.js'
import { KERNEL } from './entrants.js'
import { FIGURE_NAMES, FIGURES, type FigureName } from './figures.js'
import { ratio, spread, type EntrantResult } from './results.js'

/** Not of these: what the kernel spends on its own NAT is no process's, and losses are no merit. */
const WITHOUT_RATIO: readonly FigureName[] = ['cpu', 'softirq', 'lost64']
const NONE = '–'

/** Lines, with an empty one between tables. */
export function networkTables(entrants: readonly EntrantResult[]): string[] {
  const present = entrants.filter(({ rounds }) => rounds.length > 0)
  if (present.length === 0) return []
  const kernel = present.find(({ name }) => name === KERNEL), groups = [...new Set(FIGURE_NAMES.map(name => FIGURES[name].group))]
  return groups.flatMap(group => {
    const figures = FIGURE_NAMES.filter(name => FIGURES[name].group === group)
    const rows = present.map(entrant => [entrant.title, ...figures.map(figure => cell(entrant, kernel, figure))])
    return [`${group}:`, '', ...markdownTable(['', ...figures.map(name => FIGURES[name].title)], rows), '']
  })
}

function cell(entrant: EntrantResult, kernel: EntrantResult | undefined, figure: FigureName): string {
  const own = spread(entrant, figure), against = entrant === kernel || WITHOUT_RATIO.includes(figure) ? null : ratio(entrant, kernel, figure)
  if (own === null) return NONE
  return `${withRange(own, FIGURES[figure].digits)}${against === null ? '' : ` ${times(against)}`}`
}

/** Who did not take part, or not to the end, and why; which turns failed. */
export const troubleLines = (entrants: readonly EntrantResult[]): string[] => entrants.flatMap(({ title, leftOut, troubles }) =>
  [...troubles.map(trouble => `failed: ${title}: ${trouble}`), ...leftOut === null ? [] : [`left out: ${title}: ${leftOut}`]])

export function targetTable(targets: readonly Target[]): string[] {
  return markdownTable(['to reach', 'wanted', 'reached', ''],
    targets.map(({ what, wanted, reached, ok }) => [what, wanted, reached ?? 'not measured', ok === null ? '' : ok ? '✓' : '✗']))
}
