// The short way for a packet about which nothing is to be decided (fast-path.ts), in AssemblyScript: TypeScript's syntax, compiled to
// WebAssembly. The same in JavaScript takes three times as long: each access of memory is checked there, and each number's type.
//
// A frame is read and written by words as they lie in it, so that a word's lowest byte is the frame's first. Checksums do not mind
// (RFC 1071 §2 B); addresses and ports are turned round, since the router's tables have them as numbers.
import {
  CHUNK_ROW_BITS, CHUNKS, CODE_SHIFT, DEADLINE, FIRST, FORESEEN_HASHES, FORWARDED, GATEWAY, HAND_SLOTS, HAND_WIDTH, HOP, IDENTIFICATION, IDLE, IN_HIGH, IN_LOW,
  KEPT_INBOUND, KEPT_OUTBOUND, LAN_ADDRESS, LAN_DIRECTION, LAN_HAND, LAN_PORTS, LEFT, MASK, MOVED, MTU, NEW_CODE, NEW_DESTINATION, NEW_FLAGS, NEW_PORTS, NEW_SOURCE, NO_NEIGHBOUR, NO_SESSION, OLD_MASK, OLD_SLOTS, OUT_HIGH, OUT_LOW,
  OUTBOUND, PARTIAL, REACHED, REMOTE_ADDRESS, ROW_BITS, ROW_SHIFT, SEGMENT_SHIFT, SESSION_NOTE, SETTLED_INBOUND, SETTLED_OUTBOUND, SLOTS, STATE, STATE_NOTE, TCP_IDLE,
  TCP_RESET, TCP_STATE, UNKNOWN, WAN_ADDRESS, WAN_DIRECTION, WAN_HAND, WAN_PORTS,
} from './layout'

const TYPE: u32 = 12, IP: u32 = 14, TRANSPORT: u32 = 34
const HEADERS: i32 = 34, UDP_HEADER: i32 = 8, TCP_HEADER: i32 = 20, IPV4_HEADER: i32 = 20
const TCP: u32 = 6, UDP: u32 = 17, TCP_CODE: u32 = 1, UDP_CODE: u32 = 2
// As words have them: the type of IPv4, a version and header of five words, fragment bits, and flags of TCP that change its state.
const TYPE_IPV4: u32 = 0x0008, PLAIN_HEADER: u32 = 0x45, FRAGMENT: u32 = 0xff3f0000, DONT_FRAGMENT: u32 = 0x00400000, SYN_FIN_RST: u32 = 7
/** RFC 1624: ~m + m' of the halfword whose lowest byte, the time to live, gets one less. */
const HOP_TAKEN: u32 = 0xfffe
const ROW: u32 = (1 << ROW_BITS) - 1, WITHIN_CHUNK: u32 = (1 << CHUNK_ROW_BITS) - 1
const NO_ROW: u32 = 0

/**
 * Forwards the frame of `length` bytes at `frame`, rewritten in place, or changes nothing of it; `what` is OUTBOUND, PARTIAL, REACHED,
 * FIRST and the segment. `now` in milliseconds on the router's clock.
 */
export function forward(frame: u32, length: i32, what: u32, now: f64): i32 {
  return (what & OUTBOUND) != 0 ? pass(frame, length, what, now, true, LAN_DIRECTION) : pass(frame, length, what, now, false, WAN_DIRECTION)
}

