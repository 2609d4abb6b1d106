// What `npm run bench` was asked for.
import { parseArgs } from 'node:util'
import { INSTALL } from './network/entrants.js'
import type { Timing } from './network/figures.js'
import { BenchmarkError } from './process.js'

/** @param names that `--only` knows */
const usage = (names: readonly string[]): string => `npm run bench -- [--quick] [--rounds N] [--only NAME…] [--out FOLDER] [--json]

Our router beside the kernel's NAT and other people's: packets, bulk TCP, round trips, CPU time, connections a second.
Everybody has a bench of namespaces; nothing leaves it, and nothing is left of it. No root is needed.
For all peers:  ${INSTALL}

  --quick     one round of short turns: under a minute, for a look
  --rounds    interleaved rounds (5); what counts is the ratio within a round
  --only      who takes part: ${names.join(', ')}; several with commas
  --out       where results go: bench.json and bench.svg (out/bench)
  --json      the result on standard output as JSON, in place of the tables
  --help      this

  npm run bench                                       five rounds, under ten minutes
  npm run bench -- --quick --only kernel,packet       is it worth a longer look?
  npm run bench -- --rounds 9 --out /tmp/nine         for a machine that is not quiet

Exit code 0: it was measured, whatever is marked ✗. 2: wrong usage, or the machine refuses what a bench is made of.
`

const FULL: Timing = { firstWarmUp: 1000, warmUp: 300, window: 800, longWindow: 1000, bulkSeconds: 1 }
const QUICK: Timing = { firstWarmUp: 400, warmUp: 100, window: 250, longWindow: 300, bulkSeconds: 1 }

export interface Settings {
  readonly quick: boolean
  readonly rounds: number
  readonly timing: Timing
  /** Null: everybody. */
  readonly only: readonly string[] | null
  readonly out: string
  readonly json: boolean
}

/**
 * @param names that `--only` knows
 * @returns the usage where that was asked for
 * @throws BenchmarkError saying what is wrong
 */
export function readSettings(words: readonly string[], names: readonly string[]): Settings | string {
  const { quick, json, help, out, only, rounds = quick ? '1' : '5' } = parse(words, names)
  if (help) return usage(names)
  if (!/^[1-9]\d{0,2}$/.test(rounds)) throw new BenchmarkError(`--rounds: '${rounds}' is not a number from 1 to 999\n\n${usage(names)}`)
  const chosen = only?.flatMap(text => text.split(',')) ?? null
  const unknown = chosen?.find(name => !names.includes(name))
  if (unknown !== undefined) throw new BenchmarkError(`--only: there is no '${unknown}'; there is ${names.join(', ')}`)
  return { quick, rounds: Number(rounds), timing: quick ? QUICK : FULL, only: chosen, out, json }
}

interface Words { readonly quick: boolean, readonly json: boolean, readonly help: boolean, readonly out: string, readonly rounds?: string, readonly only?: string[] }

function parse(words: readonly string[], names: readonly string[]): Words {
  try {
    return parseArgs({ args: [...words], options: {
      quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
      out: { type: 'string', default: 'out/bench' }, rounds: { type: 'string' }, only: { type: 'string', multiple: true },
    } }).values
  } catch (error) {
    throw new BenchmarkError(`${error instanceof Error ? error.message : String(error)}\n\n${usage(names)}`)
  }
}
