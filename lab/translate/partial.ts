// Checksums that a sender's card was to finish (offload): captures on the sending machine are full of them.
import { decode } from '../../captures/decode.js'
import { fold, pseudoHeaderSum } from '../../napt/wire/checksum.js'
import { read16 } from '../../napt/wire/bytes.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'

/** Whether the transport checksum of an IPv4 frame is the pseudo-header's sum alone (see wire/checksum.ts). */
export function isPartial(frame: Uint8Array): boolean {
  const ip = ethernet.HEADER, protocol = ipv4.protocol(frame, ip)
  if ((protocol !== ipv4.PROTOCOL.tcp && protocol !== ipv4.PROTOCOL.udp) || ipv4.isFragment(frame, ip)) return false
  const transport = ip + ipv4.headerLength(frame, ip), length = ipv4.totalLength(frame, ip) - (transport - ip)
  const at = transport + (protocol === ipv4.PROTOCOL.tcp ? tcp.CHECKSUM : udp.CHECKSUM)
  if (at + 2 > frame.length || read16(frame, at) !== fold(pseudoHeaderSum(frame, ip, protocol, length))) return false
  // One right checksum in 65,536 looks the same.
  return decode(frame).layers.at(-1)?.checksum === 'partial'
}
