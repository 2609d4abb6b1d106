// UDP, ICMP, and IPv4 packets that are taken no further apart: an entry a packet.
import type { CanonicalOptions } from './canonical-options.js'
import type { Decoded, Transport } from '../decode/decode.js'
import { canonicalBytes, payloadEntry, type Entry, type Flow, type Value } from './entries.js'
import { beginningOf, DigestBuilder } from './flow-digest.js'
import { messageOf, type Message } from '../decode/payload.js'
import { icmpName } from '../decode/summary.js'

/** A packet as flows take it. */
export interface FlowPacket {
  readonly transport: Transport | null
  /** What is compared of its headers; packets that are equal in it may share the object. */
  readonly header: Readonly<Record<string, Value>>
  readonly frame: number
  /** There for all but plain TCP and UDP. */
  readonly decoded: Decoded | null
}

export interface FlowBuilder { add(packet: FlowPacket): void, finish(): Flow[] }

export class DatagramFlow implements FlowBuilder {
  readonly #ends: Omit<Flow, 'entries'>
  readonly #isForward: (transport: Transport | null) => boolean
  readonly #options: CanonicalOptions
  readonly #entries: Entry[] = []
  readonly #digest: DigestBuilder | null
  readonly #repeated = new Set<string>()

  constructor(ends: Omit<Flow, 'entries'>, isForward: (transport: Transport | null) => boolean, options: CanonicalOptions) {
    this.#ends = ends
    this.#isForward = isForward
    this.#options = options
    this.#digest = options.digests === true ? new DigestBuilder() : null
  }

  add({ transport, header, frame, decoded }: FlowPacket): void {
    const way = this.#isForward(transport) ? '→' : '←'
    if (transport?.protocol === 'icmp') {
      const hasQuote = decoded?.layers.at(-1)?.protocol === 'quoted' // its fields are compared; its bytes hold a kernel's choices
      this.#push({ way, packet: icmpName(Number(header['ICMP type'] ?? 0)), header, payload: {}, bytes: hasQuote ? '' : canonicalBytes(transport.payload), frame })
    } else if (transport === null) {
      this.#push({ way, packet: 'packet', header, payload: {}, bytes: decoded === null ? '' : canonicalBytes(restOf(decoded)), frame })
    } else {
      const message = messageOf(transport, this.#options.decoder)
      if (message === null && this.#digest !== null) {
        this.#digest.addData(beginningOf(way, header), transport.payload)
        return
      }
      const entry = payloadEntry(way, transport.payload, message, header, frame)
      if (!this.#isRepeated(entry, message)) this.#push(entry)
    }
  }

  #push(entry: Entry): void {
    if (this.#digest === null) this.#entries.push(entry)
    else this.#digest.add(entry)
  }

  /** A message of a timer that was there already, just so. */
  #isRepeated(entry: Entry, message: Message | null): boolean {
    if (message?.number == null || this.#options.periodic?.includes(message.number) !== true) return false
    const key = JSON.stringify({ ...entry, frame: 0 })
    const isRepeated = this.#repeated.has(key)
    this.#repeated.add(key)
    return isRepeated
  }

  finish(): Flow[] { return [{ ...this.#ends, entries: this.#entries, ...(this.#digest === null ? {} : { digest: this.#digest.finish() }) }] }
}

/** What follows the last layer that was decoded. */
function restOf(decoded: Decoded): Uint8Array {
  const last = decoded.layers.at(-1)
  return last === undefined ? decoded.bytes : decoded.bytes.subarray(last.offset + last.length)
}
