// ICMP at the router: its own echo answers and errors, and errors of others translated inside out.
import t from 'tap'
import { mustStaySilentAbout } from '../../napt/translation/icmp-errors.js'
import { Packet } from '../../napt/packet.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as udpWire from '../../napt/wire/udp.js'
import { altered, alteredHeader, icmpError, IP, ping, pong, tcp, TRANSPORT, udp, withOptions } from './frames.js'
import { RouterBench } from './router-bench.js'

const { port: PORT, fragmentationNeeded } = icmp.UNREACHABLE

t.test('the router answers echo at its own addresses', async t => {
  const b = new RouterBench()
  t.hasStrict(b.lan(ping('192.168.1.3', '192.168.1.1', 7, 'abc')), { action: 'answer', reason: null, sent: "lan echo-reply 192.168.1.1 > 192.168.1.3 id 7 'abc'" })
  t.hasStrict(b.lan(ping('192.168.1.3', '202.204.16.13', 7, 'abc')), { action: 'answer', sent: "lan echo-reply 202.204.16.13 > 192.168.1.3 id 7 'abc'" })
  t.hasStrict(b.wan(ping('130.74.23.6', '202.204.16.13', 7, 'odd')), { action: 'answer', sent: "wan echo-reply 202.204.16.13 > 130.74.23.6 id 7 'odd'" })
  t.hasStrict(b.wan(ping('130.74.23.6', '202.204.16.13', 7, 'x', 8, { timeToLive: 1 })), { action: 'answer' }, 'a packet for the router itself may arrive with its last hop')
  t.hasStrict(b.lan(withOptions(ping('192.168.1.3', '192.168.1.1', 7, 'abc'), 40)), { action: 'answer', sent: "lan echo-reply 192.168.1.1 > 192.168.1.3 id 7 'abc'" })
  t.hasStrict(b.wan(altered(ping('130.74.23.6', '202.204.16.13', 7, 'x'), TRANSPORT + 8, 0)), { action: 'drop', reason: 'checksum' })
  t.equal(b.router.counters.answered, 5)
  t.same(b.router.table(b.now), [], 'and maps nothing')
  const large = 'x'.repeat(65000)
  t.equal(b.lan(ping('192.168.1.3', '192.168.1.1', 7, large)).frames[0].length, large.length + 42, 'the largest too')
})

