// Existing application protocols through the log-in relay, unchanged: HTTP by curl, interactive traffic of small writes, resets.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { forwardTo, toTarget } from '../../../endpoints/index.js'
import { EventLog, LOOPBACK, dial, drain, seeded } from '../bench.js'
import { RelayBench } from './bench.js'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Test } from 'tap'
import type { Forwarder, TargetOptions } from '../../../endpoints/index.js'

const run = promisify(execFile)
const hasCurl = await run('curl', ['--version']).then(() => true, () => false)

/** A client connects to `address` and means `application`, two terminals and a relay server away. */
async function between(t: Test, application: Server, options: Partial<TargetOptions> = {}): Promise<{ bench: RelayBench, forwarder: Forwarder, log: EventLog }> {
  application.listen(0, LOOPBACK)
  await once(application, 'listening')
  t.teardown(() => application.close())
  const target = { address: LOOPBACK, port: (application.address() as AddressInfo).port }
  const bench = await RelayBench.start(t, { timeouts: { vacancy: 3000 } }), log = new EventLog()
  const { terminal } = await bench.terminal('eleven')
  await bench.terminal('twentyone', { apparatus: '21', onDemand: toTarget({ target, ...options }) })
  const forwarder = await forwardTo({ terminal, to: 'twentyone', onEvent: log.onEvent })
  t.teardown(() => forwarder.close())
  return { bench, forwarder, log }
}

t.test('curl in front, an HTTP server behind', { skip: hasCurl ? false : 'curl is not installed' }, async t => {
  const random = seeded(3), page = Buffer.from(Uint8Array.from({ length: 1_500_000 }, () => random()))
  const seen: string[] = []
  const application = createHttpServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['user-agent'] ?? ''}`)
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () => {
      if (request.url === '/page') response.end(page)
      else response.setHeader('x-sha256', hash.digest('hex')).end('taken')
    })
  })
  const { bench, forwarder: { address }, log } = await between(t, application)
  const folder = t.testdir({ 'up.bin': page })
  const url = `http://${address.address}:${address.port}`
  const curl = (...args: string[]) => run('curl', ['--silent', '--show-error', '--fail', '--noproxy', '*', '--max-time', '20', ...args], { encoding: 'buffer', maxBuffer: 8 << 20 })
  t.same((await curl('-A', 'test agent', `${url}/page`)).stdout, page)
  t.match(String((await curl('-i', '-X', 'POST', '--data-binary', `@${folder}/up.bin`, `${url}/up`)).stdout), createHash('sha256').update(page).digest('hex'))
  const two = await curl(`${url}/page`, `${url}/page`)
  t.equal(two.stdout.length, 2 * page.length, 'two requests on one connection')
  const parallel = await Promise.all([1, 2, 3, 4].map(() => curl(`${url}/page`)))
  t.same(log.of('error'), [])
  t.ok(parallel.every(({ stdout }) => stdout.equals(page)), 'four curls at once')
  t.equal(seen[0], 'GET /page test agent')
  t.equal(seen.length, 8)
  await bench.log.until('released', 14)
  t.same(bench.log.of('error'), [])
})

t.test('long-lived interactive traffic: each keystroke is echoed before the next, with pauses, hundreds of times', async t => {
  const application = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    socket.write('banner\n') // the server speaks first, as that of ssh does
    socket.pipe(socket)
  })
  const { forwarder: { address } } = await between(t, application)
  const socket = await dial(address.port)
  const next = reader(socket)
  t.equal(await next(7), 'banner\n')
  const delays: number[] = []
  for (let at = 0; at < 300; at++) {
    const key = String.fromCharCode(97 + at % 26)
    const began = performance.now()
    socket.write(key)
    if (await next(1) !== key) t.fail(`keystroke ${at} was not echoed`)
    delays.push(performance.now() - began)
    if (at % 50 === 49) await new Promise(resolve => setTimeout(resolve, 60)) // the person thinks
  }
  delays.sort((a, b) => a - b)
  t.ok(delays[150] < 40, `half of the echoes took less than ${delays[150].toFixed(2)} ms: nothing is held back to be sent together`)
  socket.end()
  await drain(socket)
})

/** Gives the next characters as they come, however they are cut. */
function reader(socket: Socket): (count: number) => Promise<string> {
  let held = ''
  socket.on('data', (chunk: Buffer) => { held += String(chunk) })
  return async count => {
    while (held.length < count) await once(socket, 'data')
    const taken = held.slice(0, count)
    held = held.slice(count)
    return taken
  }
}

t.test('half-close passes: an application that answers after the end of the question', async t => {
  const application = createServer({ allowHalfOpen: true }, socket => {
    const hash = createHash('sha256')
    socket.on('data', chunk => hash.update(chunk))
    socket.on('end', () => socket.end(hash.digest('hex')))
  })
  const { bench, forwarder: { address } } = await between(t, application)
  const question = Buffer.alloc(5_000_000, 'question ')
  const socket = await dial(address.port)
  socket.end(question)
  t.equal(String(await drain(socket)), createHash('sha256').update(question).digest('hex'))
  await bench.log.until('released', 2)
})

t.test('a reset on either side passes, and is no orderly end', async t => {
  const sockets: Socket[] = [], log = new EventLog()
  const application = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => undefined).on('close', () => log.wake()).on('data', () => undefined)
    sockets.push(socket)
    log.wake()
  })
  const { bench, forwarder: { address } } = await between(t, application)
  const client = connect({ host: LOOPBACK, port: address.port, allowHalfOpen: true })
  const error = once(client, 'error')
  client.write('some')
  const first = await log.untilSome(sockets)
  await once(first, 'data') // so that the communication has come about
  first.resetAndDestroy()
  t.match(await error, [{ code: 'ECONNRESET' }])
  const other = await dial(address.port)
  const behind = await log.untilSome(sockets, 1)
  const ended = new Promise<string>(resolve => { for (const event of ['end', 'close']) behind.once(event, () => resolve(event)) })
  other.write('some')
  await once(behind, 'data')
  other.resetAndDestroy()
  t.equal(await ended, 'close', 'the application sees a reset, not an end')
  await bench.log.until('released', 4)
})

t.test('an application that is not there, and users who may not', async t => {
  const gone = createServer()
  const { forwarder: { address }, log } = await between(t, gone)
  gone.close()
  const client = await dial(address.port)
  t.equal((await drain(client)).length, 0)
  t.match(await log.until('error'), { reason: 'refused', message: /the application there does not answer/ })
  t.notMatch(log.of('error')[0].message, /127\.0\.0\.1:\d+ was refused/, 'the address behind the terminal is not told')

  const kept = await between(t, createServer(), { allow: ['third'] })
  t.equal((await drain(await dial(kept.forwarder.address.port))).length, 0)
  t.match(await kept.log.until('error'), { message: /this user may not connect/ })
})

t.test('a forwarder that closes resets what is under way', async t => {
  const application = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  const { forwarder, bench } = await between(t, application)
  const client = await dial(forwarder.address.port)
  client.write('x')
  await once(client, 'data')
  await forwarder.close()
  await bench.log.until('released', 2)
  if (!client.closed) await once(client, 'close').catch(() => undefined)
  t.ok(client.closed)
})
