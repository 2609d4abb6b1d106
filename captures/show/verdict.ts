// A router's verdict, read back from the comment that stands with a packet: the text of napt/trace/explain.ts.
import { printable } from '../decode/text-width.js'

export interface VerdictComment {
  readonly router: string
  /** As in `lan → wan`. */
  readonly path: string
  /** As in `forwarded`, `dropped`. */
  readonly outcome: string
  /** The reason's name, as in `filtered`; null for a packet that was not dropped, or where the comment has none. */
  readonly reason: string | null
}

/** `104b  wan → lan  dropped  udp …`; one side is blank for a packet that a router made or kept. */
const HEAD = /^(\S+) {2}(.{0,9}→.{0,9}?) {2,}(forwarded in pieces|forwarded|answered|learned|dropped|sent|held) {2}/
const REASON = /^ {2}reason +([a-z0-9-]+)(?::|$)/

/** The first verdict in a comment, or null when it has none. */
export function verdictIn(comment: string): VerdictComment | null {
  if (comment === '') return null
  const lines = comment.split('\n')
  const at = lines.findIndex(line => HEAD.test(line))
  const [, router, path, outcome] = HEAD.exec(lines.at(at) ?? '') ?? []
  if (at < 0) return null
  const reason = lines.slice(at + 1).map(line => REASON.exec(line)?.[1]).find(name => name !== undefined) ?? null
  return { router, path: path.trim(), outcome, reason: outcome === 'dropped' ? reason : null }
}

/** As in `104b dropped: filtered`; harmless on a terminal. */
export const verdictMark = ({ router, outcome, reason }: VerdictComment): string =>
  printable(`${router} ${outcome}${reason === null ? '' : `: ${reason}`}`)
