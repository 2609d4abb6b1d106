// S209 over UDP on loopback: the same sequence and the same session, over datagrams; through a relay that loses some of them; and
// what becomes of it when an end is wrong, missing or gone.
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { keyedClient, keyedServer } from '../../../endpoints/channel/tls-channel.js'
import { listenForCaller } from '../../../endpoints/caller-listener.js'
import { connectDatagrams } from '../../../endpoints/datagram-stream/connect.js'
import { TIMEOUTS, openSession } from '../../../endpoints/index.js'
import { encodePacket } from '../../../endpoints/message/datagram.js'
import { UDP_TRANSPORT, decode, encode } from '../../../endpoints/message/index.js'
import { Bench, EventLog, LOOPBACK, SHORT, datagrams, dial, drain, failure } from '../bench.js'
import { LossyRelay } from './lossy-relay.js'
import { contentOf } from './network.js'
import type { Channel, Level } from '../../../endpoints/index.js'

const UDP = { data: 'udp' } as const
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const PATIENT = { stall: TIMEOUTS.stall, timeouts: TIMEOUTS }

for (const level of [1, 2, 3] as const) {
  t.test(`level ${level}: files and lines both ways, and an orderly end`, async t => {
    const root = t.testdir({ out: {}, in: {}, back: {} })
    const there = contentOf(700_001), back = contentOf(300_003, 2)
    await writeFile(join(root, 'out', 'there.bin'), there)
    await writeFile(join(root, 'out', 'back.bin'), back)
    const bench = await Bench.start(t, { level })
    const acceptor = await bench.accept('2133', accepting(level), { receive: { directory: join(root, 'in') } })
    const issuer = new EventLog()
    const connection = await bench.request('2133', { ...UDP, ...(level === 3 ? {} : { password: undefined }), onEvent: issuer.onEvent } as object)
    t.match(issuer.of('listening'), [{ transport: 'udp', purpose: 'direct connection' }])
    const session = openSession(connection, { onEvent: issuer.onEvent, receive: { directory: join(root, 'back') } })
    await acceptor.until('connected')
    t.match(acceptor.of('connecting'), [{ transport: 'udp', port: issuer.of('listening')[0].port }])
    await Promise.all([
      session.sendFile(join(root, 'out', 'there.bin')), bench.sessions[0].sendFile(join(root, 'out', 'back.bin')),
      session.sendLine('hello'), bench.sessions[0].sendLine('hello yourself'),
    ])
    t.equal(acceptor.of('file-received')[0].sha256, sha256(there))
    t.ok((await readFile(join(root, 'back', 'back.bin'))).equals(back))
    t.match(await session.close(), { outcome: 'goodbye' })
    t.match(await bench.sessions[0].ended, { outcome: 'goodbye' })
    t.equal((await issuer.until('line-received')).text, 'hello yourself')
  })
}

const accepting = (level: Level): object => level === 3 ? {} : { level }

t.test('a path that loses, repeats and reorders: files come whole', async t => {
  for (const [share, bytes] of [[0.02, 1_000_000], [0.1, 100_000]] as const) {
    const root = t.testdir({ in: {} })
    const content = contentOf(bytes)
    await writeFile(join(root, 'file.bin'), content)
    const bench = await Bench.start(t, { timeouts: TIMEOUTS })
    const acceptor = await bench.accept('2133', { timeouts: TIMEOUTS }, { ...PATIENT, receive: { directory: join(root, 'in') } })
    const relay = await LossyRelay.start(t, share, 5)
    const connection = await bench.request('2133', {
      ...UDP, timeouts: TIMEOUTS, reachedAt: { address: LOOPBACK, port: relay.port },
      onEvent: event => { if (event.event === 'listening') relay.lead(event.port) },
    })
    const session = openSession(connection, PATIENT)
    t.equal((await session.sendFile(join(root, 'file.bin'))).sha256, sha256(content))
    t.equal(acceptor.of('file-received')[0].sha256, sha256(content))
    t.match(await session.close(), { outcome: 'goodbye' })
    t.ok(relay.lost > relay.passed * share / 2, `${relay.lost} lost, ${relay.passed} passed`)
  }
})

