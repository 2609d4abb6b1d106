// UDP (RFC 768). Offsets count from the UDP header.
import { read16, write16 } from './bytes.js'
import { fold, checksum as internetChecksum, pseudoHeaderSum } from './checksum.js'
import { PROTOCOL } from './ipv4.js'
import type { Port } from './address.js'

export const HEADER = 8
export const CHECKSUM = 6

const SOURCE = 0, DESTINATION = 2, LENGTH = 4

/** 'truncated' when the datagram does not fit `bytes[udp, end)`, 'malformed' when its length is below the header's, else null. */
export function check(bytes: Uint8Array, udp: number, end: number): 'truncated' | 'malformed' | null {
  if (end - udp < HEADER) return 'truncated'
  if (length(bytes, udp) < HEADER) return 'malformed'
  return length(bytes, udp) > end - udp ? 'truncated' : null
}

export const sourcePort = (bytes: Uint8Array, udp: number): Port => read16(bytes, udp + SOURCE) as Port
export const destinationPort = (bytes: Uint8Array, udp: number): Port => read16(bytes, udp + DESTINATION) as Port
/** Header and payload, bytes. */
export const length = (bytes: Uint8Array, udp: number): number => read16(bytes, udp + LENGTH)
/** 0 means that the sender computed none. */
export const checksum = (bytes: Uint8Array, udp: number): number => read16(bytes, udp + CHECKSUM)
/** A view, not a copy. */
export const payload = (bytes: Uint8Array, udp: number): Uint8Array => bytes.subarray(udp + HEADER, udp + length(bytes, udp))

/** True when there is no checksum, or when it is right. `ip` is where the IPv4 header begins. */
export const checksumHolds = (bytes: Uint8Array, ip: number, udp: number): boolean =>
  checksum(bytes, udp) === 0 ||
  internetChecksum(bytes, udp, udp + length(bytes, udp), pseudoHeaderSum(bytes, ip, PROTOCOL.udp, length(bytes, udp))) === 0

/** Writes a header with its checksum; the payload of `payloadLength` bytes stands behind it already. */
export function writeHeader(bytes: Uint8Array, ip: number, udp: number, source: Port, destination: Port, payloadLength: number): void {
  write16(bytes, udp + SOURCE, source)
  write16(bytes, udp + DESTINATION, destination)
  write16(bytes, udp + LENGTH, HEADER + payloadLength)
  writeChecksum(bytes, ip, udp)
}

/** Computes the checksum afresh; a sum of zero is sent as 0xffff (RFC 768). */
export function writeChecksum(bytes: Uint8Array, ip: number, udp: number): void {
  write16(bytes, udp + CHECKSUM, 0)
  const sum = internetChecksum(bytes, udp, udp + length(bytes, udp), pseudoHeaderSum(bytes, ip, PROTOCOL.udp, length(bytes, udp)))
  write16(bytes, udp + CHECKSUM, sum === 0 ? 0xffff : sum)
}

/** The partial form (see checksum.ts): the pseudo-header's folded sum. */
export const partialChecksum = (bytes: Uint8Array, ip: number, udp: number): number => fold(pseudoHeaderSum(bytes, ip, PROTOCOL.udp, length(bytes, udp)))
