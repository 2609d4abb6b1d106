// A frame as data: its layers, each with its fields, where in the frame they stand, and the verdict on its checksum, which
// is computed on the frame's real bytes. Never throws: what cannot be decoded is left as a defect in words. Of a packet that the
// capture cut off, what is there is decoded.
import * as arp from '../../napt/wire/arp.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { formatIpv4, formatMac, type Ipv4Address } from '../../napt/wire/address.js'
import { checksum as internetChecksum, fold, pseudoHeaderSum } from '../../napt/wire/checksum.js'
import { read16 } from '../../napt/wire/bytes.js'
import { layer, type ChecksumVerdict, type Field, type Layer, type Protocol, type Row } from './layer.js'
import { decodeLink, LINK_TYPE } from './link-layer.js'

/** The two ends of a packet; an ICMP message has no ports (0). */
export interface Ends {
  readonly source: { readonly address: Ipv4Address, readonly port: number }
  readonly destination: { readonly address: Ipv4Address, readonly port: number }
}

export interface Transport extends Ends {
  readonly protocol: 'udp' | 'tcp' | 'icmp'
  /** TCP's, else 0. */
  readonly flags: number
  readonly sequence: number
  readonly acknowledgement: number
  /** A view of the frame; less than was sent where the frame is truncated. */
  readonly payload: Uint8Array
  readonly payloadOffset: number
}

const IPV6_HEADER = 40

export interface Decoded {
  readonly bytes: Uint8Array
  readonly layers: readonly Layer[]
  /** Not there for a frame that is not IPv4, is a fragment, or has a defect at the ports or below. */
  readonly transport: Transport | null
  /** What stopped the decoding, or null. */
  readonly defect: string | null
}

/** Takes one frame apart. @param linkType of its interface, as libpcap numbers them */
export function decode(bytes: Uint8Array, linkType: number = LINK_TYPE.ethernet): Decoded {
  const link = decodeLink(bytes, linkType), layers: Layer[] = [...link.layers]
  const stop: Stop = (defect, transport = null) => ({ bytes, layers, transport, defect })
  if (link.defect !== null) return stop(link.defect)
  switch (link.type) {
    case ethernet.TYPE.arp: return stop(decodeArp(bytes, link.at, layers))
    case ethernet.TYPE.ipv4: return decodeIpv4(bytes, link.at, layers, stop)
    case ethernet.TYPE.ipv6: layers.push(...ipv6Layer(bytes, link.at)); return stop(null)
    default: return stop(null)
  }
}

/** The layer's field, by name. */
export const fieldOf = (decoded: Decoded, protocol: Protocol, name: string): Field | undefined =>
  decoded.layers.find(each => each.protocol === protocol)?.fields.find(field => field.name === name)

type Stop = (defect: string | null, transport?: Transport | null) => Decoded

function decodeArp(bytes: Uint8Array, at: number, layers: Layer[]): string | null {
  const defect = arp.check(bytes, at, bytes.length)
  if (defect !== null) return `the ARP packet is ${defect}`
  layers.push(layer('arp', at, arp.LENGTH, [
    ['operation', arp.operation(bytes, at), 6, 2],
    ['sender MAC', formatMac(arp.senderMac(bytes, at)), 8, 6],
    ['sender IP', formatIpv4(arp.senderAddress(bytes, at)), 14, 4],
    ['target MAC', formatMac(arp.targetMac(bytes, at)), 18, 6],
    ['target IP', formatIpv4(arp.targetAddress(bytes, at)), 24, 4],
  ]))
  return null
}

function decodeIpv4(bytes: Uint8Array, ip: number, layers: Layer[], stop: Stop): Decoded {
  const defect = ipv4.check(bytes, ip, bytes.length)
  const hasHeader = bytes.length - ip >= ipv4.MINIMUM_HEADER && bytes.length - ip >= ipv4.headerLength(bytes, ip)
  if (defect === 'malformed' || !hasHeader) return stop(`the IPv4 packet is ${defect ?? 'truncated'}`)
  layers.push(ipv4Layer(bytes, ip))
  const packet: Ipv4Packet = {
    ip, at: ip + ipv4.headerLength(bytes, ip), end: Math.min(bytes.length, ip + ipv4.totalLength(bytes, ip)),
    defect: defect === 'truncated' ? 'the IPv4 packet is truncated' : null,
  }
  if (ipv4.isFragment(bytes, ip)) return stop(packet.defect)
  switch (ipv4.protocol(bytes, ip)) {
    case ipv4.PROTOCOL.udp: return decodeUdp(bytes, packet, layers, stop)
    case ipv4.PROTOCOL.tcp: return decodeTcp(bytes, packet, layers, stop)
    case ipv4.PROTOCOL.icmp: return decodeIcmp(bytes, packet, layers, stop)
    default: return stop(packet.defect)
  }
}

