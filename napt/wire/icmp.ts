// ICMP for IPv4 (RFC 792). Offsets count from the ICMP header.
import { read16, write16 } from './bytes.js'
import { checksum as internetChecksum } from './checksum.js'
import type { Port } from './address.js'

export const HEADER = 8
export const CHECKSUM = 2
export const TYPE = { echoReply: 0, unreachable: 3, sourceQuench: 4, redirect: 5, echo: 8, timeExceeded: 11, parameterProblem: 12, timestamp: 13, timestampReply: 14 } as const
export const UNREACHABLE = { network: 0, host: 1, protocol: 2, port: 3, fragmentationNeeded: 4, prohibited: 13 } as const

const TYPE_AT = 0, CODE = 1, IDENTIFIER = 4, SEQUENCE = 6

/** 'truncated' when it is shorter than a header, else null. */
export const check = (icmp: number, end: number): 'truncated' | null => end - icmp < HEADER ? 'truncated' : null

export const type = (bytes: Uint8Array, icmp: number): number => bytes[icmp + TYPE_AT]
export const code = (bytes: Uint8Array, icmp: number): number => bytes[icmp + CODE]
export const checksum = (bytes: Uint8Array, icmp: number): number => read16(bytes, icmp + CHECKSUM)
/** The query identifier, which a NAPT treats as a port (RFC 3022 §2.2). */
export const identifier = (bytes: Uint8Array, icmp: number): Port => read16(bytes, icmp + IDENTIFIER) as Port
export const sequence = (bytes: Uint8Array, icmp: number): number => read16(bytes, icmp + SEQUENCE)
/** Of "fragmentation needed": the MTU of the next hop, 0 from routers older than RFC 1191 (§4). */
export const nextHopMtu = sequence
/** Where the packet that an error quotes begins. */
export const quoted = (icmp: number): number => icmp + HEADER

export const isQuery = (value: number): boolean =>
  value === TYPE.echo || value === TYPE.echoReply || value === TYPE.timestamp || value === TYPE.timestampReply
export const isQueryRequest = (value: number): boolean => value === TYPE.echo || value === TYPE.timestamp
/**
 * The messages that quote the packet they are about, and mean something beyond the cable: a redirect does not (RFC 1812
 * §5.2.7.2), and source quench is dead (RFC 6633 §5).
 */
export const isError = (value: number): boolean => value === TYPE.unreachable || value === TYPE.timeExceeded || value === TYPE.parameterProblem

export const checksumHolds = (bytes: Uint8Array, icmp: number, end: number): boolean => internetChecksum(bytes, icmp, end) === 0

/** Computes the checksum afresh. */
export function writeChecksum(bytes: Uint8Array, icmp: number, end: number): void {
  write16(bytes, icmp + CHECKSUM, 0)
  write16(bytes, icmp + CHECKSUM, internetChecksum(bytes, icmp, end))
}

/** Writes a header with its checksum; `identifier` and `sequence` are the rest of the header for errors too. The body ends at `end`. */
export function writeHeader(bytes: Uint8Array, icmp: number, end: number, header: { type: number, code?: number, identifier?: number, sequence?: number }): void {
  bytes[icmp + TYPE_AT] = header.type
  bytes[icmp + CODE] = header.code ?? 0
  write16(bytes, icmp + IDENTIFIER, header.identifier ?? 0)
  write16(bytes, icmp + SEQUENCE, header.sequence ?? 0)
  writeChecksum(bytes, icmp, end)
}
