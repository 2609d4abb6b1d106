// S209 over a direct connection: files with their hash, damage on the way, refusals, back-pressure, and orderly ends.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, readdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { SocketChannel, openSession } from '../../endpoints/index.js'
import { Bench, EventLog, LOOPBACK, SHORT, dial, failure, seeded } from './bench.js'
import type { Connection, Session, SessionOptions } from '../../endpoints/index.js'
import type { Socket } from 'node:net'

const MEGABYTE = 2 ** 20
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function noise(length: number, seed = 1): Buffer {
  const random = seeded(seed)
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(random(), at)
  return bytes
}

interface Test { teardown(end: () => unknown): void, testdir(): string }
interface Ends { a: Socket, b: Socket }

/** Both ends of one TCP connection. */
async function pair(test: Test): Promise<Ends> {
  const server = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK)
  await once(server, 'listening')
  const arrived = once(server, 'connection') as Promise<[Socket]>
  const a = await dial((server.address() as { port: number }).port)
  const [b] = await arrived
  server.close()
  test.teardown(() => { a.destroy(); b.destroy() })
  return { a, b }
}

const connection = (socket: Socket, apparatus: '102' | '103'): Connection =>
  ({ channel: new SocketChannel(socket), apparatus, equipmentId: '2133' })

interface Talk { issuer: Session, acceptor: Session, log: EventLog, issuerLog: EventLog, directory: string }

async function talk(test: Test, options: SessionOptions = {}): Promise<Talk> {
  const { a, b } = await pair(test)
  const log = new EventLog(), issuerLog = new EventLog()
  const root = test.testdir()
  const directory = join(root, 'in'), back = join(root, 'back')
  await mkdir(directory)
  await mkdir(back)
  return {
    log, issuerLog, directory,
    issuer: openSession(connection(a, '102'), { stall: SHORT.stall, onEvent: issuerLog.onEvent, receive: { directory: back } }),
    acceptor: openSession(connection(b, '103'), { stall: SHORT.stall, onEvent: log.onEvent, receive: { directory }, ...options }),
  }
}

t.test('files both ways through the whole sequence, with their hashes, and lines in between', async t => {
  const root = t.testdir({ in: {}, out: {} })
  const big = noise(3 * MEGABYTE + 17), small = Buffer.from('answer\n')
  await writeFile(join(root, 'big.bin'), big)
  await writeFile(join(root, 'small.txt'), small)
  await writeFile(join(root, 'empty'), '')
  const bench = await Bench.start(t)
  const acceptor = await bench.accept('2133', {}, { receive: { directory: join(root, 'in') } })
  const issuer = new EventLog()
  const session = openSession(await bench.request('2133'), { stall: SHORT.stall, onEvent: issuer.onEvent, receive: { directory: join(root, 'out') } })
  await acceptor.until('connected')
  const sending = [session.sendFile(join(root, 'big.bin')), session.sendFile(join(root, 'empty')), bench.sessions[0].sendFile(join(root, 'small.txt'))]
  await session.sendLine('while the file is under way')
  t.match(await Promise.all(sending), [{ name: 'big.bin', bytes: big.length, sha256: sha256(big) }, { bytes: 0 }, { sha256: sha256(small) }])
  t.match(await session.close(), { outcome: 'goodbye' })
  t.same(await readFile(join(root, 'in/big.bin')), big)
  t.same(await readdir(join(root, 'in')), ['big.bin', 'empty'])
  t.same(await readFile(join(root, 'out/small.txt')), small)
  t.match(await acceptor.until('file-received'), { name: 'big.bin', bytes: big.length, sha256: sha256(big) })
  t.match(acceptor.of('line-received'), [{ text: 'while the file is under way' }])
  t.match(await acceptor.until('session-ended'), { outcome: 'goodbye' })
})

