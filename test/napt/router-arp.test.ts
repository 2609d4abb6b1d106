// ARP at the router: requests answered, next hops asked for, packets that wait for the answer.
import t from 'tap'
import * as arp from '../../napt/wire/arp.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { parseMac } from '../../napt/wire/address.js'
import { altered, arpReply, arpRequest, icmpError, ping, udp, withTrailer } from './frames.js'
import { MACS, RouterBench } from './router-bench.js'

const HOST = { mac: parseMac('02:00:00:00:00:03'), address: '192.168.1.3' }
const SERVER = { mac: parseMac('02:00:00:00:00:06'), address: '130.74.23.6' }
const ROUTER = { lan: { mac: MACS.lan, address: '192.168.1.1' }, wan: { mac: MACS.wan, address: '202.204.16.13' } }
const ASKS = 'wan arp who-has 130.74.23.6 tell 202.204.16.13'
const REGISTRATION = udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')
const FORWARDED = "wan udp 202.204.16.13:3400 > 130.74.23.6:1200 '2133'"

t.test('requests', async t => {
  const b = new RouterBench({ silent: true })
  t.hasStrict(b.raw('lan', arpRequest(HOST, '192.168.1.1')), { action: 'answer', reason: null, sent: 'lan arp 192.168.1.1 is-at 02:00:00:00:04:01' })
  t.hasStrict(b.raw('wan', arpRequest(SERVER, '202.204.16.13')), { action: 'answer', sent: 'wan arp 202.204.16.13 is-at 02:00:00:00:04:02' })
  t.hasStrict(b.raw('lan', withTrailer(arpRequest(HOST, '192.168.1.1'), 18)), { action: 'answer' }, 'padded, as on a wire')
  const { frames: [reply] } = b.raw('lan', arpRequest(HOST, '192.168.1.1'))
  t.same([ethernet.destination(reply, 0), ethernet.source(reply, 0), arp.targetMac(reply, 14), reply.length], [HOST.mac, MACS.lan, HOST.mac, 42], 'to the one who asked')
  for (const [name, side, target] of [['another host', 'lan', '192.168.1.4'], ['the WAN address, from the LAN', 'lan', '202.204.16.13'], ['the LAN address, from the WAN', 'wan', '192.168.1.1']] as const) {
    t.hasStrict(b.raw(side, arpRequest(HOST, target)), { action: 'drop', reason: 'not-for-router', sent: '' }, name)
  }
  t.hasStrict(b.raw('lan', arpRequest({ ...HOST, address: '0.0.0.0' }, '192.168.1.1')), { action: 'answer', sent: 'lan arp 192.168.1.1 is-at 02:00:00:00:04:01' }, 'a probe (RFC 5227)')
})

