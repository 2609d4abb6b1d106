// The equipment list of Fig. 9: equipment ID, and the IP address and port from which its registrations come. An entry
// lapses when registrations stop. Nothing here reads a clock or a socket.
//
// Each entry also counts how many bytes its address has sent and been sent. A registration's source address can be forged,
// so the server never sends more to it than came from it, and thus is no amplifier against a third party. Whether bytes are
// those of datagrams or of whole IP packets is the caller's choice.
import type { Peer } from './peer.js'

export interface RegistryOptions {
  /** Milliseconds without a registration after which an entry lapses. */
  readonly lifetime: number
  readonly maxEntries: number
}

export interface EquipmentRow extends Peer {
  readonly equipmentId: string
  /** The address that the equipment has by its own word, where it gave one: another than the list's means that a router translates it. */
  readonly own?: string
  /** Milliseconds since the last registration. */
  readonly age: number
}

/** What became of a registration. 'moved': from another address or port than before; 'full': it was not stored. */
export type RegistrationOutcome = 'added' | 'refreshed' | 'moved' | 'full'

interface Entry { address: string, port: number, own: string | undefined, seen: number, credit: number }

/** An address that registers for long does not save up more than this for a burst, bytes. */
const MAX_CREDIT = 4096

export class EquipmentRegistry {
  readonly #options: RegistryOptions
  /** In the order of the last registration, the oldest first. */
  readonly #entries = new Map<string, Entry>()

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  /** Stores one registration of `bytes` bytes that came from `from` at the time `now`, milliseconds. */
  register(equipmentId: string, from: Peer, bytes: number, now: number, own?: string): RegistrationOutcome {
    const known = this.#live(equipmentId, now)
    if (!known && this.#entries.size >= this.#options.maxEntries) return 'full'
    const stayed = known?.address === from.address && known.port === from.port
    const credit = Math.min(MAX_CREDIT, (stayed ? known.credit : 0) + bytes)
    this.#entries.delete(equipmentId)
    this.#entries.set(equipmentId, { address: from.address, port: from.port, own, seen: now, credit })
    return known ? stayed ? 'refreshed' : 'moved' : 'added'
  }

  find(equipmentId: string, now: number): EquipmentRow | null {
    const entry = this.#live(equipmentId, now)
    return entry ? toRow(equipmentId, entry, now) : null
  }

  /** Where to send `bytes` bytes to this equipment, or null when it is not registered or has not sent as many itself. */
  spend(equipmentId: string, bytes: number, now: number): Peer | null {
    const entry = this.#live(equipmentId, now)
    if (!entry || entry.credit < bytes) return null
    entry.credit -= bytes
    return { address: entry.address, port: entry.port }
  }

  /** Removes and returns the entries that have lapsed. */
  expire(now: number): EquipmentRow[] {
    const lapsed: EquipmentRow[] = []
    for (const [equipmentId, entry] of this.#entries) {
      if (!this.#hasLapsed(entry, now)) break
      this.#entries.delete(equipmentId)
      lapsed.push(toRow(equipmentId, entry, now))
    }
    return lapsed
  }

  list(now: number): EquipmentRow[] {
    return [...this.#entries].filter(([, entry]) => !this.#hasLapsed(entry, now)).map(([id, entry]) => toRow(id, entry, now))
  }

  #live(equipmentId: string, now: number): Entry | undefined {
    const entry = this.#entries.get(equipmentId)
    return entry && !this.#hasLapsed(entry, now) ? entry : undefined
  }

  #hasLapsed(entry: Entry, now: number): boolean {
    return now - entry.seen > this.#options.lifetime
  }
}

const toRow = (equipmentId: string, { address, port, own, seen }: Entry, now: number): EquipmentRow =>
  ({ equipmentId, address, port, age: now - seen, ...(own === undefined ? {} : { own }) })
