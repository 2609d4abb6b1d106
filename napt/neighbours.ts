// Who has which address on one cable: ARP (RFC 826) with the retries and limits of RFC 1122 §2.3.2. Packets whose next hop is
// not known yet wait here, as copies, and are processed anew when the answer comes.
import type { Ipv4Address, MacAddress } from './wire/address.js'

/** Milliseconds after which an entry is asked for again (RFC 1122 §2.3.2.1 suggests a minute). */
const LIFETIME = 60_000
/** RFC 1122 §2.3.2.1: no more than one request a second and destination. */
const RETRY_INTERVAL = 1000
const TRIES = 3
const MAXIMUM_ENTRIES = 4096
const MAXIMUM_WAITING = 256
/** Neighbours whose MAC addresses stand ready as words: a power of two. */
const AT_HAND = 256
/** Of a neighbour at hand: its address, the first four bytes of the MAC address, and the last two. */
const HAND = { address: 0, high: 1, low: 2, width: 4 } as const

const NONE = -1

interface Entry {
  mac: MacAddress | null
  /** When it was learnt; -Infinity before that. */
  learnt: number
  tries: number
  /** When the last request went out. */
  asked: number
  waiting: Uint8Array[]
}

export interface NeighbourActions {
  /** Sends an ARP request for the address. */
  ask(address: Ipv4Address): void
  /** A waiting frame whose next hop is known now. */
  ready(frame: Uint8Array): void
  /** A waiting frame whose next hop did not answer. */
  failed(frame: Uint8Array): void
  /** A MAC address that is known without asking: where the neighbours are in a file, nobody answers. */
  known?(address: Ipv4Address): MacAddress
}

export class Neighbours {
  readonly #entries = new Map<Ipv4Address, Entry>()
  readonly #actions: NeighbourActions
  #waiting = 0
  /** Addresses with requests on the way, so that timers look at no others. */
  readonly #asking = new Set<Ipv4Address>()
  /** By a few bits of the address, for the fast path: a map and six bytes took a tenth of a frame's time. */
  readonly #hand = new Int32Array(AT_HAND * HAND.width)
  /** Until when each is good without a look at its entry. */
  readonly #goodUntil = new Float64Array(AT_HAND).fill(-Infinity)

  constructor(actions: NeighbourActions) {
    this.#actions = actions
  }

  /** The neighbour's MAC address, or null when it has to be asked for. Allocates nothing. */
  find(address: Ipv4Address, now: number): MacAddress | null {
    if (this.#actions.known !== undefined) return this.#actions.known(address)
    const entry = this.#entries.get(address)
    if (entry?.mac == null) return null
    // An old entry serves on while it is asked for again, so that a long flow never waits.
    if (now - entry.learnt > LIFETIME && now - entry.asked >= RETRY_INTERVAL) this.#askAgain(address, entry, now)
    return entry.mac
  }

  /**
   * As `find`, by words: gives the place of the MAC address, of which `highOf` has the first four bytes and `lowOf` the last two;
   * -1 for null.
   */
  reach(address: Ipv4Address, now: number): number {
    const slot = placeAtHand(address)
    if (this.#hand[slot * HAND.width] === address && now <= this.#goodUntil[slot]) return slot * HAND.width
    return this.#takeToHand(address, slot, now)
  }

  /** Whether `reach` gives a place. Asks nobody. */
  isKnown(address: Ipv4Address, now: number): boolean {
    const slot = placeAtHand(address)
    if (this.#hand[slot * HAND.width] === address && now <= this.#goodUntil[slot]) return true
    return this.#actions.known !== undefined || this.#entries.get(address)?.mac != null
  }

  highOf(reached: number): number { return this.#hand[reached + HAND.high] }
  lowOf(reached: number): number { return this.#hand[reached + HAND.low] }

  /** Keeps a frame, which must be the caller's own copy, until the neighbour answers, and asks for it; false when too many wait already. */
  hold(address: Ipv4Address, frame: Uint8Array, now: number): boolean {
    if (this.#waiting >= MAXIMUM_WAITING) return false
    let entry = this.#entries.get(address)
    if (entry === undefined) {
      if (this.#entries.size >= MAXIMUM_ENTRIES) this.#evictOldest()
      entry = { mac: null, learnt: -Infinity, tries: 0, asked: -Infinity, waiting: [] }
      this.#entries.set(address, entry)
    }
    entry.waiting.push(frame)
    this.#waiting++
    if (now - entry.asked >= RETRY_INTERVAL) this.#askAgain(address, entry, now)
    return true
  }

  /** Notes what an ARP packet said. Only addresses that are known or waited for, or that spoke to this router, are kept. */
  learn(address: Ipv4Address, mac: MacAddress, now: number, spokeToUs: boolean): void {
    let entry = this.#entries.get(address)
    if (entry === undefined) {
      if (!spokeToUs) return
      if (this.#entries.size >= MAXIMUM_ENTRIES) this.#evictOldest()
      entry = { mac: null, learnt: now, tries: 0, asked: -Infinity, waiting: [] }
      this.#entries.set(address, entry)
    }
    this.#forget(address)
    entry.mac = mac.slice() as MacAddress
    entry.learnt = now
    entry.tries = 0
    this.#asking.delete(address)
    const waiting = entry.waiting
    entry.waiting = []
    this.#waiting -= waiting.length
    for (const frame of waiting) this.#actions.ready(frame)
  }

  /** Repeats requests that are due and gives up on those that nobody answered. */
  tick(now: number): void {
    for (const key of this.#asking) {
      const entry = this.#entries.get(key)
      if (entry === undefined || now - entry.asked < RETRY_INTERVAL) continue
      if (entry.tries < TRIES) {
        this.#askAgain(key, entry, now)
        continue
      }
      this.#asking.delete(key)
      this.#remove(key)
      this.#waiting -= entry.waiting.length
      for (const frame of entry.waiting) this.#actions.failed(frame)
    }
  }

  /** Milliseconds until `tick` has something to do, or Infinity. */
  untilTick(now: number): number {
    let least = Infinity
    for (const key of this.#asking) {
      const entry = this.#entries.get(key)
      if (entry !== undefined) least = Math.min(least, Math.max(entry.asked + RETRY_INTERVAL - now, 0))
    }
    return least
  }

  #askAgain(address: Ipv4Address, entry: Entry, now: number): void {
    entry.tries++
    entry.asked = now
    this.#asking.add(address)
    this.#actions.ask(address)
  }

  #evictOldest(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.waiting.length > 0) continue
      this.#remove(key)
      this.#asking.delete(key)
      return
    }
  }

  #remove(address: Ipv4Address): void {
    this.#entries.delete(address)
    this.#forget(address)
  }

  #takeToHand(address: Ipv4Address, slot: number, now: number): number {
    const mac = this.find(address, now), place = slot * HAND.width
    if (mac === null) return NONE
    this.#hand[place] = address
    this.#hand[place + HAND.high] = mac[0] << 24 | mac[1] << 16 | mac[2] << 8 | mac[3]
    this.#hand[place + HAND.low] = mac[4] << 8 | mac[5]
    // Who knows without asking may know better the next time; an old entry is asked for again.
    this.#goodUntil[slot] = this.#actions.known === undefined ? (this.#entries.get(address)?.learnt ?? -Infinity) + LIFETIME : -Infinity
    return place
  }

  #forget(address: Ipv4Address): void {
    const slot = placeAtHand(address)
    if (this.#hand[slot * HAND.width] === address) this.#goodUntil[slot] = -Infinity
  }
}

const placeAtHand = (address: number): number => (address ^ address >>> 8) & (AT_HAND - 1)
