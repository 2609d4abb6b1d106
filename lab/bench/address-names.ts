// What the addresses of a bench are called in a capture file. Behind each of its routers the same private addresses may occur
// again; one that several have is called nothing.
import type { Topology } from '../../captures/ladder/places.js'
import { parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import type { PlannedNamespace } from './plan.js'

/** Of a bench as it is described. */
export const namesIn = ({ routers, hosts }: Topology): ReadonlyMap<Ipv4Address, string> => unambiguous([
  ...hosts.map(({ name, address }) => [name, address] as const),
  ...routers.flatMap(({ name, wan, moreWan = [], lan, hosts: behind }) => [
    ...[wan, ...moreWan, lan].map(address => [name, address] as const), ...behind.map(host => [host.name, host.address] as const),
  ]),
])

/** Of a bench that is up. */
export const namesOf = (namespaces: readonly PlannedNamespace[]): ReadonlyMap<Ipv4Address, string> =>
  unambiguous(namespaces.flatMap(({ name, interfaces }) => interfaces.flatMap(({ addresses }) => addresses.map(address => [name, address.split('/')[0]] as const))))

function unambiguous(given: readonly (readonly [name: string, address: string])[]): ReadonlyMap<Ipv4Address, string> {
  const names = new Map<Ipv4Address, string | null>()
  for (const [name, text] of given) {
    const address = parseIpv4(text), other = names.get(address)
    names.set(address, other === undefined || other === name ? name : null)
  }
  return new Map([...names].flatMap(([address, name]) => name === null ? [] : [[address, name] as const]))
}
