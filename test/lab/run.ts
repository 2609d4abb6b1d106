// A run of a documented system, with what its ladder showed.
import type { LadderEntry, LadderPacket, LadderStep } from '../../captures/index.js'
import type { ScenarioOptions, ScenarioResult } from '../../lab/systems/scenario.js'

export interface Shown<R extends ScenarioResult> {
  readonly result: R
  /** Without acknowledgements and the like. */
  readonly packets: readonly LadderPacket[]
  readonly steps: readonly LadderStep[]
}

export async function show<O extends ScenarioOptions, R extends ScenarioResult>(run: (options: O) => Promise<R>, options: O): Promise<Shown<R>> {
  const entries: LadderEntry[] = []
  const result = await run({ ...options, onEntry: (entry: LadderEntry) => entries.push(entry) })
  return {
    result,
    packets: entries.filter(entry => entry.kind === 'packet').filter(entry => !entry.isDetail),
    steps: entries.filter(entry => entry.kind === 'step'),
  }
}

/** What stands out of the golden, for a test that fails. */
export const goldenText = ({ golden }: ScenarioResult): string => JSON.stringify([golden?.differences, golden?.missing, golden?.unexpected])

/** The path of a packet, as in `13 104 11`. */
export const pathOf = ({ hops }: LadderPacket): string => [hops.at(0)?.from, ...hops.map(hop => hop.to)].join(' ')
