// Takes a pcapng file apart as its bytes come. A section may begin anywhere, in either byte order, with interfaces of its own.
// Packets are most of a file, so they are read straight from its bytes, and their options only where there are any.
import type { Ipv4Address } from '../../../napt/wire/address.js'
import { CaptureDecoder, CUT_SHORT, DAMAGED } from '../capture-decoder.js'
import { Nanoseconds } from '../nanoseconds.js'
import type { CaptureFileError } from '../pcap.js'
import {
  BLOCK, BLOCK_FRAME, BYTE_ORDER_MAGIC, DIRECTION, LONGEST_BLOCK, NAME_RECORD, OPTION, padding, SECRETS_TLS, type CaptureInterface, type Direction,
} from './format.js'

/** An interface with how its times are to be read. */
interface Timed {
  readonly interface: CaptureInterface
  readonly unitsASecond: bigint
  /** Seconds that all times are later than they say. */
  readonly offset: bigint
  /** Where they are whole nanoseconds and as they say; else 0. */
  readonly nanosecondsAUnit: number
}

/** A file with more than this is damage, or meant to fill memory. */
const MOST_INTERFACES = 65_536
/** Of all sections; more are left out. */
const MOST_NAMES = 65_536
/** Of all sections, in characters. */
const MOST_SECRETS = 1 << 26
const PACKET_HEAD = 20
const MICROSECONDS = 1_000_000n, NANOSECONDS = 1_000_000_000n
const WRONG_FILE = 'Give a pcapng file.'

export class PcapngDecoder extends CaptureDecoder {
  override readonly format = 'pcapng'
  readonly #clock = new Nanoseconds()
  #buffer: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #little = true
  /** Of the section. */
  #timed: Timed[] = []

  protected override take(bytes: Uint8Array): number {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    let at = 0
    for (let length = this.#lengthAt(at); length <= bytes.length - at; length = this.#lengthAt(at)) {
      const trailer = this.#uint32(at + length - 4)
      if (trailer !== length) throw this.damageAt(at + length - 4, `a block of ${length} bytes ends as one of ${trailer}`)
      this.#readBlock(at, at + 8, at + length - 4)
      at += length
    }
    return at
  }

  /** `take` has seen it, and left it. */
  protected override sizeOf(part: Uint8Array): number {
    return part.length < BLOCK_FRAME ? BLOCK_FRAME : new DataView(part.buffer, part.byteOffset).getUint32(4, this.#little)
  }

  protected override cut(part: Uint8Array): CaptureFileError | null {
    if (part.length > 0) return this.damageAt(0, `the file ends ${part.length} bytes into a block`, CUT_SHORT)
    return this.isBegun ? null : this.damageAt(0, 'the file is empty', 'The capture was never written; run it again.')
  }

  /** Of the block at `at`, or the least one where too little of it is there to know. */
  #lengthAt(at: number): number {
    if (this.#view.byteLength - at < BLOCK_FRAME) return BLOCK_FRAME
    const type = this.#view.getUint32(at)
    if (type === BLOCK.sectionHeader) this.#findByteOrder(at)
    else if (!this.isBegun) throw this.damageAt(at, `block type 0x${type.toString(16)} stands where a section header must`, WRONG_FILE)
    const length = this.#uint32(at + 4)
    if (length < BLOCK_FRAME || length % 4 !== 0) throw this.damageAt(at + 4, `a block claims ${length} bytes, which cannot be`)
    if (length > LONGEST_BLOCK) throw this.damageAt(at + 4, `a block claims ${length} bytes (at most ${LONGEST_BLOCK} are read)`)
    return length
  }

  #findByteOrder(at: number): void {
    const magic = this.#view.getUint32(at + 8)
    if (magic !== BYTE_ORDER_MAGIC && this.#view.getUint32(at + 8, true) !== BYTE_ORDER_MAGIC) {
      throw this.damageAt(at + 8, `the byte-order magic is 0x${magic.toString(16).padStart(8, '0')}`, this.isBegun ? DAMAGED : WRONG_FILE)
    }
    this.#little = magic !== BYTE_ORDER_MAGIC
  }

