// naptlab relay: its server, terminals and users as programs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { newPassword } from '../../cli/secrets.js'
import { LOOPBACK, dial, drain } from '../endpoints/bench.js'
import { NAPTLAB, naptlab } from './naptlab.js'
import { Program } from './program.js'

/** Runs `relay user add` with the password on standard input. */
async function add(file: string, user: string, password: string): Promise<{ code: number | null, stderr: string }> {
  const child = spawn(process.execPath, [NAPTLAB, 'relay', 'user', 'add', file, user], { stdio: ['pipe', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => { stderr += String(chunk) })
  child.stdin.end(password)
  const [code] = await once(child, 'close') as [number | null]
  return { code, stderr }
}

t.test('users: added with a password from standard input, listed, removed', async t => {
  const file = join(t.testdir({}), 'users')
  t.same(await add(file, 'alice', 'one two\nthree\n'), { code: 0, stderr: '' })
  t.same(await add(file, 'bob', 'bobs'), { code: 0, stderr: '' })
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.notMatch(await readFile(file, 'utf8'), /one two|bobs/)
  t.same(await naptlab(['relay', 'user', 'list', file]), { code: 0, stdout: 'alice\nbob\n', stderr: '' })
  t.match(await add(file, 'bob', 'x'), { code: 1, stderr: /has a user 'bob' already/ })
  t.match(await add(file, 'carol', ''), { code: 2, stderr: /a password is needed/ })
  t.match(await add(file, 'carol', 'x'.repeat(129)), { code: 2, stderr: /the password is 129 bytes long, not 1 to 128/ })
  t.match(await naptlab(['relay', 'user', 'remove', file, 'bob']), { code: 0 })
  t.same(JSON.parse((await naptlab(['relay', 'user', 'list', file, '--json'])).stdout), ['alice'])
  t.match(await naptlab(['relay', 'user', 'remove', file, 'bob']), { code: 1, stderr: /has no user 'bob'/ })
})

t.test('on a terminal the password is asked for twice and not shown', async t => {
  const type = async (keys: string): Promise<{ password: string, shown: string, modes: boolean[] }> => {
    const modes: boolean[] = [], input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => { modes.push(isRaw) } })
    let shown = ''
    const output = new Writable({ write: (chunk, _encoding, done) => { shown += String(chunk); done() } })
    const asked = newPassword(input, output)
    for (const line of keys.split(/(?<=\r)/)) {
      await new Promise(setImmediate)
      input.write(line)
    }
    return { password: await asked, shown, modes }
  }
  t.same(await type('secrex\u007ft\rsecret\r'), { password: 'secret', shown: 'Password: \nAgain: \n', modes: [true, false, true, false] })
  await t.rejects(type('one\rtwo\r'), { message: /the two passwords differ/ })
  await t.rejects(type('one\u0003'), { message: /interrupted; nothing was changed/ })
  await t.rejects(type('\r'), { message: /a password is needed/ })
})

t.test('a server, a terminal with an application and one with its client', async t => {
  const root = t.testdir({ alice: 'as\n', bob: 'bs\n', wrong: 'no\n' }), file = join(root, 'users')
  await add(file, 'alice', 'as')
  await add(file, 'bob', 'bs')
  const application = createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen(0, LOOPBACK)
  await once(application, 'listening')
  t.teardown(() => application.close())

  const server = new Program(t, ['relay', 'server', '--json', '--users', file, '--address', LOOPBACK, '--port', '0', '--encryption', 'none'])
  const at = ['--json', '--encryption', 'none', '--server', LOOPBACK, '--server-port', String((await server.until('listening')).port)]
  const bob = new Program(t, ['relay', 'connect', ...at, '--user', 'bob', '--password-file', join(root, 'bob'), '--target', `${LOOPBACK}:${(application.address() as AddressInfo).port}`])
  await bob.until('logged-in')
  const alice = new Program(t, ['relay', 'connect', ...at, '--user', 'alice', '--password-file', join(root, 'alice'), '--to', 'bob', '--listen', '0'])
  const { port } = await alice.until('listening')
  const client = await dial(port)
  client.end('through the relay, and back')
  t.equal(String(await drain(client)), 'through the relay, and back')
  await server.until('released', 2)
  t.match(await server.until('communication-ended'), { sent: 27, received: 27 })

  const refused = new Program(t, ['relay', 'connect', ...at, '--user', 'alice', '--password-file', join(root, 'wrong'), '--list'])
  t.equal(await refused.exit(), 1)
  t.match(refused.of('error'), [{ reason: 'log-in-refused', message: /the user ID or the password is wrong/ }])
  for (const program of [alice, bob]) {
    program.process.kill('SIGTERM')
    t.equal(await program.exit(), 0)
  }
  await server.until('logged-out', 2)
  const list = new Program(t, ['relay', 'connect', ...at.slice(1), '--user', 'alice', '--password-file', join(root, 'alice'), '--list'])
  t.equal(await list.exit(), 0)
  t.match(list.output, /11 {2}\(3\) {4}alice logged in: connection 1/)
  t.match(list.output, /logged in: alice\n/)
  server.process.kill('SIGTERM')
  t.equal(await server.exit(), 0)
  t.notMatch(server.output + server.errors + alice.output + bob.output, /"(as|bs|no)"/)
})

t.test('wrong usage', async t => {
  const password = join(t.testdir({ p: 'x' }), 'p')
  const connect = ['relay', 'connect', '--user', 'a', '--server', LOOPBACK, '--password-file', password]
  const cases: [string[], RegExp][] = [
    [['relay'], /Which: server, connect or user\?/],
    [['relay', 'user'], /Which: add, list or remove\?/],
    [['relay', 'server'], /Missing required argument: users/],
    [connect, /give --target, or --listen with --to, or --list/],
    [[...connect, '--to', 'b'], /--listen and --to belong together/],
    [[...connect, '--listen', '0', '--to', 'b', '--allow', 'c'], /--allow is about the application of --target/],
    [[...connect, '--target', 'here'], /'here' is not ADDRESS:PORT/],
    [[...connect, '--list', '--spare', '-1'], /--spare is -1, not a whole number from 0 to 30/],
    [['relay', 'connect', '--user', 'a', '--server', LOOPBACK, '--list', '--password-file', '/nowhere/p'], /password file cannot be read/],
  ]
  for (const [args, wanted] of cases) t.match(await naptlab(args), { code: 2, stderr: wanted }, args.join(' '))
  await writeFile(password, '')
  t.match(await naptlab(['relay', 'server', '--users', password, '--encryption', 'none']), { code: 1, stderr: /other users of this machine can read|not a file that/ })
})
