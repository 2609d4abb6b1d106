// The bench of a measurement: a client, the router under test, a server, and a cable on either side of it.
import type { BenchDescription } from '../../lab/bench/bench.js'

export const NAMES = { client: 'client', router: 'nat', server: 'server' } as const
export const SERVER = '203.0.113.2'
/** What the server sees instead of the client. */
export const ROUTER_WAN = '203.0.113.1'
export const ROUTER_LAN = '192.168.1.1'
/** Both networks have this length of prefix. */
export const PREFIX_LENGTH = 24

export interface TopologyOptions {
  /** Off for a device that knows whole frames only. */
  readonly offloads: 'on' | 'off'
  /** Without one, the router makes the client's way out itself, as a TAP in the client's namespace. */
  readonly hasGateway: boolean
  /** The router is at the end of its cables itself, as with `tap`. */
  readonly device?: 'tap'
}

export const topology = (name: string, { offloads, hasGateway, device }: TopologyOptions): BenchDescription => ({
  name: `bench-${name}`,
  networks: { lan: { offloads }, wan: { offloads } },
  hosts: {
    [NAMES.client]: { network: 'lan', address: `192.168.1.2/${PREFIX_LENGTH}`, ...hasGateway ? { gateway: ROUTER_LAN } : {} },
    [NAMES.server]: { network: 'wan', address: `${SERVER}/${PREFIX_LENGTH}` },
  },
  routers: {
    [NAMES.router]: { lan: { network: 'lan', address: `${ROUTER_LAN}/${PREFIX_LENGTH}` }, wan: { network: 'wan', address: ROUTER_WAN }, ...device === undefined ? {} : { device } },
  },
})
