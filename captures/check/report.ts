// The report of a check as lines for people.
import { printable } from '../decode/text-width.js'
import type { Difference } from '../regression/golden-compare.js'
import type { CheckReport, EntryReport } from './match.js'

/** A line for the check and one for each entry, and under it what is not as it says. */
export function formatCheck({ check, result, compared, entries, damage }: CheckReport): string[] {
  const failed = entries.filter(entry => !entry.ok).length
  const verdict = result === 'nothing compared' ? 'not one packet was compared'
    : `${count(compared, 'packet')} compared, ${failed === 0 ? `every entry holds` : `${failed} of ${count(entries.length, 'entry')} ${failed === 1 ? 'does' : 'do'} not hold`}`
  return [`${result === 'held' ? '✓' : '✗'} check ${check}: ${verdict}`, ...damage.map(each => `  ✗ ${each}`), ...entries.flatMap(formatEntry)].map(printable)
}

function formatEntry({ label, place, about, ok, wanted, frames, differences, nearest, remarks }: EntryReport): string[] {
  const found = frames.length === 0 ? 'none' : `${frames.length} (frame ${frames.slice(0, SHOWN).join(', ')}${frames.length > SHOWN ? ' …' : ''})`
  const where = place === label ? label : `${label}, ${place}`
  return [
    `  ${ok ? '✓' : '✗'} ${about} (${where}): wanted ${wanted}, found ${found}`,
    ...remarks.map(each => `      ${each}`),
    ...formatDifferences(differences, ''), ...formatDifferences(nearest, 'nearest is '),
  ]
}

/** Under one heading for each packet. */
const formatDifferences = (differences: readonly Difference[], before: string): string[] => differences.flatMap((each, at) => {
  const isSame = at > 0 && differences[at - 1].frame === each.frame && differences[at - 1].interface === each.interface
  const heading = `      ${before}${each.interface === '' ? '' : `${each.interface}, `}frame ${each.frame ?? '?'}: ${each.packet}`
  return [...(isSame ? [] : [heading]), `        ${each.field}: wanted ${each.wanted}, got ${each.got}`, `        likely: ${each.cause}`]
})

const SHOWN = 8
const count = (amount: number, what: string): string => `${amount} ${amount === 1 ? what : what === 'entry' ? 'entries' : `${what}s`}`
