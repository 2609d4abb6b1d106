// Authenticated registrations, with the times given: what is taken, and what a capture is good for.
import t from 'tap'
import { ServerGuard } from '../../../endpoints/access/server-guard.js'
import { AcceptorGuard } from '../../../endpoints/access/acceptor-guard.js'
import { isGenuine, seal } from '../../../endpoints/access/authenticator.js'
import { Defect, decode, encode } from '../../../endpoints/message/index.js'
import type { Message, MessageOf } from '../../../endpoints/message/index.js'

const KEY = new Uint8Array(32).fill(7), OTHER = new Uint8Array(32).fill(8)
const keys = { keyOf: (equipmentId: string) => equipmentId === '2133' ? KEY : equipmentId === '4711' ? OTHER : null }
const START = 1_700_000_000_000
const token = '0102030405060708'

class Time {
  constructor(public now = START) {}
  readonly read = (): number => this.now
}

function parse(bytes: Uint8Array): Message {
  const message = decode(bytes)
  if (message instanceof Defect) throw new Error(message.toString())
  return message
}

const registration = (bytes: Uint8Array): MessageOf<'registration'> => parse(bytes) as MessageOf<'registration'>

function pair(ahead = 0) {
  const time = new Time()
  const server = new ServerGuard({ keys, now: time.read })
  const acceptor = new AcceptorGuard('2133', KEY, () => time.now + ahead)
  return { time, server, acceptor, next: () => registration(acceptor.next()) }
}

t.test('each registration is good for one use', async t => {
  const { time, server, next } = pair()
  const first = next()
  t.equal(server.objection(first), null)
  t.match(server.objection(first), { reason: 'replayed', sentence: /taken already/ }, 'within the same millisecond')
  const [second, third] = [next(), next()]
  t.ok((third.time ?? 0) > (second.time ?? 0), 'times rise even where the clock stands still')
  t.equal(server.objection(third), null)
  t.match(server.objection(second), { reason: 'replayed', sentence: /younger was taken already/ }, 'nor does a late one come in after a later one')
  time.now += 30_000
  for (const old of [first, second, third]) t.match(server.objection(old), { reason: 'replayed' })
  t.equal(server.objection(next()), null)
  time.now += 3_600_000
  t.match(server.objection(first), { reason: 'clock-differs' })
})

t.test('a restart of the server opens nothing, unless a clock is ahead, and then for no longer than that', async t => {
  for (const ahead of [0, -5_000, 5_000]) {
    const { time, server, next } = pair(ahead)
    time.now += 10_000
    const captured = next()
    t.equal(server.objection(captured), null)
    time.now += 1000
    const restarted = new ServerGuard({ keys, now: time.read })
    const outcome = restarted.objection(captured)
    if (ahead > 1000) t.equal(outcome, null, 'made at a time that is still to come here')
    else t.match(outcome, { reason: 'replayed', sentence: /before this server started/ })
    time.now += Math.max(0, -ahead) + 15_000
    t.equal(restarted.objection(next()), null, 'the equipment itself comes in')
    t.match(restarted.objection(captured), { reason: 'replayed' })
  }
})

t.test('clocks that differ: refused with the difference, at both ends', async t => {
  for (const [ahead, words] of [[61_000, /61\.0 s ahead of/], [-95_000, /95\.0 s behind/]] as const) {
    const { server, acceptor, next } = pair(ahead)
    const objection = server.objection(next())
    t.match(objection, { reason: 'clock-differs', sentence: words })
    t.match(objection?.answer, { name: 'answer' })
    if (objection?.answer) {
      t.match(acceptor.complaint(parse(encode(objection.answer))), { reason: 'clock-differs', message: words })
      t.ok(encode(objection.answer).length < acceptor.next().length, 'what the server says is shorter than what it was sent')
    }
  }
  const { server, next } = pair(59_000)
  t.equal(server.objection(next()), null)
})

