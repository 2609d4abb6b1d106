// S26 the other way round: a packet as a host of the LAN received it becomes again what must have come from the WAN for it to be
// so. A capture of the LAN alone holds the answers in no other form, and they are to pass the NAT like any packet. Most belong to
// a session that is there, and take a short way, as the router's fast path: by words, each checksum changed once.
import { Packet } from '../packet.js'
import { PROTOCOL_CODE } from '../table/flow-index.js'
import type { NaptTable } from '../table/napt-table.js'
import type { Ipv4Address } from '../wire/address.js'
import { read16 } from '../wire/bytes.js'
import { folded, halves, update16 } from '../wire/checksum.js'
import * as ethernet from '../wire/ethernet.js'
import * as icmp from '../wire/icmp.js'
import * as ipv4 from '../wire/ipv4.js'
import * as tcp from '../wire/tcp.js'
import * as udp from '../wire/udp.js'
import { checkError, quotedEnds, rewriteQuoted } from './icmp-errors.js'
import { protocolCode, replaceAddress, replacePort } from './translator.js'

// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const NONE = -1
const IP = ethernet.HEADER, IPV4_HEADER = ipv4.MINIMUM_HEADER, TCP_HEADER = tcp.MINIMUM_HEADER, UDP_HEADER = udp.HEADER
const TCP = ipv4.PROTOCOL.tcp, UDP = ipv4.PROTOCOL.udp, TCP_CODE = PROTOCOL_CODE.tcp, UDP_CODE = PROTOCOL_CODE.udp
const TCP_CHECKSUM = tcp.CHECKSUM, UDP_CHECKSUM = udp.CHECKSUM
/** Version 4 and a header of five words. */
const PLAIN_HEADER = 0x45
const FRAGMENT = 0x3fff
const MOST_HOPS = 0xff, ONE_HOP = 1 << 24
/** RFC 1624: ~m + m' of the word whose high byte is the time to live, which gets one more. */
const HOP_ADDED = 0xffff + 0x100

export class TurnBack {
  readonly #table: NaptTable
  readonly #hasShortWay: boolean
  readonly #packet = new Packet()
  /** The memory that the last frame was in. */
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))

  /** @param shortWay false is for those who compare: what comes out is the same */
  constructor(table: NaptTable, shortWay: boolean) {
    this.#table = table
    this.#hasShortWay = shortWay
  }

  /**
   * Rewrites the IPv4 frame `bytes[start, end)` in place, all checksums kept as right as they were; one that cannot be routed stays as
   * it is. A packet that no mapping leads to is addressed to `wanAddress`, with its port as it is: there the router says what becomes of it.
   */
  turn(bytes: Uint8Array, start: number, end: number, partial: boolean, wanAddress: Ipv4Address): void {
    if (this.#hasShortWay && this.#turnKnown(bytes, start, end, partial)) return
    if (this.#packet.parse(bytes, start, end, partial) === null) turnBack(this.#packet, this.#table, wanAddress)
  }

  /** UDP or TCP of a session. False where it is anything else, and then nothing has changed. */
  #turnKnown(bytes: Uint8Array, start: number, end: number, partial: boolean): boolean {
    const ip = start + IP, transport = ip + IPV4_HEADER
    if (transport + UDP_HEADER > end) return false
    const view = bytes === this.#bytes ? this.#view : this.#look(bytes)
    const first = view.getInt32(ip), second = view.getInt32(ip + 4), third = view.getInt32(ip + 8)
    const remote = view.getInt32(ip + 12), host = view.getInt32(ip + 16), ipEnd = ip + (first & 0xffff)
    if (first >>> 24 !== PLAIN_HEADER || (second & FRAGMENT) !== 0 || ipEnd > end) return false
    if (folded(halves(first) + halves(second) + halves(third) + halves(remote) + halves(host)) !== 0xffff) return false

    const isTcp = (third >>> 16 & 0xff) === TCP
    if (isTcp) {
      if (ipEnd - transport < TCP_HEADER) return false
      const header = view.getUint8(transport + 12) >>> 4 << 2
      if (header < TCP_HEADER || header > ipEnd - transport) return false
    } else {
      if ((third >>> 16 & 0xff) !== UDP) return false
      const datagram = view.getUint16(transport + 4)
      if (datagram < UDP_HEADER || datagram > ipEnd - transport) return false
    }

    const table = this.#table, ports = view.getInt32(transport)
    const session = table.wayOut(isTcp ? TCP_CODE : UDP_CODE, host, remote, ports << 16 | ports >>> 16)
    if (session === NONE || (ports & 0xffff) === 0) return false
    const address = table.wanAddress(session), port = table.wanPort(session)
    const addressChange = halves(~host) + halves(address), portChange = (~ports & 0xffff) + port
    const isFull = third >>> 24 === MOST_HOPS, headerChange = isFull ? addressChange : addressChange + HOP_ADDED
    view.setInt32(ip + 8, (isFull ? third : third + ONE_HOP) & ~0xffff | ~folded((~third & 0xffff) + headerChange) & 0xffff)
    view.setInt32(ip + 16, address)
    view.setUint16(transport + 2, port)
    const checksumAt = transport + (isTcp ? TCP_CHECKSUM : UDP_CHECKSUM), checksum = view.getUint16(checksumAt)
    // As on the fast path: a partial checksum covers no ports, and a UDP checksum of zero is none.
    if (partial) view.setUint16(checksumAt, folded(checksum + addressChange))
    else if (isTcp || checksum !== 0) {
      const changed = ~folded((~checksum & 0xffff) + addressChange + portChange) & 0xffff
      view.setUint16(checksumAt, !isTcp && changed === 0 ? 0xffff : changed)
    }
    return true
  }

  #look(bytes: Uint8Array): DataView {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return this.#view
  }
}

