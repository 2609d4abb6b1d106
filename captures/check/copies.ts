// The same packet on the other side of a router: by the packet id where the capture has them, else by what a translation leaves
// as it was.
import { fieldOf, toHex, type Decoded } from '../decode/decode.js'
import type { InterfacePacket } from '../files/pcapng/format.js'
import type { Pattern } from './pattern.js'
import { SeenPacket, type Room } from './search.js'

/**
 * Equal for the copies of one packet, whatever a NAPT did to its ends. A message about an error quotes a packet that is translated
 * too, so of that only what it says; a query's identifier is translated as a port is.
 */
export function contentKey(decoded: Decoded): string {
  const { transport, layers } = decoded
  const value = (layer: 'ipv4' | 'icmp', name: string): string => String(fieldOf(decoded, layer, name)?.value ?? '')
  if (transport === null) {
    const last = layers.at(-1)
    return ['ipv4', value('ipv4', 'protocol'), value('ipv4', 'identification'), value('ipv4', 'fragment offset'), last === undefined ? '' : toHex(decoded.bytes.subarray(last.offset + last.length))].join(' ')
  }
  const { protocol, flags, sequence, acknowledgement, payload } = transport
  if (protocol !== 'icmp') return [protocol, flags, sequence, acknowledgement, toHex(payload)].join(' ')
  const isQuoting = layers.at(-1)?.protocol === 'quoted'
  return ['icmp', value('icmp', 'type'), value('icmp', 'code'), value('icmp', 'sequence number'), isQuoting ? '' : toHex(payload)].join(' ')
}

/** Copies of some packets on one interface. Each is the copy of one packet only. */
export class Copies {
  readonly #pattern: Pattern
  readonly #room: Room
  readonly #byId = new Map<bigint, SeenPacket[]>()
  readonly #byKey = new Map<string, SeenPacket[]>()
  readonly #taken = new Set<SeenPacket>()
  readonly #identifications = new Set<string | number | undefined>()
  /** The capture gives its packets ids, so that nothing has to be guessed. */
  #hasIds = false

  /** @param pattern what the copies must be; its interface is where they are looked for */
  constructor(pattern: Pattern, originals: readonly SeenPacket[], room: Room) {
    this.#pattern = pattern
    this.#room = room
    for (const original of originals) {
      if (original.packetId !== null) this.#byId.set(original.packetId, [])
      this.#byKey.set(contentKey(original.decoded), [])
      this.#identifications.add(identificationOf(original))
    }
  }

  offer(place: number, name: string, packet: InterfacePacket, decoded: Decoded): void {
    if (name !== this.#pattern.at) return
    this.#hasIds ||= packet.packetId !== null
    const byId = packet.packetId === null ? undefined : this.#byId.get(packet.packetId), byKey = this.#byKey.get(contentKey(decoded))
    if (byId === undefined && byKey === undefined) return
    this.#room.take(this.#pattern, packet.bytes.length)
    const copy = new SeenPacket(place, name, packet)
    byId?.push(copy)
    byKey?.push(copy)
  }

  /** Null when there is none. */
  of(original: SeenPacket): SeenPacket | null {
    const { packetId } = original
    const copy = packetId !== null && this.#hasIds ? this.#left(original, this.#byId.get(packetId))[0] : this.#alike(original)
    if (copy === undefined) return null
    this.#taken.add(copy)
    return copy
  }

  #left(original: SeenPacket, among: readonly SeenPacket[] = []): SeenPacket[] {
    return among.filter(each => !this.#taken.has(each) && each.place !== original.place)
  }

  /** Many packets have the same content (keep-alives): the identification tells them apart where the router keeps it, else the time. */
  #alike(original: SeenPacket): SeenPacket | undefined {
    const later = this.#left(original, this.#byKey.get(contentKey(original.decoded))).filter(each => each.time >= original.time - SKEW)
    const identification = identificationOf(original)
    return later.find(each => identificationOf(each) === identification) ?? later.find(each => !this.#identifications.has(identificationOf(each)))
  }
}

/** The clocks of two captures may differ by a little. Nanoseconds. */
const SKEW = 10_000_000n

const identificationOf = ({ decoded }: SeenPacket): string | number | undefined => fieldOf(decoded, 'ipv4', 'identification')?.value
