// Checksums that a sender's card was to finish (offload): captures on the sending machine are full of them.
import { folded, halves } from '../../napt/wire/checksum.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import type { Frame } from './frame.js'

// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const IP = ethernet.HEADER, TCP = ipv4.PROTOCOL.tcp, UDP = ipv4.PROTOCOL.udp, TCP_CHECKSUM = tcp.CHECKSUM, UDP_CHECKSUM = udp.CHECKSUM
const FRAGMENT = 0x3fff

/** Whether the transport checksum of an IPv4 frame is the pseudo-header's sum alone (see wire/checksum.ts). */
export function isPartial({ bytes, words, start, end, source, destination }: Frame): boolean {
  const ip = start + IP, protocol = words.getUint8(ip + 9), isTcp = protocol === TCP
  if ((!isTcp && protocol !== UDP) || (words.getUint16(ip + 6) & FRAGMENT) !== 0) return false
  const header = (words.getUint8(ip) & 15) << 2, transport = ip + header, length = words.getUint16(ip + 2) - header
  const at = transport + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM)
  if (at + 2 > end) return false
  const found = words.getUint16(at)
  if (found !== folded(halves(source) + halves(destination) + protocol + length)) return false
  // One right checksum in 65,536 looks the same; and what is cut or malformed has none.
  const defect = ipv4.check(bytes, ip, end), ipEnd = transport + length
  if (defect !== null && defect !== 'checksum') return false
  if (isTcp) return tcp.check(bytes, transport, ipEnd) === null && !tcp.checksumHolds(bytes, ip, transport, ipEnd)
  return udp.check(bytes, transport, ipEnd) === null && found !== 0 && udp.length(bytes, transport) === length && !udp.checksumHolds(bytes, ip, transport)
}
