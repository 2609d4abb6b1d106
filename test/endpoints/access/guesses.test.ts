// Wrong passwords: who guesses waits ever longer and is refused in the end, others are not slowed, and no password is shown anywhere.
import { inspect } from 'node:util'
import t from 'tap'
import { openSession } from '../../../endpoints/index.js'
import { Bench, EventLog, LOOPBACK, SHORT, failure } from '../bench.js'

const SECRET = 'correct horse 4711', GUESS = 'battery staple 0815', KEY_TEXT = 'ab'.repeat(32)

t.test('guesses from one address are refused after a few, and those from another are not', async t => {
  let now = 1000
  const bench = await Bench.start(t, { clock: () => now, timeouts: { report: 4000 } })
  const acceptor = await bench.accept('2133', { clock: () => now, password: SECRET, policy: { allow: ['127.0.0.0/8', LOOPBACK] } })
  const guess = { password: GUESS, timeouts: { ...SHORT, request: 5000 } }
  for (let n = 0; n < 3; n++) t.match(await failure(bench.request('2133', guess)), { reason: 'wrong-password' })
  const began = performance.now()
  t.match(await failure(bench.request('2133', guess)), { reason: 'wrong-password' })
  t.ok(performance.now() - began > 990, 'the fourth is told a second later by 103')
  const over = new AbortController(), reached = bench.log.of('request-received').length
  const held = failure(bench.request('2133', { ...guess, signal: over.signal }))
  await bench.log.until('request-received', reached + 1)
  t.match(await failure(bench.request('2133', guess)), { reason: 'slowed', message: /check the password/ }, 'one waits; who comes then is refused')
  t.equal(acceptor.of('password-checked').length, 4, 'neither has got to 103')
  const elsewhere = await bench.request('2133', { password: SECRET, from: { address: '127.0.0.2' }, listen: { address: '127.0.0.2' } })
  t.equal(elsewhere.equipmentId, '2133', 'a right one from elsewhere goes through')
  elsewhere.channel.reset()
  over.abort()
  await held
  const registered = bench.log.of('registered').length
  now += 60_000
  await bench.log.until('registered', registered + 1)
  const later = await bench.request('2133', { password: SECRET })
  t.equal(later.equipmentId, '2133', 'and from here a minute later')
  later.channel.reset()
})

t.test('many right ones from one address do not wait for each other', async t => {
  const bench = await Bench.start(t, { clock: () => 1000 })
  await bench.accept('2133', { password: SECRET })
  for (let n = 0; n < 3; n++) {
    const all = await Promise.all(Array.from({ length: 8 }, () => bench.request('2133', { password: SECRET })))
    t.equal(all.length, 8)
    for (const { channel } of all) channel.reset()
  }
})

t.test('no event and no error of any end holds a password, a guess or a key', async t => {
  const key = Uint8Array.from(Buffer.from(KEY_TEXT, 'hex'))
  const bench = await Bench.start(t, { equipment: { keyOf: () => key } }), issuer = new EventLog()
  const acceptor = await bench.accept('2133', { password: SECRET, key })
  const common = { onEvent: issuer.onEvent }
  const errors = [
    await failure(bench.request('2133', { ...common, password: GUESS })),
    await failure(bench.request('2133', { ...common, password: SECRET, reachedAt: { address: '10.1.2.3', port: 1 } })),
    await failure(bench.request('9999', { ...common, password: SECRET })),
    await failure(bench.request('2133', { ...common, password: `${SECRET}\n` })),
    await failure(bench.request('2133', { ...common, password: SECRET.repeat(20) })),
  ]
  const session = openSession(await bench.request('2133', { ...common, password: SECRET }), { stall: SHORT.stall })
  await session.sendLine('hello')
  await session.close()
  const shown = [...errors.map(error => `${inspect(error, { depth: 9 })} ${(error as Error).stack}`), JSON.stringify([bench.log.all, acceptor.all, issuer.all])].join('\n')
  for (const secret of [SECRET, GUESS, KEY_TEXT, Buffer.from(SECRET).toString('hex'), Buffer.from(SECRET).toString('base64').slice(0, 20)]) t.notOk(shown.includes(secret))
  t.ok(shown.includes('password-checked') && shown.includes('hello'), 'something was looked at')
})
