// A ladder from the packets of a capture, whoever made it: on both sides of routers, on hosts, or on one interface. Its beginning
// tells where the interfaces are (layout.ts), copies become records (copies.ts), records become lines (correlate.ts). What it
// keeps is bounded by the lines that it shows.
import type { Ipv4Address } from '../../napt/wire/address.js'
import type { FigureLayout } from '../figures.js'
import type { ConnectionName } from '../decode/connection-names.js'
import type { PayloadDecoder } from '../decode/payload.js'
import type { CaptureInterface, InterfacePacket } from '../files/pcapng/format.js'
import type { KeySource } from '../tls/key-log.js'
import { Copies, MOST_WAITING_BYTES } from './copies.js'
import { copyOf, sizeOf, type Copy } from './copy.js'
import { Correlator, MOST_PENDING_BYTES } from './correlate.js'
import { Folded, foldRepeats, type Ladder, type LadderEntry } from './ladder.js'
import { chooseLanes } from './lanes.js'
import { layoutOf, type Layout } from './layout.js'
import { SeenPlaces } from './seen-places.js'

export interface PacketsLadderOptions {
  readonly title: string
  readonly decoder: PayloadDecoder
  /** How TCP's own packets are called, by the names of the hosts and routers that there are; as in Fig. 2 unless given. */
  readonly connections?: (names: ReadonlySet<string>) => readonly ConnectionName[]
  readonly keys?: KeySource
  /** Checked where the routers' cables have the names of Fig. 1. */
  readonly figures?: readonly FigureLayout[]
  /** Names for addresses; may grow while packets come. */
  readonly names?: ReadonlyMap<Ipv4Address, string>
  /** False for a packet that nobody asked to see; what it tells about others is used all the same. */
  readonly select?: (packet: InterfacePacket) => boolean
  /** Acknowledgements and the like too. */
  readonly detail?: boolean
  /** Lines, repeats folded: 300 unless given. */
  readonly most?: number
  /** Lanes of hosts: 8 unless given. */
  readonly mostLanes?: number
  /** How far apart two copies of one packet may be, nanoseconds: 250 ms unless given. */
  readonly window?: bigint
}

const MOST_LINES = 300, MOST_HOSTS = 8, WINDOW = 250_000_000n
/** What is looked at before the first line: packets, and their bytes. */
const HEAD = 4096, HEAD_BYTES = 16 << 20
/** Bytes of packets that are kept at most, whatever comes: the beginning, copies that wait for their other side, records that wait for another router's. */
export const MOST_KEPT_BYTES = HEAD_BYTES + MOST_WAITING_BYTES + MOST_PENDING_BYTES
/** A ladder of more packets says nothing, however many of them share a line; and it would take minutes. */
const MOST_PACKETS = 200_000

interface Drawing { readonly layout: Layout, readonly places: SeenPlaces, readonly copies: Copies, readonly correlator: Correlator }

export class LadderOfPackets {
  readonly #options: PacketsLadderOptions
  readonly #most: number
  readonly #interfaces: readonly CaptureInterface[]
  readonly #folded = new Folded()
  #head: Copy[] = []
  #headBytes = 0
  #drawing: Drawing | null = null
  #packets = 0
  /** Packets that were asked for and came when there was no room left, and the first of them. */
  #left = 0
  #leftFrom = 0

  /** @param interfaces of the capture; may grow while packets come */
  constructor(interfaces: readonly CaptureInterface[], options: PacketsLadderOptions) {
    this.#interfaces = interfaces
    this.#options = options
    this.#most = options.most ?? MOST_LINES
  }

