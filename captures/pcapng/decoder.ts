// Takes a pcapng file apart as its bytes come: whole blocks in, one item after the other out, in bounded memory. A section may
// begin anywhere, in either byte order, with interfaces of its own. What is damaged ends it with where and why; what came
// before has been given by then.
import type { Ipv4Address } from '../../napt/wire/address.js'
import { CaptureFileError } from '../pcap.js'
import {
  BLOCK, BLOCK_FRAME, BYTE_ORDER_MAGIC, DIRECTION, LONGEST_BLOCK, NAME_RECORD, OPTION, padding, SECRETS_TLS, type CaptureInterface, type Direction, type InterfacePacket, type InterfaceStatistics,
} from './format.js'


export type PcapngItem =
  | { readonly kind: 'interface', readonly interface: CaptureInterface }
  | { readonly kind: 'packet', readonly packet: InterfacePacket }
  | { readonly kind: 'name', readonly address: Ipv4Address, readonly name: string }
  | { readonly kind: 'secrets', readonly keyLog: string }
  | { readonly kind: 'statistics', readonly interface: CaptureInterface, readonly statistics: InterfaceStatistics }

/** An interface with how its times are to be read. */
interface Timed { readonly interface: CaptureInterface, readonly unitsASecond: bigint, readonly offset: bigint }

/** A section with more than this is damage, or meant to fill memory. */
const MOST_INTERFACES = 65_536
/** As many names as one block gives; more are left out. */
const MOST_NAMES = 65_536
const MICROSECONDS = 1_000_000n, NANOSECONDS = 1_000_000_000n
const CUT_SHORT = 'What came before was read; the file was cut short, so capture again or ask for the whole file.'
const DAMAGED = 'What came before was read; the file is damaged from here on.'
const decoder = new TextDecoder()

export class PcapngDecoder {
  readonly #file: string
  #bytes: Uint8Array = new Uint8Array(0)
  /** Of `#bytes[0]` in the file. */
  #offset = 0
  #at = 0
  #little = true
  /** False until the first section header. */
  #isBegun = false
  #interfaces: Timed[] = []
  /** Interfaces of all sections. */
  #described = 0
  #packets = 0
  #items: PcapngItem[] = []

  /** @param file for messages */
  constructor(file: string) {
    this.#file = file
  }

  /** More of the file. The bytes are not to change until `next` gave null. */
  push(bytes: Uint8Array): void {
    const left = this.#bytes.subarray(this.#at)
    this.#offset += this.#at
    this.#at = 0
    this.#bytes = left.length === 0 ? bytes : new Uint8Array(Buffer.concat([left, bytes]))
  }