/** The same, written out for each direction. */
// @ts-expect-error: a decorator of AssemblyScript's
@inline
function pass(frame: u32, length: i32, what: u32, now: f64, outbound: bool, direction: u32): i32 {
  if (length < HEADERS + UDP_HEADER) return UNKNOWN
  if (load<u32>(frame) != load<u32>(direction, IN_HIGH) || load<u16>(frame, 4) != load<u16>(direction, IN_LOW) || load<u16>(frame, TYPE) != TYPE_IPV4) return UNKNOWN

  const first = load<u32>(frame, IP), second = load<u32>(frame, IP + 4), third = load<u32>(frame, IP + 8)
  const source = load<u32>(frame, IP + 12), destination = load<u32>(frame, IP + 16)
  const ipLength: i32 = swap16(first >>> 16)
  if ((first & 0xff) != PLAIN_HEADER || (second & FRAGMENT) != 0 || (third & 0xff) <= 1 || HEADERS - IPV4_HEADER + ipLength > length) return UNKNOWN
  if (folded(<u64>first + <u64>second + <u64>third + <u64>source + <u64>destination) != 0xffff) return UNKNOWN

  const protocol = third >>> 8 & 0xff, isTcp = protocol == TCP
  let header = UDP_HEADER, flags: u32 = 0
  if (isTcp) {
    if (ipLength < IPV4_HEADER + TCP_HEADER) return UNKNOWN
    header = (load<u8>(frame, TRANSPORT + 12) & 0xf0) >>> 2
    if (header < TCP_HEADER || header > ipLength - IPV4_HEADER) return UNKNOWN
    flags = load<u8>(frame, TRANSPORT + 13)
  } else {
    if (protocol != UDP) return UNKNOWN
    const datagram: i32 = swap16(load<u16>(frame, TRANSPORT + 4))
    if (datagram < UDP_HEADER || datagram > ipLength - IPV4_HEADER) return UNKNOWN
  }
  const segment: i32 = what >>> SEGMENT_SHIFT
  if ((segment == 0 ? ipLength : min(IPV4_HEADER + header + segment, ipLength)) > load<i32>(direction, MTU)) return UNKNOWN

  const code = isTcp ? TCP_CODE : UDP_CODE, ports = load<u32>(frame, TRANSPORT)
  const own = bswap(outbound ? source : destination), remote = bswap(outbound ? destination : source), ownPorts = outbound ? bswap(ports) : bswap(ports) << 16 | bswap(ports) >>> 16
  const row = find(direction, outbound, own, remote, ownPorts, code)
  if (row == NO_ROW) {
    if (!outbound) return UNKNOWN
    store<u32>(NEW_CODE, code)
    store<u32>(NEW_SOURCE, own)
    store<u32>(NEW_DESTINATION, remote)
    store<u32>(NEW_PORTS, ownPorts)
    store<u32>(NEW_FLAGS, flags)
    return NO_SESSION
  }
  const state = load<u32>(row, STATE), deadline = load<f64>(row, DEADLINE)
  if ((state & (outbound ? SETTLED_OUTBOUND : SETTLED_INBOUND)) == 0 || deadline <= now) return UNKNOWN
  const tcpState = state & TCP_STATE
  // What opens, ends or revives a connection (tcp-state.ts) goes the whole way.
  if (isTcp && (what & FIRST) == 0 && ((flags & SYN_FIN_RST) != 0 || (tcpState & TCP_RESET) != 0)) return UNKNOWN

  const address = outbound ? load<u32>(row, WAN_ADDRESS) : load<u32>(row, LAN_ADDRESS), port = outbound ? load<u32>(row, WAN_PORTS) : load<u32>(row, LAN_PORTS)
  const gateway = load<u32>(direction, GATEWAY), hop = outbound ? (gateway == 0 ? remote : gateway) : address
  const at = ((hop ^ hop >>> 8) & (HAND_SLOTS - 1)), hand: u32 = outbound ? WAN_HAND : LAN_HAND, neighbour = hand + 8 * HAND_SLOTS + at * HAND_WIDTH
  if ((what & REACHED) == 0 && (load<u32>(neighbour) != hop || now > load<f64>(hand + (at << 3)))) {
    store<u32>(HOP, hop)
    return NO_NEIGHBOUR
  }

  store<f64>(LEFT, deadline - now)
  store<u32>(STATE_NOTE, tcpState)
  const next = now + (isTcp ? load<f64>(TCP_IDLE + (tcpState << 3)) : load<f64>(IDLE + (code << 3)))
  // What refreshes nothing can still end a connection earlier.
  if (load<u8>((outbound ? KEPT_OUTBOUND : KEPT_INBOUND) + code) != 0 || next < deadline) store<f64>(row, next, DEADLINE)
  const addressWord = bswap(address), portWord = swap16(port >>> 16)
  const addressChange = <u64>(outbound ? ~source : ~destination) + <u64>addressWord
  const portChange: u64 = (~(outbound ? ports : ports >>> 16) & 0xffff) + portWord
  let headerChange = addressChange + HOP_TAKEN
  // Several hosts behind one address may have chosen the same identification (RFC 7857 §10).
  if (outbound && (second & DONT_FRAGMENT) == 0) {
    const identification = swap16(identify(ipLength - IPV4_HEADER, segment))
    headerChange += (~second & 0xffff) + identification
    store<u16>(frame, identification, IP + 4)
  }
  store<u32>(frame, (third & 0xffff) - 1 | ~folded((~third >>> 16) + headerChange) << 16, IP + 8)
  store<u32>(frame + (outbound ? IP + 12 : IP + 16), addressWord)
  store<u16>(frame + (outbound ? TRANSPORT : TRANSPORT + 2), portWord)
  const checksumAt = frame + (isTcp ? TRANSPORT + 16 : TRANSPORT + 6), checksum: u32 = load<u16>(checksumAt)
  // What a partial checksum covers is in wire/checksum.ts. A UDP checksum of zero means none, and a computed zero is written 0xffff (RFC 768).
  if ((what & PARTIAL) != 0) {
    store<u16>(checksumAt, folded(checksum + addressChange))
  } else if (isTcp || checksum != 0) {
    const changed = ~folded((~checksum & 0xffff) + addressChange + portChange) & 0xffff
    store<u16>(checksumAt, !isTcp && changed == 0 ? 0xffff : changed)
  }
  store<u32>(frame, load<u32>(neighbour, 4))
  store<u32>(frame, load<u32>(neighbour, 8) | load<u32>(direction, OUT_HIGH) << 16, 4)
  store<u32>(frame, load<u32>(direction, OUT_LOW), 8)
  return FORWARDED
}

