// The memory of a router: what is given out is zero and nobody else's, what is given back is used again, and views outlive growth.
import t from 'tap'
import { RouterMemory } from '../../napt/router-memory.js'
import { Random } from './random.js'

t.test('pieces do not overlap, are zeros whoever had them before, and are counted', async t => {
  const memory = new RouterMemory(), random = new Random(3), held: { words: Int32Array, mark: number }[] = [], wrong: string[] = []
  let bytes = 0, most = 0
  for (let step = 1; step <= 4000; step++) {
    if (held.length > 0 && random.oneIn(2)) {
      const [{ words, mark }] = held.splice(random.below(held.length), 1)
      if (words.some(word => word !== mark)) wrong.push(`step ${step}: somebody else wrote into a piece of ${words.length}`)
      bytes -= words.byteLength
      memory.release(words)
    } else {
      const words = memory.allocate(2 ** (4 + random.below(8)))
      if (words.some(word => word !== 0)) wrong.push(`step ${step}: no zeros`)
      if (words.byteOffset % 64 !== 0) wrong.push(`step ${step}: not at the beginning of a line`)
      held.push({ words: words.fill(step), mark: step })
      bytes += words.byteLength
    }
    most = Math.max(most, bytes)
    if (memory.used !== bytes) wrong.push(`step ${step}: ${memory.used} for ${bytes}`)
  }
  t.same(wrong, [])
  t.ok(memory.memory.buffer.byteLength < 4 * most, `what was given back is used again: ${memory.memory.buffer.byteLength} for ${most} at most`)
})

t.test('a large piece that was given back is cut into smaller ones', async t => {
  const memory = new RouterMemory(), large = memory.allocate(1 << 16), before = memory.memory.buffer.byteLength
  memory.release(large)
  const pieces = Array.from({ length: 16 }, () => memory.allocate(1 << 12))
  t.equal(memory.memory.buffer.byteLength, before)
  t.same(pieces.map(({ byteOffset }) => byteOffset).sort((a, b) => a - b), Array.from({ length: 16 }, (_, i) => large.byteOffset + i * (1 << 14)))
})

t.test('views stay good while it grows, and it knows its own', async t => {
  const memory = new RouterMemory(), first = memory.allocate(16), frames = memory.pages(5000)
  first[3] = 77
  const buffers = new Set([first.buffer])
  for (let i = 0; i < 20; i++) buffers.add(memory.allocate(1 << 16).buffer)
  t.ok(buffers.size > 2, 'it has grown')
  memory.words(first.byteOffset, 16)[4] = 78
  t.same([...first.subarray(3, 5)], [77, 78])
  t.same([frames.length, frames.byteOffset % 4096], [5000, 0])
  t.ok([first, frames, memory.numbers(0, 1), memory.bytes(0, 1)].every(view => memory.holds(view)))
  t.notOk(memory.holds(new RouterMemory().allocate(16)) || memory.holds(new Uint8Array(16)))
})

t.test('more than its addresses reach is refused', async t => {
  const memory = new RouterMemory()
  t.throws(() => memory.pages(2 ** 32), { name: 'RangeError' })
  memory.allocate(16).fill(1)
})
