// A frame as data: its layers, each with its fields, where in the frame they stand, and the verdict on its checksum, which
// is computed on the frame's real bytes. Never throws: what cannot be decoded is left as a defect in words.
import * as arp from '../napt/wire/arp.js'
import * as ethernet from '../napt/wire/ethernet.js'
import * as icmp from '../napt/wire/icmp.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import * as tcp from '../napt/wire/tcp.js'
import * as udp from '../napt/wire/udp.js'
import { formatIpv4, formatMac, type Ipv4Address } from '../napt/wire/address.js'
import { fold, pseudoHeaderSum } from '../napt/wire/checksum.js'
import { read16 } from '../napt/wire/bytes.js'

export interface Field {
  readonly name: string
  readonly value: string | number
  /** Bytes from the beginning of the frame. Fields of a few bits name the bytes they share. */
  readonly offset: number
  readonly length: number
}

/** `partial`: only the pseudo-header's sum, as a sender with checksum offload leaves it. `absent`: UDP's zero. */
export type ChecksumVerdict = 'right' | 'wrong' | 'partial' | 'absent'

export type Protocol = 'ethernet' | 'arp' | 'ipv4' | 'udp' | 'tcp' | 'icmp' | 'quoted'

export interface Layer {
  readonly protocol: Protocol
  readonly offset: number
  readonly length: number
  readonly fields: readonly Field[]
  /** Not there for a layer that has no checksum. */
  readonly checksum?: ChecksumVerdict
}

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
  /** A view of the frame. */
  readonly payload: Uint8Array
  readonly payloadOffset: number
}

export interface Decoded {
  readonly bytes: Uint8Array
  readonly layers: readonly Layer[]
  /** Not there for a frame that is not IPv4, is a fragment, or has a defect below the ports. */
  readonly transport: Transport | null
  /** What stopped the decoding, or null. */
  readonly defect: string | null
}

/** Takes one Ethernet frame apart. */
export function decode(bytes: Uint8Array): Decoded {
  const layers: Layer[] = []
  const stop = (defect: string | null, transport: Transport | null = null): Decoded => ({ bytes, layers, transport, defect })
  if (ethernet.check(0, bytes.length) !== null) return stop(`the frame has ${bytes.length} bytes, an Ethernet header ${ethernet.HEADER}`)
  const type = ethernet.type(bytes, 0)
  layers.push(layer('ethernet', 0, ethernet.HEADER, [
    ['destination', formatMac(ethernet.destination(bytes, 0)), 0, 6],
    ['source', formatMac(ethernet.source(bytes, 0)), 6, 6],
    ['type', type, 12, 2],
  ]))
  if (type === ethernet.TYPE.arp) return stop(decodeArp(bytes, layers))
  if (type !== ethernet.TYPE.ipv4) return stop(null)

  const ip = ethernet.HEADER
  const defect = ipv4.check(bytes, ip, bytes.length)
  if (defect === 'truncated' || defect === 'malformed') return stop(`the IPv4 packet is ${defect}`)
  layers.push(ipv4Layer(bytes, ip, defect === null))
  if (ipv4.isFragment(bytes, ip)) return stop(null)
  const at = ip + ipv4.headerLength(bytes, ip), end = ip + ipv4.totalLength(bytes, ip)
  switch (ipv4.protocol(bytes, ip)) {
    case ipv4.PROTOCOL.udp: return decodeUdp(bytes, ip, at, end, layers, stop)
    case ipv4.PROTOCOL.tcp: return decodeTcp(bytes, ip, at, end, layers, stop)
    case ipv4.PROTOCOL.icmp: return decodeIcmp(bytes, ip, at, end, layers, stop)
    default: return stop(null)
  }
}

/** The layer's field, by name. */
export const fieldOf = (decoded: Decoded, protocol: Protocol, name: string): Field | undefined =>
  decoded.layers.find(each => each.protocol === protocol)?.fields.find(field => field.name === name)

type Stop = (defect: string | null, transport?: Transport | null) => Decoded
type Row = readonly [name: string, value: string | number, at: number, length: number]

/** Rows give offsets within the layer. */
function layer(protocol: Protocol, offset: number, length: number, rows: readonly Row[], checksum?: ChecksumVerdict): Layer {
  const fields = rows.map(([name, value, at, size]) => ({ name, value, offset: offset + at, length: size }))
  return { protocol, offset, length, fields, ...(checksum === undefined ? {} : { checksum }) }
}

