// Requests that cannot come about: a clear error at the end that asked, one at the other end where one waits, and the
// server serves the next request as if nothing had been.
import { createServer } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { EndpointError, requestConnection, startAcceptor, startServer } from '../../endpoints/index.js'
import { encode } from '../../endpoints/message/index.js'
import { Bench, EventLog, LOOPBACK, SHORT, datagrams, dial, drain, failure } from './bench.js'

t.test('unknown equipment ID', async t => {
  const bench = await Bench.start(t)
  const issuer = new EventLog()
  const error = await failure(bench.request('9999', { onEvent: issuer.onEvent }))
  t.ok(error instanceof EndpointError)
  t.match(error, { reason: 'unknown-equipment', message: /no equipment with this ID.*9999.*; check the ID/ })
  t.match(issuer.of('answered'), [{ outcome: 'unknown-equipment' }])
  t.match(bench.log.of('looked-up'), [{ step: 'S204', outcome: 'unknown' }])
  t.ok(await bench.serves())
})

t.test('wrong password: checked at 103 (S207), told to the server and by it to 102; nobody connects to 102', async t => {
  const bench = await Bench.start(t)
  const acceptor = await bench.accept('2133')
  const issuer = new EventLog()
  t.match(await failure(bench.request('2133', { password: 'guessed', onEvent: issuer.onEvent })), { reason: 'wrong-password', message: /check the password/ })
  t.match(acceptor.of('password-checked'), [{ step: 'S207', outcome: 'wrong' }])
  t.match(await acceptor.until('request-handled'), { outcome: 'wrong-password' })
  t.match(bench.log.of('request-ended'), [{ outcome: 'wrong-password' }])
  t.same(acceptor.of('connecting'), [], '208 is never sent')
  t.notMatch(JSON.stringify([acceptor.all, bench.log.all, issuer.all]), /guessed|secret/, 'no event holds either password')
  t.ok(await bench.serves())
})

t.test('no password at a level that needs one', async t => {
  const bench = await Bench.start(t)
  await bench.accept('2133')
  const server = { address: LOOPBACK, port: bench.ports().issuers }
  t.match(await failure(requestConnection({ equipmentId: '2133', server, timeouts: SHORT })), { reason: 'password-required' })
  t.ok(await bench.serves())
})

t.test('an acceptor of level 3 does not go on without a password, whatever level the server is of', async t => {
  const second = await Bench.start(t, { level: 2 })
  const acceptor = await second.accept('2133')
  t.match(await failure(second.request('2133')), { reason: 'password-required' })
  t.match(acceptor.of('password-checked'), [{ outcome: 'absent' }])
  t.same(acceptor.of('connecting'), [])
  t.ok(await second.serves('good', {}, { level: 2 }))

  const first = await Bench.start(t, { level: 1 }) // sends 226 by UDP
  const strict = await first.accept('2133')
  t.match(await failure(first.request('2133')), { reason: 'gone-silent' })
  t.match(strict.of('error')[0], { reason: 'malformed', message: /one level/ })
  t.same(strict.of('connecting'), [])
  t.ok(await first.serves('good', {}, { level: 1 }))
})

t.test('103 has gone silent', async t => {
  const bench = await Bench.start(t)
  const registration = encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(106) })
  await datagrams(bench.ports().udp, [registration])
  await bench.log.until('registered')
  t.match(await failure(bench.request('2133')), { reason: 'gone-silent', message: /did not answer.*acceptor still runs/ })
  t.ok(bench.log.of('notified').length > 1, 'the notification was repeated')
  const received = registration.length
  const sent = bench.log.of('notified').length * (encode({ name: 'notification', notification: true, token: '00'.repeat(8) }).length)
  t.ok(sent <= received, `${sent} bytes went to an address that had sent ${received}`)
  t.ok(await bench.serves())
})

t.test('103 connects to the server and then says nothing, or goes', async t => {
  const bench = await Bench.start(t, { timeouts: { report: 150 } })
  await bench.accept('2133', { timeouts: { message: 5000 } })
  const hole = createServer(socket => socket.on('error', () => undefined)).listen(0, LOOPBACK) // takes 208 and does not answer the greeting
  await once(hole, 'listening')
  t.teardown(() => hole.close())
  const { port } = hole.address() as { port: number }
  t.match(await failure(bench.request('2133', { reachedAt: { address: LOOPBACK, port } })), { reason: 'timed-out' })
  t.match(await bench.log.until('error'), { message: /answer did not come within 150 ms/ })
  t.ok(await bench.serves())
})

