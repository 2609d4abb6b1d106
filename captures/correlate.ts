// From the records of routers to the packets of a ladder. A router reports each packet that it handled, with what came in and
// what went out; a packet that crossed two routers is in the records of both and becomes one ladder packet.
//
// Works on a stream. Records of several routers arrive in no common order, so each is held for a window of time, and released,
// oldest first, when something newer by that much was seen (or the caller's clock says so: `advance`). Two records are of one
// packet when what the one router sent to the other's WAN address is, bytes of IP compared, what the other received. Partner
// records further apart than the window become two ladder packets.
import { parseIpv4 } from '../napt/wire/address.js'
import * as ipv4 from '../napt/wire/ipv4.js'
import { HEADER as ETHERNET_HEADER } from '../napt/wire/ethernet.js'
import * as tcp from '../napt/wire/tcp.js'
import * as udp from '../napt/wire/udp.js'
import { decode, fieldOf, type Decoded, type Ends } from './decode.js'
import { checkPacket } from './figure-check.js'
import type { FigureLayout } from './figures.js'
import type { FigureMark, Hop, LadderEntry, LadderPacket, LadderStep } from './ladder.js'
import { FIG2_CONNECTIONS, namePacket, type ConnectionName } from './naming.js'
import type { PayloadDecoder } from './payload.js'
import { icmpName } from './summary.js'
import { TlsFollower, type TlsContent } from './tls/follower.js'
import { NO_KEYS, type KeySource } from './tls/key-log.js'

/** What one router did with one frame. */
export interface RouterRecord {
  readonly router: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly from: 'lan' | 'wan'
  readonly received: Uint8Array
  readonly verdict: { readonly action: 'forward' | 'answer' | 'drop', readonly reason?: string }
  readonly sent?: { readonly side: 'lan' | 'wan', readonly frame: Uint8Array }
}

/** A packet between two hosts on the WAN itself, of which no router has a record. */
export interface WireRecord {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly frame: Uint8Array
}

/** Who has which address, and behind which router. Names are those of the lanes. */
export interface Topology {
  readonly routers: readonly {
    readonly name: string
    readonly wan: string
    /** WAN addresses that it has beside that one, or is going to have. */
    readonly moreWan?: readonly string[]
    readonly lan: string
    readonly hosts: readonly { readonly name: string, readonly address: string }[]
  }[]
  /** On the WAN itself. */
  readonly hosts: readonly { readonly name: string, readonly address: string }[]
}

/** The bench of Fig. 1. */
export const FIG1_TOPOLOGY: Topology = {
  routers: [
    { name: '104a', wan: '4.17.168.2', lan: '192.168.1.1', hosts: [{ name: '102', address: '192.168.1.11' }] },
    { name: '104b', wan: '202.204.16.13', lan: '192.168.1.1', hosts: [{ name: '103', address: '192.168.1.3' }] },
  ],
  hosts: [{ name: '101', address: '130.74.23.6' }],
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
}

/** On a busy machine one router may come to its turn this much after the other. */
const DEFAULT_WINDOW = 200_000_000n

interface Pending {
  readonly time: bigint
  readonly step: LadderStep | null
  readonly wire: WireRecord | null
  readonly record: RouterRecord | null
  /** See Places.crossingKey. */
  readonly key: string | null
  /** True: drawn with its partner already. */
  isDrawn: boolean
}

export class Correlator {
  readonly #places: Places
  readonly #options: CorrelatorOptions
  readonly #window: bigint
  readonly #follower: TlsFollower
  /** Sorted by time; those before `#first` are released. */
  #pending: Pending[] = []
  #first = 0
  /** Records that may find a partner, by their key, oldest first. */
  readonly #crossing = new Map<string, Pending[]>()

  constructor(topology: Topology, options: CorrelatorOptions) {
    this.#places = new Places(topology)
    this.#options = options
    this.#window = options.window ?? DEFAULT_WINDOW
    this.#follower = new TlsFollower(options.keys ?? NO_KEYS, options.decoder)
  }

  /** Takes a record; gives the entries that are due. */
  push(record: RouterRecord): LadderEntry[] {
    return this.#insert({ time: record.time, step: null, wire: null, record, key: this.#places.crossingKey(record), isDrawn: false })
  }

