// From the copies of packets that interfaces saw to the records of routers: the two sides of a translation are one record, a
// packet of which no copy left is a drop, what several hosts' interfaces saw is one packet. Copies belong together by the packet
// ID where the file has one; without, by what a NAT leaves alone and one end that was kept, within a window of time.
//
// Takes packets in the order of time and gives records nearly so: at most a window late. What waits is bounded.
import { changeBetween, addressesOf, contentKey, endsOf, identification, isManyfold, sizeOf, timeToLive, type Copy, type Position } from './copy.js'
import { packetKey, type RouterRecord, type WireRecord } from './correlate.js'
import { Fifo } from './fifo.js'
import type { Side } from './places.js'
import type { SeenPlaces } from './seen-places.js'
import { readVerdict, type Verdict } from './verdict-comment.js'

export interface RecordTaker {
  record(record: RouterRecord): void
  wire(wire: WireRecord): void
}

export interface CopiesOptions {
  /** Which routers have both of their sides in the capture: of the others nothing can be said. */
  readonly isWhole: (router: string) => boolean
  /** True: there are interfaces that may see the same cable, so the same packet. */
  readonly hasHosts: boolean
  /** Nanoseconds. */
  readonly window: bigint
}

interface Waiting {
  readonly copy: Copy
  readonly at: Position
  readonly verdict: Verdict | null
  readonly key: string
  isDone: boolean
}

/** Copies that wait for their partner, and their bytes: above either, the oldest waits no longer. */
const MOST_WAITING = 16_384
export const MOST_WAITING_BYTES = 32 << 20
/** Conversations of routers themselves that are remembered. */
const MOST_OWN = 4096

export class Copies {
  readonly #byKey = new Map<string, Waiting[]>()
  readonly #queue = new Fifo<Waiting>()
  #bytes = 0
  #early = 0
  /** Packets that went from side to side not long ago, by ID: of one that left in pieces, the first piece is drawn. */
  readonly #crossed: Recent<true>
  /** What routers have seen on their cables, and which interface was the first to show a packet that none has. */
  readonly #onRouters: Recent<true>
  readonly #shown: Recent<number>
  /** Ends that speak with a router itself; and those for which something of a router's own may be waiting, how much. */
  readonly #own = new Set<string>()
  readonly #maybeOwn = new Map<string, number>()

  constructor(private readonly places: SeenPlaces, private readonly taker: RecordTaker, private readonly options: CopiesOptions) {
    const { window } = options
    this.#crossed = new Recent(2n * window)
    this.#onRouters = new Recent(2n * window)
    this.#shown = new Recent(2n * window)
  }

  add(copy: Copy, at: Position): void {
    const { time } = copy.packet
    this.#expire(time)
    if (at.router === null) {
      if (this.options.hasHosts) this.#wait({ copy, at, verdict: null, key: '', isDone: false })
      else this.taker.wire({ time, frame: copy.frame, ...about(copy) })
      return
    }
    if (this.options.hasHosts) for (const key of cableKeys(copy)) this.#onRouters.set(key, true, time)
    const verdict = readVerdict(copy.packet.comment)
    if (verdict !== null && verdict.outcome !== 'forwarded' && verdict.outcome !== 'held') {
      this.#decided(copy, at, verdict)
      return
    }
    const { packetId } = copy.packet
    const content = packetId === null ? contentKey(copy) : `id ${packetId}`
    if (content === null || !this.options.isWhole(at.router)) {
      this.#wire(copy, at)
      return
    }
    const key = `${at.router} ${content}`, waiting = { copy, at, verdict, key, isDone: false }
    const partner = this.#partnerOf(waiting)
    if (partner === undefined) this.#wait(waiting)
    else this.#crossing(partner, waiting)
  }

