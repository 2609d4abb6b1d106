// The network of JP 2002-217942, Fig. 1: the relay server 4 on the Internet, and a terminal in each of two local systems, behind
// the gateways 13 and 23. The document gives no addresses; those of Fig. 1 of the main system do as well here.
import type { BenchDescription } from '../bench/bench.js'

const nat = { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', portAllocation: 'sequential' } as const

export const relayLogin: BenchDescription = {
  name: 'relay-login',
  networks: {
    'internet': {},
    'lan-14': {},
    'lan-24': {},
  },
  hosts: {
    4: { title: 'relay server', network: 'internet', address: '130.74.23.6' },
    11: { title: 'terminal in local system 1', network: 'lan-14', address: '192.168.1.11/24', gateway: '192.168.1.1' },
    21: { title: 'terminal in local system 2', network: 'lan-24', address: '192.168.1.21/24', gateway: '192.168.1.1' },
  },
  routers: {
    13: {
      title: 'gateway of local system 1',
      lan: { network: 'lan-14', address: '192.168.1.1/24' },
      wan: { network: 'internet', address: '4.17.168.2' },
      nat: { ...nat, firstPort: { tcp: 5001 } },
    },
    23: {
      title: 'gateway of local system 2',
      lan: { network: 'lan-24', address: '192.168.1.1/24' },
      wan: { network: 'internet', address: '202.204.16.13' },
      nat: { ...nat, firstPort: { tcp: 6001 } },
    },
  },
}
