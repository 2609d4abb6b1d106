// What is to be reached, and whether it was. Said beside the figures; a bench is no check.
import { KERNEL } from './network/entrants.js'
import type { FigureName } from './network/figures.js'
import { ratio, type EntrantResult } from './network/results.js'
import { number, times } from './text.js'

export interface Target {
  readonly what: string
  readonly wanted: string
  /** Null: not measured in this run. */
  readonly reached: string | null
  readonly ok: boolean | null
}

/** The router's device that the promises are about. */
const OURS = 'packet'

interface Promised { readonly what: string, readonly figure: FigureName, readonly against: string, readonly least?: number, readonly most?: number }

const PROMISED: readonly Promised[] = [
  { what: 'small UDP, 64 flows', figure: 'udp64', against: KERNEL, least: 1.3 },
  { what: 'bulk TCP, one stream out', figure: 'out1', against: KERNEL, least: 0.9 },
  { what: 'bulk TCP, one stream in', figure: 'in1', against: KERNEL, least: 0.9 },
  { what: 'round trip, p50', figure: 'p50', against: KERNEL, most: 1 },
  { what: 'round trip, p99', figure: 'p99', against: KERNEL, most: 1.2 },
  { what: 'small UDP, 64 flows', figure: 'udp64', against: 'slirp4netns', least: 2.5 },
  { what: 'bulk TCP, one stream out', figure: 'out1', against: 'slirp4netns', least: 3 },
  { what: 'bulk TCP, one stream in', figure: 'in1', against: 'slirp4netns', least: 3 },
]

export function networkTargets(entrants: readonly EntrantResult[]): Target[] {
  const named = (name: string): EntrantResult | undefined => entrants.find(entrant => entrant.name === name)
  const ours = named(OURS)
  return PROMISED.map(({ what, figure, against, least, most }) => {
    const reached = ours === undefined ? null : ratio(ours, named(against), figure)
    return {
      what: `${what}, against ${against}`,
      wanted: least === undefined ? `${number(most ?? 0, 1)} × at most` : `${number(least, 1)} ×`,
      reached: reached === null ? null : times(reached),
      ok: reached === null ? null : least === undefined ? reached.median <= (most ?? 0) : reached.median >= least,
    }
  })
}
