// What may be wrong with a frame that a router sends, found without the code that made it.
import { IP } from '../frames.js'
import { reassembled } from '../translation/fragment-frames.js'
import * as arp from '../../../napt/wire/arp.js'
import { checksum } from '../../../napt/wire/checksum.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import * as icmp from '../../../napt/wire/icmp.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import * as tcp from '../../../napt/wire/tcp.js'
import * as udp from '../../../napt/wire/udp.js'

/** Whether the transport checksum of a whole packet at `ip` is right; true where there is none. */
export function transportHolds(bytes: Uint8Array, ip = IP): boolean {
  const transport = ip + ipv4.headerLength(bytes, ip), end = ip + ipv4.totalLength(bytes, ip)
  switch (ipv4.protocol(bytes, ip)) {
    case ipv4.PROTOCOL.udp: return udp.checksumHolds(bytes, ip, transport)
    case ipv4.PROTOCOL.tcp: return tcp.checksumHolds(bytes, ip, transport, end)
    case ipv4.PROTOCOL.icmp: return icmp.checksumHolds(bytes, transport, end)
    default: return true
  }
}

/** What is wrong with the packet that a forwarded ICMP error quotes, given the error as it came; or null. */
export function wrongInQuote(before: Uint8Array, after: Uint8Array): string | null {
  const transport = IP + ipv4.headerLength(before, IP)
  if (ipv4.protocol(before, IP) !== ipv4.PROTOCOL.icmp || !icmp.isError(icmp.type(before, transport))) return null
  const quoted = icmp.quoted(transport), end = IP + ipv4.totalLength(before, IP)
  if (checksum(after, quoted, quoted + ipv4.headerLength(after, quoted)) !== 0) return 'the quoted header does not hold'
  if (ipv4.totalLength(before, quoted) > end - quoted || ipv4.isFragment(before, quoted) || !isWhole(before, quoted)) return null
  return transportHolds(after, quoted) === transportHolds(before, quoted) ? null : 'quoted transport checksum'
}

/** Whether a quoted packet's transport lengths lie within it. */
function isWhole(bytes: Uint8Array, ip: number): boolean {
  const transport = ip + ipv4.headerLength(bytes, ip), end = ip + ipv4.totalLength(bytes, ip)
  switch (ipv4.protocol(bytes, ip)) {
    case ipv4.PROTOCOL.udp: return udp.check(bytes, transport, end) === null
    case ipv4.PROTOCOL.tcp: return tcp.check(bytes, transport, end) === null
    default: return icmp.check(transport, end) === null
  }
}

/** What is wrong with an ARP or ICMP message or a reset that the router made; or null. */
export function wrongInOwnMessage(frame: Uint8Array): string | null {
  if (ethernet.type(frame, 0) === ethernet.TYPE.arp) return arp.check(frame, ethernet.HEADER, frame.length) === null ? null : 'an ARP message of its own'
  return ipv4.check(frame, IP, frame.length) === null && transportHolds(frame) ? null : 'a message of its own does not hold'
}

/** What is wrong with the pieces of one packet; or null. */
export function wrongInPieces(pieces: readonly Uint8Array[], mtu: number): string | null {
  if (pieces.length < 2) return `${pieces.length} pieces`
  if (pieces.some(bytes => bytes.length - IP > mtu)) return 'a piece is longer than the cable takes'
  try {
    reassembled(pieces)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
