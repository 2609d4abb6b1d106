// A packet in words, as one line shows it: its summary with the documents' name for what it brings, and the router's verdict.
import type { Decoded } from '../decode/decode.js'
import { decodeNothing } from '../decode/payload.js'
import { summarize } from '../decode/summary.js'
import type { Hosts } from './hosts.js'
import type { ShownName } from './naming.js'
import { verdictMark, type VerdictComment } from './verdict.js'

export type Style = 'good' | 'bad' | 'dim' | 'plain'
/** Puts a text in the colour of a style. */
export type Paint = (text: string, style: Style) => string

/** `udp 103:2000 → 101:1200, 201 equipment registration`. */
export const packetWords = (decoded: Decoded, name: ShownName | null, hosts: Hosts): string =>
  summarize(decoded, decodeNothing, { host: address => hosts.textOf(address), content: contentOf(decoded, name) })

/** The name, with the bytes of data behind it; null where the summary's own words do. */
export function contentOf({ transport }: Decoded, name: ShownName | null): string | null {
  if (name === null || transport === null) return null
  const size = name.size > 0 ? `, ${name.size} bytes` : ''
  return name.title + size
}

/** `  [104b dropped: filtered]`, or nothing where a router had no say. */
export function verdictWords(verdict: VerdictComment | null, paint: Paint): string {
  if (verdict === null) return ''
  return `  ${paint(`[${verdictMark(verdict)}]`, verdict.outcome === 'dropped' ? 'bad' : 'dim')}`
}
