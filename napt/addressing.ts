// Which packets a router has anything to do with, by their addresses: those that belong on the side they came from (RFC 1812
// §5.3.7, §5.3.8; RFC 2827), and those that are for the router itself.
import type { Packet } from './packet.js'
import type { RouterConfig } from './router-config.js'
import type { NaptTable } from './table/napt-table.js'
import type { DropReason, Side } from './verdict.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import { isHostAddress, isInPrefix, LIMITED_BROADCAST, prefixMask, type Ipv4Address } from './wire/address.js'

export class Addressing {
  /** The router's, as it is now. */
  config: RouterConfig
  readonly #table: NaptTable
  /** The directed broadcast address of the LAN. */
  readonly #lanBroadcast: number

  constructor(config: RouterConfig, table: NaptTable) {
    this.config = config
    this.#table = table
    const { address, length } = config.lan.prefix
    // A network of one or two addresses has no broadcast address (RFC 3021 §2.2).
    this.#lanBroadcast = length >= 31 ? LIMITED_BROADCAST : address | ~prefixMask(length)
  }

  /** Why a packet is not routed, or null. Its IPv4 header has been checked. */
  check(packet: Packet, from: Side): DropReason | null {
    if (this.#isBroadcast(ipv4.destination(packet.bytes, packet.ip))) return 'broadcast'
    return from === 'lan' ? this.#checkFromLan(packet) : this.#checkFromWan(packet)
  }

  /** Whether a packet from the LAN leaves for the WAN, by its addresses: it is from a host there, and to one that is not the router. */
  leaves(source: Ipv4Address, destination: Ipv4Address): boolean {
    return this.#isFromHost(source) && !isInPrefix(destination, this.config.lan.prefix) && isHostAddress(destination) && !this.#table.hasAddress(destination)
  }

  /** Whether the packet asks the router itself for an echo, which is all it offers. */
  isEchoForRouter(packet: Packet, from: Side): boolean {
    return isEchoRequest(packet) && this.#isOwn(from, ipv4.destination(packet.bytes, packet.ip))
  }

  /** Whether the router answers ARP for an address on a side. */
  isAnsweredFor(side: Side, address: Ipv4Address): boolean {
    return side === 'lan' ? address === this.config.lan.prefix.address : this.#table.hasAddress(address)
  }

  #checkFromLan(packet: Packet): DropReason | null {
    const { bytes, ip } = packet, { prefix } = this.config.lan
    const source = ipv4.source(bytes, ip), destination = ipv4.destination(bytes, ip)
    if (!this.#isFromHost(source)) return 'not-routed'
    if (destination === prefix.address) return !ipv4.isFragment(bytes, ip) && isEchoRequest(packet) ? null : 'no-service'
    return isInPrefix(destination, prefix) || !isHostAddress(destination) ? 'not-routed' : null
  }

  #isFromHost(source: Ipv4Address): boolean {
    const { prefix } = this.config.lan
    return isInPrefix(source, prefix) && source !== prefix.address && source !== this.#lanBroadcast
  }

  #checkFromWan({ bytes, ip }: Packet): DropReason | null {
    const source = ipv4.source(bytes, ip)
    const isFromOutside = isHostAddress(source) && !this.#table.hasAddress(source) && !isInPrefix(source, this.config.lan.prefix)
    return isFromOutside && this.#table.hasAddress(ipv4.destination(bytes, ip)) ? null : 'not-routed'
  }

  #isBroadcast(destination: Ipv4Address): boolean {
    return destination === LIMITED_BROADCAST || destination >>> 28 === 0xe || destination === this.#lanBroadcast
  }

  /** An address at which the router itself answers a side: the LAN's from there, and WAN addresses that are no host's own. */
  #isOwn(from: Side, address: Ipv4Address): boolean {
    if (address === this.config.lan.prefix.address) return from === 'lan'
    if (this.#table.hostOf(address) !== 0) return false
    return address === this.config.wan.address || (this.config.nat.translation === 'ports' && this.#table.hasAddress(address))
  }
}

const isEchoRequest = ({ bytes, transport, ipEnd, protocol }: Packet): boolean =>
  protocol === ipv4.PROTOCOL.icmp && icmp.check(transport, ipEnd) === null && icmp.type(bytes, transport) === icmp.TYPE.echo
