// The search for the highest rate without loss, against a router that is a number: what it takes, what a machine takes away from it, and
// a source that is slower than asked.
import t from 'tap'
import { highestRate, limitLine, type Attempt } from '../../bench/recording-limit.js'

/** A router that takes so many packets a second; `unlucky` attempts lose some besides, by number. */
function takes(limit: number, { source = Infinity, unlucky = [] as readonly number[] } = {}): { readonly asked: number[], readonly attempt: (rate: number) => Promise<Attempt> } {
  const asked: number[] = []
  const attempt = (wanted: number): Promise<Attempt> => {
    const rate = Math.min(wanted, source), packets = Math.round(rate / 2)
    const lost = Math.max(0, packets - limit / 2) + (unlucky.includes(asked.length) ? packets / 100 : 0)
    asked.push(wanted)
    return Promise.resolve({ rate, packets, lost })
  }
  return { asked, attempt }
}

t.test('the last rate of which nothing is lost', async t => {
  const { asked, attempt } = takes(300_000), highest = await highestRate(attempt)
  t.ok(highest <= 300_000 && highest > 300_000 / 1.16, String(highest))
  t.equal(asked.filter(rate => rate > 300_000).length, 2, 'one failure may be the machine; two are the limit')
})

t.test('a step at which the machine was elsewhere does not end it', async t => {
  t.equal(await highestRate(takes(300_000, { unlucky: [2, 5] }).attempt), await highestRate(takes(300_000).attempt))
  t.ok(await highestRate(takes(300_000, { unlucky: [2, 3] }).attempt) < 100_000)
})

t.test('what the source offered counts, not what was asked of it', async t => {
  const { asked, attempt } = takes(Infinity, { source: 200_000 })
  t.equal(await highestRate(attempt), 200_000)
  t.ok((asked.at(-1) ?? 0) < 1_000_000, 'and it ends')
  t.equal(await highestRate(takes(10).attempt), 0)
})

t.test('in a line', async t => {
  const spread = (median: number, least: number, most: number) => ({ median, least, most })
  t.equal(limitLine({ off: spread(412_345, 390_000, 451_000), on: spread(201_000, 180_500, 222_222), ratio: spread(0.488, 0.4, 0.5) }),
    'highest rate without loss, thousands a second: 412 (390–451), with recording 201 (181–222): 0.49 × (0.40–0.50)')
})
