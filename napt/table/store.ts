// Mappings with their sessions, and what hangs on them: the host that holds them, the WAN port that is taken. Whatever is added
// or removed here leaves all four in agreement.
import type { Random } from '../random.js'
import type { RouterMemory } from '../router-memory.js'
import { portPair, type ProtocolCode } from './flow-index.js'
import { Hosts } from './hosts.js'
import { Mappings } from './mappings.js'
import { Sessions } from './sessions.js'
import { WanAddresses, type AddressConfig } from './wan-addresses.js'

const NONE = -1
/** Expired sessions that one turn of the loop removes at most. */
const EXPIRY_BUDGET = 256

export class TableStore {
  readonly mappings = new Mappings()
  readonly sessions: Sessions
  readonly hosts: Hosts
  readonly addresses: WanAddresses

  /** `now` in milliseconds on the router's clock. */
  constructor(config: AddressConfig, random: Random, now: number, memory: RouterMemory) {
    this.sessions = new Sessions(this.mappings, now, memory)
    this.hosts = new Hosts(config.nat.limits)
    this.addresses = new WanAddresses(config, this.hosts, random)
  }

  addMapping(code: ProtocolCode, kind: number, host: number, lanAddress: number, lanPort: number, wanAddress: number, wanPort: number, keyAddress: number, keyPort: number): number {
    this.hosts.mappingAdded(host)
    return this.mappings.add(code, kind, host, lanAddress, lanPort, wanAddress, wanPort, keyAddress, keyPort)
  }

  removeMapping(mapping: number, now: number): void {
    for (let session = this.mappings.firstSession(mapping); session !== NONE; session = this.mappings.firstSession(mapping)) this.unlinkSession(session)
    const code = this.mappings.code(mapping), wanAddress = this.mappings.wanAddress(mapping), wanPort = this.mappings.wanPort(mapping), host = this.mappings.host(mapping)
    this.mappings.remove(mapping)
    this.addresses.release(code, wanAddress, wanPort, now)
    const bound = this.hosts.wanAddress(host)
    if (this.hosts.mappingRemoved(host)) this.addresses.hostLeft(bound)
  }

  removeAll(matches: (mapping: number) => boolean, now: number): number {
    let removed = 0
    for (let mapping = 0; mapping < this.mappings.limit; mapping++) {
      if (!this.mappings.isUsed(mapping) || !matches(mapping)) continue
      this.removeMapping(mapping, now)
      removed++
    }
    return removed
  }

  addSession(mapping: number, remoteAddress: number, remotePort: number, now: number): number {
    const wayOut = this.sessions.findOutbound(this.mappings.code(mapping), this.mappings.lanAddress(mapping), remoteAddress, portPair(this.mappings.lanPort(mapping), remotePort))
    // It belongs to another mapping: on this one, the caller would have found it.
    if (wayOut !== NONE && this.sessions.deadline(wayOut) <= now) this.removeSession(wayOut, now)
    this.hosts.sessionAdded(this.mappings.host(mapping))
    return this.sessions.add(mapping, remoteAddress, remotePort, now)
  }

  /** Removes a session, and its mapping when that was the last one and the mapping is dynamic. */
  removeSession(session: number, now: number): void {
    const mapping = this.sessions.mapping(session)
    this.unlinkSession(session)
    this.#releaseIfIdle(mapping, now)
  }

  unlinkSession(session: number): void {
    this.hosts.sessionRemoved(this.mappings.host(this.sessions.mapping(session)))
    this.sessions.remove(session)
  }

  #releaseIfIdle(mapping: number, now: number): void {
    if (this.mappings.firstSession(mapping) === NONE && !this.mappings.isStatic(mapping)) this.removeMapping(mapping, now)
  }

  isAlive(mapping: number, now: number): boolean {
    if (this.mappings.isStatic(mapping)) return true
    for (let session = this.mappings.firstSession(mapping); session !== NONE; session = this.sessions.next(session)) {
      if (this.sessions.deadline(session) > now) return true
    }
    return false
  }

  dropLapsed(mapping: number, now: number): void {
    if (mapping !== NONE && !this.isAlive(mapping, now)) this.removeMapping(mapping, now)
  }

  /** A WAN endpoint's mappings that are over still hold its port. */
  dropLapsedOn(code: ProtocolCode, wanAddress: number, wanPort: number, now: number): void {
    for (let mapping = this.mappings.ofWan(code, wanAddress, wanPort), next: number; mapping !== NONE; mapping = next) {
      next = this.mappings.next(mapping)
      this.dropLapsed(mapping, now)
    }
  }

  /** Removes sessions whose time is over, a bounded number a call; false when some are left for the next one. */
  expire(now: number): boolean {
    return this.sessions.advance(now, EXPIRY_BUDGET, mapping => {
      this.hosts.sessionRemoved(this.mappings.host(mapping))
      this.#releaseIfIdle(mapping, now)
    })
  }
}