/** The long way, of a parsed packet. */
function turnBack(packet: Packet, table: NaptTable, wanAddress: Ipv4Address): void {
  const { bytes, ip } = packet
  if (ipv4.fragmentOffset(bytes, ip) !== 0 || packet.checkTransport(ipv4.isFragment(bytes, ip)) !== null) ipv4.setDestination(bytes, ip, wanAddress)
  else if (packet.protocol === ipv4.PROTOCOL.icmp && icmp.isError(icmp.type(bytes, packet.transport))) turnErrorBack(packet, table, wanAddress)
  else turnPacketBack(packet, table, wanAddress)
  addHop(bytes, ip)
}

function turnPacketBack(packet: Packet, table: NaptTable, wanAddress: Ipv4Address): void {
  const { bytes, ip, transport, hasPorts } = packet
  const lanPort = hasPorts ? read16(bytes, transport + 2) : packet.protocol === ipv4.PROTOCOL.icmp ? icmp.identifier(bytes, transport) : packet.protocol
  const end = table.wayIn(protocolCode(packet.protocol), ipv4.destination(bytes, ip), lanPort, ipv4.source(bytes, ip), hasPorts ? read16(bytes, transport) : 0)
  if (end !== null) replacePort(packet, false, end.port)
  replaceAddress(packet, false, end?.address ?? wanAddress)
}

/** An ICMP error quotes the packet that it is about as the host sent it; on the WAN it looked as it left the router. */
function turnErrorBack(packet: Packet, table: NaptTable, wanAddress: Ipv4Address): void {
  const { bytes, ip, ipEnd, transport } = packet
  const ends = checkError(packet) === null ? quotedEnds(packet, false) : null
  const end = ends === null ? null : table.wayIn(ends.code, ends.ownAddress, ends.ownPort, ends.remoteAddress, ends.remotePort)
  if (end !== null) {
    rewriteQuoted(bytes, icmp.quoted(transport), ipEnd, false, end.address, end.port)
    icmp.writeChecksum(bytes, transport, ipEnd)
  }
  ipv4.setDestination(bytes, ip, end?.address ?? wanAddress)
}

const TTL = 8

/** The router is going to take one off again. */
function addHop(bytes: Uint8Array, ip: number): void {
  if (ipv4.timeToLive(bytes, ip) === 255) return
  const before = read16(bytes, ip + TTL)
  bytes[ip + TTL]++
  update16(bytes, ip + 10, before, read16(bytes, ip + TTL))
}
