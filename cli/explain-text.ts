// What a router did to a packet, for people: one line, what it rests on, and the fields before and after.
import type { FrameExplanation, Passage } from '../lab/explain/explain-frame.js'
import { printable } from '../captures/decode/text-width.js'
import { columns } from './tables.js'

/** With `all`, fields that stayed as they were too. Names and comments out of the file are made harmless. */
export function explanationLines({ frame, interface: name, summary, payload, passages, copies, note }: FrameExplanation, all: boolean): string[] {
  const others = copies.map(each => `${each.frame}${each.interface === '' ? '' : ` (${each.interface})`}`).join(', ')
  return [
    `frame ${frame}${name === '' ? '' : ` on ${name}`}: ${summary}`,
    ...(payload === null ? [] : [`  payload  ${payload}`]),
    ...(others === '' ? [] : [`  copies   ${others}`]),
    ...passages.flatMap(passage => ['', ...passageLines(passage, all)]),
    ...(note === null ? [] : ['', note]),
  ].map(printable)
}

function passageLines({ headline, details, before, after, fields }: Passage, all: boolean): string[] {
  const isForwarded = fields.some(field => field.after !== null)
  const shown = fields.filter(({ field, isChanged }) => all || (isForwarded ? isChanged : KEY_FIELDS.includes(field.split(' ').slice(1).join(' '))))
  const title = (what: string, frame: number | null): string => frame === null ? what : `${what} (frame ${frame})`
  const heading = ['field', title('before', before), ...(isForwarded ? [title('after', after)] : [])]
  return [
    headline,
    ...details.map(({ label, text }) => `  ${label.padEnd(7)}  ${text}`),
    ...(shown.length === 0 ? [] : ['', ...columns([heading, ...shown.map(each => [each.field, each.before, ...(isForwarded ? [each.after ?? ''] : [])])])]),
  ]
}

/** What of a packet that went no further is looked at first. */
const KEY_FIELDS = ['destination', 'source', 'SA', 'DA', 'SP', 'DP', 'TTL', 'checksum', 'flags', 'type', 'code', 'identifier']

/** Times as strings: JSON has no whole numbers of that size. */
export const explanationData = ({ time, ...rest }: FrameExplanation): object => ({ ...rest, time: String(time) })
