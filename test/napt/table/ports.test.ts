// Port pools: the first port of a protocol, then sequential; preservation; exhaustion and release.
import t from 'tap'
import { PortPool } from '../../../napt/table/ports.js'

const take = (pool: PortPool, count: number): number[] => Array.from({ length: count }, () => pool.allocate('sequential', 0))

t.test('from the first port upwards', async t => {
  t.same(take(new PortPool(3400, 1024), 3), [3400, 3401, 3402])
  t.same(take(new PortPool(0, 0), 3), [0, 1, 2], 'ICMP identifiers begin at 0')
})

t.test('after 65535 comes the lowest port', async t => {
  t.same(take(new PortPool(65534, 1024), 4), [65534, 65535, 1024, 1025])
  t.same(take(new PortPool(65535, 0), 2), [65535, 0])
  t.same(take(new PortPool(80, 1024), 2), [80, 81], 'a first port below the lowest is meant')
})

t.test('taken ports are passed over, released ones come when their turn does', async t => {
  const pool = new PortPool(3400, 1024)
  t.ok(pool.take(3401))
  t.notOk(pool.take(3401), 'twice')
  t.same(take(pool, 2), [3400, 3402])
  pool.release(3400)
  t.notOk(pool.isTaken(3400))
  t.same(take(pool, 1), [3403], 'not the released one: the next')
  pool.release(3400)
  t.equal(pool.takenCount, 3, 'a second release changes nothing')
})

t.test('setNext', async t => {
  const pool = new PortPool(3400, 1024)
  take(pool, 1)
  pool.setNext(2400)
  t.same(take(pool, 2), [2400, 2401])
  pool.setNext(3400)
  t.same(take(pool, 1), [3401], 'a taken port is passed over')
})

t.test('preserve gives the wanted port where it is free', async t => {
  const pool = new PortPool(5000, 1024)
  t.equal(pool.allocate('preserve', 2000), 2000)
  t.equal(pool.allocate('preserve', 2000), 5000, 'else the sequential one')
  t.equal(pool.allocate('preserve', 80), 5001, 'a well-known port is nobody\'s')
  pool.release(2000)
  t.equal(pool.allocate('preserve', 2000), 2000)
})

t.test('exhaustion, and the one port that was released', async t => {
  const pool = new PortPool(3400, 1024)
  const all = take(pool, 65536 - 1024)
  t.equal(new Set(all).size, 65536 - 1024)
  t.same([Math.min(...all), Math.max(...all)], [1024, 65535])
  t.equal(pool.allocate('sequential', 0), -1)
  t.equal(pool.allocate('preserve', 4000), -1)
  pool.release(3399)
  t.equal(pool.allocate('sequential', 0), 3399)
  pool.setNext(1000)
  t.equal(pool.allocate('sequential', 0), 1000, 'a port below the lowest, if that is meant')
  pool.release(1000)
  for (let refused = 0; refused < 1_000_000; refused++) if (pool.allocate('sequential', 0) >= 1024) t.fail('there is none')
})

t.test('a search that begins below the lowest port still gets round to 65535', async t => {
  const pool = new PortPool(1024, 1024)
  for (let port = 80; port < 65535; port++) pool.take(port)
  pool.setNext(80)
  t.equal(pool.allocate('sequential', 0), 65535)
})
