// Who has which address, learned from packets: what a router changed into is its WAN address, what it changed was a host behind
// it. Names come from the file where it has some; an address without one is its own name.
import { formatIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import { decode } from '../decode/decode.js'
import { isPrivate } from './copy.js'
import type { RouterRecord } from './correlate.js'
import { OTHERS, type Lane } from './ladder.js'
import type { Places } from './places.js'

/** A lane, and where it belongs: the name of the router that it is behind, or null for the WAN. */
export interface SeenLane extends Lane { readonly behind: string | null }

/** What an interface was called that only one host's packets crossed. */
export interface NamedHost { readonly name: string, readonly address: Ipv4Address, /** Null: on the WAN, or nobody knows. */ readonly behind: string | null }

/** More lanes than that no ladder has; later ones are one. */
const MOST_LANES = 4096

export class SeenPlaces implements Places {
  readonly #routers = new Map<string, { readonly wan: Set<Ipv4Address>, readonly lan: Set<Ipv4Address>, readonly hosts: Set<Ipv4Address> }>()
  readonly #lanes = new Map<string, SeenLane>()
  readonly #taken: Set<string>

  /** `names` may grow while packets come. */
  constructor(routers: readonly string[], private readonly names: ReadonlyMap<Ipv4Address, string>, private readonly hosts: readonly NamedHost[] = []) {
    for (const name of routers) this.#routers.set(name, { wan: new Set(), lan: new Set(), hosts: new Set() })
    this.#taken = new Set([OTHERS, ...routers])
  }

  learn({ router, from, received, verdict, sent }: RouterRecord): void {
    const known = this.#routers.get(router), before = decode(received).transport
    if (known === undefined || before === null) return
    const after = verdict.action === 'forward' && sent !== undefined ? decode(sent.frame).transport : null
    if (from === 'lan') {
      if (after !== null || isPrivate(before.source.address)) known.hosts.add(before.source.address)
      if (after !== null && after.source.address !== before.source.address) known.wan.add(after.source.address)
    } else {
      if (after?.destination.address !== before.destination.address) known.wan.add(before.destination.address)
      if (after !== null && sent?.side === 'lan') known.hosts.add(after.destination.address)
    }
  }

  /** The lanes that were asked for so far, by name. */
  get lanes(): ReadonlyMap<string, SeenLane> {
    const routers = [...this.#routers].map(([name, { wan }]): [string, SeenLane] => {
      const [address] = wan
      return [name, { name, address: wan.size === 0 ? '' : formatIpv4(address), behind: null, isRouter: true }]
    })
    return new Map([...routers, ...[...this.#lanes.values()].map(lane => [lane.name, lane] as const)])
  }

  isRouter(lane: string): boolean { return this.#routers.has(lane) }

  /** Whether a router answers to the address on its WAN. */
  isWanAddress(router: string, address: Ipv4Address): boolean {
    return this.#routers.get(router)?.wan.has(address) === true || this.names.get(address) === router
  }

  /** Whether a host behind the router has it, or may have. */
  isBehind(router: string, address: Ipv4Address): boolean { return this.#routers.get(router)?.hosts.has(address) === true || isPrivate(address) }

  onWan(address: Ipv4Address): string {
    const router = [...this.#routers].find(([, { wan }]) => wan.has(address))?.[0]
    return router ?? this.#lane(null, address)
  }

  behind(router: string, address: Ipv4Address): string {
    if (this.isWanAddress(router, address)) return router
    return this.isBehind(router, address) ? this.#lane(router, address) : this.onWan(address)
  }

  #lane(behind: string | null, address: Ipv4Address): string {
    const name = this.names.get(address)
    if (name !== undefined && this.#routers.has(name) && (behind === null || behind === name || !this.#isNamedHost(address))) return behind ?? name
    const key = `${behind ?? ''} ${address}`
    const known = this.#lanes.get(key)
    if (known !== undefined) return known.name
    if (this.#lanes.size >= MOST_LANES) return OTHERS
    const lane = { name: this.#free(this.#hostName(behind, address) ?? name ?? formatIpv4(address), behind, address), address: formatIpv4(address), behind }
    this.#lanes.set(key, lane)
    this.#taken.add(lane.name)
    return lane.name
  }

  #isNamedHost(address: Ipv4Address): boolean { return this.hosts.some(host => host.address === address) }

  /** Of two hosts with one address behind two routers, the one that is known to be behind this one. */
  #hostName(behind: string | null, address: Ipv4Address): string | undefined {
    const named = this.hosts.filter(host => host.address === address)
    return (named.find(host => host.behind === behind) ?? (named.length === 1 ? named[0] : undefined))?.name
  }

  #free(name: string, behind: string | null, address: Ipv4Address): string {
    const choices = [name, `${name} ${behind === null ? formatIpv4(address) : `behind ${behind}`}`, `${name} ${formatIpv4(address)} ${behind ?? 'WAN'}`]
    return choices.find(choice => !this.#taken.has(choice)) ?? OTHERS
  }
}
