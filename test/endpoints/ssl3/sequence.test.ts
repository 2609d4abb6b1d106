// Fig. 2 under SSL 3.0, with each key exchange: what travels, what the bystander of captures/ reads of it, and that a server goes on
// serving whatever comes.
import t from 'tap'
import { decodePayload } from '../../../captures/index.js'
import { TlsConnection } from '../../../captures/tls/connection.js'
import { KeyLog } from '../../../captures/tls/key-log.js'
import { openSession, plainChannel, secureClient } from '../../../endpoints/index.js'
import { privatePem } from '../../../endpoints/ca/index.js'
import { ssl3ClientChannel, ssl3ServerChannel } from '../../../endpoints/ssl3/channel.js'
import { Bench, LOOPBACK, SHORT, dial, drain, failure } from '../bench.js'
import { messagesOf, wiretap } from '../tls-records.js'
import { KEY_EXCHANGES, ca, keysFor } from './bench.js'
import type { KeyExchange } from '../../../endpoints/ssl3/suites.js'
import type { Identity } from '../../../endpoints/channel/tls-channel.js'

const identityFor = (keyExchange: KeyExchange): Identity => ({ key: privatePem(keysFor(keyExchange).key), certificate: keysFor(keyExchange).pem })
const trust = { ca, serverName: LOOPBACK }

for (const keyExchange of KEY_EXCHANGES) {
  t.test(`the sequence under SSL 3.0 (${keyExchange})`, async t => {
    let keys = ''
    const client = ssl3ClientChannel(keyExchange, trust)
    const bench = await Bench.start(t, { openChannel: ssl3ServerChannel(keyExchange, identityFor(keyExchange), line => { keys += line }) })
    const acceptor = await bench.accept('2133', { openChannel: client })
    const wire = await wiretap(t, bench.ports().issuers)
    const session = openSession(await bench.request('2133', { server: { address: LOOPBACK, port: wire.port }, openChannel: client }), { stall: SHORT.stall })
    t.match(await acceptor.until('password-checked'), { outcome: 'right' })
    await session.sendLine('hello')
    t.match(await acceptor.until('line-received'), { text: 'hello' })
    t.match(await session.close(), { outcome: 'goodbye' })
    t.equal(bench.log.of('error').length + acceptor.of('error').length, 0)

    t.same(messagesOf(wire.sent).slice(0, 5), ['client hello', 'client key exchange', 'change cipher spec', 'handshake', 'data'], '212, 215 and 217')
    t.same(messagesOf(wire.answered), [
      'server hello', 'certificate', ...keyExchange === 'dhe' ? ['server key exchange'] : [], 'server hello done', 'change cipher spec', 'handshake', 'data', 'alert',
    ], '213, 214, 216 where there is one, the answer and a goodbye')
    t.notOk(Buffer.concat(wire.sent).includes('secret'), 'the password')

    const log = new KeyLog('keys.log'), bystander = new TlsConnection(log)
    log.add(keys)
    const read = [...bystander.push('→', Buffer.concat(wire.sent.slice(0, 1))), ...bystander.push('←', Buffer.concat(wire.answered)), ...bystander.push('→', Buffer.concat(wire.sent.slice(1)))]
    const messages = read.flatMap(item => item.kind === 'data' ? [decodePayload('tcp', { source: 1500, destination: 1201 }, item.bytes)?.number ?? 'another'] : [])
    t.ok(messages.includes('217'), 'the bystander reads 217 with the key log')
  })
}

t.test('a server under SSL 3.0 goes on serving', async t => {
  const client = ssl3ClientChannel('rsa', trust)
  const bench = await Bench.start(t, { openChannel: ssl3ServerChannel('rsa', identityFor('rsa')) })

  const garbage = await dial(bench.ports().issuers)
  garbage.write('GET / HTTP/1.0\r\n\r\n')
  t.same(await drain(garbage), Buffer.from('1503000002022f', 'hex'), 'an illegal_parameter alert')
  t.match(await bench.log.until('error', 1), { reason: 'malformed', message: /does not speak SSL 3.0/ })

  const other = { ca, serverName: LOOPBACK, now: () => 0 }
  t.match(await failure(bench.request('2133', { openChannel: ssl3ClientChannel('rsa', other) })), { reason: 'certificate-not-yet-valid' })
  t.match(await bench.log.until('error', 2), { reason: 'certificate-refused' })

  await failure(bench.request('2133', { openChannel: secureClient({ encryption: 'tls1.3', ...trust }) }))
  await bench.log.until('error', 3)
  await failure(bench.request('2133', { openChannel: plainChannel }))
  await bench.log.until('error', 4)

  t.equal((await drain(await dial(bench.ports().issuers))).length, 0, 'one that says nothing')
  t.match(await bench.log.until('error', 5), { reason: 'no-answer' })

  t.ok(await bench.serves('good', { openChannel: client }, { openChannel: client }))
})

t.test('keys that do not do are refused before anything is opened', async t => {
  t.throws(() => ssl3ServerChannel('dh', identityFor('rsa')), { reason: 'certificate-unusable', message: /key is of type rsa, and key exchange dh needs one of type dh/ })
  t.throws(() => ssl3ServerChannel('rsa', { ...identityFor('rsa'), certificate: ca }), { reason: 'certificate-unusable', message: /for another key/ })
  t.throws(() => ssl3ServerChannel('rsa', { ...identityFor('rsa'), key: 'no key' }), { reason: 'certificate-unusable', message: /private key cannot be read/ })
  t.throws(() => ssl3ClientChannel('rsa', { ...trust, ca: 'no certificate' }), { reason: 'certificate-unusable', message: /cannot be read/ })
})
