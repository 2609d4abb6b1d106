// A ladder diagram as data: lanes, and what happens on and between them, in order of time. Renderers (text.ts) read
// nothing else.

export interface Lane {
  readonly name: string
  readonly address: string
  /** True: packets change at it. */
  readonly isRouter?: boolean
}

/** The lane of those who have none of their own; behind a router it has that one's name too. */
export const OTHERS = 'others'
export const othersBehind = (router: string | null): string => router === null ? OTHERS : `${OTHERS} behind ${router}`
export const isShared = (lane: string): boolean => lane === OTHERS || lane.startsWith(othersBehind(''))

/** One arrow. Lanes between its ends are passed over. */
export interface Hop {
  readonly from: string
  readonly to: string
  /** As in `1500→1201`. */
  readonly label: string
  /** Source and destination on this hop; not there where nobody asked. */
  readonly addresses?: readonly [source: string, destination: string]
}

export interface FigureMark { readonly figure: string, readonly ok: boolean }

/** One packet from its sender to its receiver: one line, however many routers it crosses. */
export interface LadderPacket {
  readonly kind: 'packet'
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly hops: readonly Hop[]
  /** As in `201 equipment registration`. */
  readonly title: string
  readonly figures: readonly FigureMark[]
  /** Payload, bytes; 0 when it is not worth telling. */
  readonly size: number
  /** Packets that this one stands for. */
  readonly count: number
  /** True: `count` packets more of what was shown already. */
  readonly isRepeat: boolean
  /** What else is in it, told to who wants every packet. */
  readonly beside?: readonly string[]
  /** True: left out unless somebody wants every packet (acknowledgements, the rest of a handshake). */
  readonly isDetail: boolean
  /** Where a router threw it away, and why. */
  readonly drop?: { readonly lane: string, readonly reason: string }
  /** The numbers of its copies in the capture file that it comes from; of the first ones, where it stands for several. */
  readonly frames?: readonly number[]
}

/** Something that happens at one lane, such as S202. */
export interface LadderStep {
  readonly kind: 'step'
  readonly time: bigint
  readonly lane: string
  /** As in `S202`. */
  readonly name: string
  /** As in `2133 = 202.204.16.13:3400`. */
  readonly note: string
}

export type LadderEntry = LadderPacket | LadderStep

export interface Ladder {
  readonly title: string
  readonly lanes: readonly Lane[]
  readonly entries: readonly LadderEntry[]
  /** What was left out, and the like; a sentence each, below the ladder. */
  readonly notes?: readonly string[]
}

/**
 * Folds packets that repeat, for a live display: the first is shown at once, the following equal ones are counted and come as
 * one entry (`isRepeat`) as soon as something else happens, or at the end. Details pass without ending a repetition, since they are
 * mostly not shown; who shows them does not fold.
 */
export class Folding {
  #shown: LadderPacket | null = null
  #held: LadderPacket | null = null

  push(entry: LadderEntry): LadderEntry[] {
    if (entry.kind === 'packet' && entry.isDetail) return [entry]
    if (entry.kind === 'packet' && this.#shown !== null && isSame(this.#shown, entry)) {
      this.#held = this.#held === null ? { ...entry, isRepeat: true } : { ...add(this.#held, entry), isRepeat: true }
      return []
    }
    const before = this.flush()
    this.#shown = entry.kind === 'packet' ? entry : null
    return [...before, entry]
  }

  /** What is held back. */
  flush(): LadderEntry[] {
    const held = this.#held
    this.#held = null
    return held === null ? [] : [held]
  }
}

/** Folds packets that repeat, where a line may still be changed: one entry stands for all of them. Details as in `Folding`. */
export class Folded {
  readonly #entries: LadderEntry[] = []
  #last = -1

  get entries(): readonly LadderEntry[] { return this.#entries }
  get length(): number { return this.#entries.length }

  push(entry: LadderEntry): void {
    const before = this.#entries[this.#last] as LadderEntry | undefined
    if (entry.kind === 'packet' && !entry.isDetail && before?.kind === 'packet' && isSame(before, entry)) {
      this.#entries[this.#last] = add(before, entry)
      return
    }
    if (entry.kind === 'step' || !entry.isDetail) this.#last = this.#entries.length
    this.add(entry)
  }

  /** A line of its own. */
  add(entry: LadderEntry): void { this.#entries.push(entry) }
}

/** Folds packets that repeat, where all entries are there. */
export function foldRepeats(entries: readonly LadderEntry[]): LadderEntry[] {
  const folded = new Folded()
  for (const entry of entries) folded.push(entry)
  return [...folded.entries]
}

const add = (first: LadderPacket, next: LadderPacket): LadderPacket =>
  ({ ...first, count: first.count + next.count, size: first.size + next.size })

/** The same to whoever looks at it: size and time aside. */
const isSame = (a: LadderPacket, b: LadderPacket): boolean => identity(a) === identity(b)
const identity = ({ title, hops, figures, drop }: LadderPacket): string =>
  JSON.stringify([title, hops.map(({ from, to, label }) => [from, to, label]), figures, drop])
