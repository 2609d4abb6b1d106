// Where 102 and 103 are on a bench, read from its description: how 102 is reached, which lanes the ladder has, and whether the
// packet layouts of Figs. 7 and 8 are about this bench at all.
import type { Lane } from '../../captures/ladder/ladder.js'
import { FIG2_CONNECTIONS, type ConnectionName } from '../../captures/decode/connection-names.js'
import type { Peer } from '../../endpoints/peer.js'
import type { Behaviour } from '../../napt/behaviour/behaviour.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import { formatIpv4 } from '../../napt/wire/address.js'
import { addressesOf, prefixOf, type BenchDescription, type RouterDescription } from '../bench/bench.js'
import type { Placement, Placements } from '../benches/placements.js'

/** The CA's host (Fig. 5), and the server's. */
export const AUTHORITY = '51', SERVER = '101'
/** The WAN port that leads to 102 through a static mapping, and the port on which 102 listens (spec: Ports). */
const MAPPED_PORT = 5000
export const LISTENING_PORT = 1600

interface Site { readonly host: string, readonly router: string }
const ISSUER: Site = { host: '102', router: '104a' }, ACCEPTOR: Site = { host: '103', router: '104b' }

/** Global: on the network of 101. What is missing counts as behind NAPT, as Fig. 1 has it. */
export function placementsOf(bench: BenchDescription): Placements {
  return { issuer: placementOf(bench, ISSUER), acceptor: placementOf(bench, ACCEPTOR) }
}

function placementOf({ hosts, routers = {} }: BenchDescription, { host, router }: Site): Placement {
  if (host in hosts && SERVER in hosts && hosts[host].network === hosts[SERVER].network) return 'global'
  return router in routers && behaviourOf(routers[router]).translation === 'addresses' ? 'nat' : 'napt'
}

/** The routers that the sequence crosses. */
export function routersOf(bench: BenchDescription): string[] {
  const { issuer, acceptor } = placementsOf(bench)
  return [...issuer === 'global' ? [] : [ISSUER.router], ...acceptor === 'global' ? [] : [ACCEPTOR.router]]
}

/** Where 103 is to connect to (the IP address and port of 217): 102's own port, unless a router translates ports. */
export function reachedAt(bench: BenchDescription): Peer {
  return { address: wanAddressOf(bench, ISSUER), port: placementsOf(bench).issuer === 'napt' ? MAPPED_PORT : LISTENING_PORT }
}

/** How TCP's own packets are called; 208 is known by where 102 is reached. */
export function connectionsOf(bench: BenchDescription): ConnectionName[] {
  const { address, port } = reachedAt(bench)
  return FIG2_CONNECTIONS.map(connection => connection.start === '208' ? { ...connection, called: `${address}:${port}` } : connection)
}

/** The lanes of the ladder, from left to right, the CA's beside the server's if it has a part in the run; a router stands at the address that its side is seen with on the WAN. */
export function lanesOf(bench: BenchDescription, hasAuthority = false): Lane[] {
  const lane = (name: string): Lane => ({ name, address: hostAddress(bench, name) })
  const router = (site: Site): Lane[] => routersOf(bench).includes(site.router) ? [{ name: site.router, address: wanAddressOf(bench, site) }] : []
  return [lane(ISSUER.host), ...router(ISSUER), ...hasAuthority && AUTHORITY in bench.hosts ? [lane(AUTHORITY)] : [], lane(SERVER), ...router(ACCEPTOR), lane(ACCEPTOR.host)]
}

/** Why the packet layouts of Figs. 7 and 8 say nothing of this bench, or null when they do. */
export function notOfTheFigures(bench: BenchDescription): string | null {
  const { issuer, acceptor } = placementsOf(bench)
  if (issuer === 'napt' && acceptor === 'napt') return null
  const places = [...issuer === 'napt' ? [] : [`102 is ${PLACE_NAMES[issuer]}`], ...acceptor === 'napt' ? [] : [`103 is ${PLACE_NAMES[acceptor]}`]]
  return `${places.join(', ')}; the figures show both behind NAPT`
}

export const PLACE_NAMES: Readonly<Record<Placement, string>> = {
  napt: 'behind NAPT', nat: 'behind address-only NAT', global: 'on the WAN',
}

function wanAddressOf(bench: BenchDescription, { host, router }: Site): string {
  const { routers = {} } = bench, own = hostAddress(bench, host)
  if (!(router in routers)) return own
  const { wan } = routers[router], { translation, oneToOne, pool } = behaviourOf(routers[router])
  const shared = translation === 'addresses' ? pool.at(0) : undefined
  const address = oneToOne.find(each => formatIpv4(each.address) === own)?.wanAddress ?? shared
  return address === undefined ? bare(wan.address) : formatIpv4(address)
}

export const hostAddress = ({ hosts }: BenchDescription, host: string): string => host in hosts ? bare(addressesOf(hosts[host])[0]) : ''
const bare = (address: string): string => formatIpv4(prefixOf(address).address)
const behaviourOf = ({ nat = {} }: RouterDescription): Behaviour => parseBehaviour(nat)
