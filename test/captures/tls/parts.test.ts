// The parts of reading TLS by themselves: key logs, key schedules against published vectors, suites, and streams in order.
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { InOrder } from '../../../captures/canonical/in-order.js'
import { cipherSuite } from '../../../captures/tls/cipher-suites.js'
import { allOf, GrowingKeyLog, KeyLog, NO_KEYS } from '../../../captures/tls/key-log.js'
import { expandLabel, keysBeforeTls13, nextSecret, prf, ssl3Expand, trafficKeys } from '../../../captures/tls/key-schedule.js'
import { TlsFollower, type TlsContent } from '../../../captures/tls/follower.js'
import { decodeNothing } from '../../../captures/decode/payload.js'
import { parseIpv4 } from '../../../napt/wire/address.js'
import { randomBytes } from '../support.js'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex')
const RANDOM = '11'.repeat(32), SECRET = '22'.repeat(48)

t.test('a key log', async t => {
  const log = new KeyLog('some/keys.log')
  log.add(`# a comment\n\nCLIENT_RANDOM ${RANDOM} ${SECRET}\r\nEXPORTER_SECRET ${RANDOM} ${SECRET}\nRSA 0011223344556677 ${SECRET}\nSERVER_TRAFFIC_SECRET_0 ${RANDOM.toUpperCase()} ${'33'.repeat(32)}\n`)
  t.same(log.secret('CLIENT_RANDOM', hex(RANDOM)), hex(SECRET))
  t.same(log.secret('SERVER_TRAFFIC_SECRET_0', hex(RANDOM)), hex('33'.repeat(32)))
  t.equal(log.secret('CLIENT_TRAFFIC_SECRET_0', hex(RANDOM)), undefined)
  t.equal(log.secret('CLIENT_RANDOM', hex('12'.repeat(32))), undefined)
  t.equal(log.lack, 'no key in keys.log')
  const both = allOf([NO_KEYS, log])
  t.same(both.secret('CLIENT_RANDOM', hex(RANDOM)), hex(SECRET))
})

t.test('a line that is none is an error with its number, and without what it holds', async t => {
  const bad = [
    'nonsense', `client_random ${RANDOM} ${SECRET}`, `CLIENT_RANDOM ${RANDOM}`, `CLIENT_RANDOM ${RANDOM} ${SECRET} more`, `CLIENT_RANDOM ${RANDOM} ${SECRET.slice(1)}`,
    `CLIENT_RANDOM ${RANDOM.slice(2)} ${SECRET}`, `CLIENT_RANDOM ${RANDOM} ${SECRET.slice(2)}`, `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} ${'22'.repeat(40)}`,
    `CLIENT_RANDOM  ${RANDOM} ${SECRET}`, `CLIENT_RANDOM ${RANDOM} ${SECRET.replace('2', 'g')}`, `CLIENT_RANDOM ${RANDOM} ${SECRET.repeat(20)}`,
  ]
  for (const line of bad) {
    const log = new KeyLog('keys.log')
    try {
      log.add(`# first\n${line}\n`)
      t.fail(`${line} was taken`)
    } catch (error) {
      t.match(error, { name: 'KeyLogError', message: /^keys\.log, line 2: / })
      t.notMatch(String(error), SECRET.slice(0, 20))
    }
  }
})

t.test('a key log that grows', async t => {
  const file = join(t.testdir(), 'keys.log')
  const log = new GrowingKeyLog(file)
  t.equal(log.secret('CLIENT_RANDOM', hex(RANDOM)), undefined, 'not there yet')
  writeFileSync(file, `# begins\nCLIENT_RANDOM ${RANDOM} ${SECRET.slice(0, 10)}`)
  t.equal(log.secret('CLIENT_RANDOM', hex(RANDOM)), undefined, 'half a line')
  appendFileSync(file, `${SECRET.slice(10)}\n`)
  t.same(log.secret('CLIENT_RANDOM', hex(RANDOM)), hex(SECRET))
  appendFileSync(file, 'nonsense\n')
  t.equal(log.secret('CLIENT_RANDOM', hex('12'.repeat(32))), undefined)
  t.match(log.lack, /keys\.log, line 3: /)
  t.same(log.secret('CLIENT_RANDOM', hex(RANDOM)), hex(SECRET), 'what was read stays')
})