  /** True when more packets would only be counted. */
  get isFull(): boolean { return this.#folded.length > this.#most || this.#packets >= MOST_PACKETS }

  /** Bytes of the packets that are kept: at most MOST_KEPT_BYTES. */
  get keptBytes(): number { return this.#headBytes + (this.#drawing?.copies.waitingBytes ?? 0) + (this.#drawing?.correlator.waitingBytes ?? 0) }

  /** In the order of time, nearly: as far as the window allows. */
  add(packet: InterfacePacket): void {
    const isAsked = this.#options.select?.(packet) ?? true
    if (this.isFull) {
      this.#leave(packet, isAsked)
      return
    }
    this.#packets++
    const copy = copyOf(packet, !isAsked)
    if (this.#drawing !== null || this.#head.length >= HEAD || this.#headBytes + sizeOf(copy) > HEAD_BYTES) {
      this.#draw(this.#drawing ?? this.#begin(), copy)
      return
    }
    this.#head.push(copy)
    this.#headBytes += sizeOf(copy)
  }

  finish(): Ladder {
    const { places, layout, copies, correlator } = this.#drawing ?? this.#begin()
    copies.end()
    this.#take(correlator.flush())
    const { title, detail = false, mostLanes = MOST_HOSTS } = this.#options
    const chosen = chooseLanes(this.#folded.entries.slice(0, this.#most), places.lanes, mostLanes)
    const entries = chosen.folded === 0 || detail ? chosen.entries : foldRepeats(chosen.entries)
    return { title, lanes: chosen.lanes, entries, notes: this.#notes(layout, chosen.folded, copies.early + correlator.early) }
  }

  #notes({ note }: Layout, folded: number, early: number): string[] {
    const hidden = this.#folded.length - this.#most
    const rest = [...hidden > 0 ? [`${hidden} line${hidden === 1 ? '' : 's'}`] : [], ...this.#left > 0 ? [`${this.#left} packet${this.#left === 1 ? '' : 's'}${this.#leftFrom > 0 ? ` from frame ${this.#leftFrom} on` : ''}`] : []]
    return [
      ...note === null ? [] : [note],
      ...folded === 0 ? [] : [`${folded} addresses that say least share a lane`],
      ...early === 0 ? [] : [`no room was left to wait for other copies of ${early} packet${early === 1 ? '' : 's'}: what came of them later stands by itself`],
      ...this.#folded.length === 0 ? ['there is no packet to draw'] : [],
      ...rest.length === 0 ? [] : [`left out: ${rest.join(' and ')}`],
    ]
  }

  /** The head is looked at twice: who has which address is known before the first line. */
  #begin(): Drawing {
    const { names = new Map<Ipv4Address, string>(), decoder, connections, keys, figures = [] } = this.#options
    const layout = layoutOf(this.#interfaces, this.#head, each => each.name)
    const places = new SeenPlaces(layout.routers, names, layout.hosts)
    // Where no packet can be there twice, none has to wait.
    const window = layout.routers.length === 0 && this.#interfaces.length === 1 ? 0n : this.#options.window ?? WINDOW
    const options = { isWhole: (router: string) => layout.whole.has(router), hasHosts: this.#interfaces.length > 1, window }
    const learning = new Copies(places, { record: () => undefined, wire: () => undefined }, options)
    for (const copy of this.#head) learning.add(copy, layout.position(copy))
    learning.end()
    const called = new Set([...layout.routers, ...names.values(), ...layout.hosts.map(host => host.name)])
    const correlator = new Correlator(places, { decoder, figures, window: 2n * window, ...connections === undefined ? {} : { connections: connections(called) }, ...keys === undefined ? {} : { keys } })
    const copies = new Copies(places, { record: record => this.#take(correlator.push(record)), wire: wire => this.#take(correlator.overhear(wire)) }, options)
    this.#drawing = { layout, places, copies, correlator }
    for (const copy of this.#head.splice(0)) this.#draw(this.#drawing, copy)
    this.#headBytes = 0
    return this.#drawing
  }

  #draw({ layout, copies }: Drawing, copy: Copy): void {
    if (this.isFull) this.#leave(copy.packet, !copy.isUnasked)
    else copies.add(copy, layout.position(copy))
  }

  #leave({ number }: InterfacePacket, isAsked: boolean): void {
    if (isAsked && this.#left++ === 0) this.#leftFrom = number
  }

  #take(entries: readonly LadderEntry[]): void {
    const { detail = false } = this.#options
    for (const entry of entries) {
      if (detail) this.#folded.add(entry)
      else if (entry.kind === 'step' || !entry.isDetail) this.#folded.push(entry)
    }
  }
}
