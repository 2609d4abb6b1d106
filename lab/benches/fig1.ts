// The network of Fig. 1: a server on the WAN (with the CA of Fig. 5 beside it), and two pieces of equipment, each behind a router of its own. Both LANs use
// the same addresses.
import type { BenchDescription } from '../bench/bench.js'

export const fig1: BenchDescription = {
  name: 'fig1',
  networks: {
    'wan': {},
    'lan-a': {},
    'lan-b': {},
  },
  hosts: {
    51: { title: 'certificate authority apparatus', network: 'wan', address: '130.74.23.51' },
    101: { title: 'server apparatus', network: 'wan', address: '130.74.23.6' },
    102: { title: 'request issuance equipment', network: 'lan-a', address: '192.168.1.11/24', gateway: '192.168.1.1' },
    103: { title: 'request acceptance equipment', network: 'lan-b', address: '192.168.1.3/24', gateway: '192.168.1.1' },
  },
  routers: {
    '104a': {
      title: 'router, issuer side',
      lan: { network: 'lan-a', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '4.17.168.2' },
      // 1500 becomes 7000; 5000 leads to 1600, where 208 is awaited (Fig. 6).
      nat: {
        mapping: 'endpoint-independent',
        filtering: 'address-and-port-dependent',
        portAllocation: 'sequential',
        firstPort: { tcp: 7000 },
        staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }],
      },
    },
    '104b': {
      title: 'router, acceptor side',
      lan: { network: 'lan-b', address: '192.168.1.1/24' },
      wan: { network: 'wan', address: '202.204.16.13' },
      // 2000 becomes 3400 (Fig. 12), and 2600 becomes 2401 (Fig. 8D).
      nat: {
        mapping: 'endpoint-independent',
        filtering: 'address-and-port-dependent',
        portAllocation: 'sequential',
        firstPort: { udp: 3400, tcp: 2401 },
      },
    },
  },
}
