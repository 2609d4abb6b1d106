// Verdicts in words that were written before: packets of a known flow differ in little, and what a verdict says follows from a few
// numbers. A place for each hash of them; what does not fit is written anew, so memory is bounded whatever comes.
import { decodePayload } from '../../captures/decode/protocol.js'
import type { KnownSession } from '../../napt/trace/explanation.js'
import type { Side } from '../../napt/verdict.js'
import { read16, readInt32 } from '../../napt/wire/bytes.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'

/** A power of two; some 300 bytes each. */
const PLACES = 1 << 17
/** Both ends before and after, length and flags, states, times left, and how the mapping and the filter are chosen. */
const KEY = 11
const IP = ethernet.HEADER

export class CommentCache {
  readonly #keys = new Int32Array(PLACES * KEY)
  readonly #texts = new Array<Uint8Array | undefined>(PLACES)
  readonly #key = new Int32Array(KEY)
  #place = 0

  /**
   * Looks up the words for a forwarded packet, `received[start, end)`, which became `sent`. Null when they are not here, or cannot be:
   * `isKeepable` says whether to `keep` them once they are written. `choices` is choicesOf (explanation-numbers.ts), where the router's
   * behaviour may change meanwhile.
   */
  find(received: Uint8Array, start: number, end: number, sent: Uint8Array, from: Side, session: KnownSession, choices = 0): Uint8Array | null {
    this.isKeepable = this.#describe(received, start, end, sent, from, session)
    if (!this.isKeepable) return null
    const key = this.#key, keys = this.#keys
    key[10] = choices
    let hash = 0
    for (let i = 0; i < KEY; i++) hash = Math.imul(hash ^ key[i], 0x9e3779b1) ^ hash >>> 15
    this.#place = (hash ^ hash >>> 16) & (PLACES - 1)
    const at = this.#place * KEY
    for (let i = 0; i < KEY; i++) if (keys[at + i] !== key[i]) return null
    return this.#texts[this.#place] ?? null
  }

  isKeepable = false

  /** The words for what `find` was asked last. */
  keep(text: Uint8Array): void {
    this.#keys.set(this.#key, this.#place * KEY)
    this.#texts[this.#place] = text
  }

  /** False where the words depend on more: on a message of the endpoints, on a checksum that does not hold. */
  #describe(received: Uint8Array, start: number, end: number, sent: Uint8Array, from: Side, { before, after, timeLeftBefore, timeLeft }: KnownSession): boolean {
    const ip = start + IP, protocol = ipv4.protocol(received, ip), isTcp = protocol === ipv4.PROTOCOL.tcp
    if ((!isTcp && protocol !== ipv4.PROTOCOL.udp) || ipv4.isFragment(received, ip)) return false
    const transport = ip + ipv4.headerLength(received, ip), ipEnd = ip + ipv4.totalLength(received, ip)
    if (ipEnd > end || !(isTcp ? tcp.checksumHolds(received, ip, transport, ipEnd) : udp.checksumHolds(received, ip, transport))) return false
    const payload = isTcp ? transport + tcp.headerLength(received, transport) : transport + udp.HEADER
    const payloadEnd = isTcp ? ipEnd : transport + udp.length(received, transport)
    if (payload < payloadEnd && decodePayload(isTcp ? 'tcp' : 'udp', NO_PORTS, received.subarray(payload, payloadEnd)) !== null) return false
    const key = this.#key, sentTransport = IP + ipv4.headerLength(sent, IP)
    key[0] = readInt32(received, ip + 12)
    key[1] = readInt32(received, ip + 16)
    key[2] = readInt32(received, transport)
    key[3] = readInt32(sent, IP + 12)
    key[4] = readInt32(sent, IP + 16)
    key[5] = readInt32(sent, sentTransport)
    key[6] = payloadEnd - payload | (from === 'lan' ? 1 << 16 : 0) | (isTcp ? 1 << 17 : 0)
    key[7] = (isTcp ? read16(received, transport + 12) & 0x1ff : 0) | before << 9 | after << 18
    // As exact as the words are.
    key[8] = Math.ceil(timeLeftBefore / 1000)
    key[9] = Math.ceil(timeLeft / 1000)
    return true
  }
}

/** The decoder does not ask. */
const NO_PORTS = { source: 0, destination: 0 }
