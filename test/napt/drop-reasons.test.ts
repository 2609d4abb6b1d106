// Every reason for which a frame is dropped is reached, counted, and nothing else is said of it.
import t from 'tap'
import { DROP_REASON_NAMES, DROP_REASONS, type DropReason } from '../../napt/verdict.js'
import { altered, alteredHeader, arpRequest, icmpError, IP, ping, pong, tcp, TRANSPORT, udp } from './frames.js'
import { MACS, RouterBench, type BenchOptions, type Outcome } from './router-bench.js'

const UDP = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x')
const ANSWER = udp('130.74.23.6:1200', '202.204.16.13:3400')
const HOST = { mac: MACS.lan, address: '192.168.1.3' }

type Case = readonly [what: string, reason: DropReason, act: (b: RouterBench) => Outcome, options?: BenchOptions]

const CASES: readonly Case[] = [
  ['a frame of 13 bytes', 'truncated', b => b.raw('lan', UDP.subarray(0, 13))],
  ['nothing', 'truncated', b => b.raw('lan', new Uint8Array(0))],
  ['a packet cut short', 'truncated', b => b.lan(UDP.subarray(0, UDP.length - 1))],
  ['an ARP packet cut short', 'truncated', b => b.raw('lan', arpRequest(HOST, '192.168.1.1').subarray(0, 41))],
  ['UDP longer than its packet', 'truncated', b => b.lan(altered(UDP, TRANSPORT + 4, 0, 99))],
  ['version 5', 'malformed', b => b.lan(altered(UDP, IP, 0x55))],
  ['ARP for something else', 'malformed', b => b.raw('lan', altered(arpRequest(HOST, '192.168.1.1'), 14, 0, 6))],
  ['a TCP header of 8 bytes', 'malformed', b => b.lan(altered(tcp('192.168.1.3:1', '130.74.23.6:1', 'SYN'), TRANSPORT + 12, 0x20))],
  ['a wrong header checksum', 'checksum', b => b.lan(altered(UDP, IP + 10, 0, 0))],
  ['an echo with a wrong checksum', 'checksum', b => b.lan(altered(ping('192.168.1.3', '192.168.1.1', 7), TRANSPORT + 2, 0, 0))],
  ['another station\'s frame', 'not-for-router', b => b.raw('lan', altered(UDP, 0, 2, 0, 0, 0, 4, 9))],
  ['the other side\'s MAC address', 'not-for-router', b => b.raw('lan', altered(UDP, 0, ...MACS.wan))],
  ['ARP for another', 'not-for-router', b => b.raw('lan', arpRequest(HOST, '192.168.1.9'))],
  ['IPv6', 'not-ipv4', b => b.raw('lan', altered(altered(UDP, 12, 0x86, 0xdd), 0, ...MACS.lan))],
  ['a VLAN tag', 'not-ipv4', b => b.raw('lan', altered(altered(UDP, 12, 0x81, 0), 0, ...MACS.lan))],
  ['the limited broadcast', 'broadcast', b => b.lan(udp('192.168.1.3:68', '255.255.255.255:67'))],
  ['the LAN\'s broadcast', 'broadcast', b => b.lan(udp('192.168.1.3:137', '192.168.1.255:137'))],
  ['multicast', 'broadcast', b => b.lan(udp('192.168.1.3:5353', '224.0.0.251:5353'))],
  ['a link-layer broadcast', 'broadcast', b => b.raw('lan', altered(UDP, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))],
  ['UDP for the router', 'no-service', b => b.lan(udp('192.168.1.3:2000', '192.168.1.1:53'))],
  ['an echo reply for the router', 'no-service', b => b.lan(pong('192.168.1.3', '192.168.1.1', 7))],
  ['to a host of the LAN', 'not-routed', b => b.lan(udp('192.168.1.3:2000', '192.168.1.4:9'))],
  ['from a source outside the LAN', 'not-routed', b => b.lan(udp('10.0.0.1:2000', '130.74.23.6:9'))],
  ['from the router\'s own address', 'not-routed', b => b.lan(udp('192.168.1.1:2000', '130.74.23.6:9'))],
  ['from the broadcast address', 'not-routed', b => b.lan(ping('192.168.1.255', '192.168.1.1', 7))],
  ['an echo to the router from a strange source', 'not-routed', b => b.lan(ping('10.0.0.1', '192.168.1.1', 7))],
  ['to loopback', 'not-routed', b => b.lan(udp('192.168.1.3:2000', '127.0.0.1:9'))],
  ['to a reserved address', 'not-routed', b => b.lan(udp('192.168.1.3:2000', '240.0.0.1:9'))],
  ['for a third, from the WAN', 'not-routed', b => b.wan(udp('130.74.23.6:1200', '202.204.16.14:3400'))],
  ['for a host of the LAN, from the WAN', 'not-routed', b => b.wan(udp('130.74.23.6:1200', '192.168.1.3:2000'))],
  ['from a LAN address, from the WAN', 'not-routed', b => b.wan(udp('192.168.1.4:1200', '202.204.16.13:3400'))],
  ['from the router\'s address, from the WAN', 'not-routed', b => b.wan(ping('202.204.16.13', '202.204.16.13', 7))],
  ['from multicast, from the WAN', 'not-routed', b => b.wan(ping('224.0.0.1', '202.204.16.13', 7))],
  ['to the router\'s WAN address from the LAN', 'hairpinning-off', b => b.lan(udp('192.168.1.3:2000', '202.204.16.13:3400'))],
  ['the last hop', 'ttl-expired', b => b.lan(udp('192.168.1.3:2000', '130.74.23.6:9', '', { timeToLive: 1 }))],
  ['GRE', 'protocol', b => b.lan(alteredHeader(UDP, 9, 47))],
  ['GRE from the WAN', 'protocol', b => b.wan(alteredHeader(ANSWER, 9, 47))],
  ['router advertisement', 'icmp-type', b => b.lan(ping('192.168.1.3', '130.74.23.6', 7, '', 9))],
  ['router advertisement from the WAN', 'icmp-type', b => b.wan(ping('130.74.23.6', '202.204.16.13', 7, '', 9))],
  ['a first fragment', 'fragment', b => b.lan(alteredHeader(UDP, 6, 0x20, 0))],
  ['a later fragment from the WAN', 'fragment', b => b.wan(alteredHeader(ANSWER, 6, 0, 9))],
  ['a WAN port that nobody has', 'no-mapping', b => b.wan(ANSWER)],
  ['an echo reply that nobody asked for', 'no-mapping', b => b.wan(pong('130.74.23.6', '202.204.16.13', 7))],
  ['an echo reply from the LAN to nobody\'s request', 'no-mapping', b => b.lan(pong('192.168.1.3', '130.74.23.6', 7))],
  ['an ICMP error about nothing', 'no-mapping', b => b.wan(icmpError('130.74.23.6', '202.204.16.13', 3, 3, udp('202.204.16.13:3400', '130.74.23.6:1200')))],
  ['a sender that nothing was sent to', 'filtered', b => { b.lan(UDP); return b.wan(udp('130.74.23.6:1201', '202.204.16.13:3400')) }],
  ['a TCP segment out of nowhere', 'no-session', b => b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'ACK'))],
  ['a TCP segment to a static mapping', 'no-session', b => b.wan(tcp('130.74.23.6:1300', '202.204.16.13:5000', 'ACK')), { nat: { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] } }],
  ['one host more than ports', 'no-free-port', takeEveryPort],
  ['one session more than the table holds', 'table-full', b => { b.lan(UDP); return b.lan(udp('192.168.1.3:2001', '130.74.23.6:1200')) }, { nat: { maximumSessions: 1 } }],
  ['a next hop that does not answer', 'neighbour-unreachable', waitInVain, { silent: true }],
  ['a packet too many before ARP is answered', 'queue-full', b => { for (let i = 0; i < 256; i++) b.lan(UDP); return b.lan(UDP) }, { silent: true }],
]

