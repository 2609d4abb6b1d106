// The files with the keys, and how a running server sees a change.
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { EquipmentFile, addEquipment, listEquipment, newKey, parseKey, readKeyFile, removeEquipment } from '../../../endpoints/index.js'
import { failure } from '../bench.js'

const nobody = (error: Error): void => { throw error }

t.test('added, listed and removed; both files are their owner\'s alone', async t => {
  const folder = t.testdir(), path = join(folder, 'equipment'), keyFile = join(folder, '2133.key')
  const key = newKey()
  await addEquipment(path, '2133', key, keyFile)
  await addEquipment(path, 'an "odd" one', newKey())
  t.same(await listEquipment(path), ['2133', 'an "odd" one'])
  for (const file of [path, keyFile]) t.equal((await stat(file)).mode & 0o777, 0o600)
  t.equal(readKeyFile(keyFile), key)
  t.same(new EquipmentFile(path, nobody).keyOf('2133'), parseKey(key))
  t.match(await failure(addEquipment(path, '2133', newKey(), join(folder, 'new.key'))), { reason: 'equipment-file', message: /has equipment '2133' already/ })
  t.rejects(stat(join(folder, 'new.key')), 'nothing is left behind')
  t.match(await failure(addEquipment(path, '1', newKey(), keyFile)), { message: /there is a file already/ })
  t.same(await listEquipment(path), ['2133', 'an "odd" one'])
  t.match(await failure(addEquipment(path, 'x'.repeat(65), newKey())), { message: /65 bytes long/ })
  t.match(await failure(addEquipment(path, '1', 'beef')), { message: /64 hexadecimal digits/ })
  await removeEquipment(path, '2133')
  t.same(await listEquipment(path), ['an "odd" one'])
  t.match(await failure(removeEquipment(path, '2133')), { message: /has no equipment '2133'.*equipment list/ })
})

t.test('what cannot be used is refused, and no error shows a key', async t => {
  const folder = t.testdir(), path = join(folder, 'equipment'), secret = newKey()
  const bad: [string, RegExp][] = [
    [`{"equipment":[{"equipmentId":"1","key":"${secret}"}`, /is not JSON/], [secret, /is not JSON/], ['{}', /no list of equipment/],
    [`{"equipment":[{"equipmentId":"1","key":"${secret}00"}]}`, /not 64 hexadecimal/], [`{"equipment":[{"key":"${secret}"}]}`, /no equipment ID/],
    [`{"equipment":[null]}`, /no equipment ID/], [JSON.stringify({ equipment: [1, 2].map(() => ({ equipmentId: '1', key: secret })) }), /in it twice/],
  ]
  for (const [text, message] of bad) {
    await writeFile(path, text, { mode: 0o600 })
    const error = await failure(listEquipment(path)) as Error
    t.match(error, { reason: 'equipment-file', message })
    t.notMatch(String(error.stack), secret)
  }
  await chmod(path, 0o640)
  t.match(await failure(listEquipment(path)), { message: /other users of this machine.*chmod 600/ })
  t.throws(() => new EquipmentFile(join(folder, 'none'), nobody), /put it back|no such file/)
  const keyFile = join(folder, 'key')
  t.throws(() => readKeyFile(keyFile), /no such file/)
  await writeFile(keyFile, `${secret}x\n`, { mode: 0o600 })
  t.throws(() => readKeyFile(keyFile), /does not hold 64/)
  await writeFile(keyFile, `${secret}\n`)
  await chmod(keyFile, 0o604)
  t.throws(() => readKeyFile(keyFile), /other users/)
})

t.test('a running server sees changes a second later; a file that is spoilt lets nobody in, and is told once', async t => {
  const path = join(t.testdir(), 'equipment'), troubles: string[] = []
  await addEquipment(path, '1', newKey())
  let now = 0
  const file = new EquipmentFile(path, error => void troubles.push(error.message), () => now)
  await addEquipment(path, '2', newKey())
  t.equal(file.keyOf('2'), null)
  now = 1000
  t.ok(file.keyOf('2'))
  await removeEquipment(path, '1')
  now = 2000
  t.equal(file.keyOf('1'), null)
  const text = await readFile(path, 'utf8')
  await writeFile(path, '{')
  for (now = 3000; now < 9000; now += 500) t.equal(file.keyOf('2'), null)
  t.equal(troubles.length, 1)
  await writeFile(path, text)
  now = 10_000
  t.ok(file.keyOf('2'))
})
