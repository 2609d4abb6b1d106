// The sequence under each encryption: what travels, and that everything above it runs as it does in the clear.
import t from 'tap'
import { openSession, secureClient, secureServer } from '../../endpoints/index.js'
import { keyExchangeOf, type Encryption, type KeyExchange } from '../../endpoints/channel/variants.js'
import { Bench, LOOPBACK, SHORT } from './bench.js'
import { authority } from './certificates.js'
import { cipherOf, messagesOf, wiretap } from './tls-records.js'

const ca = await authority()
const identity = await ca.issue()

const VARIANTS = [
  {
    encryption: 'tls1.3', cipher: 0x1302,
    issuer: ['client hello', 'change cipher spec', 'data', 'data'], server: ['server hello', 'change cipher spec', 'data', 'data', 'data', 'data'],
  },
  {
    encryption: 'tls1.2', keyExchange: 'rsa', cipher: 0x009c,
    issuer: ['client hello', 'client key exchange', 'change cipher spec', 'handshake', 'data'],
    server: ['server hello', 'certificate', 'server hello done', 'change cipher spec', 'handshake'],
  },
  {
    encryption: 'tls1.2', keyExchange: 'dhe', cipher: 0x009e,
    issuer: ['client hello', 'client key exchange', 'change cipher spec', 'handshake', 'data'],
    server: ['server hello', 'certificate', 'server key exchange', 'server hello done', 'change cipher spec', 'handshake'],
  },
] as const

for (const { cipher, issuer, server, ...variant } of VARIANTS) {
  t.test(`the sequence under ${Object.values(variant).join(' ')}`, async t => {
    const keys: string[] = []
    const trust = { ...variant, ca: ca.ca, serverName: LOOPBACK }
    const bench = await Bench.start(t, { openChannel: secureServer({ ...variant, ...identity, onKeys: line => keys.push(line) }) })
    const acceptor = await bench.accept('2133', { openChannel: secureClient(trust) })
    const wire = await wiretap(t, bench.ports().issuers)
    const session = openSession(await bench.request('2133', {
      server: { address: LOOPBACK, port: wire.port }, openChannel: secureClient(trust),
    }), { stall: SHORT.stall })
    t.match(await acceptor.until('password-checked'), { outcome: 'right' })
    await session.sendLine('hello')
    t.match(await acceptor.until('line-received'), { text: 'hello' })
    t.match(await session.close(), { outcome: 'goodbye' })
    t.equal(bench.log.of('error').length + acceptor.of('error').length, 0)

    t.equal(cipherOf(wire.answered), cipher)
    t.same(messagesOf(wire.sent).slice(0, issuer.length), issuer, '212, 215, and 217')
    t.same(messagesOf(wire.answered).slice(0, server.length), server, '213, 214, 216')
    t.notOk(Buffer.concat(wire.sent).includes('secret'), 'the password')
    t.ok(keys.length >= 2 && keys.every(line => /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+\n$/.test(line)), 'a key log')
    t.equal(new Set(keys.map(line => line.split(' ')[1])).size, 2, 'of both connections')
  })
}

t.test('which variants there are', t => {
  const all = (['none', 'tls1.3', 'tls1.2', 'ssl3'] as const).flatMap(encryption => (['rsa', 'dhe', 'dh'] as const).map(exchange => [encryption, exchange] as const))
  const exists = ([encryption, exchange]: readonly [Encryption, KeyExchange]): boolean => {
    try {
      return keyExchangeOf(encryption, exchange) === exchange
    } catch {
      return false
    }
  }
  t.same(all.filter(exists).map(pair => pair.join(' ')), ['tls1.3 dhe', 'tls1.2 rsa', 'tls1.2 dhe', 'ssl3 rsa', 'ssl3 dhe', 'ssl3 dh'])
  t.same((['none', 'tls1.3', 'tls1.2', 'ssl3'] as const).map(encryption => keyExchangeOf(encryption)), [null, 'dhe', 'dhe', 'dhe'])
  t.throws(() => keyExchangeOf('tls1.3', 'rsa'), { reason: 'encryption-failed', message: /tls1.3 has no key exchange rsa: .*; choose dhe/ })
  t.throws(() => keyExchangeOf('none', 'rsa'), { message: /leave the key exchange out/ })
  t.end()
})
