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

  constructor(entrants: readonly Entrant[], readonly timing: Timing) {
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
  }

  /** Everybody carries so many flows for a while, one after the other. What counts is a router that knows its flows and has compiled its code. */
  async warmUp(flows: number): Promise<void> {
    for (const standing of this.#standings) {
      await this.#attempt(standing, 'warming up', async testbed => { await testbed.ask({ op: 'datagrams', flows, warmUp: 0, window: this.timing.firstWarmUp }) })
    }
  }

  /** A contest for each measure. */
  contests(measures: readonly Measure[]): Turn[][] {
    const present = this.#standings.filter(({ testbed }) => testbed !== null)
    return measures.filter(({ program }) => program === undefined || this.#hasIperf).map(measure => present.map(standing => ({
      name: `${measure.name}: ${standing.entrant.title}`,
      run: round => this.#attempt(standing, `round ${round + 1}, ${measure.name}`, async testbed => {
        standing.rounds[round] = { ...standing.rounds.at(round), ...await measure.run(testbed, this.timing) }
      }),
    })))
  }

  /** What fails is told; whoever is no longer up, or fails again and again, is left out from then on. */
  async #attempt(standing: Standing, what: string, work: (testbed: Testbed) => Promise<void>): Promise<void> {
    const { testbed, troubles } = standing
    if (testbed === null) return
    try {
      await work(testbed)
    } catch (error) {
      troubles.push(`${what}: ${reasonOf(error)}`)
      if (testbed.isUp && troubles.length < PATIENCE) return
      standing.leftOut = `from there on (${what})`
      standing.testbed = null
      await testbed.close()
    }
  }

  results(): EntrantResult[] {
    return this.#standings.map(({ entrant: { name, title, isOurs }, rounds, troubles, leftOut }) => ({ name, title, isOurs, leftOut, troubles, rounds }))
  }

  /** Resolves when nothing of any bench is left. */
  async close(): Promise<void> { await Promise.all(this.#standings.flatMap(({ testbed }) => testbed?.close() ?? [])) }
}

const reasonOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
