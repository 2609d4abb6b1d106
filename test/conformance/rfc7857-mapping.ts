// RFC 7857 §3 to §7, mapping and filtering.
import { FLOW, SYN } from './flows.js'
import type { Requirement } from './requirement.js'
import { onlyPorts, TWO_ADDRESSES } from './setups.js'

export const MAPPING: readonly Requirement[] = [
  {
    clause: '§3', level: 'may', text: 'may give several hosts the same WAN port while their destinations differ',
    cases: [{
      name: 'two hosts on one port, and each gets its answers', option: { portOverloading: true, mapping: 'address-and-port-dependent' },
      script: `${FLOW}
        lan udp B:2000 > T:9000
        → wan udp R:2000 > T:9000
        wan udp S:1200 > R:2000
        → lan udp S:1200 > A:2000
        wan udp T:9000 > R:2000
        → lan udp T:9000 > B:2000
        lan tcp A:2600 > S:1300 SYN
        → wan tcp R:2600 > S:1300 SYN
        lan tcp B:2600 > T:1300 SYN
        → wan tcp R:2600 > T:1300 SYN`,
    }],
  },
  {
    clause: '§4', level: 'should', text: 'should, with paired pooling, drop a host\'s new sessions when its WAN address has no ports left; for TCP too',
    cases: ['udp', 'tcp'].map(protocol => {
      const flags = protocol === 'tcp' ? ' SYN' : ''
      return {
        name: protocol.toUpperCase(), setup: { ...TWO_ADDRESSES, ...onlyPorts(5000, 5001) },
        script: `
          lan ${protocol} A:5000 > S:1200${flags}
          → wan ${protocol} $a:5000 > S:1200${flags}
          lan ${protocol} A:5001 > S:1200${flags}
          → wan ${protocol} $a:5001 > S:1200${flags}
          lan ${protocol} A:5002 > S:1200${flags}
          → dropped no-free-port
          → lan icmp 3/13 G > A [${protocol} A:5002 > S:1200${flags}]
          lan ${protocol} B:5000 > S:1200${flags}
          → wan ${protocol} $b:5000 > S:1200${flags}
          where $a ≠ $b`,
      }
    }),
    also: [{
      name: 'arbitrary pooling goes on with the next address', option: { pooling: 'arbitrary' }, setup: { ...TWO_ADDRESSES, ...onlyPorts(5000, 5000) },
      script: `
        lan udp A:5000 > S:1200
        → wan udp $a:5000 > S:1200
        lan udp A:5001 > S:1200
        → wan udp $b:5000 > S:1200
        where $a ≠ $b`,
    }],
  },
  {
    clause: '§5', level: 'should', text: 'should map protocol by protocol',
    cases: [{
      name: 'a TCP mapping is no UDP one',
      script: `
        lan udp B:2000 > S:1200
        → wan udp R:2000 > S:1200
        lan tcp A:2000 > S:1300 SYN
        → wan tcp R:2000 > S:1300 SYN
        lan udp A:2000 > S:1200
        → wan udp R:$p > S:1200
        where $p ≠ 2000`,
    }],
  },
  {
    clause: '§6', level: 'should', text: 'should filter protocol by protocol',
    cases: [{
      name: 'what a TCP mapping lets in, UDP does not', setup: { filtering: 'endpoint-independent' },
      script: `
        lan tcp A:2000 > S:1300 SYN
        → wan tcp R:2000 > S:1300 SYN
        wan tcp T:9000 > R:2000 SYN
        → lan tcp T:9000 > A:2000 SYN
        wan udp T:9000 > R:2000
        → dropped no-mapping`,
    }],
  },
  {
    clause: '§7', level: 'should', text: 'should not let inbound packets that get no session refresh a mapping; for TCP too',
    cases: [
      {
        name: 'a filtered packet',
        script: `${FLOW}
          pass 299.999s
          wan udp T:9000 > R:2000
          → dropped filtered
          pass 1ms
          wan udp S:1200 > R:2000
          → dropped no-mapping`,
      },
      {
        name: 'one that the host\'s limit refuses, behind an endpoint-independent filter', setup: { filtering: 'endpoint-independent', limits: { sessionsPerHost: 1 } },
        script: `${FLOW}
          pass 299.999s
          wan udp T:9000 > R:2000
          → dropped host-limit
          pass 1ms
          wan udp S:1200 > R:2000
          → dropped no-mapping`,
      },
      {
        name: 'TCP', setup: { unsolicitedSyn: { answer: 'none' } },
        script: `${SYN}
          pass 239.999s
          wan tcp T:9000 > R:2600 SYN
          → dropped filtered
          pass 1ms
          wan tcp S:1300 > R:2600 SYN ACK
          → dropped no-mapping`,
      },
    ],
  },
  {
    clause: '§7.1', level: 'should', text: 'should not let outbound ICMP errors and RSTs that answer inbound packets refresh a mapping',
    cases: [
      {
        name: 'an ICMP error',
        script: `${FLOW}
          pass 299.999s
          lan icmp 3/3 A > S [udp S:1200 > A:2000]
          → wan icmp 3/3 R > S [udp S:1200 > R:2000]
          pass 1ms
          wan udp S:1200 > R:2000
          → dropped no-mapping`,
      },
      {
        name: 'a RST', setup: { filtering: 'endpoint-independent', refresh: 'outbound', unsolicitedSyn: { answer: 'none' } },
        script: `${SYN}
          pass 200s
          wan tcp T:9000 > R:2600 SYN
          → lan tcp T:9000 > A:2600 SYN
          lan tcp A:2600 > T:9000 RST ACK
          → wan tcp R:2600 > T:9000 RST ACK
          pass 40s
          wan tcp T:9000 > R:2600 SYN
          → dropped no-mapping`,
      },
    ],
  },
]
