// Fragments, passed on in whatever order they come without being put together (RFC 4787 §11, REQ-14). Only the first fragment of
// a datagram has ports: it decides, the others follow its addresses. A datagram is what has one source, destination, protocol
// and identification (RFC 791 §3.2) on one side.
//
//   undecided ── first one settled ──► path known: the others follow
//     │ the others wait, as copies
//     ├── first one dropped, or tiny ──► refused: the others go with it
//     └── overlap, from any state ─────► poisoned: all that follows goes (RFC 5722 §3)
//
// When every byte of a decided datagram has come it is complete. It stays for what waited, here or for ARP, and comes anew, and
// gives way when room is needed, or to the next datagram of its identification.
//
// All of it ends 30 s after the first arrival, and all memory is bounded: when it is full, the oldest gives way, so that a flood
// keeps nobody out whose fragments follow each other (RFC 4787 REQ-14a).
import type { FragmentHandling } from '../behaviour/behaviour.js'
import { FragmentRanges } from './fragment-ranges.js'
import type { Packet } from '../packet.js'
import type { DropReason, Side } from '../verdict.js'
import type { Ipv4Address } from '../wire/address.js'
import * as icmp from '../wire/icmp.js'
import * as ipv4 from '../wire/ipv4.js'
import * as tcp from '../wire/tcp.js'
import * as udp from '../wire/udp.js'

/** Milliseconds from a datagram's first arrival: Linux's ipfrag_time. RFC 1122 §3.3.2 has hosts wait 60 to 120 s. */
export const FRAGMENT_LIFETIME = 30_000
/** With MAXIMUM_RANGES ranges each, some 4 MiB at the very worst. */
export const MAXIMUM_DATAGRAMS = 1024
/** Frames kept back until their first fragment comes: two datagrams of 64 KiB over an MTU of 576. */
export const MAXIMUM_KEPT_FRAMES = 256
/** Bytes of these frames: sixteen datagrams of 64 KiB. */
export const MAXIMUM_KEPT_BYTES = 1 << 20

/** What became of the first fragment's addresses, for those that follow. */
export interface FragmentPath {
  readonly source: Ipv4Address
  readonly destination: Ipv4Address
  readonly to: Side
  readonly nextHop: Ipv4Address
  readonly identification: number
}

export interface FragmentActions {
  /** A fragment that waited, whose first one has been settled: to be processed anew. */
  ready(from: Side, frame: Uint8Array): void
  /** A fragment that waited in vain. */
  lapsed(from: Side, frame: Uint8Array, reason: DropReason): void
}

interface Datagram {
  readonly key: string
  readonly from: Side
  /** When its time is over. */
  readonly due: number
  readonly ranges: FragmentRanges
  path: FragmentPath | null
  refusal: 'fragment-refused' | 'fragment-overlap' | null
  waiting: Uint8Array[]
}

export class FragmentTable {
  #handling: FragmentHandling
  readonly #actions: FragmentActions
  /** In the order in which their time ends. */
  readonly #datagrams = new Map<string, Datagram>()
  /** Those of which every byte came and the first fragment was decided, in that order. */
  readonly #complete = new Set<Datagram>()
  #current: Datagram | null = null
  #kept = 0
  #keptBytes = 0
  /** No datagram's time is over before this. */
  #due = Infinity

  constructor(handling: FragmentHandling, actions: FragmentActions) {
    this.#handling = handling
    this.#actions = actions
  }

