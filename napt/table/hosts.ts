// What each host of the LAN holds: its mappings and sessions, how fast it opens them, and the WAN address that is its own
// (RFC 6888 calls the hosts subscribers). A host has a row while it holds something; rows are asked for when a session or
// mapping is made or goes, never for a known flow.
import type { Limits } from '../behaviour/behaviour.js'
import type { DropReason } from '../verdict.js'
import { Rows } from './rows.js'

const NONE = -1
/** Debt is counted in thousandths of a session, so that whole milliseconds give whole numbers. */
const SESSION = 1000

const H = { address: 0, wanAddress: 1, mappings: 2, sessions: 3, width: 4 } as const

/** Of all limits, those on one host; 0 for none. */
export type HostLimits = Pick<Limits, 'mappingsPerHost' | 'sessionsPerHost' | 'newSessionsPerSecond'>

export class Hosts {
  #limits: HostLimits
  readonly #rows = new Rows(H.width)
  readonly #byAddress = new Map<number, number>()
  // A token bucket upside down, by row: what the host has used up of one second's worth of sessions, at what time.
  #debts = new Float64Array(64)
  #debtTimes = new Float64Array(64)

  constructor(limits: HostLimits) {
    this.#limits = limits
  }

  get count(): number { return this.#rows.count }

  /** Other limits from now on; a host that is above them keeps what it has. */
  change(limits: HostLimits): void { this.#limits = limits }

  /** The row of a host by its LAN address, or -1. */
  find(address: number): number { return this.#byAddress.get(address) ?? NONE }

  /** The row of a host, made if need be: whoever puts nothing into it calls `releaseIfEmpty`. */
  obtain(address: number): number {
    const known = this.find(address)
    if (known !== NONE) return known
    const row = this.#rows.add()
    this.#rows.set(row, H.address, address)
    this.#rows.set(row, H.wanAddress, 0)
    this.#rows.set(row, H.mappings, 0)
    this.#rows.set(row, H.sessions, 0)
    if (row >= this.#debts.length) {
      this.#debts = doubled(this.#debts)
      this.#debtTimes = doubled(this.#debtTimes)
    }
    this.#debts[row] = 0
    this.#debtTimes[row] = 0
    this.#byAddress.set(address, row)
    return row
  }

  /** Gives up the row of a host that holds nothing; true when it is gone. Its WAN address is nobody's then. */
  releaseIfEmpty(row: number): boolean {
    if (this.mappings(row) > 0 || this.sessions(row) > 0) return false
    this.#byAddress.delete(this.address(row))
    this.#rows.remove(row)
    return true
  }

  address(row: number): number { return this.#rows.get(row, H.address) }
  mappings(row: number): number { return this.#rows.get(row, H.mappings) }
  sessions(row: number): number { return this.#rows.get(row, H.sessions) }

  /** The WAN address that the host is paired with (RFC 4787 REQ-2), or owns while addresses alone are translated; 0 for none. */
  wanAddress(row: number): number { return this.#rows.get(row, H.wanAddress) }
  setWanAddress(row: number, address: number): void { this.#rows.set(row, H.wanAddress, address) }

  /** Why the host may have no mapping more, or null (RFC 6888 REQ-4). */
  admitMapping(row: number): DropReason | null {
    const { mappingsPerHost } = this.#limits
    return mappingsPerHost > 0 && this.mappings(row) >= mappingsPerHost ? 'host-limit' : null
  }

  /**
   * Why the host may have no session more, or null (RFC 6888 REQ-5): then it counts towards the host's rate. A host that was
   * silent for a second may open one second's worth at once. `now` in milliseconds. A host that leaves its row starts afresh.
   */
  admitSession(row: number, now: number): DropReason | null {
    const { sessionsPerHost, newSessionsPerSecond } = this.#limits
    if (sessionsPerHost > 0 && this.sessions(row) >= sessionsPerHost) return 'host-limit'
    if (newSessionsPerSecond === 0) return null
    const paid = (now - this.#debtTimes[row]) * newSessionsPerSecond
    const debt = Math.max(this.#debts[row] - paid, 0) + SESSION
    if (debt > newSessionsPerSecond * SESSION) return 'host-rate'
    this.#debts[row] = debt
    this.#debtTimes[row] = now
    return null
  }

  mappingAdded(row: number): void { this.#rows.chunkOf(row)[this.#rows.placeOf(row) + H.mappings]++ }
  sessionAdded(row: number): void { this.#rows.chunkOf(row)[this.#rows.placeOf(row) + H.sessions]++ }

  /** True when the host has nothing left and its row is gone. */
  mappingRemoved(row: number): boolean {
    this.#rows.set(row, H.mappings, this.mappings(row) - 1)
    return this.releaseIfEmpty(row)
  }

  /** True when the host has nothing left and its row is gone. */
  sessionRemoved(row: number): boolean {
    this.#rows.set(row, H.sessions, this.sessions(row) - 1)
    return this.releaseIfEmpty(row)
  }
}

function doubled(array: Float64Array): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(array.length * 2)
  grown.set(array)
  return grown
}
