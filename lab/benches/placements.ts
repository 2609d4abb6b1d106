// Fig. 1 with 102 and 103 placed otherwise: each behind its NAPT router as drawn, behind a router that translates addresses alone,
// or on the WAN with a global address. Nine benches, all derived from fig1.
import type { BenchDescription, HostDescription, RouterDescription } from '../bench/bench.js'
import { fig1 } from './fig1.js'

export const PLACEMENTS = ['napt', 'nat', 'global'] as const

/** napt: behind a router that translates addresses and ports; nat: behind one that translates addresses alone; global: on the WAN. */
export type Placement = typeof PLACEMENTS[number]

export interface Placements { readonly issuer: Placement, readonly acceptor: Placement }

interface Site {
  readonly host: string
  readonly router: string
  readonly lan: string
  /** What the host has on the WAN. */
  readonly globalAddress: string
  /** The router that translates addresses alone. */
  readonly natRouter: RouterDescription
}

// Behind address-only NAT a host has the figures' WAN address to itself, so the router's own is the one beside it.
const SITES: Readonly<Record<keyof Placements, Site>> = {
  issuer: {
    host: '102', router: '104a', lan: 'lan-a',
    globalAddress: '8.117.12.109', // that of 12 in Fig. 10
    natRouter: {
      title: 'router, issuer side, addresses only',
      lan: { network: 'lan-a', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '4.17.168.1' },
      // 102 is reached at 1600, the port on which it listens; one-to-one, since 208 comes in unasked.
      nat: { translation: 'addresses', oneToOne: [{ wanAddress: '4.17.168.2', address: '192.168.1.11' }] },
    },
  },
  acceptor: {
    host: '103', router: '104b', lan: 'lan-b',
    globalAddress: '198.51.100.3', // the documents give none; RFC 5737 keeps this network for such use
    natRouter: {
      title: 'router, acceptor side, addresses only',
      lan: { network: 'lan-b', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '202.204.16.1' },
      // 103 is only answered, so an address for as long as it speaks is enough, and the filter may be the narrowest.
      nat: { translation: 'addresses', pool: ['202.204.16.13'], filtering: 'address-and-port-dependent' },
    },
  },
}

/** The bench of Fig. 1 with 102 and 103 where they are asked to be: fig1 itself, or `fig1-ISSUER-ACCEPTOR`. */
export function fig1With({ issuer, acceptor }: Placements): BenchDescription {
  if (issuer === 'napt' && acceptor === 'napt') return fig1
  const placed = placedAt(placedAt(fig1, SITES.issuer, issuer), SITES.acceptor, acceptor)
  return { ...placed, name: `${fig1.name}-${issuer}-${acceptor}` }
}

/** All nine. */
export const placedBenches: readonly BenchDescription[] = PLACEMENTS.flatMap(issuer => PLACEMENTS.map(acceptor => fig1With({ issuer, acceptor })))

function placedAt(bench: BenchDescription, { host, router, lan, globalAddress, natRouter }: Site, placement: Placement): BenchDescription {
  const { networks, hosts, routers = {} } = bench
  if (placement === 'napt') return bench
  if (placement === 'nat') return { ...bench, routers: { ...routers, [router]: natRouter } }
  const { title = '' } = hosts[host]
  const global: HostDescription = { title, network: 'wan', address: globalAddress }
  return { ...bench, networks: without(networks, lan), hosts: { ...hosts, [host]: global }, routers: without(routers, router) }
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== name))
}
