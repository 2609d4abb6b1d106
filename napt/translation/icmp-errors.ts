// ICMP errors: those that pass through, whose quoted packet has to be translated too ("inside out"), and those that the router
// sends itself (RFC 5508 §4, RFC 1812 §4.3.2).
import { PROTOCOL_CODE, type ProtocolCode } from '../table/flow-index.js'
import type { NaptTable } from '../table/napt-table.js'
import type { DropReason, Side } from '../verdict.js'
import type { Packet } from '../packet.js'
import { protocolCode } from './translator.js'
import { read16, write16 } from '../wire/bytes.js'
import { checksum, update16, update32 } from '../wire/checksum.js'
import * as ethernet from '../wire/ethernet.js'
import * as icmp from '../wire/icmp.js'
import * as ipv4 from '../wire/ipv4.js'
import * as tcp from '../wire/tcp.js'
import * as udp from '../wire/udp.js'
import { isHostAddress, type Ipv4Address, type MacAddress } from '../wire/address.js'

const NONE = -1
/** Bytes of the transport header that every error quotes at least (RFC 792): the ports, or an ICMP query's identifier. */
const QUOTED_TRANSPORT = 8

export class IcmpErrorTranslator {
  readonly #table: NaptTable
  /** The session of the host that the error comes from, and of the one that it is for, as far as they are in the LAN. */
  #out = NONE
  #in = NONE

  constructor(table: NaptTable) {
    this.#table = table
  }

  /** For an error from the LAN, about a packet that went in. Null, or why it may not pass. An error refreshes no timer (RFC 5508 REQ-6). */
  decideOutbound(packet: Packet, now: number): DropReason | null {
    this.#in = NONE
    const defect = checkError(packet)
    if (defect !== null) return defect
    this.#out = this.#find('lan', packet, now)
    return this.#out < 0 ? 'no-mapping' : null
  }

  /** For an error from the WAN, about a packet that went out. Likewise. */
  decideInbound(packet: Packet, now: number): DropReason | null {
    this.#out = NONE
    const defect = checkError(packet)
    if (defect !== null) return defect
    this.#in = this.#find('wan', packet, now)
    return this.#in < 0 ? 'no-mapping' : null
  }

  /** For an error from the LAN about a packet of another LAN host, which came by hairpinning (RFC 5508 REQ-7). */
  decideHairpin(packet: Packet, now: number): DropReason | null {
    const refusal = this.decideOutbound(packet, now)
    if (refusal !== null) return refusal
    const { bytes, transport: error } = packet, quoted = icmp.quoted(error), transport = quoted + ipv4.headerLength(bytes, quoted)
    const code = protocolCode(ipv4.protocol(bytes, quoted)), remotePort = this.#table.wanPort(this.#out)
    const hasPorts = code === PROTOCOL_CODE.tcp || code === PROTOCOL_CODE.udp
    // The quoted packet's source is the other host's WAN endpoint already; a query's identifier is one for both.
    const ownPort = hasPorts ? read16(bytes, transport) : remotePort
    this.#in = this.#table.peek('wan', code, ipv4.source(bytes, quoted), ownPort, this.#table.wanAddress(this.#out), hasPorts ? remotePort : 0, now)
    return this.#in < 0 ? 'no-mapping' : null
  }

