// What each protocol's check() says of good, cut and malformed headers, at every length; and that the accessors read back what the
// builders wrote.
import t from 'tap'
import { Packet, completeChecksum } from '../../../napt/packet.js'
import { parseIpv4, parseMac } from '../../../napt/wire/address.js'
import * as arp from '../../../napt/wire/arp.js'
import { read16, read32, readInt32, write16, write32 } from '../../../napt/wire/bytes.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import { icmpFrame } from '../../../napt/wire/frame.js'
import * as icmp from '../../../napt/wire/icmp.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import * as tcp from '../../../napt/wire/tcp.js'
import * as udp from '../../../napt/wire/udp.js'
import { altered, alteredHeader, arpReply, arpRequest, IP, ping, tcp as tcpFrame, TRANSPORT, udp as udpFrame, withOptions, withTrailer } from '../frames.js'

const UDP = udpFrame('192.168.1.3:2000', '130.74.23.6:1200', '2133')
const TCP = tcpFrame('192.168.1.11:1500', '130.74.23.6:1201', 'PSH ACK', 'data')
const PING = ping('192.168.1.3', '130.74.23.6', 7, 'abcd')
const HOST = { mac: parseMac('02:00:00:00:00:03'), address: '192.168.1.3' }
const ARP = arpRequest(HOST, '192.168.1.1')

/** Calls `check` with every end from nothing to the whole frame, and groups equal answers: [answer, first end, last end]. */
function byEnd(frame: Uint8Array, from: number, check: (end: number) => string | null): [string | null, number, number][] {
  const runs: [string | null, number, number][] = []
  for (let end = from; end <= frame.length; end++) {
    const answer = check(end), last = runs.at(-1)
    if (last?.[0] === answer) last[2] = end
    else runs.push([answer, end, end])
  }
  return runs
}

t.test('a header cut at any byte is truncated, a whole one is good', async t => {
  t.same(byEnd(UDP, 0, end => ethernet.check(0, end)), [['truncated', 0, 13], [null, 14, UDP.length]])
  t.same(byEnd(ARP, 14, end => arp.check(ARP, 14, end)), [['truncated', 14, 41], [null, 42, 42]])
  t.same(byEnd(UDP, IP, end => ipv4.check(UDP, IP, end)), [['truncated', IP, UDP.length - 1], [null, UDP.length, UDP.length]], 'IPv4 holds only with its whole payload')
  t.same(byEnd(UDP, TRANSPORT, end => udp.check(UDP, TRANSPORT, end)), [['truncated', TRANSPORT, UDP.length - 1], [null, UDP.length, UDP.length]])
  t.same(byEnd(TCP, TRANSPORT, end => tcp.check(TCP, TRANSPORT, end)), [['truncated', TRANSPORT, TRANSPORT + 19], [null, TRANSPORT + 20, TCP.length]])
  t.same(byEnd(PING, TRANSPORT, end => icmp.check(TRANSPORT, end)), [['truncated', TRANSPORT, TRANSPORT + 7], [null, TRANSPORT + 8, PING.length]])
  const long = withOptions(UDP, 40)
  t.same(byEnd(long, IP, end => ipv4.check(long, IP, end)), [['truncated', IP, long.length - 1], [null, long.length, long.length]], 'with options')
})

