// Checksums that a sender's card was to finish (offload): captures on the sending machine are full of them.
import { fold, pseudoHeaderSum } from '../../napt/wire/checksum.js'
import { read16 } from '../../napt/wire/bytes.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'

/** Whether the transport checksum of the IPv4 frame `bytes[start, end)` is the pseudo-header's sum alone (see wire/checksum.ts). */
export function isPartial(bytes: Uint8Array, start: number, end: number): boolean {
  const ip = start + ethernet.HEADER, protocol = ipv4.protocol(bytes, ip), isTcp = protocol === ipv4.PROTOCOL.tcp
  if ((!isTcp && protocol !== ipv4.PROTOCOL.udp) || ipv4.isFragment(bytes, ip)) return false
  const transport = ip + ipv4.headerLength(bytes, ip), length = ipv4.totalLength(bytes, ip) - (transport - ip)
  const at = transport + (isTcp ? tcp.CHECKSUM : udp.CHECKSUM)
  if (at + 2 > end) return false
  const found = read16(bytes, at)
  if (found !== fold(pseudoHeaderSum(bytes, ip, protocol, length))) return false
  // One right checksum in 65,536 looks the same; and what is cut or malformed has none.
  const defect = ipv4.check(bytes, ip, end), ipEnd = transport + length
  if (defect !== null && defect !== 'checksum') return false
  if (isTcp) return tcp.check(bytes, transport, ipEnd) === null && !tcp.checksumHolds(bytes, ip, transport, ipEnd)
  return udp.check(bytes, transport, ipEnd) === null && found !== 0 && udp.length(bytes, transport) === length && !udp.checksumHolds(bytes, ip, transport)
}
