// Two acceptors under one ID are told from one whose address changes.
import t from 'tap'
import { Claims } from '../../endpoints/claims.js'
import { Bench } from './bench.js'
import { toLine } from '../../cli/output.js'

const [A, B, C] = [1, 2, 3].map(port => ({ address: '202.204.16.13', port }))
const LIFETIME = 45_000, INTERVAL = 15_000

/** An entry that moves from one address to the next, at each of them for one interval; gives at which moves a claim was told. */
function told(claims: Claims, places: readonly { address: string, port: number }[], start = 0): number[] {
  return places.slice(1).flatMap((to, i) =>
    claims.moved('2133', { ...places[i], age: INTERVAL }, to, start + (i + 1) * INTERVAL) ? [i + 1] : [])
}

t.test('an address that changes, once or again and again (S202A), is no claim', async t => {
  t.same(told(new Claims(LIFETIME), [A, B]), [])
  t.same(told(new Claims(LIFETIME), [A, B, C, { ...A, address: '202.204.16.99' }]), [])
})

t.test('an address that comes back while it would still be in the list is one', async t => {
  t.same(told(new Claims(LIFETIME), [A, B, A]), [2])
  t.same(told(new Claims(LIFETIME), [A, B, C, A]), [3], 'three of them')
})

t.test('it is told once in a lifetime', async t => {
  t.same(told(new Claims(LIFETIME), [A, B, A, B, A, B, A, B, A]), [2, 6])
})

t.test('an address that comes back after a lifetime has only been given again', async t => {
  const claims = new Claims(LIFETIME)
  t.equal(claims.moved('2133', { ...A, age: INTERVAL }, B, 15_000), false)
  t.equal(claims.moved('2133', { ...B, age: INTERVAL }, A, 45_001), false)
})

t.test('what has lapsed is forgotten, and IDs have nothing to do with each other', async t => {
  const claims = new Claims(LIFETIME)
  claims.moved('2133', { ...A, age: 10 }, B, 10)
  t.equal(claims.moved('4711', { ...B, age: 10 }, A, 20), false)
  claims.forget('2133')
  t.equal(claims.moved('2133', { ...B, age: 10 }, A, 20), false)
})

t.test('a server reports two acceptors with one ID, and no other', async t => {
  const bench = await Bench.start(t)
  await bench.accept('alone')
  await bench.accept('shared')
  await bench.accept('shared')
  const claimed = await bench.log.until('claimed')
  t.equal(claimed.equipmentId, 'shared')
  const ports = new Set(bench.log.of('registered').filter(({ equipmentId }) => equipmentId === 'shared').map(({ port }) => port))
  t.same(new Set([claimed.port, claimed.rival.port]), ports, 'it says who the two are')
  t.match(toLine(claimed), /shared is claimed by two acceptors: registrations come from 127\.0\.0\.1:\d+ and from 127\.0\.0\.1:\d+/)
  t.notOk(bench.log.of('claimed').some(({ equipmentId }) => equipmentId !== 'shared'))
})
