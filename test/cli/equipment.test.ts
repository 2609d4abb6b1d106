// naptlab equipment, and server and accept with what it makes; no output shows a key or a password.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { LOOPBACK } from '../endpoints/bench.js'
import { naptlab } from './naptlab.js'
import { Program } from './program.js'

t.test('add, list and remove; exit codes', async t => {
  const folder = t.testdir(), file = join(folder, 'equipment'), keyFile = join(folder, '2133.key')
  t.match(await naptlab(['equipment', 'add', file, '2133', '--write', keyFile]), { code: 0, stdout: '' })
  const printed = await naptlab(['equipment', 'add', file, '4711'])
  t.match(printed, { code: 0, stdout: /^[0-9a-f]{64}\n$/ })
  t.match(await naptlab(['equipment', 'add', join(folder, 'other'), '2133', '--take', keyFile]), { code: 0, stdout: '' })
  t.equal((await stat(keyFile)).mode & 0o777, 0o600)
  t.match(await naptlab(['equipment', 'list', file, '--json']), { code: 0, stdout: '["2133","4711"]\n' })
  t.match(await naptlab(['equipment', 'add', file, '2133']), { code: 1, stdout: '', stderr: /already; remove that first/ })
  t.match(await naptlab(['equipment', 'remove', file, '4711']), { code: 0 })
  t.match(await naptlab(['equipment', 'list', file]), { code: 0, stdout: '2133\n' })
})

t.test('programs with a key, and one with another', async t => {
  const folder = t.testdir(), file = join(folder, 'equipment'), keyFile = join(folder, 'key'), wrongFile = join(folder, 'wrong')
  await naptlab(['equipment', 'add', file, '2133', '--write', keyFile])
  await naptlab(['equipment', 'add', join(folder, 'other'), '2133', '--write', wrongFile])
  const secret = 'correct horse 4711', clear = ['--encryption', 'none'], at = ['--server', LOOPBACK, ...clear]
  const server = new Program(t, ['server', '--json', '--address', LOOPBACK, '--udp-port', '0', '--issuer-port', '0', '--acceptor-port', '0', '--equipment', file, ...clear])
  await server.until('listening', 3)
  const [udp, issuers, acceptors] = server.of('listening').map(({ port }) => String(port))
  const accept = ['accept', '--json', ...at, '--id', '2133', '--udp-port', udp, '--server-port', acceptors, '--interval', '100ms']
  const stranger = new Program(t, [...accept, '--equipment-key', wrongFile], secret)
  t.match(await server.until('error'), { reason: 'not-authenticated', message: /authenticator is wrong/ })
  stranger.process.kill('SIGTERM')
  const acceptor = new Program(t, [...accept, '--equipment-key', keyFile, '--allow-to', LOOPBACK, '--once'], secret)
  await server.until('registered')
  const issue = ['issue', ...at, '--server-port', issuers, '--to', '2133', '--line', 'hello']
  const wrong = new Program(t, issue, 'battery staple')
  t.equal(await wrong.exit(), 1)
  const issuer = new Program(t, issue, secret)
  t.equal(await issuer.exit(), 0, issuer.errors)
  t.equal(await acceptor.exit(), 0, acceptor.errors)
  const key = (await readFile(keyFile, 'utf8')).trim()
  const shown = [server, stranger, acceptor, wrong, issuer].map(({ output, errors }) => output + errors).join('\n')
  for (const each of [secret, 'battery staple', key]) t.notOk(shown.includes(each))
  t.match(shown, /hello/)
})
