// The ports and the payload of a frame straight from its bytes, for whoever looks at every frame that passes: many times as fast as
// the frame taken apart, which is done only where it is not plain TCP or UDP with right checksums.
import { read16 } from '../../napt/wire/bytes.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import type { Transport } from './decode.js'
import { Headers } from './headers.js'
import { LINK_TYPE } from './link-layer.js'

/**
 * As `decode` has it; null for what is not TCP or UDP over IPv4 and Ethernet, whole, in one piece and without options of IPv4, or has a
 * checksum that is not right.
 */
export const plainTransport = (frame: Uint8Array): Transport | null => plainTransportIn(new Headers(), frame, 0, frame.length)

/** The same of the frame `bytes[start, end)`, by an object that is used again for every frame. */
export function plainTransportIn(headers: Headers, bytes: Uint8Array, start: number, end: number): Transport | null {
  headers.load(bytes, LINK_TYPE.ethernet, start, end)
  const { isWhole, ip, transport: at, payload } = headers
  if (!isWhole || ip !== start + ethernet.HEADER || at !== ip + ipv4.MINIMUM_HEADER || !headers.checksumsHold()) return null
  const isTcp = headers.protocol === ipv4.PROTOCOL.tcp
  return {
    protocol: isTcp ? 'tcp' : 'udp',
    source: { address: ipv4.source(bytes, ip), port: headers.sourcePort }, destination: { address: ipv4.destination(bytes, ip), port: headers.destinationPort },
    flags: headers.flags, sequence: isTcp ? tcp.sequence(bytes, at) : 0, acknowledgement: isTcp ? tcp.acknowledgement(bytes, at) : 0,
    payload: bytes.subarray(payload, headers.end), payloadOffset: payload - start,
  }
}

/** The bytes that all compared fields of such a frame's headers come from (entries.ts), as one number: TOS, flags, TTL, urgent pointer, no checksum. */
export function headerKey({ bytes, ip, transport: at, protocol }: Headers): number {
  const header = ((bytes[ip + 1] * 256 + bytes[ip + 6]) * 256 + bytes[ip + 7]) * 256 + bytes[ip + 8]
  return protocol === ipv4.PROTOCOL.tcp ? header * 0x20000 + read16(bytes, at + 18) : header * 0x20000 + 0x10000 + Number(udp.checksum(bytes, at) === 0)
}