function takeEveryPort(b: RouterBench): Outcome {
  for (let port = 1024; port <= 65535; port++) b.lan(udp(`192.168.1.3:${port}`, '130.74.23.6:1200'))
  return b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200'))
}

/** The packet is held at first; its drop comes with time. */
function waitInVain(b: RouterBench): Outcome {
  b.lan(UDP)
  for (let second = 0; second < 3; second++) b.pass(1000)
  const [{ reason }] = b.abandonedFrames
  return { action: 'drop', reason, sent: '', frames: [] }
}

for (const [what, reason, act, options] of CASES) {
  t.test(`${reason}: ${what}`, async t => {
    const b = new RouterBench(options)
    t.hasStrict(act(b), { action: 'drop', reason })
    t.equal(b.router.counters.dropped[reason], 1)
    t.equal(Object.values(b.router.counters.dropped).reduce((sum, count) => sum + count), 1, 'counted once, and nothing else is')
  })
}

t.test('no reason is out of reach, and each is explained', async t => {
  const reached = new Set(CASES.map(([, reason]) => reason))
  t.same(DROP_REASON_NAMES.filter(reason => !reached.has(reason)), [])
  for (const reason of DROP_REASON_NAMES) t.match(DROP_REASONS[reason].sentence, /^[a-z].{20,}/i, reason)
})

t.test('only an expired time to live is answered', async t => {
  for (const [what, reason, act, options] of CASES) {
    if (reason === 'no-free-port') continue
    t.equal(act(new RouterBench(options)).sent !== '', reason === 'ttl-expired', what)
  }
})
