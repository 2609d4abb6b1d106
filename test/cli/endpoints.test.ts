// server, accept and issue as programs: options, events as lines and as JSON, exit codes, and how they end.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { UsageError } from '../../cli/errors.js'
import { keyFor, parseDuration, parseEquipmentId, parsePeer, parsePort, parsePrefixes, readPassword } from '../../cli/options.js'
import { toLine } from '../../cli/output.js'
import { LOOPBACK } from '../endpoints/bench.js'
import { Program } from './program.js'

/** What encryption does is the next file's business. */
const CLEAR = ['--encryption', 'none']
/** Keys have a file of their own (equipment.test.ts). */
const OPEN = ['--open-registration']

async function server(test: { teardown(end: () => unknown): void }, ...more: string[]): Promise<{ program: Program, accept: string[], issue: string[] }> {
  const program = new Program(test, ['server', '--json', '--address', LOOPBACK, '--udp-port', '0', '--issuer-port', '0', '--acceptor-port', '0', ...CLEAR, ...OPEN, ...more])
  await program.until('listening', more.includes('1') ? 2 : 3)
  const port = (purpose: string) => String(program.of('listening').find(event => event.purpose === purpose)?.port)
  const at = ['--json', '--server', LOOPBACK, ...CLEAR]
  return {
    program,
    accept: ['accept', ...at, '--udp-port', port('registrations'), ...(more.includes('1') ? [] : ['--server-port', port('second connections')]), '--interval', '100ms', '--allow-to', LOOPBACK, ...OPEN],
    issue: ['issue', ...at, '--server-port', port('first connections')],
  }
}

t.test('a file and lines from program to program; the server ends at SIGTERM', async t => {
  const root = t.testdir({ 'hello.txt': 'hello', 'password': 'secret\n', 'answer.txt': 'answer' })
  const { program, accept, issue } = await server(t)
  const acceptor = new Program(t, [...accept, '--id', '2133', '--once', '--receive', join(root, 'in'), '--line', 'welcome', '--send', join(root, 'answer.txt')])
  await program.until('registered')
  const issuer = new Program(t, [...issue, '--to', '2133', '--password-file', join(root, 'password'), '--line', 'one', '--line', 'two', '--send', join(root, 'hello.txt'), '--receive', join(root, 'back')], null)
  t.equal(await issuer.exit(), 0, issuer.errors)
  t.equal(await acceptor.exit(), 0, acceptor.errors)
  t.same(acceptor.of('line-received').map(({ text }) => text), ['one', 'two'])
  t.match(issuer.of('line-received'), [{ text: 'welcome' }])
  t.equal(await readFile(join(root, 'in/hello.txt'), 'utf8'), 'hello')
  t.equal(await readFile(join(root, 'back/answer.txt'), 'utf8'), 'answer')
  t.same([...issuer.steps(), ...acceptor.steps()], ['102 S203', '102 S209', '103 S206', '103 S207', '103 S209'])
  t.notMatch(program.output + acceptor.output + issuer.output, 'secret')
  program.process.kill('SIGTERM')
  t.equal(await program.exit(), 0)
  t.equal(program.all.at(-1)?.event, 'stopped')
})

t.test('typed lines both ways; an input that ends is the end of issue and not of accept', async t => {
  const { program, accept, issue } = await server(t, '--level', '1')
  const acceptor = new Program(t, [...accept, '--id', '2133', '--level', '1'], null)
  await program.until('registered')
  const issuer = new Program(t, [...issue, '--to', '2133', '--level', '1'], null)
  await acceptor.until('connected')
  acceptor.process.stdin?.end('from 103\n')
  issuer.process.stdin?.write('from 102\n')
  t.match(await issuer.until('line-received'), { text: 'from 103' })
  t.match(await acceptor.until('line-received'), { text: 'from 102' })
  issuer.process.stdin?.end()
  t.equal(await issuer.exit(), 0, issuer.errors)
  t.match(await acceptor.until('session-ended'), { outcome: 'goodbye' })
  const again = new Program(t, [...issue, '--to', '2133', '--level', '1', '--line', 'again'], null)
  t.equal(await again.exit(), 0, 'accept goes on')
  acceptor.process.kill('SIGINT')
  t.equal(await acceptor.exit(), 0, acceptor.errors)
})

t.test('issue --data udp: the same over datagrams, both programs end by themselves', async t => {
  const root = t.testdir({ 'hello.txt': 'hello' })
  const { program, accept, issue } = await server(t, '--level', '2')
  const acceptor = new Program(t, [...accept, '--id', '2133', '--level', '2', '--once', '--receive', join(root, 'in')])
  await program.until('registered')
  const issuer = new Program(t, [...issue, '--to', '2133', '--level', '2', '--data', 'udp', '--send', join(root, 'hello.txt')], null)
  t.equal(await issuer.exit(), 0, issuer.errors)
  t.equal(await acceptor.exit(), 0, acceptor.errors)
  t.match(issuer.of('listening'), [{ transport: 'udp', purpose: 'direct connection' }])
  t.match(acceptor.of('connecting'), [{ transport: 'udp' }])
  t.equal(await readFile(join(root, 'in/hello.txt'), 'utf8'), 'hello')
})

