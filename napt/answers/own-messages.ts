// What the router says itself, in frames of its own: echo replies, ICMP errors, resets, ARP. Errors are rate limited (RFC 1812
// §4.3.2.8); nothing here decides whether a frame passes.
import { mustStaySilentAbout, writeIcmpError, type IcmpError } from '../translation/icmp-errors.js'
import type { Packet } from '../packet.js'
import type { RouterConfig } from '../router-config.js'
import { writeReset } from './tcp-reset.js'
import { TokenBucket } from './token-bucket.js'
import type { Side } from '../verdict.js'
import * as arp from '../wire/arp.js'
import * as ethernet from '../wire/ethernet.js'
import * as icmp from '../wire/icmp.js'
import * as ipv4 from '../wire/ipv4.js'
import type { Ipv4Address, MacAddress } from '../wire/address.js'

/** Room for the largest frame that the router writes itself: an ICMP answer to a large echo request. */
const SCRATCH = 65536 + ethernet.HEADER

export type Send = (side: Side, frame: Uint8Array) => void

export class OwnMessages {
  config: RouterConfig
  readonly #macs: Readonly<Record<Side, MacAddress>>
  readonly #send: Send
  readonly #errors: TokenBucket
  /** Also for whoever sends pieces of a packet (fragmentation). */
  readonly scratch = new Uint8Array(SCRATCH)

  /** `send` gets frames that are valid during the call only. */
  constructor(config: RouterConfig, macs: Readonly<Record<Side, MacAddress>>, send: Send, now: number) {
    this.config = config
    this.#macs = macs
    this.#send = send
    this.#errors = new TokenBucket(config.nat.limits.icmpErrorsPerSecond, now)
  }

  /** Takes over changed limits and addresses. */
  change(config: RouterConfig): void {
    this.config = config
    this.#errors.change(config.nat.limits.icmpErrorsPerSecond)
  }

  address(side: Side): Ipv4Address { return side === 'lan' ? this.config.lan.prefix.address : this.config.wan.address }

  /** The answer to an echo request whose checksum holds. */
  echoReply({ bytes, frame, ip, transport, ipEnd }: Packet, side: Side): void {
    const header = ethernet.HEADER + ipv4.MINIMUM_HEADER, end = header + ipEnd - transport, reply = this.scratch
    reply.set(bytes.subarray(transport, ipEnd), header)
    icmp.writeHeader(reply, header, end, { type: icmp.TYPE.echoReply, identifier: icmp.identifier(bytes, transport), sequence: icmp.sequence(bytes, transport) })
    ipv4.writeHeader(reply, ethernet.HEADER, {
      source: ipv4.destination(bytes, ip), destination: ipv4.source(bytes, ip), protocol: ipv4.PROTOCOL.icmp,
      totalLength: end - ethernet.HEADER, identification: ipv4.identification(bytes, ip), typeOfService: ipv4.typeOfService(bytes, ip),
    })
    ethernet.setAddresses(reply, 0, ethernet.source(bytes, frame), this.#macs[side])
    ethernet.setType(reply, 0, ethernet.TYPE.ipv4)
    this.#out(side, end)
  }

  /** Tells the sender of a packet why it goes no further, unless an error about it is forbidden (RFC 1812 §4.3.2.7) or one too many. */
  error(packet: Packet, side: Side, error: IcmpError, now: number): void {
    if (mustStaySilentAbout(packet) || !this.#errors.take(now)) return
    this.#out(side, writeIcmpError(this.scratch, packet, error, { mac: this.#macs[side], address: this.address(side) }))
  }

  reset(packet: Packet, side: Side): void { this.#out(side, writeReset(this.scratch, packet, { mac: this.#macs[side] })) }

  /** `own` is the address that was asked for. */
  arpReply(side: Side, own: Ipv4Address, to: { readonly mac: MacAddress, readonly address: Ipv4Address }): void {
    this.#out(side, arp.writeFrame(this.scratch, 0, 'reply', { mac: this.#macs[side], address: own }, to))
  }

  arpRequest(side: Side, address: Ipv4Address): void {
    const sender = { mac: this.#macs[side], address: this.address(side) }
    this.#out(side, arp.writeFrame(this.scratch, 0, 'request', sender, { mac: sender.mac, address }))
  }

  /** ARP announcement: everybody on the cable learns who has the address now (RFC 5227 §2.3). */
  announce(side: Side, address: Ipv4Address): void {
    this.#out(side, arp.writeFrame(this.scratch, 0, 'request', { mac: this.#macs[side], address }, { mac: this.#macs[side], address }))
  }

  #out(side: Side, length: number): void { this.#send(side, this.scratch.subarray(0, length)) }
}
