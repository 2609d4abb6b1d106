// One number for the copies of one packet, wherever on its way they were seen. Two facts tie copies together: the recorder of a
// router says which packet it sent on for which it had received; and what one interface sent, the other end of its cable
// received, byte for byte of IP. So a packet has one number from host to host, through both routers.
//
// Works on a stream in about the order of time. Several clocks and queues were at work, so a copy may come before the one that it
// is of: packets are held for a while, and numbered as they are let go.
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { packetKey } from '../ladder/correlate.js'

/** A packet as somebody recorded it. */
export interface RecordedPacket {
  /** Where, in any words that tell two interfaces apart. */
  readonly place: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly bytes: Uint8Array
  /** What its recorder knows it by: the same for the copies that it saw of it. Null where it knows nothing. */
  readonly copyOf: string | null
}

/** Copies of one packet. Two that turn out to be the same become one while neither has a number. */
interface Group {
  joined: Group | null
  number: bigint | null
  readonly places: Set<string>
  readonly time: bigint
}

/** Nanoseconds: recorders' clocks and queues differ by less. */
const DEFAULT_WINDOW = 50_000_000n
/** Nanoseconds between what one end of a cable sent and the other received: the same bytes later are another packet. */
const ON_THE_WAY = 200_000_000n
/** Packets that a later copy may still be of. */
const REMEMBERED = 16_384

export class PacketIds<P extends RecordedPacket> {
  readonly #window: bigint
  /** In order of time. */
  #held: { readonly packet: P, readonly group: Group }[] = []
  readonly #byRecorder = new Map<string, Group>()
  readonly #byBytes = new Map<string, Group[]>()
  #next = 1n

  constructor(window = DEFAULT_WINDOW) { this.#window = window }

  /** Takes a packet; gives those that are older than it by the window, in order of time, each with its number. */
  push(packet: P): (readonly [packet: P, id: bigint])[] {
    const entry = { packet, group: this.#groupOf(packet) }, held = this.#held
    if ((held.at(-1)?.packet.time ?? 0n) <= packet.time) held.push(entry)
    else held.splice(held.findLastIndex(each => each.packet.time <= packet.time) + 1, 0, entry)
    return this.release((held.at(-1)?.packet.time ?? packet.time) - this.#window)
  }

  /** Gives what is not younger than `time`, nanoseconds since 1970; without it everything. */
  release(time?: bigint): (readonly [packet: P, id: bigint])[] {
    const young = time === undefined ? -1 : this.#held.findIndex(({ packet }) => packet.time > time)
    const due = this.#held.splice(0, young < 0 ? this.#held.length : young)
    return due.map(({ packet, group }) => [packet, this.#numberOf(group)] as const)
  }

  #groupOf({ place, time, bytes, copyOf }: P): Group {
    const key = keyOf(bytes)
    const known = copyOf === null ? undefined : this.#byRecorder.get(copyOf)
    const first = known === undefined ? null : rootOf(known)
    const same = key === null ? null : this.#sameOnTheWay(key, place, time, first)
    const group = first !== null && same !== null ? join(first, same) : first ?? same ?? { joined: null, number: null, places: new Set<string>(), time }
    group.places.add(place)
    if (copyOf !== null) remember(this.#byRecorder, copyOf, group)
    if (key !== null && same === null) remember(this.#byBytes, key, [...(this.#byBytes.get(key) ?? []).filter(each => time - each.time < ON_THE_WAY), group])
    return group
  }

  /** The oldest packet of the same bytes that was not seen at this place yet, and may be the one whose other copies are `known`. */
  #sameOnTheWay(key: string, place: string, time: bigint, known: Group | null): Group | null {
    for (const each of this.#byBytes.get(key) ?? []) {
      const group = rootOf(each)
      if (group === known) return group
      const isApart = known === null || ((known.number === null || group.number === null) && [...known.places].every(seen => !group.places.has(seen)))
      if (time - each.time < ON_THE_WAY && !group.places.has(place) && isApart) return group
    }
    return null
  }

  #numberOf(group: Group): bigint {
    const root = rootOf(group)
    root.number ??= this.#next++
    return root.number
  }
}

function rootOf(group: Group): Group {
  let root = group
  while (root.joined !== null) root = root.joined
  return root
}

function join(one: Group, other: Group): Group {
  if (one === other) return one
  const [root, joined] = other.number === null ? [one, other] : [other, one]
  joined.joined = root
  for (const place of joined.places) root.places.add(place)
  return root
}

/** The newest ones. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= REMEMBERED) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}

/** Null for what no other interface can be expected to see alike: everything but IPv4. */
function keyOf(frame: Uint8Array): string | null {
  if (ethernet.check(0, frame.length) !== null || ethernet.type(frame, 0) !== ethernet.TYPE.ipv4) return null
  return ipv4.check(frame, ethernet.HEADER, frame.length) === null ? packetKey(frame) : null
}
