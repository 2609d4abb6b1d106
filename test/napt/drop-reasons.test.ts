// Every reason for which a frame is dropped is reached and counted once, and the router says because of it what it has to, or nothing.
import t from 'tap'
import { DROP_REASON_NAMES, DROP_REASONS, type DropReason } from '../../napt/verdict.js'
import { piece } from './translation/fragment-frames.js'
import { altered, alteredHeader, arpRequest, icmpError, IP, ping, pong, tcp, TRANSPORT, udp, withOptions } from './frames.js'
import * as icmp from '../../napt/wire/icmp.js'
import { MACS, RouterBench, type BenchOptions, type Outcome } from './router-bench.js'

const UDP = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x')
const ANSWER = udp('130.74.23.6:1200', '202.204.16.13:3400')
const HOST = { mac: MACS.lan, address: '192.168.1.3' }

const LONG = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'.repeat(600), { identification: 7 })
const LONG_ANSWER = udp('130.74.23.6:1200', '202.204.16.13:3400', 'x'.repeat(600))
const other = (host: string): Uint8Array => alteredHeader(udp(`${host}:2000`, '130.74.23.6:1200'), 9, 47)

type Case = readonly [what: string, reason: DropReason, act: (b: RouterBench) => Outcome, options?: BenchOptions]

