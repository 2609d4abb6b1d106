// The behaviour, the table and the WAN address change while a router runs: sessions go on where they can, what cannot stay goes.
import t from 'tap'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { piece } from './translation/fragment-frames.js'
import { ping, pong, tcp, udp } from './frames.js'
import { CONFIG_104B, RouterBench } from './router-bench.js'

const behaviour = (nat: object): ReturnType<typeof parseBehaviour> => parseBehaviour({ ...CONFIG_104B.nat, ...nat })
const OUT = udp('192.168.1.3:2000', '130.74.23.6:1200'), BACK = udp('130.74.23.6:1200', '202.204.16.13:3400'), STRANGER = udp('8.117.12.109:9', '202.204.16.13:3400')
const rows = (b: RouterBench): string[] => b.router.table(b.now).map(({ protocol, kind, wanPort, sessions }) => `${protocol} ${kind} ${wanPort} ${sessions.length}`)

/** A router with a flow of each kind under way. */
function running(nat: Readonly<Record<string, unknown>> = {}): RouterBench {
  const b = new RouterBench({ nat })
  b.lan(OUT)
  b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
  b.wan(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'SYN ACK'))
  b.lan(ping('192.168.1.4', '130.74.23.6', 7))
  return b
}

t.test('another behaviour: sessions go on, new ones follow it', async t => {
  const b = running()
  t.hasStrict(b.wan(STRANGER), { reason: 'filtered' })
  t.equal(b.router.setBehaviour(behaviour({ mapping: 'address-and-port-dependent', filtering: 'endpoint-independent', portAllocation: 'preserve', hairpinning: 'off' }), b.now), 0)
  t.equal(b.lan(OUT).sent, 'wan udp 202.204.16.13:3400 > 130.74.23.6:1200', 'a known session keeps its port')
  t.equal(b.wan(STRANGER).sent, 'lan udp 8.117.12.109:9 > 192.168.1.3:2000', 'the new filter holds at once')
  t.equal(b.lan(udp('192.168.1.3:2000', '8.117.12.109:1')).sent, 'wan udp 202.204.16.13:2000 > 8.117.12.109:1', 'a new session by the new rules')
  t.hasStrict(b.lan(udp('192.168.1.4:1', '202.204.16.13:3400')), { reason: 'hairpinning-off' })
  t.equal(b.wan(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'PSH ACK', 'x')).sent, "lan tcp 130.74.23.6:1300 > 192.168.1.3:2600 PSH ACK 'x'")
  t.equal(b.router.config.nat.hairpinning, 'off')
})

t.test('other times hold from the next packet on', async t => {
  const b = running()
  b.router.setBehaviour(behaviour({ timeouts: { udp: 10 } }), b.now)
  b.now += 20_000
  t.hasStrict(b.lan(OUT), { action: 'forward' }, 'what it was given before, it has')
  b.now += 10_000
  t.hasStrict(b.wan(BACK), { reason: 'no-mapping' })
})

