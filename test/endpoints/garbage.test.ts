// Bytes that are no messages: random and truncated datagrams to 1200, random bytes, half messages and oversized lengths to
// 1201 and 1300. Each is told with the peer's address, the connection is closed, and the server goes on serving.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { startAcceptor } from '../../endpoints/index.js'
import { decode, encode } from '../../endpoints/message/index.js'
import { Bench, EventLog, LOOPBACK, datagrams, dial, drain, seeded } from './bench.js'

const token = '00'.repeat(8)
const request = encode({ name: 'request', equipmentId: '2133', password: 'pw', address: '127.0.0.1', port: 5000, token })
const greeting = encode({ name: 'greeting', token })

t.test('random and truncated datagrams', async t => {
  const bench = await Bench.start(t)
  const random = seeded(7)
  const registration = encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(50) })
  const bad = [
    ...Array.from({ length: 30 }, () => Uint8Array.from({ length: random() % 1400 }, () => random() % 256)),
    ...[1, 3, 4, 6, 8, 20, 60].map(length => registration.subarray(0, length)),
    Uint8Array.of(...registration, 0), new Uint8Array(0), new Uint8Array(60_000),
    request, encode({ name: 'answer', reason: 0, token }),
  ]
  const port = await datagrams(bench.ports().udp, bad)
  await bench.log.until('error', bad.length)
  t.ok(bench.log.of('error').every(error => error.reason === 'malformed' && error.address === LOOPBACK && error.port === port))
  t.same(bench.server.list(), [])
  t.ok(await bench.serves())
})

for (const [name, half] of [['issuers', request], ['acceptors', greeting]] as const) {
  t.test(`the port for ${name}`, async t => {
    const bench = await Bench.start(t, { timeouts: { message: 120 } })
    const port = bench.server[name]?.port ?? 0
    const cases: [string, Uint8Array, RegExp][] = [
      ['random bytes', Uint8Array.from({ length: 5000 }, (_, i) => (i * 37 + 11) % 256), /version 11 is not known/],
      ['an oversized length', Uint8Array.of(1, half[1], 255, 255), /announces 65535 bytes; at most/],
      ['another message', encode({ name: 'goodbye' }), /goodbye has no place here/],
      ['file data that announces much', Uint8Array.of(1, 12, 128, 0), /no place here/],
      ['a broken field', Uint8Array.of(...half.subarray(0, half.length - 10), 255, ...half.subarray(half.length - 9)), /byte/],
      ['half a message, then silence', half.subarray(0, 9), /did not come within 120 ms, after 9 bytes/],
      ['silence', new Uint8Array(0), /did not come within 120 ms/],
    ]
    for (const [what, bytes, wanted] of cases) {
      const socket = await dial(port)
      const from = socket.localPort
      socket.write(bytes)
      const answer = decode(await drain(socket))
      t.match(answer, { name: 'answer', reason: 7, sentence: wanted }, `${what}: the peer is told`)
      const error = bench.log.of('error').find(event => event.port === from)
      t.match(error, { address: LOOPBACK, message: wanted }, `${what}: and so is whoever runs the server`)
    }

    const cut = await dial(port)
    cut.end(half.subarray(0, 9))
    await drain(cut)
    t.match(bench.log.of('error').at(-1), { reason: 'malformed', message: /ended within a message/ })
    const hasty = await dial(port)
    hasty.end()
    await drain(hasty)
    t.match(bench.log.of('error').at(-1), { reason: 'connection-lost', message: /closed the connection before/ })
    const reset = await dial(port)
    const count = bench.log.of('error').length
    reset.resetAndDestroy()
    t.match(await bench.log.until('error', count + 1), { reason: 'connection-lost' })
    t.ok(await bench.serves())
  })
}

t.test('a second connection for no request', async t => {
  const bench = await Bench.start(t)
  const socket = await dial(bench.ports().tcp)
  socket.write(greeting)
  t.match(decode(await drain(socket)), { name: 'answer', reason: 8 })
  t.match(bench.log.of('error'), [{ reason: 'no-such-request' }])
  t.ok(await bench.serves())
})

t.test('more connections than the server takes', async t => {
  const bench = await Bench.start(t, { maxConnections: 3, timeouts: { message: 250 } })
  const idle = await Promise.all([1, 2, 3].map(() => dial(bench.ports().issuers)))
  const surplus = await dial(bench.ports().issuers)
  t.equal((await drain(surplus)).length, 0)
  t.match(await bench.log.until('error'), { reason: 'too-many-connections', address: LOOPBACK })
  await Promise.all(idle.map(drain)) // they are timed out
  t.ok(await bench.serves())
})

t.test('an issuer that sends more than its request', async t => {
  const bench = await Bench.start(t)
  await datagrams(bench.ports().udp, [encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(50) })])
  await bench.log.until('registered')
  const chatty = await dial(bench.ports().issuers)
  chatty.write(Buffer.concat([request, request]))
  await bench.log.until('request-ended')
  t.match(bench.log.of('request-ended'), [{ outcome: 'withdrawn' }])
  if (!chatty.closed) await Promise.all([once(chatty, 'close'), drain(chatty)])
  t.ok(await bench.serves())
})

t.test('the acceptor refuses what is no message, and goes on', async t => {
  const bench = await Bench.start(t)
  const server = createSocket('udp4').bind({ address: LOOPBACK, port: 0 })
  await once(server, 'listening')
  t.teardown(() => server.close())
  const log = new EventLog()
  const acceptor = await startAcceptor({
    equipmentId: '1', password: 'secret', server: { address: LOOPBACK, udpPort: server.address().port, port: bench.ports().tcp }, address: LOOPBACK,
    onConnection: () => t.fail('nobody asked'), onEvent: log.onEvent, timeouts: { message: 200 },
  })
  t.teardown(() => acceptor.close())
  server.send(Uint8Array.of(9, 9, 9), acceptor.local.port, LOOPBACK)
  t.match(await log.until('error'), { reason: 'malformed', message: /version 9/ })
  server.send(encode({ name: 'forwardedRequest', address: LOOPBACK, port: 1, token }), acceptor.local.port, LOOPBACK)
  t.match(await log.until('error', 2), { reason: 'malformed', message: /level 3/ })
  await datagrams(acceptor.local.port, [encode({ name: 'notification', notification: true, token })])
  server.send(encode({ name: 'notification', notification: true, token }), acceptor.local.port, LOOPBACK)
  t.match(await log.until('error', 3), { reason: 'no-such-request' })
  t.equal(log.of('notification-received').length, 1, 'only the server is listened to')
})
