// What goes wrong with the log-in relay: each is told to whoever can mend it, and the relay goes on serving.
import { once } from 'node:events'
import { appendFile, chmod } from 'node:fs/promises'
import { createServer } from 'node:net'
import t from 'tap'
import { SocketChannel } from '../../../endpoints/channel/socket-channel.js'
import { EndpointError, startLoginRelay, startTerminal } from '../../../endpoints/index.js'
import { addUser, removeUser } from '../../../endpoints/login-relay/users.js'
import { EventLog, LOOPBACK, dial, drain, failure, seeded } from '../bench.js'
import { CHEAP, RelayBench, bare, readAll } from './bench.js'
import { REASONS, decode, encode, type Message } from '../../../endpoints/message/index.js'
import type { AddressInfo } from 'node:net'
import type { RelayedConnection } from '../../../endpoints/index.js'

const code = (reason: keyof typeof REASONS): number => REASONS[reason].code
const token = '22'.repeat(8)

t.test('wrong password, unknown user: the same answer for both, and nothing of the password anywhere', async t => {
  const bench = await RelayBench.start(t)
  const wrong = await failure(bench.terminal('eleven', { password: 'hunter2 hunter2' }))
  const unknown = await failure(bench.terminal('eleven', { userId: 'nobody', password: 'hunter2 hunter2' }))
  for (const error of [wrong, unknown]) {
    t.match(error, { reason: 'log-in-refused', message: /user ID or the password is wrong; check both/ })
    t.ok(error instanceof EndpointError)
  }
  t.equal((wrong as Error).message, (unknown as Error).message)
  t.match(bench.log.of('error').map(({ reason, message }) => [reason, message]), [
    ['log-in-refused', /log-in of eleven.*wrong password/], ['log-in-refused', /log-in of nobody.*no such user/],
  ], 'who runs the relay sees which it was')
  t.notMatch(JSON.stringify([bench.log.all, String(wrong), String(unknown)]), /hunter2/)
  t.ok(await bench.serves())
})

t.test('an unknown user costs as much time as a known one', async t => {
  const bench = await RelayBench.start(t)
  const file = `${t.testdir({})}/users`
  await addUser(file, 'known', 'right') // at the cost that is used outside of tests
  const log = new EventLog()
  const server = await startLoginRelay({ users: file, address: LOOPBACK, port: 0, onEvent: log.onEvent })
  t.teardown(() => server.close())
  const time = async (userId: string): Promise<number> => {
    const began = performance.now()
    await failure(bench.terminal('eleven', { userId, password: 'wrong', server: { address: LOOPBACK, port: server.address.port } }))
    return performance.now() - began
  }
  await time('known')
  const known: number[] = [], unknown: number[] = []
  for (let i = 0; i < 5; i++) {
    known.push(await time('known'))
    unknown.push(await time('unknown'))
  }
  t.ok(Math.min(...unknown) > Math.min(...known) / 2, `${Math.min(...unknown).toFixed(1)} ms and ${Math.min(...known).toFixed(1)} ms`)
  t.ok(Math.min(...known) > 5, 'which is the time of a hash that costs something')
})

t.test('a second terminal with the same user ID', async t => {
  const bench = await RelayBench.start(t)
  const first = await bench.terminal('eleven')
  t.match(await failure(bench.terminal('eleven')), { reason: 'logged-in-elsewhere', message: /another terminal is logged in with this user ID; log that one out/ })
  t.equal(bench.server.list()[0].connections, 1, 'the first keeps its place')
  await first.terminal.close()
  await bench.log.until('disconnected')
  const second = await bench.terminal('eleven')
  t.equal(second.log.of('logged-in').length, 1, 'and when it has gone, the second may')
  await second.terminal.close()
  t.ok(await bench.serves())
})

