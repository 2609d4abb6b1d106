// The CA as a network program: 63, 54 and 55 over TCP, who gets what, and what both ends say when something is wrong.
import t from 'tap'
import { ChannelError } from '../../../endpoints/channel/channel.js'
import { SocketChannel } from '../../../endpoints/channel/socket-channel.js'
import { createAuthority, createRequest, enrol, fetchAuthority, generateKeys, namesOf, parseAllowance, startAuthorityServer } from '../../../endpoints/ca/index.js'
import type { AuthorityServerOptions, EnrolOptions, Enrolment } from '../../../endpoints/ca/index.js'
import { issuanceProof, requestProof } from '../../../endpoints/ca/proof.js'
import { EndpointError } from '../../../endpoints/index.js'
import { EncodeError, FIELDS, REASONS, encode } from '../../../endpoints/message/index.js'
import type { MessageOf, Reason } from '../../../endpoints/message/index.js'
import { listenTcp } from '../../../endpoints/sockets.js'
import { EventLog, LOOPBACK, dial, drain, failure, seeded } from '../bench.js'
import type { Test } from 'tap'

const DAY = 86_400_000, SECRET = 'a secret of at least sixteen bytes'
const [caKeys, keys] = await Promise.all([generateKeys(), generateKeys()])
const authority = await createAuthority(caKeys)

async function serving(t: Test, options: Partial<AuthorityServerOptions> = {}) {
  const log = new EventLog(), asker = new EventLog()
  const server = await startAuthorityServer({
    authority, allow: [parseAllowance(LOOPBACK), parseAllowance(`server.example=${LOOPBACK}`), parseAllowance('130.74.23.6')],
    address: LOOPBACK, port: 0, timeout: 400, onEvent: log.onEvent, ...options,
  })
  t.teardown(() => server.close())
  const at = { authority: server.address, apparatus: '101', timeout: 2000, onEvent: asker.onEvent } as const
  return {
    log, asker, at, server,
    enrol: (more: Partial<EnrolOptions> = {}): Promise<Enrolment> => enrol({ ...at, keys, names: [LOOPBACK], ...more }),
    /** Shows that the CA still serves. */
    serves: async () => namesOf((await enrol({ ...at, keys, names: [LOOPBACK], ...options.secret === undefined ? {} : { secret: options.secret } })).certificate).length === 1,
  }
}

/** The error of an endpoint that has to fail, as its reason and its words. */
async function refused(promise: Promise<unknown>): Promise<{ reason: string, message: string }> {
  const error = await failure(promise)
  if (!(error instanceof EndpointError)) throw error
  return { reason: error.reason, message: error.message }
}

t.test('a server enrols: 55, 63, 64 and 54 with 65', async t => {
  const { log, asker, enrol } = await serving(t)
  const { certificate, authority: got } = await enrol({ names: [LOOPBACK, 'Server.Example'] })
  t.same(got.raw, authority.certificate.raw)
  t.same(namesOf(certificate), [LOOPBACK, 'server.example'])
  t.ok(certificate.verify(authority.certificate.publicKey) && certificate.publicKey.equals(keys.publicKey))
  await log.until('certificate-issued')
  t.same(log.all.map(({ event }) => event), ['listening', 'authority-handed-out', 'certificate-requested', 'certificate-issued'])
  t.same(asker.steps(), ['101 52', '101 65'])
  t.match(asker.of('authority-obtained'), [{ outcome: 'trusted-on-first-use', fingerprint: authority.certificate.fingerprint256 }])
})

t.test('102 and 103 get the CA certificate, pinned where its fingerprint is known', async t => {
  const { at, log, asker, serves } = await serving(t)
  const { fingerprint256: fingerprint } = authority.certificate
  t.same((await fetchAuthority({ ...at, apparatus: '102' })).raw, authority.certificate.raw)
  t.ok(await fetchAuthority({ ...at, apparatus: '103', fingerprint: fingerprint.replaceAll(':', '').toLowerCase() }))
  t.same(asker.of('authority-obtained').map(({ apparatus, outcome }) => [apparatus, outcome]), [['102', 'trusted-on-first-use'], ['103', 'pinned']])
  t.match(await refused(fetchAuthority({ ...at, fingerprint: fingerprint.replace(/^../, '00') })), { reason: 'certificate-untrusted', message: /fingerprint is [^]*not the one that was given; somebody else/ })
  t.ok(await serves())
  t.same(log.of('error'), [], 'who wants 55 alone is no trouble')
})

t.test('names that are not allowed', async t => {
  const { enrol, log, serves } = await serving(t)
  t.match(await refused(enrol({ names: ['130.74.23.6'] })), { reason: 'name-not-allowed', message: /CA 127\.0\.0\.1:\d+: .*\(130\.74\.23\.6, from 127\.0\.0\.1\); ask for the address that you ask from/ })
  t.match(await refused(enrol({ names: [LOOPBACK, 'other.example'] })), { reason: 'name-not-allowed', message: 'other.example, from' })
  t.match(log.of('error').map(({ reason }) => reason), ['name-not-allowed', 'name-not-allowed'])
  t.same(log.of('certificate-issued'), [])
  t.ok(await failure(enrol({ names: ['*'] })) instanceof EncodeError)
  t.ok(await serves())
})

