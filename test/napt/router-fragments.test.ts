// Fragments through the whole router, in any order: outbound, inbound and hairpinned; what comes out is one datagram with right
// checksums and the translated endpoints (RFC 4787 REQ-14).
import t from 'tap'
import { fragment } from '../../napt/translation/fragmentation.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcpWire from '../../napt/wire/tcp.js'
import * as udpWire from '../../napt/wire/udp.js'
import type { Side } from '../../napt/verdict.js'
import { arpReply, IP, ping, pong, tcp, TRANSPORT, udp } from './frames.js'
import { reassembled } from './translation/fragment-frames.js'
import { Random } from './random.js'
import { MACS, RouterBench } from './router-bench.js'
import { show } from './show.js'

const HOST = '192.168.1.3', OTHER = '192.168.1.11', WAN = '202.204.16.13', REMOTE = '130.74.23.6'
const LONG = 'fragment '.repeat(200)

function cut(frame: Uint8Array, mtu: number): Uint8Array[] {
  const frames: Uint8Array[] = []
  fragment(frame, 0, frame.length, mtu, new Uint8Array(mtu + IP), each => frames.push(each.slice()))
  return frames
}

/** One whole frame of the fragments. @throws Error when they are not one datagram with one identification and addresses, and right checksums */
function whole(fragments: readonly Uint8Array[]): Uint8Array {
  const { header, payload } = reassembled(fragments)
  if (new Set(fragments.map(frame => Buffer.from(frame.subarray(IP + 12, IP + 20)).toString('hex') + ipv4.identification(frame, IP).toString())).size > 1) throw new Error('the fragments are of several datagrams')
  const frame = new Uint8Array([...fragments[0].subarray(0, IP), ...header, ...payload])
  ipv4.setLengths(frame, IP, header.length, frame.length - IP)
  ipv4.setFragment(frame, IP, 0, false)
  ipv4.writeChecksum(frame, IP)
  const protocol = ipv4.protocol(frame, IP)
  const holds = protocol === ipv4.PROTOCOL.udp ? udpWire.checksumHolds(frame, IP, TRANSPORT)
    : protocol === ipv4.PROTOCOL.tcp ? tcpWire.checksumHolds(frame, IP, TRANSPORT, frame.length) : icmp.checksumHolds(frame, TRANSPORT, frame.length)
  if (!holds) throw new Error('the transport checksum does not hold')
  return frame
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  const left = [...list]
  return list.map(() => left.splice(random.below(left.length), 1)[0])
}

interface Case {
  readonly name: string
  readonly from: Side
  /** What a host has sent before, whole. */
  readonly open?: Uint8Array
  readonly frame: Uint8Array
  /** What it is when it leaves, before its payload. */
  readonly wanted: string
}

const ID = { identification: 77 }
const CASES: readonly Case[] = [
  { name: 'UDP, outbound', from: 'lan', frame: udp(`${HOST}:2000`, `${REMOTE}:1200`, LONG, ID), wanted: `udp ${WAN}:3400 > ${REMOTE}:1200` },
  { name: 'TCP, outbound', from: 'lan', frame: tcp(`${HOST}:2600`, `${REMOTE}:1300`, 'SYN', LONG, ID), wanted: `tcp ${WAN}:2401 > ${REMOTE}:1300 SYN` },
  { name: 'ICMP, outbound', from: 'lan', frame: ping(HOST, REMOTE, 7, LONG, icmp.TYPE.echo, ID), wanted: `echo ${WAN} > ${REMOTE} id 500` },
  { name: 'UDP, inbound', from: 'wan', open: udp(`${HOST}:2000`, `${REMOTE}:1200`), frame: udp(`${REMOTE}:1200`, `${WAN}:3400`, LONG, ID), wanted: `udp ${REMOTE}:1200 > ${HOST}:2000` },
  { name: 'TCP, inbound', from: 'wan', open: tcp(`${HOST}:2600`, `${REMOTE}:1300`, 'SYN'), frame: tcp(`${REMOTE}:1300`, `${WAN}:2401`, 'SYN ACK', LONG, ID), wanted: `tcp ${REMOTE}:1300 > ${HOST}:2600 SYN ACK` },
  { name: 'ICMP, inbound', from: 'wan', open: ping(HOST, REMOTE, 7), frame: pong(REMOTE, WAN, 500, LONG), wanted: `echo-reply ${REMOTE} > ${HOST} id 7` },
  { name: 'UDP, hairpinned', from: 'lan', open: udp(`${OTHER}:2000`, `${REMOTE}:1200`), frame: udp(`${HOST}:2000`, `${WAN}:3400`, LONG, ID), wanted: `udp ${WAN}:3401 > ${OTHER}:2000` },
  { name: 'TCP, hairpinned', from: 'lan', open: tcp(`${OTHER}:2600`, `${REMOTE}:1300`, 'SYN'), frame: tcp(`${HOST}:2600`, `${WAN}:2401`, 'SYN', LONG, ID), wanted: `tcp ${WAN}:2402 > ${OTHER}:2600 SYN` },
]