t.test('demands that cannot be met', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven')
  t.match(await failure(a.terminal.demand('eleven')), { reason: 'own-user' }, 'to oneself')
  t.match(await failure(a.terminal.demand('twentyone')), { reason: 'user-offline', message: /twentyone.*check the user ID/ }, 'to one that is offline')
  t.match(await failure(a.terminal.demand('no such user')), { reason: 'user-offline' }, 'to one that nobody knows, which is told the same')

  const b = await bench.terminal('twentyone', { onDemand: userId => ({ refuse: `${userId} is not welcome` }) })
  t.match(await failure(a.terminal.demand('twentyone')), { reason: 'refused', message: /the user refused the connection \(eleven is not welcome\)/ })
  await b.terminal.close()
  await bench.log.until('disconnected')

  const broken = await bench.terminal('twentyone', { onDemand: () => { throw new Error('a bug') } })
  t.match(await failure(a.terminal.demand('twentyone')), { reason: 'refused' }, 'to one whose program fails')
  t.match(broken.log.of('error'), [{ message: /could not be decided: a bug/ }])
  await broken.terminal.close()
  await bench.log.until('disconnected', 2)

  const mute = await bare(bench, 'twentyone')
  t.match(await failure(a.terminal.demand('twentyone')), { reason: 'user-silent', message: /did not answer the demand/ }, 'to one that does not answer')
  await mute.send({ name: 'demandAnswer', reason: 0 })
  t.match(await mute.receive(['demandNotification', 'termination'], 500), { name: 'demandNotification' })
  t.match(await mute.receive(['termination'], 500), { sentence: 'the demand is over' }, 'an answer that comes too late')
  await mute.send({ name: 'release' })
  await bench.log.until('released')
  mute.reset()
  await bench.log.until('disconnected', 3)

  const one = await bench.terminal('twentyone', { spare: 0 }), third = await bench.terminal('third')
  const used = await a.terminal.demand('twentyone')
  t.match(await failure(third.terminal.demand('twentyone')), { reason: 'no-vacant-connection', message: /every connection of the user is in use/ }, 'to one that is busy')
  const waiting = third.terminal.demand('twentyone')
  await bench.log.until('demanded', bench.log.of('demanded').length + 1)
  used.terminate()
  t.equal((await waiting).userId, 'twentyone', 'to one that is free a moment later')
  await Promise.all([one, third, a].map(({ terminal }) => terminal.close()))
  t.ok(await bench.serves())
})

t.test('a demand that crosses a notification on the same connection', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bare(bench, 'twentyone')
  const demanded = a.terminal.demand('twentyone')
  await b.receive(['demandNotification'], 500)
  await b.send({ name: 'demand', userId: 'eleven' })
  t.match(await b.receive(['demandResult'], 500), { reason: code('crossed') })
  await b.send({ name: 'demandAnswer', reason: 0 })
  t.equal((await demanded).userId, 'twentyone')
  b.reset()
})

t.test('messages about a communication that there is not', async t => {
  const bench = await RelayBench.start(t)
  const channel = await bare(bench, 'eleven')
  const cases: [Message, RegExp][] = [
    [{ name: 'release' }, /\(21\) on a connection that is vacant/],
    [{ name: 'termination' }, /\(19\) on a connection that is vacant/],
    [{ name: 'relayData', relayed: new Uint8Array(9) }, /data on a connection that is vacant/],
    [{ name: 'relayEnd' }, /data on a connection/],
    [{ name: 'demandAnswer', reason: 0 }, /\(8\) on a connection/],
  ]
  for (const [message, sentence] of cases) {
    await channel.send(message)
    t.match(await channel.receive(['answer'], 500), { reason: code('not-held'), sentence }, message.name)
  }
  t.equal(bench.log.of('error').filter(({ reason }) => reason === 'not-held').length, cases.length)
  t.same(bench.server.list(), [{ userId: 'eleven', connections: 1, vacant: 1 }], 'the connection is kept')
  channel.reset()
  await bench.log.until('disconnected')
  t.ok(await bench.serves())
})

t.test('before log-in nothing else is taken', async t => {
  const bench = await RelayBench.start(t)
  const messages: Message[] = [
    { name: 'hold' }, { name: 'demand', userId: 'eleven' }, { name: 'relayData', relayed: new Uint8Array(9) }, { name: 'logout' }, { name: 'userListRequest' }, { name: 'release' },
  ]
  for (const message of messages) {
    const channel = await bare(bench)
    await channel.send(message)
    t.match(await channel.receive(['answer'], 500), { reason: code('not-logged-in') }, message.name)
    t.match(await failure(channel.receive([], 1500)), { fault: 'closed' }, 'and the connection is closed')
    channel.reset()
  }
  t.ok(await bench.serves())
})