  /** Copies for whose partner there was no room to wait. */
  get early(): number { return this.#early }

  /** Bytes of the copies that wait: at most MOST_WAITING_BYTES. */
  get waitingBytes(): number { return this.#bytes }

  /** Nothing more comes. */
  end(): void {
    while (this.#queue.length > 0) this.#release()
  }

  // --- waiting ------------------------------------------------------------------------------------------------------

  #wait(waiting: Waiting): void {
    this.#queue.push(waiting)
    this.#bytes += sizeOf(waiting.copy)
    if (waiting.key !== '') {
      this.#count(waiting, 1)
      const list = this.#byKey.get(waiting.key)
      if (list === undefined) this.#byKey.set(waiting.key, [waiting])
      else list.push(waiting)
    }
    while (this.#queue.length > MOST_WAITING || this.#bytes > MOST_WAITING_BYTES) {
      if (this.#queue.first?.isDone === false) this.#early++
      this.#release()
    }
  }

  #expire(now: bigint): void {
    const { window } = this.options
    for (let { first } = this.#queue; first !== undefined; first = this.#queue.first) {
      if (!first.isDone && first.copy.packet.time + window >= now) return
      this.#release()
    }
  }

  #release(): void {
    const oldest = this.#queue.shift()
    if (oldest === undefined) return
    this.#bytes -= sizeOf(oldest.copy)
    this.#giveUp(oldest)
  }

  /** The other side of the same router, or, by ID, the same side too (hairpinning). The oldest, and rather one with the same identification. */
  #partnerOf({ copy, at, key }: Waiting): Waiting | undefined {
    const list = this.#byKey.get(key) ?? []
    if (copy.packet.packetId !== null) return list.find(({ copy: { packet } }) => packet.direction === null || packet.direction !== copy.packet.direction)
    const partners = list.filter(other => other.at.router !== null && at.router !== null && other.at.side !== at.side && changeBetween(other.copy, copy) !== 'both')
    return partners.find(other => identification(other.copy) === identification(copy)) ?? partners.at(0)
  }

  #take(waiting: Waiting): void {
    if (waiting.isDone) return
    waiting.isDone = true
    if (waiting.key === '') return
    this.#count(waiting, -1)
    const list = this.#byKey.get(waiting.key)?.filter(each => each !== waiting) ?? []
    if (list.length === 0) this.#byKey.delete(waiting.key)
    else this.#byKey.set(waiting.key, list)
  }

  // --- what became of a packet --------------------------------------------------------------------------------------

  #crossing(partner: Waiting, waiting: Waiting): void {
    this.#take(partner)
    const [received, sent] = isFirst(partner, waiting) ? [partner, waiting] : [waiting, partner]
    if (received.at.router === null || sent.at.router === null) return
    const { packet } = received.copy
    if (packet.packetId !== null) this.#crossed.set(received.key, true, packet.time)
    // What waited for ARP goes on its way when it is sent.
    const { time } = received.verdict?.outcome === 'held' ? sent.copy.packet : packet
    this.#give({
      router: received.at.router, time, from: received.at.side, received: received.copy.frame, verdict: { action: 'forward' },
      sent: { side: sent.at.side, frame: sent.copy.frame }, ...about(received.copy, sent.copy),
    })
  }

  /** What its comment says. */
  #decided(copy: Copy, at: Position & { router: string }, { outcome, reason }: Verdict): void {
    if (outcome === 'sent') this.#wire(copy, at)
    // Every station of a switch sees its neighbours' broadcasts; that a router leaves them alone is no event.
    else if (!reason.startsWith('not-for-router')) {
      const verdict = outcome === 'dropped' ? { action: 'drop', ...(reason === '' ? {} : { reason }) } as const : { action: 'answer' } as const
      this.#give({ router: at.router, time: copy.packet.time, from: at.side, received: copy.frame, verdict, ...about(copy) })
    }
  }

  /** No partner came. */
  #giveUp(waiting: Waiting): void {
    if (waiting.isDone) return
    this.#take(waiting)
    const { copy, at, verdict, key } = waiting, { time } = copy.packet
    if (at.router === null) {
      this.#beside(copy, at.id)
      return
    }
    // What waited for ARP has another record, and so has a packet of which pieces left.
    if (verdict?.outcome === 'held' || this.#crossed.get(key) !== undefined) return
    const lack = this.#lack(copy, at)
    if (lack === null) this.#wire(copy, at)
    else this.#give({ router: at.router, time, from: at.side, received: copy.frame, verdict: { action: 'drop', reason: lack }, ...about(copy) })
  }

  /** Why a packet that came to a router alone counts as dropped; null for one that it sent itself, or that is not its business. */
  #lack(copy: Copy, { router, side }: { router: string, side: Side }): string | null {
    const addresses = addressesOf(copy), { direction } = copy.packet
    if (addresses === undefined || direction === 'outbound' || isManyfold(addresses[1])) return null
    const [from, to] = addresses
    const isToThrough = side === 'wan' ? this.places.isWanAddress(router, to) : this.places.isBehind(router, from) && !this.places.isBehind(router, to)
    if (!isToThrough && !(direction === 'inbound' && side === 'wan')) {
      if (side === 'wan' && this.places.isWanAddress(router, from)) this.#remember(endsOf(copy)[1])
      return null
    }
    const other = side === 'wan' ? 'LAN' : 'WAN', [end] = endsOf(copy)
    return this.#own.has(end) || this.#maybeOwn.has(end) ? null : `no copy of it left on the ${other} side`
  }

  #remember(end: string): void {
    if (this.#own.size < MOST_OWN) this.#own.add(end)
  }

  /** Counts what a router itself may have sent to an end: it waits, and no copy of it came in. */
  #count({ copy, at }: Waiting, by: 1 | -1): void {
    const addresses = addressesOf(copy)
    if (at.router === null || at.side !== 'wan' || addresses === undefined || !this.places.isWanAddress(at.router, addresses[0])) return
    const [, end] = endsOf(copy), count = (this.#maybeOwn.get(end) ?? 0) + by
    if (count > 0) this.#maybeOwn.set(end, count)
    else this.#maybeOwn.delete(end)
  }

  /** A packet on a cable that is no router's, unless it is there already. */
  #beside(copy: Copy, id: number): void {
    const { time } = copy.packet, [key] = cableKeys(copy)
    if (this.#onRouters.get(key) !== undefined) return
    const first = this.#shown.get(key)
    if (first !== undefined && first !== id) return
    this.#shown.set(key, id, time)
    this.taker.wire({ time, frame: copy.frame, ...about(copy) })
  }

  #wire(copy: Copy, { router, side }: { router: string, side: Side }): void {
    this.taker.wire({ time: copy.packet.time, frame: copy.frame, at: { router, side }, ...about(copy) })
  }

  #give(record: RouterRecord): void {
    this.places.learn(record)
    this.taker.record(record)
  }
}

