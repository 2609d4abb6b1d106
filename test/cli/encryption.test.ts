// The encryption options of server, accept and issue, and of the log-in relay: files, errors, key logs.
import { statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { LOOPBACK } from '../endpoints/bench.js'
import { authority } from '../endpoints/certificates.js'
import { naptlab } from './naptlab.js'
import { Program } from './program.js'

const ca = await authority()
const identity = await ca.issue()

/** A folder with what `naptlab ca` would leave. */
function files(test: { testdir(tree: Record<string, string>): string }): (name: string) => string {
  const root = test.testdir({ 'ca.pem': ca.ca, 'server.pem': identity.certificate, 'server.key': identity.key })
  return name => join(root, name)
}

for (const variant of [[], ['--encryption', 'tls1.2', '--key-exchange', 'rsa']]) {
  t.test(`from program to program: ${variant.join(' ') || 'the default'}`, async t => {
    const file = files(t)
    const server = new Program(t, ['server', ...variant, '--json', '--open-registration', '--address', LOOPBACK, '--udp-port', '0', '--issuer-port', '0', '--acceptor-port', '0',
      '--certificate', file('server.pem'), '--key', file('server.key'), '--keylog', file('keys.log')])
    await server.until('listening', 3)
    const port = (purpose: string) => String(server.of('listening').find(event => event.purpose === purpose)?.port)
    const at = [...variant, '--json', '--server', LOOPBACK, '--ca', file('ca.pem')]
    const acceptor = new Program(t, ['accept', ...at, '--id', '2133', '--once', '--udp-port', port('registrations'), '--server-port', port('second connections'), '--interval', '100ms', '--data', 'tls', '--open-registration', '--allow-to', LOOPBACK])
    await server.until('registered')
    const issue = ['issue', ...at, '--to', '2133', '--server-port', port('first connections'), '--line', 'hello']
    const clear = new Program(t, issue)
    t.equal(await clear.exit(), 1)
    t.match(clear.of('error'), [{ reason: 'encryption-required' }])
    const issuer = new Program(t, [...issue, '--data', 'tls', '--keylog', file('data.log')])
    t.equal(await issuer.exit(), 0, issuer.errors)
    t.equal(await acceptor.exit(), 0, acceptor.errors)
    t.match(acceptor.of('line-received'), [{ text: 'hello' }])
    for (const log of ['keys.log', 'data.log']) {
      t.match(await readFile(file(log), 'utf8'), /^([A-Z0-9_]+ [0-9a-f]{16,64} [0-9a-f]+\n)+$/)
      t.equal(statSync(file(log)).mode & 0o777, 0o600)
    }
    const stranger = new Program(t, ['issue', ...variant, '--json', '--server', LOOPBACK, '--ca', file('other.pem'), '--to', '2133', '--server-port', port('first connections')])
    t.equal(await stranger.exit(), 2)
    await writeFile(file('other.pem'), (await authority()).ca)
    const distrustful = new Program(t, ['issue', ...variant, '--json', '--server', LOOPBACK, '--ca', file('other.pem'), '--to', '2133', '--server-port', port('first connections')])
    t.equal(await distrustful.exit(), 1)
    t.match(distrustful.of('error'), [{ reason: 'certificate-untrusted', message: /is not signed by this CA/ }])
    t.match(await server.until('error'), { reason: 'certificate-refused' })
  })
}

t.test('the log-in relay', async t => {
  const file = files(t)
  const added = new Program(t, ['relay', 'user', 'add', file('users'), 'alice'])
  added.process.stdin?.end('secret\n')
  t.equal(await added.exit(), 0)
  const server = new Program(t, ['relay', 'server', '--json', '--users', file('users'), '--address', LOOPBACK, '--port', '0', '--certificate', file('server.pem'), '--key', file('server.key')])
  const { port } = await server.until('listening')
  const list = (...more: string[]) => new Program(t, ['relay', 'connect', '--json', '--server', LOOPBACK, '--server-port', String(port), '--user', 'alice', '--list', ...more])
  t.equal(await list('--ca', file('ca.pem')).exit(), 0)
  const clear = list('--encryption', 'none')
  t.equal(await clear.exit(), 1)
  t.match(clear.of('error')[0].message, /encrypted as this end is/)
})

t.test('exit code 2: what cannot be', async t => {
  const file = files(t)
  const server = ['server', '--open-registration', '--address', LOOPBACK], issue = ['issue', '--to', '1', '--server', LOOPBACK, '--level', '2'], accept = ['accept', '--id', '1', '--server', LOOPBACK, '--open-registration', '--level', '2']
  const cases: [string[], RegExp][] = [
    [server, /--encryption tls1\.3 needs --certificate and --key: .*--encryption none/],
    [issue, /--encryption tls1\.3 needs --ca: .*--encryption none/],
    [accept, /needs --ca/],
    [[...server, '--encryption', 'ssl3'], /SSL 3\.0 is broken and runs on a bench alone/],
    [[...issue, '--encryption', 'ssl3', '--ca', file('ca.pem')], /SSL 3\.0 is broken/],
    [[...issue, '--key-exchange', 'rsa', '--ca', file('ca.pem')], /tls1\.3 has no key exchange rsa: .*; choose dhe/],
    [[...issue, '--encryption', 'none', '--ca', file('ca.pem')], /--ca has no use with --encryption none/],
    [[...server, '--encryption', 'none', '--keylog', file('keys')], /--keylog has no use/],
    [[...issue, '--encryption', 'tls2'], /Invalid values:[^]*tls1\.3/],
    [[...issue, '--ca', file('none.pem')], /the file of --ca cannot be read: ENOENT/],
    [[...issue, '--ca', file('server.key')], /server\.key: the certificate cannot be read: it holds no PEM certificate/],
    [[...server, '--certificate', file('ca.pem'), '--key', file('server.key')], /ca\.pem and .*server\.key: key or certificate cannot be used: .*private key that belongs to it/],
    [[...issue, '--ca', file('ca.pem'), '--keylog', file('no/such/folder')], /the key log cannot be written: ENOENT/],
    [[...issue, '--encryption', 'none', '--data', 'tls'], /--data tls needs connections with the server that are encrypted/],
    [['issue', '--to', '1', '--server', LOOPBACK, '--level', '1', '--ca', file('ca.pem'), '--data', 'tls'], /--data tls needs level 2 or 3/],
  ]
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stdout, stderr } = await naptlab(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
    t.equal(stdout, '')
  }))
})