t.test('an enrolment secret', async t => {
  const { enrol, at, server, log, asker, serves } = await serving(t, { secret: SECRET })
  t.ok(await enrol({ names: ['130.74.23.6'], secret: SECRET }), 'from whatever address')
  t.match(asker.of('authority-obtained'), [{ outcome: 'proved' }])
  t.match(await refused(enrol({ secret: `${SECRET}!` })), { reason: 'wrong-proof', message: 'does not prove the enrolment secret' })
  t.match(await refused(enrol()), { reason: 'wrong-proof' })
  t.match(await refused(enrol({ names: ['other.example'], secret: SECRET })), { reason: 'name-not-allowed' })
  t.ok(await failure(enrol({ secret: 'short' })) instanceof EncodeError)
  await t.rejects(startAuthorityServer({ authority, allow: [parseAllowance('a.example')], port: 0 }), /needs the address that may ask/)
  await t.rejects(startAuthorityServer({ authority, allow: [], secret: 'short', port: 0 }), /shorter than 16 bytes/)

  const [mine, other] = [await createRequest(keys, [LOOPBACK]), await createRequest(caKeys, [LOOPBACK])]
  const channel = new SocketChannel(await dial(server.address.port))
  await channel.send({ name: 'certificateRequest', certificateRequest: other, proof: requestProof(SECRET, mine) })
  t.match(await channel.receive(['answer'], 2000), { reason: REASONS['wrong-proof'].code }, 'the proof of another request')
  t.notOk(JSON.stringify([log.all, asker.all]).includes(SECRET), 'no event tells it')
  t.ok(await serves())

  const open = await serving(t)
  t.match(await refused(open.enrol({ secret: SECRET })), { reason: 'certificate-untrusted', message: 'does not prove the enrolment secret' })
  t.ok(await fetchAuthority({ ...at, apparatus: '102' }), '55 needs none')
})

t.test('requests that the CA cannot take, each with an answer', async t => {
  const { server, log, serves } = await serving(t)
  const good = await createRequest(keys, [LOOPBACK])
  const weak = await createRequest((await import('node:crypto')).generateKeyPairSync('rsa', { modulusLength: 1024 }), [LOOPBACK])
  const cases: [Uint8Array, Reason][] = [
    [encode({ name: 'certificateRequest', certificateRequest: good.subarray(0, -1) }), 'unreadable-request'],
    [encode({ name: 'certificateRequest', certificateRequest: Uint8Array.from(good, (byte, at) => at === good.length - 9 ? byte ^ 1 : byte) }), 'request-signature'],
    [encode({ name: 'certificateRequest', certificateRequest: weak }), 'weak-key'],
    [Uint8Array.of(1, 63, 0xff, 0xff), 'malformed'], // too big: refused before a byte of it has come
    [encode({ name: 'line', text: 'hello' }), 'malformed'],
    [Uint8Array.of(1, 63, 0), 'malformed'], // and silence
    [new Uint8Array(0), 'malformed'],
    [Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'malformed'],
  ]
  for (const [at, [bytes, reason]] of cases.entries()) {
    const socket = await dial(server.address.port)
    socket.write(bytes)
    const channel = new SocketChannel(socket)
    const { reason: code, sentence } = await channel.receive(['answer'], 3000)
    t.equal(code, REASONS[reason].code, `${reason}: ${sentence ?? ''}`)
    t.ok(await failure(channel.receive([], 3000)) instanceof ChannelError, 'and the connection is closed')
    channel.reset()
    t.equal((await log.until('error', at + 1)).reason, reason === 'malformed' && bytes.length < 4 ? 'no-answer' : reason)
  }
  t.match(log.of('error')[3].message, `announces 65535 bytes; at most`)
  t.throws(() => encode({ name: 'certificateRequest', certificateRequest: new Uint8Array(FIELDS.certificateRequest.max + 1) }), /16385 bytes long, not 1 to 16384/)
  t.same(log.of('certificate-issued'), [])
  t.ok(await serves())
})

t.test('garbage', async t => {
  const { server, serves } = await serving(t)
  const random = seeded(63)
  await Promise.all(Array.from({ length: 30 }, async () => {
    const socket = await dial(server.address.port)
    socket.end(Uint8Array.from({ length: 1 + random() % 400 }, (_, at) => at === 0 ? 1 : at === 1 && random() % 2 ? 63 : random() & 255))
    await drain(socket)
  }))
  t.ok(await serves())
})

