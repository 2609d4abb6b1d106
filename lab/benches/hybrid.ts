// The network for the hybrid system: that of Fig. 10, one more client with a global address (14), and one more behind the router (15).
import type { BenchDescription } from '../bench/bench.js'
import { fig10 } from './fig10.js'

export const hybrid: BenchDescription = {
  ...fig10,
  name: 'hybrid',
  hosts: {
    ...fig10.hosts,
    14: { title: 'client with a global address', network: 'wan', address: '198.51.100.14' },
    15: { title: 'client with a private address', network: 'lan', address: '192.168.1.15/24', gateway: '192.168.1.1' },
  },
}
