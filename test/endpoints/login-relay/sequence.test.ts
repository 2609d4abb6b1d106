// Processes (1) to (24) of JP 2002-217942 between a relay server and two terminals on loopback.
import { createHash } from 'node:crypto'
import t from 'tap'
import { plainChannel } from '../../../endpoints/channel/socket-channel.js'
import { seeded } from '../bench.js'
import { RelayBench, readAll } from './bench.js'
import type { Duplex } from 'node:stream'

t.test('(1) to (24): log-in, demand, spare connections, data both ways, termination, release, log-out', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone', { apparatus: '21' })
  t.same(bench.server.list(), [{ userId: 'eleven', connections: 1, vacant: 1 }, { userId: 'twentyone', connections: 1, vacant: 1 }])

  const near = await a.terminal.demand('twentyone')
  const far = await b.log.untilSome(b.taken)
  t.equal(near.userId, 'twentyone')
  t.equal(far.userId, 'eleven')
  await bench.log.until('logged-in', 4) // (10) to (12), and primed
  t.same(bench.log.of('logged-in').map(({ userId, step, connection }) => [userId, step, connection]).sort(), [
    ['eleven', '(12)', bench.log.of('logged-in').find(event => event.userId === 'eleven' && event.step === '(12)')?.connection],
    ['eleven', '(3)', 1], ['twentyone', '(12)', bench.log.of('logged-in').find(event => event.userId === 'twentyone' && event.step === '(12)')?.connection],
    ['twentyone', '(3)', 2],
  ])
  t.same(bench.server.list().map(({ connections, vacant }) => [connections, vacant]), [[2, 1], [2, 1]])

  await near.write(Buffer.from('question'))
  t.equal(String(await far.read()), 'question')
  await far.write(Buffer.from('answer'))
  t.equal(String(await near.read()), 'answer')
  t.equal(bench.server.relayed, 14)

  near.terminate()
  t.equal(await far.read(), 'ended')
  t.equal(await near.read(), 'ended')
  await bench.log.until('released', 2)
  t.same(bench.log.of('communication-ended').map(({ userId, to, sent, received }) => [userId, to, sent, received]), [['eleven', 'twentyone', 8, 6]])
  t.same(bench.server.list().map(({ connections, vacant }) => [connections, vacant]), [[2, 2], [2, 2]], 'connections 1 and 2 are vacant again, 3 and 4 are kept')

  const again = await b.terminal.demand('eleven')
  t.equal((await a.log.until('demand-ended', 2)).step, '(8)', 'the other way round')
  again.terminate()
  await bench.log.until('released', 4)
  t.equal(bench.log.of('logged-in').length, 4, 'the connections are used again')

  await a.terminal.close()
  await bench.log.until('disconnected', 2)
  t.match(bench.log.of('logged-out'), [{ userId: 'eleven', connections: 2, step: '(22)' }])
  t.same(bench.server.list().map(({ userId }) => userId), ['twentyone'])
  t.equal(await a.terminal.ended, null)
  t.same(bench.log.of('error'), [])
  t.same([...a.log.of('error'), ...b.log.of('error')], [])
})

t.test('hold messages keep a connection, and go on while data is relayed', async t => {
  const bench = await RelayBench.start(t, { lifetime: 300 })
  const a = await bench.terminal('eleven', { interval: 60 }), b = await bench.terminal('twentyone', { interval: 60 })
  const near = await a.terminal.demand('twentyone')
  const far = await b.log.untilSome(b.taken)
  await new Promise(resolve => setTimeout(resolve, 900)) // three lifetimes, in which nothing is to happen
  t.same(bench.log.of('disconnected'), [])
  await near.write(Buffer.from('still there'))
  t.equal(String(await far.read()), 'still there')
})

t.test('several connections at once, all from one terminal, each in order and to the last byte', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone')
  const sizes = [0, 1, 32768, 32769, 3_000_001], random = seeded(11)
  const sent = sizes.map(size => Buffer.from(Uint8Array.from({ length: size }, () => random())))
  const outcomes = await Promise.all(sent.map(async bytes => {
    const near = await a.terminal.demand('twentyone')
    const echoed = readAll(near)
    await near.write(bytes)
    await near.end()
    return await echoed
  }).concat(sent.map(async (_, at) => {
    const far = await b.log.untilSome(b.taken, at)
    const got = await readAll(far)
    await far.write(got.bytes)
    await far.end()
    return got
  })))
  for (const [at, bytes] of sent.entries()) {
    t.equal(outcomes[at].outcome, 'ended')
    t.equal(sha(outcomes[at].bytes), sha(bytes), `${bytes.length} bytes there and back`)
  }
  t.equal(bench.server.relayed, 2 * sizes.reduce((sum, size) => sum + size))
  await bench.log.until('released', 2 * sizes.length)
  t.ok(bench.server.list().every(({ connections, vacant }) => connections === vacant && connections <= 2 + sizes.length))
})

