// The highest rate of small UDP packets that a router forwards without loss, without recording and with it: what recording costs when
// all that run (the source, the kernel, the thread that forwards, the one that records) share the machine, and not in one thread alone.
// Runs alone: `node dist/bench/recording-limit.js [--quick]`; exit 2 when it cannot.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { AttachedBench } from '../lab/index.js'
import { RouterClient } from '../napt/index.js'
import { send, settledCounters, warmUp, withRouter } from './recording.js'
import { spreadOf, type Spread } from './statistics.js'

/** Packets a second at first, the factor from step to step, and how many nobody asks for any more. */
const FIRST = 50_000, STEP = 1.15, LAST = 1_000_000
/** Of each step. */
const SECONDS = 0.5
/** Of the packets: the system takes the router's processor away now and then, whatever it does. */
const TOLERATED = 0.001
/** Steps in a row that fail before the search ends, for the same reason. */
const FAILURES = 2

export interface RecordingLimit {
  /** Packets a second. */
  readonly off: Spread
  readonly on: Spread
  /** Of a round, with recording by without. */
  readonly ratio: Spread
}

/** @throws PrerequisiteError when the machine refuses namespaces; BenchmarkError when a program fails */
export async function recordingLimit(rounds: number): Promise<RecordingLimit> {
  const rates = { off: [] as number[], on: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    for (const mode of round % 2 === 0 ? ['off', 'on'] as const : ['on', 'off'] as const) rates[mode].push(await withRouter(mode === 'on', limitOf))
  }
  return { off: spreadOf(rates.off), on: spreadOf(rates.on), ratio: spreadOf(rates.on.map((rate, round) => rate / rates.off[round])) }
}

/** What became of packets that were sent at a rate: packets a second as they were offered, and how many of them there were and were missed. */
export interface Attempt { readonly rate: number, readonly packets: number, readonly lost: number }

/** Tries one rate after the other. Gives the highest that was offered and of which nothing was lost; 0 when there was none. */
export async function highestRate(attempt: (rate: number) => Promise<Attempt>): Promise<number> {
  let highest = 0, failures = 0
  for (let wanted = FIRST; wanted < LAST && failures < FAILURES; wanted *= STEP) {
    const { rate, packets, lost } = await attempt(wanted)
    failures = lost > packets * TOLERATED ? failures + 1 : 0
    if (failures === 0) highest = Math.max(highest, rate)
  }
  return highest
}

async function limitOf(bench: AttachedBench): Promise<number> {
  const router = await RouterClient.connect(bench.controlSocket('nat'))
  await warmUp(bench, 100_000)
  const highest = await highestRate(async rate => {
    const before = await settledCounters(router), { packets, milliseconds } = await send(bench, Math.round(rate * SECONDS), rate), after = await settledCounters(router)
    return { rate: packets / milliseconds * 1000, packets, lost: packets - (after.forwarded.lan - before.forwarded.lan) + after.untraced - before.untraced }
  })
  router.close()
  return highest
}

/** For people. */
export function limitLine({ off, on, ratio }: RecordingLimit): string {
  const thousands = (packets: number): number => Math.round(packets / 1000)
  const rate = ({ median, least, most }: Spread): string => `${thousands(median)} (${thousands(least)}–${thousands(most)})`
  return `highest rate without loss, thousands a second: ${rate(off)}, with recording ${rate(on)}: ${ratio.median.toFixed(2)} × (${ratio.least.toFixed(2)}–${ratio.most.toFixed(2)})`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values: { quick } } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
    process.stdout.write(`${limitLine(await recordingLimit(quick ? 1 : 5))}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  }
}
