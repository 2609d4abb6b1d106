// RFC 4787 §9 to §11, ICMP and fragments: REQ-12 to REQ-14.
import { BOTH_MAPPED, FLOW, UDP_IN } from './flows.js'
import type { Requirement } from './requirement.js'

const THREE_FRAGMENTS = ['0-1480', '1480-2960', '2960-3008']

/** A datagram of 3000 bytes that comes in three fragments in the given order. */
function fragments(order: readonly number[], from: { side: string, ends: string }, to: { side: string, ends: string, nextEnds: string }): string {
  const out = (i: number): string => `→ ${to.side} udp ${i === 0 ? to.ends : to.nextEnds} fragment ${THREE_FRAGMENTS[i]}`
  const waiting: number[] = []
  return order.map((i, nth) => {
    const frame = `${from.side} udp ${from.ends} length 3000 ident 7 fragment ${THREE_FRAGMENTS[i]}`
    const firstIsHere = order.slice(0, nth + 1).includes(0)
    if (!firstIsHere) waiting.push(i)
    return [frame, ...(firstIsHere ? [i, ...waiting.splice(0)].map(out) : ['→ held'])].join('\n')
  }).join('\n')
}

const OUT = [{ side: 'lan', ends: 'A:2000 > S:1200' }, { side: 'wan', ends: 'R:2000 > S:1200', nextEnds: 'R > S' }] as const

const IN = [{ side: 'wan', ends: 'S:1200 > R:2000' }, { side: 'lan', ends: 'S:1200 > A:2000', nextEnds: 'S > A' }] as const

const HAIRPIN = [{ side: 'lan', ends: 'B:3000 > R:2000' }, { side: 'lan', ends: 'R:3000 > A:2000', nextEnds: 'R > A' }] as const

export const PACKETS: readonly Requirement[] = [
  {
    clause: 'REQ-12', level: 'must', text: 'must not end a mapping because of any ICMP message',
    cases: [['3/0', 'network unreachable'], ['3/1', 'host unreachable'], ['3/3', 'port unreachable'], ['3/13', 'prohibited'], ['11/0', 'time exceeded'], ['12/0', 'parameter problem']].map(([type, name]) => ({
      name: `each type of error: ${name}`,
      script: `${FLOW}
        wan icmp ${type} S > R [udp R:2000 > S:1200]
        → lan icmp ${type} S > A [udp A:2000 > S:1200]
        ${UDP_IN}`,
    })),
  },
  {
    clause: 'REQ-12a', level: 'should', text: 'should not filter ICMP messages by their source address',
    cases: [{
      name: 'an error from a router on the way',
      script: `${FLOW}
        wan icmp 11/0 M > R [udp R:2000 > S:1200]
        → lan icmp 11/0 M > A [udp A:2000 > S:1200]`,
    }],
  },
  {
    clause: 'REQ-12b', level: 'should', text: 'should support ICMP destination unreachable',
    cases: [{
      name: 'in both directions',
      script: `${FLOW}
        wan icmp 3/3 S > R [udp R:2000 > S:1200]
        → lan icmp 3/3 S > A [udp A:2000 > S:1200]
        lan icmp 3/3 A > S [udp S:1200 > A:2000]
        → wan icmp 3/3 R > S [udp S:1200 > R:2000]`,
    }],
  },
  {
    clause: 'REQ-13', level: 'must', text: 'must answer a packet from the LAN that is too long and may not be fragmented (DF) with ICMP fragmentation needed',
    cases: [{
      name: 'with the MTU of the WAN', mtu: { wan: 1400 },
      script: `
        lan udp A:2000 > S:1200 length 1373 df
        → dropped too-big
        → lan icmp 3/4 G > A [udp A:2000 > S:1200 …] mtu 1400
        lan udp A:2000 > S:1200 length 1372 df
        → wan udp R:2000 > S:1200 length 1372 df`,
    }],
    also: [{
      name: 'and from the WAN, with the MTU of the LAN', mtu: { lan: 1400 },
      script: `${FLOW}
        wan udp S:1200 > R:2000 length 1373 df
        → dropped too-big
        → wan icmp 3/4 R > S [udp S:1200 > R:2000 …] mtu 1400`,
    }],
  },
  {
    clause: 'REQ-13a', level: 'must', text: 'must fragment it if it may (no DF), and should send the fragments in order',
    cases: [{
      name: 'two fragments, the first one first', mtu: { wan: 1400 },
      script: `
        lan udp A:2000 > S:1200 length 1452
        → wan udp R:2000 > S:1200 fragment 0-1376
        → wan udp R > S fragment 1376-1460`,
    }],
    also: [{
      name: 'and from the WAN', mtu: { lan: 576 },
      script: `${FLOW}
        wan udp S:1200 > R:2000 length 1000
        → lan udp S:1200 > A:2000 fragment 0-552
        → lan udp S > A fragment 552-1008`,
    }],
  },
  {
    clause: 'REQ-14', level: 'must', text: 'must take fragments in order and out of order',
    cases: [
      { name: 'in order, out', script: fragments([0, 1, 2], ...OUT) },
      { name: 'in order, in', script: FLOW + '\n' + fragments([0, 1, 2], ...IN) },
      { name: 'the last one first, out', script: fragments([2, 1, 0], ...OUT) },
      { name: 'the last one first, in', script: FLOW + '\n' + fragments([2, 1, 0], ...IN) },
      { name: 'the first one in the middle, out', script: fragments([1, 0, 2], ...OUT) },
      { name: 'the first one in the middle, hairpinned', script: BOTH_MAPPED + '\n' + fragments([1, 0, 2], ...HAIRPIN) },
    ],
    also: [
      {
        name: 'in order alone, by option', option: { fragments: 'in-order' },
        script: `
          lan udp A:2000 > S:1200 length 1992 ident 7 fragment 1480-2000
          → dropped fragment-out-of-order
          lan udp A:2000 > S:1200 length 1992 ident 7 fragment 0-1480
          → wan udp R:2000 > S:1200 fragment 0-1480
          lan udp A:2000 > S:1200 length 1992 ident 7 fragment 1480-2000
          → wan udp R > S fragment 1480-2000`,
      },
      {
        name: 'none, by option', option: { fragments: 'drop' },
        script: `
          lan udp A:2000 > S:1200 length 1992 ident 7 fragment 0-1480
          → dropped fragment`,
      },
    ],
  },
  {
    clause: 'REQ-14a', level: 'must', text: 'must not let a flood of fragments keep it from unfragmented packets and fragments in order',
    cases: [{
      name: '3000 datagrams whose first fragment never comes',
      script: `${FLOW}
        ${Array.from({ length: 3000 }, (_, i) => `
          lan udp B:9000 > S:1200 length 1992 ident ${1000 + i} fragment 1480-2000
          → nothing`).join('')}
        ${UDP_IN}
        lan udp C:4000 > S:1200
        → wan udp R:4000 > S:1200
        ${fragments([0, 1, 2], ...OUT)}`,
    }, {
      name: '3000 datagrams of which only the first fragment comes',
      script: `${FLOW}
        ${Array.from({ length: 3000 }, (_, i) => `
          wan udp S:1200 > R:2000 length 1992 ident ${1000 + i} fragment 0-1480
          → anything`).join('')}
        ${UDP_IN}
        ${fragments([0, 1, 2], ...IN)}`,
    }],
  },
]
