// A flow as the count and the hash of its entries, for goldens of more packets than anybody reads: equal entries in the same order
// give the same hash. It is made as packets come and keeps none of them. BLAKE2b, since hashing is the largest part of a check, and it
// takes a third to a half of the time of SHA-256.
import { createHash } from 'node:crypto'
import { Numbers } from './bindings.js'
import type { Entry, FlowDigest } from './entries.js'

/** Bytes that wait to be hashed together, at first and at most. */
const FIRST = 256, MOST = 16 * 1024

const text = new TextEncoder()

export class DigestBuilder {
  readonly #hash = createHash('blake2b512')
  readonly #numbers = new Numbers()
  #waiting = new Uint8Array(FIRST)
  #used = 0
  #packets = 0

  /** Values that differ from run to run are numbered by their first appearance in the flow. */
  add({ way, packet, header, payload, bytes }: Entry): void {
    this.#packets++
    this.#write(text.encode(`${JSON.stringify([way, packet, this.#numbers.fields(header), this.#numbers.fields(payload), bytes])}\n`))
  }

  /** The same for bytes that are no message; `beginning` says all else of the entry. */
  addData(beginning: Uint8Array, payload: Uint8Array): void {
    this.#packets++
    this.#write(beginning)
    this.#makeRoom(2)
    this.#waiting[this.#used++] = payload.length >>> 8
    this.#waiting[this.#used++] = payload.length
    this.#write(payload)
  }

  finish(): FlowDigest {
    this.#flush()
    return { packets: this.#packets, blake2b: this.#hash.digest('hex') }
  }

  #write(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    if (bytes.length > this.#waiting.length) {
      this.#hash.update(bytes)
      return
    }
    this.#waiting.set(bytes, this.#used)
    this.#used += bytes.length
  }

  /** What does not fit behind what waits has all of the memory then, as far as that is enough. */
  #makeRoom(length: number): void {
    if (this.#used + length <= this.#waiting.length) return
    this.#flush()
    if (this.#waiting.length < MOST) this.#waiting = new Uint8Array(this.#waiting.length * 4)
  }

  #flush(): void {
    if (this.#used > 0) this.#hash.update(this.#waiting.subarray(0, this.#used))
    this.#used = 0
  }
}

const beginnings = new WeakMap<Entry['header'], Readonly<Record<Entry['way'], Uint8Array>>>()

/** What `addData` takes for data that goes this way under this header; a header object is written out once. */
export function beginningOf(way: Entry['way'], header: Entry['header']): Uint8Array {
  const known = beginnings.get(header)
  if (known !== undefined) return known[way]
  const made = { '→': text.encode(`→ data ${JSON.stringify(header)} `), '←': text.encode(`← data ${JSON.stringify(header)} `) }
  beginnings.set(header, made)
  return made[way]
}

/** Of entries that were all collected first. */
export function digestOf(entries: readonly Entry[]): FlowDigest {
  const builder = new DigestBuilder()
  for (const entry of entries) builder.add(entry)
  return builder.finish()
}
