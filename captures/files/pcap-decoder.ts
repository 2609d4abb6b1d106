// Takes a pcap file apart as its bytes come, in both resolutions and both byte orders. The package `pcap-parser` reads the file's
// header; the records are read here, into columns: the parser makes six objects a packet, knows no nanosecond magic and no older
// record, ends silently in the middle of one, and trusts every length. (The tests compare the two.)
import { EventEmitter } from 'node:events'
import parser, { type FileHeader } from 'pcap-parser'
import { CaptureDecoder, CUT_SHORT } from './capture-decoder.js'
import { Nanoseconds } from './nanoseconds.js'
import { CaptureFileError, FILE_HEADER, LONGEST_RECORD, MAGIC, MODIFIED_RECORD_HEADER, RECORD_HEADER, type ByteOrder } from './pcap.js'
import type { CaptureInterface } from './pcapng/format.js'

/** How the records of a file are written. */
interface Layout {
  readonly byteOrder: ByteOrder
  readonly nanosecondsAUnit: 1 | 1000
  readonly recordHeader: typeof RECORD_HEADER | typeof MODIFIED_RECORD_HEADER
  /** Before version 2.3 the wire's length came before the file's, in 2.3 from some programs. */
  readonly areLengthsSwapped: 'no' | 'yes' | 'where the first is longer'
}

export class PcapDecoder extends CaptureDecoder {
  override readonly format = 'pcap'
  #layout: Layout = { byteOrder: 'little', nanosecondsAUnit: 1, recordHeader: RECORD_HEADER, areLengthsSwapped: 'no' }
  /** Records that were found whole. */
  #records = 0
  readonly #clock = new Nanoseconds()

  protected override take(bytes: Uint8Array): number {
    if (this.isBegun) return this.#takeRecords(bytes, 0)
    if (bytes.length < FILE_HEADER) return 0
    this.#readHeader(bytes)
    return this.#takeRecords(bytes, FILE_HEADER)
  }

  protected override sizeOf(part: Uint8Array): number {
    const head = this.#layout.recordHeader
    if (!this.isBegun) return FILE_HEADER
    return part.length < head ? head : head + this.#capturedLength(viewOf(part), 0)
  }

  protected override cut(part: Uint8Array): CaptureFileError | null {
    if (!this.isBegun) return this.#headerDamage(viewOf(part)) ?? this.damageAt(part.length, `the file ends inside its ${FILE_HEADER}-byte header`, 'The file was cut short; get it again.')
    if (part.length === 0) return null
    const head = this.#layout.recordHeader
    const found = part.length < head
      ? `the file ends ${part.length} bytes into the header of record ${this.#records + 1} (${head} bytes)`
      : `record ${this.#records + 1} holds ${part.length - head} of its ${this.#capturedLength(viewOf(part), 0)} bytes`
    return this.damageAt(0, found, CUT_SHORT)
  }

  #readHeader(bytes: Uint8Array): void {
    const view = viewOf(bytes), magic = magicOf(view)
    const damage = this.#headerDamage(view)
    if (damage !== null || magic === null) throw damage ?? this.damageAt(0, 'this is no pcap file')
    const { byteOrder } = magic, little = byteOrder === 'little', minor = view.getUint16(6, little)
    this.#layout = {
      byteOrder,
      nanosecondsAUnit: magic.name === 'nanoseconds' ? 1 : 1000,
      recordHeader: magic.name === 'modified' ? MODIFIED_RECORD_HEADER : RECORD_HEADER,
      areLengthsSwapped: minor < 3 ? 'yes' : minor === 3 ? 'where the first is longer' : 'no',
    }
    // Above the link type stand the lengths of a checksum that some cards leave behind the frame.
    const { linkLayerType, snapshotLength } = parseHeader(bytes.subarray(0, FILE_HEADER), byteOrder)
    const only: CaptureInterface = { id: 0, name: '', description: '', linkType: linkLayerType & 0xffff, snapLength: snapshotLength }
    this.interfaces.push(only)
    this.begin()
  }

  /** What is wrong with the file's header, as far as it is there. */
  #headerDamage(view: DataView): CaptureFileError | null {
    if (view.byteLength === 0) return this.damageAt(0, 'the file is empty', 'The capture was never written; run it again.')
    if (view.byteLength < 4) return this.damageAt(0, `the file ends after ${view.byteLength} bytes, before a magic number`, 'Give a pcap or pcapng file.')
    const magic = magicOf(view), found = view.getUint32(0)
    if (found >>> 16 === 0x1f8b) return this.damageAt(0, 'the file is compressed with gzip', 'Unpack it first: gunzip FILE')
    if (magic === null) return this.damageAt(0, `the magic number 0x${found.toString(16).padStart(8, '0')} is not a capture file's`, 'Give a pcap file (magic 0xa1b2c3d4 or 0xa1b23c4d, in either byte order) or a pcapng file.')
    if (view.byteLength < FILE_HEADER) return null
    const little = magic.byteOrder === 'little', major = view.getUint16(4, little), minor = view.getUint16(6, little)
    return major === 2 && minor <= 4 ? null : this.damageAt(4, `the format version is ${major}.${minor}`, 'Only versions 2.0 to 2.4 exist; the file is damaged or not a capture.')
  }

  /** @returns where the first record begins that is not whole */
  #takeRecords(bytes: Uint8Array, from: number): number {
    const { byteOrder, recordHeader: head, nanosecondsAUnit } = this.#layout, little = byteOrder === 'little'
    const view = viewOf(bytes), base = bytes.byteOffset, clock = this.#clock, { batch } = this
    let at = from
    while (bytes.length - at >= head) {
      const length = this.#capturedLength(view, at)
      if (length > LONGEST_RECORD) throw this.damageAt(at, `record ${this.#records + 1} claims ${length} bytes (at most ${LONGEST_RECORD} are possible)`)
      const end = at + head + length
      if (end > bytes.length) break
      clock.set(view.getUint32(at, little), view.getUint32(at + 4, little) * nanosecondsAUnit)
      const originalLength = view.getUint32(at + 8, little) + view.getUint32(at + 12, little) - length
      batch.add(base + at + head, base + end, originalLength, clock.high, clock.low, 0)
      at = end
      this.#records++
    }
    return at
  }

  #capturedLength(view: DataView, at: number): number {
    const { byteOrder, areLengthsSwapped } = this.#layout, little = byteOrder === 'little'
    const first = view.getUint32(at + 8, little)
    if (areLengthsSwapped === 'no') return first
    const second = view.getUint32(at + 12, little)
    return areLengthsSwapped === 'yes' || first > second ? second : first
  }
}

/** The parser is given what it knows: microseconds. */
function parseHeader(bytes: Uint8Array, byteOrder: ByteOrder): FileHeader {
  const header = Buffer.from(bytes), source = Object.assign(new EventEmitter(), { pause: () => undefined, resume: () => undefined })
  const found: FileHeader[] = []
  viewOf(header).setUint32(0, MAGIC.microseconds, byteOrder === 'little')
  parser.parse(source).on('globalHeader', each => found.push(each))
  source.emit('data', header)
  return found[0]
}

function magicOf(view: DataView): { readonly name: 'microseconds' | 'nanoseconds' | 'modified', readonly byteOrder: ByteOrder } | null {
  for (const byteOrder of ['little', 'big'] as const) {
    const magic = view.getUint32(0, byteOrder === 'little')
    for (const name of ['microseconds', 'nanoseconds', 'modified'] as const) if (magic === MAGIC[name]) return { name, byteOrder }
  }
  return null
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
