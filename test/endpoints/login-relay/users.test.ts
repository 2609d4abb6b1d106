// The user file: hashes that tell nothing, a mode that lets nobody else read them, written whole or not at all.
import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { HASH_PARAMETERS, hashPassword, isPassword, parameterFlaw } from '../../../endpoints/login-relay/passwords.js'
import { UserFile, addUser, readUsers, removeUser } from '../../../endpoints/login-relay/users.js'
import { failure } from '../bench.js'
import { CHEAP } from './bench.js'

t.test('scrypt as RFC 7914 has it', async t => {
  // Section 12, second vector, of which a hash here is the first 32 bytes.
  const wanted = Buffer.from('fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162', 'hex').toString('base64')
  const salt = Buffer.from('NaCl').toString('base64')
  t.ok(await isPassword('password', { cost: 1024, block: 8, parallel: 16, salt, hash: wanted }))
  t.notOk(await isPassword('Password', { cost: 1024, block: 8, parallel: 16, salt, hash: wanted }))
})

t.test('two hashes of one password differ, and both know it', async t => {
  const [one, other] = [await hashPassword('secret', CHEAP), await hashPassword('secret', CHEAP)]
  t.not(one.salt, other.salt)
  t.not(one.hash, other.hash)
  for (const hash of [one, other]) t.same([await isPassword('secret', hash), await isPassword('secre', hash)], [true, false])
  t.equal(parameterFlaw(HASH_PARAMETERS), null)
})

t.test('add, verify, remove', async t => {
  const file = join(t.testdir({}), 'users')
  await addUser(file, 'with "quotes", and 機器', 'p', CHEAP)
  await addUser(file, 'b', 'q', CHEAP)
  t.equal((await stat(file)).mode & 0o777, 0o600)
  const users = await UserFile.open(file)
  t.equal(await users.verify('with "quotes", and 機器', 'p'), 'right')
  t.equal(await users.verify('b', 'p'), 'wrong-password')
  t.equal(await users.verify('c', ''), 'unknown-user', 'not even with the password that nobody is compared with')
  await removeUser(file, 'b')
  t.equal(await users.verify('b', 'q'), 'unknown-user', 'a change counts from the next log-in on')
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.notMatch(await readFile(file, 'utf8'), /"p"/)
  t.same(await readdir(join(file, '..')), ['users'], 'nothing is left beside it')
})

t.test('what cannot be done leaves the file as it was', async t => {
  const file = join(t.testdir({}), 'users')
  await addUser(file, 'a', 'p', CHEAP)
  const before = await readFile(file, 'utf8')
  t.match(await failure(addUser(file, 'a', 'q', CHEAP)), { reason: 'user-file', message: /has a user 'a' already; remove that one first/ })
  t.match(await failure(removeUser(file, 'z')), { message: /has no user 'z'/ })
  t.match(await failure(addUser(file, '', 'q', CHEAP)), { message: /the user ID is 0 bytes long, not 1 to 64/ })
  t.match(await failure(addUser(file, 'b', '', CHEAP)), { message: /the password is 0 bytes long/ })
  t.match(await failure(addUser(file, 'b\u0007', 'q', CHEAP)), { message: /the user ID holds a control character/ })
  t.match(await failure(addUser(file, 'b', 'q', { cost: 1000, block: 8, parallel: 1 })), { message: /cost is 1000, not a power of two/ })
  await writeFile(`${file}.new`, '')
  t.match(await failure(addUser(file, 'b', 'q', CHEAP)), { message: /somebody else is changing it; if nobody is, remove .*users\.new/ })
  t.equal(await readFile(file, 'utf8'), before)
  t.match(await failure(addUser(join(file, 'below', 'it'), 'b', 'q', CHEAP)), { message: /cannot be written/ })
  t.match(await failure(removeUser(join(file, '..', 'none'), 'b')), { message: /there is no such file; make it with: naptlab relay user add/ })
})

t.test('several writers at once: each is done or refused, and none is lost', async t => {
  const file = join(t.testdir({}), 'users')
  await addUser(file, 'first', 'p', CHEAP)
  const names = Array.from({ length: 8 }, (_, at) => `user ${at}`)
  const outcomes = await Promise.allSettled(names.map(name => addUser(file, name, 'p', CHEAP)))
  const done = names.filter((_, at) => outcomes[at].status === 'fulfilled')
  t.ok(done.length > 0)
  t.same((await readUsers(file)).map(({ userId }) => userId).sort(), ['first', ...done].sort())
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.match(outcome.reason, { message: /somebody else is changing it/ })
})

t.test('files that cannot be used', async t => {
  const good = { userId: 'a', ...await hashPassword('p', CHEAP) }
  const cases: [string, string, RegExp][] = [
    ['no JSON', 'users: []', /JSON/],
    ['something else', '{"people": []}', /no list of users/],
    ['no user', '{"users": [1]}', /users\[0\] is not a user/],
    ['no name', JSON.stringify({ users: [{ ...good, userId: 7 }] }), /users\[0\]\.userId is not a text/],
    ['a cost that takes all memory', JSON.stringify({ users: [{ ...good, cost: 2 ** 30, block: 8 }] }), /users\[0\]: cost 1073741824 with block 8 takes more than 256 MiB/],
    ['half a hash', JSON.stringify({ users: [{ ...good, hash: 'AAAA' }] }), /hash holds 3 bytes, not 32/],
    ['twice', JSON.stringify({ users: [good, good] }), /user 'a' is in it twice/],
    ['huge', ' '.repeat(9 * 2 ** 20), /larger than/],
  ]
  for (const [what, content, wanted] of cases) {
    const file = join(t.testdir({ users: content }), 'users')
    await chmod(file, 0o600)
    t.match(await failure(UserFile.open(file)), { reason: 'user-file', message: wanted }, what)
  }
  const open = join(t.testdir({ users: '{"users": []}' }), 'users')
  await chmod(open, 0o640)
  t.match(await failure(readUsers(open)), { message: /other users of this machine can read or change it; chmod 600/ })
})
