// What a receiver does with fragments: a fragmented datagram's transport checksum can be checked only when it is whole.
import type { Side } from '../../napt/verdict.js'
import { write16 } from '../../napt/wire/bytes.js'
import { formatIpv4 } from '../../napt/wire/address.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { IP } from '../napt/frames.js'
import { show } from '../napt/show.js'
import { named } from './names.js'

interface Datagram { readonly pieces: Map<number, Uint8Array>, end: number | null, header: Uint8Array | null }

export class Reassembly {
  readonly #datagrams = new Map<string, Datagram>()
  /** What is wrong with a datagram that became whole, or null. */
  defect: string | null = null

  add(side: Side, fragment: Uint8Array): void {
    const key = [side, ipv4.protocol(fragment, IP), ipv4.identification(fragment, IP), formatIpv4(ipv4.source(fragment, IP)), formatIpv4(ipv4.destination(fragment, IP))].join(' ')
    const datagram = this.#datagrams.get(key) ?? { pieces: new Map(), end: null, header: null }
    this.#datagrams.set(key, datagram)
    const payload = IP + ipv4.headerLength(fragment, IP), end = IP + ipv4.totalLength(fragment, IP), offset = ipv4.fragmentOffset(fragment, IP)
    datagram.pieces.set(offset, fragment.slice(payload, end))
    if (offset === 0) datagram.header = fragment.slice(0, payload)
    if (!ipv4.moreFragments(fragment, IP)) datagram.end = offset + end - payload
    const text = whole(datagram)
    if (text === null) return
    this.#datagrams.delete(key)
    if (text.includes('!')) this.defect ??= `a datagram came in fragments, put together it is wrong: ${side} ${named(text)}`
  }
}

/** The datagram as a line of text, with what is wrong in it behind a `!`; null while there are gaps. */
function whole({ pieces, end, header }: Datagram): string | null {
  if (header === null || end === null) return null
  const frame = new Uint8Array(header.length + end)
  frame.set(header)
  let at = 0
  while (at < end) {
    const piece = pieces.get(at)
    if (piece === undefined) return null
    frame.set(piece, header.length + at)
    at += piece.length
  }
  write16(frame, IP + 2, frame.length - IP)
  write16(frame, IP + 6, 0)
  ipv4.writeChecksum(frame, IP)
  return show(frame)
}
