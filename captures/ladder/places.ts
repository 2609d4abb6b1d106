// Names for addresses, as the lanes of a ladder have them. Behind each router the same private addresses may occur again.
import { parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'

export type Side = 'lan' | 'wan'

/** Who has which address. */
export interface Places {
  /** The lane of a host or router on the WAN; undefined for an address that has none. */
  onWan(address: Ipv4Address): string | undefined
  /** The lane of a host behind a router, or of the router itself as its hosts know it. */
  behind(router: string, address: Ipv4Address): string | undefined
  isRouter(lane: string): boolean
}

/** Who has which address, and behind which router, where that is known beforehand. Names are those of the lanes. */
export interface Topology {
  readonly routers: readonly {
    readonly name: string
    readonly wan: string
    /** WAN addresses that it has beside that one, or is going to have. */
    readonly moreWan?: readonly string[]
    readonly lan: string
    readonly hosts: readonly { readonly name: string, readonly address: string }[]
  }[]
  /** On the WAN itself. */
  readonly hosts: readonly { readonly name: string, readonly address: string }[]
}

/** The bench of Fig. 1. */
export const FIG1_TOPOLOGY: Topology = {
  routers: [
    { name: '104a', wan: '4.17.168.2', lan: '192.168.1.1', hosts: [{ name: '102', address: '192.168.1.11' }] },
    { name: '104b', wan: '202.204.16.13', lan: '192.168.1.1', hosts: [{ name: '103', address: '192.168.1.3' }] },
  ],
  hosts: [{ name: '101', address: '130.74.23.6' }],
}

export class DescribedPlaces implements Places {
  readonly #onWan = new Map<Ipv4Address, string>()
  readonly #behind = new Map<string, ReadonlyMap<Ipv4Address, string>>()

  constructor({ routers, hosts }: Topology) {
    for (const { name, address } of hosts) this.#onWan.set(parseIpv4(address), name)
    for (const router of routers) {
      for (const address of [router.wan, ...router.moreWan ?? []]) this.#onWan.set(parseIpv4(address), router.name)
      this.#behind.set(router.name, new Map([[parseIpv4(router.lan), router.name], ...router.hosts.map(host => [parseIpv4(host.address), host.name] as const)]))
    }
  }

  onWan(address: Ipv4Address): string | undefined { return this.#onWan.get(address) }
  behind(router: string, address: Ipv4Address): string | undefined { return this.#behind.get(router)?.get(address) }
  isRouter(lane: string): boolean { return this.#behind.has(lane) }
}
