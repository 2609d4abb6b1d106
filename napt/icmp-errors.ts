// ICMP errors: those that pass through, whose quoted packet has to be translated too ("inside out"), and those that the router
// sends itself (RFC 5508 §4, RFC 1812 §4.3.2).
import type { NaptTable } from './table/napt-table.js'
import type { DropReason } from './verdict.js'
import type { Packet } from './packet.js'
import { protocolCode } from './translator.js'
import { read16, write16 } from './wire/bytes.js'
import { checksum, update16, update32 } from './wire/checksum.js'
import * as ethernet from './wire/ethernet.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import * as tcp from './wire/tcp.js'
import * as udp from './wire/udp.js'
import { isHostAddress, type Ipv4Address, type MacAddress } from './wire/address.js'

/** Bytes of the transport header that every error quotes at least (RFC 792): the ports, or an ICMP query's identifier. */
const QUOTED_TRANSPORT = 8

export class IcmpErrorTranslator {
  readonly #table: NaptTable
  #session = -1

  constructor(table: NaptTable) {
    this.#table = table
  }

  /**
   * Finds the session of the packet that an ICMP error quotes; `outbound` says that the error comes from the LAN, and so
   * quotes a packet that went in. Null, or why it may not pass. An error refreshes no timer (RFC 5508 REQ-7).
   */
  decide(packet: Packet, outbound: boolean, now: number): DropReason | null {
    const { bytes, transport: error, ipEnd } = packet
    if (!icmp.checksumHolds(bytes, error, ipEnd)) return 'checksum'
    const quoted = icmp.quoted(error)
    if (ipEnd - quoted < ipv4.MINIMUM_HEADER) return 'truncated'
    const transport = quoted + ipv4.headerLength(bytes, quoted)
    if (bytes[quoted] >>> 4 !== 4 || transport < quoted + ipv4.MINIMUM_HEADER) return 'malformed'
    if (ipEnd - transport < QUOTED_TRANSPORT) return 'truncated'
    // RFC 5508 REQ-3: an error whose quoted header does not hold is not passed on.
    if (checksum(bytes, quoted, transport) !== 0) return 'checksum'
    if (ipv4.fragmentOffset(bytes, quoted) !== 0) return 'fragment'
    const protocol = ipv4.protocol(bytes, quoted)
    if (protocol !== ipv4.PROTOCOL.tcp && protocol !== ipv4.PROTOCOL.udp && protocol !== ipv4.PROTOCOL.icmp) return 'protocol'
    // The quoted packet travelled the other way: what was its source is on the far side of this error.
    const ownAddress = outbound ? ipv4.destination(bytes, quoted) : ipv4.source(bytes, quoted)
    const remoteAddress = outbound ? ipv4.source(bytes, quoted) : ipv4.destination(bytes, quoted)
    const isIcmp = protocol === ipv4.PROTOCOL.icmp
    const ownPort = isIcmp ? icmp.identifier(bytes, transport) : read16(bytes, transport + (outbound ? 2 : 0))
    const remotePort = isIcmp ? 0 : read16(bytes, transport + (outbound ? 0 : 2))
    this.#session = this.#table.peek(outbound ? 'lan' : 'wan', protocolCode(protocol), ownAddress, ownPort, remoteAddress, remotePort, now)
    return this.#session < 0 ? 'no-mapping' : null
  }

  get lanAddress(): Ipv4Address { return this.#table.lanAddress(this.#session) }

  /** Rewrites the error's own header and the packet it quotes, with all checksums. */
  rewrite(packet: Packet, outbound: boolean): void {
    const { bytes, ip, transport: error, ipEnd } = packet
    const quoted = icmp.quoted(error), transport = quoted + ipv4.headerLength(bytes, quoted)
    const address = outbound ? this.#table.wanAddress(this.#session) : this.#table.lanAddress(this.#session)
    const port = outbound ? this.#table.wanPort(this.#session) : this.#table.lanPort(this.#session)
    rewriteQuoted(bytes, quoted, transport, ipEnd, outbound, address, port)
    if (outbound) ipv4.setSource(bytes, ip, address)
    else ipv4.setDestination(bytes, ip, address)
    icmp.writeChecksum(bytes, error, ipEnd)
  }
}

/** The quoted transport checksum is adjusted where it is quoted at all (RFC 5508 REQ-3 c); a UDP checksum of 0 stays. */
function rewriteQuoted(bytes: Uint8Array, quoted: number, transport: number, end: number, outbound: boolean, address: Ipv4Address, port: number): void {
  const protocol = ipv4.protocol(bytes, quoted)
  const before = outbound ? ipv4.destination(bytes, quoted) : ipv4.source(bytes, quoted)
  const portAt = protocol === ipv4.PROTOCOL.icmp ? transport + 4 : transport + (outbound ? 2 : 0)
  const checksumAt = transport + (protocol === ipv4.PROTOCOL.tcp ? tcp.CHECKSUM : protocol === ipv4.PROTOCOL.udp ? udp.CHECKSUM : icmp.CHECKSUM)
  const isQuoted = checksumAt + 2 <= end && !(protocol === ipv4.PROTOCOL.udp && read16(bytes, checksumAt) === 0)
  if (isQuoted) {
    update16(bytes, checksumAt, read16(bytes, portAt), port)
    if (protocol !== ipv4.PROTOCOL.icmp) update32(bytes, checksumAt, before, address)
    // As on the wire, a computed zero is written 0xffff (RFC 768).
    if (protocol === ipv4.PROTOCOL.udp && read16(bytes, checksumAt) === 0) write16(bytes, checksumAt, 0xffff)
  }
  write16(bytes, portAt, port)
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

/** Writes an ICMP error about `packet` at the beginning of `to` and returns the frame's length. */
export function writeIcmpError(to: Uint8Array, packet: Packet, error: { type: number, code: number }, from: { mac: MacAddress, address: Ipv4Address }): number {
  const ip = ethernet.HEADER, header = ip + ipv4.MINIMUM_HEADER, body = header + icmp.HEADER
  const quote = packet.bytes.subarray(packet.ip, Math.min(packet.ipEnd, packet.ip + QUOTE_LIMIT))
  to.set(quote, body)
  const end = body + quote.length
  ethernet.setAddresses(to, 0, ethernet.source(packet.bytes, packet.frame), from.mac)
  ethernet.setType(to, 0, ethernet.TYPE.ipv4)
  icmp.writeHeader(to, header, end, error)
  ipv4.writeHeader(to, ip, { source: from.address, destination: ipv4.source(packet.bytes, packet.ip), protocol: ipv4.PROTOCOL.icmp, totalLength: end - ip })
  return end
}
