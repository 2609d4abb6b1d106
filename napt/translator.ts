// Forward conversion S22 and backward conversion S26 (Figs. 10–12): which session a packet belongs to, and its rewriting in
// place with every checksum kept right. The two are apart, because the router looks for the next hop in between.
import { PROTOCOL_CODE, type ProtocolCode } from './table/flow-index.js'
import type { NaptTable } from './table/napt-table.js'
import type { DropReason } from './verdict.js'
import { read16, readInt32, write16 } from './wire/bytes.js'
import { update16, update32, updatePartial32 } from './wire/checksum.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import * as tcp from './wire/tcp.js'
import * as udp from './wire/udp.js'
import type { Ipv4Address } from './wire/address.js'
import type { Packet } from './packet.js'

export class Translator {
  readonly #table: NaptTable
  #session = -1

  constructor(table: NaptTable) {
    this.#table = table
  }

  /** S22, first half: finds or makes the session of a packet from the LAN. Null, or why it may not pass. */
  decideOutbound(packet: Packet, now: number): DropReason | null {
    const { bytes, ip, transport } = packet
    const code = protocolCode(packet.protocol)
    if (code === PROTOCOL_CODE.icmp && !icmp.isQueryRequest(icmp.type(bytes, transport))) {
      // A reply goes out only where a request came in.
      if (!icmp.isQuery(icmp.type(bytes, transport))) return 'icmp-type'
      this.#session = this.#table.peek('lan', code, ipv4.source(bytes, ip), icmp.identifier(bytes, transport), ipv4.destination(bytes, ip), 0, now)
      return this.#session < 0 ? 'no-mapping' : null
    }
    this.#session = this.#table.outbound(code, ipv4.source(bytes, ip), ownPort(packet, true), ipv4.destination(bytes, ip), remotePort(packet, true), flagsOf(packet), now)
    return this.#session < 0 ? this.#table.failure : null
  }

  /** S26, first half: finds the session of a packet from the WAN. Null, or why it may not pass. */
  decideInbound(packet: Packet, now: number): DropReason | null {
    const { bytes, ip, transport } = packet
    const code = protocolCode(packet.protocol)
    if (code === PROTOCOL_CODE.icmp && !icmp.isQuery(icmp.type(bytes, transport))) return 'icmp-type'
    this.#session = this.#table.inbound(code, ipv4.destination(bytes, ip), ownPort(packet, false), ipv4.source(bytes, ip), remotePort(packet, false), flagsOf(packet), now)
    return this.#session < 0 ? this.#table.failure : null
  }

  /** As `decideInbound`, for a packet that goes no further: it opens, refreshes and closes nothing. */
  admitsInbound(packet: Packet, now: number): DropReason | null {
    const { bytes, ip, transport } = packet
    const code = protocolCode(packet.protocol)
    if (code === PROTOCOL_CODE.icmp && !icmp.isQuery(icmp.type(bytes, transport))) return 'icmp-type'
    const admitted = this.#table.admits(code, ipv4.destination(bytes, ip), ownPort(packet, false), ipv4.source(bytes, ip), remotePort(packet, false), flagsOf(packet), now)
    return admitted ? null : this.#table.failure
  }

  /** The LAN host that the decided session belongs to. */
  get lanAddress(): Ipv4Address { return this.#table.lanAddress(this.#session) }

  /** S22, second half: source address and port become the WAN ones. */
  rewriteOutbound(packet: Packet): void {
    replacePort(packet, true, this.#table.wanPort(this.#session))
    replaceAddress(packet, true, this.#table.wanAddress(this.#session))
  }

  /** S26, second half: destination address and port become the LAN ones. */
  rewriteInbound(packet: Packet): void {
    replacePort(packet, false, this.#table.lanPort(this.#session))
    replaceAddress(packet, false, this.#table.lanAddress(this.#session))
  }
}

/** The caller has seen that the protocol is one of the three. */
export const protocolCode = (protocol: number): ProtocolCode =>
  protocol === ipv4.PROTOCOL.tcp ? PROTOCOL_CODE.tcp : protocol === ipv4.PROTOCOL.udp ? PROTOCOL_CODE.udp : PROTOCOL_CODE.icmp

// TCP and UDP keep their ports in the same place.
const portAt = (packet: Packet, source: boolean): number => packet.transport + (source ? 0 : 2)

function ownPort(packet: Packet, outbound: boolean): number {
  return packet.protocol === ipv4.PROTOCOL.icmp ? icmp.identifier(packet.bytes, packet.transport) : read16(packet.bytes, portAt(packet, outbound))
}

const remotePort = (packet: Packet, outbound: boolean): number =>
  packet.protocol === ipv4.PROTOCOL.icmp ? 0 : read16(packet.bytes, portAt(packet, !outbound))

const flagsOf = (packet: Packet): number => packet.protocol === ipv4.PROTOCOL.tcp ? tcp.flags(packet.bytes, packet.transport) : 0

function replacePort(packet: Packet, source: boolean, port: number): void {
  const { bytes, transport } = packet
  if (packet.protocol === ipv4.PROTOCOL.icmp) {
    update16(bytes, transport + icmp.CHECKSUM, icmp.identifier(bytes, transport), port)
    write16(bytes, transport + 4, port)
    return
  }
  const at = portAt(packet, source)
  const checksumAt = transportChecksumAt(packet)
  if (checksumAt >= 0 && !packet.partial) {
    update16(bytes, checksumAt, read16(bytes, at), port)
    keepUdpChecksumPresent(packet, checksumAt)
  }
  write16(bytes, at, port)
}

function replaceAddress(packet: Packet, source: boolean, address: Ipv4Address): void {
  const { bytes, ip } = packet
  const checksumAt = transportChecksumAt(packet)
  if (checksumAt >= 0) {
    const before = readInt32(bytes, ip + (source ? 12 : 16))
    if (packet.partial) updatePartial32(bytes, checksumAt, before, address)
    else {
      update32(bytes, checksumAt, before, address)
      keepUdpChecksumPresent(packet, checksumAt)
    }
  }
  if (source) ipv4.setSource(bytes, ip, address)
  else ipv4.setDestination(bytes, ip, address)
}

/** Where the transport checksum that covers the addresses is, or -1: ICMP covers none, and a UDP checksum of 0 means none (RFC 768). */
function transportChecksumAt(packet: Packet): number {
  if (packet.protocol === ipv4.PROTOCOL.tcp) return packet.transport + tcp.CHECKSUM
  if (packet.protocol !== ipv4.PROTOCOL.udp) return -1
  return packet.partial || udp.checksum(packet.bytes, packet.transport) !== 0 ? packet.transport + udp.CHECKSUM : -1
}

/** A computed UDP checksum of zero travels as 0xffff, so that it does not read as "none" (RFC 768; RFC 3022 §4.1). */
function keepUdpChecksumPresent(packet: Packet, checksumAt: number): void {
  if (packet.protocol === ipv4.PROTOCOL.udp && read16(packet.bytes, checksumAt) === 0) write16(packet.bytes, checksumAt, 0xffff)
}
