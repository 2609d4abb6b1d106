// The ports and the payload of a frame straight from its bytes, for whoever looks at every frame that passes: many times as fast as
// the frame taken apart, which is done only where it is not plain TCP or UDP with right checksums.
import * as ethernet from '../napt/wire/ethernet.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import * as tcp from '../napt/wire/tcp.js'
import * as udp from '../napt/wire/udp.js'
import type { Transport } from './decode.js'

/**
 * As `decode` has it; null for what is not TCP or UDP over IPv4 and Ethernet, whole, in one piece and without options of IPv4, or has a
 * checksum that is not right.
 */
export function plainTransport(frame: Uint8Array): Transport | null {
  const ip = ethernet.HEADER
  if (ethernet.check(0, frame.length) !== null || ethernet.type(frame, 0) !== ethernet.TYPE.ipv4) return null
  if (ipv4.check(frame, ip, frame.length) !== null || ipv4.isFragment(frame, ip) || ipv4.headerLength(frame, ip) !== ipv4.MINIMUM_HEADER) return null
  const at = ip + ipv4.MINIMUM_HEADER, end = ip + ipv4.totalLength(frame, ip), protocol = ipv4.protocol(frame, ip)
  const source = ipv4.source(frame, ip), destination = ipv4.destination(frame, ip)
  if (protocol === ipv4.PROTOCOL.tcp && tcp.check(frame, at, end) === null && tcp.checksumHolds(frame, ip, at, end)) {
    return {
      protocol: 'tcp', source: { address: source, port: tcp.sourcePort(frame, at) }, destination: { address: destination, port: tcp.destinationPort(frame, at) },
      flags: tcp.flags(frame, at), sequence: tcp.sequence(frame, at), acknowledgement: tcp.acknowledgement(frame, at),
      payload: tcp.payload(frame, at, end), payloadOffset: at + tcp.headerLength(frame, at),
    }
  }
  if (protocol === ipv4.PROTOCOL.udp && udp.check(frame, at, end) === null && (udp.checksum(frame, at) === 0 || udp.checksumHolds(frame, ip, at))) {
    return {
      protocol: 'udp', source: { address: source, port: udp.sourcePort(frame, at) }, destination: { address: destination, port: udp.destinationPort(frame, at) },
      flags: 0, sequence: 0, acknowledgement: 0, payload: udp.payload(frame, at), payloadOffset: at + udp.HEADER,
    }
  }
  return null
}

/** The bytes that all compared fields of such a frame's headers come from (entries.ts), as one number: TOS, flags, TTL, urgent pointer, no checksum. */
export function headerKey(frame: Uint8Array, { protocol }: Transport): number {
  const ip = ethernet.HEADER, at = ip + ipv4.MINIMUM_HEADER
  const header = ((frame[ip + 1] * 256 + frame[ip + 6]) * 256 + frame[ip + 7]) * 256 + frame[ip + 8]
  return protocol === 'tcp' ? header * 0x20000 + frame[at + 18] * 256 + frame[at + 19] : header * 0x20000 + 0x10000 + Number(udp.checksum(frame, at) === 0)
}