t.test('a file that is damaged on the way is refused, and nothing of it stays', async t => {
  const root = t.testdir({ in: {} })
  await writeFile(join(root, 'file'), noise(MEGABYTE))
  const bench = await Bench.start(t)
  const acceptor = await bench.accept('2133', {}, { receive: { directory: join(root, 'in') } })
  // 102 is reached through a proxy that changes one byte of its file.
  let listening = 0
  const proxy = createServer(inbound => {
    const outbound = connect(listening, LOOPBACK)
    let passed = 0
    outbound.on('data', (chunk: Buffer) => {
      if (passed < 500_000 && passed + chunk.length > 500_000) chunk[500_000 - passed] ^= 1
      passed += chunk.length
      inbound.write(chunk)
    })
    inbound.on('data', (chunk: Buffer) => outbound.write(chunk))
    inbound.on('end', () => outbound.end()).on('error', () => outbound.destroy())
    outbound.on('end', () => inbound.end()).on('error', () => inbound.destroy())
  }).listen(0, LOOPBACK)
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const { port } = proxy.address() as { port: number }
  const onEvent: EventLog['onEvent'] = event => { if (event.event === 'listening') listening = event.port }
  const session = openSession(await bench.request('2133', { reachedAt: { address: LOOPBACK, port }, onEvent }), { stall: SHORT.stall })
  t.match(await failure(session.sendFile(join(root, 'file'))), { reason: 'file-refused', message: /damaged on the way/ })
  t.match(await acceptor.until('error'), { reason: 'file-refused', message: /SHA-256 is not the sender's/ })
  t.same(await readdir(join(root, 'in')), [])
  await session.sendLine('and the session goes on')
  t.match(await acceptor.until('line-received'), { text: 'and the session goes on' })
  t.match(await session.close(), { outcome: 'goodbye' })
})

t.test('a receiver that does not read holds the sender back', async t => {
  const { a, b } = await pair(t)
  const path = join(t.testdir(), 'large')
  await writeFile(path, '')
  await truncate(path, 256 * MEGABYTE)
  const session = openSession(connection(a, '102'), { stall: 300 })
  const before = process.memoryUsage().rss
  t.match(await failure(session.sendFile(path)), { reason: 'connection-lost', message: /took nothing for 300 ms/ })
  const grown = (process.memoryUsage().rss - before) / MEGABYTE
  t.ok(grown < 64, `${Math.round(grown)} MiB more for a file of 256`)
  t.ok(b.bytesRead < 64 * MEGABYTE)
  t.match(await session.ended, { outcome: 'lost' })
})

t.test('both ends send much at the same time', async t => {
  const { issuer, acceptor, issuerLog, log, directory } = await talk(t)
  const file = noise(12 * MEGABYTE, 6)
  const path = join(directory, '..', 'file')
  await writeFile(path, file)
  const wanted = { bytes: file.length, sha256: sha256(file) }
  t.match(await Promise.all([issuer.sendFile(path), acceptor.sendFile(path)]), [wanted, wanted])
  t.match([...log.of('file-received'), ...issuerLog.of('file-received')], [wanted, wanted])
  t.match(await acceptor.close(), { outcome: 'goodbye' })
})

t.test('an end without a folder takes no files', async t => {
  const { issuer, log, directory } = await talk(t, { receive: undefined })
  const path = join(directory, '..', 'file')
  await writeFile(path, noise(MEGABYTE))
  t.match(await failure(issuer.sendFile(path)), { reason: 'file-refused', message: /no files are taken here/ })
  t.match(log.of('error'), [{ reason: 'file-refused' }])
  t.match(await issuer.close(), { outcome: 'goodbye' })
})

t.test('what a receiver refuses', async t => {
  const { issuer, log, directory } = await talk(t, { receive: { directory: join(t.testdirName, 'in'), maxBytes: 1000 } })
  const root = join(directory, '..')
  await writeFile(join(directory, 'taken'), 'mine')
  await symlink('/nowhere', join(directory, 'link'))
  for (const name of ['taken', 'link', '.hidden', 'back\\slash']) await writeFile(join(root, name), 'theirs')
  await writeFile(join(root, 'large'), noise(100_000))
  t.match(await failure(issuer.sendFile(join(root, 'taken'))), { message: /there is a file named taken already/ })
  t.match(await failure(issuer.sendFile(join(root, 'link'))), { message: /already/ })
  t.match(await failure(issuer.sendFile(join(root, '.hidden'))), { message: /not a file name that is taken/ })
  t.match(await failure(issuer.sendFile(join(root, 'large'))), { message: /100000 bytes; at most 1000/ })
  t.equal((await issuer.sendFile(join(root, 'back\\slash'))).bytes, 6)
  t.same((await readdir(directory)).sort(), ['link', 'slash', 'taken'])
  t.equal(await readFile(join(directory, 'taken'), 'utf8'), 'mine')
  t.equal(log.of('error').length, 4)
  t.match(await issuer.close(), { outcome: 'goodbye' })
})

t.test('what a sender cannot send', async t => {
  const { issuer, directory } = await talk(t)
  t.match(await failure(issuer.sendFile(join(directory, 'missing'))), { reason: 'file-unreadable', message: /ENOENT; check the name/ })
  t.match(await failure(issuer.sendFile(directory)), { reason: 'file-unreadable', message: /not a regular file/ })
  t.match(await failure(issuer.sendLine('x'.repeat(20_000))), { message: /line of text is 20000 bytes long/ })
  t.match(await issuer.close(), { outcome: 'goodbye' })
  t.match(await failure(issuer.sendLine('too late')), { reason: 'connection-lost' })
  t.match(await failure(issuer.sendFile('too late')), { reason: 'connection-lost' })
})

t.test('a sender cannot name another folder, and what it leaves half done does not stay', async t => {
  const { a, b } = await pair(t)
  const directory = t.testdir({ in: {} })
  const session = openSession(connection(b, '103'), { stall: 150, receive: { directory: join(directory, 'in') } })
  const raw = new SocketChannel(a)
  for (const fileName of ['../../up', '/etc/name', 'C:\\temp\\win']) {
    const data = Buffer.from('data')
    await raw.send({ name: 'fileStart', fileName, size: 4 })
    await raw.send({ name: 'fileData', data })
    await raw.send({ name: 'fileEnd', sha256: sha256(data) })
    t.match(await raw.receive(['fileReceipt']), { ok: true, sha256: sha256(data) })
  }
  t.same((await readdir(join(directory, 'in'))).sort(), ['name', 'up', 'win'])
  await raw.send({ name: 'fileStart', fileName: 'more', size: 4 })
  await raw.send({ name: 'fileData', data: Buffer.from('12345') })
  t.match(await raw.receive(['fileReceipt']), { ok: false, sentence: /more bytes than the 4/ })
  await raw.send({ name: 'fileEnd' })
  await raw.send({ name: 'fileStart', fileName: 'less', size: 4 })
  await raw.send({ name: 'fileEnd', sha256: sha256(Buffer.alloc(0)) })
  t.match(await raw.receive(['fileReceipt']), { ok: false, sentence: /ended after 0 of 4/ })
  await raw.send({ name: 'fileStart', fileName: '..', size: 4 })
  t.match(await raw.receive(['fileReceipt']), { ok: false })
  await raw.send({ name: 'fileEnd' })
  await raw.send({ name: 'fileStart', fileName: 'stalls', size: 4 })
  t.match(await session.ended, { outcome: 'lost', message: /did not come within 150 ms/ })
  t.same((await readdir(join(directory, 'in'))).sort(), ['name', 'up', 'win'])
})

t.test('ends that are not orderly', async t => {
  const out: [string, (raw: SocketChannel, socket: Socket) => unknown, RegExp][] = [
    ['a reset', (_, socket) => socket.resetAndDestroy(), /lost/],
    ['a close without goodbye', (_, socket) => socket.end(), /closed the connection before/],
    ['garbage', (_, socket) => socket.write('GET / HTTP/1.0\r\n\r\n'), /version 71/],
    ['file data without a file', raw => raw.send({ name: 'fileData', data: Buffer.from('x') }), /out of order/],
    ['a receipt for nothing', raw => raw.send({ name: 'fileReceipt', ok: true }), /belongs to no file/],
    ['a message of another step', raw => raw.send({ name: 'greeting', token: '00'.repeat(8) }), /no place here/],
  ]
  for (const [what, act, message] of out) {
    const { a, b } = await pair(t)
    const session = openSession(connection(b, '103'), { stall: 150 })
    await act(new SocketChannel(a), a)
    t.match(await session.ended, { outcome: 'lost', message }, what)
  }
  const { b } = await pair(t)
  const session = openSession(connection(b, '103'), { stall: 100 })
  t.match(await session.close(), { outcome: 'lost', message: /did not say goodbye within 100 ms/ })
})
