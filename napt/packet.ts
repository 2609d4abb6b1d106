// One frame, taken apart far enough to be routed and translated. The router uses one Packet again and again, so that
// a frame costs no allocation; after `parse` gave null, every offset below lies within the frame.
import * as ethernet from './wire/ethernet.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import * as tcp from './wire/tcp.js'
import * as udp from './wire/udp.js'
import type { DropReason } from './verdict.js'

export class Packet {
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the Ethernet header begins, and where the frame ends. */
  frame = 0
  end = 0
  /** Whether the transport checksum is partial (see wire/checksum.ts). */
  partial = false
  ip = 0
  /** Where the IPv4 packet ends; an Ethernet trailer may follow. */
  ipEnd = 0
  transport = 0
  protocol = 0

  /** Takes an IPv4 frame apart; says why it cannot be routed, or null. */
  parse(bytes: Uint8Array, frame: number, end: number, partial: boolean): DropReason | null {
    this.bytes = bytes
    this.frame = frame
    this.end = end
    this.partial = partial
    this.ip = frame + ethernet.HEADER
    const defect = ipv4.check(bytes, this.ip, end)
    if (defect !== null) return defect
    this.ipEnd = this.ip + ipv4.totalLength(bytes, this.ip)
    this.transport = this.ip + ipv4.headerLength(bytes, this.ip)
    this.protocol = ipv4.protocol(bytes, this.ip)
    return null
  }

  /**
   * Whether the transport header can be read and translated; null if so. Of a first fragment, which `FragmentTable.arrive` has
   * found long enough, only what it holds is looked at.
   */
  checkTransport(isFirstFragment: boolean): DropReason | null {
    switch (this.protocol) {
      case ipv4.PROTOCOL.tcp: return tcp.check(this.bytes, this.transport, this.ipEnd) ?? this.#checkPort()
      case ipv4.PROTOCOL.udp: return (isFirstFragment ? null : udp.check(this.bytes, this.transport, this.ipEnd)) ?? this.#checkPort()
      // No error is as long as to need fragments (RFC 1812 §4.3.2.3), and in pieces its checksum could not be verified.
      case ipv4.PROTOCOL.icmp: return icmp.check(this.transport, this.ipEnd) ?? (isFirstFragment && icmp.isError(icmp.type(this.bytes, this.transport)) ? 'icmp-type' : null)
      default: return null
    }
  }

  /** Bytes of IP of the longest packet that the frame stands for; `segment` as for Router.process. */
  wireLength(segment: number): number {
    if (segment === 0) return this.ipEnd - this.ip
    const header = this.protocol === ipv4.PROTOCOL.tcp ? tcp.headerLength(this.bytes, this.transport) : udp.HEADER
    return Math.min(this.transport - this.ip + header + segment, this.ipEnd - this.ip)
  }

  get isIcmpError(): boolean { return this.protocol === ipv4.PROTOCOL.icmp && icmp.isError(icmp.type(this.bytes, this.transport)) }

  get hasPorts(): boolean { return this.protocol === ipv4.PROTOCOL.tcp || this.protocol === ipv4.PROTOCOL.udp }

  /** Port 0 as a sender's says that no answer is wanted (RFC 768); as a receiver's it is nobody's. */
  #checkPort(): DropReason | null { return udp.destinationPort(this.bytes, this.transport) === 0 ? 'port-zero' : null }

  /** The packet's bytes from the IPv4 header on, without an Ethernet trailer. A view. */
  get datagram(): Uint8Array { return this.bytes.subarray(this.ip, this.ipEnd) }
}

/** Makes a partial transport checksum complete, for a copy of the frame that leaves the virtual world (a file, libpcap). */
export function completeChecksum(bytes: Uint8Array, frame: number, end: number): void {
  const ip = frame + ethernet.HEADER
  if (ethernet.check(frame, end) !== null || ethernet.type(bytes, frame) !== ethernet.TYPE.ipv4 || ipv4.check(bytes, ip, end) !== null) return
  const transport = ip + ipv4.headerLength(bytes, ip), ipEnd = ip + ipv4.totalLength(bytes, ip)
  if (ipv4.protocol(bytes, ip) === ipv4.PROTOCOL.udp && udp.check(bytes, transport, ipEnd) === null) udp.writeChecksum(bytes, ip, transport)
  if (ipv4.protocol(bytes, ip) === ipv4.PROTOCOL.tcp && tcp.check(bytes, transport, ipEnd) === null) tcp.writeChecksum(bytes, ip, transport, ipEnd)
}