t.test('time to live', async t => {
  t.test('from the LAN: the sender is told by the LAN address', async t => {
    const b = new RouterBench()
    const { action, reason, sent, frames: [error] } = b.lan(udp('192.168.1.3:2000', '130.74.23.6:33434', 'probe', { timeToLive: 1 }))
    t.same([action, reason], ['drop', 'ttl-expired'])
    t.equal(sent, "lan icmp 11/0 192.168.1.1 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:33434 'probe']")
    t.equal(ipv4.timeToLive(error, icmp.quoted(TRANSPORT)), 1, 'quoted as it came')
    t.hasStrict(b.lan(udp('192.168.1.3:2000', '130.74.23.6:33434', '', { timeToLive: 0 })), { reason: 'ttl-expired' })
    t.same(b.router.table(b.now), [], 'no port was taken')
    t.hasStrict(b.lan(udp('192.168.1.3:2000', '130.74.23.6:33434', '', { timeToLive: 2 })), { action: 'forward' })
  })
  t.test('from the WAN: only where the packet would have passed, by the WAN address', async t => {
    const b = new RouterBench()
    b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
    b.wan(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'SYN ACK'))
    const before = b.router.table(b.now)
    b.now += 1000
    const last = { timeToLive: 1 }
    t.hasStrict(b.wan(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'RST', '', last)), { reason: 'ttl-expired', sent: 'wan icmp 11/0 202.204.16.13 > 130.74.23.6 [tcp 130.74.23.6:1300 > 202.204.16.13:2401 RST]' })
    t.hasStrict(b.wan(tcp('130.74.23.6:1301', '202.204.16.13:2401', 'SYN', '', last)), { reason: 'filtered', sent: '' })
    t.hasStrict(b.wan(udp('130.74.23.6:1301', '202.204.16.13:9', '', last)), { reason: 'no-mapping', sent: '' })
    t.hasStrict(b.wan(pong('130.74.23.6', '202.204.16.13', 9)), { reason: 'no-mapping', sent: '' })
    b.now -= 1000
    t.same(b.router.table(b.now), before, 'a RST that went no further closed nothing, and nothing was refreshed')
  })
  t.test('a long packet is quoted as far as 576 bytes allow', async t => {
    const b = new RouterBench()
    const [error] = b.lan(udp('192.168.1.3:2000', '130.74.23.6:33434', 'x'.repeat(1400), { timeToLive: 1 })).frames
    t.equal(error.length - IP, 576)
    t.ok(icmp.checksumHolds(error, TRANSPORT, error.length))
  })
  t.test('silence about ICMP errors (RFC 1812 §4.3.2.7)', async t => {
    const b = new RouterBench()
    b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200'))
    const outbound = icmpError('192.168.1.3', '130.74.23.6', 3, PORT, udp('130.74.23.6:1200', '192.168.1.3:2000'))
    t.hasStrict(b.lan(alteredHeader(outbound, 8, 1)), { reason: 'ttl-expired', sent: '' })
    const inbound = icmpError('130.74.23.6', '202.204.16.13', 3, PORT, udp('202.204.16.13:3400', '130.74.23.6:1200'))
    t.hasStrict(b.wan(alteredHeader(inbound, 8, 1)), { reason: 'ttl-expired', sent: '' })
    t.hasStrict(b.lan(ping('192.168.1.3', '130.74.23.6', 7, '', 8, { timeToLive: 1 })), { reason: 'ttl-expired', sent: 'lan icmp 11/0 192.168.1.1 > 192.168.1.3 [echo 192.168.1.3 > 130.74.23.6 id 7]' }, 'a query is no error')
  })
  t.test('and about fragments, broadcasts and sources that are no host', async t => {
    const frame = udp('192.168.1.3:2000', '130.74.23.6:1200')
    const silent = (bytes: Uint8Array): boolean => {
      const packet = new Packet()
      packet.parse(bytes, 0, bytes.length, false)
      return mustStaySilentAbout(packet)
    }
    t.notOk(silent(frame))
    t.notOk(silent(alteredHeader(frame, 6, 0x20, 0)), 'a first fragment')
    t.ok(silent(alteredHeader(frame, 6, 0, 1)), 'a later fragment')
    t.ok(silent(altered(frame, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), 'a link-layer broadcast')
    for (const source of [[0, 0, 0, 0], [127, 0, 0, 1], [224, 0, 0, 1], [255, 255, 255, 255]]) t.ok(silent(alteredHeader(frame, 12, ...source)), source.join('.'))
    const router = ping('192.168.1.3', '130.74.23.6', 7, '', 9)
    t.ok(silent(router), 'ICMP that is no query')
  })
})

/** A bench with one UDP, one TCP and one ICMP session to the server. */
function withSessions(): RouterBench {
  const b = new RouterBench()
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200', 'data'))
  b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
  b.lan(ping('192.168.1.3', '130.74.23.6', 7, 'ping'))
  return b
}

