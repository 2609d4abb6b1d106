// TCP (RFC 9293). Offsets count from the TCP header. A segment's length is not in it: it is what IPv4 leaves.
import { read16, read32, write16, write32 } from './bytes.js'
import { checksum as internetChecksum, pseudoHeaderSum } from './checksum.js'
import { PROTOCOL } from './ipv4.js'
import type { Port } from './address.js'

export const MINIMUM_HEADER = 20
export const CHECKSUM = 16
/** The kind of the option that says how long a segment may be (RFC 9293 §3.2). */
export const MAXIMUM_SEGMENT_SIZE = 2
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const

const SOURCE = 0, DESTINATION = 2, SEQUENCE = 4, ACKNOWLEDGEMENT = 8, DATA_OFFSET = 12, FLAGS = 13, WINDOW = 14, URGENT = 18

/** 'truncated' when the header does not fit `bytes[tcp, end)`, 'malformed' when its length is impossible, else null. */
export function check(bytes: Uint8Array, tcp: number, end: number): 'truncated' | 'malformed' | null {
  if (end - tcp < MINIMUM_HEADER) return 'truncated'
  if (headerLength(bytes, tcp) < MINIMUM_HEADER) return 'malformed'
  return headerLength(bytes, tcp) > end - tcp ? 'truncated' : null
}

export const sourcePort = (bytes: Uint8Array, tcp: number): Port => read16(bytes, tcp + SOURCE) as Port
export const destinationPort = (bytes: Uint8Array, tcp: number): Port => read16(bytes, tcp + DESTINATION) as Port
export const sequence = (bytes: Uint8Array, tcp: number): number => read32(bytes, tcp + SEQUENCE)
export const acknowledgement = (bytes: Uint8Array, tcp: number): number => read32(bytes, tcp + ACKNOWLEDGEMENT)
/** Bytes, options included. */
export const headerLength = (bytes: Uint8Array, tcp: number): number => (bytes[tcp + DATA_OFFSET] >>> 4) << 2
export const flags = (bytes: Uint8Array, tcp: number): number => bytes[tcp + FLAGS]
export const windowSize = (bytes: Uint8Array, tcp: number): number => read16(bytes, tcp + WINDOW)
export const checksum = (bytes: Uint8Array, tcp: number): number => read16(bytes, tcp + CHECKSUM)
/** The sequence numbers that a segment takes: its payload's bytes, and one each for SYN and FIN (RFC 9293 §3.4). */
export const segmentLength = (bytes: Uint8Array, tcp: number, end: number): number =>
  end - tcp - headerLength(bytes, tcp) + ((flags(bytes, tcp) & FLAG.syn) !== 0 ? 1 : 0) + ((flags(bytes, tcp) & FLAG.fin) !== 0 ? 1 : 0)
/** A view, not a copy. */
export const payload = (bytes: Uint8Array, tcp: number, end: number): Uint8Array => bytes.subarray(tcp + headerLength(bytes, tcp), end)

/** `end` is where the IPv4 packet ends; `ip` where it begins. */
export const checksumHolds = (bytes: Uint8Array, ip: number, tcp: number, end: number): boolean =>
  internetChecksum(bytes, tcp, end, pseudoHeaderSum(bytes, ip, PROTOCOL.tcp, end - tcp)) === 0

/** Computes the checksum afresh. */
export function writeChecksum(bytes: Uint8Array, ip: number, tcp: number, end: number): void {
  write16(bytes, tcp + CHECKSUM, 0)
  write16(bytes, tcp + CHECKSUM, internetChecksum(bytes, tcp, end, pseudoHeaderSum(bytes, ip, PROTOCOL.tcp, end - tcp)))
}

export interface TcpHeader {
  readonly source: Port
  readonly destination: Port
  readonly sequence: number
  readonly acknowledgement?: number
  readonly flags: number
  readonly window?: number
}

/** Writes a 20-byte header with its checksum; the payload stands behind it already and ends at `end`. */
export function writeHeader(bytes: Uint8Array, ip: number, tcp: number, end: number, header: TcpHeader): void {
  write16(bytes, tcp + SOURCE, header.source)
  write16(bytes, tcp + DESTINATION, header.destination)
  write32(bytes, tcp + SEQUENCE, header.sequence)
  write32(bytes, tcp + ACKNOWLEDGEMENT, header.acknowledgement ?? 0)
  bytes[tcp + DATA_OFFSET] = 0x50
  bytes[tcp + FLAGS] = header.flags
  write16(bytes, tcp + WINDOW, header.window ?? 64240)
  write16(bytes, tcp + URGENT, 0)
  writeChecksum(bytes, ip, tcp, end)
}

const FLAG_LETTERS: readonly (readonly [number, string])[] = [[FLAG.syn, 'SYN'], [FLAG.fin, 'FIN'], [FLAG.rst, 'RST'], [FLAG.psh, 'PSH'], [FLAG.ack, 'ACK'], [FLAG.urg, 'URG']]

/** As in `SYN ACK`. */
export const formatFlags = (value: number): string =>
  FLAG_LETTERS.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name).join(' ') || 'none'
