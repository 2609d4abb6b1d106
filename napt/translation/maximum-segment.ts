// MSS clamping: a router before a cable with a small MTU lowers the segment size that a SYN announces, so that a connection works
// even where the ICMP errors of path MTU discovery are lost (RFC 4459 §3.2).
import type { Packet } from '../packet.js'
import { read16, write16 } from '../wire/bytes.js'
import { update16 } from '../wire/checksum.js'
import * as ipv4 from '../wire/ipv4.js'
import { nextOption } from '../wire/options.js'
import * as tcp from '../wire/tcp.js'

/** Kind, length and a 16-bit value (RFC 9293 §3.2). */
const OPTION_LENGTH = 4

/**
 * Lowers the maximum segment size that a SYN announces to `limit` bytes and keeps the checksum right; 0 leaves it as it is. Never
 * raises it, adds none, and leaves a broken list of options alone. The packet has passed `checkTransport`, or is a first fragment.
 */
export function clampMaximumSegment(packet: Packet, limit: number): void {
  const { bytes, transport, protocol } = packet
  if (limit === 0 || protocol !== ipv4.PROTOCOL.tcp || (tcp.flags(bytes, transport) & tcp.FLAG.syn) === 0) return
  const first = transport + tcp.MINIMUM_HEADER, end = transport + tcp.headerLength(bytes, transport)
  for (let at = first; at < end; at = nextOption(bytes, at, end)) if (nextOption(bytes, at, end) < 0) return
  for (let at = first; at < end; at = nextOption(bytes, at, end)) {
    if (bytes[at] === tcp.MAXIMUM_SEGMENT_SIZE && bytes[at + 1] === OPTION_LENGTH) lower(packet, at + 2, limit)
  }
}

function lower({ bytes, transport, partial }: Packet, at: number, limit: number): void {
  const before = read16(bytes, at)
  if (before <= limit) return
  write16(bytes, at, limit)
  // A partial checksum covers no option.
  if (partial) return
  // Where no 16-bit word of the segment begins, the value's bytes count swapped (RFC 1071 §2 B).
  const isOdd = (at - transport) % 2 === 1
  update16(bytes, transport + tcp.CHECKSUM, isOdd ? swapped(before) : before, isOdd ? swapped(limit) : limit)
}

const swapped = (word: number): number => ((word & 0xff) << 8) | (word >>> 8)
