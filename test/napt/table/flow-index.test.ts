// The flow index against a Map, over seeded operations; and what a hash table gets wrong first: collisions, growth, removal.
import t from 'tap'
import { FlowIndex, MAXIMUM_ROW, portPair, PROTOCOL_CODE, type ProtocolCode } from '../../../napt/table/flow-index.js'
import { Random } from '../random.js'

type Key = readonly [a: number, b: number, ports: number, code: ProtocolCode]

t.test('the same answers as a Map, over 100,000 random operations', async t => {
  const random = new Random(2)
  const index = new FlowIndex(4), model = new Map<string, number>()
  // Few keys, so that most operations meet one that is there; neighbouring ones, so that clusters form.
  const keys: Key[] = Array.from({ length: 500 }, (_, i) =>
    [(0xc0a80100 + i % 7) | 0, random.word() | 0, portPair(random.below(4) + 65534 - 2, i), random.pick(Object.values(PROTOCOL_CODE))])
  let wrong = 0
  for (let step = 0; step < 100_000; step++) {
    const key = random.pick(keys), name = key.join(), known = model.get(name)
    if (index.find(...key) !== (known ?? -1)) wrong++
    // The table fills and empties by turns.
    if (known === undefined && random.below(100) < (step % 20_000 < 10_000 ? 70 : 20)) {
      const row = random.below(MAXIMUM_ROW + 1)
      index.insert(...key, row)
      model.set(name, row)
    } else if (known !== undefined && random.below(100) < (step % 20_000 < 10_000 ? 20 : 70)) {
      index.remove(...key)
      model.delete(name)
    }
    if (index.size !== model.size) wrong++
  }
  for (const key of keys) if (index.find(...key) !== (model.get(key.join()) ?? -1)) wrong++
  t.equal(wrong, 0)
})

t.test('a removal anywhere in a cluster leaves the rest findable', async t => {
  // 8 slots hold 6 entries, so every entry is in a cluster; each is removed in turn.
  for (let hole = 0; hole < 6; hole++) {
    const index = new FlowIndex(8)
    for (let i = 0; i < 6; i++) index.insert(i, -i, portPair(i, 1), PROTOCOL_CODE.udp, i)
    index.remove(hole, -hole, portPair(hole, 1), PROTOCOL_CODE.udp)
    const found = [0, 1, 2, 3, 4, 5].map(i => index.find(i, -i, portPair(i, 1), PROTOCOL_CODE.udp))
    t.same(found, [0, 1, 2, 3, 4, 5].map(i => i === hole ? -1 : i), `without ${hole}`)
  }
})

t.test('every part of the key counts', async t => {
  const index = new FlowIndex()
  index.insert(1, 2, portPair(3, 4), PROTOCOL_CODE.tcp, 9)
  t.equal(index.find(1, 2, portPair(3, 4), PROTOCOL_CODE.tcp), 9)
  const others: readonly Key[] = [[2, 2, portPair(3, 4), 1], [1, 3, portPair(3, 4), 1], [1, 2, portPair(4, 3), 1], [1, 2, portPair(3, 4), 2], [1, 2, portPair(3, 4), 3]]
  for (const key of others) t.equal(index.find(...key), -1)
  index.remove(9, 9, 9, PROTOCOL_CODE.icmp)
  t.equal(index.size, 1, 'removing what is not there changes nothing')
})

t.test('row 0 and the largest row; a key of zeros', async t => {
  const index = new FlowIndex()
  index.insert(0, 0, 0, PROTOCOL_CODE.tcp, 0)
  index.insert(0, 0, 0, PROTOCOL_CODE.icmp, MAXIMUM_ROW)
  t.same([index.find(0, 0, 0, PROTOCOL_CODE.tcp), index.find(0, 0, 0, PROTOCOL_CODE.icmp), index.find(0, 0, 0, PROTOCOL_CODE.udp)], [0, MAXIMUM_ROW, -1])
})

t.test('it doubles when three quarters are full, 16 bytes an entry', async t => {
  const index = new FlowIndex(64)
  for (let i = 0; i < 48; i++) index.insert(i, i, i, PROTOCOL_CODE.udp, i)
  t.equal(index.bytes, 64 * 16)
  index.insert(48, 48, 48, PROTOCOL_CODE.udp, 48)
  t.equal(index.bytes, 128 * 16)
  for (let i = 0; i < 10_000; i++) {
    index.remove(48, 48, 48, PROTOCOL_CODE.udp)
    index.insert(48, 48, 48, PROTOCOL_CODE.udp, 48)
  }
  t.equal(index.bytes, 128 * 16, 'turnover leaves nothing behind')
  t.same(Array.from({ length: 49 }, (_, i) => index.find(i, i, i, PROTOCOL_CODE.udp)), Array.from({ length: 49 }, (_, i) => i))
})