/** What copies on one cable have in common: the packet ID where there is one, and the bytes. */
const cableKeys = ({ packet: { packetId }, frame }: Copy): readonly [string, ...string[]] =>
  packetId === null ? [packetKey(frame)] : [`id ${packetId}`, packetKey(frame)]

/** Which of two copies came in, and so is not the one that left: by what the interfaces say, what was changed, or the time to live. */
function isFirst(a: Waiting, b: Waiting): boolean {
  const [aWay, bWay] = [a.copy.packet.direction, b.copy.packet.direction]
  if (aWay !== bWay) return aWay === 'inbound' || bWay === 'outbound'
  const change = changeBetween(a.copy, b.copy)
  if (a.at.router !== null && b.at.router !== null && a.at.side !== b.at.side) {
    if (change === 'source') return a.at.side === 'lan'
    if (change === 'destination') return a.at.side === 'wan'
  }
  const lives = timeToLive(a.copy) - timeToLive(b.copy)
  return lives === 0 ? a.copy.packet.time <= b.copy.packet.time : lives > 0
}

function about(...copies: readonly Copy[]): Pick<WireRecord, 'frames' | 'isUnasked'> {
  const frames = copies.map(copy => copy.packet.number).filter(number => number > 0)
  return { ...frames.length === 0 ? {} : { frames }, ...copies.every(copy => copy.isUnasked) ? { isUnasked: true } : {} }
}

/** What was set within the last `span` of time, and some of what is older. */
class Recent<V> {
  #current = new Map<string, V>()
  #previous = new Map<string, V>()
  #since: bigint | null = null

  constructor(private readonly span: bigint) {}

  get(key: string): V | undefined { return this.#current.get(key) ?? this.#previous.get(key) }

  set(key: string, value: V, time: bigint): void {
    this.#since ??= time
    if (time > this.#since + this.span || this.#current.size >= MOST_WAITING) {
      this.#previous = this.#current
      this.#current = new Map()
      this.#since = time
    }
    this.#current.set(key, value)
  }
}
