// Two acceptors under one equipment ID. The list keeps the latest registration, so it moves to and fro between them, and each gets
// requests that are meant for the other; the server cannot tell who is right, but it can say so.
//
// How that differs from an acceptor whose address has changed (S202A): a router that is renumbered, or whose mapping has lapsed,
// leaves the old address for good, and registrations come from the new one alone. Where two share an ID, the older one goes on
// registering too: an address from which the entry had moved away comes back while it would still be in the list. One datagram
// late by more than the interval between registrations would look the same; nothing is refused on this ground.
import type { Peer } from './peer.js'

/** Addresses that an entry has moved away from: of more acceptors than that and one, taking turns, none would be noticed. */
const REMEMBERED = 4

interface Former extends Peer { readonly seen: number }
interface Claim { former: Former[], told: number }

export class Claims {
  /** Milliseconds without a registration after which an address counts for nothing. */
  readonly #lifetime: number
  /** Of equipment that is in the list and has moved. */
  readonly #byId = new Map<string, Claim>()

  constructor(lifetime: number) {
    this.#lifetime = lifetime
  }

  /**
   * Notes that an entry has moved at the time `now`, milliseconds.
   * @param from where the last registration came from, `age` milliseconds ago
   * @returns whether it has moved back to an address that was given up less than a lifetime ago; said at most once in a lifetime
   */
  moved(equipmentId: string, from: Peer & { readonly age: number }, to: Peer, now: number): boolean {
    const claim = this.#byId.get(equipmentId) ?? { former: [], told: -Infinity }
    this.#byId.set(equipmentId, claim)
    const recent = claim.former.filter(({ seen }) => now - seen <= this.#lifetime)
    const isBack = recent.some(each => isSame(each, to))
    const others = recent.filter(each => !isSame(each, to) && !isSame(each, from))
    claim.former = [...others, { address: from.address, port: from.port, seen: now - from.age }].slice(-REMEMBERED)
    if (!isBack || now - claim.told <= this.#lifetime) return false
    claim.told = now
    return true
  }

  /** The equipment is no longer in the list. */
  forget(equipmentId: string): void { this.#byId.delete(equipmentId) }
}

const isSame = (a: Peer, b: Peer): boolean => a.address === b.address && a.port === b.port
