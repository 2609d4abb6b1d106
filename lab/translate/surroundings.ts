// What is around a router whose packets come from files: its addresses, and the MAC addresses on either side, as the files show
// them. What they do not show is made up, always the same.
import type { Side } from '../../napt/verdict.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { isInPrefix, parseIpv4, parseMac, parsePrefix, prefixMask, type Ipv4Address, type MacAddress, type Prefix } from '../../napt/wire/address.js'
import type { Frame } from './frame.js'
import { isSide, type Place } from './places.js'

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

/** Stations by side. */
export class Stations {
  /** The router's own; settled once frames go through it. */
  readonly router: Readonly<Record<Side, MacAddress>> = { lan: parseMac(DEFAULT_MACS.lan), wan: parseMac(DEFAULT_MACS.wan) }
  readonly #isSeen: Record<Side, boolean> = { lan: false, wan: false }
  readonly #neighbours: Readonly<Record<Side, Map<Ipv4Address, MacAddress>>> = { lan: new Map(), wan: new Map() }
  /** Addresses that were seen a moment ago, by a part of theirs: cheaper to ask than a map. */
  readonly #recent: Readonly<Record<Side, Int32Array>> = { lan: new Int32Array(RECENT), wan: new Int32Array(RECENT) }
  readonly #anybody: Readonly<Record<Side, MacAddress>> = { lan: parseMac(DEFAULT_NEIGHBOURS.lan), wan: parseMac(DEFAULT_NEIGHBOURS.wan) }

  /** Sees who is around by a frame in its place. */
  meet(frame: Frame, place: Place): void {
    if (!frame.isIpv4) return
    if (isSide(place)) this.#cameIn(place, frame)
    else if (place === 'answer') this.#wentOut('lan', frame)
    else if (place === 'sent-by-router' && frame.side !== null) this.#wentOut(frame.side, frame)
  }

  /** The router's addresses stay as they are from here on: those of its sides that were not seen stay made up. */
  settle(): void { this.#isSeen.lan = this.#isSeen.wan = true }

  /** An IPv4 frame that came in on a side. */
  #cameIn(side: Side, { bytes, start, source }: Frame): void {
    if (ethernet.isMulticast(bytes, start)) return
    this.#sawRouter(side, bytes, start)
    this.#sawNeighbour(side, source, bytes, start + 6)
  }

  /** An IPv4 frame that a router sent on a side when the file was made. */
  #wentOut(side: Side, { bytes, start, destination }: Frame): void {
    if (ethernet.isMulticast(bytes, start)) return
    this.#sawRouter(side, bytes, start + 6)
    this.#sawNeighbour(side, destination, bytes, start)
  }

  neighbour(side: Side, address: Ipv4Address): MacAddress { return this.#neighbours[side].get(address) ?? this.#anybody[side] }

  #sawRouter(side: Side, bytes: Uint8Array, at: number): void {
    if (this.#isSeen[side]) return
    this.#isSeen[side] = true
    this.router[side].set(bytes.subarray(at, at + 6))
  }

  #sawNeighbour(side: Side, address: Ipv4Address, bytes: Uint8Array, at: number): void {
    const slot = (address ^ address >>> 10) & (RECENT - 1), recent = this.#recent[side]
    if (recent[slot] === address) return
    recent[slot] = address
    const known = this.#neighbours[side]
    if (!known.has(address) && known.size < MOST_NEIGHBOURS) known.set(address, bytes.slice(at, at + 6) as MacAddress)
  }
}
