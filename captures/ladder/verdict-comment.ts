// What a ladder takes from the comment on a packet: what became of it, and of a drop the whole reason.
import { verdictIn } from '../show/verdict.js'

export type Outcome = 'forwarded' | 'dropped' | 'answered' | 'held' | 'sent'

export interface Verdict {
  readonly outcome: Outcome
  /** Of a drop: its name and sentence, as in `filtered: the WAN port is mapped, but …`; or ''. */
  readonly reason: string
}

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  forwarded: 'forwarded', 'forwarded in pieces': 'forwarded', dropped: 'dropped', answered: 'answered', learned: 'answered', held: 'held', sent: 'sent',
}
/** Whoever wrote it, a reason is a sentence or two. */
const LONGEST_REASON = 500

/** Null for a comment of somebody else's. */
export function readVerdict(comment: string): Verdict | null {
  const found = verdictIn(comment)
  if (found === null || !Object.hasOwn(OUTCOMES, found.outcome)) return null
  const reason = comment.split('\n').map(line => /^ {2}reason +(.+)$/.exec(line)?.[1]).find(text => text !== undefined) ?? ''
  return { outcome: OUTCOMES[found.outcome], reason: reason.slice(0, LONGEST_REASON) }
}
