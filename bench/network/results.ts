// What came of the rounds: each entrant's figures, and their ratio to another's, taken within a round.
import { spreadOf, type Spread } from '../statistics.js'
import type { FigureName, Values } from './figures.js'

export interface EntrantResult {
  readonly name: string
  readonly title: string
  readonly isOurs: boolean
  /** Why it did not take part, or not to the end; null when it did. */
  readonly leftOut: string | null
  /** Turns that failed, and why. */
  readonly troubles: readonly string[]
  /** What it reached in each round. */
  readonly rounds: readonly Values[]
}

/** Null where it has no such figure. */
export function spread({ rounds }: EntrantResult, figure: FigureName): Spread | null {
  return spreadOrNull(rounds.flatMap(({ [figure]: value }) => value ?? []))
}

/** How many times the other's figure this one's is. Null where they met in no round. */
export function ratio(entrant: EntrantResult, other: EntrantResult | undefined, figure: FigureName): Spread | null {
  return spreadOrNull(entrant.rounds.flatMap(({ [figure]: value }, round) => {
    const against = other?.rounds.at(round)?.[figure]
    return value === undefined || against === undefined || against === 0 ? [] : value / against
  }))
}

const spreadOrNull = (values: readonly number[]): Spread | null => values.length === 0 ? null : spreadOf(values)
