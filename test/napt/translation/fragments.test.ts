// The fragment table: what passes, what waits and what goes, frame by frame (RFC 4787 REQ-14, RFC 1858, RFC 3128, RFC 5722).
import t from 'tap'
import { MAXIMUM_RANGES } from '../../../napt/translation/fragment-ranges.js'
import { FRAGMENT_LIFETIME, FragmentTable, MAXIMUM_DATAGRAMS, MAXIMUM_KEPT_BYTES, MAXIMUM_KEPT_FRAMES } from '../../../napt/translation/fragments.js'
import type { FragmentHandling } from '../../../napt/behaviour/behaviour.js'
import type { DropReason, Side } from '../../../napt/verdict.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import { icmpFrame, udpFrame } from '../../../napt/wire/frame.js'
import { parseEndpoint, parseIpv4 } from '../../../napt/wire/address.js'
import { altered, alteredHeader, IP, ping, tcp, TRANSPORT, udp, withOptions } from '../frames.js'
import { parsed, path, piece } from './fragment-frames.js'

/** A table used as the router uses it; a first fragment is settled unless `refusing`. */
class Subject {
  readonly table: FragmentTable
  readonly ready: [Side, Uint8Array][] = []
  readonly lapsed: [Side, DropReason, Uint8Array][] = []
  now = 0
  refusing = false
  identification = 1

  constructor(handling: FragmentHandling = 'any-order') {
    this.table = new FragmentTable(handling, {
      ready: (from, frame) => this.ready.push([from, frame]),
      lapsed: (from, frame, reason) => this.lapsed.push([from, reason, frame]),
    })
  }

  /** 'first' (settled), 'refused now', 'follows', 'waits', or the reason for which it goes. */
  see(frame: Uint8Array, from: Side = 'lan'): string {
    const packet = parsed(frame), reason = this.table.arrive(packet, from, this.now)
    if (reason !== null) return reason
    if (ipv4.fragmentOffset(frame, IP) === 0) {
      if (this.refusing) this.table.refuse()
      else this.table.settle(path(this.identification))
      return this.refusing ? 'refused now' : 'first'
    }
    return this.table.path !== null ? 'follows' : this.table.hold(packet) ?? 'waits'
  }

  get lapsedReasons(): DropReason[] { return this.lapsed.map(([, reason]) => reason) }
}

const WHOLE = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'.repeat(92), { identification: 7 })
const [A, B, C, D] = [piece(WHOLE, 0, 24), piece(WHOLE, 24, 48), piece(WHOLE, 48, 96), piece(WHOLE, 96)]

/** One fragment of a datagram of its own. */
const lone = (identification: number, from = 24, to = 48, more = true): Uint8Array => {
  const frame = piece(WHOLE, from, to, more)
  return alteredHeader(frame, 4, identification >>> 8, identification & 255)
}

t.test('in order: the first decides, the others follow', async t => {
  const s = new Subject()
  t.same([A, B, C, D].map(frame => s.see(frame)), ['first', 'follows', 'follows', 'follows'])
  t.same(s.table.path, path())
  t.equal(s.table.keptBack, 0)
})

t.test('any order: what comes before the first waits, and is handed over as it came', async t => {
  for (const order of [[D, C, B, A], [B, D, A, C], [C, A, B, D]]) {
    const s = new Subject(), before = order.indexOf(A)
    t.same(order.map(frame => s.see(frame)), order.map((frame, i) => frame === A ? 'first' : i < before ? 'waits' : 'follows'))
    t.same(s.ready, order.slice(0, before).map(frame => ['lan', frame]))
    t.same([s.table.keptBack, s.table.keptBackBytes], [0, 0])
    for (const [from, frame] of s.ready) t.equal(s.see(frame, from), 'follows', 'an exact duplicate of itself is no overlap')
    t.equal(s.see(A), 'first', 'nor is the first one when it comes back from ARP')
  }
})

t.test('what waits is a copy', async t => {
  const s = new Subject(), buffer = B.slice()
  s.see(buffer)
  buffer.fill(0)
  s.see(A)
  t.same(s.ready, [['lan', B]])
})

t.test('side, addresses, protocol and identification tell datagrams apart', async t => {
  const s = new Subject()
  t.equal(s.see(A), 'first')
  const others = [alteredHeader(B, 4, 0, 8), alteredHeader(B, 15, 9), alteredHeader(B, 12, 10), alteredHeader(B, 19, 9), alteredHeader(B, 16, 10), alteredHeader(B, 9, 1)]
  for (const other of others) t.equal(s.see(other), 'waits')
  t.equal(s.see(B, 'wan'), 'waits')
  t.equal(s.see(B), 'follows')
  t.equal(s.table.datagrams, 2 + others.length)
})

