// The short way for a packet about which nothing is to be decided (as Linux's flowtable): UDP, or TCP under way, of a session by
// which the router has let packets of this direction pass, to a next hop that is known; and for a flow's first packet from the LAN
// (first-packets.ts). It knows no rules: what it does not recognise goes the router's whole way, which also settles sessions, and what
// comes out is the same to the bit. It reads a frame by words and changes each checksum once (docs/performance.md says what that saves).
import type { Addressing } from './addressing.js'
import type { UnsolicitedSyns } from './answers/unsolicited-syn.js'
import { FirstPackets } from './first-packets.js'
import type { IdentificationCounter } from './translation/identification.js'
import type { Neighbours } from './neighbours.js'
import type { NextHops } from './next-hops.js'
import { CODE_SHIFT, flowHash, PROTOCOL_CODE, ROW, ROW_BITS, type FlowIndex } from './table/flow-index.js'
import type { LastLookup } from './table/last-lookup.js'
import type { NaptTable } from './table/napt-table.js'
import { CHUNK_BITS, WITHIN } from './table/rows.js'
import { DEADLINE, SESSION, SETTLED, TCP_STATE } from './table/sessions.js'
import { isOrdinary } from './table/tcp-state.js'
import type { Timers } from './table/timers.js'
import type { SideFacts } from './side-facts.js'
import type { Side } from './verdict.js'
import type { Ipv4Address } from './wire/address.js'
import { folded, halves } from './wire/checksum.js'
import * as ethernet from './wire/ethernet.js'
import * as ipv4 from './wire/ipv4.js'
import * as tcp from './wire/tcp.js'
import * as udp from './wire/udp.js'

// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const NONE = -1
const IP = ethernet.HEADER, IPV4_HEADER = ipv4.MINIMUM_HEADER, TCP_HEADER = tcp.MINIMUM_HEADER, UDP_HEADER = udp.HEADER
const TYPE_IPV4 = ethernet.TYPE.ipv4, TCP = ipv4.PROTOCOL.tcp, UDP = ipv4.PROTOCOL.udp
const TCP_CODE = PROTOCOL_CODE.tcp, UDP_CODE = PROTOCOL_CODE.udp
const LAN_ADDRESS = SESSION.lanAddress, WAN_ADDRESS = SESSION.wanAddress, REMOTE_ADDRESS = SESSION.remoteAddress, LAN_PORTS = SESSION.lanPorts, WAN_PORTS = SESSION.wanPorts, STATE = SESSION.state
const SETTLED_OUTBOUND = SETTLED.outbound, SETTLED_INBOUND = SETTLED.inbound, TCP_STATE_BITS = TCP_STATE, DEADLINE_AT = DEADLINE, CODE_BITS = CODE_SHIFT
const ROW_SHIFT = ROW_BITS, ROW_NUMBER = ROW, CHUNK_SHIFT = CHUNK_BITS, WITHIN_CHUNK = WITHIN
const NO_ROWS = new Int32Array(0)
const TCP_CHECKSUM = tcp.CHECKSUM, UDP_CHECKSUM = udp.CHECKSUM
const TRANSPORT = IP + IPV4_HEADER
const SHORTEST = TRANSPORT + UDP_HEADER
/** Version 4 and a header of five words. */
const PLAIN_HEADER = 0x45
/** Frames that are foreseen at once: what they bring fits the processor's first cache until they are processed. */
export const FORESEEN = 64
/** Slots of an index that its second cache has no room for. */
const WORTH_FORESEEING = 1 << 15
const ONE_HOP = 1 << 24
/** RFC 1624: ~m + m' of the word whose high byte is the time to live, which gets one less. */
const HOP_TAKEN = 0xffff - 0x100
const DONT_FRAGMENT = 0x4000, FRAGMENT = 0x3fff