t.test('malformed headers', async t => {
  const cases: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => string | null, string | null])[] = [
    ['IPv4: version 6', altered(UDP, IP, 0x65), b => ipv4.check(b, IP, b.length), 'malformed'],
    ['IPv4: a header of 16 bytes', altered(UDP, IP, 0x44), b => ipv4.check(b, IP, b.length), 'malformed'],
    ['IPv4: a header longer than the packet', altered(UDP, IP, 0x4f), b => ipv4.check(b, IP, b.length), 'malformed'],
    ['IPv4: total length below the header', altered(UDP, IP + 2, 0, 19), b => ipv4.check(b, IP, b.length), 'malformed'],
    ['IPv4: total length beyond the frame', altered(UDP, IP + 2, 0xff, 0xff), b => ipv4.check(b, IP, b.length), 'truncated'],
    ['IPv4: wrong checksum', altered(UDP, IP + 8, 1), b => ipv4.check(b, IP, b.length), 'checksum'],
    ['IPv4: a trailer is no defect', withTrailer(UDP, 9), b => ipv4.check(b, IP, b.length), null],
    ['UDP: length 7', altered(UDP, TRANSPORT + 4, 0, 7), b => udp.check(b, TRANSPORT, b.length), 'malformed'],
    ['UDP: length beyond the packet', altered(UDP, TRANSPORT + 4, 0, 13), b => udp.check(b, TRANSPORT, b.length), 'truncated'],
    ['UDP: length below the packet is allowed', altered(UDP, TRANSPORT + 4, 0, 8), b => udp.check(b, TRANSPORT, b.length), null],
    ['TCP: a header of 16 bytes', altered(TCP, TRANSPORT + 12, 0x40), b => tcp.check(b, TRANSPORT, b.length), 'malformed'],
    ['TCP: a header longer than the segment', altered(TCP, TRANSPORT + 12, 0xf0), b => tcp.check(b, TRANSPORT, b.length), 'truncated'],
    ['ARP: not Ethernet', altered(ARP, 14, 0, 6), b => arp.check(b, 14, b.length), 'malformed'],
    ['ARP: not IPv4', altered(ARP, 16, 0x86, 0xdd), b => arp.check(b, 14, b.length), 'malformed'],
    ['ARP: sizes', altered(ARP, 18, 8, 4), b => arp.check(b, 14, b.length), 'malformed'],
    ['ARP: a host with a multicast MAC', altered(ARP, 22, 3), b => arp.check(b, 14, b.length), 'malformed'],
  ]
  for (const [name, frame, check, expected] of cases) t.equal(check(frame), expected, name)
})

t.test('Packet: what keeps a packet from being translated', async t => {
  const cases: readonly (readonly [string, Uint8Array, string | null])[] = [
    ['UDP', UDP, null], ['TCP', TCP, null], ['ICMP', PING, null],
    ['GRE, which has no ports to look at', alteredHeader(UDP, 9, 47), null],
    ['do not fragment', alteredHeader(UDP, 6, 0x40, 0), null],
  ]
  const packet = new Packet()
  for (const [name, frame, expected] of cases) {
    t.equal(packet.parse(frame, 0, frame.length, false), null)
    t.equal(packet.checkTransport(false), expected, name)
  }
  const padded = withTrailer(withOptions(UDP, 8), 5)
  t.equal(packet.parse(padded, 0, padded.length, false), null)
  t.same([packet.transport, packet.ipEnd, packet.datagram.length], [TRANSPORT + 8, padded.length - 5, UDP.length - IP + 8])
})