t.test('20 MB over loopback: seconds, and little memory', async t => {
  const root = t.testdir({ in: {} })
  const content = contentOf(20_000_000)
  await writeFile(join(root, 'file.bin'), content)
  const bench = await Bench.start(t)
  const acceptor = await bench.accept('2133', {}, { receive: { directory: join(root, 'in') }, stall: TIMEOUTS.stall })
  const session = openSession(await bench.request('2133', UDP), { stall: TIMEOUTS.stall })
  const from = performance.now(), before = process.memoryUsage().arrayBuffers
  let most = 0
  const watch = setInterval(() => { most = Math.max(most, process.memoryUsage().arrayBuffers - before) }, 20)
  await session.sendFile(join(root, 'file.bin'))
  clearInterval(watch)
  const seconds = (performance.now() - from) / 1000
  t.comment(`${seconds.toFixed(2)} s, ${(20 / seconds).toFixed(0)} MB/s, ${(most / 1e6).toFixed(1)} MB of buffers`)
  t.equal(acceptor.of('file-received')[0].sha256, sha256(content))
  t.ok(seconds < 20, `${seconds} s`)
  t.match(await session.close(), { outcome: 'goodbye' })
})

t.test('217 and 226 say so only when it is UDP', async t => {
  const request = { name: 'request', equipmentId: '2133', address: '4.17.168.2', port: 5000, token: '0011223344556677' } as const
  t.equal(encode({ ...request, transport: UDP_TRANSPORT }).length, encode(request).length + 4)
  t.match(decode(encode({ ...request, transport: UDP_TRANSPORT })), { transport: 17 })
})

t.test('a transport that the acceptor does not know is refused, and both ends are told', async t => {
  const bench = await Bench.start(t)
  const acceptor = await bench.accept('2133')
  const socket = await dial(bench.ports().issuers)
  socket.write(encode({ name: 'request', equipmentId: '2133', password: 'secret', address: LOOPBACK, port: 5000, token: '0011223344556677', transport: 132 }))
  t.match(decode(await drain(socket)), { name: 'answer', reason: 32, sentence: 'IP protocol 132' })
  t.match(await acceptor.until('request-handled'), { outcome: 'unknown-transport' })
  t.same(acceptor.of('connecting'), [])
  t.ok(await bench.serves())
})

t.test('nobody at the issuer\'s address', async t => {
  await t.test('the port is closed: refused at once', async t => {
    const bench = await Bench.start(t)
    const closed = createSocket('udp4').bind(0, LOOPBACK)
    await once(closed, 'listening')
    const { port } = closed.address()
    closed.close()
    await bench.accept('2133')
    t.match(await failure(bench.request('2133', { ...UDP, reachedAt: { address: LOOPBACK, port } })),
      { reason: 'issuer-unreachable', message: /was refused: nothing listens there/ })
    t.ok(await bench.serves('other', UDP))
  })
  await t.test('nothing answers: given up in time', async t => {
    const bench = await Bench.start(t)
    const deaf = createSocket('udp4').bind(0, LOOPBACK)
    t.teardown(() => deaf.close())
    await once(deaf, 'listening')
    await bench.accept('2133')
    t.match(await failure(bench.request('2133', { ...UDP, reachedAt: { address: LOOPBACK, port: deaf.address().port } })),
      { reason: 'issuer-unreachable', message: /got no answer within 400 ms/ })
  })
})

t.test('strangers at the issuer\'s port are told of, not answered, and do not get in', async t => {
  const bench = await Bench.start(t)
  const issuer = new EventLog()
  const acceptor = await bench.accept('2133')
  const closed = createSocket('udp4').bind(0, LOOPBACK) // the acceptor calls here in vain, so that the strangers have time
  t.teardown(() => closed.close())
  await once(closed, 'listening')
  const asked = failure(bench.request('2133', { ...UDP, reachedAt: { address: LOOPBACK, port: closed.address().port }, onEvent: issuer.onEvent }))
  const { port } = await issuer.until('listening')
  const wrong = encodePacket({ kind: 'open', id: 'e'.repeat(16), token: 'f'.repeat(16), limit: 1000 })
  await datagrams(port, [wrong, Buffer.from('hello'), new Uint8Array(0), ...Array<Uint8Array>(40).fill(wrong)])
  t.match(await issuer.until('error'), { reason: 'wrong-token' })
  t.match(await issuer.until('error', 2), { reason: 'malformed' })
  t.match(await asked, { reason: 'issuer-unreachable' })
  t.equal(issuer.of('error').length, 16, 'told of so often, and no more')
  t.same(issuer.of('connected'), [])
  t.equal(acceptor.of('connected').length, 0)
})

