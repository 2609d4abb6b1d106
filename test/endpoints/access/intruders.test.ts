// Who has no key, or a capture: the server and the acceptors as they run, each attack against both ends on loopback.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { EndpointError, SocketChannel, openSession } from '../../../endpoints/index.js'
import { Defect, decode, encode } from '../../../endpoints/message/index.js'
import { AcceptorGuard } from '../../../endpoints/access/acceptor-guard.js'
import { Bench, EventLog, LOOPBACK, SHORT, datagrams, dial, failure } from '../bench.js'

const KEY = new Uint8Array(32).fill(7), WRONG = new Uint8Array(32).fill(8)
const equipment = { keyOf: (equipmentId: string) => equipmentId === '2133' || equipmentId === 'good' ? KEY : null }
const QUIET = 3_600_000

/** Relays datagrams between one acceptor and the server, as a router does, and keeps them. */
async function tap(test: { teardown(end: () => unknown): void }, serverPort: number) {
  const [inside, outside] = [createSocket('udp4'), createSocket('udp4')]
  for (const socket of [inside, outside]) {
    socket.bind({ address: LOOPBACK, port: 0 })
    await once(socket, 'listening')
    test.teardown(() => socket.close())
  }
  const heard = { up: [] as Buffer[], down: [] as Buffer[] }
  const log = new EventLog()
  let acceptor = 0
  inside.on('message', (bytes, { port }) => {
    acceptor = port
    heard.up.push(bytes)
    outside.send(bytes, serverPort, LOOPBACK)
    log.wake()
  })
  outside.on('message', bytes => {
    heard.down.push(bytes)
    inside.send(bytes, acceptor, LOOPBACK)
    log.wake()
  })
  return { port: inside.address().port, wan: outside.address().port, heard, log, inject: (bytes: Uint8Array) => inside.send(bytes, acceptor, LOOPBACK),
    report: (bytes: Uint8Array) => outside.send(bytes, serverPort, LOOPBACK) }
}

t.test('a whole sequence at each level with a key', async t => {
  for (const level of [1, 2, 3] as const) {
    const bench = await Bench.start(t, { level, equipment })
    t.ok(await bench.serves('2133', {}, { level, key: KEY }))
    t.same(bench.log.of('error'), [])
  }
})

t.test('without the key nobody is registered, and the one who is stays where it is', async t => {
  const bench = await Bench.start(t, { equipment })
  await bench.accept('2133', { key: KEY, interval: QUIET })
  const [home] = bench.server.list()
  await datagrams(bench.ports().udp, [
    encode({ name: 'registration', equipmentId: '2133', padding: new Uint8Array(50) }),
    new AcceptorGuard('2133', WRONG).next(), new AcceptorGuard('4711', KEY).next(),
  ])
  await bench.log.until('error', 3)
  t.match(bench.log.of('error').map(({ reason, message }) => [reason, message]), [
    ['not-authenticated', /no authenticator; give the acceptor its key/], ['not-authenticated', /authenticator is wrong/], ['not-authenticated', /no key of this equipment/],
  ])
  t.match(bench.server.list(), [{ equipmentId: '2133', port: home.port }])
  t.equal(bench.server.list().length, 1)
})

t.test('a 201 that was overheard is refused from another address, at once and after the next one', async t => {
  const bench = await Bench.start(t, { equipment })
  const router = await tap(t, bench.ports().udp)
  await bench.accept('2133', { key: KEY, interval: 30, server: { address: LOOPBACK, udpPort: router.port, port: bench.ports().tcp } })
  await bench.log.until('registered', 3)
  const before = bench.log.of('error').length
  await datagrams(bench.ports().udp, router.heard.up.slice(0, 3))
  await bench.log.until('error', before + 3)
  t.ok(bench.log.of('error').every(({ reason }) => reason === 'replayed'))
  t.match(bench.server.list(), [{ equipmentId: '2133', port: router.wan }])
  t.same(bench.log.of('registered').filter(({ outcome }) => outcome === 'moved'), [])
})

t.test('a server that has been restarted takes no 201 of before', async t => {
  const bench = await Bench.start(t, { equipment })
  const router = await tap(t, bench.ports().udp)
  await bench.accept('2133', { key: KEY, interval: QUIET, server: { address: LOOPBACK, udpPort: router.port, port: bench.ports().tcp } })
  await bench.server.close()
  while (Date.now() <= Number(firstTime(router.heard.up))) await new Promise(setImmediate)
  const again = await Bench.start(t, { equipment })
  await datagrams(again.ports().udp, router.heard.up)
  t.match(await again.log.until('error'), { reason: 'replayed', message: /before this server started/ })
  t.same(again.server.list(), [])
})

const firstTime = ([bytes]: readonly Uint8Array[]): number | undefined => {
  const message = decode(bytes)
  return message instanceof Defect || message.name !== 'registration' ? undefined : message.time
}

