// The sequence of Fig. 2 on loopback at levels 1, 2 and 3: who does which step, in which order, and that data runs.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ChannelError, TIMEOUTS, openSession, plainChannel } from '../../endpoints/index.js'
import { encode } from '../../endpoints/message/index.js'
import { Bench, EventLog, LOOPBACK, SHORT, datagrams, failure } from './bench.js'
import type { Level, OpenChannel } from '../../endpoints/index.js'

const STEPS: Record<Level, { server: string[], acceptor: string[] }> = {
  1: { server: ['101 S204', '101 S206'], acceptor: ['103 S209'] },
  2: { server: ['101 S204', '101 205'], acceptor: ['103 S206', '103 S209'] },
  3: { server: ['101 S204', '101 205'], acceptor: ['103 S206', '103 S207', '103 S209'] },
}

for (const level of [1, 2, 3] as const) {
  t.test(`level ${level}: registration, request, direct connection, lines both ways`, async t => {
    const bench = await Bench.start(t, { level, timeouts: TIMEOUTS }) // nothing is repeated, however busy the machine is
    const acceptor = await bench.accept('2133', { level })
    const issuer = new EventLog()
    const { password, ...without } = { password: 'secret', onEvent: issuer.onEvent }
    const connection = await bench.request('2133', level === 3 ? { password, ...without } : without)
    t.equal(connection.apparatus, '102')

    const session = openSession(connection, { onEvent: issuer.onEvent, stall: SHORT.stall })
    await acceptor.until('connected')
    await session.sendLine('from the issuer')
    await bench.sessions[0].sendLine('from the acceptor')
    t.equal((await acceptor.until('line-received')).text, 'from the issuer')
    t.equal((await issuer.until('line-received')).text, 'from the acceptor')
    t.match(await session.close(), { outcome: 'goodbye' })
    t.match(await bench.sessions[0].ended, { outcome: 'goodbye' })

    t.match(await bench.log.until('request-ended'), { equipmentId: '2133', outcome: 'accepted' })
    t.match(await issuer.until('answered'), { outcome: 'accepted' })
    t.match(await acceptor.until('request-handled'), { outcome: 'accepted' })
    t.match(bench.log.of('registered')[0], { step: 'S202', outcome: 'added', equipmentId: '2133', address: LOOPBACK })
    t.same(bench.log.steps().filter(step => !step.includes('S202')), STEPS[level].server)
    t.same(issuer.steps(), ['102 S203', '102 S209'])
    t.same(acceptor.steps(), STEPS[level].acceptor)
    const everything = JSON.stringify([...bench.log.all, ...issuer.all, ...acceptor.all])
    t.notMatch(everything, 'secret', 'no event holds the password')
    t.ok(bench.log.all.every((event, i, all) => i === 0 || event.time >= all[i - 1].time), 'times do not run backwards')
  })
}

t.test('the list is refreshed by each registration (S202A)', async t => {
  const bench = await Bench.start(t, { lifetime: 5000 })
  await bench.accept('2133', { interval: 40 })
  t.match(await bench.log.until('registered', 2), { step: 'S202A', outcome: 'refreshed' })
  t.match(bench.server.list(), [{ equipmentId: '2133', address: LOOPBACK }])
  t.ok(bench.server.list()[0].age < 5000)
})

t.test('the server closes first, so that fixed local ports are free for the next connection at once', async t => {
  const bench = await Bench.start(t)
  const acceptor = await bench.accept('2133', { connectPort: 26011 })
  const session = openSession(await bench.request('2133', { from: { port: 15011 }, listen: { address: LOOPBACK, port: 16011 } }), { stall: SHORT.stall })
  t.match(await session.close(), { outcome: 'goodbye' })
  await acceptor.until('request-handled')
  t.equal(bench.log.of('second-connection-accepted')[0].port, 26011)
  t.equal(bench.log.of('request-received')[0].port, 15011)
  t.equal(bench.log.of('request-received')[0].reachedAt?.port, 16011)
  // Both ends share one machine here, so the proof is in whose name the kernel keeps TIME_WAIT.
  const waiting = await timeWaits()
  t.ok(waiting.some(({ local, remote }) => local === bench.server.issuers.port && remote === 15011), 'first connection')
  t.ok(waiting.some(({ local, remote }) => local === bench.server.acceptors?.port && remote === 26011), 'second connection')
  t.notOk(waiting.some(({ local }) => local === 15011 || local === 26011))
})