t.test('an end that goes away', async t => {
  await t.test('by a reset', async t => {
    const bench = await Bench.start(t)
    const acceptor = await bench.accept('2133')
    const { channel } = await bench.request('2133', UDP)
    await acceptor.until('connected')
    channel.reset()
    t.match(await bench.sessions[0].ended, { outcome: 'lost', message: /reset by the other end/ })
  })
  await t.test('within a file: nothing is left of it', async t => {
    const root = t.testdir({ in: {} })
    await writeFile(join(root, 'big.bin'), contentOf(5_000_000))
    const bench = await Bench.start(t)
    const acceptor = await bench.accept('2133', {}, { receive: { directory: join(root, 'in') } })
    const connection = await bench.request('2133', UDP)
    const session = openSession(connection)
    const sending = failure(session.sendFile(join(root, 'big.bin')))
    await acceptor.until('connected')
    connection.channel.reset()
    t.match(await sending, { reason: 'connection-lost' })
    t.match(await bench.sessions[0].ended, { outcome: 'lost' })
  })
})

t.test('the issuer\'s port is free for the next request, and one in use is named', async t => {
  const bench = await Bench.start(t)
  await bench.accept('2133')
  const listen = { address: LOOPBACK, port: 16_021 }
  for (let i = 0; i < 3; i++) {
    const session = openSession(await bench.request('2133', { ...UDP, listen }), { stall: SHORT.stall })
    await session.sendLine('again')
    t.match(await session.close(), { outcome: 'goodbye' })
    await bench.sessions[i].ended
    await freed(listen)
  }
  const other = createSocket('udp4').bind(16_021, LOOPBACK)
  t.teardown(() => other.close())
  await once(other, 'listening')
  t.match(await failure(bench.request('2133', { ...UDP, listen })), { reason: 'address-in-use' })
})

/** Resolves when the port can be bound again; the last acknowledgement may still be on its way. */
async function freed({ address, port }: { address: string, port: number }): Promise<void> {
  for (;;) {
    const socket = createSocket('udp4')
    try {
      socket.bind(port, address)
      await once(socket, 'listening')
      return
    } catch {
      await new Promise(resolve => setImmediate(resolve))
    } finally {
      socket.close()
    }
  }
}

t.test('requests at the same time do not mix', async t => {
  const bench = await Bench.start(t, { timeouts: TIMEOUTS })
  const acceptor = await bench.accept('2133', { timeouts: TIMEOUTS })
  const sessions = await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    const session = openSession(await bench.request('2133', { ...UDP, timeouts: TIMEOUTS }))
    await session.sendLine(`line ${i}`)
    return session
  }))
  for (const session of sessions) t.match(await session.close(), { outcome: 'goodbye' })
  t.same(acceptor.of('line-received').map(({ text }) => text).sort(), Array.from({ length: 8 }, (_, i) => `line ${i}`))
})

t.test('TLS over it, with the key of the request: files whole both ways over a lossy path, and nothing readable on the way', async t => {
  const key = new Uint8Array(32).fill(9), token = '0123456789abcdef'
  const relay = await LossyRelay.start(t, 0.02, 9)
  const listener = await listenForCaller('udp', { address: LOOPBACK }, token, () => undefined)
  t.teardown(() => listener.close())
  relay.lead(listener.local.port)
  const called = new Promise<Channel>((resolve, reject) => listener.serve(socket => { keyedServer(key)(socket, 10_000).then(resolve, reject) }))
  const socket = await connectDatagrams('the connection', { to: { address: LOOPBACK, port: relay.port }, within: 10_000 }, token)
  const caller = await keyedClient(key)(socket, 10_000)
  const root = t.testdir({ in: {}, back: {} })
  const content = contentOf(400_000)
  content.set(Buffer.from('a sentence that is easily found'), 1000)
  await writeFile(join(root, 'file.bin'), content)
  const receiving = openSession({ channel: await called, apparatus: '102', equipmentId: '2133' }, { receive: { directory: join(root, 'in') } })
  const sending = openSession({ channel: caller, apparatus: '103', equipmentId: '2133' })
  t.equal((await sending.sendFile(join(root, 'file.bin'))).sha256, sha256(content))
  t.ok((await readFile(join(root, 'in', 'file.bin'))).equals(content))
  t.match(await sending.close(), { outcome: 'goodbye' })
  t.match(await receiving.ended, { outcome: 'goodbye' })
  t.ok(relay.lost > 0)
  t.notOk(Buffer.concat(relay.seen).includes('easily found'))
})
