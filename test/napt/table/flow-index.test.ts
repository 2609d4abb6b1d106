// The flow index against a Map, over seeded operations; and what a hash table gets wrong first: collisions, growth, removal.
import t from 'tap'
import { CODE_SHIFT, FlowIndex, MAXIMUM_ROW, portPair, PROTOCOL_CODE, type ProtocolCode } from '../../../napt/table/flow-index.js'
import { Rows } from '../../../napt/table/rows.js'
import { Random } from '../random.js'

type Key = readonly [a: number, b: number, ports: number, code: ProtocolCode]

const FIELDS = { a: 0, b: 1, ports: 2, code: 3 } as const
const WIDTH = 5, IS_IN = 16

/** An index over rows that have something else in them too; a row without the mark is not for it. */
class Indexed {
  readonly rows = new Rows(WIDTH)
  readonly index: FlowIndex

  constructor(capacity?: number) {
    this.index = new FlowIndex(this.rows, FIELDS, IS_IN, capacity)
  }

  /** A row with the key, in the index unless told otherwise. */
  add([a, b, ports, code]: Key, isIn = true): number {
    const row = this.rows.add()
    for (const [field, value] of [a, b, ports, code << CODE_SHIFT | 5 | (isIn ? IS_IN : 0), -1].entries()) this.rows.set(row, field, value)
    if (isIn) this.index.insert(row)
    return row
  }

  remove(row: number): void {
    this.index.remove(row)
    this.rows.set(row, FIELDS.code, 0)
    this.rows.remove(row)
  }
}

for (const crowd of [0, 3000]) {
  t.test(`the same answers as a Map, over 100,000 random operations, ${crowd} rows beside it`, async t => {
    const random = new Random(2)
    const flows = new Indexed(4), model = new Map<string, number>(), beside: number[] = []
    // Few keys at first, so that most operations meet one that is there; neighbouring ones, so that clusters form.
    const keys: Key[] = Array.from({ length: 6000 }, (_, i) =>
      [(0xc0a80100 + i % 7) | 0, random.word() | 0, portPair(random.below(4) + 65534 - 2, i), random.pick(Object.values(PROTOCOL_CODE))])
    for (let i = 0; i < crowd; i++) beside.push(flows.add(random.pick(keys), false))
    let wrong = 0, doublings = 0
    for (let step = 0; step < 100_000; step++) {
      const key = keys[random.below(step < 20_000 ? 500 : keys.length)], name = key.join(), known = model.get(name), before = flows.index.bytes
      if (flows.index.find(...key) !== (known ?? -1)) wrong++
      // The table fills and empties by turns, so that rows are used again while it doubles.
      if (known === undefined && random.below(100) < (step % 20_000 < 10_000 ? 70 : 20)) model.set(name, flows.add(key))
      else if (known !== undefined && random.below(100) < (step % 20_000 < 10_000 ? 20 : 70)) {
        flows.remove(known)
        model.delete(name)
      }
      if (crowd > 0 && random.oneIn(3)) {
        const at = random.below(beside.length)
        flows.remove(beside[at])
        beside[at] = flows.add(key, false)
      }
      if (flows.index.bytes > before) doublings++
      if (flows.index.size !== model.size) wrong++
    }
    for (const key of keys) if (flows.index.find(...key) !== (model.get(key.join()) ?? -1)) wrong++
    t.equal(wrong, 0)
    t.ok(doublings > 8, `it doubled ${doublings} times`)
  })
}

t.test('a removal anywhere in a cluster leaves the rest findable', async t => {
  // 8 slots hold 6 rows, so every row is in a cluster; each is removed in turn.
  for (let hole = 0; hole < 6; hole++) {
    const flows = new Indexed(8)
    for (let i = 0; i < 6; i++) flows.add([i, -i, portPair(i, 1), PROTOCOL_CODE.udp])
    flows.remove(hole)
    const found = [0, 1, 2, 3, 4, 5].map(i => flows.index.find(i, -i, portPair(i, 1), PROTOCOL_CODE.udp))
    t.same(found, [0, 1, 2, 3, 4, 5].map(i => i === hole ? -1 : i), `without ${hole}`)
  }
})