/**
 * Forwards frames one behind the other, from frame `first` on, until one is not for the fast path; gives that one's number, or `end`.
 * `bytes`, `starts`, `ends`, `partial` and `segments` are where a batch of frames has what its names say (device.ts).
 */
export function forwardRun(bytes: u32, starts: u32, ends: u32, partial: u32, segments: u32, first: u32, end: u32, outbound: bool, now: f64): u32 {
  return outbound ? run(bytes, starts, ends, partial, segments, first, end, now, true, LAN_DIRECTION) : run(bytes, starts, ends, partial, segments, first, end, now, false, WAN_DIRECTION)
}

// @ts-expect-error: a decorator of AssemblyScript's
@inline
function run(bytes: u32, starts: u32, ends: u32, partial: u32, segments: u32, first: u32, end: u32, now: f64, outbound: bool, direction: u32): u32 {
  for (let i = first; i < end; i++) {
    const start = load<i32>(starts + (i << 2)), what = <u32>load<u8>(partial + i) << 1 | <u32>load<u16>(segments + (i << 1)) << SEGMENT_SHIFT
    if (pass(bytes + start, load<i32>(ends + (i << 2)) - start, what, now, outbound, direction) != FORWARDED) return i
  }
  return end
}

/**
 * Reads what `forward` will look the frames [first, end) of a batch up by, FORESEEN of them at most, so that it is in the processor's
 * cache then. One by one, each would wait for memory twice; here the waits overlap. What it gives means nothing.
 */
export function foresee(bytes: u32, starts: u32, ends: u32, first: u32, end: u32, outbound: bool): u32 {
  const direction: u32 = outbound ? LAN_DIRECTION : WAN_DIRECTION, slots = load<u32>(direction, SLOTS), mask = load<u32>(direction, MASK)
  let seen: u32 = 0
  for (let i = first; i < end; i++) {
    const start = load<i32>(starts + (i << 2)), frame = bytes + start
    if (load<i32>(ends + (i << 2)) - start < HEADERS + UDP_HEADER) continue
    const ports = bswap(load<u32>(frame, TRANSPORT))
    const source = bswap(load<u32>(frame, IP + 12)), destination = bswap(load<u32>(frame, IP + 16)), own = outbound ? source : destination, remote = outbound ? destination : source
    const hash = flowHash(own, remote, outbound ? ports : ports << 16 | ports >>> 16, load<u8>(frame, IP + 9) == TCP ? TCP_CODE : UDP_CODE)
    store<u32>(FORESEEN_HASHES + (i - first << 2), hash)
    seen ^= load<u32>(slots + ((hash & mask) << 2))
  }
  for (let i = first; i < end; i++) {
    const hash = load<u32>(FORESEEN_HASHES + (i - first << 2))
    let at = hash & mask, slot = load<u32>(slots + (at << 2))
    while (slot != 0 && (slot ^ hash) >>> ROW_BITS != 0) {
      at = at + 1 & mask
      slot = load<u32>(slots + (at << 2))
    }
    if (slot != 0) seen ^= load<u32>(rowAt((slot & ROW) - 1))
  }
  return seen
}

