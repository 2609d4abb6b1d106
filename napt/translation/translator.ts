// Forward conversion S22 and backward conversion S26 (Figs. 10–12): which session a packet belongs to, and its rewriting in
// place with every checksum kept right. The two are apart, because the router looks for the next hop in between.
//
// A packet that turns back into the LAN (hairpinning, RFC 4787 §6) is both: it goes out by the sender's session and comes in
// by that of the host it is for.
import type { Hairpinning } from '../behaviour/behaviour.js'
import type { NaptTable } from '../table/napt-table.js'
import { PROTOCOL_CODE, type ProtocolCode } from '../table/flow-index.js'
import type { DropReason } from '../verdict.js'
import { read16, readInt32, write16 } from '../wire/bytes.js'
import { update16, update32, updatePartial32 } from '../wire/checksum.js'
import * as icmp from '../wire/icmp.js'
import * as ipv4 from '../wire/ipv4.js'
import * as tcp from '../wire/tcp.js'
import * as udp from '../wire/udp.js'
import type { Ipv4Address } from '../wire/address.js'
import type { Packet } from '../packet.js'

const NONE = -1

export class Translator {
  readonly #table: NaptTable
  /** The sender's session and the receiver's, as far as the decided packet has them in the LAN. */
  #out = NONE
  #in = NONE

  constructor(table: NaptTable) {
    this.#table = table
  }

  /** S22, first half: finds or makes the session of a packet from the LAN. Null, or why it may not pass. */
  decideOutbound(packet: Packet, now: number): DropReason | null {
    const { bytes, ip, transport } = packet
    const code = protocolCode(packet.protocol)
    this.#in = NONE
    if (code === PROTOCOL_CODE.icmp && !icmp.isQueryRequest(icmp.type(bytes, transport))) {
      // A reply goes out only where a request came in.
      if (!icmp.isQuery(icmp.type(bytes, transport))) return 'icmp-type'
      this.#out = this.#table.peek('lan', code, ipv4.source(bytes, ip), icmp.identifier(bytes, transport), ipv4.destination(bytes, ip), 0, now)
      return this.#out < 0 ? 'no-mapping' : null
    }
    this.#out = this.#table.outbound(code, ipv4.source(bytes, ip), ownPort(packet, true), ipv4.destination(bytes, ip), remotePort(packet, true), flagsOf(packet), now)
    return this.#out < 0 ? this.#table.failure : null
  }

  /** S26, first half: finds the session of a packet from the WAN. Null, or why it may not pass. */
  decideInbound(packet: Packet, now: number): DropReason | null {
    const { bytes, ip, transport } = packet
    const code = protocolCode(packet.protocol)
    this.#out = NONE
    if (code === PROTOCOL_CODE.icmp && !icmp.isQuery(icmp.type(bytes, transport))) return 'icmp-type'
    this.#in = this.#table.inbound(code, ipv4.destination(bytes, ip), ownPort(packet, false), ipv4.source(bytes, ip), remotePort(packet, false), flagsOf(packet), false, now)
    return this.#in < 0 ? this.#table.failure : null
  }

  /** As `decideInbound`, for a packet that goes no further: it opens, refreshes and closes nothing. */
  admitsInbound(packet: Packet, now: number): DropReason | null {
    const { bytes, ip, transport } = packet
    const code = protocolCode(packet.protocol)
    if (code === PROTOCOL_CODE.icmp && !icmp.isQuery(icmp.type(bytes, transport))) return 'icmp-type'
    const admitted = this.#table.admits(code, ipv4.destination(bytes, ip), ownPort(packet, false), ipv4.source(bytes, ip), remotePort(packet, false), flagsOf(packet), now)
    return admitted ? null : this.#table.failure
  }

  /**
   * Both halves' first, for a packet from the LAN to a WAN address of the router (RFC 4787 REQ-9). `isExempt`: the filter of
   * the host it is for does not count. Null, or why it may not pass.
   */
  decideHairpin(packet: Packet, mode: Exclude<Hairpinning, 'off'>, isExempt: boolean, now: number): DropReason | null {
    const { bytes, ip } = packet, code = protocolCode(packet.protocol), isQuery = code === PROTOCOL_CODE.icmp
    let address: number = ipv4.source(bytes, ip), port: number = ownPort(packet, true)
    this.#out = NONE
    if (mode === 'external-source') {
      const refusal = this.decideOutbound(packet, now)
      if (refusal !== null) return refusal
      address = this.#table.wanAddress(this.#out)
      port = this.#table.wanPort(this.#out)
    } else if (isQuery && !icmp.isQuery(icmp.type(bytes, packet.transport))) {
      return 'icmp-type'
    }
    // A query's identifier is the only port there is, and a protocol without ports keeps its number.
    const target = isQuery ? port : code === PROTOCOL_CODE.other ? packet.protocol : remotePort(packet, true)
    const remote = isQuery || code === PROTOCOL_CODE.other ? 0 : port
    this.#in = this.#table.inbound(code, ipv4.destination(bytes, ip), target, address, remote, flagsOf(packet), isExempt, now)
    return this.#in < 0 ? this.#table.failure : null
  }

