// The canonical form of a capture: what of it must be the same in every run. Packets are taken apart into flows and entries;
// an entry is a datagram, an ICMP message, or an event of a TCP connection (SYN, message, data, FIN, RST). What a kernel is
// free to choose is left out by the class of its field (entries.ts), never by rewriting text.
//
// Not compared at all, only counted: ARP (the neighbour cache decides when to ask) and whatever is not IPv4 (a kernel's
// IPv6 announcements). Acknowledgements without data, windows, segmentation and retransmissions disappear in tcp-stream.ts.
import type { CanonicalOptions } from './canonical-options.js'
import { decode, type Decoded } from '../decode/decode.js'
import type { FlowPacket } from './datagram-flow.js'
import { comparedHeader, SEALED, TLS_DEFECT, type Entry, type Flow } from './entries.js'
import { digestOf } from './flow-digest.js'
import { FlowTable } from './flow-table.js'
import { Headers } from '../decode/headers.js'
import { LINK_TYPE } from '../decode/link-layer.js'
import type { PacketBatch } from '../files/packet-batch.js'
import type { CapturedPacket, CaptureFileError } from '../files/pcap.js'
import type { CaptureInterface } from '../files/pcapng/format.js'
import { headerKey, plainTransportIn } from '../decode/plain-transport.js'

export type { CanonicalOptions } from './canonical-options.js'

/** A frame whose bytes are not right in themselves. */
export interface Fault { readonly frame: number, readonly field: string, readonly wanted: string, readonly got: string }

export interface CanonicalCapture {
  readonly flows: readonly Flow[]
  readonly faults: readonly Fault[]
  /** Frames left out, by kind. */
  readonly ignored: Readonly<Record<string, number>>
  /** TLS connections in which something stayed encrypted. */
  readonly sealed: number
}

/** The canonical form of an interface, and how far its capture went. */
export interface CanonicalInterface extends CanonicalCapture {
  readonly packets: number
  /** What ended the capture before its end. */
  readonly damage: CaptureFileError | null
}

/** A packet, and how its frame begins; as Ethernet where nobody says. */
export interface FramedPacket extends CapturedPacket { readonly interface?: Pick<CaptureInterface, 'linkType'> }

export function canonicalize(packets: readonly FramedPacket[], options: CanonicalOptions): CanonicalCapture {
  const canonicalizer = new Canonicalizer(options)
  for (const packet of packets) canonicalizer.add(packet)
  return canonicalizer.finish()
}

/** The same for the packets of an interface as they come. */
export class Canonicalizer {
  readonly #options: CanonicalOptions
  readonly #faults: Fault[] = []
  readonly #ignored: Record<string, number> = {}
  readonly #flows: FlowTable
  readonly #headers = new Map<number, FlowPacket['header']>()
  /** The plain packet in hand. */
  readonly #look = new Headers()
  #packets = 0

  constructor(options: CanonicalOptions) {
    this.#options = options
    this.#flows = new FlowTable(options)
  }

  /** How many were added. */
  get packets(): number { return this.#packets }

  /** Keeps parts of the packet's bytes, which are not to change any more. */
  add(packet: FramedPacket): void {
    const { bytes, number, originalLength } = packet, linkType = packet.interface?.linkType ?? LINK_TYPE.ethernet
    if (!this.#addPlain(bytes, 0, bytes.length, originalLength, linkType, number)) this.#addAny(packet)
  }

  /** As `add`, packet `i` of a batch. */
  addFrom(batch: PacketBatch, i: number): void {
    const { memory, starts, ends, originalLengths, firstNumber } = batch
    if (!this.#addPlain(memory, starts[i], ends[i], originalLengths[i], batch.interface(i).linkType, firstNumber + i)) this.#addAny(batch.packet(i))
  }

  /** Adds the packet `bytes[start, end)` where its headers say all there is; false for any other. */
  #addPlain(bytes: Uint8Array, start: number, end: number, originalLength: number, linkType: number, frame: number): boolean {
    if (originalLength > end - start || linkType !== LINK_TYPE.ethernet) return false
    const transport = plainTransportIn(this.#look, bytes, start, end)
    if (transport === null) return false
    this.#packets++
    this.#flows.builderFor(transport, null)?.add({ transport, header: this.#headerOf(bytes, start, end), frame, decoded: null })
    return true
  }

  #addAny(packet: FramedPacket): void {
    this.#packets++
    const { bytes, number: frame } = packet
    const decoded = decode(bytes, packet.interface?.linkType)
    this.#faults.push(...faultsOf(packet, decoded))
    const kind = decoded.layers.some(layer => layer.protocol === 'ipv4') ? 'ipv4' : decoded.layers.at(-1)?.protocol === 'arp' ? 'arp' : 'not IPv4'
    if (kind === 'ipv4') this.#flows.builderFor(decoded.transport, decoded)?.add({ transport: decoded.transport, header: comparedHeader(decoded, this.#options.ports), frame, decoded })
    else this.#ignored[kind] = (this.#ignored[kind] ?? 0) + 1
  }

  /** Most packets of a capture have the headers of one before them: only the first is taken apart. */
  #headerOf(bytes: Uint8Array, start: number, end: number): FlowPacket['header'] {
    const key = headerKey(this.#look), known = this.#headers.get(key)
    if (known !== undefined) return known
    if (this.#headers.size === MOST_HEADERS) this.#headers.clear()
    const header = comparedHeader(decode(bytes.subarray(start, end)), this.#options.ports)
    this.#headers.set(key, header)
    return header
  }

  /** Once, behind the last packet; the keys of TLS connections are asked for only here. */
  finish(): CanonicalCapture {
    const flows = this.#flows.finish()
    const isSealed = (flow: Flow): boolean => flow.entries.some(entry => entry.packet === SEALED)
    const faults = [...this.#faults, ...flows.flatMap(flow => flow.entries.flatMap(tlsFault))], sealed = flows.filter(isSealed).length
    return { flows: this.#options.digests === true ? flows.map(withDigest) : flows, faults, ignored: this.#ignored, sealed }
  }
}

const MOST_HEADERS = 4096

const withDigest = (flow: Flow): Flow => flow.digest === undefined ? { ...flow, entries: [], digest: digestOf(flow.entries) } : flow

/** What is wrong with a frame in itself: cut by the capture, undecodable, or a checksum that does not hold. */
export function faultsOf(packet: CapturedPacket, decoded: Decoded): Fault[] {
  const frame = packet.number
  if (packet.originalLength > packet.bytes.length) return [{ frame, field: 'length', wanted: `${packet.originalLength} bytes`, got: `${packet.bytes.length} bytes` }]
  const checksums = decoded.layers.filter(layer => layer.checksum === 'wrong' || layer.checksum === 'partial')
    .map(layer => ({ frame, field: `${layer.protocol} checksum`, wanted: 'right', got: layer.checksum ?? '' }))
  return decoded.defect === null ? checksums : [...checksums, { frame, field: 'frame', wanted: 'decodable', got: decoded.defect }]
}

const tlsFault = ({ packet, payload: { defect }, frame }: Entry): Fault[] =>
  packet === TLS_DEFECT && typeof defect === 'string' ? [{ frame, field: 'TLS', wanted: 'whole, as it was sent', got: defect }] : []