t.test('garbage before and after log-in', async t => {
  const bench = await RelayBench.start(t, { timeouts: { message: 150 } })
  const random = seeded(5)
  const noise = (): Uint8Array => Uint8Array.from({ length: 3000 }, (_, at) => at === 0 ? 11 : random())
  const login = encode({ name: 'login', userId: 'eleven', password: 'pw of eleven', token })
  const cases: [string, Uint8Array, RegExp][] = [
    ['random bytes', noise(), /version 11 is not known/],
    ['an oversized length', Uint8Array.of(1, 102, 255, 255), /announces 65535 bytes/],
    ['a message of another system', encode({ name: 'greeting', token }), /greeting has no place here/],
    ['half a log-in, then silence', login.subarray(0, 20), /no whole log-in came within 150 ms/],
    ['silence', new Uint8Array(0), /no whole log-in came within 150 ms/],
  ]
  for (const [what, bytes, sentence] of cases) {
    const socket = await dial(bench.port)
    socket.write(bytes)
    const reason = code(what.includes('silence') ? 'not-logged-in' : 'malformed')
    t.match(decode(await drain(socket)), { name: 'answer', reason, sentence }, `${what}: the peer is told`)
  }
  const afterwards: [string, Uint8Array, RegExp][] = [
    ['random bytes', noise(), /version 11/],
    ['a second log-in', login, /\(2\) user ID and password has no place here/],
    ['a demand within a demand', Buffer.concat([encode({ name: 'demand', userId: 'third' }), encode({ name: 'demand', userId: 'third' })]), /connection that is demanding/],
    ['an answer of the server', encode({ name: 'holdAnswer' }), /\(5\) holding answer has no place here/],
  ]
  await bench.terminal('third', { onDemand: () => new Promise(() => undefined) })
  for (const [what, bytes, sentence] of afterwards) {
    const socket = await dial(bench.port)
    socket.write(Buffer.concat([login, bytes]))
    const got = await drain(socket)
    const first = 4 + (got[2] << 8) + got[3]
    t.match(decode(got.subarray(first)), { name: 'answer', reason: code('malformed'), sentence }, `${what} after log-in`)
    await bench.log.until('disconnected', bench.log.of('logged-in').length - 1)
  }
  t.equal(bench.server.list().length, 1)
  t.ok(await bench.serves())
})

t.test('hold messages that stop coming: the connection lapses, and its communication with it', async t => {
  const bench = await RelayBench.start(t, { lifetime: 200 })
  const a = await bench.terminal('eleven', { interval: 50 }), silent = await bare(bench, 'twentyone')
  const demanded = a.terminal.demand('twentyone')
  await silent.receive(['demandNotification'], 500)
  await silent.send({ name: 'demandAnswer', reason: 0 })
  const near = await demanded
  t.match(await bench.log.until('error'), { reason: 'lapsed', message: /connection 2 of twentyone lapsed: nothing came for 200 ms/ })
  t.match(await readAll(near), { outcome: 'lost' })
  t.match(near.trouble, /the connection of twentyone ended: nothing came for 200 ms/)
  await bench.log.until('released')
  t.same(bench.server.list(), [{ userId: 'eleven', connections: 2, vacant: 2 }])
  t.ok(await bench.log.until('disconnected'))
})

t.test('a relay server that falls silent is given up by its terminal, which tries again', async t => {
  const silent = createServer({ allowHalfOpen: true }, socket => {
    const channel = new SocketChannel(socket)
    void channel.receive(['login']).then(() => channel.send({ name: 'loginAnswer', reason: 0 })).catch(() => undefined)
  }).listen(0, LOOPBACK)
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const log = new EventLog()
  const { port } = silent.address() as AddressInfo
  const terminal = await startTerminal({
    userId: 'eleven', password: 'x', server: { address: LOOPBACK, port }, interval: 60, timeouts: { message: 100 }, onEvent: log.onEvent,
  })
  t.match(await log.until('disconnected'), { message: /has said nothing for 160 ms/ })
  await log.until('logged-in', 2)
  await terminal.close()
})

t.test('a peer that dies in the middle of a transfer', async t => {
  const bench = await RelayBench.start(t)
  const a = await bench.terminal('eleven'), b = await bare(bench, 'twentyone')
  const demanded = a.terminal.demand('twentyone')
  await b.receive(['demandNotification'], 500)
  await b.send({ name: 'demandAnswer', reason: 0 })
  const near = await demanded
  const sending = (async () => { for (;;) if (await near.write(new Uint8Array(100_000)) !== 'taken') return })()
  await b.receive(['relayData'], 500)
  b.reset()
  t.match(await readAll(near), { outcome: 'lost' })
  await sending
  t.match(near.trouble, /the connection of twentyone ended/)
  await bench.log.until('released')
  await bench.log.until('logged-in', 3) // the other's spare one, which it opened when the first was demanded
  t.same(bench.server.list(), [{ userId: 'eleven', connections: 2, vacant: 2 }], 'the other has its connection back')
  await a.terminal.close()
  t.ok(await bench.serves())
})

