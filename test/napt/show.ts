// A frame as one line of text, for tests to compare. Every checksum is verified: a wrong one shows up in the line.
import * as arp from '../../napt/wire/arp.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { formatEndpoint, formatIpv4, formatMac } from '../../napt/wire/address.js'
import { checksum } from '../../napt/wire/checksum.js'

const ICMP_QUERIES: Readonly<Record<number, string>> = { 0: 'echo-reply', 8: 'echo', 13: 'timestamp', 14: 'timestamp-reply' }

/** As in `udp 192.168.1.3:2000 > 130.74.23.6:1200 'x'`. */
export function show(frame: Uint8Array): string {
  const at = ethernet.HEADER
  switch (ethernet.type(frame, 0)) {
    case ethernet.TYPE.arp: return showArp(frame, at)
    case ethernet.TYPE.ipv4: return showPacket(frame, at, frame.length)
    default: return `ethernet type ${ethernet.type(frame, 0).toString(16)}`
  }
}

function showArp(frame: Uint8Array, at: number): string {
  const sender = formatIpv4(arp.senderAddress(frame, at)), target = formatIpv4(arp.targetAddress(frame, at))
  return arp.operation(frame, at) === arp.OPERATION.request ? `arp who-has ${target} tell ${sender}` : `arp ${sender} is-at ${formatMac(arp.senderMac(frame, at))}`
}

/** The packet at `ip`; what a quote cuts off is not looked at. */
function showPacket(bytes: Uint8Array, ip: number, limit: number): string {
  const header = ipv4.headerLength(bytes, ip), transport = ip + header
  const whole = ipv4.totalLength(bytes, ip) <= limit - ip
  const end = Math.min(ip + ipv4.totalLength(bytes, ip), limit)
  const ipWrong = checksum(bytes, ip, transport) === 0 ? '' : ' !ip-checksum'
  return showTransport(bytes, ip, transport, end, whole) + (whole ? '' : ' …') + ipWrong
}

function showTransport(bytes: Uint8Array, ip: number, transport: number, end: number, whole: boolean): string {
  const source = ipv4.source(bytes, ip), destination = ipv4.destination(bytes, ip)
  const text = (from: number): string => end > from ? ` '${String.fromCharCode(...bytes.subarray(from, Math.min(end, from + 40)))}'` : ''
  switch (ipv4.protocol(bytes, ip)) {
    case ipv4.PROTOCOL.udp: {
      const wrong = whole && !udp.checksumHolds(bytes, ip, transport) ? ' !udp-checksum' : ''
      return `udp ${formatEndpoint(source, udp.sourcePort(bytes, transport))} > ${formatEndpoint(destination, udp.destinationPort(bytes, transport))}${text(transport + udp.HEADER)}${wrong}`
    }
    case ipv4.PROTOCOL.tcp: {
      const ports = `tcp ${formatEndpoint(source, tcp.sourcePort(bytes, transport))} > ${formatEndpoint(destination, tcp.destinationPort(bytes, transport))}`
      if (!whole) return ports
      return `${ports} ${tcp.formatFlags(tcp.flags(bytes, transport))}${text(transport + tcp.headerLength(bytes, transport))}${tcp.checksumHolds(bytes, ip, transport, end) ? '' : ' !tcp-checksum'}`
    }
    case ipv4.PROTOCOL.icmp: {
      const type = icmp.type(bytes, transport), wrong = whole && !icmp.checksumHolds(bytes, transport, end) ? ' !icmp-checksum' : ''
      const who = `${formatIpv4(source)} > ${formatIpv4(destination)}`
      if (icmp.isError(type)) return `icmp ${type}/${icmp.code(bytes, transport)} ${who} [${showPacket(bytes, icmp.quoted(transport), end)}]${wrong}`
      return `${ICMP_QUERIES[type] ?? `icmp ${type}`} ${who} id ${icmp.identifier(bytes, transport)}${text(transport + icmp.HEADER)}${wrong}`
    }
    default: return `protocol ${ipv4.protocol(bytes, ip)} ${formatIpv4(source)} > ${formatIpv4(destination)}`
  }
}
