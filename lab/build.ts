// Makes a plan real: namespaces, cables, switches, addresses and routes, from inside the keeper.
import { parseIpv4, parseMac } from '../napt/wire/address.js'
import { prefixOf } from './bench.js'
import { createNamespace, inNamespace, type Namespace } from './namespaces.js'
import { RouteSocket, type CableEnd } from './netlink.js'
import { switchOffloadsOff } from './offloads.js'
import { BRIDGE, type CablePlug, type Plan, type PlannedInterface, type PlannedNamespace } from './plan.js'

/** An interface whose both ends are up carries frames within a millisecond or so. */
const OPERATIONAL_TIMEOUT_MS = 2000

interface Site { readonly planned: PlannedNamespace, readonly namespace: Namespace, readonly socket: RouteSocket }

/** @returns the namespaces by name, their interfaces ready to carry frames. @throws SystemError */
export function buildBench(plan: Plan): ReadonlyMap<string, Namespace> {
  const sites = new Map(plan.namespaces.map(planned => {
    const namespace = createNamespace(planned.name, { ipv6: plan.ipv6 })
    return [planned.name, { planned, namespace, socket: inNamespace(namespace, () => new RouteSocket(true)) }]
  }))
  for (const [a, b] of plan.cables) {
    const site = siteOf(sites, a)
    site.socket.createCable(cableEnd(site, a), cableEnd(siteOf(sites, b), b))
  }
  const all = [...sites.values()]
  for (const site of all) setInterfacesUp(site)
  for (const { planned, socket } of all) if (planned.kind === 'host') planned.interfaces.forEach(end => setAddresses(end, socket))
  for (const { planned, socket } of all) {
    // Not the bridge itself: nothing is sent through it, and the kernel may take a second to call it operational.
    for (const { name } of planned.interfaces) if (name !== BRIDGE) socket.whenOperational(name, OPERATIONAL_TIMEOUT_MS)
    socket.close()
  }
  return new Map(all.map(({ namespace }) => [namespace.name, namespace]))
}

function siteOf(sites: ReadonlyMap<string, Site>, { namespace }: CablePlug): Site {
  const site = sites.get(namespace)
  if (!site) throw new Error(`a cable leads to ${namespace}, which is not in the plan`)
  return site
}

function cableEnd({ planned, namespace }: Site, plug: CablePlug): CableEnd {
  const end = planned.interfaces.find(({ name }) => name === plug.interface)
  if (!end) throw new Error(`a cable leads to interface ${plug.interface} of ${planned.name}, which is not in the plan`)
  return { name: end.name, mac: parseMac(end.mac), mtu: end.mtu, namespace: namespace.fd }
}

function setInterfacesUp({ planned, namespace, socket }: Site): void {
  const bridge = planned.interfaces.find(({ name }) => planned.kind === 'switch' && name === BRIDGE)
  if (bridge) socket.createBridge(bridge.name, parseMac(bridge.mac))
  inNamespace(namespace, () => {
    for (const { name, offloads } of planned.interfaces) if (offloads === 'off' && name !== bridge?.name) switchOffloadsOff(name)
  })
  const master = bridge && socket.link(bridge.name).index
  for (const { name } of planned.interfaces) {
    const { index } = socket.link(name)
    if (master !== undefined && index !== master) socket.setMaster(index, master)
    socket.setUp(index)
  }
  // A router and a switch have no address at all, not even 127.0.0.1: their kernels take part in nothing.
  if (planned.kind === 'host') socket.setUp(socket.link('lo').index)
}

/** A bare address (/32) is on a flat network: without a gateway, the default route is on the wire itself. */
function setAddresses({ name, addresses, gateway }: PlannedInterface, socket: RouteSocket): void {
  const { index } = socket.link(name)
  const prefixes = addresses.map(prefixOf)
  for (const { address, length } of prefixes) socket.addAddress(index, address, length)
  if (gateway !== undefined) socket.addDefaultRoute(index, parseIpv4(gateway))
  else if (prefixes.some(({ length }) => length === 32)) socket.addDefaultRoute(index)
}