t.test('accessors read what the builders wrote', async t => {
  const to = parseMac('02:00:00:00:00:01'), from = HOST.mac
  const frame = udpFrame('192.168.1.3:2000', '130.74.23.6:1200', 'hello', { sourceMac: from, destinationMac: to, timeToLive: 9, identification: 0xbeef, dontFragment: true })
  t.same([ethernet.destination(frame, 0), ethernet.source(frame, 0), ethernet.type(frame, 0)], [to, from, 0x0800])
  t.ok(ethernet.isFor(frame, 0, to))
  t.notOk(ethernet.isFor(frame, 0, from))
  t.notOk(ethernet.isMulticast(frame, 0))
  t.ok(ethernet.isMulticast(ARP, 0))
  t.same([ipv4.source(frame, IP), ipv4.destination(frame, IP), ipv4.protocol(frame, IP)], [parseIpv4('192.168.1.3'), parseIpv4('130.74.23.6'), 17])
  t.same([ipv4.timeToLive(frame, IP), ipv4.identification(frame, IP), ipv4.dontFragment(frame, IP), ipv4.totalLength(frame, IP), ipv4.headerLength(frame, IP), ipv4.typeOfService(frame, IP)], [9, 0xbeef, true, 33, 20, 0])
  t.same([udp.sourcePort(frame, TRANSPORT), udp.destinationPort(frame, TRANSPORT), udp.length(frame, TRANSPORT)], [2000, 1200, 13])
  t.equal(Buffer.from(udp.payload(frame, TRANSPORT)).toString(), 'hello')
  t.ok(udp.checksumHolds(frame, IP, TRANSPORT))

  const segment = tcpFrame('192.168.1.11:1500', '130.74.23.6:1201', 'SYN ACK', 'x')
  t.same([tcp.sourcePort(segment, TRANSPORT), tcp.destinationPort(segment, TRANSPORT), tcp.flags(segment, TRANSPORT), tcp.headerLength(segment, TRANSPORT)], [1500, 1201, 0x12, 20])
  tcp.writeHeader(segment, IP, TRANSPORT, segment.length, { source: tcp.sourcePort(segment, TRANSPORT), destination: tcp.destinationPort(segment, TRANSPORT), sequence: 0xfffffffe, acknowledgement: 0x80000001, flags: 0x10, window: 512 })
  t.same([tcp.sequence(segment, TRANSPORT), tcp.acknowledgement(segment, TRANSPORT), tcp.windowSize(segment, TRANSPORT)], [0xfffffffe, 0x80000001, 512])
  t.ok(tcp.checksumHolds(segment, IP, TRANSPORT, segment.length))
  t.equal(Buffer.from(tcp.payload(segment, TRANSPORT, segment.length)).toString(), 'x')
  t.same([0, 0x12, 0x11, 0x3f].map(tcp.formatFlags), ['none', 'SYN ACK', 'FIN ACK', 'SYN FIN RST PSH ACK URG'])

  const query = icmpFrame(parseIpv4('192.168.1.3'), parseIpv4('130.74.23.6'), { type: 13, code: 2, identifier: 65535, sequence: 258 })
  t.same([icmp.type(query, TRANSPORT), icmp.code(query, TRANSPORT), icmp.identifier(query, TRANSPORT), icmp.sequence(query, TRANSPORT)], [13, 2, 65535, 258])
  t.ok(icmp.checksumHolds(query, TRANSPORT, query.length))
  t.same([0, 3, 4, 5, 8, 11, 12, 13, 14, 17].map(type => [icmp.isQuery(type), icmp.isQueryRequest(type), icmp.isError(type)].map(Number).join('')),
    ['100', '001', '000', '000', '110', '001', '001', '110', '100', '000'])

  const reply = arpReply(HOST, { mac: to, address: '192.168.1.1' })
  t.same([arp.operation(ARP, 14), arp.operation(reply, 14)], [1, 2])
  t.same([arp.senderMac(reply, 14), arp.senderAddress(reply, 14), arp.targetMac(reply, 14), arp.targetAddress(reply, 14)], [from, parseIpv4('192.168.1.3'), to, parseIpv4('192.168.1.1')])
  t.same([ethernet.destination(reply, 0), ethernet.destination(ARP, 0)], [to, parseMac('ff:ff:ff:ff:ff:ff')], 'a reply goes to its target, a request to everybody')
  t.same(arp.targetMac(ARP, 14), new Uint8Array(6))
})

t.test('fragment fields', async t => {
  const of = (...bytes: [number, number]): unknown[] => {
    const frame = alteredHeader(UDP, 6, ...bytes)
    return [ipv4.isFragment(frame, IP), ipv4.moreFragments(frame, IP), ipv4.fragmentOffset(frame, IP), ipv4.dontFragment(frame, IP)]
  }
  t.same(of(0, 0), [false, false, 0, false])
  t.same(of(0x40, 0), [false, false, 0, true])
  t.same(of(0x20, 0), [true, true, 0, false])
  t.same(of(0x1f, 0xff), [true, false, 65528, false])
})

t.test('numbers of 16 and 32 bits', async t => {
  const bytes = new Uint8Array(8)
  write16(bytes, 1, 0xfedc)
  write32(bytes, 3, 0xfedcba98)
  t.same([...bytes], [0, 0xfe, 0xdc, 0xfe, 0xdc, 0xba, 0x98, 0])
  t.same([read16(bytes, 1), read32(bytes, 3), readInt32(bytes, 3)], [0xfedc, 0xfedcba98, 0xfedcba98 | 0])
  write32(bytes, 3, -2)
  t.equal(read32(bytes, 3), 0xfffffffe)
})

t.test('completing a partial checksum leaves everything alone that is no whole TCP or UDP packet', async t => {
  for (const frame of [ARP, PING, altered(UDP, IP, 0x65), UDP.subarray(0, 30), UDP.subarray(0, 5), altered(UDP, TRANSPORT + 4, 0, 3)]) {
    const copy = frame.slice()
    completeChecksum(copy, 0, copy.length)
    t.same(copy, frame)
  }
})