t.test('every part of the key counts', async t => {
  const flows = new Indexed()
  const row = flows.add([1, 2, portPair(3, 4), PROTOCOL_CODE.tcp]), outside = flows.add([9, 9, 9, PROTOCOL_CODE.icmp], false)
  t.equal(flows.index.find(1, 2, portPair(3, 4), PROTOCOL_CODE.tcp), row)
  const others: readonly Key[] = [[2, 2, portPair(3, 4), 1], [1, 3, portPair(3, 4), 1], [1, 2, portPair(4, 3), 1], [1, 2, portPair(3, 4), 2], [1, 2, portPair(3, 4), 3]]
  for (const key of others) t.equal(flows.index.find(...key), -1)
  flows.index.remove(outside)
  t.equal(flows.index.size, 1, 'removing what is not there changes nothing')
})

t.test('a key of zeros; row 0 and the largest row', async t => {
  const flows = new Indexed()
  t.equal(flows.add([0, 0, 0, PROTOCOL_CODE.tcp]), 0)
  t.equal(flows.add([0, 0, 0, PROTOCOL_CODE.icmp]), 1)
  t.same([flows.index.find(0, 0, 0, PROTOCOL_CODE.tcp), flows.index.find(0, 0, 0, PROTOCOL_CODE.icmp), flows.index.find(0, 0, 0, PROTOCOL_CODE.udp)], [0, 1, -1])
  // Rows that are all the same one stand for 33 million.
  const one: Pick<Rows, 'limit' | 'get' | 'chunkOf' | 'placeOf'> = { limit: 0, get: () => 0, chunkOf: () => Int32Array.of(7, 8, 9, PROTOCOL_CODE.other << CODE_SHIFT), placeOf: () => 0 }
  const index = new FlowIndex(one, FIELDS)
  index.insert(MAXIMUM_ROW)
  t.equal(index.find(7, 8, 9, PROTOCOL_CODE.other), MAXIMUM_ROW)
  index.remove(MAXIMUM_ROW)
  t.equal(index.find(7, 8, 9, PROTOCOL_CODE.other), -1)
})

t.test('it doubles when three quarters are full, 4 bytes a slot', async t => {
  const flows = new Indexed(64), key = (i: number): Key => [i, i, i, PROTOCOL_CODE.udp]
  for (let i = 0; i < 48; i++) flows.add(key(i))
  t.equal(flows.index.bytes, 64 * 4)
  let last = flows.add(key(48))
  t.equal(flows.index.bytes, (64 + 128) * 4, 'the old slots stay until all rows have moved')
  for (let i = 0; i < 10_000; i++) {
    flows.remove(last)
    last = flows.add(key(48))
  }
  t.equal(flows.index.bytes, 128 * 4, 'turnover leaves nothing behind')
  t.same(Array.from({ length: 49 }, (_, i) => flows.index.find(...key(i))), Array.from({ length: 49 }, (_, i) => i))
})

t.test('doubling moves a few rows at a time, also where most rows are not in the index', async t => {
  for (const beside of [0, 50_000]) {
    const flows = new Indexed(64)
    for (let i = 0; i < beside; i++) flows.add([i, 1, 1, PROTOCOL_CODE.tcp], false)
    let moving = 0, most = 0
    for (let i = 0; i < 20_000; i++) {
      flows.add([i, 2, 2, PROTOCOL_CODE.udp])
      const slots = 2 ** Math.floor(Math.log2(flows.index.bytes / 4))
      moving = flows.index.bytes / 4 === slots ? 0 : moving + 1
      most = Math.max(most, moving / slots)
    }
    t.ok(most > 0 && most < 0.4, `and the old slots are gone after insertions to ${most.toFixed(2)} of the new ones`)
    t.same([0, 1, 7_777, 19_999].map(i => flows.index.find(i, 2, 2, PROTOCOL_CODE.udp)), [0, 1, 7_777, 19_999].map(i => i + beside))
  }
})