function decodeArp(bytes: Uint8Array, layers: Layer[]): string | null {
  const at = ethernet.HEADER
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

function ipv4Layer(bytes: Uint8Array, ip: number, checksumHolds: boolean): Layer {
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
  ], checksumHolds ? 'right' : 'wrong')
}

const ends = (bytes: Uint8Array, ip: number, source: number, destination: number): Ends => ({
  source: { address: ipv4.source(bytes, ip), port: source },
  destination: { address: ipv4.destination(bytes, ip), port: destination },
})

/** A transport checksum that does not hold may be one that the sender's card was to finish. */
const verdict = (holds: boolean, found: number, bytes: Uint8Array, ip: number, protocol: number, length: number): ChecksumVerdict =>
  holds ? 'right' : found === fold(pseudoHeaderSum(bytes, ip, protocol, length)) ? 'partial' : 'wrong'

function decodeUdp(bytes: Uint8Array, ip: number, at: number, end: number, layers: Layer[], stop: Stop): Decoded {
  const defect = udp.check(bytes, at, end)
  if (defect !== null) return stop(`the UDP datagram is ${defect}`)
  const source = udp.sourcePort(bytes, at), destination = udp.destinationPort(bytes, at), found = udp.checksum(bytes, at)
  const checksum = found === 0 ? 'absent' : verdict(udp.checksumHolds(bytes, ip, at), found, bytes, ip, ipv4.PROTOCOL.udp, udp.length(bytes, at))
  layers.push(layer('udp', at, udp.HEADER, [
    ['SP', source, 0, 2], ['DP', destination, 2, 2], ['length', udp.length(bytes, at), 4, 2], ['checksum', found, 6, 2],
  ], checksum))
  return stop(null, {
    protocol: 'udp', ...ends(bytes, ip, source, destination), flags: 0, sequence: 0, acknowledgement: 0,
    payload: udp.payload(bytes, at), payloadOffset: at + udp.HEADER,
  })
}

function decodeTcp(bytes: Uint8Array, ip: number, at: number, end: number, layers: Layer[], stop: Stop): Decoded {
  const defect = tcp.check(bytes, at, end)
  if (defect !== null) return stop(`the TCP segment is ${defect}`)
  const source = tcp.sourcePort(bytes, at), destination = tcp.destinationPort(bytes, at), found = tcp.checksum(bytes, at)
  const length = tcp.headerLength(bytes, at), flags = tcp.flags(bytes, at)
  const sequence = tcp.sequence(bytes, at), acknowledgement = tcp.acknowledgement(bytes, at)
  layers.push(layer('tcp', at, length, [
    ['SP', source, 0, 2], ['DP', destination, 2, 2],
    ['sequence number', sequence, 4, 4], ['acknowledgement number', acknowledgement, 8, 4],
    ['header length', length, 12, 1], ['flags', flags, 13, 1], ['window', tcp.windowSize(bytes, at), 14, 2],
    ['checksum', found, 16, 2], ['urgent pointer', read16(bytes, at + 18), 18, 2],
    ...(length === tcp.MINIMUM_HEADER ? [] : [['options', toHex(bytes.subarray(at + 20, at + length)), 20, length - 20] as const]),
  ], verdict(tcp.checksumHolds(bytes, ip, at, end), found, bytes, ip, ipv4.PROTOCOL.tcp, end - at)))
  return stop(null, {
    protocol: 'tcp', ...ends(bytes, ip, source, destination), flags, sequence, acknowledgement,
    payload: tcp.payload(bytes, at, end), payloadOffset: at + length,
  })
}

function decodeIcmp(bytes: Uint8Array, ip: number, at: number, end: number, layers: Layer[], stop: Stop): Decoded {
  if (icmp.check(at, end) !== null) return stop('the ICMP message is truncated')
  const type = icmp.type(bytes, at)
  layers.push(layer('icmp', at, icmp.HEADER, [
    ['type', type, 0, 1], ['code', icmp.code(bytes, at), 1, 1], ['checksum', icmp.checksum(bytes, at), 2, 2],
    ...(icmp.isQuery(type) ? [['identifier', icmp.identifier(bytes, at), 4, 2], ['sequence number', icmp.sequence(bytes, at), 6, 2]] as const : []),
  ], icmp.checksumHolds(bytes, at, end) ? 'right' : 'wrong'))
  if (icmp.isError(type)) layers.push(...quotedLayer(bytes, icmp.quoted(at), end))
  return stop(null, {
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
