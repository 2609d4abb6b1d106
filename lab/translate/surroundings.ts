// What is around a router whose packets come from files: its addresses, and the MAC addresses on either side, as the files show
// them. What they do not show is made up, always the same.
import type { Side } from '../../napt/verdict.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { isInPrefix, parseIpv4, parseMac, parsePrefix, prefixMask, type Ipv4Address, type MacAddress, type Prefix } from '../../napt/wire/address.js'
import type { Frame } from './frame.js'
import type { Place } from './places.js'

/** RFC 5737: nobody's, for documents. */
export const DEFAULT_WAN_ADDRESS = parseIpv4('203.0.113.1')
/** RFC 1918 and RFC 6598: addresses that a NAT has behind it. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'].map(parsePrefix)
const DEFAULT_MACS: Readonly<Record<Side, string>> = { lan: '02:00:00:00:01:01', wan: '02:00:00:00:02:01' }
const DEFAULT_NEIGHBOURS: Readonly<Record<Side, string>> = { lan: '02:00:00:00:01:02', wan: '02:00:00:00:02:02' }
/** Neighbours of a side that are remembered; the first ones are. */
const MOST_NEIGHBOURS = 65_536
/** A power of two. */
const RECENT = 1024

/** The whole range of private addresses that the first private source is of, or else destination; null when all are public. */
export function findLan(frames: Iterable<Frame>): Prefix | null {
  for (const { isIpv4, source, destination } of frames) {
    if (!isIpv4) continue
    for (const address of [source, destination]) {
      const range = PRIVATE.find(prefix => isInPrefix(address, prefix))
      if (range !== undefined) return range
    }
  }
  return null
}

/** The address that every packet of a WAN has at one of its ends; null when several could be it. */
export function findWanAddress(frames: Iterable<Frame>): Ipv4Address | null {
  let candidates: readonly Ipv4Address[] = [], isFirst = true
  for (const { isIpv4, direction, source, destination } of frames) {
    if (!isIpv4) continue
    if (direction !== null) return direction === 'inbound' ? destination : source
    const ends = [source, destination]
    candidates = isFirst ? ends : candidates.filter(each => ends.includes(each))
    isFirst = false
  }
  return candidates.length === 1 ? candidates[0] : null
}

/** The last address that a host of the network can have: the least likely to be one's. */
export function lastHost({ address, length }: Prefix): Ipv4Address {
  return (length >= 31 ? address | ~prefixMask(length) : (address | ~prefixMask(length)) - 1) as Ipv4Address
}

const slotOf = (address: Ipv4Address): number => (address ^ address >>> 10) & (RECENT - 1)

/** Who is on one side of the router. Members by name: one that is looked up by a side in a variable costs 25 ns (Node 20). */
class SideStations {
  /** The router's own address. */
  readonly router: MacAddress
  /** Whether that is the router's for good. */
  isSettled = false
  readonly #neighbours = new Map<Ipv4Address, MacAddress>()
  /** Addresses that were seen a moment ago, by a part of theirs: cheaper to ask than a map. */
  readonly #recent = new Int32Array(RECENT)
  readonly #recentMacs: MacAddress[]
  readonly #anybody: MacAddress

  constructor(router: string, neighbour: string) {
    this.router = parseMac(router)
    this.#anybody = parseMac(neighbour)
    this.#recentMacs = new Array<MacAddress>(RECENT).fill(this.#anybody)
  }

  /** A frame between the router, whose MAC address is `bytes[router …]`, and a neighbour. */
  saw(bytes: Uint8Array, router: number, neighbour: number, address: Ipv4Address): void {
    if (!this.isSettled) {
      this.isSettled = true
      this.router.set(bytes.subarray(router, router + 6))
    }
    const slot = slotOf(address)
    if (this.#recent[slot] === address) return
    if (!this.#neighbours.has(address) && this.#neighbours.size < MOST_NEIGHBOURS) this.#neighbours.set(address, bytes.slice(neighbour, neighbour + 6) as MacAddress)
    this.#recent[slot] = address
    this.#recentMacs[slot] = this.#find(address)
  }

  neighbour(address: Ipv4Address): MacAddress {
    const slot = slotOf(address)
    return this.#recent[slot] === address ? this.#recentMacs[slot] : this.#find(address)
  }

  #find(address: Ipv4Address): MacAddress { return this.#neighbours.get(address) ?? this.#anybody }
}

/** Stations by side. */
export class Stations {
  readonly #lan = new SideStations(DEFAULT_MACS.lan, DEFAULT_NEIGHBOURS.lan)
  readonly #wan = new SideStations(DEFAULT_MACS.wan, DEFAULT_NEIGHBOURS.wan)
  /** The router's own; settled once frames go through it. */
  readonly router: Readonly<Record<Side, MacAddress>> = { lan: this.#lan.router, wan: this.#wan.router }

  /** Sees who is around by a frame in its place. */
  meet({ isIpv4, bytes, start, source, destination, side }: Frame, place: Place): void {
    if (!isIpv4 || ethernet.isMulticast(bytes, start)) return
    // What came in on a side went to the router, and what a router sent when the file was made came from it.
    if (place === 'lan' || place === 'wan') this.#of(place).saw(bytes, start, start + 6, source)
    else if (place === 'answer') this.#lan.saw(bytes, start + 6, start, destination)
    else if (place === 'sent-by-router' && side !== null) this.#of(side).saw(bytes, start + 6, start, destination)
  }

  /** The router's addresses stay as they are from here on: those of its sides that were not seen stay made up. */
  settle(): void { this.#lan.isSettled = this.#wan.isSettled = true }

  neighbour(side: Side, address: Ipv4Address): MacAddress { return this.#of(side).neighbour(address) }

  #of(side: Side): SideStations { return side === 'lan' ? this.#lan : this.#wan }
}