t.test("a clock that is set back: a little costs nothing, a lot until the time has come again", async t => {
  const { time, server, acceptor, next } = pair()
  t.equal(server.objection(next()), null)
  time.now -= 20_000
  t.equal(server.objection(next()), null, 'both machines were set: times go on from the last one')
  let ahead = 0
  const set = new AcceptorGuard('2133', KEY, () => time.now + ahead)
  ahead = 3_600_000
  set.next()
  ahead = 0
  t.equal(registration(set.next()).time, time.now, 'after an hour wrongly ahead it does not go on from there')
  const late = server.objection(registration(set.next()))
  t.match(late, { reason: 'replayed' })
  if (late?.answer) t.match(set.complaint(parse(encode(late.answer))), { reason: 'replayed', message: /clock was set back/ })
  t.equal(acceptor.complaint({ name: 'notification', notification: true, token })?.reason, 'not-authenticated')
})

t.test('without the key nothing is taken and nothing is answered', async t => {
  const { server, next } = pair()
  const good = next()
  const forged: MessageOf<'registration'>[] = [
    { name: 'registration', equipmentId: '2133' },
    { name: 'registration', equipmentId: '2133', time: START, authenticator: '00'.repeat(16) },
    { ...good, equipmentId: '4711' },
    { ...good, time: START + 5 },
    { ...good, padding: new Uint8Array(80) },
    { ...good, extra: [{ id: 200, bytes: Uint8Array.of(1) }] },
    registration(new AcceptorGuard('2133', OTHER, () => START).next()),
    registration(new AcceptorGuard('unknown', KEY, () => START).next()),
    seal({ name: 'registration', equipmentId: '2133', time: START }, KEY, 'server'),
  ]
  for (const each of forged) t.match(server.objection(each), { reason: 'not-authenticated', answer: null }, JSON.stringify(each.equipmentId))
  t.equal(server.objection(good), null, 'and the right one comes in after all of them')
})

t.test('any byte of a registration counts', async t => {
  const { server, acceptor } = pair()
  const bytes = acceptor.next()
  for (let at = 0; at < bytes.length; at++) {
    const message = decode(bytes.map((byte, index) => index === at ? byte ^ 1 : byte))
    if (message instanceof Defect || message.name !== 'registration') continue
    t.ok(server.objection(message), `byte ${at}`)
  }
  t.equal(server.objection(registration(bytes)), null)
})

t.test('what the server sends by UDP is known as its own, and only for a while', async t => {
  const { time, server, acceptor, next } = pair()
  t.equal(server.objection(next()), null)
  const request = { name: 'forwardedRequest', address: '4.17.168.2', port: 5000, token } as const
  const sent = server.seal(request, '2133')
  t.equal(acceptor.complaint(sent), null)
  const forged: Message[] = [request, { ...sent, address: '10.0.0.1' }, { ...sent, port: 22 }, seal(request, OTHER, 'server', START), seal(request, KEY, 'acceptor', START), { name: 'hold' }]
  for (const each of forged) t.match(acceptor.complaint(each), { reason: 'not-authenticated' })
  time.now += 15_000
  acceptor.next()
  t.equal(acceptor.complaint(sent), null, 'the last registration may have been lost')
  for (let n = 0; n < 8; n++) acceptor.next()
  t.match(acceptor.complaint(sent), { reason: 'not-authenticated' }, 'a capture of long ago')
})

t.test('greetings and reports', async t => {
  const { server, acceptor } = pair()
  const greeting = acceptor.seal<MessageOf<'greeting'>>({ name: 'greeting', token })
  t.ok(server.isFrom('2133', greeting))
  t.notOk(server.isFrom('2133', { name: 'greeting', token }))
  t.notOk(server.isFrom('2133', { ...greeting, token: '00'.repeat(8) }))
  t.notOk(server.isFrom('4711', greeting))
  t.notOk(server.isFrom('unknown', greeting))
  t.notOk(server.isFrom('2133', { name: 'answer', reason: 0, token, ...(greeting.authenticator === undefined ? {} : { authenticator: greeting.authenticator }) }), 'of another message')
})

t.test('the authenticator is HMAC-SHA-256 over the message with zeros in its place', async t => {
  const { createHmac } = await import('node:crypto')
  const bytes = encode(seal({ name: 'greeting', token }, KEY, 'acceptor'))
  const zeroed = bytes.map((byte, at) => at < bytes.length - 16 ? byte : 0)
  const wanted = createHmac('sha256', KEY).update('naptlab acceptor 0\0').update(zeroed).digest('hex').slice(0, 32)
  t.equal(Buffer.from(bytes.subarray(-16)).toString('hex'), wanted)
  t.ok(isGenuine(parse(bytes) as MessageOf<'greeting'>, KEY, 'acceptor'))
})

