// S209 over UDP needs of 104a what 208 needs of it: every static mapping for TCP (5000 → 1600) for UDP, too.
import type { BenchDescription } from '../bench/bench.js'

const ROUTER = '104a'

/** The bench with those mappings besides. Where there are none (102 is on the WAN, or ports are not translated) none are missing. */
export function withUdpMappings(bench: BenchDescription): BenchDescription {
  const { routers = {} } = bench
  const nat = ROUTER in routers ? routers[ROUTER].nat : undefined
  if (typeof nat !== 'object' || nat === null || !('staticMappings' in nat) || !Array.isArray(nat.staticMappings)) return bench
  const mappings = nat.staticMappings.filter(isRecord), of = (protocol: string) => mappings.filter(mapping => mapping.protocol === protocol)
  const missing = of('tcp').filter(({ wanAddress, wanPort }) => !of('udp').some(mapping => mapping.wanPort === wanPort && mapping.wanAddress === wanAddress))
  const staticMappings = [...nat.staticMappings as unknown[], ...missing.map(mapping => ({ ...mapping, protocol: 'udp' }))]
  return { ...bench, routers: { ...routers, [ROUTER]: { ...routers[ROUTER], nat: { ...nat, staticMappings } } } }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
