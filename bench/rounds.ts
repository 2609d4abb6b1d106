// Programs side by side: in each round every entrant has one turn, so that what else the machine does hits all alike. What counts is
// the ratio within a round; the middle one of all rounds is reported, with the smallest and the largest.
import { isInstalled, type Use } from './process.js'

export interface Entrant {
  readonly name: string
  /** The command line, for those who repeat it by hand. */
  readonly command: readonly string[]
  /** Debian's package, for who has not installed it. */
  readonly package?: string
  readonly run: () => Promise<Use>
}

/** Ours against another that does the same work. */
export interface Contest {
  readonly name: string
  readonly work: string
  readonly ours: Entrant
  readonly peer: Entrant
  /** What is promised: the peer takes at least so many times as long. */
  readonly wanted: number
}

export interface Spread { readonly median: number, readonly least: number, readonly most: number }

export interface Result {
  readonly name: string
  readonly work: string
  readonly wanted: number
  readonly ours: EntrantResult
  /** null: it is not installed. */
  readonly peer: EntrantResult | null
  /** The peer's time by ours, round by round; null without a peer. */
  readonly ratio: Spread | null
  /** The same of their CPU time, which a busy machine stretches less. */
  readonly cpuRatio: Spread | null
  readonly ok: boolean | null
}

export interface EntrantResult {
  readonly name: string
  readonly command: string
  /** Milliseconds. */
  readonly time: Spread
  readonly cpu: Spread
  /** Peak resident set, bytes. */
  readonly memory: Spread
  readonly rounds: readonly Use[]
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, least: sorted[0], most: sorted[sorted.length - 1] }
}

/** @param onTurn called before each turn */
export async function runRounds(contests: readonly Contest[], rounds: number, onTurn: (round: number, entrant: Entrant) => void): Promise<Result[]> {
  const entries = contests.map(contest => ({ contest, hasPeer: isInstalled(contest.peer.command[0]), ours: [] as Use[], peer: [] as Use[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { contest, hasPeer, ours, peer } of entries) {
      const turns = [{ entrant: contest.ours, uses: ours }, ...hasPeer ? [{ entrant: contest.peer, uses: peer }] : []]
      // Who goes first changes from round to round: the second finds the file's pages as the first left them.
      for (const { entrant, uses } of round % 2 === 0 ? turns : turns.reverse()) {
        onTurn(round, entrant)
        uses.push(await entrant.run())
      }
    }
  }
  return entries.map(({ contest: { name, work, wanted, ...contest }, ours, peer }) => {
    const ratio = peer.length === 0 ? null : spreadOf(peer.map(({ time }, round) => time / ours[round].time))
    const cpuRatio = peer.length === 0 ? null : spreadOf(peer.map(({ cpu }, round) => cpu / Math.max(1, ours[round].cpu)))
    return {
      name, work, wanted, ratio, cpuRatio, ok: ratio === null ? null : ratio.median >= wanted,
      ours: resultOf(contest.ours, ours), peer: peer.length === 0 ? null : resultOf(contest.peer, peer),
    }
  })
}

const resultOf = ({ name, command }: Entrant, rounds: readonly Use[]): EntrantResult => ({
  name, command: command.join(' '), rounds,
  time: spreadOf(rounds.map(({ time }) => time)), cpu: spreadOf(rounds.map(({ cpu }) => cpu)), memory: spreadOf(rounds.map(({ memory }) => memory)),
})
