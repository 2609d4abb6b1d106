// The record layer (RFC 8446 §5.1): cuts one direction of a stream into records, wherever segments cut it.
import { read16 } from '../../napt/wire/bytes.js'
import type { SealedRecord } from './record-cipher.js'

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const

const HEADER = 5
/** Bytes of a record's body: 2^14 and what protection may add in TLS 1.2, the most of all versions (RFC 5246 §6.2.3). */
const LARGEST_BODY = 16384 + 2048

/** Where in its direction something stands, bytes from the stream's beginning. */
export interface Span { readonly start: number, readonly end: number }

export interface StreamRecord extends SealedRecord { readonly span: Span }

export class RecordStream {
  #held: Uint8Array = new Uint8Array(0)
  #position = 0

  /** Adds bytes, and gives the records that they complete; a defect where no record begins, after which nothing more is to come. Holds a record at most. */
  push(bytes: Uint8Array): { readonly records: readonly StreamRecord[], readonly defect: string | null } {
    const held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const records: StreamRecord[] = []
    let at = 0, defect = defectOf(held)
    while (defect === null && held.length >= at + HEADER) {
      const end = at + HEADER + read16(held, at + 3)
      if (end > held.length) break
      const span = { start: this.#position + at, end: this.#position + end }
      records.push({ type: held[at], version: read16(held, at + 1), body: held.subarray(at + HEADER, end), span })
      at = end
      defect = defectOf(held.subarray(at))
    }
    this.#position += at
    this.#held = Uint8Array.from(held.subarray(at)) // a copy: what was given may be used again
    return { records, defect }
  }

  /** Where what is no whole record yet stands. */
  get rest(): Span { return { start: this.#position, end: this.#position + this.#held.length } }
}

/** What makes these the beginning of no record, as far as it can be seen. */
function defectOf(bytes: Uint8Array): string | null {
  const [type, major] = bytes
  if (bytes.length === 0) return null
  if (type < CONTENT.changeCipherSpec || type > CONTENT.data) return `a record of type ${type}`
  if (bytes.length > 1 && major !== 3) return `a record of version ${major}`
  if (bytes.length < HEADER) return null
  const length = read16(bytes, 3)
  return length > LARGEST_BODY ? `a record of ${length} bytes` : null
}

/** Whether a direction that begins so is one of TLS: its first record is a handshake's. */
export const looksLikeTls = (bytes: Uint8Array): boolean => bytes[0] === CONTENT.handshake && defectOf(bytes) === null