/** One direction: the interface where frames come in, and the one where they leave. */
interface Direction {
  readonly index: FlowIndex
  readonly neighbours: Neighbours
  /** Bytes of IP that the next cable takes. */
  readonly mtu: number
  /** The MAC addresses of both interfaces as numbers: four bytes and two, two and four. */
  readonly inHigh: number
  readonly inLow: number
  readonly outHigh: number
  readonly outLow: number
}

export class FastPath {
  readonly #timers: Timers
  readonly #last: LastLookup
  readonly #chunks: readonly Int32Array[]
  readonly #wideChunks: readonly Float64Array[]
  readonly #identifications: IdentificationCounter
  readonly #nextHops: NextHops
  readonly #firstPackets: FirstPackets
  readonly #lan: Direction
  readonly #wan: Direction
  /** The memory that the last frame was in; a device's frames are always in the same. */
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  readonly #foreseen = new Int32Array(FORESEEN)
  /** Of no meaning: what `foresee` read. */
  seen = 0
  /** Frames that it forwarded. */
  forwarded = 0

  constructor(sides: Readonly<Record<Side, SideFacts>>, table: NaptTable, addressing: Addressing, identifications: IdentificationCounter, nextHops: NextHops, syns: UnsolicitedSyns) {
    const { sessions, timers, last } = table.flows
    this.#timers = timers
    this.#last = last
    this.#chunks = sessions.rows.chunks
    this.#wideChunks = sessions.rows.wideChunks
    this.#identifications = identifications
    this.#nextHops = nextHops
    this.#firstPackets = new FirstPackets(table, addressing, nextHops, syns)
    this.#lan = directionOf(sides, nextHops, sessions.outbound, 'lan')
    this.#wan = directionOf(sides, nextHops, sessions.inbound, 'wan')
  }

