// Makes a plan real: namespaces, cables, switches, addresses and routes, from inside the keeper.
import { adviceFor } from '../../napt/device/tap.js'
import { SystemError } from '../../napt/system/error.js'
import { createTap } from '../../napt/system/tap.js'
import { parseIpv4, parseMac } from '../../napt/wire/address.js'
import { BenchFailure, prefixOf } from './bench.js'
import { createNamespace, inNamespace, type Namespace } from './namespaces.js'
import { RouteSocket, type CableEnd } from './netlink.js'
import { switchOffloadsOff } from './offloads.js'
import { BRIDGE, type CablePlug, type Plan, type PlannedInterface, type PlannedNamespace } from './plan.js'

/** An interface whose both ends are up carries frames within a millisecond or so. */
const OPERATIONAL_TIMEOUT_MS = 2000

/** Frames that a TAP keeps for its router; the kernel's own choice is 500, which a burst of small ones fills in a millisecond. */
const TAP_QUEUE = 4096

interface Site { readonly planned: PlannedNamespace, readonly namespace: Namespace, readonly socket: RouteSocket }

/** A bench as it is built. */
export interface BuiltBench {
  readonly namespaces: ReadonlyMap<string, Namespace>
  /** Blocks until TAPs carry frames too, which they do once their routers run. @throws SystemError */
  whenTapsOperational(): void
}

/** Cables carry frames when this returns. @throws SystemError; BenchFailure when the machine has no TAPs for us */
export function buildBench(plan: Plan): BuiltBench {
  const sites = new Map(plan.namespaces.map(({ interfaces, ...place }): [string, Site] => {
    const namespace = createNamespace(place.name, { ipv6: plan.ipv6 })
    // What is a file of a router's has no interface to be looked after here.
    const planned = { ...place, interfaces: interfaces.filter(({ isFile }) => isFile !== true) }
    return [place.name, { planned, namespace, socket: inNamespace(namespace, () => new RouteSocket(true)) }]
  }))
  for (const [a, b] of plan.cables) {
    const site = siteOf(sites, a)
    site.socket.createCable(cableEnd(site, a), cableEnd(siteOf(sites, b), b))
  }
  for (const { end } of plan.taps) makeTap(siteOf(sites, end), end)
  const all = [...sites.values()]
  for (const site of all) setInterfacesUp(site)
  for (const { planned, socket } of all) if (planned.kind === 'host') planned.interfaces.forEach(end => setAddresses(end, socket))
  const isTap = (namespace: string, name: string): boolean => plan.taps.some(({ end }) => end.namespace === namespace && end.interface === name)
  for (const { planned, socket } of all) {
    // Not the bridge itself: nothing is sent through it, and the kernel may take a second to call it operational.
    for (const { name } of planned.interfaces) if (name !== BRIDGE && !isTap(planned.name, name)) socket.whenOperational(name, OPERATIONAL_TIMEOUT_MS)
  }
  return {
    namespaces: new Map(all.map(({ namespace }) => [namespace.name, namespace])),
    whenTapsOperational: () => {
      for (const { end } of plan.taps) siteOf(sites, end).socket.whenOperational(end.interface, OPERATIONAL_TIMEOUT_MS)
      for (const { socket } of all) socket.close()
    },
  }
}

/** Stays when its router ends, as a cable would that has been pulled out at the other end. */
function makeTap(site: Site, plug: CablePlug): void {
  const { name, mac, mtu } = cableEnd(site, plug)
  try {
    inNamespace(site.namespace, () => createTap(name))
  } catch (error) {
    if (error instanceof SystemError) throw new BenchFailure(`${error.message}. ${adviceFor(error, name)}`, { cause: error })
    throw error
  }
  site.socket.configure(site.socket.link(name).index, { mac, mtu, queueLength: TAP_QUEUE })
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
