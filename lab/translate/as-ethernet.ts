// The router's cable is Ethernet without tags; a capture's need not be. IPv4 packets of other links get an Ethernet header.
import { decodeLink, LINK_TYPE } from '../../captures/link-layer.js'
import type { InterfacePacket } from '../../captures/pcapng/format.js'
import { parseMac } from '../../napt/wire/address.js'
import * as ethernet from '../../napt/wire/ethernet.js'

/** Where a link has no addresses of its own, all stations look alike. */
const ANYBODY = parseMac('02:00:00:00:00:02'), ROUTER = parseMac('02:00:00:00:00:01')

/** The packet itself where it is an untagged Ethernet frame already, or holds no IPv4. */
export function asEthernet(packet: InterfacePacket): InterfacePacket {
  const { bytes, originalLength, interface: { linkType } } = packet, isEthernet = linkType === LINK_TYPE.ethernet
  if (isEthernet && (bytes.length < ethernet.HEADER || ethernet.type(bytes, 0) === ethernet.TYPE.ipv4 || ethernet.type(bytes, 0) === ethernet.TYPE.arp)) return packet
  const { type, at } = decodeLink(bytes, linkType)
  if (type !== ethernet.TYPE.ipv4) return packet
  const frame = new Uint8Array(ethernet.HEADER + bytes.length - at)
  ethernet.setAddresses(frame, 0, isEthernet ? ethernet.destination(bytes, 0) : ROUTER, isEthernet ? ethernet.source(bytes, 0) : ANYBODY)
  ethernet.setType(frame, 0, ethernet.TYPE.ipv4)
  frame.set(bytes.subarray(at), ethernet.HEADER)
  return { ...packet, bytes: frame, originalLength: originalLength - at + ethernet.HEADER, interface: { ...packet.interface, linkType: LINK_TYPE.ethernet } }
}
