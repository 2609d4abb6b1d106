// Forward conversion S22 and backward conversion S26 through the whole router: frames in, frames out. `show` verifies every
// checksum of what comes out.
import t from 'tap'
import { ConfigError } from '../../napt/fields.js'
import { completeChecksum } from '../../napt/packet.js'
import { write16 } from '../../napt/wire/bytes.js'
import { fold, pseudoHeaderSum } from '../../napt/wire/checksum.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { alteredHeader, IP, ping, pong, tcp, TRANSPORT, udp, withOptions, withTrailer } from './frames.js'
import { macOf, MACS, RouterBench } from './router-bench.js'
import { show } from './show.js'

const FORWARD = { action: 'forward', reason: null }

t.test('Figs. 7 and 8: the registration and its answer', async t => {
  const b = new RouterBench()
  t.hasStrict(b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')), { ...FORWARD, sent: "wan udp 202.204.16.13:3400 > 130.74.23.6:1200 '2133'" }, '7A → 7B')
  t.hasStrict(b.wan(udp('130.74.23.6:1200', '202.204.16.13:3400', '!')), { ...FORWARD, sent: "lan udp 130.74.23.6:1200 > 192.168.1.3:2000 '!'" }, '8B → 8A')
  t.hasStrict(b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN')), { ...FORWARD, sent: 'wan tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN' }, '221')
  t.hasStrict(b.wan(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'SYN ACK')), { ...FORWARD, sent: 'lan tcp 130.74.23.6:1300 > 192.168.1.3:2600 SYN ACK' })
  t.hasStrict(b.wan(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'PSH ACK', 'secret')), { ...FORWARD, sent: "lan tcp 130.74.23.6:1300 > 192.168.1.3:2600 PSH ACK 'secret'" }, '8D → 8C')
  t.hasStrict(b.router.counters, { forwarded: { lan: 2, wan: 3 }, answered: 0 })
})

t.test('208 through a static mapping', async t => {
  const b = new RouterBench({ nat: { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] } })
  t.hasStrict(b.wan(tcp('4.17.168.2:2402', '202.204.16.13:5000', 'SYN')), { ...FORWARD, sent: 'lan tcp 4.17.168.2:2402 > 192.168.1.11:1600 SYN' })
  t.hasStrict(b.lan(tcp('192.168.1.11:1600', '4.17.168.2:2402', 'SYN ACK')), { ...FORWARD, sent: 'wan tcp 202.204.16.13:5000 > 4.17.168.2:2402 SYN ACK' })
})

t.test('pings of two hosts with one identifier', async t => {
  const b = new RouterBench()
  t.hasStrict(b.lan(ping('192.168.1.3', '130.74.23.6', 7, 'a')), { ...FORWARD, sent: "wan echo 202.204.16.13 > 130.74.23.6 id 500 'a'" })
  t.hasStrict(b.lan(ping('192.168.1.4', '130.74.23.6', 7, 'b')), { ...FORWARD, sent: "wan echo 202.204.16.13 > 130.74.23.6 id 501 'b'" })
  t.hasStrict(b.wan(pong('130.74.23.6', '202.204.16.13', 501, 'b')), { ...FORWARD, sent: "lan echo-reply 130.74.23.6 > 192.168.1.4 id 7 'b'" })
  t.hasStrict(b.wan(pong('130.74.23.6', '202.204.16.13', 500, 'a')), { ...FORWARD, sent: "lan echo-reply 130.74.23.6 > 192.168.1.3 id 7 'a'" })
})

t.test('a timestamp request through the NAT, and back', async t => {
  const b = new RouterBench()
  t.hasStrict(b.lan(ping('192.168.1.3', '130.74.23.6', 7, 'x', 13)), { sent: "wan timestamp 202.204.16.13 > 130.74.23.6 id 500 'x'" })
  t.hasStrict(b.wan(ping('130.74.23.6', '202.204.16.13', 500, 'y', 14)), { sent: "lan timestamp-reply 130.74.23.6 > 192.168.1.3 id 7 'y'" })
  t.hasStrict(b.wan(ping('130.74.23.6', '202.204.16.13', 500, 'z', 13)), { sent: "lan timestamp 130.74.23.6 > 192.168.1.3 id 7 'z'" }, 'the other end asks in turn')
  t.hasStrict(b.lan(ping('192.168.1.3', '130.74.23.6', 7, 'w', 14)), { sent: "wan timestamp-reply 202.204.16.13 > 130.74.23.6 id 500 'w'" })
})

t.test('what is left as it was', async t => {
  const b = new RouterBench()
  const frame = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x', { identification: 0x1234, dontFragment: true, timeToLive: 17 })
  const [out] = b.lan(frame).frames
  t.same([ipv4.identification(out, IP), ipv4.dontFragment(out, IP), ipv4.timeToLive(out, IP)], [0x1234, true, 16], 'TTL is one less')
  t.same(ethernet.destination(out, 0), macOf(parseIpv4('130.74.23.6')))
  t.same(ethernet.source(out, 0), MACS.wan)
  const [back] = b.wan(udp('130.74.23.6:1200', '202.204.16.13:3400')).frames
  t.same([ethernet.destination(back, 0), ethernet.source(back, 0)], [macOf(parseIpv4('192.168.1.3')), MACS.lan])
})

