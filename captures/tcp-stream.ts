// TCP conversations as events: SYN, the messages or data that each direction carried, FIN, RST. How a kernel cut the bytes
// into segments, what it sent twice and what it only acknowledged leaves no trace.
//
// Order: within one direction everything stands as sent. Between the directions, SYNs and decoded messages stand in the order
// in which they were complete on the wire: a protocol of questions and answers. For the rest see `arrange` in entries.ts.
import { FLAG, formatFlags } from '../napt/wire/tcp.js'
import { InOrder } from './in-order.js'
import { arrange, comparedHeader, payloadEntry, type Entry, type Flow, type Value } from './entries.js'
import type { Decoded, Transport } from './decode.js'
import { portsOf, type PayloadDecoder } from './payload.js'

interface Segment { readonly sequence: number, readonly bytes: Uint8Array, readonly frame: number, readonly header: Readonly<Record<string, Value>> }

/** What goes one way. */
interface Direction {
  ports: { readonly source: number, readonly destination: number }
  /** The sequence number of the first data byte; null before the first segment. */
  base: number | null
  syn: Entry | null
  fin: Entry | null
  rst: Entry | null
  readonly segments: Segment[]
}

/** All connections between the same two endpoints, one after another: a flow each. */
export class TcpConversation {
  readonly #ends: Omit<Flow, 'entries'>
  readonly #isForward: (transport: Transport | null) => boolean
  readonly #decoder: PayloadDecoder
  readonly #connections: Connection[] = []

  constructor(ends: Omit<Flow, 'entries'>, isForward: (transport: Transport | null) => boolean, decoder: PayloadDecoder) {
    this.#ends = ends
    this.#isForward = isForward
    this.#decoder = decoder
  }

  add(decoded: Decoded, frame: number): void {
    const { transport } = decoded
    if (transport === null) return
    let current = this.#connections.at(-1)
    const isStart = (transport.flags & (FLAG.syn | FLAG.ack)) === FLAG.syn
    const way = this.#isForward(transport) ? '→' : '←'
    if (current === undefined || (isStart && current.isOther(way, transport.sequence))) {
      current = new Connection(this.#decoder)
      this.#connections.push(current)
    }
    current.add(way, decoded, transport, frame)
  }

  finish(): Flow[] { return this.#connections.map(connection => ({ ...this.#ends, entries: arrange(connection.entries(), this.#ends.order) })) }
}

class Connection {
  readonly #decoder: PayloadDecoder
  readonly #directions: Readonly<Record<Entry['way'], Direction>> = { '→': newDirection(), '←': newDirection() }

  constructor(decoder: PayloadDecoder) { this.#decoder = decoder }

  /** Whether a SYN with this sequence number starts another connection; else it is this one's, sent again. */
  isOther(way: Entry['way'], sequence: number): boolean {
    const { base } = this.#directions[way]
    return base !== null && base !== nextSequence(sequence)
  }

  add(way: Entry['way'], decoded: Decoded, transport: Transport, frame: number): void {
    const direction = this.#directions[way]
    const event = (packet: string): Entry => ({ way, packet, header: comparedHeader(decoded), payload: {}, bytes: '', frame })
    const { flags, sequence, payload } = transport
    direction.ports = portsOf(transport)
    if ((flags & FLAG.syn) !== 0) {
      direction.base ??= nextSequence(sequence)
      direction.syn ??= event(formatFlags(flags & (FLAG.syn | FLAG.ack)))
    }
    if (payload.length > 0) {
      direction.base ??= sequence
      direction.segments.push({ sequence: (flags & FLAG.syn) === 0 ? sequence : nextSequence(sequence), bytes: payload, frame, header: comparedHeader(decoded) })
    }
    if ((flags & FLAG.fin) !== 0) direction.fin ??= event('FIN')
    if ((flags & FLAG.rst) !== 0) direction.rst ??= event('RST')
  }

  /** By the frame that completed them. */
  entries(): Entry[] {
    const entries = (['→', '←'] as const).flatMap(way => {
      const { syn, fin, rst } = this.#directions[way]
      return [syn, ...readDirection(way, this.#directions[way], this.#decoder), fin, rst]
    })
    return entries.filter(entry => entry !== null).sort((a, b) => a.frame - b.frame)
  }
}

const newDirection = (): Direction => ({ ports: { source: 0, destination: 0 }, base: null, syn: null, fin: null, rst: null, segments: [] })
const nextSequence = (sequence: number): number => (sequence + 1) >>> 0

/** The messages of one direction, and what is left as data. */
function readDirection(way: Entry['way'], { ports, base, segments }: Direction, decoder: PayloadDecoder): Entry[] {
  return reassemble(base ?? 0, segments).flatMap(({ bytes, pieces, gap }) => {
    const entries: Entry[] = []
    const header = (from: number, to: number): Record<string, Value> => unite(pieces.filter(piece => piece.start < to && piece.end > from).map(piece => piece.header))
    const frameAt = (to: number): number => Math.max(...pieces.filter(piece => piece.start < to).map(piece => piece.frame))
    for (let at = 0; at < bytes.length;) {
      const message = decoder('tcp', ports, bytes.subarray(at))
      const end = message === null ? bytes.length : Math.min(bytes.length, at + Math.max(1, message.length ?? bytes.length))
      entries.push(payloadEntry(way, bytes.subarray(at, end), message, header(at, end), frameAt(end)))
      at = end
    }
    return gap === 0 ? entries : [{ way, packet: `gap of ${gap} bytes`, header: {}, payload: {}, bytes: '', frame: pieces[0].frame }, ...entries]
  })
}

/** A piece's place in its run. */
interface Piece { readonly start: number, readonly end: number, readonly frame: number, readonly header: Readonly<Record<string, Value>> }
/** Bytes without a hole; `gap` bytes before them were not captured. */
interface Run { readonly bytes: Uint8Array, readonly pieces: readonly Piece[], readonly gap: number }

function reassemble(base: number, segments: readonly Segment[]): Run[] {
  const order = new InOrder<Segment>(base)
  const chunks = [...segments.flatMap(segment => order.push(segment.sequence, segment.bytes, segment)), ...order.flush()]
  const runs: { parts: Uint8Array[], pieces: Piece[], gap: number, length: number }[] = []
  for (const { bytes, gap, tag: { frame, header } } of chunks) {
    let run = runs.at(-1)
    if (run === undefined || gap > 0) {
      run = { parts: [], pieces: [], gap, length: 0 }
      runs.push(run)
    }
    run.parts.push(bytes)
    run.pieces.push({ start: run.length, end: run.length + bytes.length, frame, header })
    run.length += bytes.length
  }
  return runs.map(({ parts, pieces, gap }) => ({ bytes: new Uint8Array(Buffer.concat(parts)), pieces, gap }))
}

/** The headers of several segments as one: a field that differs among them shows all its values. */
function unite(headers: readonly Readonly<Record<string, Value>>[]): Record<string, Value> {
  const united: Record<string, Value> = {}
  for (const name of new Set(headers.flatMap(header => Object.keys(header)))) {
    const values = [...new Set(headers.map(header => header[name] ?? 0))]
    united[name] = values.length === 1 ? values[0] : values.map(value => typeof value === 'object' ? value.any : value).join(', ')
  }
  return united
}
