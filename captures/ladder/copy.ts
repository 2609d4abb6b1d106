// One copy of a packet, as one interface saw it, and what copies of one packet have in common: on one cable all of its bytes,
// on two sides of a NAT its contents and one of its ends.
import type { Ipv4Address } from '../../napt/wire/address.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { decode, fieldOf, type Decoded } from '../decode/decode.js'
import { decodeLink, LINK_TYPE } from '../decode/link-layer.js'
import type { InterfacePacket } from '../files/pcapng/format.js'
import { icmpName } from '../decode/summary.js'
import type { Side } from './places.js'

/** Where an interface is: on a cable of a router's, or anywhere else, where its number tells it from others. */
export type Position = { readonly router: string, readonly side: Side } | { readonly router: null, readonly id: number }

export interface Copy {
  readonly packet: InterfacePacket
  /** With an Ethernet header, whatever the file has. */
  readonly frame: Uint8Array
  readonly decoded: Decoded
  readonly isUnasked: boolean
}

/** @param isUnasked true for a packet that nobody asked to see */
export function copyOf(packet: InterfacePacket, isUnasked: boolean): Copy {
  const frame = ethernetFrame(packet)
  return { packet, frame, decoded: decode(frame), isUnasked }
}

/** What keeping it takes, as far as its size depends on what is in the file: bytes. */
export const sizeOf = ({ packet: { bytes, comment }, frame }: Copy): number => bytes.length + comment.length + (frame === bytes ? 0 : frame.length)

/** A link type that nobody knows gives what decodes to nothing. */
function ethernetFrame({ bytes, interface: { linkType } }: InterfacePacket): Uint8Array {
  if (linkType === LINK_TYPE.ethernet && ethernet.check(0, bytes.length) === null && ethernet.type(bytes, 0) !== ethernet.TYPE.vlan) return bytes
  const { type, at } = decodeLink(bytes, linkType)
  if (type === null) return new Uint8Array(0)
  const frame = new Uint8Array(ethernet.HEADER + bytes.length - at)
  ethernet.setType(frame, 0, type)
  frame.set(bytes.subarray(at), ethernet.HEADER)
  return frame
}

/** What a NAT leaves alone. Null for what it does not carry. */
export function contentKey({ decoded }: Copy): string | null {
  const { transport } = decoded
  if (transport === null) {
    const value = (name: string): string => String(fieldOf(decoded, 'ipv4', name)?.value)
    return fieldOf(decoded, 'ipv4', 'SA') === undefined ? null : ['ip', ...['protocol', 'identification', 'fragment offset', 'total length'].map(value)].join(' ')
  }
  const { protocol, payload, flags, sequence, acknowledgement } = transport
  // An ICMP error quotes a packet that the NAT changes too.
  const contents = fieldOf(decoded, 'quoted', 'SA') === undefined ? digest(payload) : 0
  const kind = protocol === 'icmp' ? icmpName(Number(fieldOf(decoded, 'icmp', 'type')?.value)) : ''
  return `${protocol} ${kind} ${flags} ${sequence} ${acknowledgement} ${payload.length} ${contents}`
}

/** What became of the ends between two copies. */
export type Change = 'source' | 'destination' | 'none' | 'both'

export function changeBetween(a: Copy, b: Copy): Change {
  const [before, after] = [endsOf(a), endsOf(b)]
  const source = before[0] === after[0], destination = before[1] === after[1]
  return source ? (destination ? 'none' : 'destination') : destination ? 'source' : 'both'
}

/** Each as text that is the same for the same end. */
export function endsOf({ decoded }: Copy): readonly [source: string, destination: string] {
  const { transport } = decoded
  if (transport === null) return [String(fieldOf(decoded, 'ipv4', 'SA')?.value), String(fieldOf(decoded, 'ipv4', 'DA')?.value)]
  return [`${transport.source.address}:${transport.source.port}`, `${transport.destination.address}:${transport.destination.port}`]
}

/** Undefined for a copy that is no packet of TCP, UDP or ICMP. */
export const addressesOf = ({ decoded: { transport } }: Copy): readonly [source: Ipv4Address, destination: Ipv4Address] | undefined =>
  transport === null ? undefined : [transport.source.address, transport.destination.address]

export const timeToLive = ({ decoded }: Copy): number => Number(fieldOf(decoded, 'ipv4', 'TTL')?.value ?? 0)
export const identification = ({ decoded }: Copy): number => Number(fieldOf(decoded, 'ipv4', 'identification')?.value ?? 0)

const NETWORKS: readonly (readonly [prefix: number, bits: number])[] = [
  [0x0a00_0000, 8], [0xac10_0000, 12], [0xc0a8_0000, 16], // RFC 1918
  [0x6440_0000, 10], // shared, RFC 6598
  [0xa9fe_0000, 16], // link-local, RFC 3927
]
/** For one network alone: what is behind a NAT has such an address nearly always. */
export const isPrivate = (address: Ipv4Address): boolean => NETWORKS.some(([prefix, bits]) => (address ^ prefix) >>> (32 - bits) === 0)
/** Multicast, reserved and broadcast: 224.0.0.0 and above; no router translates it. */
export const isManyfold = (address: Ipv4Address): boolean => address >>> 29 === 7

/** FNV-1a, 32 bits: tells apart what is a few hundred packets from each other. */
function digest(bytes: Uint8Array): number {
  let hash = 0x811c_9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193)
  return hash >>> 0
}
