// A bench's description as the ladder needs it: who has which address, and behind which router.
import type { Topology } from '../captures/index.js'
import { addressesOf, BenchError, type BenchDescription } from './bench.js'

/** The network that all routers have their WAN side on. @throws BenchError when that is no single one */
export function wanOf({ name, routers = {} }: BenchDescription): string {
  const [wan, ...others] = new Set(Object.values(routers).map(router => router.wan.network))
  if (others.length > 0) throw new BenchError(`bench ${name}: the WAN sides of its routers are on several networks (${[wan, ...others].join(', ')}); a run needs one`)
  return wan
}

/** @throws BenchError, as wanOf */
export function topologyOf(description: BenchDescription): Topology {
  const { hosts, routers = {} } = description
  const on = (network: string): { name: string, address: string }[] =>
    Object.entries(hosts).filter(([, host]) => host.network === network).flatMap(([name, host]) => addressesOf(host).map(address => ({ name, address: bare(address) })))
  return {
    routers: Object.entries(routers).map(([name, router]) => ({ name, wan: bare(router.wan.address), lan: bare(router.lan.address), hosts: on(router.lan.network) })),
    hosts: on(wanOf(description)),
  }
}

const bare = (address: string): string => address.split('/')[0]
