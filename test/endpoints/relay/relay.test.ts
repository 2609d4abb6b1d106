// The relayed connection of Fig. 13 and the hybrid system on loopback: what passes, who is told what, and what is left afterwards.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { plainChannel } from '../../../endpoints/channel/socket-channel.js'
import { encode } from '../../../endpoints/message/index.js'
import { LOOPBACK, datagrams, dial, drain, failure, seeded } from '../bench.js'
import { RelayBench } from './relay-bench.js'
import type { Duplex } from 'node:stream'

const token = '0123456789abcdef'

t.test('31 to 38, and files both ways through the server', async t => {
  const folder = t.testdir({ 'from-13': {}, 'from-12': {} })
  const random = seeded(1)
  for (const name of ['a.bin', 'b.bin']) writeFileSync(join(folder, name), Uint8Array.from({ length: 400_000 }, () => random() & 255))
  const bench = await RelayBench.start(t)
  const { log, connections } = await bench.accept('2133', {}, { receive: { directory: join(folder, 'from-12') } })
  const session = await bench.session('2133', {}, { receive: { directory: join(folder, 'from-13') } })
  await session.sendCommand('record channel 3')
  t.match(await log.until('command-received'), { apparatus: '13', text: 'record channel 3' })
  t.match(await session.sendFile(join(folder, 'a.bin')), { bytes: 400_000 })
  t.match(await log.until('file-received'), { name: 'a.bin', bytes: 400_000 })
  t.match(await session.close(), { outcome: 'goodbye' })
  const ended = await bench.log.until('relay-ended')
  t.match(ended, { outcome: 'ended', equipmentId: '2133' })
  t.ok(ended.fromIssuer > 400_000 && ended.fromAcceptor > 30, 'every byte is counted')
  t.match(bench.log.steps().filter((step, at, all) => step !== '11 S32A' && all.indexOf(step) === at), ['11 S32', '11 S35', '11 36'])
  t.equal(connections[0].channel.peer.port, bench.server.acceptors?.port, '13 has connected to the server')
  t.equal(bench.log.of('relay-started')[0].acceptor.port, connections[0].channel.local.port)
})

t.test('what does not come about is told to the issuer, and the server goes on', async t => {
  const bench = await RelayBench.start(t, { lifetime: 200, timeouts: { notify: 250 } })
  await t.test('an acceptor that nobody knows', async t => {
    t.match(await failure(bench.request('nobody')), { reason: 'unknown-equipment', message: /nobody.*check the ID/ })
    t.match(bench.log.of('looked-up').at(-1), { step: 'S35', outcome: 'unknown' })
  })
  await t.test('one that is registered and says nothing', async t => {
    await datagrams(bench.server.registrations.port, [encode({ name: 'relayRegistration', equipmentId: 'silent', padding: new Uint8Array(60) })])
    await bench.log.until('registered')
    t.match(await failure(bench.request('silent')), { reason: 'gone-silent', message: /did not answer/ })
  })
  await t.test('a registration that has lapsed', async t => {
    const { acceptor } = await bench.accept('lapses')
    await acceptor.close()
    await bench.log.until('lapsed', 2)
    t.match(await failure(bench.request('lapses')), { reason: 'unknown-equipment' })
  })
  await t.test('an issuer that goes while 13 is awaited', async t => {
    await datagrams(bench.server.registrations.port, [encode({ name: 'relayRegistration', equipmentId: 'slow', padding: new Uint8Array(60) })])
    const stop = new AbortController()
    const request = failure(bench.request('slow', { signal: stop.signal }))
    await bench.log.until('notified', bench.log.of('notified').length + 1)
    stop.abort()
    t.match(await request, { reason: 'cancelled' })
    const ended = bench.log.of('request-ended').length
    t.match(await bench.log.until('request-ended', ended + 1), { outcome: 'withdrawn' })
  })
  t.ok(await bench.serves())
})

t.test('garbage', async t => {
  const bench = await RelayBench.start(t)
  const random = seeded(7)
  const noise = (): Buffer => Buffer.from(Uint8Array.from({ length: 100 }, () => random() & 255))
  for (const port of [bench.server.issuers.port, bench.server.acceptors?.port ?? 0]) {
    const socket = await dial(port)
    socket.end(noise())
    const answered = Buffer.from(await drain(socket))
    t.equal(answered[1], 2, 'told that it was not understood')
  }
  await datagrams(bench.server.registrations.port, [noise(), encode({ name: 'registration', equipmentId: '1' }), encode({ name: 'command', text: 'x' })])
  await bench.log.until('error', 5)
  t.same(bench.server.list(), [], 'a 201 is no 31')
  const uninvited = await dial(bench.server.acceptors?.port ?? 0)
  uninvited.write(encode({ name: 'greeting', token }))
  t.equal(Buffer.from(await drain(uninvited)).readUInt8(7), 8, 'no-such-request')

  const early = await dial(bench.server.issuers.port)
  await bench.accept('2133', {}, {})
  early.write(Buffer.concat([encode({ name: 'relayRequest', equipmentId: '2133', token }), encode({ name: 'command', text: 'too early' })]))
  const outcome = await bench.log.until('request-ended')
  t.equal(outcome.outcome, 'withdrawn', 'nothing may come before the answer')
  early.destroy()
  t.ok(await bench.serves())
})

