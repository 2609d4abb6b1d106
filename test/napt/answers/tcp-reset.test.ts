// Answers of the router's own: the RST of RFC 9293 §3.10.7.1, and the MTU in "fragmentation needed" (RFC 1191 §4).
import t from 'tap'
import { writeIcmpError } from '../../../napt/translation/icmp-errors.js'
import { writeReset } from '../../../napt/answers/tcp-reset.js'
import { parseEndpoint, parseIpv4, parseMac } from '../../../napt/wire/address.js'
import { read16 } from '../../../napt/wire/bytes.js'
import { tcpFrame, type TcpOptions } from '../../../napt/wire/frame.js'
import * as icmp from '../../../napt/wire/icmp.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import * as tcpWire from '../../../napt/wire/tcp.js'
import { IP, tcp, TRANSPORT, udp, withOptions, withTrailer } from '../frames.js'
import { parsed } from '../translation/fragment-frames.js'

const MACS = { sourceMac: parseMac('02:00:00:00:00:09'), destinationMac: parseMac('02:00:00:00:00:01') }, ROUTER = { mac: MACS.destinationMac }
const FROM = parseEndpoint('8.117.12.109:4000'), TO = parseEndpoint('202.204.16.13:5000')
const { syn: SYN, ack: ACK, fin: FIN, rst: RST } = tcpWire.FLAG

const segment = (flags: number, payload: number, options: TcpOptions = {}): Uint8Array => tcpFrame(FROM, TO, flags, new Uint8Array(payload).fill(7), { ...MACS, ...options })

function reset(frame: Uint8Array): Uint8Array {
  const to = new Uint8Array(100).fill(0xee)
  return to.slice(0, writeReset(to, parsed(frame), ROUTER))
}
/** Flags, sequence and acknowledgement number. */
const numbers = (frame: Uint8Array): [string, number, number] =>
  [tcpWire.formatFlags(tcpWire.flags(frame, TRANSPORT)), tcpWire.sequence(frame, TRANSPORT), tcpWire.acknowledgement(frame, TRANSPORT)]

t.test('it goes back to where the segment came from, and holds', async t => {
  const answer = reset(segment(SYN, 0, { sequence: 1000 }))
  t.equal(ipv4.check(answer, IP, answer.length), null)
  t.ok(tcpWire.checksumHolds(answer, IP, TRANSPORT, answer.length))
  t.same(answer.subarray(0, 14), [...MACS.sourceMac, ...MACS.destinationMac, 8, 0])
  t.same([ipv4.source(answer, IP), ipv4.destination(answer, IP), ipv4.totalLength(answer, IP)], [TO.address, FROM.address, 40])
  t.same([tcpWire.sourcePort(answer, TRANSPORT), tcpWire.destinationPort(answer, TRANSPORT), tcpWire.windowSize(answer, TRANSPORT)], [TO.port, FROM.port, 0])
})

t.test('its numbers', async t => {
  t.same(numbers(reset(segment(SYN, 0, { sequence: 1000 }))), ['RST ACK', 0, 1001])
  t.same(numbers(reset(segment(SYN, 50, { sequence: 1000 }))), ['RST ACK', 0, 1051], 'data in a SYN counts')
  t.same(numbers(reset(segment(FIN, 3, { sequence: 1000 }))), ['RST ACK', 0, 1004], 'FIN counts')
  t.same(numbers(reset(segment(SYN, 0, { sequence: 0xffffffff }))), ['RST ACK', 0, 0], 'numbers wrap')
  t.same(numbers(reset(segment(ACK, 9, { sequence: 1000, acknowledgement: 0xfedcba98 }))), ['RST', 0xfedcba98, 0])
  t.same(numbers(reset(segment(SYN | ACK, 0, { sequence: 1000, acknowledgement: 77 }))), ['RST', 77, 0])
  t.same(numbers(reset(withTrailer(withOptions(segment(SYN, 0, { sequence: 5 }), 12), 6))), ['RST ACK', 0, 6], 'neither options nor a trailer count')
  t.equal(tcpWire.segmentLength(segment(RST, 4), TRANSPORT, TRANSPORT + 24), 4)
})

t.test('"fragmentation needed" says what fits', async t => {
  const to = new Uint8Array(2000), about = parsed(udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'.repeat(1000), MACS))
  const from = { mac: ROUTER.mac, address: parseIpv4('192.168.1.1') }, error = { type: icmp.TYPE.unreachable, code: icmp.UNREACHABLE.fragmentationNeeded }
  const length = writeIcmpError(to, about, { ...error, nextHopMtu: 1280 }, from)
  t.ok(icmp.checksumHolds(to, TRANSPORT, length))
  t.same([icmp.type(to, TRANSPORT), icmp.code(to, TRANSPORT), read16(to, TRANSPORT + 4), icmp.nextHopMtu(to, TRANSPORT)], [3, 4, 0, 1280])
  writeIcmpError(to, about, error, from)
  t.equal(icmp.nextHopMtu(to, TRANSPORT), 0, 'nothing unless it is given')
  const about2 = parsed(tcp('192.168.1.3:2000', '130.74.23.6:1200', 'SYN', '', MACS))
  t.equal(writeIcmpError(to, about2, error, from), 14 + 20 + 8 + 40)
})