t.test('an issuer that gives up leaves its port free too', async t => {
  const bench = await Bench.start(t)
  const silent = await datagrams(bench.ports().udp, [encode({ name: 'registration', equipmentId: '1' })])
  await bench.log.until('registered')
  const stop = new AbortController()
  const request = bench.request('1', { from: { port: 15012 }, signal: stop.signal })
  await bench.log.until('looked-up')
  stop.abort()
  t.match(await failure(request), { reason: 'cancelled' })
  t.match(await bench.log.until('request-ended'), { outcome: 'withdrawn' }, `nobody waits for port ${silent} any more`)
  t.notOk((await timeWaits()).some(({ local, remote }) => local === 15012 || remote === 15012))
})

/** The kernel's TCP sockets in TIME_WAIT, by port. */
async function timeWaits(): Promise<{ local: number, remote: number }[]> {
  const rows = (await readFile('/proc/net/tcp', 'utf8')).trim().split('\n').slice(1).map(row => row.trim().split(/\s+/))
  const port = (text: string) => parseInt(text.split(':')[1], 16)
  return rows.filter(([, , , state]) => state === '06').map(([, local, remote]) => ({ local: port(local), remote: port(remote) }))
}

t.test('requests at the same time are not mixed up', async t => {
  const bench = await Bench.start(t)
  await bench.accept('2133', { connectPort: 26012 })
  const other = await bench.accept('4711')
  const issuers = Array.from({ length: 6 }, (_, i) => ({ id: i % 3 === 2 ? '4711' : '2133', log: new EventLog() }))
  const connections = await Promise.all(issuers.map(({ id, log }) => bench.request(id, { onEvent: log.onEvent })))
  await bench.log.until('request-ended', 6)
  t.ok(bench.log.of('request-ended').every(({ outcome }) => outcome === 'accepted'))
  t.same(connections.map(({ equipmentId }) => equipmentId), issuers.map(({ id }) => id))
  t.equal(other.of('connected').length, 2)
  // Each pair of ends is the same TCP connection: what an issuer says comes out at an acceptor's session that greeted it.
  const sessions = connections.map(connection => openSession(connection, { stall: SHORT.stall }))
  await Promise.all(sessions.map((session, i) => session.sendLine(`issuer ${i} for ${issuers[i].id}`)))
  const lines = [await other.until('line-received', 1), await other.until('line-received', 2)].map(({ text }) => text)
  t.same(lines.sort(), ['issuer 2 for 4711', 'issuer 5 for 4711'])
  await Promise.all(sessions.map(session => session.close()))
})

t.test('an issuer and an acceptor with global addresses need name no address', async t => {
  const bench = await Bench.start(t)
  await bench.accept('2133')
  const issuer = new EventLog()
  const session = openSession(await bench.request('2133', { listen: {}, onEvent: issuer.onEvent }), { stall: SHORT.stall })
  const { reachedAt } = await bench.log.until('request-received')
  t.same(reachedAt, { address: LOOPBACK, port: issuer.of('listening')[0].port })
  t.match(await session.close(), { outcome: 'goodbye' })
})

t.test('another channel takes the place of the plain one without a change to the sequence', async t => {
  const opened: string[] = []
  const channel = (where: string): OpenChannel => async (socket, within) => {
    opened.push(where)
    const inner = await plainChannel(socket, within)
    return {
      local: inner.local,
      peer: inner.peer,
      isEncrypted: inner.isEncrypted,
      send: (message, limit) => inner.send(sealed(message), limit),
      receive: async (accepts, limit) => sealed(await inner.receive(accepts, limit)),
      close: limit => inner.close(limit),
      closeAfterPeer: limit => inner.closeAfterPeer(limit),
      release: () => inner.release(),
      reset: () => inner.reset(),
    }
  }
  const bench = await Bench.start(t, { openChannel: channel('101') })
  const acceptor = await bench.accept('2133', { openChannel: channel('103') })
  const session = openSession(await bench.request('2133', { openChannel: channel('102') }), { stall: SHORT.stall })
  t.match(await acceptor.until('password-checked'), { outcome: 'right' })
  t.match(await session.close(), { outcome: 'goodbye' })
  t.same(opened.sort(), ['101', '101', '102', '103'])
  t.match(await failure(bench.request('2133')), { reason: 'wrong-password' }, 'an end without that channel is not understood')

  const broken: OpenChannel = socket => {
    socket.destroy()
    return Promise.reject(new ChannelError('malformed', 'the certificate is not from our CA'))
  }
  t.match(await failure(bench.request('2133', { openChannel: broken })), { reason: 'malformed', message: /the certificate is not from our CA/ })
  const distrustful = await bench.accept('4711', { openChannel: broken })
  t.match(await failure(bench.request('4711', { openChannel: channel('102') })), { reason: 'gone-silent' })
  t.match(distrustful.of('error')[0], { message: /the certificate is not from our CA/ })
})

/** Stands for encryption: the password travels backwards. */
const sealed = <M extends object>(message: M): M => 'password' in message && typeof message.password === 'string'
  ? { ...message, password: Buffer.from(message.password).reverse().toString() }
  : message
