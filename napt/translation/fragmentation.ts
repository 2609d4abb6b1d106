// Splits an IPv4 packet that is too long for the next cable (RFC 791 §3.2, "an example fragmentation procedure").
import * as ethernet from '../wire/ethernet.js'
import * as ipv4 from '../wire/ipv4.js'
import { END_OF_LIST, nextOption } from '../wire/options.js'

/** RFC 791 §3.2: every cable takes that much, which is the longest header and 8 bytes. */
export const MINIMUM_MTU = 68

/** The flag of options that every fragment has to have (RFC 791 §3.1). */
const COPIED = 0x80

/**
 * Splits the IPv4 packet in the Ethernet frame `bytes[start, end)`, which may be a fragment itself, into fragments of at most
 * `mtu` bytes of IP; a packet that fits comes out whole. `emit` gets each frame in order, as a view into `scratch` (at least `mtu`
 * and 14 bytes) that is valid during the call; an Ethernet trailer is left behind. The header has been checked, a partial
 * transport checksum has been completed, and whether the packet may be fragmented at all (DF) is the caller's to know.
 * @throws RangeError when `mtu` is below 68
 */
export function fragment(bytes: Uint8Array, start: number, end: number, mtu: number, scratch: Uint8Array, emit: (frame: Uint8Array) => void): void {
  if (mtu < MINIMUM_MTU) throw new RangeError(`An MTU of ${mtu} bytes is too small for IPv4 (at least ${MINIMUM_MTU})`)
  const ip = start + ethernet.HEADER, payload = ip + ipv4.headerLength(bytes, ip), payloadEnd = Math.min(ip + ipv4.totalLength(bytes, ip), end)
  const offset = ipv4.fragmentOffset(bytes, ip), more = ipv4.moreFragments(bytes, ip)
  const to = ethernet.HEADER
  scratch.set(bytes.subarray(start, payload))
  let header = payload - ip
  for (let at = payload; ;) {
    const left = payloadEnd - at, room = mtu - header
    // All pieces but the last are a multiple of 8 bytes long.
    const length = left <= room ? left : room & ~7
    scratch.set(bytes.subarray(at, at + length), to + header)
    ipv4.setLengths(scratch, to, header, header + length)
    ipv4.setFragment(scratch, to, offset + at - payload, more || length < left)
    ipv4.writeChecksum(scratch, to)
    emit(scratch.subarray(0, to + header + length))
    if (length === left) return
    if (at === payload) header = keepCopiedOptions(scratch, to)
    at += length
  }
}

/** Leaves only the options of later fragments in the header at `ip`, up to a broken one, and returns its new length, a multiple of 4 bytes. */
function keepCopiedOptions(bytes: Uint8Array, ip: number): number {
  const end = ip + ipv4.headerLength(bytes, ip)
  let kept = ip + ipv4.MINIMUM_HEADER
  for (let at = kept, next; at < end; at = next) {
    next = nextOption(bytes, at, end)
    if (next < 0) break
    if ((bytes[at] & COPIED) === 0) continue
    bytes.copyWithin(kept, at, next)
    kept += next - at
  }
  while ((kept - ip) % 4 !== 0) bytes[kept++] = END_OF_LIST
  return kept - ip
}
