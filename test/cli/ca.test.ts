// naptlab ca: a CA, servers and requests as files, and all of Fig. 5 between programs.
import { spawnSync } from 'node:child_process'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { LOOPBACK } from '../endpoints/bench.js'
import { needsOpenssl } from '../prerequisites.js'
import { naptlab } from './naptlab.js'
import { Program } from './program.js'

const root = t.testdir({ secret: 'a secret of at least sixteen bytes\n', other: 'another secret of sixteen bytes\n', short: 'short\n', junk: 'junk' })
const path = (...names: string[]): string => join(root, ...names)
const ca = async (...args: string[]): Promise<{ code: number | null, stdout: string, stderr: string }> => naptlab(['ca', ...args])
const mode = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

const made = await ca('init', path('ca'), '--name', 'CA of the test')
const FINGERPRINT = /SHA-256\s+([0-9A-F:]{95})/.exec(made.stdout)?.[1] ?? ''

t.test('init makes a CA, once', async t => {
  t.match(made, { code: 0, stderr: '', stdout: /written .*ca\.key\nwritten .*ca\.crt\ncertificate of +CN=CA of the test\n/ })
  t.equal(await mode(path('ca', 'ca.key')), 0o600)
  const before = await readFile(path('ca', 'ca.key'))
  const [again, nowhere, brief, shown, json, junk, none] = await Promise.all([
    ca('init', path('ca')), ca('init', path('junk', 'x')), ca('init', path('y'), '--days', '0'),
    ca('show', path('ca', 'ca.crt')), ca('show', path('ca', 'ca.crt'), '--json'), ca('show', path('junk')), ca('show', path('none')),
  ])
  t.match(again, { code: 2, stderr: /ca\.key is there already, and is left as it is/ })
  t.same(await readFile(path('ca', 'ca.key')), before)
  t.match(nowhere, { code: 2, stderr: /cannot be made/ })
  t.match(brief, { code: 2, stderr: /not a number of days/ })
  t.match(shown, { code: 0, stdout: /kind +CA certificate\n/ })
  t.match(JSON.parse(json.stdout), { 'SHA-256': FINGERPRINT })
  t.match(junk, { code: 2, stderr: /neither a certificate nor a certificate request/ })
  t.match(none, { code: 2, stderr: /there is no file/ })
})

t.test('a request and a certificate as files', async t => {
  t.match(await ca('request', '--name', '130.74.23.6', '--name', 'Server.Example', '--out', path('server')), { code: 0, stdout: /server\.key\nwritten .*server\.csr\n/ })
  t.equal(await mode(path('server', 'server.key')), 0o600)
  const damaged = (await readFile(path('server', 'server.csr'), 'utf8')).replace(/.(?==*\n-----END)/, letter => letter === 'A' ? 'B' : 'A')
  await writeFile(path('damaged'), damaged)
  const issue = (...args: string[]) => ca('issue', path('ca'), path('server', 'server.csr'), '--out', path('server', 'server.crt'), ...args)
  const allowed = ['--allow', '130.74.23.6', '--allow', 'server.example']
  const [again, misnamed, shown, denied, broken] = await Promise.all([
    ca('request', '--name', '130.74.23.6', '--out', path('server')), ca('request', '--name', '*', '--out', path('z')),
    ca('show', path('server', 'server.csr')), issue('--allow', '130.74.23.6'), ca('show', path('damaged')),
  ])
  t.match(again, { code: 2, stderr: /server\.key is there already/ })
  t.match(misnamed, { code: 2, stderr: /'\*' is neither an IPv4 address nor a DNS name/ })
  t.match(shown, { code: 0, stdout: /names +130\.74\.23\.6, server\.example\n/ })
  t.match(denied, { code: 2, stderr: /server\.example is not allowed; give --allow server\.example/ })
  t.match(broken, { code: 1, stderr: /not signed with the private key of the public key in it/ })
  t.match(await issue(...allowed, '--days', '30'), { code: 0, stdout: /issued by +CN=CA of the test\n/ })
  const [taken, noRequest, noAuthority] = await Promise.all([
    issue(...allowed), ca('issue', path('ca'), path('ca', 'ca.crt'), '--allow', 'a', '--out', path('q')),
    ca('issue', path('server'), path('server', 'server.csr'), '--allow', 'a', '--out', path('q')),
  ])
  t.match(taken, { code: 2, stderr: /server\.crt is there already/ })
  t.match(noRequest, { code: 2, stderr: /holds no certificate request/ })
  t.match(noAuthority, { code: 2, stderr: /there is no file .*ca\.crt; make a CA with/ })
  t.same((await readdir(path('server'))).sort(), ['server.crt', 'server.csr', 'server.key'], 'nothing half written is left')
})