t.test('exit code 1: the request failed, in JSON and in words', async t => {
  const { program, accept, issue } = await server(t)
  const acceptor = new Program(t, [...accept, '--id', '2133'])
  await program.until('registered')
  const unknown = new Program(t, [...issue, '--to', '9999'])
  t.equal(await unknown.exit(), 1)
  t.match(unknown.of('error'), [{ reason: 'unknown-equipment', apparatus: '102' }])
  const wrong = new Program(t, [...issue.filter(arg => arg !== '--json'), '--to', '2133'], 'guess')
  t.equal(await wrong.exit(), 1)
  t.match(wrong.errors, /error: .*the acceptor refused the password; check the password/)
  t.match(wrong.output, /S203 +first connection to/)
  t.match(await acceptor.until('password-checked'), { outcome: 'wrong' })
  const missing = new Program(t, [...issue, '--to', '2133', '--send', '/no/such/file'])
  t.equal(await missing.exit(), 1)
  t.match(missing.of('error'), [{ reason: 'file-unreadable' }])
  const taken = new Program(t, ['server', ...CLEAR, ...OPEN, '--address', LOOPBACK, '--udp-port', String(program.of('listening')[0].port)])
  t.equal(await taken.exit(), 1)
  t.match(taken.errors, /in use by another socket; end that program or choose another port/)
})

t.test('exit code 2: wrong usage', async t => {
  const root = t.testdir({ empty: '' })
  const cases: [string[], string | null, RegExp][] = [
    [['issue', '--server', 'x'], 'p', /Missing required argument: to/],
    [['issue', '--to', '1', '--server', LOOPBACK], null, /level 3 needs a password: give --password-file/],
    [['issue', '--to', '1', '--server', LOOPBACK, '--password', 'p'], null, /Unknown argument: password/],
    [['accept', '--id', '1', '--server', LOOPBACK, '--password-file', join(root, 'empty')], null, /does not hold a password/],
    [['accept', '--id', '1', '--server', LOOPBACK, '--interval', '5'], 'p', /'5' is not a duration/],
    [['accept', '--id', '1', '--server', LOOPBACK, '--open-registration', '--receive', join(root, 'empty', 'x')], 'p', /cannot be received into/],
    [['server', '--level', '4'], null, /no level 4/],
    [['server'], null, /give --equipment FILE .*or --open-registration/],
  ]
  await Promise.all(cases.map(async ([args, password, message]) => {
    const program = new Program(t, args, password)
    t.equal(await program.exit(), 2, args.join(' '))
    t.match(program.errors, message)
    t.equal(program.output, '')
  }))
})

t.test('what is typed is read strictly', async t => {
  t.same(['500ms', '1.5s', '2min', '1h'].map(parseDuration), [500, 1500, 120_000, 3_600_000])
  for (const text of ['', '1', '0s', '-1s', '1 s', '30d', '1e3s', '999h']) t.throws(() => parseDuration(text), /not a duration/)
  t.same(parsePeer('4.17.168.2:5000'), { address: '4.17.168.2', port: 5000 })
  for (const text of ['', '4.17.168.2', '4.17.168.256:1', 'host:1', '1.2.3.4:0', '1.2.3.4:x', '1.2.3.4:1:2']) t.throws(() => parsePeer(text), /is not/)
  t.throws(() => parsePort(0), /not a port/)
  t.equal(parsePort(0, 0), 0)
  t.same(parsePrefixes(['10.0.0.0/8', '127.0.0.1']), ['10.0.0.0/8', '127.0.0.1'])
  t.throws(() => parsePrefixes(['10.0.0.1/8']), { message: /did you mean 10\.0\.0\.0\/8\?/, constructor: UsageError })
  t.throws(() => parsePrefixes(['224.0.0.1']), /cannot be allowed.*Multicast/)
  t.equal(keyFor('--x FILE', 'file', false), 'file')
  t.equal(keyFor('--x FILE', undefined, true), null)
  t.throws(() => keyFor('--x FILE', 'file', true), /contradict each other/)
  t.throws(() => keyFor('--x FILE', undefined, false), /give --x FILE .*or --open-registration/)
  t.equal(parseEquipmentId(2133), '2133')
  t.throws(() => parseEquipmentId('x'.repeat(65)), /65 bytes long/)
  const file = join(t.testdir(), 'password')
  await writeFile(file, ' with spaces \r\n')
  t.equal(readPassword(file, { NAPTLAB_PASSWORD: 'other' }), ' with spaces ')
  t.throws(() => readPassword(undefined, { NAPTLAB_PASSWORD: 'x'.repeat(129) }), /longer than 128 bytes/)
  t.throws(() => readPassword(join(file, 'x'), {}), /cannot be read/)
})

t.test('a line from afar does not steer the terminal', async t => {
  const line = toLine({ time: 0, apparatus: '103', event: 'line-received', text: 'a\tb\u001b[2J\u0007' })
  t.match(line, /103 {9}line: a\tb\ufffd\[2J\ufffd$/)
})
