// The record layer (RFC 6101 5.2): content in fragments of up to 16384 bytes, sealed once keys are in use.
import { vector } from './bytes.js'
import { Ssl3Error } from './fault.js'
import { Opener, Sealer } from './sealing.js'
import type { DirectionKeys } from './key-derivation.js'
import type { Suite } from './suites.js'

export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const
export type RecordType = typeof RECORD[keyof typeof RECORD]
export interface SslRecord { readonly type: RecordType, readonly content: Buffer }

/** The version, as it travels. */
export const SSL3 = 0x0300
const MAJOR = SSL3 >> 8
const HEADER_LENGTH = 5
export const MAX_FRAGMENT = 2 ** 14
/** Of what travels: MAC and padding included. */
const MAX_SEALED = MAX_FRAGMENT + 2048

/** One direction, written. */
export class RecordWriter {
  #sealer: Sealer | null = null

  /** From here on everything is written under these keys. */
  protect(suite: Suite, keys: DirectionKeys): void { this.#sealer = new Sealer(suite, keys) }

  /** As many records as the content needs. */
  encode(type: RecordType, content: Uint8Array): Buffer {
    const records: Uint8Array[] = []
    for (let at = 0; at < content.length; at += MAX_FRAGMENT) {
      const fragment = content.subarray(at, at + MAX_FRAGMENT)
      records.push(Buffer.of(type, MAJOR, 0), vector(this.#sealer?.seal(type, fragment) ?? fragment, 2))
    }
    return Buffer.concat(records)
  }
}

/** One direction, read. It holds one record at most, beside the chunk that was pushed last. */
export class RecordReader {
  #held: Buffer = Buffer.alloc(0)
  #opener: Opener | null = null
  #isAgreed = false

  /** The hellos have agreed on SSL 3.0. Before, a client that can do more may say so in its records. */
  agreeVersion(): void { this.#isAgreed = true }

  /** From here on everything has to be under these keys. */
  protect(suite: Suite, keys: DirectionKeys): void { this.#opener = new Opener(suite, keys) }

  /** Adds bytes as they came. Take all records with `next` before adding more, or what is held grows. */
  push(chunk: Uint8Array): void { this.#held = Buffer.concat([this.#held, chunk]) }

  /** Bytes that are not yet part of a whole record. */
  get held(): number { return this.#held.length }

  /** The next record, opened; null while more bytes are needed. @throws Ssl3Error */
  next(): SslRecord | null {
    const held = this.#held
    if (held.length < HEADER_LENGTH) return null
    const type = this.#readType(held), length = held.readUInt16BE(3)
    checkLength(length, this.#opener ? MAX_SEALED : MAX_FRAGMENT)
    const end = HEADER_LENGTH + length
    if (held.length < end) return null
    this.#held = held.subarray(end)
    const sealed = held.subarray(HEADER_LENGTH, end)
    const content = this.#opener?.open(type, sealed) ?? sealed
    checkLength(content.length, MAX_FRAGMENT)
    return { type, content }
  }

  #readType(head: Buffer): RecordType {
    const [type, major, minor] = head
    const known = Object.values(RECORD).find(value => value === type)
    if (known === undefined || major !== MAJOR) {
      throw new Ssl3Error('illegalParameter', `the other end does not speak SSL 3.0: what came begins with ${head.toString('hex', 0, HEADER_LENGTH)}`)
    }
    if (this.#isAgreed && minor !== 0) throw new Ssl3Error('illegalParameter', `the other end sent a record of version 3.${minor} on a connection of version 3.0`)
    return known
  }
}

function checkLength(length: number, limit: number): void {
  if (length > limit) throw new Ssl3Error('illegalParameter', `the other end sent a record of ${length} bytes, above the limit of ${limit}`)
}
