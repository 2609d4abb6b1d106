// A bench's description as the ladder needs it: who has which address, and behind which router.
import type { Topology } from '../../captures/ladder/places.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import { formatIpv4 } from '../../napt/wire/address.js'
import { addressesOf, BenchError, type BenchDescription, type RouterDescription } from '../bench/bench.js'

/**
 * The network that all routers have their WAN side on; without routers, the one that all hosts are on.
 * @throws BenchError when that is no single one
 */
export function wanOf({ name, hosts, routers = {} }: BenchDescription): string {
  const sides = Object.values(routers).map(router => router.wan.network)
  const [wan, ...others] = new Set(sides.length > 0 ? sides : Object.values(hosts).map(host => host.network))
  const whose = sides.length > 0 ? 'the WAN sides of its routers' : 'it has no routers, and its hosts'
  if (others.length > 0) throw new BenchError(`bench ${name}: ${whose} are on several networks (${[wan, ...others].join(', ')}); a run needs one`)
  return wan
}

/**
 * @param later WAN addresses that routers get while the bench is up, by router
 * @throws BenchError, as wanOf
 */
export function topologyOf(description: BenchDescription, later: Readonly<Record<string, readonly string[]>> = {}): Topology {
  const { hosts, routers = {} } = description
  const on = (network: string): { name: string, address: string }[] =>
    Object.entries(hosts).filter(([, host]) => host.network === network).flatMap(([name, host]) => addressesOf(host).map(address => ({ name, address: bare(address) })))
  return {
    routers: Object.entries(routers).map(([name, router]) => ({
      name, wan: bare(router.wan.address), moreWan: [...moreWanOf(router), ...later[name] ?? []], lan: bare(router.lan.address), hosts: on(router.lan.network),
    })),
    hosts: on(wanOf(description)),
  }
}

/** What a router gives to its hosts beside its own WAN address. */
function moreWanOf({ nat = {} }: RouterDescription): string[] {
  const { pool, oneToOne } = parseBehaviour(nat)
  return [...pool, ...oneToOne.map(({ wanAddress }) => wanAddress)].map(formatIpv4)
}

const bare = (address: string): string => address.split('/')[0]
