// Cables of different lengths: path MTU discovery across the router, packets in pieces, MSS clamping, and what must not leak.
import t from 'tap'
import { read16, write16 } from '../../napt/wire/bytes.js'
import { fold, pseudoHeaderSum } from '../../napt/wire/checksum.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcpWire from '../../napt/wire/tcp.js'
import { altered, icmpError, IP, ping, tcp, TRANSPORT, udp, withOptions, withTrailer } from './frames.js'
import { reassembled } from './translation/fragment-frames.js'
import { MACS, RouterBench, type Outcome } from './router-bench.js'
import { show } from './show.js'

const LONG = 'abcdefgh'.repeat(150)
const big = (dontFragment = false): Uint8Array => udp('192.168.1.3:2000', '130.74.23.6:1200', LONG, { dontFragment, identification: 7 })

/** The pieces as the packet that they were cut from. */
function joined({ frames }: Outcome): string {
  const { header, payload } = reassembled(frames), whole = new Uint8Array(IP + header.length + payload.length)
  whole.set(frames[0].subarray(0, IP))
  whole.set(header, IP)
  whole.set(payload, IP + header.length)
  ipv4.setLengths(whole, IP, header.length, whole.length - IP)
  ipv4.setFragment(whole, IP, 0, false)
  ipv4.writeChecksum(whole, IP)
  return show(whole)
}

/** As much of the payload as `show` gives; the quote is not all of it. */
const QUOTED = `'${LONG.slice(0, 40)}' …`
const WHOLE = `udp 202.204.16.13:3400 > 130.74.23.6:1200 '${LONG.slice(0, 40)}'`

t.test('without DF: pieces that are the translated packet again, its checksum right', async t => {
  for (const mtu of [68, 296, 576, 1000, 1227]) {
    const outcome = new RouterBench({ mtu: { wan: mtu } }).lan(big())
    t.equal(outcome.action, 'split')
    t.equal(joined(outcome), WHOLE, `MTU ${mtu}`)
    t.ok(outcome.frames.every(frame => frame.length - IP <= mtu))
    t.same(new Set(outcome.frames.map(frame => ipv4.identification(frame, IP))).size, 1, 'of one datagram')
  }
  t.hasStrict(new RouterBench({ mtu: { wan: 1228 } }).lan(big()), { action: 'forward' }, 'what just fits stays whole')
})

t.test('a partial checksum is completed before the packet is cut', async t => {
  const frame = tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN', LONG)
  write16(frame, TRANSPORT + tcpWire.CHECKSUM, fold(pseudoHeaderSum(frame, IP, 6, frame.length - TRANSPORT)))
  const b = new RouterBench({ mtu: { wan: 576 } })
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200'))
  t.equal(joined(b.lan(frame, true)), `tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN '${LONG.slice(0, 40)}'`)
})

t.test('DF: fragmentation needed, from either side, for a packet that would have passed', async t => {
  const b = new RouterBench({ mtu: { lan: 700, wan: 576 } })
  const { sent, frames: [error] } = b.lan(big(true))
  t.equal(sent, `lan icmp 3/4 192.168.1.1 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 ${QUOTED}]`)
  t.equal(icmp.nextHopMtu(error, TRANSPORT), 576)
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200'))
  const inward = b.wan(udp('130.74.23.6:1200', '202.204.16.13:3400', LONG, { dontFragment: true }))
  t.equal(inward.sent, `wan icmp 3/4 202.204.16.13 > 130.74.23.6 [udp 130.74.23.6:1200 > 202.204.16.13:3400 ${QUOTED}]`)
  t.equal(icmp.nextHopMtu(inward.frames[0], TRANSPORT), 700)
  t.hasStrict(b.wan(udp('8.117.12.109:1', '202.204.16.13:3400', LONG, { dontFragment: true })), { reason: 'filtered', sent: '' }, 'a closed port answers nobody')
})

t.test('fragmentation needed from a router beyond reaches the host with its MTU', async t => {
  const b = new RouterBench()
  b.lan(udp('192.168.1.3:2000', '130.74.23.6:1200', 'x', { dontFragment: true }))
  const error = icmpError('9.9.9.9', '202.204.16.13', 3, 4, udp('202.204.16.13:3400', '130.74.23.6:1200', 'x', { dontFragment: true }))
  write16(error, TRANSPORT + 6, 1400)
  icmp.writeChecksum(error, TRANSPORT, error.length)
  const { sent, frames: [out] } = b.wan(error)
  t.equal(sent, "lan icmp 3/4 9.9.9.9 > 192.168.1.3 [udp 192.168.1.3:2000 > 130.74.23.6:1200 'x']")
  t.equal(icmp.nextHopMtu(out, TRANSPORT), 1400)
})

