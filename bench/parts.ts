// What is measured in the same run by itself: nobody else does the like.
import { benchCore, coreTable, coreTargets, QUICK_SIZES } from './core.js'
import { benchRecording, MOST_SLOWDOWN, recordingLines } from './recording.js'
import type { Target } from './targets.js'
import { number, times } from './text.js'

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

const core: Part = {
  name: 'core', title: 'The core alone, one thread',
  run: async (quick, _rounds, onTurn) => {
    const data = await benchCore({ ...quick ? { sizes: QUICK_SIZES, seconds: 1 } : {}, onSize: mappings => { onTurn(`core: ${number(mappings, 0)} mappings`) } })
    return { data, lines: coreTable(data), targets: coreTargets(data) }
  },
}

export const PARTS: readonly Part[] = [recording, core]