t.test('other static mappings, and a dynamic one in their way', async t => {
  const b = running({ staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  b.wan(tcp('4.17.168.2:9', '202.204.16.13:5000', 'SYN'))
  t.equal(b.router.setBehaviour(behaviour({ staticMappings: [{ protocol: 'udp', wanPort: 3400, address: '192.168.1.11', port: 1700 }] }), b.now), 1)
  t.same(rows(b), ['tcp dynamic 2401 1', 'udp static 3400 0', 'icmp dynamic 500 1'])
  t.equal(b.wan(STRANGER).sent, 'lan udp 8.117.12.109:9 > 192.168.1.11:1700')
  t.hasStrict(b.wan(tcp('4.17.168.2:9', '202.204.16.13:5000', 'SYN')), { reason: 'no-mapping' })
})

t.test('addresses that go, and hosts that get one of their own, take their mappings with them', async t => {
  const b = new RouterBench({ nat: { pool: ['202.204.16.14', '202.204.16.15'] } })
  for (const host of [3, 4]) b.lan(udp(`192.168.1.${host}:2000`, '130.74.23.6:1200'))
  t.equal(b.router.setBehaviour(behaviour({ pool: ['202.204.16.15'] }), b.now), 1)
  t.same(b.router.table(b.now).map(({ lanAddress }) => lanAddress), [parseIpv4('192.168.1.4')])
  t.hasStrict(b.wan(udp('130.74.23.6:1200', '202.204.16.14:3400')), { reason: 'not-routed' }, 'the address is the router\'s no more')
  t.equal(b.router.setBehaviour(behaviour({ pool: ['202.204.16.15'], oneToOne: [{ wanAddress: '202.204.16.16', address: '192.168.1.4' }] }), b.now), 1)
  t.equal(b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')).sent, 'wan udp 202.204.16.16:2000 > 130.74.23.6:1200')
})

t.test('fragments and SYNs that wait follow the new rules', async t => {
  const b = running()
  const long = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'.repeat(100))
  t.hasStrict(b.lan(piece(long, 48)), { action: 'hold' })
  t.hasStrict(b.wan(tcp('8.117.12.109:9', '202.204.16.13:2401', 'SYN')), { reason: 'filtered' })
  b.router.setBehaviour(behaviour({ fragments: 'in-order', unsolicitedSyn: { hold: 1, answer: 'reset' } }), b.now)
  t.same(b.abandonedFrames.map(({ reason }) => reason), ['fragment-out-of-order'])
  t.equal(b.pass(1000), 'wan tcp 202.204.16.13:2401 > 8.117.12.109:9 RST ACK')
})

t.test('a behaviour that contradicts the addresses changes nothing', async t => {
  const b = running(), before = b.router.config
  const wrong = behaviour({ staticMappings: [{ protocol: 'udp', wanPort: 1, address: '10.0.0.1', port: 1 }] })
  t.throws(() => b.router.setBehaviour(wrong, b.now), /that is no host of the LAN/)
  t.equal(b.router.config, before)
  t.same(rows(b), ['tcp dynamic 2401 1', 'udp dynamic 3400 1', 'icmp dynamic 500 1'])
})

t.test('flush', async t => {
  const nat = { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] }
  t.test('all that is dynamic', async t => {
    const b = running(nat)
    t.equal(b.router.flush(b.now), 3)
    t.same(rows(b), ['tcp static 5000 0'])
    t.hasStrict(b.wan(BACK), { reason: 'no-mapping' })
    t.hasStrict(b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'ACK')), { reason: 'no-session' })
    t.equal(b.lan(OUT).sent, 'wan udp 202.204.16.13:3401 > 130.74.23.6:1200')
    t.equal(b.router.flush(b.now), 1)
    t.equal(b.router.flush(b.now), 0)
  })
  t.test('what matches', async t => {
    const b = running(nat)
    t.equal(b.router.flush(b.now, ({ lanAddress }) => lanAddress === parseIpv4('192.168.1.4')), 1)
    t.hasStrict(b.wan(pong('130.74.23.6', '202.204.16.13', 500)), { reason: 'no-mapping' })
    t.hasStrict(b.wan(BACK), { action: 'forward' })
  })
})

t.test('renumbering (S202A)', async t => {
  const b = running({ staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  const announced = b.change((router, now) => t.equal(router.renumber(parseIpv4('202.204.16.77'), now), 3))
  t.equal(announced, 'wan arp who-has 202.204.16.77 tell 202.204.16.77', 'everybody on the cable learns of it (RFC 5227 §2.3)')
  t.hasStrict(b.wan(BACK), { reason: 'not-routed' })
  t.equal(b.lan(OUT).sent, 'wan udp 202.204.16.77:3400 > 130.74.23.6:1200')
  t.equal(b.wan(tcp('4.17.168.2:9', '202.204.16.77:5000', 'SYN')).sent, 'lan tcp 4.17.168.2:9 > 192.168.1.11:1600 SYN', 'static mappings move')
  t.equal(b.wan(ping('130.74.23.6', '202.204.16.77', 7)).sent, 'wan echo-reply 202.204.16.77 > 130.74.23.6 id 7')
  t.throws(() => b.router.renumber(parseIpv4('192.168.1.77'), b.now), /lies in the LAN's network/)
  t.equal(b.router.config.wan.address, parseIpv4('202.204.16.77'))
})

t.test('a pool of other addresses is none of renumbering\'s business', async t => {
  const b = running({ pool: ['202.204.16.14'] })
  t.equal(b.router.renumber(parseIpv4('202.204.16.77'), b.now), 0)
  t.equal(b.lan(OUT).sent, 'wan udp 202.204.16.14:3400 > 130.74.23.6:1200')
})
