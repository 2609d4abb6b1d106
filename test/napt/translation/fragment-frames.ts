// Fragments for tests, cut by hand from a whole frame: not with the code under test.
import { parseIpv4 } from '../../../napt/wire/address.js'
import { read16, write16 } from '../../../napt/wire/bytes.js'
import { Packet } from '../../../napt/packet.js'
import type { FragmentPath } from '../../../napt/translation/fragments.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import { IP, TRANSPORT } from '../frames.js'

/** The payload bytes `[from, to)` of a frame without IP options, as a fragment; MF set unless they are the last ones or `more` says otherwise. */
export function piece(frame: Uint8Array, from: number, to = frame.length - TRANSPORT, more = to < frame.length - TRANSPORT): Uint8Array {
  const bytes = new Uint8Array(TRANSPORT + to - from)
  bytes.set(frame.subarray(0, TRANSPORT))
  bytes.set(frame.subarray(TRANSPORT + from, TRANSPORT + to), TRANSPORT)
  write16(bytes, IP + 2, bytes.length - IP)
  write16(bytes, IP + 6, (more ? 0x2000 : 0) | (from / 8))
  ipv4.writeChecksum(bytes, IP)
  return bytes
}

/** Puts fragments, in any order, together again. @throws Error when bytes are missing, come twice or the header does not hold */
export function reassembled(fragments: readonly Uint8Array[]): { header: Uint8Array, payload: Uint8Array } {
  const parts = fragments.map(frame => {
    if (ipv4.check(frame, IP, frame.length) !== null) throw new Error('the header does not hold')
    const begin = IP + ipv4.headerLength(frame, IP)
    return { header: frame.slice(IP, begin), offset: (read16(frame, IP + 6) & 0x1fff) * 8, more: (read16(frame, IP + 6) & 0x2000) !== 0, bytes: frame.slice(begin, IP + ipv4.totalLength(frame, IP)) }
  }).sort((a, b) => a.offset - b.offset)
  const base = parts[0].offset
  let at = base
  for (const [i, { offset, more, bytes }] of parts.entries()) {
    if (offset !== at) throw new Error(`a fragment is at ${offset}, wanted at ${at}`)
    if (!more && i < parts.length - 1) throw new Error('MF is clear before the end')
    at += bytes.length
  }
  return { header: parts[0].header, payload: Buffer.concat(parts.map(({ bytes }) => bytes)) }
}

/** @throws Error when the frame cannot be taken apart */
export function parsed(frame: Uint8Array, partial = false): Packet {
  const packet = new Packet(), defect = packet.parse(frame, 0, frame.length, partial)
  if (defect !== null) throw new Error(defect)
  return packet
}

export const path = (identification = 1): FragmentPath =>
  ({ source: parseIpv4('202.204.16.13'), destination: parseIpv4('130.74.23.6'), to: 'wan', nextHop: parseIpv4('130.74.23.6'), identification })
