// TCP conversations as events: SYN, the messages or data that each direction carried, FIN, RST. How a kernel cut the bytes
// into segments, what it sent twice and what it only acknowledged leaves no trace.
//
// Order: within one direction everything stands as sent. Between the directions, SYNs and decoded messages stand in the order
// in which they were complete on the wire: a protocol of questions and answers. For the rest see `arrange` in entries.ts.
import { FLAG, formatFlags } from '../../napt/wire/tcp.js'
import { InOrder } from './in-order.js'
import { arrange, SEALED, type Entry, type Flow } from './entries.js'
import type { FlowPacket } from './datagram-flow.js'
import type { Transport } from '../decode/decode.js'
import { portsOf, type PayloadDecoder } from '../decode/payload.js'
import { StreamRun, whereabouts, type DataHash, type RunReader } from './stream-run.js'
import { tlsEntry } from './tls-entries.js'
import { TlsConnection } from '../tls/connection.js'
import type { KeySource } from '../tls/key-log.js'
import { looksLikeTls } from '../tls/records.js'

/** Where a segment's bytes come from. */
interface Origin { readonly frame: number, readonly header: Entry['header'] }

/** Bytes that wait behind a hole; then it is passed over. */
const MOST_WAITING = 8 << 20

/** What goes one way. */
interface Direction {
  /** Null before the first segment. */
  ports: { readonly source: number, readonly destination: number } | null
  /** The sequence number of the first data byte, and the segments from there on; null before the first segment. */
  base: number | null
  order: InOrder<Origin> | null
  syn: Entry | null
  fin: Entry | null
  rst: Entry | null
  readonly runs: StreamRun[]
}

/** All connections between the same two endpoints, one after another: a flow each. */
export class TcpConversation {
  readonly #ends: Omit<Flow, 'entries'>
  readonly #isForward: (transport: Transport | null) => boolean
  readonly #decoder: PayloadDecoder
  readonly #keys: KeySource
  readonly #algorithm: DataHash
  readonly #connections: Connection[] = []

  constructor(ends: Omit<Flow, 'entries'>, isForward: (transport: Transport | null) => boolean, decoder: PayloadDecoder, keys: KeySource, algorithm: DataHash) {
    this.#ends = ends
    this.#isForward = isForward
    this.#decoder = decoder
    this.#keys = keys
    this.#algorithm = algorithm
  }

