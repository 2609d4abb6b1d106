// The network of Fig. 10: a server and an issuer on the WAN, and an acceptor behind a router.
import type { BenchDescription } from '../bench/bench.js'

export const fig10 = {
  name: 'fig10',
  networks: {
    wan: {},
    lan: {},
  },
  hosts: {
    11: { title: 'server apparatus', network: 'wan', address: '130.74.23.6' },
    12: { title: 'request issuance equipment', network: 'wan', address: '8.117.12.109' },
    13: { title: 'request acceptance equipment', network: 'lan', address: '192.168.1.3/24', gateway: '192.168.1.1' },
  },
  routers: {
    104: {
      title: 'router',
      lan: { network: 'lan', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '202.204.16.13' },
      // 2000 becomes 3400 (Fig. 12).
      nat: {
        mapping: 'endpoint-independent',
        filtering: 'address-and-port-dependent',
        portAllocation: 'sequential',
        firstPort: { udp: 3400, tcp: 3400 },
      },
    },
  },
} satisfies BenchDescription

/** The same with the issuer in a LAN of its own, behind the router that 102 has in Fig. 1. */
export const fig10Lan: BenchDescription = {
  name: 'fig10-lan',
  networks: { ...fig10.networks, 'lan-a': {} },
  hosts: { ...fig10.hosts, 12: { ...fig10.hosts[12], network: 'lan-a', address: '192.168.1.11/24', gateway: '192.168.1.1' } },
  routers: {
    ...fig10.routers,
    '104a': {
      title: 'router, issuer side',
      lan: { network: 'lan-a', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '4.17.168.2' },
      nat: { ...fig10.routers[104].nat, firstPort: { udp: 7000, tcp: 7000 } },
    },
  },
}
