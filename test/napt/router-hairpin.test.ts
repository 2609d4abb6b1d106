// Packets that turn back into the LAN (RFC 4787 §6), beyond what the conformance cases ask: who meets which filter, errors about such
// packets in both their forms, and that nothing goes round and round. `show` verifies every checksum, quoted ones too.
import t from 'tap'
import { altered, alteredHeader, icmpError, ping, pong, tcp, TRANSPORT, udp } from './frames.js'
import { RouterBench } from './router-bench.js'

// Host 3 has WAN port 3400, host 4 has 3401.
const A = '192.168.1.3:2000', B = '192.168.1.4:3000', A_OUTSIDE = '202.204.16.13:3400', B_OUTSIDE = '202.204.16.13:3401', SERVER = '130.74.23.6:1200'

function mapped(nat: Readonly<Record<string, unknown>> = {}): RouterBench {
  const b = new RouterBench({ nat })
  b.lan(udp(A, SERVER))
  b.lan(udp(B, SERVER))
  return b
}

t.test('a filter that holds for the LAN as well: both have to send first, as across the WAN', async t => {
  const b = mapped({ filterHairpinned: true })
  t.hasStrict(b.lan(udp(B, A_OUTSIDE, 'b')), { reason: 'filtered', sent: '' })
  t.equal(b.lan(udp(A, B_OUTSIDE, 'a')).sent, `lan udp ${A_OUTSIDE} > ${B} 'a'`, 'B has sent to A already: the hole is open')
  t.equal(b.lan(udp(B, A_OUTSIDE, 'b')).sent, `lan udp ${B_OUTSIDE} > ${A} 'b'`)
})

t.test('TCP hole punching between two hosts of the LAN', async t => {
  const b = new RouterBench({ nat: { filterHairpinned: true } })
  b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1', 'SYN'))
  b.lan(tcp('192.168.1.4:2600', '130.74.23.6:1', 'SYN'))
  t.hasStrict(b.lan(tcp('192.168.1.3:2600', '202.204.16.13:2402', 'SYN')), { reason: 'filtered' })
  t.equal(b.lan(tcp('192.168.1.4:2600', '202.204.16.13:2401', 'SYN')).sent, 'lan tcp 202.204.16.13:2402 > 192.168.1.3:2600 SYN')
  t.equal(b.lan(tcp('192.168.1.3:2600', '202.204.16.13:2402', 'SYN ACK')).sent, 'lan tcp 202.204.16.13:2401 > 192.168.1.4:2600 SYN ACK')
  t.equal(b.lan(tcp('192.168.1.4:2600', '202.204.16.13:2401', 'ACK', 'x')).sent, "lan tcp 202.204.16.13:2402 > 192.168.1.3:2600 ACK 'x'")
  const phases = b.router.table(b.now).flatMap(({ sessions }) => sessions.filter(({ remotePort }) => remotePort > 1).map(({ tcp: phase }) => phase))
  t.same(phases, ['established', 'established'])
})

t.test('the internal source: answers need not pass the router', async t => {
  const b = mapped({ hairpinning: 'internal-source' })
  t.equal(b.lan(udp(B, A_OUTSIDE, 'b')).sent, `lan udp ${B} > ${A} 'b'`)
  t.hasStrict(b.lan(udp('192.168.1.5:1025', A_OUTSIDE)), { action: 'forward' })
  t.equal(b.router.table(b.now).length, 2, 'no mapping is made for who is not shown by it')
})

t.test('a host that sends to itself', async t => {
  t.equal(mapped().lan(udp(A, A_OUTSIDE, 'me')).sent, `lan udp ${A_OUTSIDE} > ${A} 'me'`)
})

t.test('to a port that nobody has, or a router\'s own address', async t => {
  const b = mapped()
  t.hasStrict(b.lan(udp(A, '202.204.16.13:9')), { reason: 'no-mapping', sent: '' })
  t.equal(b.lan(ping('192.168.1.3', '202.204.16.13', 7)).sent, 'lan echo-reply 202.204.16.13 > 192.168.1.3 id 7')
  t.hasStrict(b.lan(udp(B, A_OUTSIDE, '', { timeToLive: 1 })), { reason: 'ttl-expired', sent: `lan icmp 11/0 192.168.1.1 > 192.168.1.4 [udp ${B} > ${A_OUTSIDE}]` })
})

t.test('an error about a hairpinned packet: each host reads of what it knows', async t => {
  for (const [what, nat] of [['by default', {}], ['with the filter on', { filterHairpinned: true }]] as const) {
    const b = mapped(nat)
    b.lan(udp(A, B_OUTSIDE))
    t.hasStrict(b.lan(udp(B, A_OUTSIDE, 'b')), { action: 'forward' })
    // A got it from B's WAN endpoint, and complains.
    const about = udp(B_OUTSIDE, A, 'b')
    t.equal(b.lan(icmpError('192.168.1.3', '202.204.16.13', 3, 3, about)).sent, `lan icmp 3/3 202.204.16.13 > 192.168.1.4 [udp ${B} > ${A_OUTSIDE} 'b']`, what)
    t.equal(b.lan(icmpError('192.168.1.3', '202.204.16.13', 3, 3, about, 28)).sent, `lan icmp 3/3 202.204.16.13 > 192.168.1.4 [udp ${B} > ${A_OUTSIDE} …]`, `${what}, quoted to the least`)
    t.hasStrict(b.lan(icmpError('192.168.1.3', '202.204.16.13', 3, 3, udp('202.204.16.13:9', A))), { reason: 'no-mapping', sent: '' })
  }
})

t.test('queries and answers to a host with an address of its own', async t => {
  const b = new RouterBench({ nat: { oneToOne: [{ wanAddress: '202.204.16.16', address: '192.168.1.4' }] } })
  t.equal(b.lan(ping('192.168.1.3', '202.204.16.16', 7, 'x')).sent, "lan echo 202.204.16.13 > 192.168.1.4 id 500 'x'")
  t.equal(b.lan(pong('192.168.1.4', '202.204.16.13', 500, 'x')).sent, "lan echo-reply 202.204.16.16 > 192.168.1.3 id 7 'x'")
})

t.test('from one WAN address of a pool to another', async t => {
  const b = mapped({ pool: ['202.204.16.14', '202.204.16.15'] })
  t.equal(b.lan(udp(B, '202.204.16.14:3400', 'b')).sent, "lan udp 202.204.16.15:3400 > 192.168.1.3:2000 'b'")
})

t.test('other protocols turn back too, where they are passed', async t => {
  const gre = (from: string, to: string): Uint8Array => alteredHeader(udp(`${from}:1`, `${to}:1`), 9, 47)
  const b = new RouterBench({ nat: { otherProtocols: 'by-address', oneToOne: [{ wanAddress: '202.204.16.16', address: '192.168.1.4' }] } })
  t.equal(b.lan(gre('192.168.1.3', '202.204.16.16')).sent, 'lan protocol 47 202.204.16.13 > 192.168.1.4')
  t.equal(b.lan(gre('192.168.1.4', '202.204.16.13')).sent, 'lan protocol 47 202.204.16.16 > 192.168.1.3')
})

t.test('nothing loops: what comes from the WAN with a WAN address as its source is not routed', async t => {
  const b = mapped()
  t.hasStrict(b.wan(udp(B_OUTSIDE, A_OUTSIDE)), { reason: 'not-routed', sent: '' })
  t.hasStrict(b.lan(altered(udp(A_OUTSIDE, B_OUTSIDE), TRANSPORT + 6, 0, 0)), { reason: 'not-routed', sent: '' })
})