t.test('a demander that goes away before it is answered', async t => {
  const bench = await RelayBench.start(t)
  const answer: ((isDue: null) => void)[] = [], taken: RelayedConnection[] = []
  const log = new EventLog()
  await bench.terminal('twentyone', {
    onEvent: log.onEvent,
    onDemand: async () => {
      await new Promise<null>(resolve => { answer.push(resolve); log.wake() })
      return { take: connection => { taken.push(connection); log.wake() } }
    },
  })
  const a = await bare(bench, 'eleven')
  await a.send({ name: 'demand', userId: 'twentyone' })
  const decide = await log.untilSome(answer)
  a.reset()
  await bench.log.until('disconnected')
  decide(null)
  const connection = await log.untilSome(taken)
  t.match(await readAll(connection), { outcome: 'lost' })
  t.equal(connection.trouble, 'the demand is over')
  await bench.log.until('released')
  t.ok(bench.server.list().every(({ connections, vacant }) => connections === vacant))
})

t.test('log-out in the middle of a transfer, and a terminal that says so and stays', async t => {
  const bench = await RelayBench.start(t, { timeouts: { message: 200 } })
  const a = await bench.terminal('eleven'), b = await bench.terminal('twentyone')
  const near = await a.terminal.demand('twentyone')
  await b.log.untilSome(b.taken)
  await b.terminal.close()
  t.match(await readAll(near), { outcome: 'lost' })
  t.match(near.trouble, /logged out|broke off/)
  const [first, second] = [await bare(bench, 'third'), await bare(bench, 'third')]
  await first.send({ name: 'logout' })
  t.match(await failure(second.receive([], 1500)), { fault: 'lost' }, 'every connection is cut off')
  t.match(await failure(first.receive([], 1500)), { fault: 'lost' })
  t.same(bench.server.list().map(({ userId }) => userId), ['eleven'])
})

t.test('a flood of connections that do not log in keeps nobody out', async t => {
  const bench = await RelayBench.start(t, { maxUnknown: 8, timeouts: { message: 5000 } })
  const idle = await Promise.all(Array.from({ length: 60 }, () => dial(bench.port)))
  await bench.log.until('error', 52)
  t.equal(bench.log.of('error').length, 52, 'all but the newest have made room')
  t.match(bench.log.of('error')[0], { reason: 'too-many-connections', message: /8 newer connections have not logged in either/ })
  t.ok(await bench.serves())
  for (const socket of idle) socket.destroy()
})

t.test('limits: connections in all, of one user, and checks at a time', async t => {
  const bench = await RelayBench.start(t, { maxConnections: 3, maxPerUser: 2, maxChecks: 1 })
  const held = await Promise.all([bare(bench), bare(bench), bare(bench)])
  const surplus = await dial(bench.port)
  t.equal((await drain(surplus)).length, 0)
  t.match(await bench.log.until('error'), { reason: 'too-many-connections' })
  for (const channel of held) await channel.send({ name: 'login', userId: 'eleven', password: 'pw of eleven', token })
  const answers = await Promise.all(held.map(channel => channel.receive(['loginAnswer'], 1000)))
  t.equal(answers.filter(({ reason }) => reason === 0).length, 1, 'one is checked, the others are told to come back')
  t.match(answers.find(({ reason }) => reason !== 0), { reason: code('busy'), sentence: '1 log-ins are being checked' })
  for (const channel of held) channel.reset()
  await bench.log.until('disconnected')
  const two = [await bare(bench, 'eleven'), await bare(bench, 'eleven')]
  t.match(await failure(bare(bench, 'eleven')), { message: `refused with ${code('busy')}` })
  for (const channel of two) channel.reset()
})

t.test('a user file that changes while the relay runs', async t => {
  const bench = await RelayBench.start(t)
  await removeUser(bench.file, 'eleven')
  t.match(await failure(bench.terminal('eleven')), { reason: 'log-in-refused' })
  await addUser(bench.file, 'eleven', 'a new password', CHEAP)
  const { terminal } = await bench.terminal('eleven', { password: 'a new password' })
  await terminal.close()
  await chmod(bench.file, 0o644)
  await appendFile(bench.file, ' ')
  t.match(await failure(bench.terminal('twentyone')), { reason: 'busy', message: /log-ins cannot be checked at the moment/ })
  t.match(bench.log.of('error').at(-2), { reason: 'user-file', message: /other users of this machine can read or change it; chmod 600/ })
})
