// The blocks of a pcapng file, as bytes: little-endian, with times in nanoseconds.
import type { Ipv4Address } from '../../../napt/wire/address.js'
import { BLOCK, BLOCK_FRAME, BYTE_ORDER_MAGIC, DIRECTION, NAME_RECORD, OPTION, padding, SECRETS_TLS, type CaptureInterface, type Direction, type InterfaceStatistics } from './format.js'

/** 10^-9 seconds, as if_tsresol has it. */
const NANOSECONDS = 9
const VERSION = { major: 1, minor: 0 }
const UNKNOWN_LENGTH = 0xffff_ffff_ffff_ffffn
const text = new TextEncoder()

/** Begins a file: what follows belongs to it. */
export function sectionHeader(application: string, comment = ''): Uint8Array {
  const head = new Uint8Array(16), view = new DataView(head.buffer)
  view.setUint32(0, BYTE_ORDER_MAGIC, true)
  view.setUint16(4, VERSION.major, true)
  view.setUint16(6, VERSION.minor, true)
  view.setBigUint64(8, UNKNOWN_LENGTH, true)
  return block(BLOCK.sectionHeader, [head], [...textOption(OPTION.comment, comment), ...textOption(OPTION.section.application, application)])
}

/** Interfaces number themselves from 0 in the order of their blocks. */
export function interfaceDescription({ name, description, linkType, snapLength }: Omit<CaptureInterface, 'id'>): Uint8Array {
  const head = new Uint8Array(8), view = new DataView(head.buffer)
  view.setUint16(0, linkType, true)
  view.setUint32(4, snapLength, true)
  return block(BLOCK.interfaceDescription, [head], [
    ...textOption(OPTION.interface.name, name), ...textOption(OPTION.interface.description, description),
    option(OPTION.interface.resolution, Uint8Array.of(NANOSECONDS)),
  ])
}

export interface PacketFacts {
  /** The number of its interface in the section. */
  readonly interfaceId: number
  /** Nanoseconds since 1970. */
  readonly time: bigint
  /** Length on the wire; that of the bytes when absent. */
  readonly originalLength?: number
  readonly direction?: Direction
  /** The same for each copy of one packet, such as the two sides of a router see (epb_packetid). */
  readonly packetId?: bigint
  /** For people; Wireshark shows it with the packet. */
  readonly comment?: string
}

/**
 * The block that a file has most of, so it is written in one go, into one piece of memory.
 * @throws RangeError for a time that 64 bits of nanoseconds do not hold, and for a comment of more than 65535 bytes
 */
export function enhancedPacket(bytes: Uint8Array, { interfaceId, time, originalLength = bytes.length, direction, packetId, comment = '' }: PacketFacts): Uint8Array {
  if (time < 0n || time > 0xffff_ffff_ffff_ffffn) throw new RangeError(`the time ${time} ns does not fit a pcapng packet (64 bits of nanoseconds since 1970)`)
  const commentLength = comment === '' ? 0 : Buffer.byteLength(comment)
  if (commentLength > 0xffff) throw new RangeError(`a comment of ${commentLength} bytes does not fit a pcapng option (at most 65535)`)
  const options = (comment === '' ? 0 : 4 + padded(commentLength)) + (direction === undefined ? 0 : 8) + (packetId === undefined ? 0 : 12)
  const length = BLOCK_FRAME + 20 + padded(bytes.length) + (options === 0 ? 0 : options + 4)
  const block = Buffer.allocUnsafe(length)
  put32(block, 0, BLOCK.enhancedPacket)
  put32(block, 4, length)
  put32(block, 8, interfaceId)
  wide[0] = time
  put32(block, 12, halves[HIGH])
  put32(block, 16, halves[LOW])
  put32(block, 20, bytes.length)
  put32(block, 24, originalLength)
  let at = 28 + padded(bytes.length)
  if (bytes.length > 0) put32(block, at - 4, 0) // the padding
  block.set(bytes, 28)
  if (comment !== '') {
    put32(block, at, OPTION.comment | commentLength << 16)
    at += 4 + padded(commentLength)
    put32(block, at - 4, 0)
    block.write(comment, at - padded(commentLength))
  }
  if (direction !== undefined) {
    put32(block, at, OPTION.packet.flags | 4 << 16)
    put32(block, at + 4, DIRECTION[direction])
    at += 8
  }
  if (packetId !== undefined) {
    put32(block, at, OPTION.packet.id | 8 << 16)
    wide[0] = packetId
    put32(block, at + 4, halves[LOW])
    put32(block, at + 8, halves[HIGH])
    at += 12
  }
  if (options > 0) put32(block, at, 0)
  put32(block, length - 4, length)
  return block
}

