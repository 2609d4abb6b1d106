// One packet of a file at a time, looked at as far as somebody asks: headers at once, all of it only where headers do not say
// everything. One object is used again for every packet, in the order of the file: names depend on what came before.
import { PROTOCOL } from '../../napt/wire/ipv4.js'
import { decode, type Decoded } from '../decode/decode.js'
import { Headers } from '../decode/headers.js'
import type { PacketBatch } from '../files/packet-batch.js'
import type { CaptureInterface, InterfacePacket } from '../files/pcapng/format.js'
import type { PacketNamer, ShownName } from './naming.js'
import { verdictIn, type VerdictComment } from './verdict.js'

export class PacketLook {
  readonly headers = new Headers()
  readonly #namer: PacketNamer
  #packet: InterfacePacket | null = null
  /** Where the packet is, of which nobody has asked for an object yet. */
  #batch: PacketBatch | null = null
  #at = 0
  #decoded: Decoded | null = null
  #name: ShownName | null = null
  #verdict: VerdictComment | null | undefined = null

  constructor(namer: PacketNamer) { this.#namer = namer }

  /** @throws RangeError before the first packet was loaded */
  get packet(): InterfacePacket {
    if (this.#packet === null) {
      if (this.#batch === null) throw new RangeError('no packet was loaded')
      this.#packet = this.#batch.packet(this.#at)
    }
    return this.#packet
  }

  load(packet: InterfacePacket): void {
    this.#packet = packet
    this.#look(packet.bytes, 0, packet.bytes.length, packet.interface, packet.comment)
  }

  /** As `load`, packet `i` of a batch; nothing is made of it that nobody asks for. */
  loadFrom(batch: PacketBatch, i: number): void {
    this.#packet = null
    this.#batch = batch
    this.#at = i
    this.#look(batch.memory, batch.starts[i], batch.ends[i], batch.interface(i), batch.comment(i))
  }

  #look(bytes: Uint8Array, start: number, end: number, { id, linkType }: CaptureInterface, comment: string): void {
    this.#decoded = null
    this.#name = null
    this.#verdict = comment === '' ? null : undefined
    this.headers.load(bytes, linkType, start, end)
    // What may be named is named even if nobody asks: TLS connections are followed without a gap.
    if (!this.#isNameless()) this.#name = this.#namer.name(this.decoded, String(id))
  }

  get decoded(): Decoded { return this.#decoded ??= decode(this.packet.bytes, this.packet.interface.linkType) }

  /** What the documents call it, or null. */
  get name(): ShownName | null { return this.#name }

  /** What a router did with it, where its comment says so. */
  get verdict(): VerdictComment | null {
    if (this.#verdict === undefined) this.#verdict = verdictIn(this.packet.comment)
    return this.#verdict
  }

  /** True for a packet of which headers say all there is, as far as its checksums are right. */
  get isPlain(): boolean { return this.#decoded === null && this.#verdict === null && this.headers.isWhole }

  #isNameless(): boolean {
    const { isWhole, bytes, protocol, payload, end, source, sourcePort, destination, destinationPort } = this.headers, size = end - payload
    if (!isWhole) return false
    return !this.#namer.mayHaveName(protocol === PROTOCOL.tcp, source, sourcePort, destination, destinationPort, size > 0 ? bytes[payload] : -1, size > 1 ? bytes[payload + 1] : -1)
  }
}
