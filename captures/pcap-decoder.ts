// Takes a pcap file apart as its bytes come, in both resolutions and both byte orders. The package `pcap-parser` takes the records
// apart; this file stands guard before it, because the parser knows no nanosecond magic and no older record, ends silently in the
// middle of one, and trusts every length. So it is given whole records only, of the one kind that it knows, and times are scaled here.
// It is fed a window that moves instead of a Buffer, of which it would slice four a packet and copy every chunk: so it takes half
// the time.
import { EventEmitter } from 'node:events'
import parser, { type ParserBytes } from 'pcap-parser'
import { CaptureDecoder, CUT_SHORT } from './capture-decoder.js'
import { Nanoseconds } from './nanoseconds.js'
import { CaptureFileError, encodeFileHeader, FILE_HEADER, LONGEST_RECORD, MAGIC, MODIFIED_RECORD_HEADER, RECORD_HEADER, type ByteOrder } from './pcap.js'
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
  readonly #window = new Window()
  readonly #feed = Object.assign(new EventEmitter(), { pause: () => undefined, resume: () => undefined })

  protected override take(bytes: Uint8Array): number {
    let from = 0
    if (!this.isBegun) {
      if (bytes.length < FILE_HEADER) return 0
      this.#readHeader(bytes)
      from = FILE_HEADER
    }
    const { end, damage } = this.#findWholeRecords(bytes, from)
    this.#window.show(this.#normalize(bytes, from, end))
    this.#feed.emit('data', null)
    if (damage !== null) throw damage
    return end
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
    const only: CaptureInterface = { id: 0, name: '', description: '', linkType: view.getUint32(20, little) & 0xffff, snapLength: view.getUint32(16, little) }
    this.interfaces.push(only)
    this.#startParser(only)
    this.begin()
  }

  #startParser(only: CaptureInterface): void {
    const clock = new Nanoseconds(), { byteOrder, nanosecondsAUnit } = this.#layout
    parser.parse(this.#feed).on('packet', ({ header, data }) => {
      this.packets.push({
        number: this.nextNumber, time: clock.of(header.timestampSeconds, header.timestampMicroseconds * nanosecondsAUnit), bytes: data, originalLength: header.originalLength,
        interface: only, direction: null, packetId: null, comment: '',
      })
    })
    this.#window.show(encodeFileHeader({ byteOrder, resolution: 'microseconds' }))
    this.#feed.emit('data', this.#window)
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

  #findWholeRecords(bytes: Uint8Array, from: number): { end: number, damage: CaptureFileError | null } {
    const view = viewOf(bytes), head = this.#layout.recordHeader
    let at = from
    while (bytes.length - at >= head) {
      const length = this.#capturedLength(view, at)
      if (length > LONGEST_RECORD) return { end: at, damage: this.damageAt(at, `record ${this.#records + 1} claims ${length} bytes (at most ${LONGEST_RECORD} are possible)`) }
      if (length > bytes.length - at - head) break
      at += head + length
      this.#records++
    }
    return { end: at, damage: null }
  }

  #capturedLength(view: DataView, at: number): number {
    const { byteOrder, areLengthsSwapped } = this.#layout, little = byteOrder === 'little'
    const first = view.getUint32(at + 8, little)
    if (areLengthsSwapped === 'no') return first
    const second = view.getUint32(at + 12, little)
    return areLengthsSwapped === 'yes' || first > second ? second : first
  }

  /** Makes whole records such as the parser knows of other ones, in their place. */
  #normalize(bytes: Uint8Array, from: number, end: number): Uint8Array {
    const { byteOrder, recordHeader, areLengthsSwapped } = this.#layout, little = byteOrder === 'little'
    if (recordHeader === RECORD_HEADER && areLengthsSwapped === 'no') return bytes.subarray(from, end)
    const view = viewOf(bytes)
    let to = from
    for (let at = from; at < end;) {
      const captured = this.#capturedLength(view, at), lengths = view.getUint32(at + 8, little) + view.getUint32(at + 12, little)
      bytes.copyWithin(to, at, at + 8)
      view.setUint32(to + 8, captured, little)
      view.setUint32(to + 12, lengths - captured, little)
      bytes.copyWithin(to + RECORD_HEADER, at + recordHeader, at + recordHeader + captured)
      at += recordHeader + captured
      to += RECORD_HEADER + captured
    }
    return bytes.subarray(from, to)
  }
}

/** What the parser takes for a Buffer: where a Buffer makes another one that begins later, this one moves on. */
class Window implements ParserBytes {
  length = 0
  #at = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))

  show(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
    this.#at = 0
    this.length = bytes.length
  }

  toString(encoding: 'hex', from: number, to: number): string { return Buffer.from(this.slice(0, to)).toString(encoding, from) }
  readUInt16LE(at: number): number { return this.#view.getUint16(this.#at + at, true) }
  readUInt16BE(at: number): number { return this.#view.getUint16(this.#at + at) }
  readUInt32LE(at: number): number { return this.#view.getUint32(this.#at + at, true) }
  readUInt32BE(at: number): number { return this.#view.getUint32(this.#at + at) }
  readInt32LE(at: number): number { return this.#view.getInt32(this.#at + at, true) }
  readInt32BE(at: number): number { return this.#view.getInt32(this.#at + at) }

  slice(from: number): this
  slice(from: 0, to: number): Uint8Array
  slice(from: number, to?: number): this | Uint8Array {
    if (to !== undefined) return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, to)
    this.#at += from
    this.length -= from
    return this
  }
}

function magicOf(view: DataView): { readonly name: 'microseconds' | 'nanoseconds' | 'modified', readonly byteOrder: ByteOrder } | null {
  for (const byteOrder of ['little', 'big'] as const) {
    const magic = view.getUint32(0, byteOrder === 'little')
    for (const name of ['microseconds', 'nanoseconds', 'modified'] as const) if (magic === MAGIC[name]) return { name, byteOrder }
  }
  return null
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
