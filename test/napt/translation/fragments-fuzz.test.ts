// Damaged fragments and bytes at random into the fragment table: it never throws, stays within its bounds, loses no frame that it
// keeps, and agrees with a naive model about what overlaps.
import t from 'tap'
import { FRAGMENT_LIFETIME, FragmentTable, MAXIMUM_DATAGRAMS, MAXIMUM_KEPT_BYTES, MAXIMUM_KEPT_FRAMES } from '../../../napt/translation/fragments.js'
import { Packet } from '../../../napt/packet.js'
import { DROP_REASON_NAMES, type Side } from '../../../napt/verdict.js'
import { write16 } from '../../../napt/wire/bytes.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import { alteredHeader, IP, ping, tcp, TRANSPORT, udp, withOptions, withTrailer } from '../frames.js'
import { path, piece } from './fragment-frames.js'
import { Random } from '../random.js'

const FRAMES = 150_000
const WHOLES = [tcp('192.168.1.3:2000', '130.74.23.6:80', 'ACK', 't'.repeat(400)), udp('192.168.1.3:2000', '130.74.23.6:1200', 'u'.repeat(400)), ping('192.168.1.3', '130.74.23.6', 7, 'p'.repeat(400))]

/** Of a few datagrams at a time, mostly cut along one grid; every tenth thousand is a flood of lone ones. */
function someFragment(random: Random, i: number): Uint8Array {
  const whole = random.pick(WHOLES), end = whole.length - TRANSPORT, isFlood = i % 10_000 < 1500
  const from = 40 * random.below(Math.ceil(end / 40)), to = random.oneIn(15) ? Math.min(from + 8 * (1 + random.below(12)), end) : Math.min(from + 40, end)
  let frame = random.oneIn(40) ? piece(whole, 0, 8) : piece(whole, from, to)
  const identification = isFlood ? random.below(65536) : Math.floor(i / 2000) * 30 + random.below(30)
  frame = alteredHeader(frame, 4, identification >>> 8, identification & 255)
  if (random.oneIn(10)) frame = withOptions(frame, 4 * random.below(11))
  if (random.oneIn(10)) frame = withTrailer(frame, random.below(3000))
  for (let changes = random.pick([0, 0, 0, 0, 0, 0, 0, 1, 3]); changes > 0; changes--) frame[random.below(frame.length)] = random.below(256)
  if (random.oneIn(30)) frame = frame.slice(0, random.below(frame.length + 1))
  if (random.oneIn(200)) frame = random.bytes(random.below(200))
  // A right checksum mostly, so that the damage is met by the table and not by `parse`.
  if (frame.length >= TRANSPORT && !random.oneIn(10) && IP + ipv4.headerLength(frame, IP) <= frame.length) ipv4.writeChecksum(frame, IP)
  return frame
}

