// TCP conversations as events: SYN, the messages or data that each direction carried, FIN, RST. How a kernel cut the bytes
// into segments, what it sent twice and what it only acknowledged leaves no trace.
//
// Order: within one direction everything stands as sent. Between the directions, SYNs and decoded messages stand in the order
// in which they were complete on the wire: a protocol of questions and answers. For the rest see `arrange` in entries.ts.
import { FLAG, formatFlags } from '../napt/wire/tcp.js'
import { InOrder } from './in-order.js'
import { arrange, comparedHeader, payloadEntry, SEALED, type Entry, type Flow, type Value } from './entries.js'
import type { Decoded, Transport } from './decode.js'
import { portsOf, type PayloadDecoder } from './payload.js'
import { tlsEntry } from './tls-entries.js'
import { TlsConnection } from './tls/connection.js'
import type { KeySource } from './tls/key-log.js'
import { looksLikeTls } from './tls/records.js'

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
  readonly #keys: KeySource
  readonly #connections: Connection[] = []

  constructor(ends: Omit<Flow, 'entries'>, isForward: (transport: Transport | null) => boolean, decoder: PayloadDecoder, keys: KeySource) {
    this.#ends = ends
    this.#isForward = isForward
    this.#decoder = decoder
    this.#keys = keys
  }

  add(decoded: Decoded, frame: number): void {
    const { transport } = decoded
    if (transport === null) return
    let current = this.#connections.at(-1)
    const isStart = (transport.flags & (FLAG.syn | FLAG.ack)) === FLAG.syn
    const way = this.#isForward(transport) ? '→' : '←'
    if (current === undefined || (isStart && current.isOther(way, transport.sequence))) {
      current = new Connection(this.#decoder, this.#keys)
      this.#connections.push(current)
    }
    current.add(way, decoded, transport, frame)
  }

  finish(): Flow[] { return this.#connections.map(connection => ({ ...this.#ends, entries: arrange(connection.entries(), this.#ends.order) })) }
}

class Connection {
  readonly #decoder: PayloadDecoder
  readonly #keys: KeySource
  readonly #directions: Readonly<Record<Entry['way'], Direction>> = { '→': newDirection(), '←': newDirection() }

  constructor(decoder: PayloadDecoder, keys: KeySource) {
    this.#decoder = decoder
    this.#keys = keys
  }

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
    if ((flags & FLAG.rst) !== 0 && !this.#isOver()) direction.rst ??= event('RST')
  }

  /** Both ends have closed. A reset after that answers an acknowledgement that came twice, and means nothing (RFC 9293 §3.10.7.1). */
  #isOver(): boolean { return Object.values(this.#directions).every((direction: Direction) => direction.fin !== null) }

  /** By the frame that completed them. */
  entries(): Entry[] {
    const runs = { '→': reassemble(this.#directions['→']), '←': reassemble(this.#directions['←']) }
    const isTls = Object.values(runs).some(([first]: Run[]) => (first as Run | undefined)?.gap === 0 && looksLikeTls(first.bytes))
    const events = Object.values(this.#directions).flatMap(({ syn, fin, rst }: Direction) => [syn, fin, rst])
    const contents = isTls ? readTls(runs, this.#directions, this.#keys, this.#decoder)
      : (['→', '←'] as const).flatMap(way => readRuns(way, runs[way], this.#directions[way].ports, this.#decoder))
    return [...contents, ...events].filter(entry => entry !== null).sort((a, b) => a.frame - b.frame)
  }
}

const newDirection = (): Direction => ({ ports: { source: 0, destination: 0 }, base: null, syn: null, fin: null, rst: null, segments: [] })
const nextSequence = (sequence: number): number => (sequence + 1) >>> 0

/** The messages in these runs, and what is left as data. */
function readRuns(way: Entry['way'], runs: readonly Run[], ports: Direction['ports'], decoder: PayloadDecoder): Entry[] {
  return runs.flatMap(({ bytes, pieces, gap }) => {
    const entries: Entry[] = []
    for (let at = 0; at < bytes.length;) {
      const message = decoder('tcp', ports, bytes.subarray(at))
      const end = message === null ? bytes.length : Math.min(bytes.length, at + Math.max(1, message.length ?? bytes.length))
      const { header, frame } = whereabouts(pieces, at, end)
      entries.push(payloadEntry(way, bytes.subarray(at, end), message, header, frame))
      at = end
    }
    return gap === 0 ? entries : [{ way, packet: `gap of ${gap} bytes`, header: {}, payload: {}, bytes: '', frame: pieces[0].frame }, ...entries]
  })
}

/** Which headers brought these bytes of a run, and the frame that completed them. */
function whereabouts(pieces: readonly Piece[], start: number, end: number): { header: Record<string, Value>, frame: number } {
  return {
    header: unite(pieces.filter(piece => piece.start < end && piece.end > start).map(piece => piece.header)),
    frame: Math.max(...pieces.filter(piece => piece.start < end).map(piece => piece.frame)),
  }
}

type ByWay<T> = Readonly<Record<Entry['way'], T>>

/** The same of a TLS connection: its records are opened first, in the order in which the wire had them. */
function readTls(runs: ByWay<readonly Run[]>, directions: ByWay<Direction>, keys: KeySource, decoder: PayloadDecoder): Entry[] {
  const connection = new TlsConnection(keys)
  const text: ByWay<{ parts: Uint8Array[], pieces: Piece[], length: number }> = { '→': { parts: [], pieces: [], length: 0 }, '←': { parts: [], pieces: [], length: 0 } }
  const entries: Entry[] = []
  for (const { way, bytes, gap } of inWireOrder(runs)) {
    for (const item of gap > 0 ? connection.lose(way) : connection.push(way, bytes)) {
      const { header, frame } = whereabouts(runs[way][0].pieces, item.span.start, Math.max(item.span.end, item.span.start + 1))
      if (item.kind === 'data') {
        const { parts, pieces, length } = text[way]
        parts.push(item.bytes)
        pieces.push({ start: length, end: text[way].length += item.bytes.length, frame, header })
      } else entries.push(tlsEntry(item, keys, header, frame))
    }
  }
  return [...withoutRepeats(entries), ...(['→', '←'] as const).flatMap(way => {
    const { parts, pieces, length } = text[way]
    return length === 0 ? [] : readRuns(way, [{ bytes: new Uint8Array(Buffer.concat(parts)), pieces, gap: 0 }], directions[way].ports, decoder)
  })]
}

/** The bytes of both directions by the frame with which they were there. */
function inWireOrder(runs: ByWay<readonly Run[]>): { readonly way: Entry['way'], readonly bytes: Uint8Array, readonly gap: number }[] {
  return (['→', '←'] as const).flatMap(way => {
    let frame = 0
    return runs[way].flatMap(({ bytes, pieces, gap }) => pieces.map(piece => {
      frame = Math.max(frame, piece.frame)
      return { way, frame, bytes: bytes.subarray(piece.start, piece.end), gap: piece.start === 0 ? gap : 0 }
    }))
  }).sort((a, b) => a.frame - b.frame)
}

/** How many records could not be opened says nothing; that there were some does. */
const withoutRepeats = (entries: readonly Entry[]): Entry[] =>
  entries.filter((entry, at) => entry.packet !== SEALED || entries.findIndex(each => each.packet === SEALED && each.way === entry.way) === at)

/** A piece's place in its run. */
interface Piece { readonly start: number, readonly end: number, readonly frame: number, readonly header: Readonly<Record<string, Value>> }
/** Bytes without a hole; `gap` bytes before them were not captured. */
interface Run { readonly bytes: Uint8Array, readonly pieces: readonly Piece[], readonly gap: number }

function reassemble({ base, segments }: Direction): Run[] {
  const order = new InOrder<Segment>(base ?? 0)
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