  /** The LAN host that the decided error is for. */
  get lanAddress(): Ipv4Address { return this.#table.lanAddress(this.#in) }

  /** Rewrites the error's own header and the packet it quotes, with all checksums. */
  rewrite(packet: Packet): void {
    const { bytes, ip, transport: error, ipEnd } = packet
    if (this.#out !== NONE) {
      const address = this.#table.wanAddress(this.#out)
      rewriteQuoted(bytes, icmp.quoted(error), ipEnd, true, address, this.#table.wanPort(this.#out))
      ipv4.setSource(bytes, ip, this.#table.errorSource(ipv4.source(bytes, ip), address))
    }
    if (this.#in !== NONE) {
      const address = this.#table.lanAddress(this.#in)
      rewriteQuoted(bytes, icmp.quoted(error), ipEnd, false, address, this.#table.lanPort(this.#in))
      ipv4.setDestination(bytes, ip, address)
    }
    icmp.writeChecksum(bytes, error, ipEnd)
  }

  /** The session of the quoted packet, which travelled the other way: what was its source is on the far side of this error. */
  #find(side: Side, packet: Packet, now: number): number {
    const { code, ownAddress, ownPort, remoteAddress, remotePort } = quotedEnds(packet, side === 'lan')
    return this.#table.peek(side, code, ownAddress, ownPort, remoteAddress, remotePort, now)
  }
}

export interface QuotedEnds {
  readonly code: ProtocolCode
  readonly ownAddress: Ipv4Address
  readonly ownPort: number
  readonly remoteAddress: Ipv4Address
  readonly remotePort: number
}

/** The ends of the packet that a checked error quotes; the one that it was sent to is `own` where the error goes `outbound`. */
export function quotedEnds({ bytes, transport: error }: Packet, outbound: boolean): QuotedEnds {
  const quoted = icmp.quoted(error), transport = quoted + ipv4.headerLength(bytes, quoted)
  const protocol = ipv4.protocol(bytes, quoted), code = protocolCode(protocol)
  const hasPorts = code === PROTOCOL_CODE.tcp || code === PROTOCOL_CODE.udp
  return {
    code,
    ownAddress: outbound ? ipv4.destination(bytes, quoted) : ipv4.source(bytes, quoted),
    remoteAddress: outbound ? ipv4.source(bytes, quoted) : ipv4.destination(bytes, quoted),
    ownPort: hasPorts ? read16(bytes, transport + (outbound ? 2 : 0)) : code === PROTOCOL_CODE.icmp ? icmp.identifier(bytes, transport) : protocol,
    remotePort: hasPorts ? read16(bytes, transport + (outbound ? 0 : 2)) : 0,
  }
}

/** What is wrong with an error or with the packet it quotes, or null. */
export function checkError({ bytes, transport: error, ipEnd }: Packet): DropReason | null {
  if (!icmp.checksumHolds(bytes, error, ipEnd)) return 'checksum'
  const quoted = icmp.quoted(error)
  if (ipEnd - quoted < ipv4.MINIMUM_HEADER) return 'truncated'
  const transport = quoted + ipv4.headerLength(bytes, quoted)
  if (bytes[quoted] >>> 4 !== 4 || transport < quoted + ipv4.MINIMUM_HEADER) return 'malformed'
  if (ipEnd - transport < QUOTED_TRANSPORT) return 'truncated'
  // RFC 5508 REQ-3: an error whose quoted header does not hold is not passed on.
  if (checksum(bytes, quoted, transport) !== 0) return 'checksum'
  return ipv4.fragmentOffset(bytes, quoted) === 0 ? null : 'fragment'
}

/** The quoted transport checksum is adjusted where it is quoted at all (RFC 5508 REQ-3 c); a UDP checksum of 0 stays. */
export function rewriteQuoted(bytes: Uint8Array, quoted: number, end: number, outbound: boolean, address: Ipv4Address, port: number): void {
  const transport = quoted + ipv4.headerLength(bytes, quoted), protocol = ipv4.protocol(bytes, quoted)
  const before = outbound ? ipv4.destination(bytes, quoted) : ipv4.source(bytes, quoted)
  const hasPorts = protocol === ipv4.PROTOCOL.tcp || protocol === ipv4.PROTOCOL.udp
  if (hasPorts || protocol === ipv4.PROTOCOL.icmp) {
    const portAt = hasPorts ? transport + (outbound ? 2 : 0) : transport + 4
    const checksumAt = transport + (protocol === ipv4.PROTOCOL.tcp ? tcp.CHECKSUM : protocol === ipv4.PROTOCOL.udp ? udp.CHECKSUM : icmp.CHECKSUM)
    if (checksumAt + 2 <= end && !(protocol === ipv4.PROTOCOL.udp && read16(bytes, checksumAt) === 0)) {
      update16(bytes, checksumAt, read16(bytes, portAt), port)
      if (hasPorts) update32(bytes, checksumAt, before, address)
      // As on the wire, a computed zero is written 0xffff (RFC 768).
      if (protocol === ipv4.PROTOCOL.udp && read16(bytes, checksumAt) === 0) write16(bytes, checksumAt, 0xffff)
    }
    write16(bytes, portAt, port)
  }
  if (outbound) ipv4.setDestination(bytes, quoted, address)
  else ipv4.setSource(bytes, quoted, address)
}

/**
 * True when RFC 1812 §4.3.2.7 forbids an ICMP error about this packet: it is itself one, a fragment that is not the first,
 * or was sent to or from an address that is not one host's.
 */
export function mustStaySilentAbout({ bytes, frame, ip, ipEnd, transport, protocol }: Packet): boolean {
  if (ethernet.isMulticast(bytes, frame) || ipv4.fragmentOffset(bytes, ip) !== 0) return true
  if (!isHostAddress(ipv4.source(bytes, ip))) return true
  return protocol === ipv4.PROTOCOL.icmp && (icmp.check(transport, ipEnd) !== null || !icmp.isQuery(icmp.type(bytes, transport)))
}

/** As much of the offending packet as keeps the error within 576 bytes (RFC 1812 §4.3.2.3). */
const QUOTE_LIMIT = 576 - ipv4.MINIMUM_HEADER - icmp.HEADER

export interface IcmpError {
  readonly type: number
  readonly code: number
  /** With "fragmentation needed": the bytes of IP that the next cable takes (RFC 1191 §4). */
  readonly nextHopMtu?: number
}

/** Writes an ICMP error about `packet` at the beginning of `to` and returns the frame's length. */
export function writeIcmpError(to: Uint8Array, packet: Packet, error: IcmpError, from: { mac: MacAddress, address: Ipv4Address }): number {
  const ip = ethernet.HEADER, header = ip + ipv4.MINIMUM_HEADER, body = header + icmp.HEADER
  const quote = packet.bytes.subarray(packet.ip, Math.min(packet.ipEnd, packet.ip + QUOTE_LIMIT))
  to.set(quote, body)
  const end = body + quote.length
  ethernet.setAddresses(to, 0, ethernet.source(packet.bytes, packet.frame), from.mac)
  ethernet.setType(to, 0, ethernet.TYPE.ipv4)
  // The MTU stands where a query has its sequence number.
  icmp.writeHeader(to, header, end, { type: error.type, code: error.code, sequence: error.nextHopMtu ?? 0 })
  ipv4.writeHeader(to, ip, {
    source: from.address, destination: ipv4.source(packet.bytes, packet.ip), protocol: ipv4.PROTOCOL.icmp, totalLength: end - ip,
    // RFC 5508 §7.7: the diffserv class of the packet that it is about, without its congestion bits.
    typeOfService: ipv4.typeOfService(packet.bytes, packet.ip) & 0xfc,
  })
  return end
}
