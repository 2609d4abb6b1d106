// One packet after the other through the router, and into the file: each as it came in, with the verdict in words, and behind it
// what the router sent, with the same packet ID.
import { LINK_TYPE } from '../../captures/decode/link-layer.js'
import { LONGEST_RECORD } from '../../captures/files/pcap.js'
import { OfflineRouter, type OfflineOutput } from '../../napt/offline-router.js'
import { completeChecksum } from '../../napt/packet.js'
import type { RouterConfig } from '../../napt/router-config.js'
import type { Counters } from '../../napt/verdicts.js'
import type { TraceAction, TraceRecord } from '../../napt/trace/trace.js'
import type { Side, Verdict } from '../../napt/verdict.js'
import type { Ipv4Address, MacAddress } from '../../napt/wire/address.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { verdictComment } from '../recording/verdict-comment.js'
import { CommentCache } from './comment-cache.js'
import type { Frame } from './frame.js'
import type { Sink } from './sink.js'
import { isPartial } from './partial.js'
import { isSide, type Aside, type Place } from './places.js'
import type { Stations } from './surroundings.js'

/** Whose verdict stands beside them in words: that of all packets, of dropped ones, of none. */
export const COMMENT_CHOICES = ['all', 'drops', 'none'] as const
export type CommentChoice = typeof COMMENT_CHOICES[number]

/** Bytes of an IPv4 packet: a file has no cable that would be too small for one. */
const MTU = 65535
/** 2^32 nanoseconds. */
const MILLISECONDS_A_HALF = 4294.967296
/** Packets held for others whose IDs are remembered. */
const MOST_HELD = 1024
const encoder = new TextEncoder()

/** Hears of every packet, by its number in its file. Frames are valid during the call only. */
export interface Observer {
  passed(number: number, record: TraceRecord): void
  setAside(number: number, reason: Aside): void
}

export interface TranslationResult {
  /** Packets read. */
  readonly packets: number
  readonly arrived: Readonly<Record<Side, number>>
  /** Of those from the WAN, how many were turned back from what LAN hosts received. */
  readonly answers: number
  readonly aside: Readonly<Partial<Record<Aside, number>>>
  readonly counters: Counters
  /** Dynamic mappings made. */
  readonly mappings: number
  /** Packets in the output. */
  readonly written: number
}

export class Translation implements OfflineOutput {
  readonly #config: RouterConfig
  readonly #stations: Stations
  readonly #comments: CommentChoice
  readonly #observer: Observer | null
  readonly #file: Sink
  readonly #cache = new CommentCache()
  /** By side; here and below looked up by name, since by a variable that costs 25 ns (Node 20). */
  readonly #interfaces: Readonly<Record<Side, number>>
  readonly #router: OfflineRouter
  /** While a packet is inside, what the router sends goes behind it. */
  #isInside = false
  /** While time passes, what the router sends has times of its own. */
  #isPassing = false
  #originated: { readonly side: Side, readonly frame: Uint8Array }[] = []
  /** IDs of held packets, by their bytes. */
  readonly #held = new Map<string, number>()
  readonly #time = new BigUint64Array(1)
  /** Low and high, signed as in Frame. */
  readonly #timeHalves = new Int32Array(this.#time.buffer)
  #packetId = 0
  #packets = 0
  #answers = 0
  #written = 0
  readonly #arrived: Record<Side, number> = { lan: 0, wan: 0 }
  readonly #aside: Partial<Record<Aside, number>> = {}

  /** @param begin when the first packet came, nanoseconds since 1970. @throws ConfigError for a router that cannot be */
  constructor(file: Sink, config: RouterConfig, stations: Stations, comments: CommentChoice, begin: bigint, observer: Observer | null = null) {
    this.#config = config
    this.#stations = stations
    this.#comments = comments
    this.#file = file
    this.#observer = observer
    this.#time[0] = begin
    const { lan, wan } = stations.router
    this.#router = new OfflineRouter(config, { lan: { mac: lan, mtu: MTU }, wan: { mac: wan, mtu: MTU } }, this, this.#milliseconds)
    const describe = (name: string, description: string): number => file.interface({ name, description, linkType: LINK_TYPE.ethernet, snapLength: LONGEST_RECORD })
    this.#interfaces = { lan: describe(config.lan.interface, `LAN of ${config.name}`), wan: describe(config.wan.interface, `WAN of ${config.name}`) }
  }

