// A documented system as `naptlab run` knows it, and what is printed of every run.
import { relative } from 'node:path'
import type { Lane } from '../../captures/ladder/ladder.js'
import { formatGoldenReport } from '../../captures/check-report.js'
import type { BenchDescription } from '../../lab/bench/bench.js'
import { describedBench } from '../../lab/benches/index.js'
import type { Data, Encryption, KeyExchange } from '../../endpoints/index.js'
import type { ScenarioOptions, ScenarioResult } from '../../lab/systems/scenario.js'
import { UsageError } from '../errors.js'
import { withNats } from '../nat-option.js'
import { columns, lossText, mappingLines } from '../tables.js'

/** The options of `run` that say what runs; one that is absent was not given. */
export interface SystemOptions {
  readonly bench: string | undefined
  readonly nat: readonly string[]
  readonly variant: 'fig2' | 'fig8b' | 'renumber' | undefined
  readonly level: number | undefined
  /** Each system has places of its own: see `chosen`. */
  readonly issuer: string | undefined
  readonly acceptor: string | undefined
  readonly mapping: 'static' | 'on-demand' | undefined
  readonly data: Data | undefined
  readonly encryption: Encryption | undefined
  readonly 'key-exchange'?: KeyExchange | undefined
}

/** Options that not every system has. */
const OWN_OPTIONS = ['bench', 'nat', 'variant', 'level', 'issuer', 'acceptor', 'mapping', 'data', 'encryption', 'key-exchange'] as const

export interface System {
  /** The capture's, and of the folder below `out/` unless another is given. */
  readonly name: string
  /** Behind the command's own words: the bench, and what else was chosen. */
  readonly title: string
  readonly lanes: readonly Lane[]
  run(options: ScenarioOptions): Promise<{ readonly result: ScenarioResult, readonly summary: Summary }>
}

/** What a system has to say of its result beside what every run says. */
export interface Summary {
  /** What the routers' tables are called, by router. */
  readonly tables?: Readonly<Record<string, string>>
  /** Groups of lines in front of the golden. */
  readonly before?: readonly (readonly string[])[]
  /** Groups of lines behind it. */
  readonly after?: readonly (readonly string[])[]
}

/** Of the options that not every system has, this one has those. @throws UsageError for any other that was given */
export function hasOnly(system: string, options: SystemOptions, ...own: readonly (typeof OWN_OPTIONS[number])[]): void {
  const isGiven = (value: unknown): boolean => Array.isArray(value) ? value.length > 0 : value !== undefined
  for (const name of OWN_OPTIONS) if (!own.includes(name) && isGiven(options[name])) throw new UsageError(`run ${system} has no --${name}; see naptlab run --help.`)
}

/** What an option says, of which each system has its own choices; the first when it says nothing. @throws UsageError */
export function chosen<T extends string>(system: string, options: SystemOptions, name: 'issuer' | 'acceptor', choices: readonly [T, ...T[]]): T {
  const value = options[name] ?? choices[0]
  const choice = choices.find(each => each === value)
  if (choice === undefined) throw new UsageError(`run ${system} has no --${name} ${value}; there ${choices.join(', ')} can be chosen.`)
  return choice
}

/** The bench that was asked for; undefined for the system's own, so that its golden holds. @throws BenchError, UsageError */
export function benchOf({ bench, nat }: SystemOptions, standard: string): BenchDescription | undefined {
  return bench === undefined && nat.length === 0 ? undefined : withNats(describedBench(bench ?? standard), nat)
}

export const titleOf = ({ bench, nat }: SystemOptions, standard: string, ...more: readonly string[]): string => [[bench ?? standard, ...nat].join(', '), ...more].join(' · ')

export function summaryLines({ ok, failures, tables, counters, golden, capture, isWitnessed }: ScenarioResult, { tables: names = {}, before = [], after = [] }: Summary): string[] {
  const routers = ['', 'both sides of the router', 'both sides of both routers'][Object.keys(tables).length]
  const places = [...routers === '' ? [] : [routers], ...isWitnessed ? [`${routers === '' ? '' : 'and '}the hosts through libpcap`] : []]
  const group = (lines: readonly string[]): string[] => ['', ...lines]
  return [
    ...Object.entries(tables).flatMap(([router, table]) => group([`NAPT table of ${router}${router in names ? ` (${names[router]})` : ''}`, ...mappingLines(table)])),
    ...before.flatMap(group),
    ...(golden === null ? [] : group(formatGoldenReport(golden))),
    ...after.flatMap(group),
    '',
    capture === null ? 'nothing was captured' : `capture  ${relative('.', capture)}: ${places.join(' ')}`,
    ...Object.entries(counters).flatMap(([router, { devices }]) => withName(router, lossText(devices))),
    ...failures.map(failure => `✗ ${failure}`),
    ok ? '✓ all holds' : '✗ not all holds',
  ]
}

/** A warning, not a failure: what was lost and mattered was sent again, or is missing above. */
const withName = (router: string, loss: string | null): string[] => loss === null ? [] : [`! ${router}: ${loss}`]

/** The server's list, as Fig. 9 has it. */
export const equipmentLines = (title: string, equipment: readonly { equipmentId: string, address: string, port: number }[]): string[] =>
  [title, ...columns([['equipment ID', 'IP address', 'port'], ...equipment.map(entry => [entry.equipmentId, entry.address, String(entry.port)])])]
