// S26 the other way round: a packet as a host of the LAN received it becomes again what must have come from the WAN for it to be
// so. A capture of the LAN alone holds the answers in no other form, and they are to pass the NAT like any packet.
import type { Packet } from '../packet.js'
import type { NaptTable } from '../table/napt-table.js'
import type { Ipv4Address } from '../wire/address.js'
import { read16 } from '../wire/bytes.js'
import { update16 } from '../wire/checksum.js'
import * as icmp from '../wire/icmp.js'
import * as ipv4 from '../wire/ipv4.js'
import { checkError, quotedEnds, rewriteQuoted } from './icmp-errors.js'
import { protocolCode, replaceAddress, replacePort } from './translator.js'

/**
 * Rewrites a parsed packet in place, all checksums kept as right as they were. A packet that no mapping leads to is addressed to
 * `wanAddress`, with its port as it is: there the router says what becomes of it.
 */
export function turnBack(packet: Packet, table: NaptTable, wanAddress: Ipv4Address): void {
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