t.test('a GSO frame is as long as its packets', async t => {
  const b = new RouterBench({ mtu: { wan: 576 } })
  b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'))
  const frame = tcp('192.168.1.3:2600', '130.74.23.6:1300', 'ACK', LONG, { dontFragment: true })
  t.hasStrict(b.lan(frame, true, 536), { action: 'forward' }, '536 bytes a segment and 40 of headers')
  t.hasStrict(b.lan(frame, true, 537), { reason: 'too-big' })
  t.hasStrict(b.lan(frame, true, 0), { reason: 'too-big' })
  t.hasStrict(b.lan(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'ACK', 'short', { dontFragment: true }), true, 1000), { action: 'forward' }, 'a last one that is shorter')
})

t.test('a packet that turns back goes by the LAN\'s MTU', async t => {
  const b = new RouterBench({ mtu: { wan: 576 } })
  b.lan(udp('192.168.1.4:2000', '130.74.23.6:1200'))
  t.equal(b.lan(udp('192.168.1.3:2000', '202.204.16.13:3400', LONG, { dontFragment: true })).sent, `lan udp 202.204.16.13:3401 > 192.168.1.4:2000 '${LONG.slice(0, 40)}'`)
})

t.test('MSS clamping, in both directions', async t => {
  const withSegment = (frame: Uint8Array): Uint8Array => {
    const longer = new Uint8Array(frame.length + 4)
    longer.set(frame)
    longer.set([2, 4, 5, 0xb4], frame.length)
    longer[TRANSPORT + 12] = 0x60
    write16(longer, IP + 2, longer.length - IP)
    ipv4.writeChecksum(longer, IP)
    tcpWire.writeChecksum(longer, IP, TRANSPORT, longer.length)
    return longer
  }
  const b = new RouterBench({ nat: { maximumSegment: 1400 } })
  const out = b.lan(withSegment(tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN')))
  t.equal(out.sent, 'wan tcp 202.204.16.13:2401 > 130.74.23.6:1300 SYN')
  t.equal(read16(out.frames[0], TRANSPORT + 22), 1400)
  const back = b.wan(withSegment(tcp('130.74.23.6:1300', '202.204.16.13:2401', 'SYN ACK')))
  t.equal(back.sent, 'lan tcp 130.74.23.6:1300 > 192.168.1.3:2600 SYN ACK')
  t.equal(read16(back.frames[0], TRANSPORT + 22), 1400)
})

t.test('no trailer leaves with a piece or an answer', async t => {
  const secret = (frame: Uint8Array): Uint8Array => withTrailer(frame, 30)
  const b = new RouterBench({ mtu: { wan: 576 } })
  for (const [what, frame] of [['pieces', big()], ['too big', big(true)], ['time exceeded', udp('192.168.1.3:1', '130.74.23.6:9', 'x', { timeToLive: 1 })], ['echo', ping('192.168.1.3', '192.168.1.1', 7, 'x')]] as const) {
    const { frames } = b.lan(secret(frame))
    t.ok(frames.length > 0 && frames.every(one => one.length === IP + ipv4.totalLength(one, IP)), what)
  }
})

t.test('no UDP checksum stays none, in pieces, hairpinned and back', async t => {
  const none = (frame: Uint8Array): Uint8Array => altered(frame, TRANSPORT + 6, 0, 0)
  const b = new RouterBench({ mtu: { wan: 576 } })
  const at = (outcome: Outcome): number => read16(outcome.frames[0], TRANSPORT + 6)
  t.equal(at(b.lan(none(big()))), 0)
  t.equal(at(b.wan(none(udp('130.74.23.6:1200', '202.204.16.13:3400', 'x')))), 0)
  t.equal(at(b.lan(none(udp('192.168.1.4:9999', '202.204.16.13:3400', 'x')))), 0)
})

t.test('IP options stay with a whole packet; only copied ones go with later pieces', async t => {
  const b = new RouterBench({ mtu: { wan: 576 } })
  const frame = withOptions(big(), 8)
  // Router alert (RFC 2113) is copied, no-operation is not.
  frame.set([148, 4, 0, 0], TRANSPORT)
  ipv4.writeChecksum(frame, IP)
  const { frames } = b.lan(frame)
  t.same(frames.map(one => ipv4.headerLength(one, IP)), [28, 24, 24])
  t.ok(frames.every(one => one[TRANSPORT] === 148))
  t.same(frames[0].subarray(6, 12), MACS.wan)
})
