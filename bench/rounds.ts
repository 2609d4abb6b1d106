// Programs side by side: in each round every entrant has one turn, so that what else the machine does hits all alike. What counts is
// the ratio within a round; the middle one of all rounds is reported, with the smallest and the largest.
import { isInstalled, type Use } from './process.js'
import { spreadOf, type Spread } from './statistics.js'

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

/**
 * In each round every contest is held once, and everybody who is in it has one turn. Who begins changes from round to round: the second
 * finds the machine as the first has left it.
 */
export async function takeTurns<T>(contests: readonly (readonly T[])[], rounds: number, turn: (entrant: T, round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const entrants of contests) {
      const first = round % Math.max(1, entrants.length)
      for (const entrant of [...entrants.slice(first), ...entrants.slice(0, first)]) await turn(entrant, round)
    }
  }
}

/** @param onTurn called before each turn */
export async function runRounds(contests: readonly Contest[], rounds: number, onTurn: (round: number, entrant: Entrant) => void): Promise<Result[]> {
  const entries = contests.map(contest => ({ contest, hasPeer: isInstalled(contest.peer.command[0]), ours: [] as Use[], peer: [] as Use[] }))
  const contenders = entries.map(({ contest, hasPeer, ours, peer }) => [{ entrant: contest.ours, uses: ours }, ...hasPeer ? [{ entrant: contest.peer, uses: peer }] : []])
  await takeTurns(contenders, rounds, async ({ entrant, uses }, round) => {
    onTurn(round, entrant)
    uses.push(await entrant.run())
  })
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
