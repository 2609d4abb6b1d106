// The RST that answers a segment which belongs to no connection (RFC 9293 §3.10.7.1), sent in the name of the addressed endpoint.
import type { Packet } from '../packet.js'
import * as ethernet from '../wire/ethernet.js'
import * as ipv4 from '../wire/ipv4.js'
import * as tcp from '../wire/tcp.js'
import type { MacAddress } from '../wire/address.js'

/**
 * Writes the answer to the TCP segment in `packet`, whose header has been checked, at the beginning of `to` and returns the
 * frame's length. A segment that is itself a RST must not be answered; the caller has seen that it is none.
 */
export function writeReset(to: Uint8Array, packet: Packet, from: { mac: MacAddress }): number {
  const { bytes, frame, ip, transport, ipEnd } = packet
  const header = ethernet.HEADER + ipv4.MINIMUM_HEADER, end = header + tcp.MINIMUM_HEADER
  ethernet.setAddresses(to, 0, ethernet.source(bytes, frame), from.mac)
  ethernet.setType(to, 0, ethernet.TYPE.ipv4)
  ipv4.writeHeader(to, ethernet.HEADER, {
    source: ipv4.destination(bytes, ip), destination: ipv4.source(bytes, ip), protocol: ipv4.PROTOCOL.tcp, totalLength: end - ethernet.HEADER,
  })
  const ends = { source: tcp.destinationPort(bytes, transport), destination: tcp.sourcePort(bytes, transport), window: 0 }
  // What acknowledges gets the number it expects; anything else an acknowledgement of all it holds, by which its sender knows it.
  const reset = (tcp.flags(bytes, transport) & tcp.FLAG.ack) !== 0
    ? { flags: tcp.FLAG.rst, sequence: tcp.acknowledgement(bytes, transport) }
    : { flags: tcp.FLAG.rst | tcp.FLAG.ack, sequence: 0, acknowledgement: tcp.sequence(bytes, transport) + tcp.segmentLength(bytes, transport, ipEnd) }
  tcp.writeHeader(to, ethernet.HEADER, header, end, { ...ends, ...reset })
  return end
}
