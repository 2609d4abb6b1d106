// The pcap file format (draft-ietf-opsawg-pcap): one file header, then records of a 16-byte header and a frame.
// What the reader and the writer share, and the encoder. All multi-byte values are in the byte order of the magic.
import { LINK_TYPE } from '../decode/link-layer.js'

/** `modified`: Alexey Kuznetsov's libpcap of 1999, whose records say more of their interface; libpcap still reads it. */
export const MAGIC = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, modified: 0xa1b2cd34 } as const
export const FILE_HEADER = 24
export const RECORD_HEADER = 16
export const MODIFIED_RECORD_HEADER = 24
/** libpcap's own bound for a record; a longer one is damage, not a frame. Bytes. */
export const LONGEST_RECORD = 262_144

const NANOSECONDS_A_SECOND = 1_000_000_000n

/** One record of a capture. */
export interface CapturedPacket {
  /** Counts from 1, as Wireshark does. */
  readonly number: number
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly time: bigint
  readonly bytes: Uint8Array
  /** Length on the wire; more than `bytes.length` when the capture kept only the beginning. */
  readonly originalLength: number
}

/** A file that is not a capture, or stops being one at `offset`. */
export class CaptureFileError extends Error {
  override readonly name = 'CaptureFileError'
  readonly file: string
  /** Where in the file, bytes from its beginning. */
  readonly offset: number
  readonly found: string
  readonly advice: string

  constructor(file: string, offset: number, found: string, advice: string) {
    super(`${file}: at byte ${offset}: ${found}. ${advice}`)
    this.file = file
    this.offset = offset
    this.found = found
    this.advice = advice
  }
}

export type ByteOrder = 'little' | 'big'
export type Resolution = 'nanoseconds' | 'microseconds'
export interface PcapFormat { readonly byteOrder: ByteOrder, readonly resolution: Resolution }

/** What this project writes. */
const NATIVE_FORMAT: PcapFormat = { byteOrder: 'little', resolution: 'nanoseconds' }

/** The 24 bytes at the beginning of a file of Ethernet frames. */
export function encodeFileHeader({ byteOrder, resolution }: PcapFormat = NATIVE_FORMAT): Uint8Array {
  const header = new DataView(new ArrayBuffer(FILE_HEADER))
  const little = byteOrder === 'little'
  header.setUint32(0, MAGIC[resolution], little)
  header.setUint16(4, 2, little)
  header.setUint16(6, 4, little)
  header.setUint32(16, LONGEST_RECORD, little)
  header.setUint32(20, LINK_TYPE.ethernet, little)
  return new Uint8Array(header.buffer)
}

/**
 * One record. `time` is in nanoseconds since 1970; what a microsecond file cannot hold of it is cut off.
 * @throws RangeError for a frame or a time that the format cannot hold
 */
export function encodeRecord(time: bigint, bytes: Uint8Array, originalLength = bytes.length, format: PcapFormat = NATIVE_FORMAT): Uint8Array {
  if (bytes.length > LONGEST_RECORD) throw new RangeError(`a frame of ${bytes.length} bytes does not fit a pcap record (at most ${LONGEST_RECORD})`)
  const seconds = time / NANOSECONDS_A_SECOND
  if (time < 0n || seconds > 0xffffffffn) throw new RangeError(`the time ${time} ns does not fit a pcap record (32 bits of seconds since 1970)`)
  const fraction = Number(time % NANOSECONDS_A_SECOND)
  const record = new Uint8Array(RECORD_HEADER + bytes.length)
  const view = new DataView(record.buffer)
  const little = format.byteOrder === 'little'
  view.setUint32(0, Number(seconds), little)
  view.setUint32(4, format.resolution === 'nanoseconds' ? fraction : Math.floor(fraction / 1000), little)
  view.setUint32(8, bytes.length, little)
  view.setUint32(12, originalLength, little)
  record.set(bytes, RECORD_HEADER)
  return record
}

/** A whole capture file in memory. */
export function encodePcap(packets: Iterable<Omit<CapturedPacket, 'number'>>, format: PcapFormat = NATIVE_FORMAT): Uint8Array {
  const parts = [encodeFileHeader(format)]
  for (const { time, bytes, originalLength } of packets) parts.push(encodeRecord(time, bytes, originalLength, format))
  return new Uint8Array(Buffer.concat(parts))
}
