// Follows TLS connections packet by packet: what each packet completes, whether packets come from a live bench or from a file.
// Connections that are not TLS are left alone. What is held is bounded in connections, and in bytes of each.
import { FLAG } from '../../napt/wire/tcp.js'
import type { Transport } from '../decode/decode.js'
import { InOrder, type Chunk } from '../canonical/in-order.js'
import { portsOf, type Message, type PayloadDecoder } from '../decode/payload.js'
import { TlsConnection, type TlsItem, type Way } from './connection.js'
import { looksLikeTls } from './records.js'
import type { KeySource } from './key-log.js'

/** What one packet of a TLS connection completes. */
export interface TlsContent {
  readonly items: readonly TlsItem[]
  /** Messages of the programs, in what was opened, and what of it is none. */
  readonly messages: readonly Message[]
  /** Bytes of data that are no message, or not yet. */
  readonly rest: number
  /** The packet brought nothing that was not there before. */
  readonly isAgain: boolean
  /** As KeySource has it. */
  readonly lack: string
}

/** The one that was followed longest ago is forgotten for another; so much more are live on no bench. */
const MOST_CONNECTIONS = 4096
/** Bytes that wait behind a hole: more than a kernel's default window. */
const MOST_WAITING = 8 << 20
/** Bytes that wait in all connections together, with what keeping a segment takes beside them: captures of a busy link have many holes. */
const MOST_HELD = 64 << 20, SEGMENT_OVERHEAD = 256
/** Bytes that may become a message; above it they are none. Larger than any message of the endpoints. */
const LARGEST_MESSAGE = 64 << 10

export class TlsFollower {
  readonly #connections = new Map<string, Followed>()
  readonly #held: Held = { bytes: 0 }

  constructor(private readonly keys: KeySource, private readonly decoder: PayloadDecoder) {}

  /** `where` tells connections with the same addresses apart: an interface. Null for a packet that is no part of TLS, or carries nothing. */
  follow(where: string, transport: Transport | null): TlsContent | null {
    if (transport?.protocol !== 'tcp') return null
    const from = `${transport.source.address}:${transport.source.port}`, to = `${transport.destination.address}:${transport.destination.port}`
    const key = `${where} ${[from, to].sort().join(' ')}`
    const way = from < to ? '→' : '←'
    let connection = this.#connections.get(key)
    if (connection === undefined || connection.isOther(way, transport)) {
      this.#forget(key)
      connection = new Followed(this.keys, this.decoder, this.#held)
      this.#connections.set(key, connection)
      if (this.#connections.size > MOST_CONNECTIONS) this.#forget(this.#connections.keys().next().value ?? '')
    }
    return connection.add(way, transport)
  }

  #forget(key: string): void {
    this.#connections.get(key)?.drop()
    this.#connections.delete(key)
  }
}

/** What waits behind holes, of all connections. */
interface Held { bytes: number }

interface Direction {
  order: InOrder<null> | null
  /** The sequence number of its SYN. */
  syn: number | null
  /** What was opened and may be the beginning of a message. */
  text: Uint8Array
}

class Followed {
  readonly #directions: Readonly<Record<Way, Direction>> = { '→': { order: null, syn: null, text: NOTHING }, '←': { order: null, syn: null, text: NOTHING } }
  /** Undecided before the first byte. */
  #tls: TlsConnection | 'undecided' | 'other' = 'undecided'

  constructor(private readonly keys: KeySource, private readonly decoder: PayloadDecoder, private readonly held: Held) {}

  /** Whether this is the SYN of another connection. */
  isOther(way: Way, { flags, sequence }: Transport): boolean {
    const { syn, order } = this.#directions[way]
    return (flags & (FLAG.syn | FLAG.ack)) === FLAG.syn && (syn === null ? order !== null : syn !== sequence)
  }

  add(way: Way, transport: Transport): TlsContent | null {
    const direction = this.#directions[way]
    const { flags, payload } = transport, isSyn = (flags & FLAG.syn) !== 0
    const first = (transport.sequence + Number(isSyn)) >>> 0
    if (isSyn) direction.syn = transport.sequence
    if (this.#tls === 'other' || (payload.length === 0 && !isSyn)) return null
    direction.order ??= new InOrder(first, MOST_WAITING)
    if (payload.length === 0) return null
    const chunks = this.#inOrder(direction.order, first, Uint8Array.from(payload))
    if (this.#tls === 'undecided' && chunks.length > 0) this.#tls = looksLikeTls(chunks[0].bytes) ? new TlsConnection(this.keys) : 'other'
    const tls = this.#tls
    if (typeof tls === 'string') return null
    const items = chunks.flatMap(({ bytes, gap }) => gap > 0 ? tls.lose(way) : tls.push(way, bytes))
    const data = items.flatMap(item => item.kind === 'data' ? [item.bytes] : [])
    return { items, ...this.#readText(direction, transport, data), isAgain: chunks.length === 0 && direction.order.waiting === 0, lack: this.keys.lack }
  }

  /** It is not asked again; what waits is nobody's. */
  drop(): void {
    for (const { order } of Object.values(this.#directions)) if (order !== null) this.held.bytes -= weight(order)
  }

  #inOrder(order: InOrder<null>, sequence: number, bytes: Uint8Array): Chunk<null>[] {
    this.held.bytes -= weight(order)
    const chunks = order.push(sequence, bytes, null)
    if (this.held.bytes + weight(order) > MOST_HELD) chunks.push(...order.flush())
    this.held.bytes += weight(order)
    return chunks
  }

  /** Messages may begin and end anywhere in records. */
  #readText(direction: Direction, transport: Transport, data: readonly Uint8Array[]): { messages: Message[], rest: number } {
    const messages: Message[] = []
    const added = data.reduce((sum, each) => sum + each.length, 0)
    let text: Uint8Array = Buffer.concat([direction.text, ...data])
    while (text.length > 0) {
      const message = this.decoder('tcp', portsOf(transport), text)
      if (message === null) break
      messages.push(message)
      text = text.subarray(message.length ?? text.length)
    }
    direction.text = text.length > LARGEST_MESSAGE ? NOTHING : text
    return { messages, rest: Math.min(added, text.length) }
  }
}

const weight = (order: InOrder<null>): number => order.waiting + order.segments * SEGMENT_OVERHEAD

const NOTHING = new Uint8Array(0)
