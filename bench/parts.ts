// What is measured in the same run by itself: nobody else does the like.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownEnvironment } from '../lab/bench/process.js'
import { measure } from './process.js'
import { benchCore, coreTable, coreTargets, QUICK_SIZES } from './core.js'
import { benchRecording, MOST_SLOWDOWN, recordingLines } from './recording.js'
import { spreadOf } from './statistics.js'
import type { Target } from './targets.js'
import { number, times, withRange } from './text.js'

export interface PartResult {
  readonly lines: readonly string[]
  readonly targets: readonly Target[]
  /** For bench.json. */
  readonly data: unknown
}

export interface Part {
  readonly name: string
  readonly title: string
  /** @param onTurn hears what is being done */
  readonly run: (quick: boolean, rounds: number, onTurn: (what: string) => void) => Promise<PartResult>
}

/** Packets a second. */
const RECORDING_RATE = 100_000

const recording: Part = {
  name: 'recording', title: `Recording, ${number(RECORDING_RATE, 0)} packets a second`,
  run: async (quick, rounds, onTurn) => {
    const data = await benchRecording({
      rate: RECORDING_RATE, seconds: quick ? 1 : 3, rounds,
      onTurn: (round, isRecording) => { onTurn(`round ${round + 1} of ${rounds}: recording ${isRecording ? 'on' : 'off'}`) },
    })
    const { slowdown, missing } = data, what = `recording at ${number(RECORDING_RATE, 0)} packets a second`
    return {
      data, lines: recordingLines(data),
      targets: [
        { what: `${what}: CPU time of the forwarding thread`, wanted: `${number(MOST_SLOWDOWN, 1)} × at most`, reached: times(slowdown), ok: slowdown.median <= MOST_SLOWDOWN },
        { what: `${what}: packets missing from the files`, wanted: 'none', reached: number(missing, 0), ok: missing === 0 },
      ],
    }
  },
}

const NAPTLAB = fileURLToPath(new URL('../cli/naptlab.js', import.meta.url))
/** Seconds from start to exit. */
const FIG2_LIMIT = 1.5

const fig2: Part = {
  name: 'fig2', title: 'naptlab run fig2, encrypted, from start to exit',
  run: async (_quick, rounds, onTurn) => {
    const folder = mkdtempSync(join(tmpdir(), 'naptlab-bench-')), data: number[] = []
    try {
      for (let round = 0; round < rounds; round++) {
        onTurn(`round ${round + 1} of ${rounds}: naptlab run fig2`)
        const { time } = await measure([process.execPath, NAPTLAB, 'run', 'fig2', '--out', join(folder, 'fig2')], ownEnvironment())
        data.push(time / 1000)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
    const seconds = spreadOf(data), shown = `${withRange(seconds, 2)} s`
    return { data, lines: [shown], targets: [{ what: fig2.title, wanted: `${number(FIG2_LIMIT, 1)} s at most`, reached: shown, ok: seconds.median <= FIG2_LIMIT }] }
  },
}

const core: Part = {
  name: 'core', title: 'The core alone, one thread',
  run: async (quick, _rounds, onTurn) => {
    const data = await benchCore({ ...quick ? { sizes: QUICK_SIZES, seconds: 1 } : {}, onSize: mappings => { onTurn(`core: ${number(mappings, 0)} mappings`) } })
    return { data, lines: coreTable(data), targets: coreTargets(data) }
  },
}

export const PARTS: readonly Part[] = [recording, core, fig2]

/** @returns what came of each, in order; one that fails says so, and the others are told all the same */
export async function runParts(parts: readonly Part[], quick: boolean, rounds: number, onTurn: (what: string) => void): Promise<(PartResult & Pick<Part, 'name' | 'title'>)[]> {
  const results: (PartResult & Pick<Part, 'name' | 'title'>)[] = []
  for (const { name, title, run } of parts) {
    try {
      results.push({ name, title, ...await run(quick, rounds, onTurn) })
    } catch (error) {
      results.push({ name, title, data: null, targets: [], lines: [`failed: ${error instanceof Error ? error.message : String(error)}`] })
    }
  }
  return results
}
