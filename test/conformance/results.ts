// Runs every case of every requirement, and says what follows from it.
import type { Case, NatFields, Refusal, Requirement } from './requirement.js'
import { RFCS } from './rfcs.js'
import { runCase, runRefusal } from './run-case.js'

export interface CaseResult {
  readonly name: string
  /** Where it did not go as written, or null. */
  readonly failure: string | null
}

/** `broken`: a case did not go as written, so that nothing can be said. */
export type Status = 'default' | 'option' | 'not met' | 'broken'

export interface Result {
  readonly rfc: number
  readonly requirement: Requirement
  readonly status: Status
  /** The choices by which it is met, as a router's description has them. */
  readonly options: readonly string[]
  readonly cases: readonly CaseResult[]
}

/** In the order of the RFCs and their clauses. */
export function runAll(): Result[] {
  return RFCS.flatMap(({ number, requirements }) => requirements.map(requirement => {
    const { cases = [], also = [] } = requirement
    const results = [...cases, ...also].map(one => ({ name: one.name, failure: isRefusal(one) ? runRefusal(one) : runCase(one) }))
    return { rfc: number, requirement, status: statusOf(requirement, results), options: optionsOf(cases), cases: results }
  }))
}

function statusOf({ cases = [], because }: Requirement, results: readonly CaseResult[]): Status {
  if (results.some(({ failure }) => failure !== null)) return 'broken'
  if (because !== undefined) return 'not met'
  return cases.some(({ option }) => option !== undefined) ? 'option' : 'default'
}

const isRefusal = (one: Case | Refusal): one is Refusal => 'refusal' in one

/** Each choice once, with its values where they are few. */
function optionsOf(cases: readonly Case[]): string[] {
  const values = new Map<string, Set<string>>()
  for (const { option = {} } of cases) {
    for (const [path, value] of leaves(option)) values.set(path, (values.get(path) ?? new Set()).add(value))
  }
  return Array.from(values, ([path, seen]) => seen.size <= 2 ? `${path}: ${Array.from(seen).join(' or ')}` : path)
}

function leaves(fields: NatFields, above = ''): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? leaves(value as NatFields, `${above}${name}.`) : [[above + name, Array.isArray(value) ? `[${value.join(', ')}]` : String(value)]])
}
