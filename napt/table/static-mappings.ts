// Static mappings: set and removed by hand, or as a whole when a router's behaviour changes. `primary` is the WAN address of a
// mapping that names none.
import type { StaticMapping } from '../behaviour/behaviour.js'
import { ConfigError } from '../fields.js'
import { formatEndpoint, formatIpv4, type Ipv4Address } from '../wire/address.js'
import { PROTOCOL_CODE } from './flow-index.js'
import { KIND } from './mappings.js'
import type { TableStore } from './store.js'

const NONE = -1

/** @throws ConfigError when the WAN port is in use, saying by whom, or the address is none of the router's */
export function addStaticMapping(store: TableStore, { protocol, wanAddress, wanPort, address, port }: StaticMapping, primary: Ipv4Address, now: number): void {
  const { mappings } = store, code = PROTOCOL_CODE[protocol], on = wanAddress ?? primary
  if (!store.addresses.has(on)) throw new ConfigError(`WAN port ${wanPort}/${protocol}: ${formatIpv4(on)} is no WAN address of this router`)
  store.dropLapsed(mappings.ofWan(code, on, wanPort), now)
  const holder = mappings.ofWan(code, on, wanPort)
  if (holder !== NONE) throw new ConfigError(`WAN port ${wanPort}/${protocol} is in use: ${describe(store, holder)}. Choose another port, or remove that mapping first.`)
  const other = mappings.ofLan(code, address, port, 0, 0)
  if (other !== NONE) {
    if (mappings.isStatic(other)) throw new ConfigError(`${formatEndpoint(address, port)}/${protocol} has a static mapping already: ${describe(store, other)}`)
    store.removeMapping(other, now)
  }
  store.addresses.take(code, on, wanPort)
  store.addMapping(code, KIND.static, store.hosts.obtain(address), address, port, on, wanPort, 0, 0)
}

/** Removes a static mapping with its sessions. @throws ConfigError when there is none on that port */
export function removeStaticMapping(store: TableStore, protocol: 'tcp' | 'udp', wanPort: number, wanAddress: Ipv4Address, now: number): void {
  const mapping = store.mappings.ofWan(PROTOCOL_CODE[protocol], wanAddress, wanPort)
  if (mapping === NONE || !store.mappings.isStatic(mapping)) throw new ConfigError(`WAN port ${wanPort}/${protocol} has no static mapping`)
  store.removeMapping(mapping, now)
}

/** Removes the static mappings that are not among those wanted, with their sessions. */
export function keepStaticMappings(store: TableStore, wanted: readonly StaticMapping[], primary: Ipv4Address, now: number): void {
  const { mappings } = store
  store.removeAll(mapping => mappings.isStatic(mapping) && !wanted.some(({ protocol, wanAddress = primary, wanPort, address, port }) =>
    PROTOCOL_CODE[protocol] === mappings.code(mapping) && wanAddress === mappings.wanAddress(mapping) && wanPort === mappings.wanPort(mapping) &&
    address === mappings.lanAddress(mapping) && port === mappings.lanPort(mapping)), now)
}

/** Sets a static mapping unless it is there; dynamic ones in its place go. Gives how many went. */
export function ensureStaticMapping(store: TableStore, mapping: StaticMapping, primary: Ipv4Address, now: number): number {
  const { mappings } = store, code = PROTOCOL_CODE[mapping.protocol], on = mapping.wanAddress ?? primary
  const holder = mappings.ofWan(code, on, mapping.wanPort)
  if (holder !== NONE && mappings.isStatic(holder)) return 0
  const removed = store.removeAll(other => mappings.code(other) === code && mappings.wanAddress(other) === on && mappings.wanPort(other) === mapping.wanPort, now)
  addStaticMapping(store, mapping, primary, now)
  return removed
}

function describe({ mappings }: TableStore, mapping: number): string {
  const lan = formatEndpoint(mappings.lanAddress(mapping), mappings.lanPort(mapping))
  return `${lan} = WAN port ${mappings.wanPort(mapping)} (${mappings.isStatic(mapping) ? 'static' : 'dynamic'})`
}
