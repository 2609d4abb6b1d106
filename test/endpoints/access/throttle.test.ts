// Token buckets by source, with the time given.
import t from 'tap'
import { Throttle } from '../../../endpoints/access/throttle.js'

const OPTIONS = { burst: 3, interval: 100, limit: 250 }

t.test('a burst goes at once, then one in each interval; other sources are not slowed', async t => {
  const throttle = new Throttle(OPTIONS)
  t.same([0, 0, 0, 0, 0].map(now => throttle.take('a', now)), [true, true, true, false, false])
  t.equal(throttle.wait('a', 0), 100)
  t.equal(throttle.wait('b', 0), 0)
  t.equal(throttle.take('a', 99), false)
  t.equal(throttle.take('a', 100), true)
  t.equal(throttle.take('a', 100), false)
  t.same([400, 400, 400, 400].map(now => throttle.take('a', now)), [true, true, true, false], 'a bucket fills again, and no further')
})

t.test('failures are told ever later, up to the limit', async t => {
  const throttle = new Throttle(OPTIONS)
  t.same(Array.from({ length: 8 }, () => throttle.failed('a', 0)), [0, 0, 0, 100, 200, 250, 250, 250])
  t.equal(throttle.failed('b', 0), 0)
})

t.test('attempts that succeed cost nothing, however many there are at once', async t => {
  const throttle = new Throttle(OPTIONS)
  const turns = Array.from({ length: 100 }, () => throttle.turn('a', 0))
  t.ok(turns.every(turn => turn?.wait === 0))
  for (const turn of turns) turn?.settle(false, 10)
  t.equal(throttle.wait('a', 10), 0)
  t.equal(throttle.size, 0)
})

t.test('guesses made at the same time are not cheaper than one after another', async t => {
  const throttle = new Throttle(OPTIONS)
  const volley = Array.from({ length: 16 }, () => throttle.turn('a', 0))
  for (const turn of volley) turn?.settle(true, 0)
  t.equal(throttle.turn('a', 0), null, 'too far away')
  t.equal(throttle.wait('a', 0), 1400)
  t.equal(throttle.turn('a', 1100), null)
  const waits = Array.from({ length: 4 }, () => throttle.turn('a', 1200)?.wait)
  t.same(waits, [200, undefined, undefined, undefined], 'who owes something pays in advance')
  t.equal(throttle.turn('b', 1200)?.wait, 0)
})

t.test('a success gives back what was paid in advance, and forgives nothing', async t => {
  const throttle = new Throttle(OPTIONS)
  for (let n = 0; n < 4; n++) throttle.charge('a', 0)
  const before = throttle.wait('a', 0)
  throttle.turn('a', 0)?.settle(false, 0)
  t.equal(throttle.wait('a', 0), before)
  throttle.turn('a', 0)?.settle(true, 0)
  t.equal(throttle.wait('a', 0), before + 100)
})

t.test('memory is bounded, and so is the time that a failure counts', async t => {
  const throttle = new Throttle({ ...OPTIONS, maxSources: 100 })
  for (let n = 0; n < 100_000; n++) throttle.charge(`source ${n}`, 0)
  t.equal(throttle.size, 100)
  t.ok(throttle.wait('source 99999', 0) === 0 && throttle.take('source 99999', 0))
  for (let n = 0; n < 1_000_000; n++) throttle.charge('a', 0)
  t.equal(throttle.wait('a', 0), 300_000 - 200)
  t.equal(throttle.wait('a', 300_000), 0)
  throttle.charge('b', 400_000)
  t.equal(throttle.size, 1, 'those who owe nothing are forgotten first')
})