  /**
   * Forwards the frame `bytes[start, end)` to the other side, rewritten in place, or returns false and has changed nothing. The
   * arguments are those of `Router.process`.
   */
  forward(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, now: number, segment: number): boolean {
    if (end - start < SHORTEST) return false
    const view = bytes === this.#bytes ? this.#view : this.#look(bytes)
    const outbound = from === 'lan', direction = outbound ? this.#lan : this.#wan
    if (view.getInt32(start) !== direction.inHigh || view.getUint16(start + 4) !== direction.inLow || view.getUint16(start + 12) !== TYPE_IPV4) return false

    const ip = start + IP | 0, transport = start + TRANSPORT | 0
    const first = view.getInt32(ip), second = view.getInt32(ip + 4), third = view.getInt32(ip + 8)
    const source = view.getInt32(ip + 12), destination = view.getInt32(ip + 16), length = first & 0xffff, ipEnd = ip + length | 0
    if (first >>> 24 !== PLAIN_HEADER || (second & FRAGMENT) !== 0 || third >>> 24 <= 1 || ipEnd > end) return false
    if (folded(halves(first) + halves(second) + halves(third) + halves(source) + halves(destination)) !== 0xffff) return false

    const isTcp = (third >>> 16 & 0xff) === TCP
    let header: number = UDP_HEADER, flags = 0
    if (isTcp) {
      if (length < IPV4_HEADER + TCP_HEADER) return false
      const offsetAndFlags = view.getUint16(transport + 12)
      header = offsetAndFlags >>> 12 << 2
      if (header < TCP_HEADER || header > ipEnd - transport) return false
      flags = offsetAndFlags & 0xff
    } else {
      if ((third >>> 16 & 0xff) !== UDP) return false
      const datagram = view.getUint16(transport + 4)
      if (datagram < UDP_HEADER || datagram > ipEnd - transport) return false
    }

    if ((segment === 0 ? length : Math.min(IPV4_HEADER + header + segment, length)) > direction.mtu) return false

    const code = isTcp ? TCP_CODE : UDP_CODE, ports = view.getInt32(transport)
    // As FlowIndex.find has it, written out: a call, with its numbers made into objects, costs as much as the look-up.
    const own = outbound ? source : destination, remote = outbound ? destination : source, ownPorts = outbound ? ports : ports << 16 | ports >>> 16
    const { index } = direction, { slots } = index, mask = slots.length - 1, hash = flowHash(own, remote, ownPorts, code)
    let slotAt = hash & mask, session = NONE, at = 0, state = 0, fields: Int32Array = NO_ROWS
    for (let slot = slots[slotAt]; slot !== 0; slot = slots[slotAt]) {
      if ((slot ^ hash) >>> ROW_SHIFT === 0) {
        const row = (slot & ROW_NUMBER) - 1
        fields = this.#chunks[row >>> CHUNK_SHIFT]
        at = (row & WITHIN_CHUNK) << 3
        state = fields[at + STATE]
        if (fields[at + (outbound ? LAN_PORTS : WAN_PORTS)] === ownPorts && fields[at + (outbound ? LAN_ADDRESS : WAN_ADDRESS)] === own && fields[at + REMOTE_ADDRESS] === remote && state >>> CODE_BITS === code) {
          session = row
          break
        }
      }
      slotAt = slotAt + 1 & mask
    }
    // While the index doubles, some rows still stand in its old slots.
    if (session === NONE && !index.isWhole) {
      session = index.find(own, remote, ownPorts, code)
      fields = this.#chunks[Math.max(session, 0) >>> CHUNK_SHIFT]
      at = (session & WITHIN_CHUNK) << 3
      state = fields[at + STATE]
    }
    let neighbour: number
    const { neighbours } = direction
    if (session !== NONE) {
      if ((state & (outbound ? SETTLED_OUTBOUND : SETTLED_INBOUND)) === 0) return false
      const deadlines = this.#wideChunks[session >>> CHUNK_SHIFT], deadlineAt = (at >>> 1) + DEADLINE_AT, deadline = deadlines[deadlineAt]
      if (deadline <= now) return false
      const tcpState = state & TCP_STATE_BITS
      if (isTcp && !isOrdinary(tcpState, flags)) return false
      neighbour = neighbours.reach(outbound ? this.#nextHops.nextHop('wan', destination as Ipv4Address) : fields[at + LAN_ADDRESS] as Ipv4Address, now)
      if (neighbour === NONE) return false

      this.#last.notePass(session, tcpState, deadline - now)
      const next = now + this.#timers.idleTime(code, tcpState)
      // What refreshes nothing can still end a connection earlier.
      if (this.#timers.keeps(code, outbound) || next < deadline) deadlines[deadlineAt] = next
    } else {
      if (!outbound) return false
      session = this.#firstPackets.open(code, source as Ipv4Address, ports >>> 16, destination as Ipv4Address, ports & 0xffff, flags, now)
      if (session === NONE) return false
      fields = this.#chunks[session >>> CHUNK_SHIFT]
      at = (session & WITHIN_CHUNK) << 3
      neighbour = this.#firstPackets.neighbour
    }
    const address = fields[at + (outbound ? WAN_ADDRESS : LAN_ADDRESS)], port = fields[at + (outbound ? WAN_PORTS : LAN_PORTS)] >>> 16
    const addressChange = halves(outbound ? ~source : ~destination) + halves(address)
    const portChange = (~(outbound ? ports >>> 16 : ports) & 0xffff) + port
    let headerChange = addressChange + HOP_TAKEN
    // Several hosts behind one address may have chosen the same identification (RFC 7857 §10).
    if (outbound && (second & DONT_FRAGMENT) === 0) {
      const identification = this.#identifications.next(ipEnd - transport, segment)
      headerChange += (~(second >>> 16) & 0xffff) + identification
      view.setUint16(ip + 4, identification)
    }
    view.setInt32(ip + 8, third - ONE_HOP & ~0xffff | ~folded((~third & 0xffff) + headerChange) & 0xffff)
    const addressAt = outbound ? ip + 12 : ip + 16, portAt = outbound ? transport : transport + 2
    view.setInt32(addressAt, address)
    view.setUint16(portAt, port)
    const checksumAt = isTcp ? transport + TCP_CHECKSUM : transport + UDP_CHECKSUM, checksum = view.getUint16(checksumAt)
    // What a partial checksum covers is in wire/checksum.ts. A UDP checksum of zero means none, and a computed zero is written 0xffff (RFC 768).
    if (partial) view.setUint16(checksumAt, folded(checksum + addressChange))
    else if (isTcp || checksum !== 0) {
      const changed = ~folded((~checksum & 0xffff) + addressChange + portChange) & 0xffff
      const written = !isTcp && changed === 0 ? 0xffff : changed
      view.setUint16(checksumAt, written)
    }
    view.setInt32(start, neighbours.highOf(neighbour))
    view.setInt32(start + 4, neighbours.lowOf(neighbour) << 16 | direction.outHigh)
    view.setInt32(start + 8, direction.outLow)
    this.forwarded++
    return true
  }

  /** The last frame, which `forward` did not, is to be refused, for the table's `failure`. True once for each. */
  takeRefusal(): boolean { return this.#firstPackets.takeRefusal() }

  /**
   * Reads what `forward` will look the frames of a batch up by, so that it is in the processor's cache then. One by one, each
   * would wait for memory twice; here the waits overlap, which makes it twice as fast with a million flows. Frames begin at
   * `starts[first]` to `starts[end - 1]`, FORESEEN of them at most.
   */
  foresee(bytes: Uint8Array, starts: Int32Array, first: number, end: number, from: Side): void {
    const outbound = from === 'lan', { index } = outbound ? this.#lan : this.#wan, { slots } = index
    if (slots.length < WORTH_FORESEEING) return
    const view = bytes === this.#bytes ? this.#view : this.#look(bytes), last = view.byteLength - SHORTEST, mask = slots.length - 1
    const hashes = this.#foreseen, chunks = this.#chunks, frames = Math.min(end - first, FORESEEN)
    let seen = 0
    for (let i = 0; i < frames; i++) {
      const start = starts[first + i]
      if (start > last) continue
      const ip = start + IP, source = view.getInt32(ip + 12), destination = view.getInt32(ip + 16), ports = view.getInt32(start + TRANSPORT)
      const code = view.getUint8(ip + 9) === TCP ? TCP_CODE : UDP_CODE
      const hash = outbound ? flowHash(source, destination, ports, code) : flowHash(destination, source, ports << 16 | ports >>> 16, code)
      hashes[i] = hash
      seen ^= slots[hash & mask]
    }
    for (let i = 0; i < frames; i++) {
      const hash = hashes[i]
      let at = hash & mask, slot = slots[at]
      while (slot !== 0 && (slot ^ hash) >>> ROW_SHIFT !== 0) {
        at = at + 1 & mask
        slot = slots[at]
      }
      const row = (slot & ROW_NUMBER) - 1
      if (row < 0) continue
      const fields = chunks[row >>> CHUNK_SHIFT], place = (row & WITHIN_CHUNK) << 3
      // Half of the rows lie in two lines of the cache.
      seen ^= fields[place] ^ fields[place + 7]
    }
    // Reads whose result nobody has are none.
    this.seen = seen
  }

  #look(bytes: Uint8Array): DataView {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#view
  }
}

function directionOf(sides: Readonly<Record<Side, SideFacts>>, nextHops: NextHops, index: FlowIndex, from: Side): Direction {
  const outbound = from === 'lan', to = outbound ? 'wan' : 'lan'
  const arrives = macView(sides[from]), leaves = macView(sides[to])
  return {
    index, neighbours: nextHops.neighbours(to), mtu: sides[to].mtu, inHigh: arrives.getInt32(0), inLow: arrives.getUint16(4), outHigh: leaves.getUint16(0), outLow: leaves.getInt32(2),
  }
}

const macView = ({ mac }: SideFacts): DataView => new DataView(mac.buffer, mac.byteOffset, mac.byteLength)