  /** @param at its body, which ends at `end` */
  #readBlock(block: number, at: number, end: number): void {
    switch (this.#uint32(block)) {
      case BLOCK.enhancedPacket: this.#readPacket(at, end, false); break
      case BLOCK.sectionHeader: this.#readSection(at, end); break
      case BLOCK.interfaceDescription: this.#readInterface(at, end); break
      case BLOCK.oldPacket: this.#readPacket(at, end, true); break
      case BLOCK.simplePacket: this.#readSimplePacket(at, end); break
      case BLOCK.nameResolution: this.#readNames(at, end); break
      case BLOCK.decryptionSecrets: this.#readSecrets(at, end); break
      case BLOCK.interfaceStatistics: this.#readStatistics(at, end); break
      // Any other is skipped, as the format asks.
    }
  }

  #readSection(at: number, end: number): void {
    this.#within(at, 16, end)
    const major = this.#uint16(at + 4)
    if (major !== 1) throw this.damageAt(at + 4, `the format version is ${major}.${this.#uint16(at + 6)}; only 1.x is known`, this.isBegun ? DAMAGED : WRONG_FILE)
    this.#timed = []
    this.begin()
  }

  #readInterface(at: number, end: number): void {
    this.#within(at, 8, end)
    if (this.interfaces.length >= MOST_INTERFACES) throw this.damageAt(at, `the file describes more than ${MOST_INTERFACES} interfaces`)
    let name = '', description = '', unitsASecond = MICROSECONDS, offset = 0n
    this.#eachOption(at + 8, end, (code, value, length) => {
      if (code === OPTION.interface.name) name = this.#text(value, length)
      else if (code === OPTION.interface.description) description = this.#text(value, length)
      else if (code === OPTION.interface.resolution && length === 1) unitsASecond = resolution(this.#view.getUint8(value))
      else if (code === OPTION.interface.offset && length === 8) offset = BigInt.asIntN(64, this.#uint64(value))
    })
    const described: CaptureInterface = { id: this.interfaces.length, name, description, linkType: this.#uint16(at), snapLength: this.#uint32(at + 4) }
    const isPlain = offset === 0n && NANOSECONDS % unitsASecond === 0n
    this.interfaces.push(described)
    this.#timed.push({ interface: described, unitsASecond, offset, nanosecondsAUnit: isPlain ? Number(NANOSECONDS / unitsASecond) : 0 })
  }

  #readPacket(at: number, end: number, isOld: boolean): void {
    this.#within(at, PACKET_HEAD, end)
    const from = this.#interfaceAt(at, isOld ? this.#uint16(at) : this.#uint32(at))
    const captured = this.#uint32(at + 12)
    this.#within(at + PACKET_HEAD, captured, end)
    let direction: Direction | null = null, packetId: bigint | null = null, comment = ''
    const options = at + PACKET_HEAD + captured + padding(captured)
    if (options < end) {
      this.#eachOption(options, end, (code, value, length) => {
        if (code === OPTION.comment) comment += (comment === '' ? '' : '\n') + this.#comment(value, length)
        else if (code === OPTION.packet.flags && length === 4) direction = directionOf(this.#uint32(value))
        else if (code === OPTION.packet.id && length === 8 && !isOld) packetId = this.#uint64(value)
      })
    }
    this.#add(from, at + PACKET_HEAD, captured, this.#uint32(at + 16), this.#uint32(at + 4), this.#uint32(at + 8))
    if (options < end) this.batch.describe(this.batch.count - 1, direction, packetId, comment)
  }

  /** Without time, options and, where the interface keeps all of a packet, a length of its own. */
  #readSimplePacket(at: number, end: number): void {
    this.#within(at, 4, end)
    const originalLength = this.#uint32(at), { interface: { id, snapLength } } = this.#interfaceAt(at, 0)
    const captured = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength), start = this.#view.byteOffset + at + 4
    this.#within(at + 4, captured, end)
    this.batch.add(start, start + captured, originalLength, 0, 0, id)
  }

  /** @param at of its bytes. @param high and `low` halves of its time, in the interface's units */
  #add({ interface: { id }, nanosecondsAUnit, unitsASecond, offset }: Timed, at: number, captured: number, originalLength: number, high: number, low: number): void {
    const clock = this.#clock, { batch } = this, start = this.#view.byteOffset + at, end = start + captured
    if (nanosecondsAUnit !== 0 && clock.setUnits(high, low, nanosecondsAUnit)) {
      batch.add(start, end, originalLength, clock.high, clock.low, id)
      return
    }
    const time = offset * NANOSECONDS + (BigInt(high) << 32n | BigInt(low)) * NANOSECONDS / unitsASecond
    clock.setTime(time)
    const i = batch.add(start, end, originalLength, clock.high, clock.low, id)
    if (time !== BigInt.asUintN(64, time)) batch.setOddTime(i, time)
  }

  #readNames(at: number, end: number): void {
    this.#eachOption(at, end, (kind, value, length) => {
      if (kind !== NAME_RECORD.ipv4 || length < 5 || this.names.size >= MOST_NAMES) return
      // The address is in the order of the network, whatever the section's; several names of one stand behind each other.
      const address = this.#view.getInt32(value) as Ipv4Address, name = this.#text(value + 4, length - 4).split('\0')[0]
      if (name !== '') this.names.set(address, name)
    })
  }

  #readSecrets(at: number, end: number): void {
    this.#within(at, 8, end)
    const length = this.#uint32(at + 4)
    this.#within(at + 8, length, end)
    if (this.#uint32(at) !== SECRETS_TLS) return
    if (this.keyLog.length + length > MOST_SECRETS) throw this.damageAt(at, `the file holds more than ${MOST_SECRETS} characters of secrets`)
    this.keyLog += this.#text(at + 8, length)
  }

  #readStatistics(at: number, end: number): void {
    this.#within(at, 12, end)
    const from = this.#interfaceAt(at, this.#uint32(at))
    let received: bigint | null = null, dropped: bigint | null = null
    this.#eachOption(at + 12, end, (code, value, length) => {
      if (length !== 8) return
      if (code === OPTION.statistics.received) received = this.#uint64(value)
      else if (code === OPTION.statistics.dropped) dropped = this.#uint64(value)
    })
    this.statistics.set(from.interface, { received, dropped })
  }

  #interfaceAt(at: number, id: number): Timed {
    const found = this.#timed.at(id)
    if (found === undefined) throw this.damageAt(at, `a block is of interface ${id}, and the section has described ${this.#timed.length}`)
    return found
  }

  #uint16(at: number): number { return this.#view.getUint16(at, this.#little) }
  #uint32(at: number): number { return this.#view.getUint32(at, this.#little) }
  #uint64(at: number): bigint { return this.#view.getBigUint64(at, this.#little) }

  /** A zero ends a text, however long its option is (draft-ietf-opsawg-pcapng, "Options"). */
  #comment(at: number, length: number): string {
    const end = this.#buffer.subarray(at, at + length).indexOf(0)
    return this.#text(at, end < 0 ? length : end)
  }

  #text(at: number, length: number): string { return this.#buffer.toString('utf8', at, at + length) }

  /** Options, and the records of a name resolution block, which look the same. A list that just ends is fine. */
  #eachOption(from: number, end: number, see: (code: number, at: number, length: number) => void): void {
    for (let at = from; at + 4 <= end;) {
      const code = this.#uint16(at), length = this.#uint16(at + 2)
      if (code === OPTION.end) return
      this.#within(at + 4, length, end)
      see(code, at + 4, length)
      at += 4 + length + padding(length)
    }
  }

  #within(at: number, length: number, end: number): void {
    if (at + length > end) throw this.damageAt(at, `a field of ${length} bytes leaves its block, which ends ${Math.max(0, end - at)} bytes on`)
  }
}

/** if_tsresol: a negative power of ten, or of two where the top bit is set. */
function resolution(value: number): bigint {
  return (value & 0x80) === 0 ? 10n ** BigInt(value) : 2n ** BigInt(value & 0x7f)
}

function directionOf(flags: number): Direction | null {
  const value = flags & 3
  return value === DIRECTION.inbound ? 'inbound' : value === DIRECTION.outbound ? 'outbound' : null
}
