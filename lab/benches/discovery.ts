// The network of RFC 5780: a STUN server with two addresses on the WAN, from which a host behind one router finds out how that
// router maps and filters; a second host behind it, for hairpinning. The addresses are those kept for examples (RFC 5737).
import type { BenchDescription } from '../bench/bench.js'

export const discovery = {
  name: 'discovery',
  networks: {
    wan: {},
    lan: {},
  },
  hosts: {
    stun: { title: 'STUN server', network: 'wan', address: ['198.51.100.1', '203.0.113.1'] },
    inside: { title: 'host behind the router', network: 'lan', address: '192.168.1.11/24', gateway: '192.168.1.1' },
    neighbour: { title: 'its neighbour', network: 'lan', address: '192.168.1.12/24', gateway: '192.168.1.1' },
  },
  routers: {
    nat: {
      title: 'router that is looked at',
      lan: { network: 'lan', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '192.0.2.1' },
    },
  },
} satisfies BenchDescription
