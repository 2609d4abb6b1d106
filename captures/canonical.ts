// The canonical form of a capture: what of it must be the same in every run. Packets are taken apart into flows and entries;
// an entry is a datagram, an ICMP message, or an event of a TCP connection (SYN, message, data, FIN, RST). What a kernel is
// free to choose is left out by the class of its field (entries.ts), never by rewriting text.
//
// Not compared at all, only counted: ARP (the neighbour cache decides when to ask) and whatever is not IPv4 (a kernel's
// IPv6 announcements). Acknowledgements without data, windows, segmentation and retransmissions disappear in tcp-stream.ts.
import { formatIpv4 } from '../napt/wire/address.js'
import { decode, fieldOf, type Decoded, type Transport } from './decode.js'
import { canonicalBytes, comparedHeader, orderOf, payloadEntry, portValue, SEALED, TLS_DEFECT, type Entry, type Flow } from './entries.js'
import { messageOf, type Message, type PayloadDecoder } from './payload.js'
import type { CapturedPacket } from './pcap.js'
import type { InterfacePacket } from './pcapng/format.js'
import { icmpName } from './summary.js'
import { TcpConversation } from './tcp-stream.js'
import { NO_KEYS, type KeySource } from './tls/key-log.js'

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

export interface CanonicalOptions {
  readonly decoder: PayloadDecoder
  /** Open the records of TLS connections. */
  readonly keys?: KeySource
  /** Ports that are compared although they lie where kernels choose theirs. */
  readonly ports?: readonly number[]
  /** Messages that a timer repeats, by number: how often is not compared. */
  readonly periodic?: readonly string[]
  /** Ports of TCP connections on which both ends speak when they like: no order is compared between the directions. */
  readonly bothWays?: readonly number[]
}

export function canonicalize(packets: readonly InterfacePacket[], options: CanonicalOptions): CanonicalCapture {
  const faults: Fault[] = [], ignored: Record<string, number> = {}
  const flows = new Map<string, FlowBuilder>()
  for (const packet of packets) {
    const decoded = decode(packet.bytes, packet.interface.linkType)
    faults.push(...faultsOf(packet, decoded))
    const kind = decoded.layers.some(layer => layer.protocol === 'ipv4') ? 'ipv4' : decoded.layers.at(-1)?.protocol === 'arp' ? 'arp' : 'not IPv4'
    if (kind === 'ipv4') builderFor(flows, decoded, options).add(decoded, packet.number)
    else ignored[kind] = (ignored[kind] ?? 0) + 1
  }
  const finished = [...flows.values()].flatMap(builder => builder.finish())
  return {
    flows: finished, faults: [...faults, ...finished.flatMap(flow => flow.entries.flatMap(tlsFault))], ignored,
    sealed: finished.filter(flow => flow.entries.some(entry => entry.packet === SEALED)).length,
  }
}

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

interface FlowBuilder { add(decoded: Decoded, frame: number): void, finish(): Flow[] }

type FlowEnds = Omit<Flow, 'entries'>

function builderFor(flows: Map<string, FlowBuilder>, decoded: Decoded, options: CanonicalOptions): FlowBuilder {
  const ends = endsOf(decoded, options)
  const one = `${decoded.transport?.source.port ?? 0} ${ends.SA}`, other = `${decoded.transport?.destination.port ?? 0} ${ends.DA}`
  const key = `${ends.protocol} ${[one, other].sort().join(' ')}`
  const known = flows.get(key)
  if (known !== undefined) return known
  const isForward = (transport: Transport | null): boolean =>
    transport === null || `${transport.source.port} ${formatIpv4(transport.source.address)}` === one
  const made = ends.protocol === 'tcp' ? new TcpConversation(ends, isForward, options.decoder, options.keys ?? NO_KEYS) : new DatagramFlow(ends, isForward, options)
  flows.set(key, made)
  return made
}

function endsOf(decoded: Decoded, options: CanonicalOptions): FlowEnds {
  const { transport } = decoded
  const text = (name: string): string => String(fieldOf(decoded, 'ipv4', name)?.value ?? '')
  const port = (value: number | undefined): Flow['SP'] => portValue(value ?? 0, options.ports)
  const protocol = transport?.protocol ?? `ipv4 protocol ${text('protocol')}`
  const SP = port(transport?.source.port), DP = port(transport?.destination.port)
  return { protocol, SA: text('SA'), SP, DA: text('DA'), DP, order: orderOf([SP, DP], options.bothWays) }
}

/** UDP, ICMP, and IPv4 packets that are taken no further apart: an entry a packet. */
class DatagramFlow implements FlowBuilder {
  readonly #ends: FlowEnds
  readonly #isForward: (transport: Transport | null) => boolean
  readonly #options: CanonicalOptions
  readonly #entries: Entry[] = []
  readonly #repeated = new Set<string>()

  constructor(ends: FlowEnds, isForward: (transport: Transport | null) => boolean, options: CanonicalOptions) {
    this.#ends = ends
    this.#isForward = isForward
    this.#options = options
  }

  add(decoded: Decoded, frame: number): void {
    const { transport } = decoded
    const way = this.#isForward(transport) ? '→' : '←'
    const header = comparedHeader(decoded, this.#options.ports)
    if (transport?.protocol === 'icmp') {
      const hasQuote = decoded.layers.at(-1)?.protocol === 'quoted' // its fields are compared; its bytes hold a kernel's choices
      this.#entries.push({ way, packet: icmpName(Number(header['ICMP type'] ?? 0)), header, payload: {}, bytes: hasQuote ? '' : canonicalBytes(transport.payload), frame })
    } else if (transport === null) {
      this.#entries.push({ way, packet: 'packet', header, payload: {}, bytes: canonicalBytes(restOf(decoded)), frame })
    } else {
      const message = messageOf(transport, this.#options.decoder)
      const entry = payloadEntry(way, transport.payload, message, header, frame)
      if (!this.#isRepeated(entry, message)) this.#entries.push(entry)
    }
  }

  /** A message of a timer that was there already, just so. */
  #isRepeated(entry: Entry, message: Message | null): boolean {
    if (message?.number == null || this.#options.periodic?.includes(message.number) !== true) return false
    const key = JSON.stringify({ ...entry, frame: 0 })
    const isRepeated = this.#repeated.has(key)
    this.#repeated.add(key)
    return isRepeated
  }

  finish(): Flow[] { return [{ ...this.#ends, entries: this.#entries }] }
}

/** What follows the last layer that was decoded. */
function restOf(decoded: Decoded): Uint8Array {
  const last = decoded.layers.at(-1)
  return last === undefined ? decoded.bytes : decoded.bytes.subarray(last.offset + last.length)
}