t.test('an end that dies in the middle takes the other with it, and nothing else', async t => {
  const bench = await RelayBench.start(t)
  const staying = await bench.accept('staying', {}, {})
  const bystander = await bench.session('staying')
  for (const dies of ['issuer', 'acceptor'] as const) {
    const { log, connections } = await bench.accept(dies)
    const issuer = await bench.request(dies)
    await log.until('connected')
    const [victim, left] = dies === 'issuer' ? [issuer, connections[0]] : [connections[0], issuer]
    await victim.channel.send({ name: 'command', text: 'and then' })
    await left.channel.receive(['command'])
    victim.channel.reset()
    t.match(await failure(left.channel.receive([])), { fault: 'lost' })
    const ended = await bench.log.until('relay-ended', dies === 'issuer' ? 1 : 2)
    t.match(ended, { outcome: 'aborted', message: new RegExp(`^${dies}: the connection was lost`) })
  }
  await bystander.sendCommand('unmoved')
  t.match(await staying.log.until('command-received'), { text: 'unmoved' })
  t.match(await bystander.close(), { outcome: 'goodbye' })
})

t.test('a half-close goes through, and the answer still comes', async t => {
  const bench = await RelayBench.start(t)
  const { connections, log } = await bench.accept('2133')
  const issuer = (await bench.request('2133')).channel.release()
  await log.until('connected')
  const acceptor = connections[0].channel.release()
  await issuer.write(Buffer.from('GET /'))
  await issuer.end()
  t.same(await acceptor.read(), Buffer.from('GET /'))
  t.equal(await acceptor.read(), 'ended')
  await acceptor.write(Buffer.from('200 OK'))
  await acceptor.end()
  t.same(await issuer.read(), Buffer.from('200 OK'))
  t.equal(await issuer.read(), 'ended')
  t.match(await bench.log.until('relay-ended'), { outcome: 'ended', fromIssuer: 5, fromAcceptor: 6 })
})

t.test('a reader that takes nothing is given up in the end, and the server holds little until then', async t => {
  const sockets: Duplex[] = []
  const bench = await RelayBench.start(t, {
    stall: 400,
    openChannel: (socket, limit) => {
      sockets.push(socket)
      return plainChannel(socket, limit)
    },
  })
  const { connections, log } = await bench.accept('2133')
  const issuer = (await bench.request('2133')).channel.release()
  await log.until('connected')
  const before = process.memoryUsage().arrayBuffers
  const chunk = new Uint8Array(65_536)
  let sent = 0, most = 0, held = 0
  const look = setInterval(() => { held = Math.max(held, ...sockets.map(socket => socket.readableLength + socket.writableLength)) }, 1)
  t.teardown(() => clearInterval(look))
  while (await issuer.write(chunk) === 'taken') {
    sent += chunk.length
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  t.match(await bench.log.until('relay-ended'), { outcome: 'aborted', message: /^acceptor: .*nothing was taken for 400 ms/ })
  t.ok(sent < 64 * 2 ** 20, `the sender was held back after ${sent} bytes`)
  t.ok(most < 8 * 2 ** 20, `at most ${most} bytes more than before were held, both ends and the server together`)
  t.ok(held > 0 && held <= 4 * 65_536, `the server itself held ${held} bytes of a connection at most`)
  connections[0].channel.reset()
  t.ok(await bench.serves())
})

t.test('hybrid: pairs with global addresses connect directly, others through the server', async t => {
  const bench = await RelayBench.start(t)
  const isRelayed = (): boolean => bench.log.of('relay-started').length > 0
  const listen = { address: LOOPBACK }
  const global = await bench.accept('global', { isDirect: true }, {})
  const hidden = await bench.accept('hidden', {}, {})

  const direct = await bench.session('global', { listen })
  t.notOk(isRelayed())
  t.equal(bench.log.of('looked-up').at(-1)?.path, 'direct: both have global addresses')
  await global.log.until('connected')
  t.not(global.connections[0].channel.peer.port, bench.server.acceptors?.port, '13 has connected to 12 itself')

  const relayed = await bench.session('hidden', { listen })
  t.ok(isRelayed())
  t.equal(bench.log.of('looked-up').at(-1)?.path, 'through the server: the acceptor names no address of its own')
  await bench.session('global').then(session => session.close())
  t.equal(bench.log.of('looked-up').at(-1)?.path, 'through the server: the issuer names no address of its own')

  await relayed.sendCommand('before')
  const another = await bench.session('global', { listen })
  t.match(await direct.close(), { outcome: 'goodbye' })
  t.match(await another.close(), { outcome: 'goodbye' })
  await relayed.sendCommand('after')
  t.match((await hidden.log.until('command-received', 2)).text, 'after', 'undisturbed')
  t.match(await relayed.close(), { outcome: 'goodbye' })
})

t.test('hybrid: a direct connection that does not come about', async t => {
  const bench = await RelayBench.start(t)
  await bench.accept('2133', { isDirect: true }, {})
  const socket = await dial(bench.server.issuers.port)
  const { port } = socket.address() as { port: number } // nobody listens there
  socket.write(encode({ name: 'relayRequest', equipmentId: '2133', address: LOOPBACK, port, token }))
  await bench.log.until('request-ended')
  t.match(bench.log.of('request-ended').at(-1), { outcome: 'issuer-unreachable' })
  socket.destroy()
  t.ok(await bench.serves())
})
