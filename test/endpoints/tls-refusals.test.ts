// Who is not spoken to under TLS: servers that 102 and 103 cannot trust, and peers that do not speak it. Each is told at both ends,
// nothing secret is said, and the server goes on serving.
import { once } from 'node:events'
import { generateKeyPairSync } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t from 'tap'
import { SocketChannel, plainChannel, secureClient, secureServer, type OpenChannel } from '../../endpoints/index.js'
import { encode } from '../../endpoints/message/index.js'
import { Bench, LOOPBACK, dial, drain, failure } from './bench.js'
import { authority } from './certificates.js'
import { wiretap } from './tls-records.js'

const ca = await authority(), otherCa = await authority() // of the same name
const good = secureServer({ encryption: 'tls1.3', ...await ca.issue() })
const trust = (encryption: 'tls1.3' | 'tls1.2' = 'tls1.3', more = {}) => secureClient({ encryption, ca: ca.ca, serverName: LOOPBACK, ...more })

const CASES = [
  { what: 'another CA, of the same name', identity: await otherCa.issue(), reason: 'certificate-untrusted', message: /is not signed by this CA; .*somebody stands between/ },
  { what: 'expired', identity: await ca.issue({ from: -9, to: -1 }), reason: 'certificate-expired', message: /has expired on .*; have it issued anew/ },
  { what: 'not yet valid', identity: await ca.issue({ from: 1, to: 9 }), reason: 'certificate-not-yet-valid', message: /is not valid before .*clock/ },
  { what: 'for another server', identity: await ca.issue({ addresses: ['130.74.23.6'] }), reason: 'certificate-other-name', message: /is for 130\.74\.23\.6, not for 127\.0\.0\.1; / },
  { what: 'for a name alone', identity: await ca.issue({ addresses: [], names: ['127.0.0.1'] }), reason: 'certificate-other-name', message: /not for 127\.0\.0\.1/ },
  { what: 'for nobody', identity: await ca.issue({ addresses: [] }), reason: 'certificate-other-name', message: /no subjectAltName/ },
] as const

/** A client that looks at no certificate. */
const credulous: OpenChannel = async socket => {
  const tls = connectTls({ socket, rejectUnauthorized: false, checkServerIdentity: () => undefined })
  await once(tls, 'secureConnect')
  return new SocketChannel(socket, tls)
}