/** What the sender is told, besides the packet that it quotes; everybody else is told nothing. */
const ANSWERS: Partial<Readonly<Record<DropReason, string>>> = {
  'ttl-expired': 'lan icmp 11/0 192.168.1.1 > 192.168.1.3', 'too-big': 'lan icmp 3/4 192.168.1.1 > 192.168.1.3', 'neighbour-unreachable': 'lan icmp 3/1 192.168.1.1 > 192.168.1.3',
  'no-free-port': 'lan icmp 3/13 192.168.1.1 > 192.168.1.4', 'port-taken': 'lan icmp 3/13 192.168.1.1 > 192.168.1.4', 'peer-taken': 'lan icmp 3/13 192.168.1.1 > 192.168.1.4',
  'no-free-address': 'lan icmp 3/13 192.168.1.1 > 192.168.1.4', 'no-port-block': 'lan icmp 3/13 192.168.1.1 > 192.168.1.200', 'host-limit': 'lan icmp 3/13 192.168.1.1 > 192.168.1.3',
  'host-rate': 'lan icmp 3/13 192.168.1.1 > 192.168.1.3', 'table-full': 'lan icmp 3/13 192.168.1.1 > 192.168.1.3',
}
/** Of these, nobody is told when a packet came from the WAN, or as a fragment that is not the first. */
const SILENT: readonly string[] = ['too-big: a later fragment', 'host-limit: a second session from the WAN', 'ttl-expired: a later fragment']

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
  ['to the router\'s WAN address from the LAN', 'hairpinning-off', b => b.lan(udp('192.168.1.3:2000', '202.204.16.13:3400')), { nat: { hairpinning: 'off' } }],
  ['the last hop', 'ttl-expired', b => b.lan(udp('192.168.1.3:2000', '130.74.23.6:9', '', { timeToLive: 1 }))],
  ['a later fragment', 'ttl-expired', b => { b.lan(piece(LONG, 0, 400)); return b.lan(alteredHeader(piece(LONG, 400), 8, 1)) }],
  ['DF over a small cable', 'too-big', b => b.lan(udp('192.168.1.3:2000', '130.74.23.6:9', 'x'.repeat(600), { dontFragment: true })), { mtu: { wan: 576 } }],
  ['a later fragment', 'too-big', b => { b.lan(piece(LONG, 0, 16)); return b.lan(alteredHeader(piece(LONG, 16), 6, 0x40, 2)) }, { mtu: { wan: 576 } }],
  ['GRE', 'protocol', b => b.lan(other('192.168.1.3'))],
  ['GRE from the WAN', 'protocol', b => b.wan(alteredHeader(ANSWER, 9, 47))],
  ['to port 0', 'port-zero', b => b.lan(altered(UDP, TRANSPORT + 2, 0, 0))],
  ['TCP to port 0, from the WAN', 'port-zero', b => b.wan(altered(tcp('130.74.23.6:1200', '202.204.16.13:1', 'SYN'), TRANSPORT + 2, 0, 0))],
  ['router advertisement', 'icmp-type', b => b.lan(ping('192.168.1.3', '130.74.23.6', 7, '', 9))],
  ['router advertisement from the WAN', 'icmp-type', b => b.wan(ping('130.74.23.6', '202.204.16.13', 7, '', 9))],
  ['an ICMP error in fragments', 'icmp-type', b => b.lan(piece(icmpError('192.168.1.3', '130.74.23.6', 3, 3, LONG), 0, 64))],
  ['a loose source route', 'source-route', b => b.lan(alteredHeader(withOptions(UDP, 8), 21, 131, 7, 4))],
  ['a strict one, from the WAN', 'source-route', b => b.wan(alteredHeader(withOptions(ANSWER, 8), 20, 137, 7, 4))],
  ['a first fragment', 'fragment', b => b.lan(piece(LONG, 0, 400)), { nat: { fragments: 'drop' } }],
  ['a later fragment from the WAN', 'fragment', b => b.wan(piece(LONG_ANSWER, 400)), { nat: { fragments: 'drop' } }],
  ['a later fragment first', 'fragment-out-of-order', b => b.lan(piece(LONG, 400)), { nat: { fragments: 'in-order' } }],
  ['a fragment over another', 'fragment-overlap', b => { b.lan(piece(LONG, 0, 400)); return b.lan(piece(LONG, 392)) }],
  ['a first fragment of eight TCP bytes', 'fragment-tiny', b => b.lan(piece(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN', 'x'.repeat(40)), 0, 8))],
  ['behind a first fragment that was dropped', 'fragment-refused', followRefused],
  ['a fragment too many', 'fragments-full', b => { for (let i = 0; i < 256; i++) b.lan(alteredHeader(piece(LONG, 400), 4, 1, i)); return b.lan(piece(LONG, 400)) }],
  ['a fragment whose first one never came', 'fragment-lapsed', b => { b.lan(piece(LONG, 400)); return abandoned(b, b.pass(30_000)) }],
  ['a WAN port that nobody has', 'no-mapping', b => b.wan(ANSWER)],
  ['an echo reply that nobody asked for', 'no-mapping', b => b.wan(pong('130.74.23.6', '202.204.16.13', 7))],
  ['an echo reply from the LAN to nobody\'s request', 'no-mapping', b => b.lan(pong('192.168.1.3', '130.74.23.6', 7))],
  ['an ICMP error about nothing', 'no-mapping', b => b.wan(icmpError('130.74.23.6', '202.204.16.13', 3, 3, udp('202.204.16.13:3400', '130.74.23.6:1200')))],
  ['a sender that nothing was sent to', 'filtered', b => { b.lan(UDP); return b.wan(udp('130.74.23.6:1201', '202.204.16.13:3400')) }],
  ['a TCP segment out of nowhere', 'no-session', b => b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'ACK'))],
  ['a TCP segment to a static mapping', 'no-session', b => b.wan(tcp('130.74.23.6:1300', '202.204.16.13:5000', 'ACK')), { nat: { staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] } }],
  ['one host more than ports', 'no-free-port', b => { b.lan(UDP); return b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')) }, { nat: { portRange: { from: 4000, to: 4000 }, firstPort: {} } }],
  ['the port of another host', 'port-taken', b => { b.lan(UDP); return b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')) }, { nat: { portAllocation: 'preserve', portCollision: 'refuse' } }],
  ['GRE of a second host to the same peer', 'peer-taken', b => { b.lan(other('192.168.1.3')); return b.lan(other('192.168.1.4')) }, { nat: { otherProtocols: 'by-address' } }],
  ['one host more than addresses', 'no-free-address', b => { b.lan(UDP); return b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')) }, { nat: { translation: 'addresses', portAllocation: 'preserve', pool: ['202.204.16.14'] } }],
  ['a host beyond the last block', 'no-port-block', b => b.lan(udp('192.168.1.200:2000', '130.74.23.6:1200')), { nat: { portBlock: 1000 } }],
  ['a second mapping', 'host-limit', b => { b.lan(UDP); return b.lan(udp('192.168.1.3:2001', '130.74.23.6:1200')) }, { nat: { limits: { mappingsPerHost: 1 } } }],
  ['a second session', 'host-limit', b => { b.lan(UDP); return b.lan(udp('192.168.1.3:2000', '130.74.23.6:1201')) }, { nat: { limits: { sessionsPerHost: 1 } } }],
  ['a second session from the WAN', 'host-limit', b => { b.lan(UDP); return b.wan(udp('130.74.23.6:9', '202.204.16.13:3400')) }, { nat: { limits: { sessionsPerHost: 1 }, filtering: 'endpoint-independent' } }],
  ['a second session within a second', 'host-rate', b => { b.lan(UDP); return b.lan(udp('192.168.1.3:2001', '130.74.23.6:1200')) }, { nat: { limits: { newSessionsPerSecond: 1 } } }],
  ['one session more than the table holds', 'table-full', b => { b.lan(UDP); return b.lan(udp('192.168.1.3:2001', '130.74.23.6:1200')) }, { nat: { limits: { sessions: 1 } } }],
  ['a next hop that does not answer', 'neighbour-unreachable', waitInVain, { silent: true }],
  ['a packet too many before ARP is answered', 'queue-full', b => { for (let i = 0; i < 256; i++) b.lan(UDP); return b.lan(UDP) }, { silent: true }],
]

/** A port that is nobody's, and a second fragment for it. */
function followRefused(b: RouterBench): Outcome {
  b.wan(piece(LONG_ANSWER, 0, 400))
  return b.wan(piece(LONG_ANSWER, 400))
}

/** The packet is held at first; its drop comes with time. */
function waitInVain(b: RouterBench): Outcome {
  b.lan(UDP)
  b.pass(1000)
  b.pass(1000)
  return abandoned(b, b.pass(1000))
}

function abandoned(b: RouterBench, sent: string): Outcome {
  const [{ reason }] = b.abandonedFrames
  return { action: 'drop', reason, sent, frames: [] }
}

for (const [what, reason, act, options] of CASES) {
  const name = `${reason}: ${what}`
  t.test(name, async t => {
    const b = new RouterBench(options)
    const { action, reason: given, sent } = act(b)
    t.same([action, given], ['drop', reason])
    const { dropped } = b.router.counters, others = reason === 'fragment-refused' ? dropped['no-mapping'] : 0
    t.equal(dropped[reason], 1)
    t.equal(Object.values(dropped).reduce((sum, count) => sum + count), 1 + others, 'counted once, and nothing else is')
    const answer = SILENT.includes(name) ? undefined : ANSWERS[reason]
    if (answer === undefined) t.equal(sent, '', 'nobody is told')
    else t.match(sent, new RegExp(`^${answer.replaceAll('.', '\\.')} \\[[^\\n]*\\]$`), 'one answer, and its checksums hold')
    t.notMatch(sent, /!/)
  })
}

t.test('no reason is out of reach, and each is explained', async t => {
  const reached = new Set(CASES.map(([, reason]) => reason))
  t.same(DROP_REASON_NAMES.filter(reason => !reached.has(reason)), [])
  for (const reason of DROP_REASON_NAMES) t.match(DROP_REASONS[reason].sentence, /^[a-z].{20,}/i, reason)
  t.same(SILENT.filter(name => !CASES.some(([what, reason]) => name === `${reason}: ${what}`)), [])
})

t.test('every host fills the whole range before one is refused', async t => {
  const b = new RouterBench()
  for (let port = 1024; port <= 65535; port++) if (b.lan(udp(`192.168.1.3:${port}`, '130.74.23.6:1200')).action !== 'forward') t.fail(`port ${port}`)
  t.hasStrict(b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200')), { reason: 'no-free-port' })
})

t.test('an answer says the MTU, and quotes the packet as its sender sent it', async t => {
  const b = new RouterBench({ mtu: { wan: 576 } })
  const frame = udp('192.168.1.3:2000', '130.74.23.6:9', 'x'.repeat(600), { dontFragment: true }), [error] = b.lan(frame).frames
  t.equal(icmp.nextHopMtu(error, TRANSPORT), 576)
  t.same(error.subarray(icmp.quoted(TRANSPORT)), frame.subarray(IP, IP + error.length - icmp.quoted(TRANSPORT)))
  t.equal(error.length - IP, 576, 'as much of it as 576 bytes allow (RFC 1812 §4.3.2.3)')
})
