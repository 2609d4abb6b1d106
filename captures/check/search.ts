// Finds the packets of a capture that a pattern may be about, in one pass and bounded memory: those that match as long as symbols
// may stand for anything, and the few that come nearest.
import { decode, type Decoded } from '../decode/decode.js'
import { faultsOf, type Fault } from '../canonical/canonical.js'
import type { InterfacePacket } from '../files/pcapng/format.js'
import { CheckFileError } from './read.js'
import { conditionsOf, isOfKind, mismatches, type Pattern, type Surroundings } from './pattern.js'

/** A packet that was kept for a closer look. */
export class SeenPacket {
  /** Counts through all files. */
  readonly place: number
  /** As Wireshark counts in its file. */
  readonly frame: number
  readonly interface: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly packetId: bigint | null
  readonly comment: string
  readonly #packet: InterfacePacket

  constructor(place: number, name: string, packet: InterfacePacket) {
    this.place = place
    this.interface = name
    this.frame = packet.number
    this.time = packet.time
    this.packetId = packet.packetId
    this.comment = packet.comment
    this.#packet = { ...packet, bytes: packet.bytes.slice() } // a view would keep all that was read with it
  }

  get decoded(): Decoded { return decode(this.#packet.bytes, this.#packet.interface.linkType) }
  get faults(): Fault[] { return faultsOf(this.#packet, this.decoded) }
}

/** What is kept of a capture for one check. Bytes, with an allowance for each packet. */
export class Room {
  #left: number
  constructor(bytes = 128 << 20) { this.#left = bytes }

  /** @throws CheckFileError when there is none left */
  take(pattern: Pattern, bytes: number): void {
    this.#left -= bytes + 500
    if (this.#left < 0) throw new CheckFileError(`${pattern.place}: too many packets match this (${pattern.about}) to be compared one by one. Name more of their fields, or check a part of the capture.`)
  }
}

/** How many near misses are kept. */
const NEAREST = 4

interface Near { readonly far: number, readonly packet: SeenPacket }

export class Search {
  readonly pattern: Pattern
  /** In the order of the capture. */
  readonly candidates: SeenPacket[] = []
  /** Packets that were looked at: those on the pattern's interface. */
  looked = 0
  readonly #surroundings: Surroundings
  readonly #room: Room
  /** A packet that differs in more than this is another one. */
  readonly #farthest: number
  #near: Near[] = []

  constructor(pattern: Pattern, surroundings: Surroundings, room: Room) {
    this.pattern = pattern
    this.#surroundings = surroundings
    this.#room = room
    this.#farthest = Math.max(1, Math.floor(conditionsOf(pattern) / 2))
  }

  /** Near misses, the nearest first. */
  get near(): readonly SeenPacket[] { return this.#near.map(({ packet }) => packet) }

  /** Whether the differences are few enough to call the packet a near miss. */
  isNear(differences: number): boolean { return differences <= this.#farthest }

  offer(place: number, name: string, packet: InterfacePacket, decoded: Decoded): void {
    if (this.pattern.at === null || this.pattern.at === name) this.looked++
    if (!isOfKind(this.pattern, decoded)) return
    const far = mismatches(this.pattern, { interface: name, decoded }, null, this.#surroundings, this.#farthest + 1).length
    if (far === 0) {
      this.#room.take(this.pattern, packet.bytes.length)
      this.candidates.push(new SeenPacket(place, name, packet))
    } else if (this.isNear(far) && (this.#near.length < NEAREST || far < this.#near[NEAREST - 1].far)) {
      const at = this.#near.findIndex(each => each.far > far)
      this.#near.splice(at < 0 ? this.#near.length : at, 0, { far, packet: new SeenPacket(place, name, packet) })
      this.#near = this.#near.slice(0, NEAREST)
    }
  }
}