const padded = (length: number): number => length + padding(length)

/** A number of 64 bits and its halves. */
const wide = new BigUint64Array(1), halves = new Uint32Array(wide.buffer)
const [LOW, HIGH] = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0]

/** Little-endian, whatever the machine is. */
function put32(block: Uint8Array, at: number, value: number): void {
  block[at] = value
  block[at + 1] = value >>> 8
  block[at + 2] = value >>> 16
  block[at + 3] = value >>> 24
}

/** Names that Wireshark shows in place of addresses. */
export function nameResolution(names: ReadonlyMap<Ipv4Address, string>): Uint8Array {
  const records = [...names].map(([address, name]) => {
    const value = text.encode(`....${name}\0`)
    new DataView(value.buffer).setInt32(0, address)
    return option(NAME_RECORD.ipv4, value)
  })
  return block(BLOCK.nameResolution, [...records, endOfOptions()], [])
}

/** The lines of an NSS key log (SSLKEYLOGFILE), with which Wireshark decrypts what follows. */
export function tlsSecrets(keyLog: string): Uint8Array {
  const lines = text.encode(keyLog), head = new Uint8Array(8), view = new DataView(head.buffer)
  view.setUint32(0, SECRETS_TLS, true)
  view.setUint32(4, lines.length, true)
  return block(BLOCK.decryptionSecrets, [head, lines], [])
}

/** `time`: nanoseconds since 1970 at which the counters were read. */
export function interfaceStatistics(interfaceId: number, time: bigint, { received, dropped }: InterfaceStatistics): Uint8Array {
  const head = new Uint8Array(12), view = new DataView(head.buffer)
  view.setUint32(0, interfaceId, true)
  view.setUint32(4, Number(time >> 32n), true)
  view.setUint32(8, Number(time & 0xffff_ffffn), true)
  return block(BLOCK.interfaceStatistics, [head], [
    ...(received === null ? [] : [option(OPTION.statistics.received, little64(received))]),
    ...(dropped === null ? [] : [option(OPTION.statistics.dropped, little64(dropped))]),
  ])
}

/** `options` are whole ones; the end of options is put behind them if there are any. */
function block(type: number, body: readonly Uint8Array[], options: readonly Uint8Array[]): Uint8Array {
  const parts = [...body, ...(options.length === 0 ? [] : [...options, endOfOptions()])]
  // Only the parts of the body may be of odd length; each is padded where it stands.
  const length = BLOCK_FRAME + parts.reduce((sum, part) => sum + padded(part.length), 0)
  const bytes = new Uint8Array(length), view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, length, true)
  let at = 8
  for (const part of parts) {
    bytes.set(part, at)
    at += padded(part.length)
  }
  view.setUint32(length - 4, length, true)
  return bytes
}

/** @throws RangeError for a value that an option cannot hold */
function option(code: number, value: Uint8Array): Uint8Array {
  if (value.length > 0xffff) throw new RangeError(`${value.length} bytes do not fit a pcapng option (at most 65535)`)
  const bytes = new Uint8Array(4 + value.length + padding(value.length)), view = new DataView(bytes.buffer)
  view.setUint16(0, code, true)
  view.setUint16(2, value.length, true)
  bytes.set(value, 4)
  return bytes
}

const textOption = (code: number, value: string): Uint8Array[] => value === '' ? [] : [option(code, text.encode(value))]
const endOfOptions = (): Uint8Array => new Uint8Array(4)

function little64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}
