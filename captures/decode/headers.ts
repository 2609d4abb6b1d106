// What a packet's headers say first: kind, ends, ports, flags. Read straight from the bytes into one object that is used again for
// every packet, for filters and plain lines over millions of packets; decode.ts takes a packet apart in full.
import * as arp from '../../napt/wire/arp.js'
import { fold } from '../../napt/wire/checksum.js'
import { read16 } from '../../napt/wire/bytes.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { decodeLink, LINK_TYPE } from './link-layer.js'

/** Of a packet that has none, or whose are in another fragment. */
export const NO_PORT = -1

const NO_BYTES = new Uint8Array(0), NO_VIEW = new DataView(new ArrayBuffer(0))

export class Headers {
  /** The packet ends where `#end` says. */
  #bytes: Uint8Array = NO_BYTES
  #end = 0
  #view: DataView = NO_VIEW
  /** `other`: neither, or cut before its addresses. */
  network: 'ipv4' | 'arp' | 'other' = 'other'
  /** IPv4's protocol number; -1 where there is no IPv4. */
  protocol = -1
  /** Ipv4Address; of ARP, the sender's and the target's. */
  source = 0
  destination = 0
  sourcePort = NO_PORT
  destinationPort = NO_PORT
  /** TCP's, or 0. */
  flags = 0
  /** Where the IPv4 header, the transport header and the payload begin, and where the payload ends; in `bytes`. */
  ip = 0
  transport = 0
  payload = 0
  end = 0
  /** UDP or TCP, whole, no fragment: the payload's place is known. */
  isWhole = false

  /** What it was loaded from. */
  get bytes(): Uint8Array { return this.#bytes }

  /** Reads the packet `bytes[start, end)`. @param linkType of its interface, as libpcap numbers them */
  load(bytes: Uint8Array, linkType: number, start = 0, end = bytes.length): void {
    this.#bytes = bytes
    this.#end = end
    this.network = 'other'
    this.protocol = -1
    this.source = this.destination = 0
    this.sourcePort = this.destinationPort = NO_PORT
    this.flags = 0
    this.isWhole = false
    if (linkType === LINK_TYPE.ethernet && end - start >= ethernet.HEADER && ethernet.type(bytes, start) === ethernet.TYPE.ipv4) {
      this.#loadIpv4(start + ethernet.HEADER)
      return
    }
    const { type, at } = decodeLink(bytes.subarray(start, end), linkType)
    if (type === ethernet.TYPE.ipv4) this.#loadIpv4(start + at)
    else if (type === ethernet.TYPE.arp) this.#loadArp(start + at)
  }

  #loadArp(at: number): void {
    const bytes = this.#bytes
    if (this.#end < at + arp.LENGTH) return
    this.network = 'arp'
    this.source = arp.senderAddress(bytes, at)
    this.destination = arp.targetAddress(bytes, at)
  }

  #loadIpv4(ip: number): void {
    const bytes = this.#bytes
    if (this.#end < ip + ipv4.MINIMUM_HEADER || bytes[ip] >>> 4 !== 4) return
    this.network = 'ipv4'
    this.ip = ip
    this.protocol = ipv4.protocol(bytes, ip)
    this.source = ipv4.source(bytes, ip)
    this.destination = ipv4.destination(bytes, ip)
    const header = ipv4.headerLength(bytes, ip), at = ip + header, isTcp = this.protocol === ipv4.PROTOCOL.tcp
    if (header < ipv4.MINIMUM_HEADER || (!isTcp && this.protocol !== ipv4.PROTOCOL.udp)) return
    if (ipv4.fragmentOffset(bytes, ip) !== 0 || this.#end < at + 4) return
    this.sourcePort = read16(bytes, at)
    this.destinationPort = read16(bytes, at + 2)
    this.transport = at
    if (isTcp && this.#end > at + 13) this.flags = tcp.flags(bytes, at)
    const end = ip + ipv4.totalLength(bytes, ip)
    if (end > this.#end || ipv4.isFragment(bytes, ip)) return
    if ((isTcp ? tcp.check(bytes, at, end) : udp.check(bytes, at, end)) !== null) return
    this.payload = at + (isTcp ? tcp.headerLength(bytes, at) : udp.HEADER)
    this.end = isTcp ? end : at + udp.length(bytes, at)
    this.isWhole = true
  }

  /** Of a whole packet: whether its checksums are right, or left out as UDP may. */
  checksumsHold(): boolean {
    const { ip, transport, end } = this, bytes = this.#bytes
    const { buffer, byteOffset: base } = bytes
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer)
    if (this.#sum(base + ip, base + transport) !== 0xffff) return false
    const isTcp = this.protocol === ipv4.PROTOCOL.tcp
    if (!isTcp && udp.checksum(bytes, transport) === 0) return true
    // The pseudo-header: both addresses, protocol and length (RFC 768, RFC 9293 §3.1).
    return fold(this.#sum(base + ip + 12, base + ip + 20) + this.#sum(base + transport, base + end) + this.protocol + end - transport) === 0xffff
  }

  /**
   * The folded sum of 16-bit words, as checksum.ts has it: here in words of 32 bits, which fold to the same, and in the machine's byte
   * order, in which it comes out with its bytes exchanged (RFC 1071 §2). Eight times faster, and what a long packet's line costs most.
   */
  #sum(from: number, to: number): number {
    const view = this.#view
    let even = 0, odd = 0, rest = 0, at = from
    for (const last = to - 15; at < last; at += 16) {
      even += view.getUint32(at, true) + view.getUint32(at + 4, true)
      odd += view.getUint32(at + 8, true) + view.getUint32(at + 12, true)
    }
    for (; at + 2 <= to; at += 2) rest += view.getUint16(at, true)
    if (at < to) rest += view.getUint8(at)
    const sum = fold(even + odd + rest)
    return ((sum & 255) << 8) | (sum >>> 8)
  }
}