  get datagrams(): number { return this.#datagrams.size }
  /** Frames that wait for their first fragment. */
  get keptBack(): number { return this.#kept }
  get keptBackBytes(): number { return this.#keptBytes }

  /** Of the datagram that `arrive` looked at last: its path, or null while its first fragment has not been settled. */
  get path(): FragmentPath | null { return this.#current?.path ?? null }

  /**
   * Notes a fragment that came in on side `from`, or that waited (here or for ARP) and comes anew. Null, or why it goes. After
   * null, a first fragment holds its whole transport header, of which only the length has been looked at.
   */
  arrive(packet: Packet, from: Side, now: number): DropReason | null {
    this.#current = null
    if (this.#handling === 'drop') return 'fragment'
    if (now >= this.#due) this.tick(now)
    const { bytes, ip, transport, ipEnd } = packet
    const start = ipv4.fragmentOffset(bytes, ip), end = start + ipEnd - transport, isLast = !ipv4.moreFragments(bytes, ip)
    const key = keyOf(packet, from)
    let datagram: Datagram | undefined = this.#datagrams.get(key)
    if (datagram !== undefined && this.#isOver(datagram, start, end, isLast)) {
      this.#forget(datagram)
      datagram = undefined
    }
    datagram ??= this.#begin(key, from, now)
    this.#current = datagram
    if (datagram.refusal === 'fragment-overlap') return datagram.refusal
    if (!isPossible(start, end, end + transport - ip, isLast)) return this.#refuse(datagram, 'fragment-overlap')
    const outcome = datagram.ranges.add(start, end, isLast)
    if (outcome === 'overlap') return this.#refuse(datagram, 'fragment-overlap')
    if (outcome === 'full') return 'fragments-full'
    this.#noteIfComplete(datagram)
    if (datagram.refusal !== null) return datagram.refusal
    if (!isTiny(packet, start)) return null
    this.#refuse(datagram, 'fragment-refused')
    return 'fragment-tiny'
  }

  /**
   * The first fragment, which `arrive` has just let pass, goes this way: the others follow, and what waited is `ready`. The path
   * is kept as it is. A first fragment that comes again (from ARP, or a duplicate) is decided and settled anew.
   */
  settle(path: FragmentPath): void {
    const datagram = this.#current
    if (datagram?.refusal !== null) return
    datagram.path = path
    this.#noteIfComplete(datagram)
    for (const frame of this.#take(datagram)) this.#actions.ready(datagram.from, frame)
  }

  /** The first fragment, which `arrive` has just looked at, was dropped: so is what waited, and what still comes. */
  refuse(): void {
    if (this.#current?.refusal === null) this.#refuse(this.#current, 'fragment-refused')
  }

  /** Keeps a copy of the fragment that `arrive` has just let pass until the first one comes. Null, or why it goes. */
  hold(packet: Packet): DropReason | null {
    if (this.#handling !== 'any-order') return 'fragment-out-of-order'
    const length = packet.end - packet.frame
    if (this.#current === null || this.#kept >= MAXIMUM_KEPT_FRAMES || this.#keptBytes + length > MAXIMUM_KEPT_BYTES) return 'fragments-full'
    this.#current.waiting.push(packet.bytes.slice(packet.frame, packet.end))
    this.#kept++
    this.#keptBytes += length
    return null
  }

  /** Forgets the datagrams whose time is over; what waited lapses. Cheap when nothing is due. */
  tick(now: number): void {
    if (now < this.#due) return
    this.#due = Infinity
    for (const datagram of this.#datagrams.values()) {
      if (datagram.due > now) {
        this.#due = datagram.due
        return
      }
      this.#forget(datagram)
      this.#lapse(datagram, 'fragment-lapsed')
    }
  }

  /** Milliseconds until `tick` may have something to do, or Infinity. */
  untilTick(now: number): number { return Math.max(this.#due - now, 0) }

  /** From now on fragments are handled so; what would not have been kept back goes. */
  change(handling: FragmentHandling): void {
    this.#handling = handling
    if (handling === 'any-order') return
    for (const datagram of this.#datagrams.values()) this.#lapse(datagram, handling === 'drop' ? 'fragment' : 'fragment-out-of-order')
  }

  /** When there is no room, a complete datagram gives way, or else the oldest: the fragments of one that is in order follow each other. */
  #begin(key: string, from: Side, now: number): Datagram {
    if (this.#datagrams.size >= MAXIMUM_DATAGRAMS) {
      const [oldest] = this.#complete.size > 0 ? this.#complete : this.#datagrams.values()
      this.#forget(oldest)
      this.#lapse(oldest, 'fragments-full')
    }
    const datagram: Datagram = { key, from, due: now + FRAGMENT_LIFETIME, ranges: new FragmentRanges(), path: null, refusal: null, waiting: [] }
    this.#datagrams.set(key, datagram)
    this.#due = Math.min(this.#due, datagram.due)
    return datagram
  }

  /**
   * Whether a fragment belongs to the next datagram of the same identification, for a busy sender comes round in seconds (RFC 4963
   * §2): this one is complete, and another first fragment comes, or one that does not fit. Exact duplicates of the others still follow.
   */
  #isOver(datagram: Datagram, start: number, end: number, isLast: boolean): boolean {
    return this.#complete.has(datagram) && (start === 0 || datagram.ranges.add(start, end, isLast) === 'overlap')
  }

  #forget(datagram: Datagram): void {
    this.#datagrams.delete(datagram.key)
    this.#complete.delete(datagram)
  }

  #noteIfComplete(datagram: Datagram): void {
    if (datagram.ranges.isComplete && (datagram.path !== null || datagram.refusal !== null)) this.#complete.add(datagram)
  }

  #refuse<R extends 'fragment-refused' | 'fragment-overlap'>(datagram: Datagram, reason: R): R {
    datagram.refusal = reason
    datagram.path = null
    if (reason === 'fragment-overlap') {
      // It keeps its place until its time is over, so that none of it gets through, but needs no ranges any more.
      datagram.ranges.clear()
      this.#complete.delete(datagram)
    }
    this.#noteIfComplete(datagram)
    this.#lapse(datagram, reason)
    return reason
  }

  #lapse(datagram: Datagram, reason: DropReason): void {
    for (const frame of this.#take(datagram)) this.#actions.lapsed(datagram.from, frame, reason)
  }

  /** What waited, which no longer does. */
  #take(datagram: Datagram): Uint8Array[] {
    const frames = datagram.waiting
    if (frames.length === 0) return frames
    datagram.waiting = []
    this.#kept -= frames.length
    for (const { length } of frames) this.#keptBytes -= length
    return frames
  }
}

/** The side and the fields that tell datagrams apart, as six 16-bit characters. */
function keyOf({ bytes, ip, protocol }: Packet, from: Side): string {
  const source = ipv4.source(bytes, ip), destination = ipv4.destination(bytes, ip)
  return String.fromCharCode((from === 'lan' ? 0x100 : 0) | protocol, source >>> 16, source & 0xffff, destination >>> 16, destination & 0xffff, ipv4.identification(bytes, ip))
}

/** Whether any datagram can have such a fragment: within 65535 bytes, header included, some bytes, and all but the last a multiple of 8 (RFC 791 §3.2). */
const isPossible = (start: number, end: number, lengthWithHeader: number, isLast: boolean): boolean =>
  end > start && lengthWithHeader <= 65535 && (isLast || (end - start) % 8 === 0)

/** Whether it leaves part of the transport header to another fragment, out of a filter's sight (RFC 1858 §3, RFC 3128). */
function isTiny({ bytes, protocol, transport, ipEnd }: Packet, start: number): boolean {
  // RFC 1858 §3.2.2: a fragment at offset 8 has the TCP flags in it.
  if (start > 0) return protocol === ipv4.PROTOCOL.tcp && start === 8
  const length = ipEnd - transport
  switch (protocol) {
    case ipv4.PROTOCOL.tcp: return length < tcp.MINIMUM_HEADER || length < tcp.headerLength(bytes, transport)
    case ipv4.PROTOCOL.udp: return length < udp.HEADER
    case ipv4.PROTOCOL.icmp: return length < icmp.HEADER
    default: return false
  }
}
