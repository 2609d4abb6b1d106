// Who is logged in, with which connections, and which demands wait until one of them is vacant. Nothing here does I/O.
import type { Demand, Leg } from './leg.js'

export interface LoggedInUser {
  readonly userId: string
  readonly connections: number
  readonly vacant: number
}

interface Entry {
  /** Which terminal: two of them cannot have one user ID. */
  readonly token: string
  /** In the order of their log-ins. */
  readonly legs: Set<Leg>
  readonly waiting: Set<Demand>
}

export class Directory {
  readonly #entries = new Map<string, Entry>()
  readonly #maxPerUser: number

  constructor(maxPerUser: number) {
    this.#maxPerUser = maxPerUser
  }

  /** Why a terminal may not have a connection (more), or null. */
  objection(userId: string, token: string): 'logged-in-elsewhere' | 'busy' | null {
    const entry = this.#entries.get(userId)
    if (entry && entry.token !== token) return 'logged-in-elsewhere'
    return entry && entry.legs.size >= this.#maxPerUser ? 'busy' : null
  }

  /** @returns whether it is the first connection of this terminal */
  add(leg: Leg, token: string): boolean {
    const entry = this.#entries.get(leg.userId)
    if (entry) entry.legs.add(leg)
    else this.#entries.set(leg.userId, { token, legs: new Set([leg]), waiting: new Set() })
    return entry === undefined
  }

  /** @returns the demands that wait for this user in vain, if that was its last connection */
  remove(leg: Leg): readonly Demand[] {
    const entry = this.#entries.get(leg.userId)
    entry?.legs.delete(leg)
    if (!entry || entry.legs.size > 0) return []
    this.#entries.delete(leg.userId)
    return [...entry.waiting]
  }

  has(userId: string): boolean {
    return this.#entries.has(userId)
  }

  vacantLeg(userId: string): Leg | null {
    for (const leg of this.#entries.get(userId)?.legs ?? []) if (leg.state.kind === 'vacant') return leg
    return null
  }

  legsOf(userId: string): readonly Leg[] {
    return [...this.#entries.get(userId)?.legs ?? []]
  }

  wait(demand: Demand): void {
    this.#entries.get(demand.to)?.waiting.add(demand)
  }

  stopWaiting(demand: Demand): void {
    this.#entries.get(demand.to)?.waiting.delete(demand)
  }

  /** The demand that has waited longest for a connection of this user. */
  nextWaiting(userId: string): Demand | null {
    for (const demand of this.#entries.get(userId)?.waiting ?? []) return demand
    return null
  }

  list(): LoggedInUser[] {
    return [...this.#entries].map(([userId, { legs }]) =>
      ({ userId, connections: legs.size, vacant: [...legs].filter(({ state }) => state.kind === 'vacant').length }))
  }
}
