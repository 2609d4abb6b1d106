// Reads capture files of both resolutions and both byte orders. The package `pcap-parser` takes the records apart; this
// file stands guard before it, because the parser knows no nanosecond magic, ends silently in the middle of a record, and
// trusts every length. So it is given whole records only, under a magic that it knows, in one chunk (with more than one it
// would copy through the deprecated `new Buffer`), and times are scaled here.
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import parser from 'pcap-parser'
import { CaptureFileError, FILE_HEADER, LINK_TYPE_ETHERNET, LONGEST_RECORD, MAGIC, RECORD_HEADER, type CapturedPacket, type PcapFormat } from './pcap.js'

export interface Capture {
  /** As the caller named it; for messages. */
  readonly file: string
  readonly packets: readonly CapturedPacket[]
  /** What stopped the reading before the end of the file; the packets before it are there. */
  readonly damage: CaptureFileError | null
}

/** What a pcap file holds. */
export interface PcapCapture extends Capture { readonly format: PcapFormat }

/**
 * @throws CaptureFileError when the file is not a capture of Ethernet frames at all, or cannot be read. A file that is one
 * as far as it goes gives its packets, and `damage`.
 */
export async function readPcapFile(path: string): Promise<PcapCapture> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new CaptureFileError(path, 0, `the file cannot be read (${error instanceof Error ? error.message : String(error)})`, 'Give the path of a capture file that you may read.')
  }
  return readPcap(bytes, path)
}

/** As `readPcapFile`, from memory. `bytes` is left alone and not kept. */
export async function readPcap(bytes: Uint8Array, file = 'capture'): Promise<PcapCapture> {
  const format = readFormat(bytes, file)
  const { end, damage } = findDamage(bytes, format, file)
  const whole = Buffer.from(bytes.subarray(0, end))
  const view = new DataView(whole.buffer, whole.byteOffset)
  view.setUint32(0, MAGIC.microseconds, format.byteOrder === 'little')
  return { file, format, damage, packets: await parse(whole, format.resolution === 'nanoseconds' ? 1n : 1000n) }
}

function parse(whole: Buffer, unit: bigint): Promise<CapturedPacket[]> {
  const packets: CapturedPacket[] = []
  return new Promise((resolve, reject) => {
    parser.parse(Readable.from([whole]))
      .on('packet', ({ header, data }) => {
        packets.push({
          number: packets.length + 1,
          time: BigInt(header.timestampSeconds) * 1_000_000_000n + BigInt(header.timestampMicroseconds) * unit,
          bytes: new Uint8Array(data.buffer, data.byteOffset, data.length),
          originalLength: header.originalLength,
        })
      })
      .on('error', reject)
      .on('end', () => { resolve(packets) })
  })
}

/** The file header's verdict. */
function readFormat(bytes: Uint8Array, file: string): PcapFormat {
  const fail = (offset: number, found: string, advice: string): never => { throw new CaptureFileError(file, offset, found, advice) }
  if (bytes.length === 0) fail(0, 'the file is empty', 'The capture was never written; run it again.')
  if (bytes.length < 4) fail(0, `the file ends after ${bytes.length} bytes, before a magic number`, 'Give a pcap file.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const format = formatOf(view)
  if (format === null) {
    const magic = view.getUint32(0)
    if (magic === MAGIC.pcapng) fail(0, 'this is a pcapng file, which naptlab does not read yet', 'Convert it first: tshark -r FILE -F nsecpcap -w FILE.pcap')
    if (magic >>> 16 === 0x1f8b) fail(0, 'the file is compressed with gzip', 'Unpack it first: gunzip FILE')
    return fail(0, `the magic number ${hex(magic)} is not a capture file's`, 'Give a pcap file (magic 0xa1b2c3d4 or 0xa1b23c4d, in either byte order).')
  }
  if (bytes.length < FILE_HEADER) fail(bytes.length, `the file ends inside its ${FILE_HEADER}-byte header`, 'The file was cut short; get it again.')
  const little = format.byteOrder === 'little'
  const major = view.getUint16(4, little), minor = view.getUint16(6, little)
  if (major !== 2 || minor !== 4) fail(4, `the format version is ${major}.${minor}`, 'Only version 2.4 exists; the file is damaged or not a capture.')
  const linkType = view.getUint32(20, little) & 0xffff
  if (linkType !== LINK_TYPE_ETHERNET) fail(20, `the link type is ${linkType}, not Ethernet (1)`, 'Capture on one Ethernet interface (not on "any").')
  return format
}

function formatOf(view: DataView): PcapFormat | null {
  for (const byteOrder of ['little', 'big'] as const) {
    const magic = view.getUint32(0, byteOrder === 'little')
    if (magic === MAGIC.nanoseconds) return { byteOrder, resolution: 'nanoseconds' }
    if (magic === MAGIC.microseconds) return { byteOrder, resolution: 'microseconds' }
  }
  return null
}

/** Walks the records' lengths; `end` is where the last whole record ends. */
function findDamage(bytes: Uint8Array, { byteOrder }: PcapFormat, file: string): { end: number, damage: CaptureFileError | null } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const cutShort = 'The packets before it were read; the file was cut short, so capture again or ask for the whole file.'
  let at = FILE_HEADER, record = 1
  for (; at < bytes.length; record++) {
    const stop = (found: string, advice: string): { end: number, damage: CaptureFileError } => ({ end: at, damage: new CaptureFileError(file, at, found, advice) })
    const left = bytes.length - at
    if (left < RECORD_HEADER) return stop(`the file ends ${left} bytes into the header of record ${record} (${RECORD_HEADER} bytes)`, cutShort)
    const length = view.getUint32(at + 8, byteOrder === 'little')
    if (length > LONGEST_RECORD) return stop(`record ${record} claims ${length} bytes (at most ${LONGEST_RECORD} are possible)`, 'The packets before it were read; the file is damaged from here on.')
    if (length > left - RECORD_HEADER) return stop(`record ${record} holds ${left - RECORD_HEADER} of its ${length} bytes`, cutShort)
    at += RECORD_HEADER + length
  }
  return { end: at, damage: null }
}

const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`
