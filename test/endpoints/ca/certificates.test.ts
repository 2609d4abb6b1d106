// Fig. 5 without a network: key pairs, certificate request 63, certificates, and the openssl program's opinion of all of them.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  Objection, authorityFlaw, certifyKey, createAuthority, createRequest, describeCertificate, generateKeys, hasFingerprint, issueCertificate, issuedFlaw,
  namesOf, privatePem, readCertificate, readRequest,
} from '../../../endpoints/ca/index.js'
import type { CertificateRequest } from '../../../endpoints/ca/index.js'
import { EndpointError } from '../../../endpoints/index.js'
import { EncodeError } from '../../../endpoints/message/index.js'
import { needsOpenssl } from '../../prerequisites.js'
import { failure, seeded } from '../bench.js'

const SERVER = '130.74.23.6', DAY = 86_400_000
const [caKeys, keys, otherKeys] = await Promise.all([generateKeys(), generateKeys(), generateKeys()])
const authority = await createAuthority(caKeys, { name: 'A "CA", of Fig. 5 + more' })
const der = await createRequest(keys, [SERVER, 'Server.Example'])
const pem = (label: string, bytes: Uint8Array): string => `-----BEGIN ${label}-----\n${Buffer.from(bytes).toString('base64').replaceAll(/(.{64})/g, '$1\n')}\n-----END ${label}-----\n`

async function read(bytes: Uint8Array): Promise<CertificateRequest> {
  const request = await readRequest(bytes)
  if (request instanceof Objection) throw new Error(`${request.reason}: ${request.detail}`)
  return request
}
const request = await read(der)

/** Node's types leave this kind of key out. */
const diffieHellman = generateKeyPairSync.bind(null, 'dh' as 'x448', { group: 'modp14' } as object) as () => { publicKey: KeyObject }