t.test('without spare connections (10) to (14) are left out', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven', { spare: 0 }), b = await bench.terminal('twentyone', { spare: 0 })
  const near = await a.terminal.demand('twentyone')
  await b.log.untilSome(b.taken)
  t.same(bench.server.list().map(({ connections }) => connections), [1, 1])
  near.terminate()
  await bench.log.until('released', 2)
  t.equal(bench.log.of('logged-in').length, 2)
})

t.test('one side ends its direction, and goes on reading', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone')
  const near = await a.terminal.demand('twentyone')
  const far = await b.log.untilSome(b.taken)
  await near.write(Buffer.from('all of it'))
  await near.end()
  t.match(await readAll(far), { outcome: 'ended', bytes: Buffer.from('all of it') })
  for (const word of ['and', ' then', ' more']) await far.write(Buffer.from(word))
  await far.end()
  t.match(await readAll(near), { outcome: 'ended', bytes: Buffer.from('and then more') })
  await bench.log.until('released', 2)
  t.equal(a.log.of('communication-ended')[0].step, '(19)', 'the side that ended first gives the notice')
  t.equal(b.log.of('communication-ended')[0].step, '(20)')
})

t.test('both sides end at the same moment', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone')
  for (let round = 1; round <= 20; round++) {
    const near = await a.terminal.demand('twentyone')
    await b.log.until('demand-ended', round)
    const far = b.taken[round - 1]
    if (round % 2) await Promise.all([near.end(), far.end()])
    else [near, far].forEach(each => each.terminate())
    t.equal(await near.read(), 'ended')
    t.equal(await far.read(), 'ended')
    await bench.log.until('released', 2 * round)
  }
  t.same(bench.log.of('error'), [])
  t.same([...a.log.of('error'), ...b.log.of('error')], [])
})

t.test('demands that cross on the way both come about', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone')
  for (let round = 0; round < 10; round++) {
    const pair = await Promise.all([a.terminal.demand('twentyone'), b.terminal.demand('eleven')])
    t.same(pair.map(({ userId }) => userId), ['twentyone', 'eleven'])
    pair[0].terminate()
    pair[1].terminate()
    await bench.log.until('released', 4 * (round + 1))
  }
  t.same(bench.log.of('error'), [])
})

t.test('a slow reader holds back the sender, not the server\'s memory', async t => {
  const sockets: Duplex[] = []
  const bench = await RelayBench.start(t, {
    openChannel: (socket, limit) => {
      sockets.push(socket)
      return plainChannel(socket, limit)
    },
  })
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone')
  const near = await a.terminal.demand('twentyone')
  const far = await b.log.untilSome(b.taken)
  const chunk = new Uint8Array(1 << 20)
  const stop = new AbortController()
  let most = 0
  const look = setInterval(() => { most = Math.max(most, ...sockets.map(socket => socket.readableLength + socket.writableLength)) }, 1)
  t.teardown(() => clearInterval(look))
  let sent = 0
  const sending = (async () => {
    while (!stop.signal.aborted && sent < 256 && await near.write(chunk) === 'taken') sent++
  })()
  let before = -1
  while (before !== bench.server.relayed) { // until nothing moves any more
    before = bench.server.relayed
    await new Promise(resolve => setTimeout(resolve, 150))
  }
  t.ok(bench.server.relayed < 64 << 20, `${bench.server.relayed} bytes went before it stopped`)
  t.ok(most > 0 && most <= 4 * 65_536, `the server itself held ${most} bytes of a connection at most`)
  stop.abort()
  let received = 0
  const reading = (async () => { for (let got = await far.read(); typeof got !== 'string'; got = await far.read()) received += got.length })()
  await sending
  await near.end()
  await far.end()
  await reading
  t.equal(received, sent << 20, 'all of it came when it was read')
})

t.test('who is logged in can be asked', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven', { spare: 3 })
  await bench.terminal('twentyone')
  await bench.log.until('logged-in', 4)
  t.same(await a.terminal.users(), [{ userId: 'eleven', connections: 3 }, { userId: 'twentyone', connections: 1 }])
})

t.test('a terminal logs in again when the relay server comes back', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven', { interval: 60 })
  const { port } = bench
  await bench.server.close()
  await a.log.until('error') // the first new attempt finds nobody
  await bench.restart(port)
  await bench.log.until('logged-in', 2)
  t.same(bench.server.list().map(({ userId }) => userId), ['eleven'])
})

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