t.test('errors from the WAN reach the host, and quote what it sent', async t => {
  const SENT = {
    udp: udp('202.204.16.13:3400', '130.74.23.6:1200', 'data'),
    tcp: tcp('202.204.16.13:2401', '130.74.23.6:1300', 'SYN'),
    icmp: ping('202.204.16.13', '130.74.23.6', 500, 'ping'),
  }
  const CASES: readonly (readonly [string, Uint8Array, string])[] = [
    ['port unreachable about UDP, from the server', icmpError('130.74.23.6', '202.204.16.13', 3, PORT, SENT.udp),
      "lan icmp 3/3 130.74.23.6 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 'data']"],
    ['time exceeded about UDP, from a router on the way', icmpError('9.9.9.9', '202.204.16.13', 11, 0, SENT.udp),
      "lan icmp 11/0 9.9.9.9 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 'data']"],
    ['UDP, quoted to the least', icmpError('9.9.9.9', '202.204.16.13', 3, 1, SENT.udp, 28),
      'lan icmp 3/1 9.9.9.9 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 …]'],
    ['TCP, whole', icmpError('9.9.9.9', '202.204.16.13', 3, fragmentationNeeded, SENT.tcp),
      'lan icmp 3/4 9.9.9.9 > 192.168.1.3 [tcp 192.168.1.3:2600 > 130.74.23.6:1300 SYN]'],
    ['TCP, quoted to the least: no checksum in it', icmpError('9.9.9.9', '202.204.16.13', 3, 1, SENT.tcp, 28),
      'lan icmp 3/1 9.9.9.9 > 192.168.1.3 [tcp 192.168.1.3:2600 > 130.74.23.6:1300 …]'],
    ['TCP, cut within its checksum', icmpError('9.9.9.9', '202.204.16.13', 3, 1, SENT.tcp, 37),
      'lan icmp 3/1 9.9.9.9 > 192.168.1.3 [tcp 192.168.1.3:2600 > 130.74.23.6:1300 …]'],
    ['an echo request', icmpError('9.9.9.9', '202.204.16.13', 11, 0, SENT.icmp),
      "lan icmp 11/0 9.9.9.9 > 192.168.1.3 [echo 192.168.1.3 > 130.74.23.6 id 7 'ping']"],
    ['parameter problem', icmpError('9.9.9.9', '202.204.16.13', 12, 0, SENT.udp),
      "lan icmp 12/0 9.9.9.9 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 'data']"],
    ['a quote with IP options', icmpError('9.9.9.9', '202.204.16.13', 3, 1, withOptions(SENT.udp, 8)),
      "lan icmp 3/1 9.9.9.9 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 'data']"],
    ['in a packet with IP options', withOptions(icmpError('9.9.9.9', '202.204.16.13', 3, 1, SENT.udp), 8),
      "lan icmp 3/1 9.9.9.9 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 'data']"],
  ]
  for (const [name, frame, sent] of CASES) t.hasStrict(withSessions().wan(frame), { action: 'forward', sent }, name)
})

t.test('errors from the LAN leave as from the router, and quote what came to it', async t => {
  const CASES: readonly (readonly [string, Uint8Array, string])[] = [
    ['port unreachable about UDP', icmpError('192.168.1.3', '130.74.23.6', 3, PORT, udp('130.74.23.6:1200', '192.168.1.3:2000', 'data')),
      "wan icmp 3/3 202.204.16.13 > 130.74.23.6 [udp 130.74.23.6:1200 > 202.204.16.13:3400 'data']"],
    ['TCP, quoted to the least', icmpError('192.168.1.3', '130.74.23.6', 3, PORT, tcp('130.74.23.6:1300', '192.168.1.3:2600', 'SYN ACK'), 28),
      'wan icmp 3/3 202.204.16.13 > 130.74.23.6 [tcp 130.74.23.6:1300 > 202.204.16.13:2401 …]'],
    ['TCP, whole', icmpError('192.168.1.3', '130.74.23.6', 3, PORT, tcp('130.74.23.6:1300', '192.168.1.3:2600', 'PSH ACK', 'odd')),
      "wan icmp 3/3 202.204.16.13 > 130.74.23.6 [tcp 130.74.23.6:1300 > 202.204.16.13:2401 PSH ACK 'odd']"],
    ['an echo reply', icmpError('192.168.1.3', '130.74.23.6', 3, PORT, pong('130.74.23.6', '192.168.1.3', 7, 'ping')),
      "wan icmp 3/3 202.204.16.13 > 130.74.23.6 [echo-reply 130.74.23.6 > 202.204.16.13 id 500 'ping']"],
    ['from a router inside the LAN (RFC 5508 REQ-5)', icmpError('192.168.1.200', '130.74.23.6', 11, 0, udp('130.74.23.6:1200', '192.168.1.3:2000', 'data')),
      "wan icmp 11/0 202.204.16.13 > 130.74.23.6 [udp 130.74.23.6:1200 > 202.204.16.13:3400 'data']"],
  ]
  for (const [name, frame, sent] of CASES) t.hasStrict(withSessions().lan(frame), { action: 'forward', sent }, name)
})

