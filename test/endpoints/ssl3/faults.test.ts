// Whatever comes that is not as it should be ends the connection, with an alert that the other end hears and a sentence that says why.
import { createDiffieHellman, createPublicKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { createAuthority, generateKeys } from '../../../endpoints/ca/index.js'
import { ALERTS, alertText, type AlertName } from '../../../endpoints/ssl3/fault.js'
import { decryptPreMaster, encryptPreMaster, makePreMaster } from '../../../endpoints/ssl3/rsa-transport.js'
import { authority, connected, everything, joined, keysFor, opened, serverKeys, shaken, type Choices, type From, type Meddler } from './bench.js'
import { LOOPBACK, failure } from '../bench.js'
import type { Ssl3Stream } from '../../../endpoints/ssl3/stream.js'

/** Changes one record on its way. */
const meddling = (from: From, index: number, change: (bytes: Buffer) => Buffer | null): Meddler =>
  (record, at) => record.from === from && at === index ? change(Buffer.from(record.bytes)) : record.bytes

/** Sets one byte; from the end when negative. */
const set = (at: number, value: number) => (bytes: Buffer): Buffer => {
  bytes[at < 0 ? bytes.length + at : at] = value
  return bytes
}
const flip = (at: number) => (bytes: Buffer): Buffer => set(at, bytes.at(at)! ^ 1)(bytes)
const record = (type: number, ...content: readonly number[]): Buffer => Buffer.of(type, 3, 0, content.length >> 8, content.length & 255, ...content)
/** A handshake record whose message has `bytes` more at its end. */
const longer = (...more: readonly number[]) => (bytes: Buffer): Buffer => {
  bytes.writeUInt16BE(bytes.readUInt16BE(3) + more.length, 3)
  bytes.writeUIntBE(bytes.readUIntBE(6, 3) + more.length, 6, 3)
  return Buffer.concat([bytes, Buffer.of(...more)])
}
/** The suites of a client hello that has two of them. */
const SUITES_AT = 5 + 4 + 2 + 32 + 1 + 2
/** The suite of a server hello. */
const SUITE_AT = 5 + 4 + 2 + 32 + 1

/** What goes wrong in a handshake, who finds it, and what it says. */
interface Case extends Choices {
  readonly what: string
  readonly meddle: Meddler
  readonly found: From
  readonly alert: AlertName
  readonly says: RegExp
}

const CASES: readonly Case[] = [
  { what: 'no SSL at all', meddle: meddling('client', 0, () => Buffer.from('GET / HTTP/1.0\r\n\r\n')), found: 'server', alert: 'illegalParameter', says: /does not speak SSL 3.0: what came begins with 474554202f/, keyExchange: 'rsa' },
  { what: 'a client that is too old', meddle: meddling('client', 0, set(9, 2)), found: 'server', alert: 'handshakeFailure', says: /no version above SSL 2.0/, keyExchange: 'rsa' },
  { what: 'a client without a suite in common', meddle: meddling('client', 0, bytes => set(SUITES_AT + 1, 4)(set(SUITES_AT + 3, 5)(bytes))), found: 'server', alert: 'handshakeFailure', says: /offers none of SSL_RSA_WITH_3DES_EDE_CBC_SHA/, keyExchange: 'rsa' },
  { what: 'a list of suites that is none', meddle: meddling('client', 0, set(SUITES_AT - 1, 5)), found: 'server', alert: 'illegalParameter', says: /cipher suites in 5 bytes/, keyExchange: 'rsa' },
  { what: 'a client that insists on compression', meddle: meddling('client', 0, set(-1, 1)), found: 'server', alert: 'handshakeFailure', says: /without compression/, keyExchange: 'rsa' },
  { what: 'a client hello that is cut short', meddle: meddling('client', 0, set(-2, 9)), found: 'server', alert: 'illegalParameter', says: /client hello is cut short/, keyExchange: 'rsa' },
  { what: 'a suite that was not offered', meddle: meddling('server', 0, set(SUITE_AT + 1, 5)), found: 'client', alert: 'illegalParameter', says: /cipher suite 0x0005, which was not offered/, keyExchange: 'rsa' },
  { what: 'a server of another version', meddle: meddling('server', 0, set(10, 1)), found: 'client', alert: 'illegalParameter', says: /chose TLS 1.0, and was offered SSL 3.0/, keyExchange: 'rsa' },
  { what: 'a compression that was not offered', meddle: meddling('server', 0, set(-1, 1)), found: 'client', alert: 'illegalParameter', says: /chose compression 1/, keyExchange: 'rsa' },
  { what: 'a server hello with more behind it', meddle: meddling('server', 0, longer(0, 0)), found: 'client', alert: 'illegalParameter', says: /server hello has 2 bytes too many/, keyExchange: 'rsa' },
  { what: 'a record of another version', meddle: meddling('server', 1, set(2, 1)), found: 'client', alert: 'illegalParameter', says: /version 3.1 on a connection of version 3.0/, keyExchange: 'rsa' },
  { what: 'a record that is too long', meddle: meddling('server', 1, bytes => Buffer.concat([Buffer.of(22, 3, 0, 0x40, 1), bytes])), found: 'client', alert: 'illegalParameter', says: /record of 16385 bytes, above the limit of 16384/, keyExchange: 'rsa' },
  { what: 'a message that is too long', meddle: meddling('server', 1, set(6, 9)), found: 'client', alert: 'illegalParameter', says: /announced a certificate of \d+ bytes/, keyExchange: 'rsa' },
  { what: 'a message that nobody knows', meddle: meddling('server', 1, set(5, 99)), found: 'client', alert: 'unexpectedMessage', says: /handshake message of type 99/, keyExchange: 'rsa' },
  { what: 'a message out of order', meddle: meddling('server', 1, set(5, 14)), found: 'client', alert: 'unexpectedMessage', says: /server hello done where certificate is due/, keyExchange: 'rsa' },
  { what: 'no certificate', meddle: meddling('server', 1, () => record(22, 11, 0, 0, 3, 0, 0, 0)), found: 'client', alert: 'handshakeFailure', says: /showed no certificate/, keyExchange: 'rsa' },
  { what: 'a certificate that is none', meddle: meddling('server', 1, () => record(22, 11, 0, 0, 7, 0, 0, 4, 0, 0, 1, 7)), found: 'client', alert: 'badCertificate', says: /what the server showed as its certificate \(1 bytes\) is none/, keyExchange: 'rsa' },
  { what: 'a certificate with a changed signature', meddle: meddling('server', 1, flip(-1)), found: 'client', alert: 'certificateUnknown', says: /not signed by this CA/, keyExchange: 'rsa' },
  { what: 'changed key generation information (DHE)', meddle: meddling('server', 2, flip(40)), found: 'client', alert: 'handshakeFailure', says: /not signed with the key of its certificate/, keyExchange: 'dhe' },
  { what: 'a changed signature of it', meddle: meddling('server', 2, flip(-1)), found: 'client', alert: 'handshakeFailure', says: /not signed with the key of its certificate/, keyExchange: 'dhe' },
  { what: 'key generation information that is 1 (DHE)', meddle: meddling('client', 1, bytes => bytes.fill(0, 11).fill(1, bytes.length - 1)), found: 'server', alert: 'illegalParameter', says: /none of 2 to p − 2/, keyExchange: 'dhe' },
  { what: 'key generation information above p (DH)', meddle: meddling('client', 1, bytes => bytes.fill(255, 11)), found: 'server', alert: 'illegalParameter', says: /none of 2 to p − 2/, keyExchange: 'dh' },
  { what: 'other key generation information (DH)', meddle: meddling('client', 1, flip(-1)), found: 'server', alert: 'badRecordMac', says: /not as the other end sent it/, keyExchange: 'dh' },
  { what: 'a pre-master secret that does not decrypt', meddle: meddling('client', 1, flip(-1)), found: 'server', alert: 'badRecordMac', says: /not as the other end sent it/, keyExchange: 'rsa' },
  { what: 'a pre-master secret of the wrong length', meddle: meddling('client', 1, longer(1)), found: 'server', alert: 'badRecordMac', says: /not as the other end sent it/, keyExchange: 'rsa' },
  { what: 'a change of the cipher before its time', meddle: meddling('client', 1, () => record(20, 1)), found: 'server', alert: 'unexpectedMessage', says: /record of type 20 where its client key exchange is due/, keyExchange: 'rsa' },
  { what: 'a change of the cipher that is none', meddle: meddling('client', 2, set(-1, 2)), found: 'server', alert: 'illegalParameter', says: /change of the cipher that is 02/, keyExchange: 'rsa' },
  { what: 'no change of the cipher', meddle: meddling('client', 2, () => Buffer.alloc(0)), found: 'server', alert: 'unexpectedMessage', says: /record of type 22 where its change of the cipher is due/, keyExchange: 'rsa' },
  { what: 'data before its time', meddle: meddling('client', 1, bytes => set(0, 23)(bytes)), found: 'server', alert: 'unexpectedMessage', says: /record of type 23/, keyExchange: 'rsa' },
  { what: 'a finished that was changed', meddle: meddling('client', 3, flip(20)), found: 'server', alert: 'badRecordMac', says: /not as the other end sent it/, keyExchange: 'rsa' },
  { what: 'a handshake that somebody has changed', meddle: meddling('client', 0, longer(1, 2, 3)), found: 'server', alert: 'handshakeFailure', says: /client has not seen the handshake that this end has/, keyExchange: 'rsa' },
  { what: 'an alert that is none', meddle: meddling('server', 0, () => record(21, 2)), found: 'client', alert: 'illegalParameter', says: /alert of 1 bytes/, keyExchange: 'rsa' },
]

for (const { what, meddle, found, alert, says, ...choices } of CASES) {
  t.test(`${what}: ${alert}`, async t => {
    const sockets = await joined(t, meddle)
    const [client, server] = await shaken(sockets, choices)
    const [finder, other] = found === 'client' ? [client, server] : [server, client]
    t.match(finder, { message: says })
    t.match(other, { message: `(${alertText(ALERTS[alert])})`, alert: null }, 'the other end hears why')
    t.ok(sockets.client.destroyed && sockets.server.destroyed)
  })
}

t.test('the last word of a handshake that somebody has changed', async t => {
  const [client, server] = await shaken(await joined(t, meddling('server', 4, flip(20))), { keyExchange: 'rsa' })
  t.match(client, { alert: 'badRecordMac' })
  t.match(await failure(everything(server as Ssl3Stream)), { message: /\(bad_record_mac\)/ }, 'the server, for which it was done, hears of it')
})

t.test('a warning changes nothing', async t => {
  const { client, server } = await opened(t, { keyExchange: 'rsa' }, meddling('server', 0, bytes => Buffer.concat([record(21, 1, 41), bytes])))
  client.end('as before')
  t.equal(String(await everything(server)), 'as before')
})

t.test('a goodbye in the handshake', async t => {
  const [client] = await shaken(await joined(t, meddling('server', 0, () => record(21, 1, 0))), { keyExchange: 'rsa' })
  t.match(client, { message: /closed the connection before its server hello/, fault: 'closed' })
})

t.test('a group in which anybody could work out the secret is not used', async t => {
  const weak = createDiffieHellman(512)
  const [client] = await shaken(await joined(t), { keyExchange: 'dhe', forServer: { group: { prime: weak.getPrime(), generator: weak.getGenerator() } } })
  t.match(client, { message: /prime has 512 bits/, alert: 'illegalParameter' })
})

// --- certificates ---------------------------------------------------------------------------------------------------

const YEAR = 365 * 86_400_000
const stranger = await createAuthority(await generateKeys())
const CERTIFICATES = [
  { what: 'of another CA', forServer: await serverKeys('rsa', stranger), reason: 'certificate-untrusted', alert: 'certificateUnknown' },
  { what: 'for another server', forServer: await serverKeys('rsa', authority, ['130.74.23.6']), reason: 'certificate-other-name', alert: 'certificateUnknown' },
  { what: 'that has expired', forClient: { now: () => Date.now() + 2 * YEAR }, reason: 'certificate-expired', alert: 'certificateExpired' },
  { what: 'that is not yet valid', forClient: { now: () => Date.now() - YEAR }, reason: 'certificate-not-yet-valid', alert: 'badCertificate' },
] as const

for (const { what, reason, alert, ...choices } of CERTIFICATES) {
  t.test(`a certificate ${what} is refused before anything is sent under it`, async t => {
    const sockets = await joined(t)
    const [client, server] = await shaken(sockets, { keyExchange: 'rsa', ...choices })
    t.match(client, { reason })
    t.match(server, { fault: 'refused', message: `(${alertText(ALERTS[alert])})` })
    t.same(sockets.records.filter(({ from }) => from === 'client').map(({ bytes }) => bytes[0]), [22, 21], 'a hello and the alert, nothing more')
  })
}

t.test('a certificate with another kind of key is refused', async t => {
  for (const [keyExchange, other, kind] of [['rsa', 'dh', 'dh'], ['dh', 'rsa', 'rsa']] as const) {
    const { certificates } = keysFor(other)
    const [client] = await shaken(await joined(t), { keyExchange, forServer: { certificates } })
    t.match(client, { alert: 'unsupportedCertificate', message: `has a key of type ${kind}` })
  }
})

// --- once it is open ------------------------------------------------------------------------------------------------

const DATA = 4
const OPEN = [
  { what: 'changed', change: flip(10) },
  { what: 'with a changed MAC', change: flip(-30) },
  { what: 'with changed padding', change: flip(-9) }, // in CBC mode the last byte of a block but one is the last of the plaintext
  { what: 'of another kind', change: set(0, 22) },
  { what: 'cut to another length', change: (bytes: Buffer) => set(4, bytes[4] - 8)(bytes).subarray(0, -8) },
  { what: 'that is no number of blocks', change: (bytes: Buffer) => set(4, bytes[4] - 1)(bytes).subarray(0, -1) },
  { what: 'without room for a MAC', change: () => record(23, 1, 2, 3, 4, 5, 6, 7, 8) },
  { what: 'that comes twice', change: (bytes: Buffer) => Buffer.concat([bytes, bytes]) },
  { what: 'that is left out', change: () => Buffer.alloc(0) },
] as const

for (const { what, change } of OPEN) {
  t.test(`a record ${what} is not believed`, async t => {
    const { client, server } = await opened(t, { keyExchange: 'rsa' }, meddling('client', DATA, change))
    const [atServer, atClient] = [failure(everything(server)), failure(everything(client))]
    client.write('the first, long enough for several blocks')
    client.write('the second')
    t.match(await atServer, { alert: 'badRecordMac' })
    t.match(await atClient, { message: /\(bad_record_mac\)/ })
  })
}

t.test('a record in the clear on an open connection is not believed', async t => {
  const { client, server } = await opened(t, { keyExchange: 'rsa' }, meddling('client', DATA, bytes => Buffer.concat([record(21, 1, 0), bytes])))
  const ended = failure(everything(server))
  client.write('217')
  t.match(await ended, { alert: 'badRecordMac' }, 'nobody on the way can end it as if in order')
})

// --- the pre-master secret ------------------------------------------------------------------------------------------

t.test('a pre-master secret that is not one gives a random one, whatever is wrong with it', async t => {
  const { key } = keysFor('rsa'), publicKey = createPublicKey(key.export({ type: 'pkcs8', format: 'pem' }))
  const substitute = Buffer.alloc(48, 0xaa), draw = (size: number): Buffer => substitute.subarray(0, size)
  const right = makePreMaster(0x0300, size => randomBytes(size))
  const open = (encrypted: Uint8Array): Buffer => decryptPreMaster(encrypted, key, 0x0300, draw)
  t.same(open(encryptPreMaster(right, publicKey)), right)
  const changed = encryptPreMaster(right, publicKey)
  changed[7] ^= 1
  const wrong = {
    'of another version': encryptPreMaster(makePreMaster(0x0301, size => randomBytes(size)), publicKey),
    'too short': encryptPreMaster(right.subarray(0, 47), publicKey),
    'too long': encryptPreMaster(Buffer.concat([right, Buffer.of(1)]), publicKey),
    'changed': changed,
    'above the modulus': Buffer.alloc(256, 255),
    'of another length': encryptPreMaster(right, publicKey).subarray(1),
    'empty': Buffer.alloc(0),
  }
  for (const [what, encrypted] of Object.entries(wrong)) t.same(open(encrypted), substitute, what)
})

t.test('the server is named by its address', async t => {
  const [client, server] = await connected(t)
  const ends = await shaken({ client, server }, { keyExchange: 'dhe', forClient: { serverName: 'localhost' } })
  t.match(ends[0], { reason: 'certificate-other-name', message: `is for ${LOOPBACK}, not for localhost` })
})