t.test('handling in-order keeps nothing back, drop lets nothing pass', async t => {
  const s = new Subject('in-order')
  t.same([B, A, C].map(frame => s.see(frame)), ['fragment-out-of-order', 'first', 'follows'])
  const dropping = new Subject('drop')
  t.same([A, B].map(frame => dropping.see(frame)), ['fragment', 'fragment'])
  t.equal(dropping.table.datagrams, 0)
  const changed = new Subject()
  changed.see(B)
  changed.table.change('in-order')
  t.same(changed.lapsed, [['lan', 'fragment-out-of-order', B]])
  t.equal(changed.see(C), 'fragment-out-of-order')
  changed.table.change('any-order')
  t.equal(changed.see(D), 'waits')
  changed.table.change('drop')
  t.same(changed.lapsedReasons, ['fragment-out-of-order', 'fragment'])
  t.equal(changed.see(A), 'fragment')
})

t.test('a refused first fragment takes the others with it', async t => {
  const s = new Subject()
  s.refusing = true
  t.same([C, A, B, A].map(frame => s.see(frame)), ['waits', 'refused now', 'fragment-refused', 'fragment-refused'])
  t.same(s.lapsed, [['lan', 'fragment-refused', C]])
  t.equal(s.table.path, null)
  t.same([s.table.keptBack, s.table.keptBackBytes], [0, 0])
})

t.test('overlaps poison the datagram (RFC 5722 §3)', async t => {
  const bad: Record<string, Uint8Array> = {
    'the end of an earlier one': piece(WHOLE, 40, 64),
    'the beginning of a later one': piece(WHOLE, 48, 80),
    'one byte range within another': piece(WHOLE, 32, 40),
    'around another': piece(WHOLE, 16, 56),
    'the same beginning, longer': piece(WHOLE, 24, 56),
    'the first one again, shorter (RFC 3128)': piece(WHOLE, 0, 8),
    'the same range, but the last': piece(WHOLE, 24, 48, false),
  }
  for (const [what, frame] of Object.entries(bad)) {
    const s = new Subject()
    t.same([A, B, piece(WHOLE, 72, 96)].map(good => s.see(good)), ['first', 'follows', 'follows'], what)
    t.same([frame, A, B, D].map(after => s.see(after)), Array(4).fill('fragment-overlap'), what)
  }
})

t.test('what waits goes when its datagram is poisoned', async t => {
  const s = new Subject()
  t.same([B, D, piece(WHOLE, 32, 56)].map(frame => s.see(frame)), ['waits', 'waits', 'fragment-overlap'])
  t.same(s.lapsedReasons, ['fragment-overlap', 'fragment-overlap'])
  t.same([s.table.keptBack, s.table.keptBackBytes], [0, 0])
  t.equal(s.see(A), 'fragment-overlap')
})

t.test('fragments that no datagram can have', async t => {
  const empty = piece(WHOLE, 24, 24, true)
  const cases: Record<string, Uint8Array[]> = {
    'a length of 23 before the end': [piece(WHOLE, 24, 47)],
    'nothing in it': [empty],
    'nothing in it, at the end': [alteredHeader(empty, 6, 0x00, 3)],
    'beyond 65535 bytes (the ping of death)': [alteredHeader(D, 6, 0x1f, 0xff)],
    'beyond the last one': [D, piece(WHOLE, 24, 48), alteredHeader(B, 6, 0x20, 13)],
    'up to the end, but not the last': [alteredHeader(C, 6, 0x00, 6), piece(WHOLE, 88, 96, true)],
    'a last one before another': [C, piece(WHOLE, 24, 40, false)],
    'a second end': [D, piece(WHOLE, 96, 98, false)],
  }
  for (const [what, frames] of Object.entries(cases)) {
    const s = new Subject(), outcomes = frames.map(frame => s.see(frame))
    t.equal(outcomes.pop(), 'fragment-overlap', what)
    t.same(outcomes, outcomes.map(() => 'waits'), what)
    t.equal(s.see(A), 'fragment-overlap', what)
  }
  const most = new Subject(), last = alteredHeader(piece(WHOLE, 24, 31, false), 6, 0x1f, 0xfc)
  t.equal(most.see(last), 'waits', '65507 + 8 … the last byte of the longest datagram is fine')
})