  /** The next item, or null when more bytes are wanted. @throws CaptureFileError where the file is damaged */
  next(): PcapngItem | null {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) return item
      if (!this.#takeBlock()) return null
    }
  }

  /** No more bytes come. @throws CaptureFileError when the file ends inside a block */
  end(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw this.#damage(0, `the file ends ${left} bytes into a block`, CUT_SHORT)
    if (!this.#isBegun) throw this.#damage(0, 'the file is empty', 'The capture was never written; run it again.')
  }

  #takeBlock(): boolean {
    const left = this.#bytes.length - this.#at
    if (left < BLOCK_FRAME) return false
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, left)
    if (view.getUint32(0) === BLOCK.sectionHeader) this.#findByteOrder(view)
    else if (!this.#isBegun) throw this.#damage(0, `block type 0x${view.getUint32(0).toString(16)} stands where a section header must`, 'Give a pcapng file.')
    const little = this.#little, type = view.getUint32(0, little), length = view.getUint32(4, little)
    if (length < BLOCK_FRAME || length % 4 !== 0) throw this.#damage(4, `a block claims ${length} bytes, which cannot be`, DAMAGED)
    if (length > LONGEST_BLOCK) throw this.#damage(4, `a block claims ${length} bytes (at most ${LONGEST_BLOCK} are read)`, DAMAGED)
    if (left < length) return false
    const trailer = view.getUint32(length - 4, little)
    if (trailer !== length) throw this.#damage(length - 4, `a block of ${length} bytes ends as one of ${trailer}`, DAMAGED)
    this.#readBlock(type, new Body(this.#bytes.subarray(this.#at + 8, this.#at + length - 4), little, (at, found) => this.#damage(8 + at, found, DAMAGED)))
    this.#at += length
    return true
  }

  #findByteOrder(view: DataView): void {
    const magic = view.getUint32(8)
    if (magic !== BYTE_ORDER_MAGIC && view.getUint32(8, true) !== BYTE_ORDER_MAGIC) {
      throw this.#damage(8, `the byte-order magic is 0x${magic.toString(16).padStart(8, '0')}`, this.#isBegun ? DAMAGED : 'Give a pcapng file.')
    }
    this.#little = magic !== BYTE_ORDER_MAGIC
    this.#isBegun = true
    this.#interfaces = []
  }

  #readBlock(type: number, body: Body): void {
    switch (type) {
      case BLOCK.sectionHeader: this.#readSection(body); break
      case BLOCK.interfaceDescription: this.#readInterface(body); break
      case BLOCK.enhancedPacket: this.#readPacket(body, false); break
      case BLOCK.oldPacket: this.#readPacket(body, true); break
      case BLOCK.simplePacket: this.#readSimplePacket(body); break
      case BLOCK.nameResolution: this.#readNames(body); break
      case BLOCK.decryptionSecrets: this.#readSecrets(body); break
      case BLOCK.interfaceStatistics: this.#readStatistics(body); break
      // Any other is skipped, as the format asks.
    }
  }

  #readSection(body: Body): void {
    const major = body.uint16(4)
    if (major !== 1) throw body.damage(4, `the format version is ${major}.${body.uint16(6)}; only 1.x is known`)
  }

  #readInterface(body: Body): void {
    if (this.#interfaces.length >= MOST_INTERFACES) throw body.damage(0, `a section describes more than ${MOST_INTERFACES} interfaces`)
    let name = '', description = '', unitsASecond = MICROSECONDS, offset = 0n
    const linkType = body.uint16(0), snapLength = body.uint32(4)
    body.eachOption(8, (code, at, length) => {
      if (code === OPTION.interface.name) name = body.text(at, length)
      else if (code === OPTION.interface.description) description = body.text(at, length)
      else if (code === OPTION.interface.resolution && length === 1) unitsASecond = resolution(body.uint8(at))
      else if (code === OPTION.interface.offset && length === 8) offset = BigInt.asIntN(64, body.uint64(at))
    })
    const described: CaptureInterface = { id: this.#described++, name, description, linkType, snapLength }
    this.#interfaces.push({ interface: described, unitsASecond, offset })
    this.#items.push({ kind: 'interface', interface: described })
  }

  #readPacket(body: Body, isOld: boolean): void {
    const from = this.#interfaceOf(body, isOld ? body.uint16(0) : body.uint32(0))
    const units = (BigInt(body.uint32(4)) << 32n) | BigInt(body.uint32(8))
    const captured = body.uint32(12), originalLength = body.uint32(16), bytes = body.bytes(20, captured)
    let direction: Direction | null = null, packetId: bigint | null = null
    const comments: string[] = []
    body.eachOption(20 + captured + padding(captured), (code, at, length) => {
      if (code === OPTION.comment) comments.push(body.text(at, length))
      else if (code === OPTION.packet.flags && length === 4) direction = directionOf(body.uint32(at))
      else if (code === OPTION.packet.id && length === 8 && !isOld) packetId = body.uint64(at)
    })
    this.#items.push({ kind: 'packet', packet: { number: ++this.#packets, time: timeOf(units, from), bytes, originalLength, interface: from.interface, direction, packetId, comment: comments.join('\n') } })
  }

  /** Without time, options and, where the interface keeps all of a packet, a length of its own. */
  #readSimplePacket(body: Body): void {
    const from = this.#interfaceOf(body, 0), originalLength = body.uint32(0), { snapLength } = from.interface
    const captured = snapLength === 0 ? originalLength : Math.min(originalLength, snapLength)
    this.#items.push({
      kind: 'packet',
      packet: { number: ++this.#packets, time: 0n, bytes: body.bytes(4, captured), originalLength, interface: from.interface, direction: null, packetId: null, comment: '' },
    })
  }

  #readNames(body: Body): void {
    let names = 0
    body.eachOption(0, (kind, at, length) => {
      if (kind !== NAME_RECORD.ipv4 || length < 5 || ++names > MOST_NAMES) return
      // Several names of one address stand behind each other.
      const name = body.text(at + 4, length - 4).split('\0')[0]
      if (name !== '') this.#items.push({ kind: 'name', address: body.addressAt(at), name })
    })
  }

  #readSecrets(body: Body): void {
    const type = body.uint32(0), length = body.uint32(4)
    const bytes = body.bytes(8, length)
    if (type === SECRETS_TLS) this.#items.push({ kind: 'secrets', keyLog: decoder.decode(bytes) })
  }

  #readStatistics(body: Body): void {
    const from = this.#interfaceOf(body, body.uint32(0))
    let received: bigint | null = null, dropped: bigint | null = null
    body.eachOption(12, (code, at, length) => {
      if (length !== 8) return
      if (code === OPTION.statistics.received) received = body.uint64(at)
      else if (code === OPTION.statistics.dropped) dropped = body.uint64(at)
    })
    this.#items.push({ kind: 'statistics', interface: from.interface, statistics: { received, dropped } })
  }

  #interfaceOf(body: Body, id: number): Timed {
    const found = this.#interfaces.at(id)
    if (id < 0 || found === undefined) throw body.damage(0, `a block is of interface ${id}, and the section has described ${this.#interfaces.length}`)
    return found
  }

  #damage(at: number, found: string, advice: string): CaptureFileError {
    return new CaptureFileError(this.#file, this.#offset + this.#at + at, found, advice)
  }
}