t.test('openssl agrees', needsOpenssl, async t => {
  const openssl = (...args: string[]): string => spawnSync('openssl', args, { encoding: 'utf8' }).stdout
  t.match(openssl('verify', '-x509_strict', '-verify_ip', '130.74.23.6', '-CAfile', path('ca', 'ca.crt'), path('server', 'server.crt')), /: OK\n/)
  t.equal(openssl('x509', '-in', path('ca', 'ca.crt'), '-noout', '-fingerprint', '-sha256').trim(), `sha256 Fingerprint=${FINGERPRINT}`)
})

t.test('a key that others can read, or that is not the CA\'s, is not used', async t => {
  const folder = t.testdir({ 'ca.crt': await readFile(path('ca', 'ca.crt')), 'ca.key': await readFile(path('server', 'server.key')) })
  const serve = () => ca('serve', folder, '--allow', LOOPBACK)
  t.match(await serve(), { code: 2, stderr: /other users of this machine can read .*; chmod 600/ })
  spawnSync('chmod', ['600', join(folder, 'ca.key')])
  t.match(await serve(), { code: 2, stderr: /is not the key of/ })
})

const SERVING = ['--allow', LOOPBACK, '--allow', 'a.example', '--secret-file', path('secret'), '--address', LOOPBACK, '--port', '0', '--json']

t.test('serving needs names, and a secret that nobody guesses', async t => {
  const [nobody, anybody, guessed] = await Promise.all([
    ca('serve', path('ca')), ca('serve', path('ca'), '--allow', 'a.example'), ca('serve', path('ca'), '--allow', LOOPBACK, '--secret-file', path('short')),
  ])
  t.match(nobody, { code: 2, stderr: /allow/ })
  t.match(anybody, { code: 2, stderr: /needs the address that may ask for it/ })
  t.match(guessed, { code: 2, stderr: /shorter than 16 bytes/ })
})

t.test('the CA certificate over the network', async t => {
  const server = new Program(t, ['ca', 'serve', path('ca'), ...SERVING])
  const { port } = await server.until('listening')
  const fetch = (out: string, ...more: string[]) => ca('fetch', '--ca-server', LOOPBACK, '--ca-port', String(port), '--out', path(out), ...more)
  const [first, pinned, other, none] = await Promise.all([
    fetch('fetched'), fetch('pinned', '--fingerprint', FINGERPRINT.replaceAll(':', '')), fetch('no', '--fingerprint', `00${FINGERPRINT.slice(2)}`), fetch('no', '--fingerprint', 'abc'),
  ])
  t.match(first, { code: 0, stdout: new RegExp(`SHA-256 ${FINGERPRINT} \\(not checked: compare`) })
  t.same(await readFile(path('fetched')), await readFile(path('ca', 'ca.crt')))
  t.match(pinned, { code: 0, stdout: /as pinned/ })
  t.match(other, { code: 1, stderr: /not the one that was given/ })
  t.match(none, { code: 2, stderr: /not a SHA-256 fingerprint/ })
  t.match(await fetch('fetched'), { code: 2, stderr: /is there already/ })
})

t.test('a server enrols', async t => {
  const server = new Program(t, ['ca', 'serve', path('ca'), ...SERVING])
  const { port } = await server.until('listening')
  const enrol = (folder: string, secret: string, name = 'a.example') =>
    ca('enrol', '--ca-server', LOOPBACK, '--ca-port', String(port), '--name', name, '--secret-file', path(secret), '--out', path(folder))
  const [enrolled, unproved, denied] = await Promise.all([enrol('one', 'secret'), enrol('two', 'other'), enrol('two', 'secret', 'b.example')])
  t.match(enrolled, { code: 0, stdout: /proved by the enrolment secret\)\n[^]*certificate 65 for a\.example[^]*server\.key\nwritten .*server\.crt\nwritten .*ca\.crt\n/ })
  t.equal(await mode(path('one', 'server.key')), 0o600)
  t.match(unproved, { code: 1, stderr: /does not prove the enrolment secret/ })
  t.match(denied, { code: 1, stderr: /b\.example, from 127/ })
  t.same(await readdir(path('two')), [], 'a refused server has no key either')
  const [shown, again] = await Promise.all([ca('show', path('one', 'server.crt')), enrol('one', 'secret')])
  t.match(shown, { code: 0, stdout: /issued by +CN=CA of the test\n[^]*names +a\.example\n/ })
  t.match(again, { code: 2, stderr: /server\.key is there already/ })

  server.process.kill('SIGTERM')
  t.equal(await server.exit(), 0)
  t.notMatch(server.output, 'a secret of at least')
  t.match(await enrol('three', 'secret'), { code: 1, stderr: /nothing listens there/ })
})