t.test('a CA whose own certificate has expired issues none', async t => {
  const { enrol, at } = await serving(t, { authority: await createAuthority(caKeys, { now: Date.now() - 2 * DAY, lifetime: DAY }) })
  t.match(await refused(enrol()), { reason: 'certificate-expired', message: /CA 127.*the CA's certificate has expired on/ })
  t.match(await refused(enrol({ clock: () => Date.now() - 1.5 * DAY })), { reason: 'authority-invalid' }, 'even for a server whose clock is behind')
  t.match(await refused(fetchAuthority({ ...at, apparatus: '102' })), { reason: 'certificate-expired' })
})

/** Something in the CA's place, which answers 55 and 63 with what it likes. */
async function impostor(t: Test, answers: { authority?: Uint8Array, issue?: MessageOf<'certificateIssuance'> }): Promise<{ address: string, port: number }> {
  const listener = await listenTcp('test', { address: LOOPBACK }, 8)
  t.teardown(() => listener.close())
  listener.on('connection', socket => void (async () => {
    const channel = new SocketChannel(socket)
    t.teardown(() => channel.reset())
    await channel.receive(['authorityRequest'])
    if (answers.authority !== undefined) await channel.send({ name: 'authorityCertificate', authority: answers.authority })
    await channel.receive(['certificateRequest'])
    if (answers.issue !== undefined) await channel.send(answers.issue)
  })().catch(() => undefined))
  const bound = listener.address()
  return { address: LOOPBACK, port: bound !== null && typeof bound === 'object' ? bound.port : 0 }
}

t.test('a server takes no certificate that is not what it asked for', async t => {
  const { enrol: honest } = await serving(t, { allow: [parseAllowance(LOOPBACK)] })
  const mine = (await honest()).certificate.raw, alien = (await honest({ keys: caKeys })).certificate.raw
  const other = await createAuthority(keys)
  const at = async (answers: Parameters<typeof impostor>[1], more: Partial<EnrolOptions> = {}): Promise<unknown> =>
    enrol({ authority: await impostor(t, answers), apparatus: '101', keys, names: [LOOPBACK], timeout: 500, ...more })
  const issue = (certificate: Uint8Array, proof?: string): MessageOf<'certificateIssuance'> => ({ name: 'certificateIssuance', certificate, ...(proof === undefined ? {} : { proof }) })
  const own = authority.certificate.raw

  t.ok(await at({ authority: own, issue: issue(mine) }), 'the impostor is fit to be taken')
  t.match(await refused(at({ authority: own, issue: issue(alien) })), { reason: 'certificate-unusable', message: 'for another public key' })
  t.match(await refused(at({ authority: other.certificate.raw, issue: issue(mine) })), { reason: 'certificate-untrusted', message: 'not signed by this CA' })
  t.match(await refused(at({ authority: own, issue: issue(mine) }, { names: [LOOPBACK, '130.74.23.6'] })), { reason: 'certificate-other-name', message: 'not for 130.74.23.6' })
  t.match(await refused(at({ authority: own, issue: issue(Uint8Array.of(1, 2, 3)) })), { reason: 'certificate-unusable', message: 'cannot be read' })
  t.match(await refused(at({ authority: mine })), { reason: 'certificate-untrusted', message: 'is not that of a CA' })
  t.match(await refused(at({ authority: Uint8Array.of(9) })), { reason: 'certificate-unusable', message: 'cannot be read' })
  t.match(await refused(at({ authority: own, issue: issue(mine) }, { secret: SECRET })), { reason: 'certificate-untrusted', message: 'does not prove the enrolment secret' })
  t.match(await refused(at({ authority: own, issue: issue(mine, issuanceProof(`${SECRET}?`, mine, own)) }, { secret: SECRET })), { reason: 'certificate-untrusted' })
  t.match(await refused(at({})), { reason: 'no-answer', message: /55 CA certificate or answer did not come within 500 ms/ })
  t.match(await refused(at({ authority: own })), { reason: 'no-answer', message: /54 certificate issuance or answer did not come/ })
})

t.test('nobody there, and nobody to wait for', async t => {
  const { server, at } = await serving(t)
  await server.close()
  t.match(await refused(fetchAuthority({ ...at, apparatus: '102' })), { reason: 'connect-failed', message: 'nothing listens there' })
  const stop = new AbortController(), silent = await impostor(t, {})
  const fetching = refused(fetchAuthority({ authority: silent, apparatus: '102', signal: stop.signal }))
  setImmediate(() => stop.abort())
  t.match(await fetching, { reason: 'cancelled' })
})

t.test('many at once', async t => {
  const { enrol, at } = await serving(t)
  const certificates = await Promise.all(Array.from({ length: 20 }, async (_, at) => at % 2 ? null : (await enrol()).certificate))
  await Promise.all(Array.from({ length: 20 }, () => fetchAuthority({ ...at, apparatus: '103' })))
  t.equal(new Set(certificates.filter(each => each !== null).map(({ serialNumber }) => serialNumber)).size, 10)
})

t.test('a connection too many is closed', async t => {
  const { server, log } = await serving(t, { maxConnections: 1, timeout: 2000 })
  const first = await dial(server.address.port)
  t.equal((await drain(await dial(server.address.port))).length, 0)
  t.equal((await log.until('error')).reason, 'too-many-connections')
  first.destroy()
})
