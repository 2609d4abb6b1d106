// Packets that are unusual and yet come: what docs/nat.md promises of them ("Odd packets").
import t from 'tap'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { altered, alteredHeader, IP, tcp, TRANSPORT, udp, withOptions } from './frames.js'
import { RouterBench } from './router-bench.js'
import { show } from './show.js'

const SERVER = '130.74.23.6:1200', HOST = '192.168.1.3:2000', WAN = '202.204.16.13'
const OUT = udp(HOST, SERVER, 'x'), IN = udp(SERVER, `${WAN}:3400`, 'x')

/** A copy of a UDP frame whose sender computed no checksum (RFC 768). */
const unsummed = (frame: Uint8Array): Uint8Array => altered(frame, TRANSPORT + 6, 0, 0)

t.test('a UDP checksum of zero stays zero, both ways', async t => {
  const b = new RouterBench()
  for (const { frames: [out] } of [b.lan(unsummed(OUT)), b.wan(unsummed(IN))]) t.same([...out.subarray(TRANSPORT + 6, TRANSPORT + 8)], [0, 0])
  t.equal(b.wan(IN).sent, `lan udp ${SERVER} > ${HOST} 'x'`, 'and a right one stays right')
})

t.test('source port 0 is a port like any other to a NAT, but none that it gives', async t => {
  for (const portAllocation of ['preserve', 'sequential', 'random']) {
    const b = new RouterBench({ nat: { portAllocation, firstPort: { udp: 3400 } } })
    const { sent } = b.lan(altered(OUT, TRANSPORT, 0, 0, OUT[TRANSPORT + 2], OUT[TRANSPORT + 3], ...OUT.subarray(TRANSPORT + 4, TRANSPORT + 6), 0, 0))
    const port = Number(/^wan udp 202\.204\.16\.13:(\d+) > /.exec(sent)?.[1])
    t.ok(port > 0, `${portAllocation}: ${sent}`)
    t.match(b.wan(udp(SERVER, `${WAN}:${port}`, 'y')).sent, "lan udp 130.74.23.6:1200 > 192.168.1.3:0 'y'", 'whoever answers all the same is heard')
  }
})

t.test('from port 0 of the WAN, where something was sent', async t => {
  const b = new RouterBench({ nat: { filtering: 'address-dependent' } })
  b.lan(OUT)
  t.match(b.wan(altered(unsummed(IN), TRANSPORT, 0, 0)).sent, 'lan udp 130.74.23.6:0 > 192.168.1.3:2000')
})

t.test('to port 0 nothing goes', async t => {
  const b = new RouterBench()
  t.hasStrict(b.lan(altered(unsummed(OUT), TRANSPORT + 2, 0, 0)), { reason: 'port-zero', sent: '' })
  t.hasStrict(b.lan(altered(tcp(HOST, SERVER, 'SYN'), TRANSPORT + 2, 0, 0)), { reason: 'port-zero', sent: '' })
  t.hasStrict(b.wan(altered(unsummed(IN), TRANSPORT + 2, 0, 0)), { reason: 'port-zero', sent: '' })
})

t.test('time to live: one less, and none leaves with 0', async t => {
  const b = new RouterBench()
  const left = (timeToLive: number): number => {
    const [out] = b.lan(udp(HOST, SERVER, 'x', { timeToLive })).frames
    return ipv4.timeToLive(out, IP)
  }
  t.same([255, 64, 2].map(left), [254, 63, 1])
  for (const timeToLive of [1, 0]) {
    t.hasStrict(b.lan(udp(HOST, SERVER, 'x', { timeToLive })), { reason: 'ttl-expired', sent: `lan icmp 11/0 192.168.1.1 > 192.168.1.3 [udp ${HOST} > ${SERVER} 'x']` })
  }
})

t.test('options pass, whatever they hold, but for source routes', async t => {
  const b = new RouterBench()
  const withOption = (...bytes: number[]): Uint8Array => alteredHeader(withOptions(OUT, 8), 20, ...bytes)
  for (const [name, frame] of [
    ['record route', withOption(7, 7, 4, 0, 0, 0, 0, 0)], ['router alert', withOption(148, 4, 0, 0, 0)], ['one that nobody knows', withOption(222, 8, 1, 2, 3, 4, 5, 6)],
    ['a length that cannot be', withOption(222, 0, 1)], ['a length beyond the header', withOption(222, 200)],
  ] as const) {
    const { sent, frames: [out] } = b.lan(frame)
    t.equal(sent, `wan udp ${WAN}:3400 > ${SERVER} 'x'`, name)
    t.same(out.subarray(IP + 20, IP + 28), frame.subarray(IP + 20, IP + 28))
  }
  for (const kind of [131, 137]) t.hasStrict(b.lan(withOption(1, kind, 7, 4, 8, 8, 8, 8)), { reason: 'source-route', sent: '' })
})

t.test('flags and bits that are reserved stay as they are', async t => {
  const b = new RouterBench()
  const [out] = b.lan(alteredHeader(OUT, 6, 0xc0)).frames
  t.equal(out[IP + 6], 0xc0, 'the reserved bit of IPv4')
  const [segment] = b.lan(altered(tcp(HOST, '130.74.23.6:1300', 'SYN'), TRANSPORT + 12, 0x5e)).frames
  t.equal(segment[TRANSPORT + 12], 0x5e, 'those of TCP')
  t.equal(show(segment).split(' ')[0], 'tcp')
})
