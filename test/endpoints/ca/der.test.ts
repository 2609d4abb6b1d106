// DER as it is written and read: what another library makes of it, and what is not DER.
import { webcrypto } from 'node:crypto'
import t from 'tap'
import { authorityFlaw, certifyKey, createAuthority, createRequest, generateKeys, readCertificate, readRequest } from '../../../endpoints/ca/index.js'
import { DerError, DerReader, objectIdentifier, wholeBytes } from '../../../endpoints/der/reader.js'
import { TAG } from '../../../endpoints/der/tags.js'
import * as write from '../../../endpoints/der/writer.js'

await import('reflect-metadata') // the library wants it first
const x509 = await import('@peculiar/x509')
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
const NAMES = ['130.74.23.6', 'server.example']
const [caKeys, keys] = await Promise.all([generateKeys(), generateKeys()])
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

t.test('another library reads the same in a request and in certificates', async t => {
  const request = new x509.Pkcs10CertificateRequest(await createRequest(keys, NAMES))
  t.equal(request.subject, 'CN=130.74.23.6')
  t.ok(await request.verify())
  const alternatives = request.getExtension('2.5.29.17')
  t.same(alternatives instanceof x509.SubjectAlternativeNameExtension && alternatives.names.toJSON(), [{ type: 'ip', value: NAMES[0] }, { type: 'dns', value: NAMES[1] }])

  const now = Date.UTC(2030, 0, 1), authority = await createAuthority(caKeys, { name: 'CA ä', now })
  const own = new x509.X509Certificate(authority.certificate.raw)
  const issued = new x509.X509Certificate((await certifyKey(authority, keys.publicKey.export({ type: 'spki', format: 'der' }), NAMES, { now })).raw)
  t.ok(await own.isSelfSigned())
  t.ok(await issued.verify({ publicKey: own.publicKey, signatureOnly: true }))
  t.equal(issued.issuer, own.subject)
  t.equal(issued.notBefore.getTime(), now - 300_000)
  t.equal(issued.getExtension(x509.BasicConstraintsExtension)?.ca, false)
  t.equal(own.getExtension(x509.BasicConstraintsExtension)?.pathLength, 0)
  t.equal(issued.getExtension(x509.KeyUsagesExtension)?.usages, x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment)
  t.same(issued.getExtension(x509.ExtendedKeyUsageExtension)?.usages, [x509.ExtendedKeyUsage.serverAuth])
  t.equal(issued.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, own.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId)
  t.equal(issued.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId, Buffer.from(await issued.publicKey.getKeyIdentifier()).toString('hex'))
})

t.test('a CA whose certificate another library has made, with an identifier of its own, or none', async t => {
  const pair = await webcrypto.subtle.generateKey({ ...RSA, publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 }, true, ['sign', 'verify'])
  for (const identifiers of [[new x509.SubjectKeyIdentifierExtension('0102')], []]) {
    const made = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01', name: 'O=Others, CN=CA', signingAlgorithm: RSA, keys: pair, notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000),
      extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true), ...identifiers],
    })
    const { KeyObject } = await import('node:crypto')
    const authority = { certificate: readCertificate(new Uint8Array(made.rawData)), privateKey: KeyObject.from(pair.privateKey) }
    t.equal(authorityFlaw(authority.certificate, Date.now() + 1000), null)
    const issued = new x509.X509Certificate((await certifyKey(authority, keys.publicKey.export({ type: 'spki', format: 'der' }), NAMES, { now: Date.now() + 1000 })).raw)
    t.equal(issued.issuer, made.subject)
    const wanted = identifiers.length > 0 ? '0102' : Buffer.from(await made.publicKey.getKeyIdentifier()).toString('hex')
    t.equal(issued.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, wanted)
  }
})

t.test('a request that another library has made', async t => {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify'])
  const make = async (hash: string, names: readonly { type: 'ip' | 'dns' | 'url', value: string }[]): Promise<Uint8Array> => new Uint8Array((await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=x', keys: pair, signingAlgorithm: { name: 'ECDSA', hash }, extensions: [new x509.KeyUsagesExtension(1), new x509.SubjectAlternativeNameExtension([...names])],
    attributes: [new x509.ChallengePasswordAttribute('secret')],
  })).rawData)
  t.match(await readRequest(await make('SHA-384', [{ type: 'dns', value: 'A.example' }])), { names: ['a.example'] })
  t.match(await readRequest(await make('SHA-1', [{ type: 'dns', value: 'a.example' }])), { reason: 'request-signature', detail: 'it is signed with SHA-1, not SHA-256, SHA-384, SHA-512' })
  t.match(await readRequest(await make('SHA-256', [{ type: 'ip', value: '2001:db8::1' }])), { reason: 'name-not-allowed', detail: /20010db8/ })
  t.match(await readRequest(await make('SHA-256', [{ type: 'url', value: 'a.example' }])), { reason: 'name-not-allowed', detail: /'URI:a\.example'/ }, 'a URI that looks like a name')
})

t.test('values as X.690 has them', async t => {
  t.same(write.sequence(), hex('30 00'))
  t.same(write.octetString(Buffer.alloc(127)).subarray(0, 2), hex('04 7f'))
  t.same(write.octetString(Buffer.alloc(128)).subarray(0, 3), hex('04 81 80'))
  t.same(write.octetString(Buffer.alloc(256)).subarray(0, 4), hex('04 82 01 00'))
  t.same(write.octetString(Buffer.alloc(65_536)).subarray(0, 5), hex('04 83 01 00 00'))
  t.same(write.objectIdentifier('1.2.840.113549.1.1.11'), hex('06 09 2a 86 48 86 f7 0d 01 01 0b'))
  t.same(write.namedBits(5, 6), hex('03 02 01 06'))
  t.same(write.namedBits(0), hex('03 02 07 80'))
  t.same(write.time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), Buffer.from('\x17\x0d491231235959Z'))
  t.same(write.time(Date.UTC(2050, 0, 1)), Buffer.from('\x18\x0f20500101000000Z'))
  for (const id of ['2.5.29.17', '1.2.840.10045.4.3.2', '2.999.3', '0.9.2342']) {
    t.equal(objectIdentifier(new DerReader(write.objectIdentifier(id)).take(TAG.objectIdentifier)), id)
  }
})

t.test('what is not DER', async t => {
  const objects = (work: () => unknown, name: string): void => {
    let thrown: unknown
    try {
      work()
    } catch (error) {
      thrown = error
    }
    t.ok(thrown instanceof DerError, name)
  }
  const refused = (bytes: string, read: (reader: DerReader) => unknown = reader => reader.take(TAG.octetString)): void => {
    objects(() => read(new DerReader(hex(bytes))), bytes.slice(0, 20))
  }
  t.same(new DerReader(hex('04 81 80' + '00'.repeat(128))).take(TAG.octetString).length, 128)
  for (const bytes of ['', '04', '04 01', '04 80 00 00', '04 81', '04 81 7f' + '00'.repeat(127), '04 82 00 80' + '00'.repeat(128), '04 84 ff ff ff ff 00', '04 85 00 00 00 00 01 00', '05 00', '04 ff']) refused(bytes)
  refused('30 03 04 01 00', reader => reader.enter(TAG.sequence).end())
  refused('30 03 04 02 00', reader => reader.enter(TAG.sequence).take(TAG.octetString))
  for (const content of ['', '86', '2a ff', '2a'.repeat(65)]) objects(() => objectIdentifier(hex(content)), content)
  objects(() => wholeBytes(hex('01 fe')), 'an odd bit')
  objects(() => wholeBytes(hex('')), 'no count of odd bits')
})