for (const { name, from, open, frame, wanted } of CASES) {
  t.test(name, async t => {
    const random = new Random(14), begin = LONG.length
    for (let run = 0; run < 6; run++) {
      const b = new RouterBench(), mtu = random.pick([68, 296, 576, 1280])
      if (open !== undefined) b.lan(open)
      const pieces = cut(frame, mtu), out = whole(shuffled(pieces, random).flatMap(each => b.send(from, each).frames))
      t.ok(show(out).startsWith(wanted), `${pieces.length} fragments over ${mtu}: ${show(out)}`)
      t.same(out.subarray(-begin), frame.subarray(-begin), 'the payload is the same')
    }
  })
}

t.test('two hosts that choose one identification do not meet behind the router\'s address (RFC 6864 §4.1, RFC 7857 §11)', async t => {
  const b = new RouterBench(), frames = [HOST, OTHER].map(host => cut(udp(`${host}:2000`, `${REMOTE}:1200`, LONG, ID), 1280))
  const out = frames.map(pieces => pieces.flatMap(piece => b.lan(piece).frames))
  t.notSame(ipv4.identification(out[0][0], IP), ipv4.identification(out[1][0], IP))
  t.same(out.map(pieces => whole(pieces).length), frames.map(() => TRANSPORT + 8 + LONG.length))
})

t.test('a closed port takes all fragments with it', async t => {
  const b = new RouterBench(), [first, second, third] = cut(udp(`${REMOTE}:1200`, `${WAN}:3400`, LONG, ID), 680)
  t.equal(b.wan(second).action, 'hold')
  t.equal(b.wan(first).reason, 'no-mapping')
  t.same(b.abandonedFrames.map(({ from, reason }) => [from, reason]), [['wan', 'fragment-refused']])
  t.equal(b.wan(third).reason, 'fragment-refused')
})

t.test('a first fragment that waits for ARP has the others wait as well', async t => {
  const b = new RouterBench({ silent: true }), pieces = cut(udp(`${HOST}:2000`, `${REMOTE}:1200`, LONG, ID), 680)
  t.same(pieces.map(piece => b.lan(piece).action), ['hold', 'hold', 'hold'])
  const { frames } = b.raw('wan', arpReply({ mac: MACS.lan, address: REMOTE }, { mac: MACS.wan, address: WAN }))
  t.same(Buffer.from(whole(frames).subarray(-LONG.length)).toString('latin1'), LONG)
})

t.test('a smaller cable on the other side: fragments of fragments', async t => {
  const b = new RouterBench({ mtu: { wan: 576 } }), pieces = cut(udp(`${HOST}:2000`, `${REMOTE}:1200`, LONG, ID), 1280)
  const out = pieces.reverse().flatMap(piece => b.lan(piece).frames)
  t.ok(out.length > pieces.length && out.every(frame => frame.length - IP <= 576))
  t.equal(whole(out).length, TRANSPORT + 8 + LONG.length)
})