/** A packet within a frame: its header, what it carries, the end of that; and whether that end is the capture's, not its own. */
interface Ipv4Packet { readonly ip: number, readonly at: number, readonly end: number, readonly defect: string | null }

function ipv4Layer(bytes: Uint8Array, ip: number): Layer {
  const length = ipv4.headerLength(bytes, ip)
  const options: Row[] = length === ipv4.MINIMUM_HEADER ? [] : [['options', toHex(bytes.subarray(ip + 20, ip + length)), 20, length - 20]]
  return layer('ipv4', ip, length, [
    ['header length', length, 0, 1],
    ['TOS', ipv4.typeOfService(bytes, ip), 1, 1],
    ['total length', ipv4.totalLength(bytes, ip), 2, 2],
    ['identification', ipv4.identification(bytes, ip), 4, 2],
    ['DF', Number(ipv4.dontFragment(bytes, ip)), 6, 1],
    ['MF', Number(ipv4.moreFragments(bytes, ip)), 6, 1],
    ['fragment offset', ipv4.fragmentOffset(bytes, ip), 6, 2],
    ['TTL', ipv4.timeToLive(bytes, ip), 8, 1],
    ['protocol', ipv4.protocol(bytes, ip), 9, 1],
    ['checksum', ipv4.headerChecksum(bytes, ip), 10, 2],
    ['SA', formatIpv4(ipv4.source(bytes, ip)), 12, 4],
    ['DA', formatIpv4(ipv4.destination(bytes, ip)), 16, 4],
    ...options,
  ], internetChecksum(bytes, ip, ip + length) === 0 ? 'right' : 'wrong')
}

/** Only its header (RFC 8200 §3), if it is all there: nothing here translates or compares IPv6, so nothing complains of it either. */
const ipv6Layer = (bytes: Uint8Array, ip: number): Layer[] => bytes.length - ip < IPV6_HEADER ? [] : [layer('ipv6', ip, IPV6_HEADER, [
  ['payload length', read16(bytes, ip + 4), 4, 2], ['next header', bytes[ip + 6], 6, 1], ['hop limit', bytes[ip + 7], 7, 1],
  ['SA', formatIpv6(bytes.subarray(ip + 8, ip + 24)), 8, 16], ['DA', formatIpv6(bytes.subarray(ip + 24, ip + 40)), 24, 16],
])]

/** A URL's host is written as RFC 5952 §4 has it. */
function formatIpv6(address: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, at) => read16(address, 2 * at).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

const ends = (bytes: Uint8Array, ip: number, source: number, destination: number): Ends => ({
  source: { address: ipv4.source(bytes, ip), port: source },
  destination: { address: ipv4.destination(bytes, ip), port: destination },
})

/** A transport checksum that does not hold may be one that the sender's card was to finish. */
const verdict = (holds: boolean, found: number, bytes: Uint8Array, ip: number, protocol: number, length: number): ChecksumVerdict =>
  holds ? 'right' : found === fold(pseudoHeaderSum(bytes, ip, protocol, length)) ? 'partial' : 'wrong'

/** A header that is there in whole is decoded, though what it stands before was cut off; without all of that there is no checksum. */
function decodeUdp(bytes: Uint8Array, { ip, at, end, defect: cut }: Ipv4Packet, layers: Layer[], stop: Stop): Decoded {
  const defect = udp.check(bytes, at, end)
  if (defect === 'malformed' || (defect !== null && (cut === null || end - at < udp.HEADER))) return stop(cut ?? `the UDP datagram is ${defect}`)
  const source = udp.sourcePort(bytes, at), destination = udp.destinationPort(bytes, at), found = udp.checksum(bytes, at)
  const checksum = (): ChecksumVerdict => found === 0 ? 'absent' : verdict(udp.checksumHolds(bytes, ip, at), found, bytes, ip, ipv4.PROTOCOL.udp, udp.length(bytes, at))
  layers.push(layer('udp', at, udp.HEADER, [
    ['SP', source, 0, 2], ['DP', destination, 2, 2], ['length', udp.length(bytes, at), 4, 2], ['checksum', found, 6, 2],
  ], cut === null ? checksum() : undefined))
  return stop(cut, {
    protocol: 'udp', ...ends(bytes, ip, source, destination), flags: 0, sequence: 0, acknowledgement: 0,
    payload: udp.payload(bytes, at), payloadOffset: at + udp.HEADER,
  })
}