t.test(`${FRAMES} damaged fragments`, async t => {
  const random = new Random(815), packet = new Packet()
  const counts = { held: 0, ready: 0, lapsed: 0 }, reasons = new Map<string, number>()
  const wrong = { datagrams: 0, frames: 0, bytes: 0, lost: 0, reason: 0 }
  const table = new FragmentTable('any-order', { ready: () => counts.ready++, lapsed: () => counts.lapsed++ })
  let now = 0
  for (let i = 0; i < FRAMES; i++) {
    const frame = someFragment(random, i), from: Side = random.oneIn(2) ? 'lan' : 'wan'
    if (packet.parse(frame, 0, frame.length, false) === null && ipv4.isFragment(frame, IP)) {
      let reason = table.arrive(packet, from, now)
      if (reason === null) {
        if (ipv4.fragmentOffset(frame, IP) === 0) {
          if (random.oneIn(3)) table.refuse()
          else table.settle(path())
        } else if (table.path === null) {
          reason = table.hold(packet)
          if (reason === null) counts.held++
        }
      }
      if (reason !== null && !DROP_REASON_NAMES.includes(reason)) wrong.reason++
      reasons.set(reason ?? 'passed', (reasons.get(reason ?? 'passed') ?? 0) + 1)
    }
    if (random.oneIn(100)) now += random.pick([1, 10, 100, 5000])
    if (random.oneIn(300)) table.tick(now)
    if (random.oneIn(5000)) table.change(random.pick(['any-order', 'any-order', 'any-order', 'in-order', 'drop']))
    if (random.oneIn(1000)) table.change('any-order')
    if (table.datagrams > MAXIMUM_DATAGRAMS) wrong.datagrams++
    if (table.keptBack > MAXIMUM_KEPT_FRAMES) wrong.frames++
    if (table.keptBackBytes > MAXIMUM_KEPT_BYTES || (table.keptBackBytes === 0) !== (table.keptBack === 0)) wrong.bytes++
    if (counts.held !== counts.ready + counts.lapsed + table.keptBack) wrong.lost++
  }
  t.same(wrong, { datagrams: 0, frames: 0, bytes: 0, lost: 0, reason: 0 })
  for (const reason of ['passed', 'fragment', 'fragment-overlap', 'fragment-tiny', 'fragment-refused', 'fragment-out-of-order', 'fragments-full']) {
    t.ok((reasons.get(reason) ?? 0) > 100, `${reason} was reached ${reasons.get(reason) ?? 0} times`)
  }
  t.ok(counts.ready > 1000 && counts.lapsed > 1000, `frames waited: ${JSON.stringify(counts)}`)
  table.tick(now + FRAGMENT_LIFETIME)
  t.same([table.datagrams, table.keptBack, table.keptBackBytes, table.untilTick(now)], [0, 0, 0, Infinity], 'in the end all memory is free')
  t.equal(counts.held, counts.ready + counts.lapsed)
})

/** Which fragment, if any, brought each byte, and where the datagram ends; written to be obvious. */
class NaiveDatagram {
  readonly #ranges: { from: number, to: number, isLast: boolean }[] = []
  #poisoned = false

  admits(from: number, to: number, isLast: boolean): boolean {
    const fits = this.#ranges.every(other => (other.from === from && other.to === to && other.isLast === isLast) ||
      ((to <= other.from || from >= other.to) && (!isLast || other.to <= from) && (!other.isLast || to <= other.from)))
    if (!fits) this.#poisoned = true
    if (!this.#poisoned) this.#ranges.push({ from, to, isLast })
    return !this.#poisoned
  }
}

t.test('overlaps are found as a naive model finds them', async t => {
  const random = new Random(5722), packet = new Packet(), whole = WHOLES[1]
  const answers = { agree: 0, passed: 0, differ: 0 }
  for (let run = 0; run < 4000; run++) {
    const table = new FragmentTable('in-order', { ready: () => undefined, lapsed: () => undefined }), model = new NaiveDatagram()
    for (let i = 0; i < 8; i++) {
      const from = 8 * random.below(20), to = from + 8 * (1 + random.below(4)), isLast = random.oneIn(6)
      packet.parse(piece(whole, from, to, !isLast), 0, TRANSPORT + to - from, false)
      // Never settled, so that the datagram is never over.
      const passed = table.arrive(packet, 'lan', 0) === null
      answers[passed === model.admits(from, to, isLast) ? 'agree' : 'differ']++
      if (passed) answers.passed++
    }
  }
  t.equal(answers.differ, 0)
  t.ok(answers.passed > 4000 && answers.agree - answers.passed > 4000, JSON.stringify(answers))
})

t.test('lengths of all kinds', async t => {
  const packet = new Packet(), table = new FragmentTable('any-order', { ready: () => undefined, lapsed: () => undefined })
  const passes: number[] = []
  let identification = 0
  for (let offset = 8184 * 8; offset < 65536; offset += 8) {
    for (let length = 0; length < 20; length++) {
      const frame = piece(WHOLES[1], 0, length, false)
      write16(frame, IP + 6, offset / 8)
      write16(frame, IP + 4, identification++)
      ipv4.writeChecksum(frame, IP)
      packet.parse(frame, 0, frame.length, false)
      if (table.arrive(packet, 'lan', 0) === null) passes.push(offset + length)
    }
  }
  t.equal(Math.max(...passes), 65535 - 20, 'a datagram of 65535 bytes, and none longer')
})