t.test('a quoted UDP checksum: none stays none, and a computed zero is written 0xffff', async t => {
  const none = altered(udp('202.204.16.13:3400', '130.74.23.6:1200', 'data'), TRANSPORT + udpWire.CHECKSUM, 0, 0)
  const quotedAt = icmp.quoted(TRANSPORT) + 20 + udpWire.CHECKSUM
  const [out] = withSessions().wan(icmpError('9.9.9.9', '202.204.16.13', 3, 1, none)).frames
  t.same([...out.subarray(quotedAt, quotedAt + 2)], [0, 0])
  // The payload makes the datagram as the host sent it sum to zero.
  const word = udpWire.checksum(udp('192.168.1.3:2000', '130.74.23.6:1200', '\0\0'), TRANSPORT)
  const zero = udp('202.204.16.13:3400', '130.74.23.6:1200', String.fromCharCode(word >> 8, word & 255))
  const [ones] = withSessions().wan(icmpError('9.9.9.9', '202.204.16.13', 3, 1, zero)).frames
  t.same([...ones.subarray(quotedAt, quotedAt + 2)], [0xff, 0xff])
})

t.test('errors that quote what cannot be translated', async t => {
  const sent = udp('202.204.16.13:3400', '130.74.23.6:1200', 'data')
  const about = (frame: Uint8Array, quote?: number): Uint8Array => icmpError('9.9.9.9', '202.204.16.13', 3, 1, frame, quote)
  const CASES: readonly (readonly [string, Uint8Array, string])[] = [
    ['a wrong ICMP checksum', altered(about(sent), TRANSPORT + 2, 0, 0), 'checksum'],
    ['no whole IPv4 header', about(sent, 19), 'truncated'],
    ['seven bytes of UDP', about(sent, 27), 'truncated'],
    ['options beyond the quote', about(altered(sent, IP, 0x4f), 28), 'truncated'],
    ['an impossible header length', about(altered(sent, IP, 0x41)), 'malformed'],
    ['another version', about(altered(sent, IP, 0x65)), 'malformed'],
    ['a wrong header checksum', about(altered(sent, IP + 10, 0, 0)), 'checksum'],
    ['a later fragment', about(alteredHeader(sent, 6, 0, 1)), 'fragment'],
    ['a protocol without ports', about(alteredHeader(sent, 9, 47)), 'no-mapping'],
    ['a port that is not mapped', about(udp('202.204.16.13:3401', '130.74.23.6:1200')), 'no-mapping'],
    ['a remote endpoint that nothing was sent to', about(udp('202.204.16.13:3400', '130.74.23.6:1201')), 'no-mapping'],
    ['an address that is not the router\'s', about(udp('202.204.16.14:3400', '130.74.23.6:1200')), 'no-mapping'],
  ]
  for (const [name, frame, reason] of CASES) t.hasStrict(withSessions().wan(frame), { action: 'drop', reason, sent: '' }, name)
})

t.test('an error refreshes no timer, and makes no mapping (RFC 5508 REQ-7)', async t => {
  const b = withSessions()
  b.now += 299_999
  t.hasStrict(b.wan(icmpError('9.9.9.9', '202.204.16.13', 3, 1, udp('202.204.16.13:3400', '130.74.23.6:1200'))), { action: 'forward' })
  b.now += 1
  t.hasStrict(b.wan(icmpError('9.9.9.9', '202.204.16.13', 3, 1, udp('202.204.16.13:3400', '130.74.23.6:1200'))), { reason: 'no-mapping' })
})