t.test("102's port is not listening, at each level", async t => {
  for (const level of [1, 2, 3] as const) {
    const bench = await Bench.start(t, { level })
    const acceptor = await bench.accept('2133', { level })
    const closed = createServer().listen(0, LOOPBACK)
    await once(closed, 'listening')
    const { port } = closed.address() as { port: number }
    await new Promise(resolve => closed.close(resolve))
    const error = await failure(bench.request('2133', { reachedAt: { address: LOOPBACK, port } }))
    t.match(error, { reason: 'issuer-unreachable', message: /router maps/ })
    t.equal((error as EndpointError).message.includes('nothing listens there'), level === 3, 'below level 3, nobody is told which ports are open')
    t.match(acceptor.of('error')[0], { reason: 'issuer-unreachable', address: LOOPBACK, port })
    t.match(bench.log.of('request-ended')[0], { outcome: 'issuer-unreachable' })
    t.ok(await bench.serves('good', {}, { level }))
  }
})

t.test('another program answers at the named port, or a caller without the token connects to 102', async t => {
  const bench = await Bench.start(t)
  await bench.accept('2133')
  const web = createServer(socket => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, LOOPBACK)
  await once(web, 'listening')
  t.teardown(() => web.close())
  const { port } = web.address() as { port: number }
  t.match(await failure(bench.request('2133', { reachedAt: { address: LOOPBACK, port } })), { reason: 'issuer-unreachable', message: /version 72 is not known/ })

  // The caller comes first, while the acceptor is registered but silent; then the listener still takes the right one.
  const issuer = new EventLog()
  await datagrams(bench.ports().udp, [encode({ name: 'registration', equipmentId: 'silent', padding: new Uint8Array(106) })])
  const request = failure(bench.request('silent', { onEvent: issuer.onEvent }))
  await bench.log.until('notified', 2)
  const caller = await dial(issuer.of('listening')[0].port)
  caller.write(encode({ name: 'greeting', token: 'ff'.repeat(8) }))
  const told = await drain(caller)
  t.same(told.subarray(0, 8), encode({ name: 'answer', reason: 10 }))
  t.match(issuer.of('error')[0], { reason: 'wrong-token' })
  t.match(await request, { reason: 'gone-silent' })
  t.ok(await bench.serves())
})

t.test('too many requests for one acceptor', async t => {
  const bench = await Bench.start(t, { maxRequests: 2 })
  await datagrams(bench.ports().udp, [encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(106) })])
  await bench.log.until('registered')
  const errors = await Promise.all([1, 2, 3].map(() => failure(bench.request('2133'))))
  t.same(errors.map(error => (error as EndpointError).reason).sort(), ['busy', 'gone-silent', 'gone-silent'])
  t.ok(await bench.serves())
})

t.test('no server, or one that goes', async t => {
  const bench = await Bench.start(t)
  const port = bench.ports().issuers
  await datagrams(bench.ports().udp, [encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(106) })])
  await bench.log.until('registered')
  const waiting = failure(bench.request('2133'))
  await bench.log.until('notified')
  await bench.server.close()
  t.match(await waiting, { reason: 'connection-lost', message: /check that the server runs/ })
  t.match(await failure(bench.request('2133', { server: { address: LOOPBACK, port } })), { reason: 'connect-failed', message: /nothing listens there/ })

  const log = new EventLog()
  const acceptor = await startAcceptor({
    equipmentId: '1', level: 2, server: { address: LOOPBACK, udpPort: bench.ports().udp }, interval: 20, onConnection: () => undefined, onEvent: log.onEvent,
  })
  await log.until('registration-sent', 4)
  t.match(log.of('error'), [{ reason: 'send-failed', message: /registrations do not reach/ }], 'told once')
  await acceptor.close()
})

t.test('a server that never answers', async t => {
  const silent = createServer(socket => socket.on('error', () => undefined)).listen(0, LOOPBACK)
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const error = failure(requestConnection({ equipmentId: '1', server: { address: LOOPBACK, port }, timeouts: { request: 100 } }))
  t.match(await error, { message: /within 100 ms/ })
})

t.test('ports that are taken', async t => {
  const bench = await Bench.start(t)
  const { udp, issuers } = bench.ports()
  t.match(await failure(startServer({ address: LOOPBACK, udpPort: udp, issuerPort: 0, acceptorPort: 0 })), { reason: 'address-in-use', message: /UDP port.*in use.*choose another/ })
  t.match(await failure(startServer({ address: LOOPBACK, udpPort: 0, issuerPort: issuers, acceptorPort: 0 })), { reason: 'address-in-use' })
  t.match(await failure(bench.request('1', { listen: { address: LOOPBACK, port: issuers } })), { reason: 'address-in-use' })
  t.match(await failure(startServer({ address: '203.0.113.1', udpPort: 0 })), { reason: 'listen-failed', message: /does not have that address/ })
  t.ok(await bench.serves())
})
