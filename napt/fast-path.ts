// The short way for a packet about which nothing is to be decided (as Linux's flowtable): UDP, or TCP under way, of a session by
// which the router has let packets of this direction pass, to a next hop that is known. It knows no rules: what it does not
// recognise goes the router's whole way, which also settles sessions, and what comes out is the same to the bit. It reads a frame
// by words and changes each checksum once; at 1,000 flows that is a tenth of the whole way's time (docs/performance.md).
import type { IdentificationCounter } from './translation/identification.js'
import type { NextHops } from './next-hops.js'
import type { NaptTable } from './table/napt-table.js'
import { PROTOCOL_CODE } from './table/flow-index.js'
import type { SideFacts } from './side-facts.js'
import type { Side } from './verdict.js'
import type { Ipv4Address, MacAddress } from './wire/address.js'
import * as ethernet from './wire/ethernet.js'
import * as ipv4 from './wire/ipv4.js'
import * as tcp from './wire/tcp.js'
import * as udp from './wire/udp.js'

// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const NONE = -1
const IP = ethernet.HEADER, IPV4_HEADER = ipv4.MINIMUM_HEADER, TCP_HEADER = tcp.MINIMUM_HEADER, UDP_HEADER = udp.HEADER
const TYPE_IPV4 = ethernet.TYPE.ipv4, TCP = ipv4.PROTOCOL.tcp, UDP = ipv4.PROTOCOL.udp
const TCP_CODE = PROTOCOL_CODE.tcp, UDP_CODE = PROTOCOL_CODE.udp
const TCP_CHECKSUM = tcp.CHECKSUM, UDP_CHECKSUM = udp.CHECKSUM
const TRANSPORT = IP + IPV4_HEADER
const SHORTEST = TRANSPORT + UDP_HEADER
/** Version 4 and a header of five words. */
const PLAIN_HEADER = 0x45
const ONE_HOP = 1 << 24
/** RFC 1624: ~m + m' of the word whose high byte is the time to live, which gets one less. */
const HOP_TAKEN = 0xffff - 0x100
const DONT_FRAGMENT = 0x4000, FRAGMENT = 0x3fff

/** One direction: the interface where frames come in, and the one where they leave. */
interface Direction {
  readonly outbound: boolean
  readonly to: Side
  /** Bytes of IP that the next cable takes. */
  readonly mtu: number
  /** The MAC addresses of both interfaces as numbers: four bytes and two, two and four. */
  readonly inHigh: number
  readonly inLow: number
  readonly outHigh: number
  readonly outLow: number
}

export class FastPath {
  readonly #table: NaptTable
  readonly #identifications: IdentificationCounter
  readonly #nextHops: NextHops
  readonly #lan: Direction
  readonly #wan: Direction
  /** The memory that the last frame was in; a device's frames are always in the same. */
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** Frames that it forwarded. */
  forwarded = 0

  constructor(sides: Readonly<Record<Side, SideFacts>>, table: NaptTable, identifications: IdentificationCounter, nextHops: NextHops) {
    this.#table = table
    this.#identifications = identifications
    this.#nextHops = nextHops
    this.#lan = directionOf(sides, 'lan')
    this.#wan = directionOf(sides, 'wan')
  }

  /**
   * Forwards the frame `bytes[start, end)` to the other side, rewritten in place, or returns false and has changed nothing. The
   * arguments are those of `Router.process`.
   */
  forward(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, now: number, segment: number): boolean {
    if (end - start < SHORTEST) return false
    const view = bytes === this.#bytes ? this.#view : this.#look(bytes)
    const direction = from === 'lan' ? this.#lan : this.#wan, { outbound } = direction
    if (view.getInt32(start) !== direction.inHigh || view.getUint16(start + 4) !== direction.inLow || view.getUint16(start + 12) !== TYPE_IPV4) return false

    const ip = start + IP, transport = start + TRANSPORT
    const first = view.getInt32(ip), second = view.getInt32(ip + 4), third = view.getInt32(ip + 8)
    const source = view.getInt32(ip + 12), destination = view.getInt32(ip + 16), length = first & 0xffff, ipEnd = ip + length
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

    const table = this.#table, code = isTcp ? TCP_CODE : UDP_CODE, ports = view.getInt32(transport)
    const session = table.findSettled(outbound, code, outbound ? source : destination, outbound ? destination : source, outbound ? ports : ports << 16 | ports >>> 16, flags, now)
    if (session === NONE) return false
    if ((segment === 0 ? length : Math.min(IPV4_HEADER + header + segment, length)) > direction.mtu) return false
    const address = table.settledAddress, port = table.settledPort
    const mac = this.#nextHops.find(direction.to, outbound ? destination as Ipv4Address : address, now)
    if (mac === null) return false
    table.pass(session, outbound, code, now)

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
    view.setInt32(ip + (outbound ? 12 : 16), address)
    view.setUint16(transport + (outbound ? 0 : 2), port)
    const checksumAt = transport + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM), checksum = view.getUint16(checksumAt)
    // What a partial checksum covers is in wire/checksum.ts. A UDP checksum of zero means none, and a computed zero is written 0xffff (RFC 768).
    if (partial) view.setUint16(checksumAt, folded(checksum + addressChange))
    else if (isTcp || checksum !== 0) {
      const changed = ~folded((~checksum & 0xffff) + addressChange + portChange) & 0xffff
      view.setUint16(checksumAt, !isTcp && changed === 0 ? 0xffff : changed)
    }
    setAddresses(view, start, mac, direction)
    this.forwarded++
    return true
  }

  #look(bytes: Uint8Array): DataView {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#view
  }
}

/** The sum of the two 16-bit words of a 32-bit one. */
export const halves = (word: number): number => (word >>> 16) + (word & 0xffff)

/** The one's complement sum in 16 bits, of up to 2^16 words' sum. */
export function folded(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

function setAddresses(view: DataView, frame: number, to: MacAddress, { outHigh, outLow }: Direction): void {
  view.setInt32(frame, to[0] << 24 | to[1] << 16 | to[2] << 8 | to[3])
  view.setInt32(frame + 4, to[4] << 24 | to[5] << 16 | outHigh)
  view.setInt32(frame + 8, outLow)
}

function directionOf(sides: Readonly<Record<Side, SideFacts>>, from: Side): Direction {
  const outbound = from === 'lan', to = outbound ? 'wan' : 'lan'
  const arrives = macView(sides[from]), leaves = macView(sides[to])
  return {
    outbound, to, mtu: sides[to].mtu, inHigh: arrives.getInt32(0), inLow: arrives.getUint16(4), outHigh: leaves.getUint16(0), outLow: leaves.getInt32(2),
  }
}

const macView = ({ mac }: SideFacts): DataView => new DataView(mac.buffer, mac.byteOffset, mac.byteLength)
