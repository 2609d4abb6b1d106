// What differs, as test runners show it: how it ought to be on one side and how it is on the other, under the same keys.
import type { Difference } from '../regression/golden-compare.js'
import type { GoldenReport } from '../regression/golden.js'
import type { CheckReport } from './match.js'

export interface Sides { readonly wanted: Readonly<Record<string, string>>, readonly got: Readonly<Record<string, string>> }

export function sidesOf(check: CheckReport | null, golden: GoldenReport | null): Sides {
  const rows = [...(check === null ? [] : checkRows(check)), ...(golden === null ? [] : goldenRows(golden))]
  return { wanted: Object.fromEntries(rows.map(([key, wanted]) => [key, wanted])), got: Object.fromEntries(rows.map(([key, , got]) => [key, got])) }
}

type Row = readonly [key: string, wanted: string, got: string]

const placeOf = ({ interface: name, frame, field }: Difference): string => `${name} frame ${frame ?? '?'} ${field}`

const checkRows = ({ entries, damage }: CheckReport): Row[] => [
  ...damage.map((each): Row => ['files', 'whole', each]),
  ...entries.filter(each => !each.ok).flatMap(({ label, about, wanted, frames, differences, nearest, remarks }): Row[] => [
    [`${label}: ${about}`, wanted, String(frames.length)],
    ...(remarks.length === 0 ? [] : [[`${label}: remarks`, 'none', remarks.join('; ')] as const]),
    ...[...differences, ...nearest].map((each): Row => [`${label}: ${placeOf(each)}`, each.wanted, each.got]),
  ]),
]

const goldenRows = ({ golden, ok, result, differences, missing, unexpected, uncaptured }: GoldenReport): Row[] => ok ? [] : [
  [`golden ${golden}`, 'equal', result],
  ...differences.map((each): Row => [placeOf(each), each.wanted, each.got]),
  ...missing.map((each, at): Row => [`${each.interface} missing ${at + 1}`, `${each.packet} of ${each.flow}`, 'missing']),
  ...unexpected.map((each, at): Row => [`${each.interface} unexpected ${at + 1}`, 'nothing', `${each.packet} of ${each.flow}`]),
  ...uncaptured.map((each): Row => [`interface ${each}`, 'captured', 'not captured']),
]
