// All entrants, each on a bench of its own that stands for the whole run, and one turn after the other.
import { isInstalled } from '../process.js'
import type { Entrant } from './entrants.js'
import type { Measure, Timing, Values } from './figures.js'
import type { EntrantResult } from './results.js'
import { Testbed } from './testbed.js'

/** Turns that may fail before an entrant is left out; on a busy machine one may. */
const PATIENCE = 3

/** An entrant, how far it has come, and why it goes no further. */
interface Standing { readonly entrant: Entrant, readonly rounds: Values[], readonly troubles: string[], testbed: Testbed | null, leftOut: string | null }

/** One turn of one entrant. */
export interface Turn { readonly name: string, readonly run: (round: number) => Promise<void> }

export class Network {
  readonly #standings: readonly Standing[]
  readonly #hasIperf = isInstalled('iperf3')

  constructor(entrants: readonly Entrant[], readonly timing: Timing, readonly measures: readonly Measure[]) {
    this.#standings = entrants.map(entrant => ({ entrant, rounds: [], troubles: [], testbed: null, leftOut: entrant.missing }))
  }

  /** Brings everybody up who can be; one that does not come up is left out, with the reason. */
  async open(): Promise<void> {
    await Promise.all(this.#standings.filter(({ leftOut }) => leftOut === null).map(async standing => {
      try {
        standing.testbed = await Testbed.open(standing.entrant, this.#hasIperf)
      } catch (error) {
        standing.leftOut = reasonOf(error)
      }
    }))
    // What counts is a router that has been at work for a while: it knows the flows, and a compiler at run time has done its part.
    for (const { testbed } of this.#standings) await testbed?.ask({ op: 'datagrams', flows: 4096, warmUp: 0, window: this.timing.firstWarmUp })
  }

  /** A contest for each measure. */
  contests(): Turn[][] {
    const present = this.#standings.filter(({ testbed }) => testbed !== null)
    return this.measures.filter(({ program }) => program === undefined || this.#hasIperf).map(measure => present.map(standing => ({
      name: `${measure.name}: ${standing.entrant.title}`,
      run: async round => {
        const { testbed } = standing
        if (testbed === null) return
        try {
          standing.rounds[round] = { ...standing.rounds.at(round), ...await measure.run(testbed, this.timing) }
        } catch (error) {
          standing.troubles.push(`round ${round + 1}, ${measure.name}: ${reasonOf(error)}`)
          if (testbed.isUp && standing.troubles.length < PATIENCE) return
          standing.leftOut = `from round ${round + 1}, ${measure.name}, on`
          standing.testbed = null
          await testbed.close()
        }
      },
    })))
  }

  results(): EntrantResult[] {
    return this.#standings.map(({ entrant: { name, title, isOurs }, rounds, troubles, leftOut }) => ({ name, title, isOurs, leftOut, troubles, rounds }))
  }

  /** Resolves when nothing of any bench is left. */
  async close(): Promise<void> { await Promise.all(this.#standings.flatMap(({ testbed }) => testbed?.close() ?? [])) }
}

const reasonOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