t.test('a packet waits for the answer, is delivered, and the next one does not wait', async t => {
  const b = new RouterBench({ silent: true })
  t.hasStrict(b.lan(REGISTRATION), { action: 'hold', reason: null, sent: ASKS })
  t.hasStrict(b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200', 'second')), { action: 'hold', sent: '' }, 'asked a moment ago')
  const { sent, frames } = b.raw('wan', arpReply(SERVER, ROUTER.wan))
  t.equal(sent, `${FORWARDED}\nwan udp 202.204.16.13:3400 > 130.74.23.6:1200 'second'`, 'both, in order')
  t.same(ethernet.destination(frames[0], 0), SERVER.mac)
  t.hasStrict(b.lan(REGISTRATION), { action: 'forward', sent: FORWARDED })
  t.hasStrict(b.router.counters, { held: 2, forwarded: { lan: 3, wan: 0 } })
  t.equal(b.pass(10_000), '', 'and nobody is asked again')
})

t.test('towards the LAN too', async t => {
  const b = new RouterBench({ silent: true })
  b.raw('wan', arpRequest(SERVER, '202.204.16.13'))
  t.equal(b.lan(REGISTRATION).sent, FORWARDED, 'whoever asked the router is known to it')
  t.hasStrict(b.wan(udp('130.74.23.6:1200', '202.204.16.13:3400', '!')), { action: 'hold', sent: 'lan arp who-has 192.168.1.3 tell 192.168.1.1' })
  t.equal(b.raw('lan', arpReply(HOST, ROUTER.lan)).sent, "lan udp 130.74.23.6:1200 > 192.168.1.3:2000 '!'")
})

t.test('nobody answers: three requests, a second apart, then the packets are given up', async t => {
  const b = new RouterBench({ silent: true })
  t.equal(b.lan(REGISTRATION).sent, ASKS)
  t.ok(b.router.untilTick(b.now) <= 1000, 'the router wants to be woken in time')
  t.equal(b.pass(999), '')
  t.equal(b.pass(1), ASKS)
  t.equal(b.pass(999), '')
  t.equal(b.pass(1), ASKS)
  t.equal(b.pass(999), '')
  t.same(b.abandonedFrames, [])
  t.equal(b.pass(1), "lan icmp 3/1 192.168.1.1 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 '2133']", 'not a fourth, and its sender is told')
  t.same(b.abandonedFrames, [{ from: 'lan', reason: 'neighbour-unreachable', text: "udp 192.168.1.3:2000 > 130.74.23.6:1200 '2133'" }], 'as it came in')
  t.equal(b.router.counters.dropped['neighbour-unreachable'], 1)
  t.equal(b.pass(60_000), '')
  t.equal(b.lan(REGISTRATION).sent, ASKS, 'the next packet asks anew')
  t.equal(b.raw('wan', arpReply(SERVER, ROUTER.wan)).sent, FORWARDED)
})

t.test('an answer after the second request', async t => {
  const b = new RouterBench({ silent: true })
  b.lan(REGISTRATION)
  b.pass(1000)
  b.pass(400)
  t.equal(b.raw('wan', arpReply(SERVER, ROUTER.wan)).sent, FORWARDED)
  t.equal(b.pass(5000), '')
})

t.test('at most 256 packets wait', async t => {
  const b = new RouterBench({ silent: true })
  for (let i = 0; i < 256; i++) t.equal(b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200', String(i))).action, 'hold')
  t.hasStrict(b.lan(REGISTRATION), { action: 'drop', reason: 'queue-full', sent: '' })
  t.hasStrict(b.wan(udp('130.74.23.6:1200', '202.204.16.13:3400')), { action: 'hold' }, 'the other side has its own queue')
  t.equal(b.raw('wan', arpReply(SERVER, ROUTER.wan)).frames.length, 256, 'all of them are delivered')
  t.equal(b.lan(REGISTRATION).action, 'forward')
  const lost = udp('192.168.1.3:2000', '8.117.12.109:9')
  for (const round of ['after those were delivered', 'after those were given up']) {
    for (let i = 0; i < 256; i++) if (b.lan(lost).action !== 'hold') t.fail(`${round}: packet ${i} found no room`)
    t.hasStrict(b.lan(lost), { action: 'drop', reason: 'queue-full' }, `${round}, there is room for as many`)
    for (let second = 0; second < 3; second++) b.pass(1000)
  }
  t.equal(b.abandonedFrames.length, 512 + 1, 'the one towards the LAN among them')
})

t.test('an entry is asked for again after a minute, and serves on meanwhile', async t => {
  const b = new RouterBench({ silent: true })
  b.lan(REGISTRATION)
  b.raw('wan', arpReply(SERVER, ROUTER.wan))
  t.equal(b.pass(60_000), '')
  t.equal(b.lan(REGISTRATION).sent, FORWARDED)
  b.now += 1
  t.equal(b.lan(REGISTRATION).sent, `${ASKS}\n${FORWARDED}`)
  t.equal(b.lan(REGISTRATION).sent, FORWARDED, 'once a second')
  b.raw('wan', arpReply({ ...SERVER, mac: parseMac('02:00:00:00:00:99') }, ROUTER.wan))
  const { frames: [moved] } = b.lan(REGISTRATION)
  t.same(ethernet.destination(moved, 0), parseMac('02:00:00:00:00:99'), 'the neighbour has moved')
  b.now += 60_001
  t.equal(b.lan(REGISTRATION).sent, `${ASKS}\n${FORWARDED}`)
  t.equal(b.pass(1000), ASKS)
  t.equal(b.pass(1000), ASKS)
  b.pass(1000)
  t.hasStrict(b.lan(REGISTRATION), { action: 'hold', sent: ASKS }, 'silent for three seconds: forgotten')
})

t.test('what is learnt, and from whom', async t => {
  const b = new RouterBench({ silent: true })
  b.raw('wan', arpRequest(SERVER, '202.204.16.99'))
  t.equal(b.lan(REGISTRATION).sent, ASKS, 'a stranger\'s talk with others is not kept')
  t.equal(b.raw('wan', arpRequest(SERVER, '202.204.16.99')).sent, FORWARDED, 'but an address that is waited for is, whoever was asked')
  b.raw('wan', arpReply({ mac: parseMac('02:00:00:00:00:98'), address: '202.204.16.13' }, ROUTER.wan))
  t.equal(b.wan(ping('130.74.23.6', '202.204.16.13', 1)).sent, 'wan echo-reply 202.204.16.13 > 130.74.23.6 id 1', 'another station with the router\'s address changes nothing')
  t.hasStrict(b.raw('wan', altered(arpReply(SERVER, ROUTER.wan), 22, 0xff)), { action: 'drop', reason: 'malformed' }, 'a multicast MAC (RFC 1812 §3.3.2)')
  t.same(ethernet.destination(b.lan(REGISTRATION).frames[0], 0), SERVER.mac)
})

t.test('strangers who ask the router do not fill its memory, nor drive out who waits', async t => {
  const b = new RouterBench({ silent: true })
  b.lan(REGISTRATION)
  for (let i = 0; i < 5000; i++) b.raw('wan', arpRequest({ mac: SERVER.mac, address: `10.${i >> 8}.${i & 255}.1` }, '202.204.16.13'))
  t.equal(b.raw('wan', arpReply(SERVER, ROUTER.wan)).sent, FORWARDED)
  t.hasStrict(b.lan(udp('192.168.1.3:2000', '10.19.135.1:9')), { action: 'forward' }, 'the last one is known')
  t.hasStrict(b.lan(udp('192.168.1.3:2000', '10.0.0.1:9')), { action: 'hold' }, 'the first one has gone')
})

t.test('an ICMP error can wait too', async t => {
  const b = new RouterBench({ silent: true })
  b.raw('wan', arpRequest(SERVER, '202.204.16.13'))
  b.lan(REGISTRATION)
  t.equal(b.wan(icmpError('130.74.23.6', '202.204.16.13', 3, 3, udp('202.204.16.13:3400', '130.74.23.6:1200', '2133'))).action, 'hold')
  t.equal(b.raw('lan', arpReply(HOST, ROUTER.lan)).sent, "lan icmp 3/3 130.74.23.6 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 '2133']")
})