t.test('tiny fragments (RFC 1858 §3): the first one has its whole transport header', async t => {
  const segment = tcp('192.168.1.3:2000', '130.74.23.6:80', 'SYN', 'y'.repeat(60)), echo = ping('192.168.1.3', '130.74.23.6', 7, 'z'.repeat(40))
  const long = altered(segment, TRANSPORT + 12, 0xa0)
  const cases: [string, Uint8Array, string][] = [
    ['TCP, 8 bytes', piece(segment, 0, 8), 'fragment-tiny'],
    ['TCP, 16 bytes', piece(segment, 0, 16), 'fragment-tiny'],
    ['TCP, 24 bytes', piece(segment, 0, 24), 'first'],
    ['a TCP header of 40 bytes in 32', piece(long, 0, 32), 'fragment-tiny'],
    ['a TCP header of 40 bytes in 40', piece(long, 0, 40), 'first'],
    ['TCP at offset 8', piece(segment, 8, 40), 'fragment-tiny'],
    ['TCP at offset 16', piece(segment, 16, 40), 'waits'],
    ['UDP, 8 bytes', piece(WHOLE, 0, 8), 'first'],
    ['UDP at offset 8', piece(WHOLE, 8, 24), 'waits'],
    ['ICMP, 8 bytes', piece(echo, 0, 8), 'first'],
    ['another protocol, 8 bytes', alteredHeader(piece(segment, 0, 8), 9, 47), 'first'],
  ]
  for (const [what, frame, outcome] of cases) {
    const s = new Subject()
    t.equal(s.see(frame), outcome, what)
    if (outcome === 'fragment-tiny') t.equal(s.see(piece(segment, 40, 48)), 'fragment-refused', what)
  }
  const s = new Subject()
  s.see(piece(segment, 40, 48))
  s.see(piece(segment, 0, 8))
  t.same(s.lapsedReasons, ['fragment-refused'], 'what waited goes with it')
})

t.test('30 s after the first arrival it is over', async t => {
  const s = new Subject()
  t.equal(s.table.untilTick(0), Infinity)
  s.see(B)
  s.now = 10_000
  s.see(C)
  s.see(lone(99))
  t.equal(s.table.untilTick(s.now), FRAGMENT_LIFETIME - 10_000)
  s.table.tick(FRAGMENT_LIFETIME - 1)
  t.same([s.lapsed.length, s.table.datagrams], [0, 2])
  s.table.tick(FRAGMENT_LIFETIME)
  t.same(s.lapsed, [['lan', 'fragment-lapsed', B], ['lan', 'fragment-lapsed', C]])
  t.same([s.table.datagrams, s.table.keptBack, s.table.untilTick(FRAGMENT_LIFETIME)], [1, 1, 10_000])
  s.now = 10_000 + FRAGMENT_LIFETIME
  t.equal(s.see(lone(99)), 'waits', 'a fragment that comes later begins a new datagram, tick or no tick')
  t.equal(s.lapsed.length, 3)
})

t.test('a complete datagram gives way to the next one of the same identification', async t => {
  const next = udp('192.168.1.3:2001', '130.74.23.6:1200', 'n'.repeat(52), { identification: 7 })
  const s = new Subject()
  for (const frame of [A, B, C, D]) s.see(frame)
  t.equal(s.see(B), 'follows', 'a duplicate still follows')
  s.identification = 2
  t.equal(s.see(piece(next, 0, 40)), 'first')
  t.equal(s.table.path?.identification, 2)
  t.equal(s.see(piece(next, 40)), 'follows')
  for (const middle of [48, 56, 48]) {
    t.same([piece(next, 0, 40), piece(next, 40, middle), piece(next, middle)].map(frame => s.see(frame)), ['first', 'follows', 'follows'], 'its first fragment may be as long as before')
  }
  t.equal(s.see(piece(next, 40, 56)), 'waits', 'or come later')
  t.equal(s.see(piece(next, 0, 40)), 'first')
  t.equal(s.see(piece(next, 48)), 'fragment-overlap', 'but within one datagram nothing overlaps')
  t.equal(s.table.datagrams, 1)
})

t.test('an impossible fragment poisons a complete datagram too', async t => {
  const s = new Subject()
  for (const frame of [A, B, C, D]) s.see(frame)
  t.same([piece(WHOLE, 24, 47), A, piece(WHOLE, 0, 40)].map(frame => s.see(frame)), Array(3).fill('fragment-overlap'))
})

t.test('so does one that is impossible for its header alone', async t => {
  const longest = udpFrame(parseEndpoint('192.168.1.3:1'), parseEndpoint('130.74.23.6:1'), new Uint8Array(65_507)), s = new Subject()
  const first = piece(longest, 0, 32_768), last = piece(longest, 32_768)
  t.same([first, last, last].map(frame => s.see(frame)), ['first', 'follows', 'follows'])
  t.same([withOptions(last, 4), last, first].map(frame => s.see(frame)), Array(3).fill('fragment-overlap'))
})

