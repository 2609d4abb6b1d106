// The parts of the stream by themselves: the timer against the arithmetic of RFC 6298, the window against RFC 5681, and the
// receiving half against every way of cutting.
import t from 'tap'
import { CongestionWindow } from '../../../endpoints/datagram-stream/congestion.js'
import { Incoming, RECEIVE_WINDOW } from '../../../endpoints/datagram-stream/incoming.js'
import { RetransmissionTimer } from '../../../endpoints/datagram-stream/retransmission-timer.js'
import { seeded } from '../bench.js'
import { contentOf } from './network.js'

t.test('retransmission timer', async t => {
  const timer = new RetransmissionTimer()
  t.equal(timer.length, 1_000, 'before the first measurement (2.1)')
  timer.measured(300)
  t.equal(timer.length, 300 + 4 * 150, '2.2')
  timer.measured(500)
  t.equal(timer.length, (0.875 * 300 + 0.125 * 500) + 4 * (0.75 * 150 + 0.25 * 200), '2.3')
  for (let i = 0; i < 200; i++) timer.measured(1)
  t.equal(timer.length, 200, 'at least')
  timer.backOff()
  timer.backOff()
  t.equal(timer.length, 800, '5.5')
  for (let i = 0; i < 50; i++) timer.backOff()
  t.equal(timer.length, 2_000, 'at most')
  timer.relax()
  t.equal(timer.length, 200)
})

t.test('congestion window', async t => {
  const window = new CongestionWindow(1000)
  t.equal(window.size, 10_000)
  window.acknowledged(1, 1000, false)
  t.equal(window.size, 10_000, 'it does not grow while something else is the limit')
  for (let number = 1; number <= 10; number++) window.acknowledged(number, 1000, true)
  t.equal(window.size, 20_000, 'slow start doubles it')
  window.lost(11, 31)
  window.lost(12, 31)
  t.equal(window.size, 10_000, 'one halving for one window')
  window.acknowledged(30, 1000, true)
  t.equal(window.size, 10_000, 'what was sent before says nothing')
  for (let number = 31; number < 41; number++) window.acknowledged(number, 1000, true)
  t.ok(window.size > 10_900 && window.size <= 11_000, 'congestion avoidance: one packet a round trip')
  window.timedOut(8_000, 50)
  t.equal(window.size, 2_000)
  for (let number = 50; number < 60; number++) window.acknowledged(number, 1000, true)
  t.ok(window.size > 4_000 && window.size < 8_000, 'slow start to half of what was on its way, then slowly')
})

t.test('however the stream is cut, and in whatever order the pieces come, it is put together once', async t => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seeded(seed * 7919)
    const content = contentOf(200 + random() % 400, seed)
    const incoming = new Incoming()
    const got: Uint8Array[] = []
    const read = (): void => { for (let bytes = incoming.read(0); bytes; bytes = incoming.read(0)) got.push(bytes) }
    const take = (from: number, to: number, number: number): void => {
      const kind = to === content.length && random() % 2 ? 'end' : 'data'
      if (!incoming.take(0, { number, position: from, bytes: content.subarray(from, to), kind })) t.fail(`seed ${seed}: refused`)
      const { position, ranges } = incoming.report()
      if (ranges.some(({ from, to }, i) => from <= (ranges[i - 1]?.to ?? position) || to <= from)) t.fail(`seed ${seed}: ranges overlap`)
    }
    for (let number = 1; number <= 60; number++) {
      const from = random() % content.length
      take(from, Math.min(content.length, from + 1 + random() % 60), number)
      if (random() % 3 === 0) read()
    }
    for (let from = 0; from < content.length; from += 50) take(from, Math.min(content.length, from + 50), 100 + from)
    t.ok(incoming.take(0, { number: 999, position: content.length, bytes: new Uint8Array(0), kind: 'end' }))
    read()
    t.ok(incoming.isOver, `seed ${seed}`)
    t.ok(Buffer.concat(got).equals(content), `seed ${seed}`)
  }
})

t.test('nothing is taken beyond the limit that was told', async t => {
  const incoming = new Incoming()
  t.ok(incoming.take(0, { number: 1, position: RECEIVE_WINDOW, bytes: Uint8Array.of(1), kind: 'data' }))
  t.same(incoming.report().ranges, [])
  t.ok(incoming.take(0, { number: 2, position: RECEIVE_WINDOW - 1, bytes: Uint8Array.of(1), kind: 'data' }))
  t.same(incoming.report().ranges, [{ from: RECEIVE_WINDOW - 1, to: RECEIVE_WINDOW }])
})

t.test('acknowledgements: every second packet, and at once when it matters', async t => {
  const incoming = new Incoming()
  const take = (number: number, position: number, length: number): number => {
    incoming.take(100, { number, position, bytes: new Uint8Array(length), kind: 'data' })
    return incoming.deadline
  }
  t.equal(take(1, 0, 10), 125)
  t.equal(take(2, 10, 10), 100, 'the second')
  incoming.report()
  t.equal(incoming.deadline, Infinity)
  t.equal(take(3, 30, 10), 100, 'a hole')
  incoming.report()
  t.equal(take(4, 20, 10), 100, 'the hole closes')
  incoming.report()
  t.equal(take(5, 0, 10), 100, 'a duplicate')
  incoming.report()
  t.equal(take(6, 40, 0), 100, 'asked')
})
