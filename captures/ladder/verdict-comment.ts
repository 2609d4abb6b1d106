// What the comment on a packet says that a router did with it: the words of napt/explain.ts, read back. A comment of somebody
// else's says nothing here.

export type Outcome = 'forwarded' | 'dropped' | 'answered' | 'held' | 'sent'

export interface VerdictComment {
  readonly router: string
  readonly outcome: Outcome
  /** Of a drop: its name and sentence, as in `filtered: the WAN port is mapped, but …`; or ''. */
  readonly reason: string
}

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  forwarded: 'forwarded', 'forwarded in pieces': 'forwarded', dropped: 'dropped', answered: 'answered', learned: 'answered', held: 'held', sent: 'sent',
}
/** Whoever wrote it, a reason is a sentence or two. */
const LONGEST_REASON = 500

export function readVerdict(comment: string): VerdictComment | null {
  const [head, ...details] = comment.split('\n')
  const { router = '', word = '' } = /^(?<router>\S{1,64}) {2}[a-z ]{3} → [a-z ]{0,3} {2,}(?<word>[a-z ]+?) {2}/.exec(`${head}  `)?.groups ?? {}
  if (!Object.hasOwn(OUTCOMES, word)) return null
  const outcome = OUTCOMES[word]
  const reason = details.map(line => /^ {2}reason +(.+)$/.exec(line)?.[1]).find(text => text !== undefined) ?? ''
  return { router, outcome, reason: reason.slice(0, LONGEST_REASON) }
}