function decodeTcp(bytes: Uint8Array, { ip, at, end, defect: cut }: Ipv4Packet, layers: Layer[], stop: Stop): Decoded {
  const defect = tcp.check(bytes, at, end)
  if (defect !== null) return stop(cut ?? `the TCP segment is ${defect}`)
  const source = tcp.sourcePort(bytes, at), destination = tcp.destinationPort(bytes, at), found = tcp.checksum(bytes, at)
  const length = tcp.headerLength(bytes, at), flags = tcp.flags(bytes, at)
  const sequence = tcp.sequence(bytes, at), acknowledgement = tcp.acknowledgement(bytes, at)
  const checksum = (): ChecksumVerdict => verdict(tcp.checksumHolds(bytes, ip, at, end), found, bytes, ip, ipv4.PROTOCOL.tcp, end - at)
  layers.push(layer('tcp', at, length, [
    ['SP', source, 0, 2], ['DP', destination, 2, 2],
    ['sequence number', sequence, 4, 4], ['acknowledgement number', acknowledgement, 8, 4],
    ['header length', length, 12, 1], ['flags', flags, 13, 1], ['window', tcp.windowSize(bytes, at), 14, 2],
    ['checksum', found, 16, 2], ['urgent pointer', read16(bytes, at + 18), 18, 2],
    ...(length === tcp.MINIMUM_HEADER ? [] : [['options', toHex(bytes.subarray(at + 20, at + length)), 20, length - 20] as const]),
  ], cut === null ? checksum() : undefined))
  return stop(cut, {
    protocol: 'tcp', ...ends(bytes, ip, source, destination), flags, sequence, acknowledgement,
    payload: tcp.payload(bytes, at, end), payloadOffset: at + length,
  })
}

function decodeIcmp(bytes: Uint8Array, { ip, at, end, defect: cut }: Ipv4Packet, layers: Layer[], stop: Stop): Decoded {
  if (icmp.check(at, end) !== null) return stop(cut ?? 'the ICMP message is truncated')
  const type = icmp.type(bytes, at)
  layers.push(layer('icmp', at, icmp.HEADER, [
    ['type', type, 0, 1], ['code', icmp.code(bytes, at), 1, 1], ['checksum', icmp.checksum(bytes, at), 2, 2],
    ...(icmp.isQuery(type) ? [['identifier', icmp.identifier(bytes, at), 4, 2], ['sequence number', icmp.sequence(bytes, at), 6, 2]] as const : []),
  ], cut !== null ? undefined : icmp.checksumHolds(bytes, at, end) ? 'right' : 'wrong'))
  if (icmp.isError(type)) layers.push(...quotedLayer(bytes, icmp.quoted(at), end))
  return stop(cut, {
    protocol: 'icmp', ...ends(bytes, ip, 0, 0), flags: 0, sequence: 0, acknowledgement: 0,
    payload: bytes.subarray(at + icmp.HEADER, end), payloadOffset: at + icmp.HEADER,
  })
}

/** The packet that an ICMP error is about: its header and, as RFC 792 promises, eight bytes more. */
function quotedLayer(bytes: Uint8Array, ip: number, end: number): Layer[] {
  if (end - ip < ipv4.MINIMUM_HEADER || bytes[ip] >>> 4 !== 4) return []
  const length = ipv4.headerLength(bytes, ip)
  const hasPorts = length >= ipv4.MINIMUM_HEADER && end - ip >= length + 4 && ipv4.protocol(bytes, ip) !== ipv4.PROTOCOL.icmp
  return [layer('quoted', ip, end - ip, [
    ['protocol', ipv4.protocol(bytes, ip), 9, 1],
    ['SA', formatIpv4(ipv4.source(bytes, ip)), 12, 4],
    ['DA', formatIpv4(ipv4.destination(bytes, ip)), 16, 4],
    ...(hasPorts ? [['SP', read16(bytes, ip + length), length, 2], ['DP', read16(bytes, ip + length + 2), length + 2, 2]] as const : []),
  ])]
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