t.test('a refused datagram of which all came gives way as well', async t => {
  const s = new Subject()
  s.refusing = true
  for (const frame of [A, B, C, D]) s.see(frame)
  s.refusing = false
  t.same([piece(WHOLE, 0, 32), piece(WHOLE, 32)].map(frame => s.see(frame)), ['first', 'follows'])
})

t.test('datagrams are bounded; complete ones give way, then the oldest', async t => {
  const s = new Subject()
  for (const frame of [A, B, C, D]) s.see(frame)
  for (let i = 1; i < MAXIMUM_DATAGRAMS; i++) s.see(lone(1000 + i, 0, 24))
  t.equal(s.table.datagrams, MAXIMUM_DATAGRAMS)
  t.equal(s.see(lone(9000, 0, 24)), 'first', 'the complete one made room')
  t.equal(s.see(lone(9001, 0, 24)), 'first', 'a flood keeps nobody out (RFC 4787 REQ-14a)')
  t.equal(s.see(lone(9001)), 'follows')
  t.equal(s.see(lone(1002)), 'follows', 'those that are younger go on')
  t.equal(s.table.datagrams, MAXIMUM_DATAGRAMS)
  t.equal(s.see(lone(1001)), 'waits', 'the oldest is forgotten')
  s.now = FRAGMENT_LIFETIME
  t.equal(s.see(lone(9001, 0, 24)), 'first')
  t.equal(s.table.datagrams, 1)
})

t.test('frames and bytes kept back are bounded', async t => {
  const frames = new Subject()
  for (let i = 0; i < MAXIMUM_KEPT_FRAMES; i++) frames.see(lone(i))
  t.equal(frames.see(lone(999)), 'fragments-full')
  t.same([frames.table.keptBack, frames.table.keptBackBytes], [MAXIMUM_KEPT_FRAMES, MAXIMUM_KEPT_FRAMES * B.length])
  t.equal(frames.see(lone(3, 0, 24)), 'first')
  t.equal(frames.see(lone(998)), 'waits', 'one went, another may come')

  const bytes = new Subject(), large = udpFrame(parseEndpoint('192.168.1.3:1'), parseEndpoint('130.74.23.6:1'), new Uint8Array(60_000))
  const room = Math.floor(MAXIMUM_KEPT_BYTES / (TRANSPORT + 32_000))
  const outcomes = Array.from({ length: room + 1 }, (_, i) => bytes.see(alteredHeader(piece(large, 8000, 40_000), 4, 0, i)))
  t.same(outcomes, [...Array<string>(room).fill('waits'), 'fragments-full'])
  t.ok(bytes.table.keptBackBytes <= MAXIMUM_KEPT_BYTES)
})

t.test('64 KiB over an MTU of 296 passes, in either order; pieces without end do not', async t => {
  const whole = udpFrame(parseEndpoint('192.168.1.3:1'), parseEndpoint('130.74.23.6:1'), new Uint8Array(65_507 - 20))
  const payload = whole.length - TRANSPORT, pieces: Uint8Array[] = []
  for (let at = 0; at < payload; at += 272) pieces.push(piece(whole, at, Math.min(at + 272, payload)))
  const s = new Subject()
  t.same(new Set(pieces.slice(1).reverse().map(frame => s.see(frame))), new Set(['waits']))
  t.equal(s.see(pieces[0]), 'first')
  t.equal(s.ready.length, pieces.length - 1)

  const grains = new Subject()
  for (let i = 0; i < MAXIMUM_RANGES; i++) grains.see(piece(whole, 16 * i, 16 * i + 8))
  t.equal(grains.see(piece(whole, 16 * MAXIMUM_RANGES, 16 * MAXIMUM_RANGES + 8)), 'fragments-full')
  t.equal(grains.see(piece(whole, 16, 24)), 'follows', 'what came before still passes')
})

t.test('settle, refuse and hold do nothing where no datagram was looked at', async t => {
  const s = new Subject()
  s.table.settle(path())
  s.table.refuse()
  t.equal(s.table.hold(parsed(B)), 'fragments-full')
  t.same([s.table.datagrams, s.table.keptBack, s.ready.length, s.lapsed.length], [0, 0, 0, 0])
})

t.test('ICMP fragments from the WAN', async t => {
  const echo = icmpFrame(parseIpv4('130.74.23.6'), parseIpv4('202.204.16.13'), { type: 0, identifier: 7 }, new Uint8Array(3000)), s = new Subject()
  t.same([piece(echo, 1480, 2960), piece(echo, 0, 1480), piece(echo, 2960)].map(frame => s.see(frame, 'wan')), ['waits', 'first', 'follows'])
  t.same(s.ready.map(([from]) => from), ['wan'])
})