t.test('with a gateway, frames go to it, whatever their destination', async t => {
  const b = new RouterBench({ gateway: '202.204.16.1' })
  const [out] = b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200')).frames
  t.same(ethernet.destination(out, 0), macOf(parseIpv4('202.204.16.1')))
})

t.test('an Ethernet trailer stays behind the packet, whatever it holds', async t => {
  const b = new RouterBench()
  const { sent, frames: [out] } = b.lan(withTrailer(udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'), 17))
  t.equal(sent, "wan udp 202.204.16.13:3400 > 130.74.23.6:1200 'x'")
  t.same(out.subarray(-17), new Uint8Array(17).fill(0xee))
})

t.test('IP options are passed on', async t => {
  const b = new RouterBench()
  const { sent, frames: [out] } = b.lan(withOptions(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'), 12))
  t.equal(sent, 'wan tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN')
  t.same(out.subarray(TRANSPORT, TRANSPORT + 12), new Uint8Array(12).fill(1))
})

t.test('a UDP datagram shorter than its packet', async t => {
  const b = new RouterBench()
  const frame = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x')
  const longer = alteredHeader(withTrailer(frame, 2), 3, frame.length - IP + 2)
  t.equal(b.lan(longer).sent, "wan udp 202.204.16.13:3400 > 130.74.23.6:1200 'xîî'", 'the two bytes behind it are in no checksum')
})

t.test('the router\'s table and its changes while it runs', async t => {
  const b = new RouterBench()
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200'))
  b.router.setNextPort('udp', 2400)
  t.equal(b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')).sent, 'wan udp 202.204.16.13:2400 > 130.74.23.6:1200')
  const mapping = { protocol: 'tcp', wanPort: 5000, address: parseIpv4('192.168.1.11'), port: 1600 }
  b.router.addStatic(mapping as Parameters<typeof b.router.addStatic>[0], b.now)
  t.equal(b.wan(tcp('4.17.168.2:2402', '202.204.16.13:5000', 'SYN')).sent, 'lan tcp 4.17.168.2:2402 > 192.168.1.11:1600 SYN')
  t.same(b.router.table(b.now).map(({ protocol, kind, wanPort }) => `${protocol} ${kind} ${wanPort}`), ['tcp static 5000', 'udp dynamic 2400', 'udp dynamic 3400'])
  b.router.removeStatic('tcp', 5000, b.now)
  t.hasStrict(b.wan(tcp('4.17.168.2:2402', '202.204.16.13:5000', 'ACK')), { reason: 'no-mapping' })
})

t.test('a static mapping to an address outside the LAN is refused', async t => {
  const mapping = (address: string): object => ({ protocol: 'tcp', wanPort: 5000, address, port: 1600 })
  for (const address of ['10.0.0.1', '192.168.1.1', '192.168.1.255']) {
    const expected = `WAN port 5000/tcp cannot be mapped to ${address}:1600: that is no host of the LAN 192.168.1.1/24`
    t.throws(() => new RouterBench({ nat: { staticMappings: [mapping(address)] } }), new ConfigError(expected))
  }
})

t.test('mappings lapse by time alone', async t => {
  const b = new RouterBench()
  t.equal(b.router.untilTick(b.now), Infinity, 'nothing to wait for')
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200'))
  const deadline = b.now + 300_000
  let ticks = 0
  while (b.router.untilTick(b.now) < Infinity && b.now < deadline + 60_000) {
    b.pass(Math.max(b.router.untilTick(b.now), 1))
    ticks++
  }
  t.ok(b.now >= deadline && b.now <= deadline + 250, `over at ${b.now - deadline} ms after the deadline`)
  t.ok(ticks < 10, `in ${ticks} ticks`)
})

t.test('a LAN of two addresses has no broadcast address', async t => {
  const b = new RouterBench({ lanAddress: '10.0.0.1/31' })
  t.hasStrict(b.lan(ping('10.0.0.0', '10.0.0.1', 7)), { action: 'answer', sent: 'lan echo-reply 10.0.0.1 > 10.0.0.0 id 7' })
  t.equal(b.lan(udp('10.0.0.0:2000', '130.74.23.6:1200')).sent, 'wan udp 202.204.16.13:3400 > 130.74.23.6:1200')
})

t.test('partial checksums (offload) stay partial when forwarded', async t => {
  const b = new RouterBench()
  // The first SYN waits for ARP, as a complete copy; the second is forwarded from where it lies.
  const partial = tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN', 'abc')
  write16(partial, TRANSPORT + 16, fold(pseudoHeaderSum(partial, IP, 6, partial.length - TRANSPORT)))
  t.equal(b.lan(partial, true).sent, "wan tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN 'abc'")
  const { sent, frames: [out] } = b.lan(partial, true)
  t.equal(sent, "wan tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN 'abc' !tcp-checksum", 'for the card to finish')
  completeChecksum(out, 0, out.length)
  t.equal(show(out), "tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN 'abc'")
})
