// A TLS connection as a bystander sees it, from SSL 3.0 to TLS 1.3: bytes of both directions go in, each direction in order, and
// out come handshake messages, alerts and data, as far as the keys go. It judges nothing that the ends have to judge (certificates,
// Finished); of each record that it cannot open it says why. Whatever bytes come, it does not fail, and what it holds is bounded.
import { alertName } from './alerts.js'
import { cipherSuite, type CipherSuite } from './cipher-suites.js'
import { readHandshake, type HandshakeMessage, type MalformedMessage } from './handshake.js'
import type { KeySource } from './key-log.js'
import { Protection, type Role, type Settled, type Unopened } from './protection.js'
import type { OpenedRecord } from './record-cipher.js'
import { CONTENT, RecordStream, type Span, type StreamRecord } from './records.js'

/** The two directions, as entries.ts has them. */
export type Way = '→' | '←'

/** What records turned out to hold: a handshake message, or the whole of one record. */
export type TlsItem = { readonly way: Way, readonly span: Span } & (
  /** With the suite that is settled by then; null before the server hello. */
  | { readonly kind: 'handshake', readonly message: HandshakeMessage, readonly suite: CipherSuite | null }
  | { readonly kind: 'change cipher spec' }
  | { readonly kind: 'alert', readonly isFatal: boolean, readonly description: string }
  | { readonly kind: 'data', readonly bytes: Uint8Array }
  /** Encrypted, and not opened. */
  | { readonly kind: 'sealed', readonly why: Unopened }
  /** Not what it should be: a malformed message, or no TLS at all. */
  | { readonly kind: 'defect', readonly defect: string }
)

/** Bytes of one handshake message; above it, it is none. A chain of certificates is the largest. */
const LARGEST_HANDSHAKE = 256 << 10
const NOTHING = new Uint8Array(0)

class Direction {
  readonly records = new RecordStream()
  readonly protection: Protection
  /** The beginning of a handshake message, and where it stands. */
  handshake: Uint8Array = NOTHING
  handshakeStart = 0
  isOver = false

  constructor(readonly way: Way, keys: KeySource) { this.protection = new Protection(keys) }
}

export class TlsConnection {
  readonly #directions: Readonly<Record<Way, Direction>>
  #client: Way | null = null
  #clientRandom: Uint8Array | null = null
  #settled: Settled | null = null

  constructor(keys: KeySource) { this.#directions = { '→': new Direction('→', keys), '←': new Direction('←', keys) } }

  /** The next bytes of a direction. */
  push(way: Way, bytes: Uint8Array): TlsItem[] {
    const direction = this.#directions[way]
    if (direction.isOver) return []
    const { records, defect } = direction.records.push(bytes)
    const items = records.flatMap(record => this.#read(direction, record))
    return defect === null ? items : [...items, ...end(direction, `${defect}, which is none of TLS`)]
  }

  /** Bytes of a direction are missing: where its next record begins, nobody knows. */
  lose(way: Way): TlsItem[] {
    return end(this.#directions[way], 'bytes are missing from the capture')
  }

  #read(direction: Direction, record: StreamRecord): TlsItem[] {
    if (direction.isOver) return []
    const { way, protection } = direction, { span } = record
    if (!protection.covers(record.type)) return this.#readOpened(direction, record, span)
    const opened = protection.open(record)
    return typeof opened === 'string' ? [{ way, span, kind: 'sealed', why: opened }] : this.#readOpened(direction, opened, span)
  }

  #readOpened(direction: Direction, { type, body }: OpenedRecord, span: Span): TlsItem[] {
    const { way } = direction
    switch (type) {
      case CONTENT.handshake: return this.#readHandshake(direction, body, span)
      case CONTENT.alert: return [body.length === 2
        ? { way, span, kind: 'alert', isFatal: body[0] === 2, description: alertName(body[1]) }
        : { way, span, kind: 'defect', defect: `an alert of ${body.length} bytes` }]
      case CONTENT.changeCipherSpec:
        direction.protection.onChangeCipher(this.#settled, this.#roleOf(way))
        return [{ way, span, kind: 'change cipher spec' }]
      case CONTENT.data: return body.length === 0 ? [] : [{ way, span, kind: 'data', bytes: body }]
      default: return [{ way, span, kind: 'defect', defect: `a record with content of type ${type}` }]
    }
  }

  /** Messages may begin and end anywhere in records. */
  #readHandshake(direction: Direction, body: Uint8Array, span: Span): TlsItem[] {
    const { way } = direction
    if (direction.handshake.length === 0) direction.handshakeStart = span.start
    let held: Uint8Array = Buffer.concat([direction.handshake, body])
    const items: TlsItem[] = []
    while (held.length >= 4) {
      const length = 4 + ((held[1] << 16) | (held[2] << 8) | held[3])
      if (length > LARGEST_HANDSHAKE) return [...items, ...end(direction, `a handshake message of ${length} bytes`, span)]
      if (held.length < length) break
      const message = readHandshake(held[0], held.subarray(4, length), this.#settled?.hello.version ?? 0)
      const where = { way, span: { start: direction.handshakeStart, end: span.end } }
      this.#follow(direction, message)
      items.push('defect' in message ? { ...where, kind: 'defect', defect: message.defect } : { ...where, kind: 'handshake', message, suite: this.#settled?.suite ?? null })
      held = held.subarray(length)
      direction.handshakeStart = span.start
    }
    direction.handshake = held.length === 0 ? NOTHING : held
    return items
  }

  /** What a message changes. */
  #follow(direction: Direction, message: HandshakeMessage | MalformedMessage): void {
    if ('defect' in message) return
    if (message.name === 'client hello') {
      this.#client = direction.way
      this.#clientRandom = message.random
    } else if (message.name === 'server hello') {
      this.#client ??= direction.way === '→' ? '←' : '→'
      this.#settled = this.#clientRandom === null ? null : { hello: message, suite: cipherSuite(message.cipherSuite), clientRandom: this.#clientRandom }
      for (const each of Object.values(this.#directions)) each.protection.onServerHello(this.#settled, this.#roleOf(each.way))
    } else if (message.name === 'finished') direction.protection.onFinished()
    else if (message.name === 'key update') direction.protection.onKeyUpdate()
  }

  #roleOf(way: Way): Role { return way === this.#client ? 'client' : 'server' }
}

/** Nothing more of the direction is read. */
function end(direction: Direction, defect: string, span: Span = direction.records.rest): TlsItem[] {
  if (direction.isOver) return []
  direction.isOver = true
  direction.handshake = NOTHING
  return [{ way: direction.way, span, kind: 'defect', defect }]
}
