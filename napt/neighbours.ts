// Who has which address on one cable: ARP (RFC 826) with the retries and limits of RFC 1122 §2.3.2. Packets whose next hop is
// not known yet wait here, as copies, and are processed anew when the answer comes.
import { HAND_SLOTS, HAND_WIDTH } from './assembly/layout.js'
import type { RouterMemory } from './router-memory.js'
import type { Ipv4Address, MacAddress } from './wire/address.js'

/** Milliseconds after which an entry is asked for again (RFC 1122 §2.3.2.1 suggests a minute). */
const LIFETIME = 60_000
/** RFC 1122 §2.3.2.1: no more than one request a second and destination. */
const RETRY_INTERVAL = 1000
const TRIES = 3
const MAXIMUM_ENTRIES = 4096
const MAXIMUM_WAITING = 256
/** Of a neighbour at hand, in words: its address, the first four bytes of the MAC address as a frame has them, and the last two. */
const HAND = { address: 0, high: 1, low: 2, width: HAND_WIDTH >> 2 } as const

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
  readonly #hand: Int32Array
  /** Until when each is good without a look at its entry. */
  readonly #goodUntil: Float64Array

  /** @param place of those at hand in the router's memory */
  constructor(actions: NeighbourActions, memory: RouterMemory, place: number) {
    this.#actions = actions
    this.#goodUntil = memory.numbers(place, HAND_SLOTS).fill(-Infinity)
    this.#hand = memory.words(place + 8 * HAND_SLOTS, HAND_SLOTS * HAND.width)
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

  /** As `find`, for the fast path, which finds the MAC address among those at hand; false for null. */
  takeToHand(address: Ipv4Address, now: number): boolean {
    const mac = this.find(address, now), slot = slotAtHand(address), place = slot * HAND.width
    if (mac === null) return false
    this.#hand[place] = address
    this.#hand[place + HAND.high] = mac[0] | mac[1] << 8 | mac[2] << 16 | mac[3] << 24
    this.#hand[place + HAND.low] = mac[4] | mac[5] << 8
    // Who knows without asking may know better the next time; an old entry is asked for again.
    this.#goodUntil[slot] = this.#actions.known === undefined ? (this.#entries.get(address)?.learnt ?? -Infinity) + LIFETIME : -Infinity
    return true
  }

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

  #forget(address: Ipv4Address): void {
    const slot = slotAtHand(address)
    if (this.#hand[slot * HAND.width] === address) this.#goodUntil[slot] = -Infinity
  }
}

const slotAtHand = (address: number): number => (address ^ address >>> 8) & (HAND_SLOTS - 1)
