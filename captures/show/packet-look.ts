// One packet of a file at a time, looked at as far as somebody asks: headers at once, all of it only where headers do not say
// everything. One object is used again for every packet, in the order of the file: names depend on what came before.
import { PROTOCOL } from '../../napt/wire/ipv4.js'
import { decode, type Decoded } from '../decode.js'
import { Headers } from '../headers.js'
import type { InterfacePacket } from '../pcapng/format.js'
import type { PacketNamer, ShownName } from './naming.js'
import { verdictIn, type VerdictComment } from './verdict.js'

export class PacketLook {
  readonly headers = new Headers()
  readonly #namer: PacketNamer
  #packet: InterfacePacket | null = null
  #decoded: Decoded | null = null
  #name: ShownName | null = null
  #verdict: VerdictComment | null | undefined = null

  constructor(namer: PacketNamer) { this.#namer = namer }

  /** @throws RangeError before the first packet was loaded */
  get packet(): InterfacePacket {
    if (this.#packet === null) throw new RangeError('no packet was loaded')
    return this.#packet
  }

  load(packet: InterfacePacket): void {
    const { bytes, interface: { id, linkType }, comment } = packet, { headers } = this
    this.#packet = packet
    this.#decoded = null
    this.#name = null
    this.#verdict = comment === '' ? null : undefined
    headers.load(bytes, linkType)
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
    const { isWhole, protocol, payload, end, source, sourcePort, destination, destinationPort } = this.headers
    if (!isWhole) return false
    const { bytes } = this.packet, size = end - payload
    return !this.#namer.mayHaveName(protocol === PROTOCOL.tcp, source, sourcePort, destination, destinationPort, size > 0 ? bytes[payload] : -1, size > 1 ? bytes[payload + 1] : -1)
  }
}