t.test('clocks that differ are told at both ends', async t => {
  const bench = await Bench.start(t, { equipment })
  const { udp, tcp } = bench.ports()
  const log = new EventLog()
  void bench.accept('2133', { key: KEY, interval: QUIET, timeOfDay: () => Date.now() - 90_000, onEvent: log.onEvent, server: { address: LOOPBACK, udpPort: udp, port: tcp } })
  t.match(await bench.log.until('error'), { reason: 'clock-differs', message: /90\.\d s behind this machine's.*set both clocks/ })
  t.match(await log.until('error'), { reason: 'clock-differs', message: /clock here is 90\.\d s behind the server's; set both clocks/ })
  bench.log.onEvent({ time: 0, apparatus: '101', event: 'registered', step: 'S202', equipmentId: '', outcome: 'added', address: '', port: 0 }) // lets `accept` look again
})

t.test('who overhears a 205 and connects first gets no 226, and the request goes through all the same', async t => {
  const bench = await Bench.start(t, { equipment })
  const router = await tap(t, bench.ports().udp)
  const acceptor = await bench.accept('2133', { key: KEY, server: { address: LOOPBACK, udpPort: router.port, port: bench.ports().tcp }, connectPort: 0 })
  const issuer = bench.request('2133')
  const notification = decode(await router.log.untilSome(router.heard.down))
  if (notification instanceof Defect || notification.name !== 'notification') throw new Error('205 was expected')
  const thief = new SocketChannel(await dial(bench.ports().tcp))
  await thief.send({ name: 'greeting', token: notification.token })
  const got = await thief.receive(['answer', 'forwardedRequest'], 2000)
  t.equal(got.name, 'answer')
  const session = openSession(await issuer, { stall: SHORT.stall })
  await session.sendLine('to the right one')
  t.match(await acceptor.until('line-received'), { text: 'to the right one' })
  await session.close()
})

t.test('level 1: a 226 that is forged, or sent again later, makes the acceptor connect nowhere', async t => {
  const bench = await Bench.start(t, { level: 1, equipment })
  const router = await tap(t, bench.ports().udp)
  const acceptor = await bench.accept('2133', { level: 1, key: KEY, server: { address: LOOPBACK, udpPort: router.port } })
  const session = openSession(await bench.request('2133'), { stall: SHORT.stall })
  await acceptor.until('connected')
  await session.close()
  const captured = router.heard.down[0]
  const known = acceptor.of('connecting').length
  router.inject(encode({ name: 'forwardedRequest', address: LOOPBACK, port: 1, token: '00'.repeat(8) }))
  t.match(await acceptor.until('error'), { reason: 'not-authenticated', message: /does not come from the server/ })
  router.inject(captured.map((byte, at) => at === 10 ? byte ^ 1 : byte))
  await acceptor.until('error', 2)
  await acceptor.until('registration-sent', acceptor.of('registration-sent').length + 9)
  router.inject(captured)
  await acceptor.until('error', 3)
  t.ok(acceptor.of('error').every(({ reason }) => reason === 'not-authenticated'))
  t.equal(acceptor.of('connecting').length, known)
})

t.test('level 1: a report that is forged, from the very address of the acceptor, ends nothing', async t => {
  const bench = await Bench.start(t, { level: 1, equipment })
  const router = await tap(t, bench.ports().udp)
  await bench.accept('2133', { level: 1, key: KEY, server: { address: LOOPBACK, udpPort: router.port } })
  const { port } = (await dial(bench.ports().issuers)).address() as { port: number } // nobody listens there
  const outcome = failure(bench.request('2133', { reachedAt: { address: LOOPBACK, port } }))
  const request = decode(await router.log.untilSome(router.heard.down))
  if (request instanceof Defect || request.name !== 'forwardedRequest') throw new Error('226 was expected')
  router.report(encode({ name: 'answer', reason: 0, token: request.token }))
  t.match(await bench.log.until('error'), { reason: 'not-authenticated', message: /report/ })
  t.match(await outcome, { reason: 'issuer-unreachable' })
})

t.test('a key that is removed lets its equipment get nothing more', async t => {
  let key: Uint8Array | null = KEY
  const bench = await Bench.start(t, { equipment: { keyOf: () => key } })
  await bench.accept('2133', { key: KEY })
  key = null
  const error = await failure(bench.request('2133'))
  t.ok(error instanceof EndpointError)
  t.equal((error as EndpointError).reason, 'gone-silent')
})

t.test('addresses that a request may not name: told to the issuer, with no packet sent there, and nothing of why', async t => {
  for (const level of [1, 2, 3] as const) {
    const bench = await Bench.start(t, { level })
    const acceptor = await bench.accept('2133', { level, policy: {} })
    for (const address of [LOOPBACK, '192.168.1.1', '169.254.169.254', '10.0.0.1', '224.0.0.1', '0.0.0.0', '255.255.255.255', '100.64.0.1']) {
      const error = await failure(bench.request('2133', { reachedAt: { address, port: 22 } })) as EndpointError
      t.match(error, { reason: 'address-refused' }, address)
      t.notMatch(error.message, /Private|Loopback|own|Link/, 'that is for the owner of the acceptor')
    }
    t.equal(acceptor.of('connecting').length, 0)
    t.match(acceptor.of('error')[0], { reason: 'address-refused', message: /127\.0\.0\.1.*allow it \(--allow-to 127\.0\.0\.1\)/ })
    const wrong = level === 3 ? await failure(bench.request('2133', { password: 'guess', reachedAt: { address: '10.0.0.1', port: 22 } })) : null
    if (wrong) t.match(wrong, { reason: 'wrong-password' }, 'the password comes first: who has none learns nothing of the policy')
  }
})

t.test('below level 3 open, closed and silent ports look the same, and take the same time', async t => {
  const bench = await Bench.start(t, { level: 2 })
  await bench.accept('2133', { level: 2 })
  const open = bench.ports().issuers // something listens there, and speaks otherwise
  const closed = (await dial(open)).address() as { port: number }
  const told = await Promise.all([open, closed.port].map(async port => {
    const began = performance.now()
    const error = await failure(bench.request('2133', { reachedAt: { address: LOOPBACK, port } })) as EndpointError
    return { message: error.message, took: performance.now() - began }
  }))
  t.equal(told[0].message, told[1].message)
  for (const { took } of told) t.ok(took >= SHORT.message, `${took.toFixed(0)} ms`)
})
