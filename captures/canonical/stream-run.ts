// Bytes of one direction of a TCP connection without a hole, while they come: kept as long as they may be messages, and from then on
// only counted and hashed, so that a long transfer takes no memory.
import { createHash, type Hash } from 'node:crypto'
import { payloadEntry, type Entry, type Value } from './entries.js'
import type { Message, PayloadDecoder } from '../decode/payload.js'

/** A piece's place in its run, and what brought it. */
export interface Piece { readonly start: number, readonly end: number, readonly frame: number, readonly header: Entry['header'] }

/** Longer than any message: when as many bytes begin with none, they are data. */
export const LONGEST_MESSAGE = 66_000
const FIRST = 1024, BATCH = 16 * 1024

export interface RunReader { readonly way: Entry['way'], readonly ports: Parameters<PayloadDecoder>[1], readonly decoder: PayloadDecoder }

/** SHA-256 where people read it, who may have the file and `sha256sum`; BLAKE2b where it goes into a digest, in less than half the time. */
export type DataHash = 'sha256' | 'blake2b512'

export class StreamRun {
  /** Bytes before it that were not captured. */
  readonly gap: number
  readonly #algorithm: DataHash
  #buffer = new Uint8Array(FIRST)
  #length = 0
  #pieces: Piece[] = []
  /** Of the first piece, and the latest so far: a piece that came early is complete only with what came before it in the stream. */
  #firstFrame = 0
  #frame = 0
  #settleAt = LONGEST_MESSAGE
  readonly #entries: Entry[] = []
  #data: { readonly hash: Hash, length: number, readonly headers: Set<Entry['header']>, last: Entry['header'] | null } | null = null

  constructor(gap: number, algorithm: DataHash = 'sha256') {
    this.gap = gap
    this.#algorithm = algorithm
  }

  /** What is kept. */
  get bytes(): Uint8Array { return this.#buffer.subarray(0, this.#length) }
  get pieces(): readonly Piece[] { return this.#pieces }
  /** Whether its end is known to be data, so that it is not kept. */
  get isSettled(): boolean { return this.#data !== null }
  /** Whether so much is kept that `settle` is worth while. */
  get isLong(): boolean { return this.#data === null && this.#length >= this.#settleAt }

  /** The bytes are copied. */
  append(bytes: Uint8Array, frame: number, header: Entry['header']): void {
    this.#firstFrame ||= frame
    this.#frame = Math.max(this.#frame, frame)
    if (this.#data === null) this.#pieces.push({ start: this.#length, end: this.#length + bytes.length, frame: this.#frame, header })
    else {
      this.#data.length += bytes.length
      if (header !== this.#data.last) {
        this.#data.last = header
        this.#data.headers.add(header)
      }
      if (this.#length + bytes.length > BATCH) this.#hashKept()
      if (bytes.length > BATCH) {
        this.#data.hash.update(bytes)
        return
      }
    }
    if (this.#length + bytes.length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + bytes.length))
      larger.set(this.bytes)
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Takes messages off what is kept while there may be whole ones; the rest is data from then on. */
  settle(reader: RunReader): void {
    while (this.#data === null && this.#length >= LONGEST_MESSAGE) {
      const message = reader.decoder('tcp', reader.ports, this.bytes)
      if (message !== null && message.length === undefined) { // of all there will be
        this.keep()
        return
      }
      if (message === null) this.#becomeData()
      else this.#takeMessage(message, reader.way)
    }
  }

  /** Keeps as much again before it is asked for the next time. */
  keep(): void { this.#settleAt = 2 * this.#length }

  /** All that it held; behind the last byte. */
  finish(reader: RunReader): Entry[] {
    while (this.#data === null && this.#length > 0) {
      const message = reader.decoder('tcp', reader.ports, this.bytes)
      if (message === null) {
        const { header, frame } = whereabouts(this.#pieces, 0, this.#length)
        this.#entries.push(payloadEntry(reader.way, this.bytes, null, header, frame))
        this.#length = 0
      } else this.#takeMessage(message, reader.way)
    }
    if (this.#data !== null) {
      this.#hashKept()
      const { hash, length, headers } = this.#data
      this.#entries.push({ way: reader.way, packet: 'data', header: unite([...headers]), payload: {}, bytes: `${length} bytes, ${this.#algorithm} ${hash.digest('hex')}`, frame: this.#frame })
    }
    return this.gap === 0 ? this.#entries : [{ way: reader.way, packet: `gap of ${this.gap} bytes`, header: {}, payload: {}, bytes: '', frame: this.#firstFrame }, ...this.#entries]
  }

  #takeMessage(message: Message, way: Entry['way']): void {
    const end = Math.min(this.#length, Math.max(1, message.length ?? this.#length))
    const { header, frame } = whereabouts(this.#pieces, 0, end)
    this.#entries.push(payloadEntry(way, this.#buffer.subarray(0, end), message, header, frame))
    this.#buffer.copyWithin(0, end, this.#length)
    this.#length -= end
    this.#pieces = this.#pieces.filter(piece => piece.end > end).map(piece => ({ ...piece, start: Math.max(0, piece.start - end), end: piece.end - end }))
  }

  #becomeData(): void {
    this.#data = { hash: createHash(this.#algorithm), length: this.#length, headers: new Set(this.#pieces.map(piece => piece.header)), last: null }
    this.#hashKept()
    this.#buffer = new Uint8Array(BATCH)
    this.#pieces = []
  }

  #hashKept(): void {
    this.#data?.hash.update(this.bytes)
    this.#length = 0
  }
}

/** Which headers brought these bytes of a run, and the frame that completed them. */
export function whereabouts(pieces: readonly Piece[], start: number, end: number): { header: Entry['header'], frame: number } {
  const headers = new Set<Entry['header']>()
  let frame = 0
  for (const piece of pieces) {
    if (piece.start >= end) break
    frame = Math.max(frame, piece.frame)
    if (piece.end > start) headers.add(piece.header)
  }
  return { header: unite([...headers]), frame }
}

/** The headers of several segments as one: a field that differs among them shows all its values. */
function unite(headers: readonly Entry['header'][]): Entry['header'] {
  if (headers.length === 1) return headers[0]
  const united: Record<string, Value> = {}
  for (const name of new Set(headers.flatMap(header => Object.keys(header)))) {
    const values = [...new Set(headers.map(header => header[name] ?? 0))]
    united[name] = values.length === 1 ? values[0] : values.map(value => typeof value === 'object' ? value.any : value).join(', ')
  }
  return united
}
