// IPv4 (RFC 791). Offsets count from the IPv4 header.
import { read16, readInt32, write16, write32 } from './bytes.js'
import { checksum, update16, update32 } from './checksum.js'
import { nextOption } from './options.js'
import type { Ipv4Address } from './address.js'

export const MINIMUM_HEADER = 20
export const PROTOCOL = { icmp: 1, tcp: 6, udp: 17 } as const

const VERSION_IHL = 0, TOS = 1, TOTAL_LENGTH = 2, ID = 4, FRAGMENT = 6, TTL = 8, PROTOCOL_AT = 9, CHECKSUM = 10, SOURCE = 12, DESTINATION = 16

/** Kinds of option. */
const LOOSE_SOURCE_ROUTE = 131, STRICT_SOURCE_ROUTE = 137

export type Defect = 'truncated' | 'malformed' | 'checksum'

/** What is wrong with the header, or null. After null, the accessors below cannot leave `bytes[ip, end)`. */
export function check(bytes: Uint8Array, ip: number, end: number): Defect | null {
  if (end - ip < MINIMUM_HEADER) return 'truncated'
  const header = headerLength(bytes, ip)
  if (bytes[ip + VERSION_IHL] >>> 4 !== 4 || header < MINIMUM_HEADER || totalLength(bytes, ip) < header) return 'malformed'
  if (totalLength(bytes, ip) > end - ip) return 'truncated'
  return checksum(bytes, ip, ip + header) === 0 ? null : 'checksum'
}

/** Bytes, options included: 20 … 60 in a good packet. */
export const headerLength = (bytes: Uint8Array, ip: number): number => (bytes[ip + VERSION_IHL] & 15) << 2
/** Header and payload in bytes; what follows in the frame is an Ethernet trailer. */
export const totalLength = (bytes: Uint8Array, ip: number): number => read16(bytes, ip + TOTAL_LENGTH)
export const typeOfService = (bytes: Uint8Array, ip: number): number => bytes[ip + TOS]
export const identification = (bytes: Uint8Array, ip: number): number => read16(bytes, ip + ID)
export const dontFragment = (bytes: Uint8Array, ip: number): boolean => (bytes[ip + FRAGMENT] & 0x40) !== 0
export const moreFragments = (bytes: Uint8Array, ip: number): boolean => (bytes[ip + FRAGMENT] & 0x20) !== 0
/** In bytes. */
export const fragmentOffset = (bytes: Uint8Array, ip: number): number => (read16(bytes, ip + FRAGMENT) & 0x1fff) << 3
/** Sets the identification and keeps the header checksum right. */
export function setIdentification(bytes: Uint8Array, ip: number, value: number): void {
  update16(bytes, ip + CHECKSUM, read16(bytes, ip + ID), value)
  write16(bytes, ip + ID, value)
}
export const isFragment = (bytes: Uint8Array, ip: number): boolean => (read16(bytes, ip + FRAGMENT) & 0x3fff) !== 0
export const timeToLive = (bytes: Uint8Array, ip: number): number => bytes[ip + TTL]
export const protocol = (bytes: Uint8Array, ip: number): number => bytes[ip + PROTOCOL_AT]
export const headerChecksum = (bytes: Uint8Array, ip: number): number => read16(bytes, ip + CHECKSUM)
export const source = (bytes: Uint8Array, ip: number): Ipv4Address => readInt32(bytes, ip + SOURCE) as Ipv4Address
export const destination = (bytes: Uint8Array, ip: number): Ipv4Address => readInt32(bytes, ip + DESTINATION) as Ipv4Address

/** Sets the source address and keeps the header checksum right. */
export const setSource = (bytes: Uint8Array, ip: number, value: Ipv4Address): void => replaceAddress(bytes, ip, ip + SOURCE, value)
/** Sets the destination address and keeps the header checksum right. */
export const setDestination = (bytes: Uint8Array, ip: number, value: Ipv4Address): void => replaceAddress(bytes, ip, ip + DESTINATION, value)

function replaceAddress(bytes: Uint8Array, ip: number, at: number, value: Ipv4Address): void {
  update32(bytes, ip + CHECKSUM, readInt32(bytes, at), value)
  write32(bytes, at, value)
}

/** RFC 1812 §5.3.1: one less, the checksum kept right. The caller has seen that it is above 1. */
export function decrementTimeToLive(bytes: Uint8Array, ip: number): void {
  const before = read16(bytes, ip + TTL)
  bytes[ip + TTL]--
  update16(bytes, ip + CHECKSUM, before, read16(bytes, ip + TTL))
}

/** Whether the header says itself which way the packet takes (loose or strict source route, RFC 791 §3.1). */
export function hasSourceRoute(bytes: Uint8Array, ip: number): boolean {
  const end = ip + headerLength(bytes, ip)
  for (let at = ip + MINIMUM_HEADER; at >= 0 && at < end; at = nextOption(bytes, at, end)) {
    if (bytes[at] === LOOSE_SOURCE_ROUTE || bytes[at] === STRICT_SOURCE_ROUTE) return true
  }
  return false
}

/** Sets where in its datagram the packet's payload stands, a multiple of 8 bytes. The header checksum is the caller's to write. */
export function setFragment(bytes: Uint8Array, ip: number, offset: number, more: boolean): void {
  write16(bytes, ip + FRAGMENT, (read16(bytes, ip + FRAGMENT) & 0xc000) | (more ? 0x2000 : 0) | (offset >>> 3))
}

/** Sets both lengths, in bytes. The header checksum is the caller's to write. */
export function setLengths(bytes: Uint8Array, ip: number, header: number, total: number): void {
  bytes[ip + VERSION_IHL] = 0x40 | (header >>> 2)
  write16(bytes, ip + TOTAL_LENGTH, total)
}

export interface Ipv4Header {
  readonly source: Ipv4Address
  readonly destination: Ipv4Address
  readonly protocol: number
  /** Header and payload, bytes. */
  readonly totalLength: number
  readonly timeToLive?: number
  readonly identification?: number
  readonly dontFragment?: boolean
  readonly typeOfService?: number
}

/** Writes a 20-byte header with its checksum at `ip`. */
export function writeHeader(bytes: Uint8Array, ip: number, header: Ipv4Header): void {
  bytes[ip + VERSION_IHL] = 0x45
  bytes[ip + TOS] = header.typeOfService ?? 0
  write16(bytes, ip + TOTAL_LENGTH, header.totalLength)
  write16(bytes, ip + ID, header.identification ?? 0)
  write16(bytes, ip + FRAGMENT, header.dontFragment === true ? 0x4000 : 0)
  bytes[ip + TTL] = header.timeToLive ?? 64
  bytes[ip + PROTOCOL_AT] = header.protocol
  write32(bytes, ip + SOURCE, header.source)
  write32(bytes, ip + DESTINATION, header.destination)
  writeChecksum(bytes, ip)
}

/** Computes the header checksum afresh. */
export function writeChecksum(bytes: Uint8Array, ip: number): void {
  write16(bytes, ip + CHECKSUM, 0)
  write16(bytes, ip + CHECKSUM, checksum(bytes, ip, ip + headerLength(bytes, ip)))
}