  add({ transport, header, frame }: FlowPacket): void {
    if (transport === null) return
    let current = this.#connections.at(-1)
    const isStart = (transport.flags & (FLAG.syn | FLAG.ack)) === FLAG.syn
    const way = this.#isForward(transport) ? '→' : '←'
    if (current === undefined || (isStart && current.isOther(way, transport.sequence))) {
      current = new Connection(this.#decoder, this.#keys, this.#algorithm)
      this.#connections.push(current)
    }
    current.add(way, header, transport, frame)
  }

  finish(): Flow[] { return this.#connections.map(connection => ({ ...this.#ends, entries: arrange(connection.entries(), this.#ends.order) })) }
}

class Connection {
  readonly #decoder: PayloadDecoder
  readonly #keys: KeySource
  readonly #algorithm: DataHash
  readonly #directions: Readonly<Record<Entry['way'], Direction>> = { '→': newDirection(), '←': newDirection() }

  constructor(decoder: PayloadDecoder, keys: KeySource, algorithm: DataHash) {
    this.#decoder = decoder
    this.#keys = keys
    this.#algorithm = algorithm
  }

  /** Whether a SYN with this sequence number starts another connection; else it is this one's, sent again. */
  isOther(way: Entry['way'], sequence: number): boolean {
    const { base } = this.#directions[way]
    return base !== null && base !== nextSequence(sequence)
  }

  add(way: Entry['way'], header: Entry['header'], transport: Transport, frame: number): void {
    const direction = this.#directions[way]
    const { flags, sequence, payload } = transport, isSyn = (flags & FLAG.syn) !== 0
    direction.ports ??= portsOf(transport)
    if (isSyn) {
      direction.base ??= nextSequence(sequence)
      direction.syn ??= eventOf(way, header, frame, formatFlags(flags & (FLAG.syn | FLAG.ack)))
    }
    if (payload.length > 0) this.#addPayload(way, isSyn ? nextSequence(sequence) : sequence, payload, header, frame)
    if ((flags & FLAG.fin) !== 0) direction.fin ??= eventOf(way, header, frame, 'FIN')
    if ((flags & FLAG.rst) !== 0 && !this.#isOver()) direction.rst ??= eventOf(way, header, frame, 'RST')
  }

  /** @param first the sequence number of its first byte */
  #addPayload(way: Entry['way'], first: number, payload: Uint8Array, header: Entry['header'], frame: number): void {
    const direction = this.#directions[way]
    direction.base ??= first
    direction.order ??= new InOrder<Origin>(direction.base, MOST_WAITING)
    if (direction.order.takeNext(first, payload.length)) this.#append(way, payload, 0, header, frame)
    else for (const { bytes, gap, tag } of direction.order.push(first, payload, { frame, header })) this.#append(way, bytes, gap, tag.header, tag.frame)
  }

  /** Both ends have closed. A reset after that answers an acknowledgement that came twice, and means nothing (RFC 9293 §3.10.7.1). */
  #isOver(): boolean { return Object.values(this.#directions).every((direction: Direction) => direction.fin !== null) }

  #append(way: Entry['way'], bytes: Uint8Array, gap: number, header: Entry['header'], frame: number): void {
    const { runs } = this.#directions[way]
    let run = runs.at(-1)
    if (run === undefined || gap > 0) {
      run = new StreamRun(gap, this.#algorithm)
      runs.push(run)
    }
    run.append(bytes, frame, header)
    if (!run.isLong) return
    if (this.#isTls()) run.keep() // its records are opened when all is there
    else run.settle(this.#reader(way))
  }

  #reader(way: Entry['way']): RunReader { return { way, ports: this.#directions[way].ports ?? NO_PORTS, decoder: this.#decoder } }

  /** Either side begins with a record of TLS, and nothing was taken for data before. */
  #isTls(): boolean {
    const firsts = Object.values(this.#directions).map(({ runs }: Direction) => runs.at(0))
    return firsts.some(first => first?.gap === 0 && !first.isSettled && looksLikeTls(first.bytes)) && !firsts.some(first => first?.isSettled === true)
  }

  /** By the frame that completed them. */
  entries(): Entry[] {
    for (const way of WAYS) for (const { bytes, gap, tag } of this.#directions[way].order?.flush() ?? []) this.#append(way, bytes, gap, tag.header, tag.frame)
    const events = Object.values(this.#directions).flatMap(({ syn, fin, rst }: Direction) => [syn, fin, rst])
    const contents = this.#isTls() ? readTls({ '→': this.#directions['→'].runs, '←': this.#directions['←'].runs }, this.#keys, way => this.#reader(way))
      : WAYS.flatMap(way => this.#directions[way].runs.flatMap(run => run.finish(this.#reader(way))))
    return [...contents, ...events].filter(entry => entry !== null).sort((a, b) => a.frame - b.frame)
  }
}

const WAYS = ['→', '←'] as const
const newDirection = (): Direction => ({ ports: null, base: null, order: null, syn: null, fin: null, rst: null, runs: [] })
const NO_PORTS = { source: 0, destination: 0 }
const eventOf = (way: Entry['way'], header: Entry['header'], frame: number, packet: string): Entry => ({ way, packet, header, payload: {}, bytes: '', frame })
const nextSequence = (sequence: number): number => (sequence + 1) >>> 0

type ByWay<T> = Readonly<Record<Entry['way'], T>>

/** The entries of a TLS connection: its records are opened first, in the order in which the wire had them. */
function readTls(runs: ByWay<readonly StreamRun[]>, keys: KeySource, reader: (way: Entry['way']) => RunReader): Entry[] {
  const connection = new TlsConnection(keys)
  const text: ByWay<StreamRun> = { '→': new StreamRun(0), '←': new StreamRun(0) }
  const entries: Entry[] = []
  for (const { way, bytes, gap } of inWireOrder(runs)) {
    for (const item of gap > 0 ? connection.lose(way) : connection.push(way, bytes)) {
      const { header, frame } = whereabouts(runs[way][0].pieces, item.span.start, Math.max(item.span.end, item.span.start + 1))
      if (item.kind === 'data') text[way].append(item.bytes, frame, header)
      else entries.push(tlsEntry(item, keys, header, frame))
    }
  }
  return [...withoutRepeats(entries), ...WAYS.flatMap(way => text[way].finish(reader(way)))]
}

/** The bytes of both directions by the frame with which they were there. */
function inWireOrder(runs: ByWay<readonly StreamRun[]>): { readonly way: Entry['way'], readonly bytes: Uint8Array, readonly gap: number }[] {
  return WAYS.flatMap(way => {
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