  /** The LAN host that the decided packet is for. */
  get lanAddress(): Ipv4Address { return this.#table.lanAddress(this.#in) }

  /** Second half of S22, S26 or both: addresses and ports become those of the decided sessions. */
  rewrite(packet: Packet): void {
    if (this.#out !== NONE) {
      replacePort(packet, true, this.#table.wanPort(this.#out))
      replaceAddress(packet, true, this.#table.wanAddress(this.#out))
    }
    if (this.#in !== NONE) {
      replacePort(packet, false, this.#table.lanPort(this.#in))
      replaceAddress(packet, false, this.#table.lanAddress(this.#in))
    }
  }
}

export function protocolCode(protocol: number): ProtocolCode {
  switch (protocol) {
    case ipv4.PROTOCOL.tcp: return PROTOCOL_CODE.tcp
    case ipv4.PROTOCOL.udp: return PROTOCOL_CODE.udp
    case ipv4.PROTOCOL.icmp: return PROTOCOL_CODE.icmp
    default: return PROTOCOL_CODE.other
  }
}

// TCP and UDP keep their ports in the same place.
const portAt = (packet: Packet, source: boolean): number => packet.transport + (source ? 0 : 2)

function ownPort(packet: Packet, outbound: boolean): number {
  if (packet.hasPorts) return read16(packet.bytes, portAt(packet, outbound))
  return packet.protocol === ipv4.PROTOCOL.icmp ? icmp.identifier(packet.bytes, packet.transport) : packet.protocol
}

const remotePort = (packet: Packet, outbound: boolean): number => packet.hasPorts ? read16(packet.bytes, portAt(packet, !outbound)) : 0

const flagsOf = (packet: Packet): number => packet.protocol === ipv4.PROTOCOL.tcp ? tcp.flags(packet.bytes, packet.transport) : 0

/** Source or destination port, or an ICMP query's identifier, with the transport checksum. */
export function replacePort(packet: Packet, source: boolean, port: number): void {
  const { bytes, transport } = packet
  if (packet.protocol === ipv4.PROTOCOL.icmp) {
    update16(bytes, transport + icmp.CHECKSUM, icmp.identifier(bytes, transport), port)
    write16(bytes, transport + 4, port)
  } else if (packet.hasPorts) {
    const at = portAt(packet, source)
    const checksumAt = transportChecksumAt(packet)
    if (checksumAt >= 0 && !packet.partial) {
      update16(bytes, checksumAt, read16(bytes, at), port)
      keepUdpChecksumPresent(packet, checksumAt)
    }
    write16(bytes, at, port)
  }
}

/** Source or destination address, with the checksums that cover it. */
export function replaceAddress(packet: Packet, source: boolean, address: Ipv4Address): void {
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

/** UDP-Lite (RFC 3828) and DCCP (RFC 4340) cover the addresses too, in the place where UDP does. */
const PSEUDO_HEADER_LIKE_UDP = [33, 136]

/** Where the transport checksum that covers the addresses is, or -1: ICMP covers none, and a UDP checksum of 0 means none (RFC 768). */
function transportChecksumAt(packet: Packet): number {
  switch (packet.protocol) {
    case ipv4.PROTOCOL.tcp: return packet.transport + tcp.CHECKSUM
    case ipv4.PROTOCOL.udp: return packet.partial || udp.checksum(packet.bytes, packet.transport) !== 0 ? packet.transport + udp.CHECKSUM : -1
    case ipv4.PROTOCOL.icmp: return -1
    default: return PSEUDO_HEADER_LIKE_UDP.includes(packet.protocol) && packet.ipEnd - packet.transport >= udp.HEADER ? packet.transport + udp.CHECKSUM : -1
  }
}

/** A computed UDP checksum of zero travels as 0xffff, so that it does not read as "none" (RFC 768; RFC 3022 §4.1). */
function keepUdpChecksumPresent(packet: Packet, checksumAt: number): void {
  if (packet.protocol === ipv4.PROTOCOL.udp && read16(packet.bytes, checksumAt) === 0) write16(packet.bytes, checksumAt, 0xffff)
}
