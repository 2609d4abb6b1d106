// The equipment list of Fig. 9, with the time given.
import t from 'tap'
import { EquipmentRegistry } from '../../endpoints/index.js'

const home = { address: '202.204.16.13', port: 3400 }

t.test('one row an equipment: added, refreshed, moved', async t => {
  const registry = new EquipmentRegistry({ lifetime: 1000, maxEntries: 10 })
  t.equal(registry.register('2133', home, 64, 0), 'added')
  t.equal(registry.register('2133', home, 64, 500), 'refreshed')
  t.equal(registry.register('2133', { ...home, port: 2400 }, 64, 600), 'moved')
  t.equal(registry.register('4711', home, 64, 650), 'added')
  t.same(registry.list(700), [
    { equipmentId: '2133', address: '202.204.16.13', port: 2400, age: 100 },
    { equipmentId: '4711', ...home, age: 50 },
  ])
  t.same(registry.find('2133', 700), { equipmentId: '2133', address: '202.204.16.13', port: 2400, age: 100 })
  t.equal(registry.find('1', 700), null)
})

t.test('an entry lapses when registrations stop', async t => {
  const registry = new EquipmentRegistry({ lifetime: 1000, maxEntries: 10 })
  registry.register('old', home, 64, 0)
  registry.register('new', home, 64, 900)
  t.ok(registry.find('old', 1000))
  t.equal(registry.find('old', 1001), null)
  t.same(registry.list(1001).map(({ equipmentId }) => equipmentId), ['new'])
  t.same(registry.expire(1001).map(({ equipmentId }) => equipmentId), ['old'])
  t.same(registry.expire(1001), [])
  registry.register('new', home, 64, 1500)
  t.same(registry.expire(2000), [], 'a refreshed entry is young again')
  t.equal(registry.register('old', home, 64, 2000), 'added')
})

t.test('the list is bounded', async t => {
  const registry = new EquipmentRegistry({ lifetime: 1000, maxEntries: 2 })
  registry.register('a', home, 64, 0)
  registry.register('b', home, 64, 0)
  t.equal(registry.register('c', home, 64, 0), 'full')
  t.equal(registry.register('a', home, 64, 0), 'refreshed')
  t.equal(registry.list(0).length, 2)
  registry.expire(2000)
  t.equal(registry.register('c', home, 64, 2000), 'added')
})

t.test('an address is never sent more bytes than came from it', async t => {
  const registry = new EquipmentRegistry({ lifetime: 1e9, maxEntries: 2 })
  registry.register('a', home, 64, 0)
  t.same(registry.spend('a', 40, 0), home)
  t.equal(registry.spend('a', 40, 0), null)
  t.same(registry.spend('a', 24, 0), home)
  registry.register('a', home, 64, 1)
  t.same(registry.spend('a', 64, 1), home)
  registry.register('a', home, 64, 2)
  registry.register('a', { ...home, port: 1 }, 11, 3)
  t.equal(registry.spend('a', 12, 3), null, 'what the old address sent does not count for the new one')
  for (let now = 4; now < 10_000; now++) registry.register('a', { ...home, port: 1 }, 64, now)
  t.equal(registry.spend('a', 5000, 10_000), null, 'and nobody saves up for a flood')
  t.equal(registry.spend('b', 1, 0), null)
})