for (const { what, identity, reason, message } of CASES) {
  for (const encryption of ['tls1.3', 'tls1.2'] as const) {
    t.test(`a certificate ${what}, ${encryption}`, async t => {
      const bench = await Bench.start(t, { openChannel: secureServer({ encryption, ...identity }) })
      const wire = await wiretap(t, bench.ports().issuers)
      const error = await failure(bench.request('2133', { server: { address: LOOPBACK, port: wire.port }, openChannel: trust(encryption) }))
      t.match(error, { reason, message }, '102')
      t.match(await bench.log.until('error'), { reason: 'certificate-refused', message: /does not accept this end's certificate/ })
      t.equal(bench.log.of('request-received').length, 0, 'no 217')
      t.notOk(Buffer.concat(wire.sent).includes('secret'))

      const acceptor = await bench.accept('2133', { openChannel: trust(encryption) })
      const request = failure(bench.request('2133', { openChannel: credulous }))
      t.match(await acceptor.until('error'), { reason, message }, '103')
      t.match(await bench.log.until('error', 2), { reason: 'certificate-refused' })
      t.match(await request, { reason: 'gone-silent' })
      t.equal(acceptor.of('password-checked').length, 0)
      t.equal(bench.log.of('request-forwarded').length, 0, 'no 226')
    })
  }
}

t.test('a CA whose own certificate has expired, one that is no CA, and a clock', async t => {
  const old = await authority('CN=old CA', { from: -9, to: -1 })
  const bench = await Bench.start(t, { openChannel: secureServer({ encryption: 'tls1.3', ...await old.issue() }) })
  const ask = (more: object) => failure(bench.request('2133', { openChannel: secureClient({ encryption: 'tls1.3', serverName: LOOPBACK, ca: old.ca, ...more }) }))
  t.match(await ask({}), { reason: 'certificate-expired', message: /the CA's certificate has expired/ })
  const { certificate } = await ca.issue()
  t.match(await ask({ ca: certificate }), { reason: 'certificate-untrusted' })
  t.match(await ask({ ca: ca.ca + old.ca, now: () => Date.now() - 2 * 86_400_000 }), { reason: 'certificate-not-yet-valid' })
  const fresh = await Bench.start(t, { openChannel: good })
  const atTheTime = (days: number) => failure(fresh.request('2133', { openChannel: trust('tls1.3', { now: () => Date.now() + days * 86_400_000 }) }))
  t.match(await atTheTime(0), { reason: 'unknown-equipment' }, 'trusted')
  t.match(await atTheTime(20), { reason: 'certificate-expired' })
  t.match(await atTheTime(-5), { reason: 'certificate-not-yet-valid' })
})

t.test('ends that do not run alike', async t => {
  const dhe = { encryption: 'tls1.2', keyExchange: 'dhe' } as const, rsa = { encryption: 'tls1.2', keyExchange: 'rsa' } as const
  const identity = await ca.issue()
  const server = await Bench.start(t, { openChannel: secureServer({ ...dhe, ...identity }) })
  const plain = await Bench.start(t)
  const cases = [
    ['another key exchange', server, secureClient({ ...rsa, ca: ca.ca, serverName: LOOPBACK }), 'encryption-failed', /no key exchange and cipher in common; .*--key-exchange/, 'encryption-failed', /no key exchange and cipher in common/],
    ['another version', server, trust(), 'encryption-failed', /no version of TLS in common; .*--encryption/, 'encryption-failed', /no version of TLS in common/],
    ['a client in the clear', server, plainChannel, 'connection-lost', /encrypted as this end is/, 'encryption-failed', /what came is not TLS; /],
    ['a server in the clear', plain, trust(), 'encryption-failed', /what came is not TLS; check that the other end runs with encryption too/, 'malformed', /the other end speaks TLS, and this end does not/],
  ] as const
  for (const [what, bench, openChannel, reason, message, serverReason, serverMessage] of cases) {
    const before = bench.log.of('error').length
    t.match(await failure(bench.request('2133', { openChannel })), { reason, message }, what)
    t.match(await bench.log.until('error', before + 1), { reason: serverReason, message: serverMessage }, `${what}, at the server`)
  }
  const client = { openChannel: secureClient({ ...dhe, ca: ca.ca, serverName: LOOPBACK }) }
  t.ok(await server.serves('good', client, client), 'and it goes on')
})

t.test('garbage, silence, and connections that end in the midst of it', async t => {
  const bench = await Bench.start(t, { openChannel: good })
  const cases: [string, Uint8Array | null, boolean, RegExp][] = [
    ['zeros', new Uint8Array(600), false, /what came is not TLS/],
    ['a web browser without TLS', Buffer.from('GET / HTTP/1.1\r\n\r\n'), false, /what came is not TLS/],
    ['a message', encode({ name: 'greeting', token: '00'.repeat(8) }), false, /what came is not TLS/],
    ['a record that never ends', Uint8Array.of(22, 3, 1, 2, 0, 1, 0), false, /was not done within 400 ms/],
    ['nothing', null, false, /was not done within 400 ms/],
    ['an end', null, true, /closed the connection during the TLS handshake/],
    ['half a record and an end', Uint8Array.of(22, 3, 1, 2, 0, 1, 0), true, /closed the connection during the TLS handshake/],
  ]
  for (const [what, bytes, ends, message] of cases) {
    const before = bench.log.of('error').length
    const socket = await dial(bench.ports().issuers)
    if (bytes) socket.write(bytes)
    if (ends) socket.end()
    await drain(socket)
    t.match(await bench.log.until('error', before + 1), { message, address: LOOPBACK }, what)
  }
  const socket = await dial(bench.ports().tcp)
  socket.resetAndDestroy()
  t.match(await bench.log.until('error', cases.length + 1), { reason: 'connection-lost', message: /lost during the TLS handshake|closed the connection during/ })
  t.equal(bench.log.of('error').length, cases.length + 1, 'each told once')
  t.ok(await bench.serves('good', { openChannel: trust() }, { openChannel: trust() }))

  const silent = createServer(socket => socket.on('error', () => undefined)).listen(0, LOOPBACK)
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as AddressInfo
  t.match(await failure(bench.request('2133', { server: { address: LOOPBACK, port }, openChannel: trust() })), { reason: 'no-answer', message: /handshake was not done within/ })
})

t.test('keys and certificates that cannot be used are told before anybody connects', async t => {
  const { key, certificate } = await ca.issue()
  const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
  t.throws(() => secureServer({ encryption: 'tls1.3', key: other, certificate }), { reason: 'certificate-unusable', message: /private key that belongs to it/ })
  t.throws(() => secureServer({ encryption: 'tls1.3', key, certificate: key }), { reason: 'certificate-unusable', message: /no PEM certificate/ })
  t.throws(() => secureServer({ encryption: 'tls1.3', key: 'x', certificate }), { message: /key or certificate cannot be used/ })
  t.throws(() => secureClient({ encryption: 'tls1.3', ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', serverName: LOOPBACK }), { message: /the certificate cannot be read/ })
})
