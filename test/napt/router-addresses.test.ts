// Which WAN address and which ports a host's packets get: pools, basic NAT, blocks; and other protocols, which have no ports.
import t from 'tap'
import { alteredHeader, ping, pong, tcp, udp } from './frames.js'
import { RouterBench } from './router-bench.js'

const POOL = ['202.204.16.14', '202.204.16.15']
const source = (b: RouterBench, host: number, port = 2000, to = '130.74.23.6:1200'): string => b.lan(udp(`192.168.1.${host}:${port}`, to)).sent.split(' ')[2]
const gre = (from: string, to: string): Uint8Array => alteredHeader(udp(`${from}:1`, `${to}:1`), 9, 47)

t.test('paired: a host keeps its address, through every mapping (RFC 4787 REQ-2)', async t => {
  const b = new RouterBench({ nat: { pool: POOL } })
  t.same([source(b, 3), source(b, 4), source(b, 3, 2001), source(b, 5), source(b, 4, 2001)],
    ['202.204.16.14:3400', '202.204.16.15:3400', '202.204.16.14:3401', '202.204.16.14:3402', '202.204.16.15:3401'])
  t.equal(b.lan(tcp('192.168.1.4:2600', '130.74.23.6:1', 'SYN')).sent, 'wan tcp 202.204.16.15:2401 > 130.74.23.6:1 SYN')
  t.equal(b.lan(ping('192.168.1.4', '130.74.23.6', 7)).sent, 'wan echo 202.204.16.15 > 130.74.23.6 id 500')
})

t.test('arbitrary: each mapping the next address', async t => {
  const b = new RouterBench({ nat: { pool: POOL, pooling: 'arbitrary' } })
  t.same([source(b, 3), source(b, 3, 2001), source(b, 3, 2002), source(b, 3)], ['202.204.16.14:3400', '202.204.16.15:3400', '202.204.16.14:3401', '202.204.16.14:3400'])
})

t.test('the router answers ARP and echo for every address of its pool', async t => {
  const b = new RouterBench({ nat: { pool: POOL } })
  t.equal(b.wan(ping('130.74.23.6', '202.204.16.15', 7)).sent, 'wan echo-reply 202.204.16.15 > 130.74.23.6 id 7')
})

t.test('basic NAT: an address each while it speaks, and ports as they are (RFC 2663 §4.1.1)', async t => {
  const b = new RouterBench({ nat: { translation: 'addresses', portAllocation: 'preserve', pool: POOL } })
  t.same([source(b, 3), source(b, 4), source(b, 3, 80)], ['202.204.16.14:2000', '202.204.16.15:2000', '202.204.16.14:80'])
  t.hasStrict(b.lan(udp('192.168.1.5:2000', '130.74.23.6:1200')), { reason: 'no-free-address' })
  t.equal(b.wan(udp('130.74.23.6:1200', '202.204.16.15:2000')).sent, 'lan udp 130.74.23.6:1200 > 192.168.1.4:2000')
  b.pass(200_000)
  source(b, 3)
  b.pass(100_300)
  t.equal(source(b, 5), '202.204.16.15:2000', 'the address is free as soon as its host\'s mappings have ended')
  t.equal(source(b, 3, 81), '202.204.16.14:81')
})

t.test('one-to-one: reached at any port, and by echo', async t => {
  const b = new RouterBench({ nat: { oneToOne: [{ wanAddress: '202.204.16.16', address: '192.168.1.3' }] } })
  t.equal(b.wan(udp('8.117.12.109:9', '202.204.16.16:7777')).sent, 'lan udp 8.117.12.109:9 > 192.168.1.3:7777')
  t.equal(b.lan(udp('192.168.1.3:7777', '8.117.12.109:9')).sent, 'wan udp 202.204.16.16:7777 > 8.117.12.109:9')
  t.equal(b.wan(ping('8.117.12.109', '202.204.16.16', 7)).sent, 'lan echo 8.117.12.109 > 192.168.1.3 id 7', 'the host is asked, not the router')
  t.equal(b.lan(pong('192.168.1.3', '8.117.12.109', 7)).sent, 'wan echo-reply 202.204.16.16 > 8.117.12.109 id 7')
  t.equal(b.wan(tcp('8.117.12.109:9', '202.204.16.16:80', 'SYN')).sent, 'lan tcp 8.117.12.109:9 > 192.168.1.3:80 SYN')
  t.equal(source(b, 4), '202.204.16.13:3400', 'other hosts share the router\'s')
  t.equal(b.lan(ping('192.168.1.4', '202.204.16.16', 9)).sent, 'lan echo 202.204.16.13 > 192.168.1.3 id 500', 'hairpinned, too')
})