  /** Takes a step that somebody else saw, so that it stands among the packets by its time. */
  step(step: LadderStep): LadderEntry[] {
    return this.#insert({ time: step.time, step, wire: null, record: null, key: null, isDrawn: false })
  }

  /** Takes a packet that somebody heard on the WAN. */
  overhear(wire: WireRecord): LadderEntry[] {
    return this.#insert({ time: wire.time, step: null, wire, record: null, key: null, isDrawn: false })
  }

  /** Gives what is older than the window at time `now`, nanoseconds since 1970. */
  advance(now: bigint): LadderEntry[] {
    const due: LadderEntry[] = []
    while (this.#first < this.#pending.length && this.#pending[this.#first].time + this.#window <= now) due.push(...this.#release())
    if (this.#first > this.#pending.length / 2) {
      this.#pending = this.#pending.slice(this.#first)
      this.#first = 0
    }
    return due
  }

  /** Gives all that is held. */
  flush(): LadderEntry[] {
    const rest: LadderEntry[] = []
    while (this.#first < this.#pending.length) rest.push(...this.#release())
    return rest
  }

  #insert(entry: Pending): LadderEntry[] {
    const at = this.#pending.findLastIndex(each => each.time <= entry.time)
    this.#pending.splice(Math.max(at + 1, this.#first), 0, entry)
    if (entry.key !== null) this.#crossing.set(entry.key, [...this.#crossing.get(entry.key) ?? [], entry].sort((a, b) => a.time < b.time ? -1 : 1))
    return this.advance(this.#pending.at(-1)?.time ?? entry.time)
  }

  #release(): LadderEntry[] {
    const entry = this.#pending[this.#first++]
    const { step, wire, record, isDrawn } = entry
    if (step !== null) return [step]
    if (wire !== null) return [this.#drawWire(wire)]
    if (record === null || isDrawn) return []
    const partner = this.#takePartner(entry)
    if (partner === null) return this.#draw([record])
    // The clocks of two routers may differ by more than the wire takes, so the order comes from the direction.
    return this.#draw(record.sent?.side === 'wan' ? [record, partner] : [partner, record])
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

  #drawWire({ time, frame }: WireRecord): LadderPacket {
    const decoded = decode(frame)
    return this.#packet(time, [{ interface: 'wan', decoded }], this.#places.wireHops(decoded), undefined)
  }

  /** One packet through one or two routers; a router's answer to it is a packet of its own. */
  #draw(records: readonly [RouterRecord, ...RouterRecord[]]): LadderEntry[] {
    const [first] = records, last = records.at(-1) ?? first
    const views = records.flatMap(record => viewsOf(record, record === first))
    const hops = records.flatMap((record, at) => this.#places.hops(record, at === 0))
    const drop = last.verdict.action === 'drop' ? { lane: last.router, reason: last.verdict.reason ?? 'no reason was given' } : undefined
    const entries = [this.#packet(first.time, views, hops, drop)]
    if (last.verdict.action === 'answer' && last.sent !== undefined) {
      const answer = { interface: `${last.router}-${last.sent.side}`, decoded: decode(last.sent.frame) }
      entries.push(this.#packet(last.time, [answer], this.#places.answerHops(last, answer.decoded), undefined))
    }
    return entries
  }

  #packet(time: bigint, views: readonly View[], hops: readonly Hop[], drop: LadderPacket['drop']): LadderPacket {
    const { decoder, connections = FIG2_CONNECTIONS } = this.#options
    const tls = drop === undefined ? this.#follow(views) : null
    const { number, ...name } = namePacket(views.map(view => view.decoded), decoder, connections, tls)
    const packet = { kind: 'packet', time, hops, ...name, count: 1, isRepeat: false, figures: this.#marks(views, number, tls) } as const
    return drop === undefined ? packet : { ...packet, drop, isDetail: false }
  }

  /** A connection is followed where both of its directions are seen alike: at one of the interfaces that every packet of it crosses. */
  #follow(views: readonly View[]): TlsContent | null {
    const [first] = [...views].sort((a, b) => a.interface < b.interface ? -1 : 1)
    return this.#follower.follow(first.interface, first.decoded.transport)
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

interface View { readonly interface: string, readonly decoded: Decoded }

/** The packet as it looks on the interfaces that it crossed; what a second router received is what the first one sent. */
function viewsOf({ router, from, received, verdict, sent }: RouterRecord, isFirst: boolean): View[] {
  const views = isFirst ? [{ interface: `${router}-${from}`, decoded: decode(received) }] : []
  return verdict.action === 'forward' && sent !== undefined ? [...views, { interface: `${router}-${sent.side}`, decoded: decode(sent.frame) }] : views
}

/** Names for addresses. Behind each router the same private addresses may occur again. */
class Places {
  readonly #onWan = new Map<number, string>()
  readonly #behind = new Map<string, Map<number, string>>()
  readonly #routers = new Set<string>()

  constructor({ routers, hosts }: Topology) {
    for (const { name, address } of hosts) this.#onWan.set(parseIpv4(address), name)
    for (const router of routers) {
      this.#routers.add(router.name)
      for (const address of [router.wan, ...router.moreWan ?? []]) this.#onWan.set(parseIpv4(address), router.name)
      this.#behind.set(router.name, new Map([[parseIpv4(router.lan), router.name], ...router.hosts.map(host => [parseIpv4(host.address), host.name] as const)]))
    }
  }

  /** The arrows of one record; the one into a second router is drawn by the first. An end that has no lane has no arrow. */
  hops({ router, from, received, verdict, sent }: RouterRecord, isFirst: boolean): Hop[] {
    const incoming = decode(received)
    const hops = isFirst ? this.#hop(this.#find(router, from, endsOf(incoming)?.source.address), router, incoming) : []
    if (verdict.action !== 'forward' || sent === undefined) return hops
    const outgoing = decode(sent.frame)
    return [...hops, ...this.#hop(router, this.#find(router, sent.side, endsOf(outgoing)?.destination.address), outgoing)]
  }

  answerHops({ router, sent }: RouterRecord, answer: Decoded): Hop[] {
    return sent === undefined ? [] : this.#hop(router, this.#find(router, sent.side, endsOf(answer)?.destination.address), answer)
  }

  wireHops(packet: Decoded): Hop[] {
    const ends = endsOf(packet)
    return this.#hop(this.#onWan.get(ends?.source.address ?? -1), this.#onWan.get(ends?.destination.address ?? -1), packet)
  }

  /** What two records of one packet have in common; null for a packet that crosses no second router. */
  crossingKey({ router, from, received, verdict, sent }: RouterRecord): string | null {
    const frame = from === 'wan' ? received : verdict.action === 'forward' && sent?.side === 'wan' ? sent.frame : null
    if (frame === null) return null
    const ends = endsOf(decode(frame))
    const other = this.#onWan.get((from === 'wan' ? ends?.source.address : ends?.destination.address) ?? -1)
    return other === undefined || other === router || !this.#routers.has(other) ? null : packetKey(frame)
  }

  #hop(from: string | undefined, to: string | undefined, packet: Decoded): Hop[] {
    return from === undefined || to === undefined ? [] : [{ from, to, label: labelOf(packet) }]
  }

  #find(router: string, side: 'lan' | 'wan', address: number | undefined): string | undefined {
    return address === undefined ? undefined : (side === 'wan' ? this.#onWan : this.#behind.get(router))?.get(address)
  }
}

const endsOf = (packet: Decoded): Ends | null => packet.transport

function labelOf(packet: Decoded): string {
  const { transport } = packet
  if (transport === null) return ''
  return transport.protocol === 'icmp'
    ? icmpName(Number(fieldOf(packet, 'icmp', 'type')?.value))
    : `${transport.source.port}→${transport.destination.port}`
}

/** The IP packet without the transport checksum, which a card may finish on the way (checksum offload). */
function packetKey(frame: Uint8Array): string {
  const packet = Buffer.from(frame.subarray(ETHERNET_HEADER, ETHERNET_HEADER + ipv4.totalLength(frame, ETHERNET_HEADER)))
  const transport = ipv4.headerLength(packet, 0), protocol = ipv4.protocol(packet, 0)
  const checksum = protocol === ipv4.PROTOCOL.tcp ? tcp.CHECKSUM : protocol === ipv4.PROTOCOL.udp ? udp.CHECKSUM : null
  if (checksum !== null) packet.fill(0, transport + checksum, transport + checksum + 2)
  return packet.toString('latin1')
}
