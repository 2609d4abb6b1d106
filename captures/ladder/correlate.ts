// From the records of routers to the packets of a ladder. A router reports each packet that it handled, with what came in and
// what went out; a packet that crossed two routers is in the records of both and becomes one ladder packet.
//
// Works on a stream. Records of several routers arrive in no common order, so each is held for a window of time, and released,
// oldest first, when something newer by that much was seen (or the caller's clock says so: `advance`). Two records are of one
// packet when what the one router sent to the other's WAN address is, bytes of IP compared, what the other received. Partner
// records that come later than ten windows become two ladder packets.
import { hash } from 'node:crypto'
import { formatIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { decode, fieldOf, type Decoded } from '../decode/decode.js'
import { checkPacket } from '../figure-check.js'
import type { FigureLayout } from '../figures.js'
import { FIG2_CONNECTIONS, type ConnectionName } from '../decode/connection-names.js'
import { namePacket, type PacketName } from '../decode/naming.js'
import { messageOf, type PayloadDecoder } from '../decode/payload.js'
import { icmpName } from '../decode/summary.js'
import { TlsFollower, type TlsContent } from '../tls/follower.js'
import { NO_KEYS, type KeySource } from '../tls/key-log.js'
import type { FigureMark, Hop, LadderEntry, LadderPacket, LadderStep } from './ladder.js'
import { DescribedPlaces, type Places, type Side, type Topology } from './places.js'
import { NO_REPETITION, Retransmissions, type Repetition } from './retransmissions.js'

/** What one router did with one frame. */
export interface RouterRecord {
  readonly router: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly from: Side
  readonly received: Uint8Array
  readonly verdict: { readonly action: 'forward' | 'answer' | 'drop', readonly reason?: string }
  readonly sent?: { readonly side: Side, readonly frame: Uint8Array }
  /** Their numbers in the capture file that they come from. */
  readonly frames?: readonly number[]
  /** True: nobody asked for it, though TLS cannot be followed without. */
  readonly isUnasked?: boolean
}

/** A packet that no router handled: between two hosts on the WAN itself, or of a router's own. */
export interface WireRecord {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly frame: Uint8Array
  /** The router's cable that it was heard on; the WAN when absent. */
  readonly at?: { readonly router: string, readonly side: Side }
  /** As a router's record has them. */
  readonly frames?: readonly number[]
  readonly isUnasked?: boolean
}

export interface CorrelatorOptions {
  readonly decoder: PayloadDecoder
  readonly connections?: readonly ConnectionName[]
  /** Open the records of TLS connections. */
  readonly keys?: KeySource
  /** Layouts that packets are checked against as they pass; none for no marks. */
  readonly figures?: readonly FigureLayout[]
  /** Nanoseconds. */
  readonly window?: bigint
  /** True: only `advance` lets go, and not what is newer. For records that come live, some of which may lie unread while others are taken. */
  readonly isByClock?: boolean
}

const ETHERNET_HEADER = ethernet.HEADER
/** On a busy machine one router may come to its turn this much after the other. */
const DEFAULT_WINDOW = 200_000_000n
/** How many windows a packet waits for the record of the other router that it crosses: that one is due, and only busy. */
const PATIENCE = 10n
/** More than a busy window holds; above it what is oldest is released early, with its partner where that has come and alone where not. */
const MOST_PENDING = 16_384
/** The same for the bytes of the frames that wait. */
export const MOST_PENDING_BYTES = 32 << 20

interface Pending {
  readonly time: bigint
  /** Of the frames that it keeps. */
  readonly bytes: number
  /** What it has in common with the record of another router, or null. */
  readonly key: string | null
  readonly record: RouterRecord | null
  readonly draw: (partner: RouterRecord | null) => LadderEntry[]
  /** True: drawn with its partner already. */
  isDrawn: boolean
}

/** In the place of what was released, so that nothing of that is kept. */
const RELEASED: Pending = { time: 0n, bytes: 0, key: null, record: null, draw: () => [], isDrawn: true }

export class Correlator {
  readonly #places: Places
  readonly #options: CorrelatorOptions
  readonly #window: bigint
  readonly #follower: TlsFollower
  readonly #retransmissions = new Retransmissions()
  /** Of frames that are drawn: a frame is asked for several times, for its places, its name and its figures. */
  readonly #decoded = new WeakMap<Uint8Array, Decoded>()
  /** Sorted by time; those before `#first` are released. */
  #pending: Pending[] = []
  #first = 0
  #bytes = 0
  #early = 0
  /** Records that may find a partner, by their key, oldest first. */
  readonly #crossing = new Map<string, Pending[]>()

  constructor(places: Topology | Places, options: CorrelatorOptions) {
    this.#places = 'onWan' in places ? places : new DescribedPlaces(places)
    this.#options = options
    this.#window = options.window ?? DEFAULT_WINDOW
    this.#follower = new TlsFollower(options.keys ?? NO_KEYS, options.decoder)
  }

  /** Takes a record; gives the entries that are due. */
  push(record: RouterRecord): LadderEntry[] {
    const bytes = record.received.length + (record.sent?.frame.length ?? 0), key = crossingKey(record, this.#places)
    return this.#insert({ time: record.time, bytes, key, record, draw: partner => this.#drawRouted(record, partner), isDrawn: false })
  }

  /** Takes a step that somebody else saw, so that it stands among the packets by its time. */
  step(step: LadderStep): LadderEntry[] {
    return this.#insert({ time: step.time, bytes: 0, key: null, record: null, draw: () => [step], isDrawn: false })
  }

  /** Takes a packet that somebody heard on a cable. */
  overhear(wire: WireRecord): LadderEntry[] {
    return this.#insert({ time: wire.time, bytes: wire.frame.length, key: null, record: null, draw: () => this.#drawWire(wire), isDrawn: false })
  }

  /** Gives what is older than the window at time `now`, nanoseconds since 1970; half of a packet through two routers waits longer. */
  advance(now: bigint): LadderEntry[] {
    const due: LadderEntry[] = []
    while (this.#held > 0) {
      const oldest = this.#pending[this.#first], isDue = this.#isDue(oldest, now)
      if (!isDue && !this.#isFull) break
      if (!isDue && !this.#isWhole(oldest)) this.#early++
      due.push(...this.#release())
    }
    if (this.#first > this.#pending.length / 2) {
      this.#pending = this.#pending.slice(this.#first)
      this.#first = 0
    }
    return due
  }

  /** Gives all that is held. */
  flush(): LadderEntry[] {
    const rest: LadderEntry[] = []
    while (this.#held > 0) rest.push(...this.#release())
    return rest
  }

  #isDue(entry: Pending, now: bigint): boolean {
    return entry.time + this.#window <= now && (this.#isWhole(entry) || entry.time + PATIENCE * this.#window <= now)
  }

  /** Whether the other router's record is there, if there is to be one. */
  #isWhole({ key, record, isDrawn }: Pending): boolean {
    return key === null || isDrawn || (this.#crossing.get(key) ?? []).some(other => other.record?.router !== record?.router)
  }

  /** Records for whose partner there was no room to wait. */
  get early(): number { return this.#early }

  /** Bytes of the frames that wait: at most MOST_PENDING_BYTES. */
  get waitingBytes(): number { return this.#bytes }

  get #held(): number { return this.#pending.length - this.#first }
  get #isFull(): boolean { return this.#held > MOST_PENDING || this.#bytes > MOST_PENDING_BYTES }

  #insert(entry: Pending): LadderEntry[] {
    const at = this.#pending.findLastIndex(each => each.time <= entry.time)
    this.#pending.splice(Math.max(at + 1, this.#first), 0, entry)
    this.#bytes += entry.bytes
    if (entry.key !== null) this.#crossing.set(entry.key, [...this.#crossing.get(entry.key) ?? [], entry].sort((a, b) => a.time < b.time ? -1 : 1))
    return this.advance(this.#options.isByClock === true ? 0n : this.#pending.at(-1)?.time ?? entry.time)
  }

  #release(): LadderEntry[] {
    const entry = this.#pending[this.#first]
    this.#pending[this.#first++] = RELEASED
    this.#bytes -= entry.bytes
    return entry.isDrawn ? [] : entry.draw(this.#takePartner(entry))
  }

  /** The other router's record of the same packet, if it is there. */
  #takePartner(entry: Pending): RouterRecord | null {
    if (entry.key === null) return null
    const others = (this.#crossing.get(entry.key) ?? []).filter(each => each !== entry)
    const partner = others.find(each => each.record?.router !== entry.record?.router)
    if (partner !== undefined) partner.isDrawn = true
    const left = others.filter(each => each !== partner)
    if (left.length > 0) this.#crossing.set(entry.key, left)
    else this.#crossing.delete(entry.key)
    return partner?.record ?? null
  }

  #drawRouted(record: RouterRecord, partner: RouterRecord | null): LadderEntry[] {
    if (partner === null) return this.#draw([record])
    // The clocks of two routers may differ by more than the wire takes, so the order comes from the direction.
    return this.#draw(record.sent?.side === 'wan' ? [record, partner] : [partner, record])
  }

  #drawWire(wire: WireRecord): LadderEntry[] {
    const { time, frame, at } = wire
    const decoded = this.#decode(frame)
    const place = at === undefined ? 'wan' : `${at.router}-${at.side}`
    return this.#asked([wire], [this.#packet(time, [{ interface: place, decoded }], this.#hopsOf(decoded, at), undefined)])
  }

  /** One packet through one or two routers; a router's answer to it is a packet of its own. */
  #draw(records: readonly [RouterRecord, ...RouterRecord[]]): LadderEntry[] {
    const [first] = records, last = records.at(-1) ?? first
    const views = records.flatMap(record => this.#viewsOf(record, record === first))
    const hops = records.flatMap((record, at) => this.#routedHops(record, at === 0))
    const drop = last.verdict.action === 'drop' ? { lane: last.router, reason: last.verdict.reason ?? 'no reason was given' } : undefined
    const entries = [this.#packet(first.time, views, hops, drop)]
    if (last.verdict.action === 'answer' && last.sent !== undefined) {
      const { router, sent: { side, frame } } = last, decoded = this.#decode(frame)
      entries.push(this.#packet(last.time, [{ interface: `${router}-${side}`, decoded }], this.#hop(router, this.#find(last.router, side, decoded.transport?.destination.address), decoded), undefined))
    }
    return this.#asked(records, entries)
  }

  #asked(records: readonly (RouterRecord | WireRecord)[], entries: readonly LadderPacket[]): LadderPacket[] {
    if (records.every(record => record.isUnasked === true)) return []
    const frames = records.flatMap(record => record.frames ?? [])
    return frames.length === 0 ? [...entries] : entries.map(entry => ({ ...entry, frames }))
  }

  // --- frames -------------------------------------------------------------------------------------------------------

  #decode(frame: Uint8Array): Decoded {
    const known = this.#decoded.get(frame)
    if (known !== undefined) return known
    const decoded = decode(frame)
    this.#decoded.set(frame, decoded)
    return decoded
  }

  /** The packet as it looks on the interfaces that it crossed; what a second router received is what the first one sent. */
  #viewsOf({ router, from, received, verdict, sent }: RouterRecord, isFirst: boolean): View[] {
    const views = isFirst ? [{ interface: `${router}-${from}`, decoded: this.#decode(received) }] : []
    return verdict.action === 'forward' && sent !== undefined ? [...views, { interface: `${router}-${sent.side}`, decoded: this.#decode(sent.frame) }] : views
  }

  // --- arrows -------------------------------------------------------------------------------------------------------

  /** The arrows of one record; the one into a second router is drawn by the first. An end that has no lane has no arrow. */
  #routedHops({ router, from, received, verdict, sent }: RouterRecord, isFirst: boolean): Hop[] {
    const incoming = this.#decode(received)
    const hops = isFirst ? this.#hop(this.#find(router, from, incoming.transport?.source.address), router, incoming) : []
    if (verdict.action !== 'forward' || sent === undefined) return hops
    const outgoing = this.#decode(sent.frame)
    return [...hops, ...this.#hop(router, this.#find(router, sent.side, outgoing.transport?.destination.address), outgoing)]
  }

  #hopsOf(packet: Decoded, at: WireRecord['at']): Hop[] {
    const { router, side } = at ?? { router: '', side: 'wan' }
    return this.#hop(this.#find(router, side, packet.transport?.source.address), this.#find(router, side, packet.transport?.destination.address), packet)
  }

  #hop(from: string | undefined, to: string | undefined, packet: Decoded): Hop[] {
    if (from === undefined || to === undefined || packet.transport === null) return []
    const { source, destination } = packet.transport
    return [{ from, to, label: labelOf(packet), addresses: [formatIpv4(source.address), formatIpv4(destination.address)] }]
  }

  #find(router: string, side: Side, address: Ipv4Address | undefined): string | undefined {
    if (address === undefined) return undefined
    return side === 'wan' ? this.#places.onWan(address) : this.#places.behind(router, address)
  }

  // --- names --------------------------------------------------------------------------------------------------------

  #packet(time: bigint, views: readonly View[], hops: readonly Hop[], drop: LadderPacket['drop']): LadderPacket {
    // A packet that was dropped is not there yet: the next one like it is no retransmission to whoever it is for.
    const { tls, before } = drop === undefined ? this.#follow(views) : NOT_FOLLOWED
    const { number, ...name } = this.#name(views.map(view => view.decoded), tls, before)
    const packet = { kind: 'packet', time, hops, ...name, count: 1, isRepeat: false, figures: this.#marks(views, number, tls) } as const
    return drop === undefined ? packet : { ...packet, drop, isDetail: false }
  }

  /** A connection is followed where both of its directions are seen alike: at one of the interfaces that every packet of it crosses. */
  #follow(views: readonly View[]): Followed {
    const [{ interface: where, decoded: { transport } }] = [...views].sort((a, b) => a.interface < b.interface ? -1 : 1)
    return { tls: this.#follower.follow(where, transport), before: this.#retransmissions.see(where, transport) }
  }

  /** What was there before is no step of its own; with more behind it, it is called by what is new. Of TLS the follower knows that. */
  #name(views: readonly Decoded[], tls: TlsContent | null, before: Repetition): PacketName {
    const { decoder, connections = FIG2_CONNECTIONS } = this.#options
    const name = (of: readonly Decoded[]): PacketName => namePacket(of, decoder, connections, tls)
    if (tls !== null || (!before.isAgain && before.bytes === 0)) return name(views)
    if (before.isAgain) {
      const { title, size } = name(views)
      return { title: `TCP retransmission of ${title}`, number: null, size, isDetail: true }
    }
    // A message that reaches into what is new is not there before this packet.
    const message = views[0].transport === null ? null : messageOf(views[0].transport, decoder)
    const reach = message === null ? 0 : message.length ?? before.bytes
    return { ...name(reach > before.bytes ? views : views.map(view => without(view, before.bytes))), beside: [`${before.bytes} bytes sent again`] }
  }

  /** A figure that has several layouts, one a run, holds when one of them does. */
  #marks(views: readonly View[], number: string | null, tls: TlsContent | null): FigureMark[] {
    const marks = new Map<string, boolean>()
    for (const layout of this.#options.figures ?? []) {
      const view = layout.number === number ? views.find(each => layout.interfaces.includes(each.interface)) : undefined
      if (view === undefined) continue
      const holds = checkPacket(view.decoded.bytes, layout, this.#options, tls).every(check => check.ok)
      marks.set(layout.figure, holds || marks.get(layout.figure) === true)
    }
    return [...marks].map(([figure, ok]) => ({ figure, ok }))
  }
}

interface Followed { readonly tls: TlsContent | null, readonly before: Repetition }
const NOT_FOLLOWED: Followed = { tls: null, before: NO_REPETITION }

/** As if the payload began so many bytes later. */
const without = (packet: Decoded, bytes: number): Decoded =>
  packet.transport === null ? packet : { ...packet, transport: { ...packet.transport, payload: packet.transport.payload.subarray(bytes) } }

interface View { readonly interface: string, readonly decoded: Decoded }

/** What two records of one packet have in common; null for a packet that crosses no second router. */
function crossingKey({ router, from, received, verdict, sent }: RouterRecord, places: Places): string | null {
  const frame = from === 'wan' ? received : verdict.action === 'forward' && sent?.side === 'wan' ? sent.frame : null
  if (frame === null || !isIpv4(frame)) return null
  // Most packets are for a host on the WAN: no more than an address of those is read here.
  const other = places.onWan(from === 'wan' ? ipv4.source(frame, ETHERNET_HEADER) : ipv4.destination(frame, ETHERNET_HEADER))
  if (other === undefined || other === router || !places.isRouter(other)) return null
  return decode(frame).transport === null ? null : packetKey(frame)
}

const isIpv4 = (frame: Uint8Array): boolean => frame.length >= ETHERNET_HEADER + ipv4.MINIMUM_HEADER && ethernet.type(frame, 0) === ethernet.TYPE.ipv4

function labelOf(packet: Decoded): string {
  const { transport } = packet
  if (transport === null) return ''
  return transport.protocol === 'icmp'
    ? icmpName(Number(fieldOf(packet, 'icmp', 'type')?.value))
    : `${transport.source.port}→${transport.destination.port}`
}

/**
 * A digest of the IP packet without the transport checksum, which a card may finish on the way (checksum offload). Not the packet
 * itself: keys outlive packets, and one of a large packet would be as large.
 */
export function packetKey(frame: Uint8Array): string {
  const packet = Buffer.from(frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + ipv4.totalLength(frame, ETHERNET_HEADER)))
  const transport = ipv4.headerLength(packet, 0), protocol = ipv4.protocol(packet, 0)
  const checksum = protocol === ipv4.PROTOCOL.tcp ? tcp.CHECKSUM : protocol === ipv4.PROTOCOL.udp ? udp.CHECKSUM : null
  if (checksum !== null) packet.fill(0, transport + checksum, transport + checksum + 2)
  return hash('sha1', packet, 'base64')
}
