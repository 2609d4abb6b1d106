// The timing wheel and the rows it links, against a naive list of deadlines.
import t from 'tap'
import { ExpiryWheel } from '../../../napt/table/expiry.js'
import { Rows } from '../../../napt/table/rows.js'
import { Random } from '../random.js'

const GRANULARITY = 250
const LINKS = { next: 1, previous: 2 }

/** The wheel as the table uses it: a refresh only writes the deadline, and `due` puts back what is not over. */
class Timers {
  readonly rows = new Rows(3)
  readonly deadlines = new Map<number, number>()
  readonly gone: number[] = []
  readonly wheel: ExpiryWheel
  #now: number

  constructor(now = 0) {
    this.#now = now
    this.wheel = new ExpiryWheel(this.rows, LINKS, now)
  }

  add(deadline: number): number {
    const row = this.rows.add()
    this.deadlines.set(row, deadline)
    this.wheel.add(row, deadline)
    return row
  }

  remove(row: number): void {
    this.wheel.remove(row)
    this.#forget(row)
  }

  advance(now: number, budget = Infinity): boolean {
    this.#now = now
    return this.wheel.advance(now, budget, row => {
      const deadline = this.deadlines.get(row)!
      if (deadline > this.#now) {
        this.wheel.add(row, deadline)
        return
      }
      this.gone.push(row)
      this.#forget(row)
    })
  }

  #forget(row: number): void {
    this.deadlines.delete(row)
    this.rows.remove(row)
  }
}

t.test('a row goes within one slot after its deadline, never before', async t => {
  for (const deadline of [1, 249, 250, 251, 1000, 60_000, 255_000, 256_000, 300_000, 7_440_000]) {
    const timers = new Timers()
    timers.add(deadline)
    let now = 0
    while (timers.gone.length === 0) {
      now += Math.max(timers.wheel.untilNext(now), 1)
      timers.advance(now)
      if (now > deadline + GRANULARITY) break
    }
    t.ok(now >= deadline && now <= deadline + GRANULARITY, `${deadline} ms: gone at ${now}`)
    t.equal(timers.wheel.untilNext(now), Infinity, 'and nothing is left to wait for')
  }
})

t.test('a refreshed row stays', async t => {
  const timers = new Timers()
  const row = timers.add(1000)
  timers.deadlines.set(row, 5000)
  timers.advance(4999)
  t.same(timers.gone, [])
  timers.advance(5000 + GRANULARITY)
  t.same(timers.gone, [row])
})

t.test('a jump of the clock by days takes everything that is over, and nothing else', async t => {
  const timers = new Timers()
  for (let i = 0; i < 3000; i++) timers.add(1 + i * 100)
  const late = timers.add(86_400_000 * 3)
  timers.advance(86_400_000 * 2)
  t.equal(timers.gone.length, 3000)
  t.same([...timers.deadlines.keys()], [late])
  timers.advance(86_400_000 * 3 + GRANULARITY)
  t.same([...timers.deadlines.keys()], [])
})

t.test('a budget bounds one call; the next goes on', async t => {
  const timers = new Timers()
  for (let i = 0; i < 100; i++) timers.add(1000 + i)
  t.equal(timers.advance(10_000, 30), false)
  t.equal(timers.gone.length, 30)
  t.equal(timers.wheel.untilNext(10_000), 0, 'there is work now')
  t.equal(timers.advance(10_000, 70), true)
  t.equal(timers.gone.length, 100)
})

t.test('a wheel that stood still while it was empty', async t => {
  const timers = new Timers()
  timers.add(10_003_000)
  t.equal(timers.wheel.untilNext(10_000_000), 0, 'it catches up first')
  timers.advance(10_000_000)
  t.same(timers.gone, [])
  const wait = timers.wheel.untilNext(10_000_000)
  t.ok(wait >= 3000 && wait <= 3000 + GRANULARITY, `then waits ${wait} ms`)
})

t.test('the same rows as a naive model, over 40,000 seeded steps', async t => {
  const random = new Random(3)
  const timers = new Timers(12_345)
  const model = new Map<number, number>()
  let now = 12_345, early = 0, late = 0, lost = 0
  for (let step = 0; step < 40_000; step++) {
    const rows = [...model.keys()].slice(0, 50)
    switch (random.below(6)) {
      case 0: case 1: {
        const deadline = now + random.pick([1, 300, 5_000, 60_000, 300_000, 7_440_000]) + random.below(1000)
        model.set(timers.add(deadline), deadline)
        break
      }
      case 2: {
        if (rows.length === 0) break
        const row = random.pick(rows), deadline = now + random.below(400_000)
        model.set(row, Math.max(deadline, model.get(row)!))
        timers.deadlines.set(row, model.get(row)!)
        break
      }
      case 3: {
        if (rows.length === 0 || !random.oneIn(4)) break
        const row = random.pick(rows)
        timers.remove(row)
        model.delete(row)
        break
      }
      default: {
        now += random.oneIn(200) ? random.below(10_000_000) : random.below(2000)
        timers.gone.length = 0
        const budget = random.oneIn(3) ? 5 : Infinity
        const done = timers.advance(now, budget)
        for (const row of timers.gone) {
          if (model.get(row)! > now) early++
          model.delete(row)
        }
        if (done) for (const deadline of model.values()) if (deadline <= now - GRANULARITY) late++
        if (timers.rows.count !== model.size) lost++
      }
    }
  }
  t.same({ early, late, lost }, { early: 0, late: 0, lost: 0 })
  t.ok(timers.rows.limit < 4000, `rows were used again: ${timers.rows.limit} for ${model.size} in use`)
})

t.test('rows: freed ones are used again, and growth keeps what is written', async t => {
  const rows = new Rows(3, 2)
  t.same([rows.add(), rows.add(), rows.add()], [0, 1, 2])
  rows.set(2, 1, 77)
  rows.remove(0)
  rows.remove(1)
  t.equal(rows.count, 1)
  t.same([rows.add(), rows.add(), rows.add()], [1, 0, 3], 'last freed first')
  t.equal(rows.get(2, 1), 77)
  t.same([rows.count, rows.limit, rows.bytes], [4, 4, 4 * 3 * 4])
})

t.test('rows: a chunk more keeps what is written where it is, and 64-bit numbers lie over pairs of fields', async t => {
  const rows = new Rows(4), chunks = new Set<Int32Array>()
  for (let row = 0; row < 50_000; row++) {
    if (rows.add() !== row) t.fail(`row ${row}`)
    rows.set(row, 0, row)
    rows.set(row, 1, ~row)
    rows.setWide(row, 1, row + 0.25)
  }
  let wrong = 0
  for (let row = 0; row < 50_000; row++) {
    chunks.add(rows.chunkOf(row))
    const chunk = rows.chunkOf(row), at = rows.placeOf(row)
    if (rows.get(row, 0) !== row || chunk[at + 1] !== ~row || rows.getWide(row, 1) !== row + 0.25) wrong++
  }
  t.equal(wrong, 0)
  t.same([chunks.size, rows.bytes], [4, 4 * 16_384 * 4 * 4])
})