t.test('key schedules against published vectors', async t => {
  // RFC 8448 §3: the server's handshake traffic secret, and the client's of the data.
  const handshake = hex('b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38')
  t.same(trafficKeys('sha256', handshake, 16), { key: hex('3fce516009c21727d0f2e4e86ee403bc'), iv: hex('5d313eb2671276ee13000b30'), macKey: new Uint8Array(0) })
  t.same(expandLabel('sha256', handshake, 'finished', 32), hex('008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8'))
  t.equal(nextSecret('sha384', Buffer.alloc(48)).length, 48)
  // The test vector for TLS 1.2's PRF with SHA-256 that the IETF's mailing list settled on.
  const output = prf('sha256', hex('9bbe436ba940f017b17652849a71db35'), 'test label', hex('a0ba9f936cda311827a6f796ffd5198c'), 100)
  t.same(output, hex(`e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab
    4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66`))
  // RFC 6101 §6.2.2 has no vectors; its parts do not depend on how much is asked for.
  t.same(ssl3Expand(Buffer.alloc(48, 1), Buffer.alloc(64, 2), 104).subarray(0, 48), ssl3Expand(Buffer.alloc(48, 1), Buffer.alloc(64, 2), 48))
  const randoms = { client: Buffer.alloc(32, 3), server: Buffer.alloc(32, 4) }, protection = cipherSuite(0x000a).protection!
  const { client, server } = keysBeforeTls13('SSL 3.0', 'sha256', protection, Buffer.alloc(48, 1), randoms)
  const block = ssl3Expand(Buffer.alloc(48, 1), Buffer.concat([randoms.server, randoms.client]), 104)
  t.same(Buffer.concat([client.macKey, server.macKey, client.key, server.key, client.iv, server.iv]), block)
})

t.test('cipher suites by their names', async t => {
  t.match(cipherSuite(0x1302), { name: 'TLS_AES_256_GCM_SHA384', keyExchange: '', hash: 'sha384', protection: { algorithm: 'aes-256-gcm', key: 32 } })
  t.match(cipherSuite(0x009e), { name: 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256', keyExchange: 'DHE_RSA', hash: 'sha256', protection: { key: 16, explicitNonce: 8 } })
  t.match(cipherSuite(0x0010), { keyExchange: 'DH_RSA', protection: { kind: 'cbc', algorithm: 'des-ede3-cbc', mac: 'sha1' } })
  t.match(cipherSuite(0x003d), { hash: 'sha256', protection: { algorithm: 'aes-256-cbc', mac: 'sha256' } })
  t.match(cipherSuite(0x0004), { name: 'TLS_RSA_WITH_RC4_128_MD5', protection: null })
  t.match(cipherSuite(0xeeee), { name: '0xeeee', protection: null })
})

t.test('what waits behind holes is bounded over all connections', async t => {
  const follower = new TlsFollower(NO_KEYS, decodeNothing), bytes = new Uint8Array(60_000), size = bytes.length
  const follow = (port: number, sequence: number, payload: Uint8Array): TlsContent | null => follower.follow('wan', {
    protocol: 'tcp', source: { address: parseIpv4('10.0.0.1'), port }, destination: { address: parseIpv4('10.0.0.2'), port: 443 },
    flags: 16, sequence, acknowledgement: 0, payload, payloadOffset: 54,
  })
  let passedOver = 0
  for (let port = 1; port <= 40; port++) {
    follow(port, 0, Uint8Array.of(22, 3, 1, 0x3f, 0xff, 1)) // a hello that goes on, and then a hole
    for (let at = 0; at < 40; at++) passedOver += Number((follow(port, 1000 + at * size, bytes)?.items.length ?? 0) > 0)
  }
  t.ok(passedOver >= 10 && passedOver < 40, `${passedOver} of 40 connections, which want 96 MB together, lost their hole`)
})

t.test('a stream in order, however it comes', async t => {
  const noise = randomBytes('in order')
  const below = (limit: number): number => ((noise.next().value << 8) | noise.next().value) % limit
  for (let round = 0; round < 200; round++) {
    const text = Uint8Array.from({ length: 1 + below(300) }, () => noise.next().value), base = round % 2 === 0 ? 0xffffffff - below(200) : below(1000)
    const pieces: { start: number, end: number }[] = []
    for (let at = 0; at < text.length;) {
      const end = Math.min(text.length, at + 1 + below(40))
      pieces.push({ start: Math.max(0, at - below(20)), end }) // some overlap what was sent before
      at = end
    }
    const shuffled = [...pieces, ...pieces.slice(0, 3)].map(piece => ({ piece, key: below(1000) })).sort((a, b) => a.key - b.key)
    const order = new InOrder<null>(base)
    const chunks = shuffled.flatMap(({ piece: { start, end } }) => order.push((base + start) >>> 0, text.subarray(start, end), null))
    t.same(Buffer.concat(chunks.map(chunk => chunk.bytes)), Buffer.from(text))
    t.equal(order.waiting, 0)
    t.ok(chunks.every(chunk => chunk.gap === 0))
  }
  const small = new InOrder<string>(0, 10)
  t.same(small.push(5, Uint8Array.of(1, 2, 3), 'a'), [])
  t.equal(small.waiting, 3)
  t.match(small.push(20, new Uint8Array(9), 'b'), [{ gap: 5, tag: 'a' }, { gap: 12, tag: 'b' }], 'no more than ten bytes wait')
})