t.test('blocks: which ports a host has follows from its number (RFC 7422)', async t => {
  const b = new RouterBench({ nat: { portBlock: 10, portRange: { from: 5000, to: 5999 }, firstPort: {}, pool: POOL } })
  t.same([source(b, 3), source(b, 4), source(b, 3, 2001), source(b, 103)], ['202.204.16.14:5030', '202.204.16.14:5040', '202.204.16.14:5031', '202.204.16.15:5030'])
  for (let port = 2002; port < 2010; port++) source(b, 3, port)
  t.hasStrict(b.lan(udp('192.168.1.3:2010', '130.74.23.6:1200')), { reason: 'no-free-port' }, 'ten and no more')
  t.equal(source(new RouterBench({ nat: { portBlock: 10, portRange: { from: 5000, to: 5999 }, firstPort: {}, pool: POOL } }), 103), '202.204.16.15:5030', 'whoever came before')
})

t.test('a released port rests', async t => {
  const b = new RouterBench({ nat: { portRange: { from: 5000, to: 5000 }, firstPort: {}, portReuseDelay: 120 } })
  t.equal(source(b, 3), '202.204.16.13:5000')
  b.pass(300_300)
  t.hasStrict(b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')), { reason: 'no-free-port' })
  b.pass(120_000)
  t.equal(source(b, 4), '202.204.16.13:5000')
})

t.test('one port for several hosts, as long as they speak to others (RFC 7857 §3)', async t => {
  const b = new RouterBench({ nat: { portOverloading: true, mapping: 'address-and-port-dependent', portRange: { from: 5000, to: 5000 }, firstPort: {} } })
  t.same([source(b, 3), source(b, 4, 2000, '8.117.12.109:1200')], ['202.204.16.13:5000', '202.204.16.13:5000'])
  t.hasStrict(b.lan(udp('192.168.1.5:2000', '130.74.23.6:1200')), { reason: 'no-free-port' })
  t.equal(b.wan(udp('130.74.23.6:1200', '202.204.16.13:5000')).sent, 'lan udp 130.74.23.6:1200 > 192.168.1.3:2000')
  t.equal(b.wan(udp('8.117.12.109:1200', '202.204.16.13:5000')).sent, 'lan udp 8.117.12.109:1200 > 192.168.1.4:2000')
})

t.test('other protocols by address', async t => {
  const b = new RouterBench({ nat: { otherProtocols: 'by-address' } })
  t.equal(b.lan(gre('192.168.1.3', '130.74.23.6')).sent, 'wan protocol 47 202.204.16.13 > 130.74.23.6')
  t.equal(b.wan(gre('130.74.23.6', '202.204.16.13')).sent, 'lan protocol 47 130.74.23.6 > 192.168.1.3')
  t.hasStrict(b.wan(gre('8.117.12.109', '202.204.16.13')), { action: 'drop', sent: '' }, 'nothing was sent there')
  t.equal(b.lan(gre('192.168.1.4', '130.74.23.6')).sent, 'lan icmp 3/13 192.168.1.1 > 192.168.1.4 [protocol 47 192.168.1.4 > 130.74.23.6]')
  t.equal(b.lan(gre('192.168.1.4', '8.117.12.109')).sent, 'wan protocol 47 202.204.16.13 > 8.117.12.109', 'another peer is free')
  t.equal(b.wan(gre('8.117.12.109', '202.204.16.13')).sent, 'lan protocol 47 8.117.12.109 > 192.168.1.4')
  t.equal(b.lan(alteredHeader(gre('192.168.1.4', '130.74.23.6'), 9, 50)).sent, 'wan protocol 50 202.204.16.13 > 130.74.23.6', 'and so is another protocol')
  b.now += 300_000
  t.equal(b.lan(gre('192.168.1.4', '130.74.23.6')).sent, 'wan protocol 47 202.204.16.13 > 130.74.23.6', 'five minutes later it is another\'s')
})

t.test('an address of one\'s own: a mapping that has lapsed makes way for the next', async t => {
  const b = new RouterBench({ nat: { oneToOne: [{ wanAddress: '202.204.16.16', address: '192.168.1.3' }], timeouts: { tcpReset: 1 } } })
  const from = (remote: number, port: number, flags: string): string => b.wan(tcp(`8.117.12.109:${remote}`, `202.204.16.16:${port}`, flags)).sent
  const arrived = (remote: number, port: number): string => `lan tcp 8.117.12.109:${remote} > 192.168.1.3:${port} SYN`
  // The clock jumps, and nothing is swept out: what has lapsed is still there when its port is asked for again.
  for (const remote of [1, 2]) {
    t.equal(from(remote, 80, 'SYN'), arrived(remote, 80))
    from(remote, 80, 'RST')
    b.now += 1500
  }
  t.hasStrict(b.wan(tcp('8.117.12.109:2', '202.204.16.16:80', 'ACK')), { action: 'drop' })
  t.equal(from(3, 81, 'SYN'), arrived(3, 81))
  t.equal(b.lan(tcp('192.168.1.3:80', '130.74.23.6:9', 'SYN')).sent, 'wan tcp 202.204.16.16:80 > 130.74.23.6:9 SYN', 'and not from port 81')
  t.equal(from(4, 80, 'SYN'), arrived(4, 80))
  t.same(b.router.table(b.now).map(({ wanPort, sessions }) => [wanPort, sessions.length]), [[80, 2], [81, 1]])
  for (let turn = 0; turn < 4; turn++) b.pass(400_000)
  t.same(b.router.table(b.now), [])
  t.equal(b.router.untilTick(b.now), Infinity)
})

t.test('basic NAT: an address that was let go lets nobody in', async t => {
  const b = new RouterBench({ nat: { translation: 'addresses', portAllocation: 'preserve', pool: ['202.204.16.16'], filtering: 'endpoint-independent' } })
  t.equal(source(b, 3), '202.204.16.16:2000')
  t.equal(b.wan(udp('8.117.12.109:1', '202.204.16.16:2000')).sent, 'lan udp 8.117.12.109:1 > 192.168.1.3:2000')
  b.now += 300_000
  t.hasStrict(b.wan(udp('8.117.12.109:2', '202.204.16.16:2000')), { reason: 'no-mapping' })
  t.equal(source(b, 4), '202.204.16.16:2000')
})

t.test('a port that has a static mapping elsewhere is not reached by the host\'s own address as well', async t => {
  const b = new RouterBench({ nat: { oneToOne: [{ wanAddress: '202.204.16.16', address: '192.168.1.3' }], staticMappings: [{ protocol: 'udp', wanPort: 5000, address: '192.168.1.3', port: 1600 }] } })
  t.hasStrict(b.wan(udp('8.117.12.109:1', '202.204.16.16:1600')), { reason: 'no-mapping' })
  t.equal(b.wan(udp('8.117.12.109:1', '202.204.16.13:5000')).sent, 'lan udp 8.117.12.109:1 > 192.168.1.3:1600')
  t.equal(b.lan(udp('192.168.1.3:1600', '8.117.12.109:1')).sent, 'wan udp 202.204.16.13:5000 > 8.117.12.109:1')
  b.router.removeStatic('udp', 5000, b.now)
  t.equal(b.wan(udp('8.117.12.109:1', '202.204.16.16:1600')).sent, 'lan udp 8.117.12.109:1 > 192.168.1.3:1600')
})
