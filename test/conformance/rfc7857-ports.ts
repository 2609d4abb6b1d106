// RFC 7857 §8 to §13, ports, identifications, ICMP, security.
import { FLOW } from './flows.js'
import type { Requirement } from './requirement.js'
import { BASIC_NAT } from './setups.js'

export const PORTS: readonly Requirement[] = [
  {
    clause: '§8', level: 'should', text: 'may do without port parity; should have means to ask for it',
    cases: [{
      name: 'even for even, odd for odd', option: { portParity: true },
      script: `${FLOW}
        lan udp B:2000 > S:1200
        → wan udp R:$p > S:1200
        where $p even
        lan udp A:2001 > S:1200
        → wan udp R:2001 > S:1200
        lan udp B:2001 > S:1200
        → wan udp R:$q > S:1200
        where $q odd`,
    }],
    note: 'the configuration asks; hosts cannot, for there is no PCP (RFC 7753)',
  },
  {
    clause: '§9', level: 'should', text: 'should choose a port at random where a host\'s own is not kept (RFC 6056 §4)',
    cases: [
      {
        name: 'where the host\'s port is taken', option: { portCollision: 'random' },
        script: `${FLOW}
          lan udp B:2000 > S:1200
          → wan udp R:$p > S:1200
          lan udp C:2000 > S:1200
          → wan udp R:$q > S:1200
          lan udp 192.168.1.6:2000 > S:1200
          → wan udp R:$r > S:1200
          lan udp 192.168.1.7:2000 > S:1200
          → wan udp R:$s > S:1200
          where $p $q $r $s in no order`,
      },
      {
        name: 'and with the parity of the host\'s', option: { portCollision: 'random' }, setup: { portParity: true },
        script: `${FLOW}
          lan udp B:2000 > S:1200
          → wan udp R:$p > S:1200
          where $p even
          lan udp C:2000 > S:1200
          → wan udp R:$q > S:1200
          where $q even
          lan udp 192.168.1.6:2000 > S:1200
          → wan udp R:$r > S:1200
          where $r even
          where $p $q $r in no order`,
      },
    ],
    also: [{
      name: 'the default keeps what it can, and counts from 1024 where it cannot',
      script: `${FLOW}
        lan udp B:2000 > S:1200
        → wan udp R:1024 > S:1200`,
    }],
  },
  {
    clause: '§10', level: 'should', text: 'should choose the IP identification of what it translates as if it were the sender (RFC 6864 §5.3.1)',
    cases: [
      {
        name: 'two hosts that fragment with the same one leave with two',
        script: `
          lan udp A:2000 > S:1200 length 1992 ident 7 fragment 0-1480
          → wan udp R:2000 > S:1200 fragment 0-1480 ident $i
          lan udp B:3000 > S:1200 length 1992 ident 7 fragment 0-1480
          → wan udp R:3000 > S:1200 fragment 0-1480 ident $j
          where $i ≠ $j
          lan udp B:3000 > S:1200 length 1992 ident 7 fragment 1480-2000
          → wan udp R > S fragment 1480-2000 ident $j
          lan udp A:2000 > S:1200 length 1992 ident 7 fragment 1480-2000
          → wan udp R > S fragment 1480-2000 ident $i`,
      },
      {
        name: 'so do two hosts whose packets may yet be fragmented (no DF)',
        script: `
          lan udp A:2000 > S:1200 ident 7
          → wan udp R:2000 > S:1200 ident $i
          lan udp B:3000 > S:1200 ident 7
          → wan udp R:3000 > S:1200 ident $j
          where $i ≠ $j`,
      },
    ],
  },
  {
    clause: '§11', level: 'may', text: 'may delete a query\'s mapping with the last session that uses it',
    cases: [{
      name: 'there until the second of two sessions ends',
      script: `
        lan echo A > S id 7
        → wan echo R > S id 7
        pass 30s
        lan echo A > T id 7
        → wan echo R > T id 7
        pass 59.999s
        wan echo-reply T > R id 7
        → lan echo-reply T > A id 7
        pass 60s
        wan echo-reply T > R id 7
        → dropped no-mapping
        lan echo B > S id 7
        → wan echo R > S id 7`,
    }],
  },
  {
    clause: '§12', level: 'must', text: 'must map WAN addresses to LAN addresses as well, so that hairpinned queries (basic NAT) and errors arrive',
    cases: [
      {
        name: 'a query to a host\'s WAN address, from outside and hairpinned', setup: { ...BASIC_NAT, filtering: 'endpoint-independent' },
        script: `
          lan echo A > S id 7
          → wan echo $a > S id 7
          wan echo T > $a id 9
          → lan echo T > A id 9
          lan echo B > $a id 5
          → lan echo $b > A id 5
          lan echo-reply A > $b id 5
          → lan echo-reply $a > B id 5`,
      },
      {
        name: 'the same with one-to-one NAT', setup: { oneToOne: [{ wanAddress: '202.204.16.20', address: '192.168.1.3' }] },
        script: `
          wan echo T > R2 id 9
          → lan echo T > A id 9
          lan echo B > R2 id 5
          → lan echo R > A id $i
          lan echo-reply A > R id $i
          → lan echo-reply R2 > B id 5`,
      },
      {
        name: 'an error, hairpinned',
        script: `${FLOW}
          lan udp B:3000 > R:2000
          → lan udp R:3000 > A:2000
          lan icmp 3/3 A > R [udp R:3000 > A:2000]
          → lan icmp 3/3 R > B [udp B:3000 > R:2000]`,
      },
    ],
  },
  {
    clause: '§13', level: 'must', text: 'must not give several hosts one port for the same destination (§3); nobody outside may keep mappings that should go (§7, §11)',
    cases: [
      {
        name: 'the same destination meets two ports', option: { portOverloading: true, mapping: 'address-and-port-dependent' },
        script: `${FLOW}
          lan udp B:2000 > S:1200
          → wan udp R:$p > S:1200
          where $p ≠ 2000`,
      },
      {
        name: 'a flood of what is filtered keeps nothing',
        script: `${FLOW}
          ${Array.from({ length: 30 }, () => `
            pass 10s
            wan udp T:9000 > R:2000
            → nothing`).join('')}
          wan udp S:1200 > R:2000
          → dropped no-mapping`,
      },
    ],
  },
]