/** The identification of the next datagram, with so many bytes of payload; a GSO frame's packets, `segment` bytes each (0: one packet), count on from it. */
export function identify(payload: i32, segment: i32): u32 {
  const identification = load<u32>(IDENTIFICATION)
  store<u32>(IDENTIFICATION, identification + (segment == 0 ? 1 : (payload + segment - 1) / segment) & 0xffff)
  return identification
}

/** Where the session of a packet's addresses and ports is, as FlowIndex.find finds it, or NO_ROW. Its number is at SESSION_NOTE then. */
// @ts-expect-error: a decorator of AssemblyScript's
@inline
function find(direction: u32, outbound: bool, own: u32, remote: u32, ports: u32, code: u32): u32 {
  const hash = flowHash(own, remote, ports, code), row = probe(load<u32>(direction, SLOTS), load<u32>(direction, MASK), 0, hash, outbound, own, remote, ports, code)
  if (row != NO_ROW) return row
  // While the index doubles, some rows still stand in its old slots.
  const old = load<u32>(direction, OLD_SLOTS)
  return old == 0 ? NO_ROW : probe(old, load<u32>(direction, OLD_MASK), load<u32>(direction, MOVED), hash, outbound, own, remote, ports, code)
}

/** Among the slots, of rows from `least` on. */
// @ts-expect-error: a decorator of AssemblyScript's
@inline
function probe(slots: u32, mask: u32, least: u32, hash: u32, outbound: bool, own: u32, remote: u32, ports: u32, code: u32): u32 {
  let at = hash & mask
  for (let slot = load<u32>(slots + (at << 2)); slot != 0; slot = load<u32>(slots + (at << 2))) {
    at = at + 1 & mask
    if ((slot ^ hash) >>> ROW_BITS != 0) continue
    const number = (slot & ROW) - 1
    // GONE, in old slots, is all ones: no chunk has that row.
    if (number < least || number == ROW - 1) continue
    const row = rowAt(number)
    const address = outbound ? load<u32>(row, LAN_ADDRESS) : load<u32>(row, WAN_ADDRESS), itsPorts = outbound ? load<u32>(row, LAN_PORTS) : load<u32>(row, WAN_PORTS)
    if (itsPorts == ports && address == own && load<u32>(row, REMOTE_ADDRESS) == remote && load<u32>(row, STATE) >>> CODE_SHIFT == code) {
      store<u32>(SESSION_NOTE, number)
      return row
    }
  }
  return NO_ROW
}

// @ts-expect-error: a decorator of AssemblyScript's
@inline
function rowAt(row: u32): u32 { return load<u32>(CHUNKS + ((row >>> CHUNK_ROW_BITS) << 2)) + ((row & WITHIN_CHUNK) << ROW_SHIFT) }

/** As in table/flow-index.ts. */
// @ts-expect-error: a decorator of AssemblyScript's
@inline
function flowHash(a: u32, b: u32, ports: u32, code: u32): u32 {
  const h = (a ^ code) * 0x9e3779b1 ^ b * 0x85ebca77 ^ ports * 0xc2b2ae3d, mixed = (h ^ h >>> 15) * 0x2c1b3c6d
  return mixed ^ mixed >>> 13
}

// @ts-expect-error: a decorator of AssemblyScript's
@inline
function halves(word: u32): u32 { return (word & 0xffff) + (word >>> 16) }

/** The one's complement sum in 16 bits, of up to 2^32 words' sum: of words of 32 bits it is the same as of their halves (RFC 1071 §2 C). */
// @ts-expect-error: a decorator of AssemblyScript's
@inline
function folded(sum: u64): u32 {
  const words = (sum & 0xffffffff) + (sum >>> 32), word = <u32>words + <u32>(words >>> 32)
  return halves(halves(word)) & 0xffff
}

// @ts-expect-error: a decorator of AssemblyScript's
@inline
function swap16(half: u32): u32 { return (half & 0xff) << 8 | half >>> 8 & 0xff }