/** The inside of a block. Whatever leaves it is damage. */
class Body {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean
  readonly damage: (at: number, found: string) => CaptureFileError

  constructor(bytes: Uint8Array, little: boolean, damage: (at: number, found: string) => CaptureFileError) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#little = little
    this.damage = damage
  }

  uint8(at: number): number { return this.#view.getUint8(this.#within(at, 1)) }
  uint16(at: number): number { return this.#view.getUint16(this.#within(at, 2), this.#little) }
  uint32(at: number): number { return this.#view.getUint32(this.#within(at, 4), this.#little) }
  uint64(at: number): bigint { return this.#view.getBigUint64(this.#within(at, 8), this.#little) }
  /** In the order of the network, whatever the section's. */
  addressAt(at: number): Ipv4Address { return this.#view.getInt32(this.#within(at, 4)) as Ipv4Address }
  text(at: number, length: number): string { return decoder.decode(this.bytes(at, length)) }

  /** A view. */
  bytes(at: number, length: number): Uint8Array { return this.#bytes.subarray(this.#within(at, length), at + length) }

  /** Options, and the records of a name resolution block, which look the same. A list that just ends is fine. */
  eachOption(from: number, see: (code: number, at: number, length: number) => void): void {
    for (let at = from; at + 4 <= this.#bytes.length;) {
      const code = this.uint16(at), length = this.uint16(at + 2)
      if (code === OPTION.end) return
      this.#within(at + 4, length)
      see(code, at + 4, length)
      at += 4 + length + padding(length)
    }
  }

  #within(at: number, length: number): number {
    if (at + length > this.#bytes.length) throw this.damage(at, `a field of ${length} bytes leaves its block, which ends ${Math.max(0, this.#bytes.length - at)} bytes on`)
    return at
  }
}

/** if_tsresol: a negative power of ten, or of two where the top bit is set. */
function resolution(value: number): bigint {
  return (value & 0x80) === 0 ? 10n ** BigInt(value) : 2n ** BigInt(value & 0x7f)
}

const timeOf = (units: bigint, { unitsASecond, offset }: Timed): bigint =>
  offset * NANOSECONDS + (unitsASecond === NANOSECONDS ? units : units * NANOSECONDS / unitsASecond)

function directionOf(flags: number): Direction | null {
  const value = flags & 3
  return value === DIRECTION.inbound ? 'inbound' : value === DIRECTION.outbound ? 'outbound' : null
}
