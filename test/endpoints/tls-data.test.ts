// S209 under TLS: 102 makes a key for the one connection, and it reaches 103 in 217 and 226, which are encrypted.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openSession, secureClient, secureServer } from '../../endpoints/index.js'
import { encode } from '../../endpoints/message/index.js'
import { Bench, EventLog, LOOPBACK, SHORT, datagrams, dial, drain, failure } from './bench.js'
import { authority } from './certificates.js'
import { messagesOf, wiretap } from './tls-records.js'

const ca = await authority()
const identity = await ca.issue()
const server = { openChannel: secureServer({ encryption: 'tls1.3', ...identity }) }
const client = { openChannel: secureClient({ encryption: 'tls1.3', ca: ca.ca, serverName: LOOPBACK }) }

t.test('lines and a file, and not a word in the clear', async t => {
  const root = t.testdir({ in: {} })
  const bench = await Bench.start(t, server)
  const acceptor = await bench.accept('2133', client, { receive: { directory: join(root, 'in') } })
  const issuer = new EventLog(), keys: string[] = []
  const request = (async () => {
    const listen = await freePort()
    const wire = await wiretap(t, listen)
    const connection = await bench.request('2133', {
      ...client, listen: { address: LOOPBACK, port: listen }, reachedAt: { address: LOOPBACK, port: wire.port }, data: 'tls', onDataKeys: line => keys.push(line), onEvent: issuer.onEvent,
    })
    return { connection, wire }
  })()
  const { connection, wire } = await request
  t.ok(connection.channel.isEncrypted)
  const session = openSession(connection, { stall: SHORT.stall })
  await session.sendLine('a line that nobody else reads')
  await writeFile(join(root, 'file.txt'), 'content '.repeat(20_000))
  await session.sendFile(join(root, 'file.txt'))
  t.match(await acceptor.until('line-received'), { text: 'a line that nobody else reads' })
  t.match(await acceptor.until('file-received'), { bytes: 160_000 })
  t.match(await session.close(), { outcome: 'goodbye' })
  const passed = Buffer.concat([...wire.sent, ...wire.answered])
  t.notOk(passed.includes('nobody else') || passed.includes('content content'))
  t.same(messagesOf(wire.sent).slice(0, 3), ['client hello', 'change cipher spec', 'data'], '208 is followed by TLS')
  t.ok(keys.some(line => line.startsWith('CLIENT_TRAFFIC_SECRET_0 ')))
  const told = JSON.stringify([...bench.log.all, ...acceptor.all, ...issuer.all])
  t.notMatch(told, /[0-9a-f]{64}(?<!sha256":"[0-9a-f]{64})/, 'no key in any event')
})

/** A port of loopback that was free a moment ago. */
async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const probe = createServer().listen(0, LOOPBACK)
  await new Promise(resolve => probe.once('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise(resolve => probe.close(resolve))
  return port
}

t.test('a key is not sent in the clear', async t => {
  const bench = await Bench.start(t)
  await bench.accept('2133')
  t.match(await failure(bench.request('2133', { data: 'tls' })), { reason: 'encryption-failed', message: /would travel in the clear; encrypt the connection to the server/ })
  t.equal(bench.log.of('request-received').length, 0)
})

t.test('an acceptor that takes nothing in the clear', async t => {
  const bench = await Bench.start(t, server)
  const acceptor = await bench.accept('2133', { ...client, data: 'tls' })
  t.match(await failure(bench.request('2133', client)), { reason: 'encryption-required', message: /takes no direct connection in the clear; ask for one under TLS/ })
  t.match(acceptor.of('error'), [{ reason: 'encryption-required' }])
  t.equal(acceptor.of('connecting').length, 0)
  t.equal((await bench.request('2133', { ...client, data: 'tls' })).channel.isEncrypted, true)
})

t.test('a caller of 102 without the key is turned away', async t => {
  const bench = await Bench.start(t, server)
  const issuer = new EventLog()
  const listen = await freePort()
  await datagrams(bench.ports().udp, [encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(50) })]) // and it stays silent
  await bench.log.until('registered')
  const request = failure(bench.request('2133', { ...client, listen: { address: LOOPBACK, port: listen }, reachedAt: { address: LOOPBACK, port: listen }, data: 'tls', onEvent: issuer.onEvent }))
  await issuer.until('listening')
  const plain = await dial(listen)
  plain.write(encode({ name: 'greeting', token: 'ff'.repeat(8) }))
  await drain(plain)
  t.match(await issuer.until('error'), { reason: 'encryption-failed', message: /what came is not TLS/ })
  t.match(await request, { reason: 'gone-silent' })
})

t.test('another program at the port that 102 named', async t => {
  const bench = await Bench.start(t, server)
  const acceptor = await bench.accept('2133', client)
  const plain = await Bench.start(t)
  const reachedAt = { address: LOOPBACK, port: plain.ports().issuers }
  t.match(await failure(bench.request('2133', { ...client, data: 'tls', reachedAt })), { reason: 'issuer-unreachable', message: /what came is not TLS/ })
  t.match(acceptor.of('error')[0], { reason: 'issuer-unreachable' })
})