  /** What the inputs call addresses, and the lines of their key logs. */
  describe(names: ReadonlyMap<Ipv4Address, string>, keys: string): void {
    const { name, lan, wan } = this.#config
    this.#file.names(new Map([...names, [lan.prefix.address, name], [wan.address, name]]))
    if (keys !== '') this.#file.secrets(keys)
  }

  /** Puts a packet through. Its bytes are changed. */
  put(frame: Frame, place: Place): void {
    this.#packets++
    if (!isSide(place) && place !== 'answer') {
      this.#aside[place] = (this.#aside[place] ?? 0) + 1
      this.#observer?.setAside(frame.number, place)
      return
    }
    this.#stations.meet(frame, place)
    this.#setTime(frame)
    this.#isPassing = true
    this.#router.advance(this.#milliseconds)
    this.#isPassing = false
    this.#setTime(frame)
    const kept = frame.end - frame.start
    if (frame.originalLength > kept) padOut(frame)
    const partial = frame.isIpv4 && isPartial(frame)
    if (place === 'answer') this.#turnBack(frame, partial)
    this.#process(frame, kept, partial, place === 'answer' ? 'wan' : place)
  }

  /** Resolves when there is room for more. */
  ready(): Promise<void> { return this.#file.ready() }

  /** The file is whole. */
  async close(): Promise<TranslationResult> {
    for (const side of ['lan', 'wan'] as const) this.#file.statistics(this.#interfaces[side], this.#time[0], { received: BigInt(this.#arrived[side]), dropped: 0n })
    await this.#file.close()
    return {
      packets: this.#packets, arrived: this.#arrived, answers: this.#answers, aside: this.#aside,
      counters: this.#router.counters, mappings: this.#router.mappingsMade, written: this.#written,
    }
  }

  originated(side: Side, frame: Uint8Array): void {
    this.#keepTime()
    if (this.#isInside) this.#originated.push({ side, frame: frame.slice() })
    else this.#writeOwn(side, frame, 0)
  }

  released(from: Side, received: Uint8Array, frame: Uint8Array, { action, to, reason }: Verdict): void {
    this.#keepTime()
    const id = this.#takeHeld(received)
    if (action !== 'forward') return
    this.#write(to, frame, 0, frame.length, frame.length, id, this.#comment({
      time: this.#time[0], action, waited: true, ...(reason === null ? {} : { reason }), received: { side: from, frame: received }, sent: { side: to, frame },
    }))
  }

  abandoned(_from: Side, frame: Uint8Array): void { this.#takeHeld(frame) }

  neighbour(side: Side, address: Ipv4Address): MacAddress { return this.#stations.neighbour(side, address) }

  /** Since 1970. As numbers, because a step on bigints costs as much as the rest of a packet's bookkeeping. */
  get #milliseconds(): number { return (this.#timeHalves[1] >>> 0) * MILLISECONDS_A_HALF + (this.#timeHalves[0] >>> 0) / 1e6 }

  #setTime({ timeHigh, timeLow }: Frame): void {
    this.#timeHalves[1] = timeHigh
    this.#timeHalves[0] = timeLow
  }

  #keepTime(): void { if (this.#isPassing) this.#time[0] = BigInt(Math.round(this.#router.now * 1000)) * 1000n }

  #turnBack({ bytes, start, end }: Frame, partial: boolean): void {
    this.#answers++
    ethernet.setAddresses(bytes, start, this.#stations.router.wan, this.#stations.neighbour('wan', this.#config.wan.address))
    this.#router.turnBack(bytes, start, end, partial)
  }

  /** `kept` bytes of the frame are the capture's. */
  #process({ number, bytes, start, end, originalLength, isIpv4 }: Frame, kept: number, partial: boolean, from: Side): void {
    const id = ++this.#packetId, fromLan = from === 'lan'
    if (fromLan) this.#arrived.lan++
    else this.#arrived.wan++
    this.#written++
    const at = this.#file.begin(fromLan ? this.#interfaces.lan : this.#interfaces.wan, this.#timeHalves[1], this.#timeHalves[0], bytes, start, start + kept, originalLength)
    // Whichever router it was addressed to: this one stands in its place.
    if (isIpv4 && !ethernet.isMulticast(bytes, start)) ethernet.setDestination(bytes, start, fromLan ? this.#stations.router.lan : this.#stations.router.wan)
    this.#isInside = true
    const verdict = this.#router.process(bytes, start, end, partial, from)
    this.#isInside = false
    const { action, to } = verdict, isForwarded = action === 'forward'
    if (action === 'hold') this.#keepHeld(bytes.subarray(start, end), id)
    const reply = action === 'answer' ? this.#originated.pop() : undefined
    if (partial && isForwarded && kept === end - start) completeChecksum(bytes, start, end)
    let comment: Uint8Array | null = null
    if (this.#observer !== null || this.#isCommented(action)) {
      const sent = isForwarded ? { side: to, frame: bytes.subarray(start, end) } : reply
      this.#observer?.passed(number, this.#recordOf(verdict, from, at, kept, sent))
      if (this.#isCommented(action)) comment = this.#verdictOf(verdict, from, at, kept, sent)
    }
    this.#file.end('inbound', id, comment)
    if (isForwarded) this.#write(to, bytes, start, start + kept, originalLength, id, null)
    if (reply !== undefined) this.#writeOwn(reply.side, reply.frame, 0)
    if (this.#originated.length > 0) for (const own of this.#originated.splice(0)) this.#writeOwn(own.side, own.frame, action === 'split' ? id : 0)
    this.#router.release()
  }

  #isCommented(action: TraceAction): boolean { return this.#comments === 'all' || (this.#comments === 'drops' && action === 'drop') }

  #verdictOf(verdict: Verdict, from: Side, at: number, length: number, sent: TraceRecord['sent']): Uint8Array | null {
    const cache = this.#cache
    const session = verdict.action === 'forward' && sent !== undefined && sent.side !== from ? this.#router.known() : null
    if (session === null || sent === undefined) return this.#comment(this.#recordOf(verdict, from, at, length, sent))
    const found = cache.find(this.#file.memory, at, at + length, sent.frame, from, session)
    if (found !== null) return found
    const comment = this.#comment(this.#recordOf(verdict, from, at, length, sent))
    if (comment !== null && cache.isKeepable) cache.keep(comment)
    return comment
  }

  #recordOf({ action, reason }: Verdict, from: Side, at: number, length: number, sent: TraceRecord['sent']): TraceRecord {
    const explanation = this.#router.explain()
    return {
      time: this.#time[0], action, ...(reason === null ? {} : { reason }), ...(explanation === undefined ? {} : { explanation }),
      received: { side: from, frame: this.#file.memory.subarray(at, at + length) }, ...(sent === undefined ? {} : { sent }),
    }
  }

  #comment(record: TraceRecord): Uint8Array | null {
    if (!this.#isCommented(record.action)) return null
    return encoder.encode(verdictComment(record, this.#config.name))
  }

  #writeOwn(side: Side, frame: Uint8Array, id: number): void {
    const comment = this.#comment({ time: this.#time[0], action: 'originate', sent: { side, frame } })
    this.#write(side, frame, 0, frame.length, frame.length, id === 0 ? ++this.#packetId : id, comment)
  }

  #write(side: Side, frame: Uint8Array, start: number, end: number, originalLength: number, id: number, comment: Uint8Array | null): void {
    this.#written++
    this.#file.begin(side === 'lan' ? this.#interfaces.lan : this.#interfaces.wan, this.#timeHalves[1], this.#timeHalves[0], frame, start, end, originalLength)
    this.#file.end('outbound', id, comment)
  }

  #keepHeld(frame: Uint8Array, id: number): void {
    if (this.#held.size < MOST_HELD) this.#held.set(keyOf(frame), id)
  }

  #takeHeld(frame: Uint8Array): number {
    const key = keyOf(frame), id = this.#held.get(key)
    this.#held.delete(key)
    return id ?? ++this.#packetId
  }
}

const keyOf = (frame: Uint8Array): string => Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('latin1')

/** Of a packet that was cut, as much as there is; the rest is of no account for its translation. */
function padOut(frame: Frame): void {
  const whole = new Uint8Array(Math.max(frame.end - frame.start, Math.min(frame.originalLength, LONGEST_RECORD)))
  whole.set(frame.view)
  frame.bytes = whole
  frame.start = 0
  frame.end = whole.length
}