function openssl(...args: string[]): { status: number | null, text: string } {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

t.test('a request tells its names and its key', async t => {
  t.same(request.names, [SERVER, 'server.example'])
  t.ok(request.publicKey.equals(keys.publicKey))
})

t.test('certificate 65 holds what the CA decides', async t => {
  const now = Date.now()
  const certificate = await issueCertificate(authority, request, { now })
  t.equal(issuedFlaw(certificate, { authority: authority.certificate, names: request.names, publicKey: keys.publicKey, now }), null)
  t.same(namesOf(certificate), [SERVER, 'server.example'])
  t.notOk(certificate.ca)
  t.same(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'serverAuth')
  t.equal(Date.parse(certificate.validTo), Math.floor((now + 365 * DAY) / 1000) * 1000)
  t.ok(Date.parse(certificate.validFrom) < now)
  t.notSame((await issueCertificate(authority, request, { now })).serialNumber, certificate.serialNumber)
  t.match(describeCertificate(certificate), [['certificate of', `CN=${SERVER}`], ['issued by', /CA/], ['kind', 'server certificate'], ['names', `${SERVER}, server.example`]])
})

t.test('never valid when the CA is not', async t => {
  const now = Date.UTC(2030, 0, 1)
  const brief = await createAuthority(caKeys, { now, lifetime: DAY })
  const certificate = await issueCertificate(brief, request, { now: now + DAY / 2, lifetime: 30 * DAY })
  t.equal(certificate.validTo, brief.certificate.validTo)
  t.equal((await issueCertificate(brief, request, { now })).validFrom, brief.certificate.validFrom)
  for (const [when, reason] of [[now + 2 * DAY, 'certificate-expired'], [now - DAY, 'certificate-not-yet-valid']] as const) {
    t.match(await failure(issueCertificate(brief, request, { now: when })), { reason, message: /^the CA's own certificate/ })
  }
})

t.test('what is wrong with a certificate is told', async t => {
  const now = Date.now(), expected = { authority: authority.certificate, names: [SERVER], publicKey: keys.publicKey, now }
  const certificate = await issueCertificate(authority, request, { now })
  const impostor = await createAuthority(otherKeys, { name: 'A "CA", of Fig. 5 + more' })
  t.match(issuedFlaw(await issueCertificate(impostor, request), expected), { reason: 'certificate-untrusted' }, 'a CA of the same name')
  t.match(issuedFlaw(certificate, { ...expected, publicKey: otherKeys.publicKey }), { reason: 'certificate-unusable', message: /another public key/ })
  t.match(issuedFlaw(certificate, { ...expected, names: [SERVER, '130.74.23.7'] }), { reason: 'certificate-other-name', message: /not for 130\.74\.23\.7/ })
  t.match(issuedFlaw(certificate, { ...expected, names: ['example'] }), { reason: 'certificate-other-name' })
  t.match(issuedFlaw(certificate, { ...expected, now: now + 400 * DAY }), { reason: 'certificate-expired' })
  t.match(issuedFlaw(certificate, { ...expected, now: now - DAY }), { reason: 'certificate-not-yet-valid' })
  t.equal(authorityFlaw(authority.certificate, now), null)
  t.match(authorityFlaw(certificate, now), { message: /not that of a CA/ })
  t.match(authorityFlaw(authority.certificate, now + 4000 * DAY), { reason: 'certificate-expired' })
  t.ok(hasFingerprint(authority.certificate, authority.certificate.fingerprint256.replaceAll(':', '').toLowerCase()))
  t.notOk(hasFingerprint(certificate, authority.certificate.fingerprint256))
  t.throws(() => readCertificate('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), EndpointError)
})

t.test('requests that are refused', async t => {
  const objection = async (bytes: Uint8Array): Promise<string> => {
    const outcome = await readRequest(bytes)
    return outcome instanceof Objection ? `${outcome.reason}: ${outcome.detail}` : 'none'
  }
  const changed = (at: number): Uint8Array => Uint8Array.from(der, (byte, index) => index === at ? byte ^ 1 : byte)
  t.match(await objection(changed(der.length - 1)), 'request-signature')
  t.match(await objection(changed(Buffer.from(der).indexOf('server.example'))), 'request-signature', 'another name under the signature')
  t.match(await objection(der.subarray(0, -1)), 'unreadable-request: it holds')
  t.match(await objection(Buffer.concat([der, Buffer.of(0)])), 'unreadable-request: it holds')
  t.match(await objection(new Uint8Array(16385).fill(0x30)), 'unreadable-request: it is 16385 bytes long; at most 16384')
  t.match(await objection(Buffer.from(pem('CERTIFICATE REQUEST', der))), 'unreadable-request: it is no DER')
  t.match(await objection(authority.certificate.raw), 'unreadable-request')
  const deep = Buffer.alloc(16000, Buffer.from('3080', 'hex'))
  t.match(await objection(Buffer.concat([Buffer.from('30823e80', 'hex'), deep])), 'unreadable-request')
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  t.match(await objection(await createRequest(weak, [SERVER])), 'weak-key: it has 1024 bits')
  const exponent = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
  t.match(await objection(await createRequest(exponent, [SERVER])), 'weak-key: its exponent is 3')
})

t.test('any bytes at all give an objection, never a crash', async t => {
  const random = seeded(51)
  let refused = 0
  for (let round = 0; round < 100; round++) {
    const bytes = Uint8Array.from(der)
    for (let count = 1 + random() % 4; count > 0; count--) bytes[random() % bytes.length] ^= 1 + random() % 255
    const outcome = await readRequest(bytes)
    if (outcome instanceof Objection) refused++
    else t.same([outcome.names, outcome.publicKey.equals(keys.publicKey)], [request.names, true], 'what is taken is what was signed')
  }
  t.ok(refused >= 90, `${refused} of 100 refused`)
})

t.test('names', async t => {
  for (const names of [[], ['*.example'], ['a b'], ['-a.example'], ['1.2.3'], ['::1'], ['a..b'], [`${'a'.repeat(64)}.b`], Array<string>(17).fill(SERVER)]) {
    t.ok(await failure(createRequest(keys, names)) instanceof EncodeError, JSON.stringify(names).slice(0, 40))
  }
  const long = [...Array<string>(6).fill('a'.repeat(30)), 'example'].join('.')
  t.same((await read(await createRequest(keys, [long]))).names, [long])
})

t.test('a bare Diffie–Hellman key is certified for key agreement', async t => {
  const { publicKey } = diffieHellman()
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const certificate = await certifyKey(authority, spki, [SERVER])
  t.same(certificate.publicKey.export({ type: 'spki', format: 'der' }), spki)
  t.ok(certificate.verify(caKeys.publicKey))
  t.match(await readRequest(spki), { reason: 'unreadable-request' })
})

t.test('openssl', needsOpenssl, async t => {
  const folder = t.testdir()
  const put = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const ca = put('ca.crt', authority.certificate.toString()), csr = put('server.csr', pem('CERTIFICATE REQUEST', der)), key = put('server.key', privatePem(keys.privateKey))
  const server = put('server.crt', (await issueCertificate(authority, request)).toString())

  t.match(openssl('req', '-in', csr, '-verify', '-noout', '-text'), { status: 0, text: /verify OK[^]*IP Address:130\.74\.23\.6, DNS:server\.example|IP Address:130\.74\.23\.6, DNS:server\.example[^]*verify OK/ })
  t.match(openssl('verify', '-x509_strict', '-check_ss_sig', '-purpose', 'sslserver', '-verify_ip', SERVER, '-CAfile', ca, server), { status: 0, text: 'OK' })
  t.match(openssl('verify', '-x509_strict', '-verify_hostname', 'server.example', '-CAfile', ca, server), { status: 0, text: 'OK' })
  t.match(openssl('verify', '-x509_strict', '-verify_ip', '130.74.23.7', '-CAfile', ca, server), { status: 2, text: 'IP address mismatch' })
  t.match(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', ca, ca), { status: 0 })
  t.match(openssl('rsa', '-in', key, '-check', '-noout'), { status: 0, text: 'RSA key ok' })
  t.equal(openssl('x509', '-in', server, '-noout', '-pubkey').text, openssl('pkey', '-in', key, '-pubout').text)
  t.match(openssl('x509', '-in', ca, '-noout', '-subject', '-ext', 'basicConstraints,keyUsage').text, /A \\?"CA\\?", of Fig\. 5 \+ more[^]*critical[^]*CA:TRUE, pathlen:0[^]*critical[^]*Certificate Sign, CRL Sign/)
  t.match(openssl('x509', '-in', server, '-noout', '-ext', 'keyUsage,extendedKeyUsage,basicConstraints').text, /CA:FALSE[^]*Digital Signature, Key Encipherment[^]*TLS Web Server Authentication/)
  const identifier = (file: string, name: string): string => openssl('x509', '-in', file, '-noout', '-ext', name).text.split('\n')[1].trim()
  t.equal(identifier(server, 'authorityKeyIdentifier'), identifier(ca, 'subjectKeyIdentifier'))

  const dh = put('dh.crt', (await certifyKey(authority, diffieHellman().publicKey.export({ type: 'spki', format: 'der' }), [SERVER])).toString())
  t.match(openssl('verify', '-CAfile', ca, dh), { status: 0 })
  t.match(openssl('x509', '-in', dh, '-noout', '-ext', 'keyUsage').text, 'Key Agreement')

  const late = put('late.crt', (await createAuthority(caKeys, { lifetime: 36_500 * DAY })).certificate.toString())
  t.match(openssl('verify', '-x509_strict', '-CAfile', late, late), { status: 0 }, 'beyond 2050 (GeneralizedTime)')
})

t.test('requests that openssl makes', needsOpenssl, async t => {
  const folder = t.testdir(), file = (name: string): string => join(folder, name)
  writeFileSync(file('rsa.key'), privatePem(keys.privateKey))
  writeFileSync(file('ec.key'), privatePem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))
  writeFileSync(file('ca.crt'), authority.certificate.toString())
  const make = (key: string, ...more: string[]): Uint8Array => {
    t.match(openssl('req', '-new', '-key', file(key), '-outform', 'DER', '-subj', '/CN=ignored', '-out', file('r.der'), ...more), { status: 0 })
    return readFileSync(file('r.der'))
  }
  const san = ['-addext', `subjectAltName=IP:${SERVER},DNS:a.example`]
  for (const key of ['rsa.key', 'ec.key']) {
    const { names, publicKey } = await read(make(key, ...san))
    t.same(names, [SERVER, 'a.example'])
    t.ok(publicKey.equals(createPublicKey(readFileSync(file(key)))))
    writeFileSync(file('r.crt'), (await issueCertificate(authority, { names, publicKey })).toString())
    t.match(openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', file('ca.crt'), file('r.crt')), { status: 0 })
  }
  t.match(await readRequest(make('rsa.key', '-sha1', ...san)), { reason: 'request-signature', detail: /SHA-1/ })
  t.match(await readRequest(make('rsa.key')), { reason: 'name-not-allowed', detail: 'it names no server' })
  t.match(await readRequest(make('rsa.key', '-addext', 'subjectAltName=email:a@b.example')), { reason: 'name-not-allowed' })
})
