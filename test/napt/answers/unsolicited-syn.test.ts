// SYNs that nobody asked for: answered after the hold, once, unless the host opens the connection itself (RFC 5382 REQ-4).
import t from 'tap'
import type { Behaviour } from '../../../napt/behaviour/behaviour.js'
import { LONGEST_SYN, MAXIMUM_SYNS, UnsolicitedSyns } from '../../../napt/answers/unsolicited-syn.js'
import { parseIpv4, type Port } from '../../../napt/wire/address.js'
import { write16 } from '../../../napt/wire/bytes.js'
import * as tcpWire from '../../../napt/wire/tcp.js'
import { tcp, TRANSPORT, withTrailer } from '../frames.js'
import { parsed } from '../translation/fragment-frames.js'

type Rule = Behaviour['unsolicitedSyn']
const UNREACHABLE: Rule = { hold: 6, answer: 'unreachable' }

function subject(rule: Rule = UNREACHABLE): { syns: UnsolicitedSyns, answers: [string, Uint8Array][] } {
  const answers: [string, Uint8Array][] = []
  return { syns: new UnsolicitedSyns(rule, { answer: (kind, frame) => answers.push([kind, frame]) }), answers }
}
const WAN = '202.204.16.13', REMOTE = '8.117.12.109'
const syn = (wanPort = 5000, remotePort = 80, payload = ''): Uint8Array => tcp(`${REMOTE}:${remotePort}`, `${WAN}:${wanPort}`, 'SYN', payload)
const port = (value: number): Port => value as Port

t.test('answered when the hold is over, not before, and once', async t => {
  for (const answer of ['unreachable', 'reset'] as const) {
    const { syns, answers } = subject({ hold: 6, answer }), frame = syn()
    t.equal(syns.untilTick(0), Infinity)
    syns.note(parsed(frame), 1000)
    t.equal(syns.untilTick(1000), 6000)
    syns.tick(6999)
    t.same([answers.length, syns.untilTick(6999)], [0, 1])
    syns.tick(7000)
    t.same(answers, [[answer, frame]])
    t.equal(syns.untilTick(7000), Infinity)
    syns.tick(20_000)
    t.equal(answers.length, 1)
  }
})

t.test('a repeated SYN does not double it or begin anew', async t => {
  const { syns, answers } = subject()
  for (const at of [0, 1000, 3000]) syns.note(parsed(syn()), at)
  t.same([syns.held, syns.untilTick(3000)], [1, 3000])
  syns.tick(6000)
  t.equal(answers.length, 1)
  syns.note(parsed(syn()), 7000)
  syns.tick(13_000)
  t.equal(answers.length, 2, 'after the answer it is a new one')
})

t.test('the oldest is answered first, each in its time', async t => {
  const { syns, answers } = subject()
  const frames = [syn(1), syn(2), syn(1, 81)]
  for (const [i, frame] of frames.entries()) syns.note(parsed(frame), i * 100)
  syns.tick(6100)
  t.same(answers.map(([, frame]) => frame), frames.slice(0, 2))
  t.equal(syns.untilTick(6100), 100)
  syns.tick(9000)
  t.same(answers.map(([, frame]) => frame), frames)
})

t.test('the host opens the connection itself: no answer', async t => {
  const { syns, answers } = subject(), wan = parseIpv4(WAN), remote = parseIpv4(REMOTE)
  syns.withdraw(wan, port(5000), remote, port(80))
  syns.note(parsed(syn()), 0)
  syns.note(parsed(syn(5001)), 1)
  syns.withdraw(wan, port(5000), remote, port(81))
  syns.withdraw(wan, port(5002), remote, port(80))
  syns.withdraw(remote, port(5000), wan, port(80))
  t.equal(syns.held, 2, 'another connection\'s SYN changes nothing')
  syns.withdraw(wan, port(5000), remote, port(80))
  t.equal(syns.held, 1)
  syns.tick(6000)
  t.same([answers.length, syns.untilTick(6000)], [0, 1])
  syns.tick(6001)
  t.same(answers, [['unreachable', syn(5001)]])
})

t.test('the copy is whole, complete and the table\'s own, without a trailer', async t => {
  const { syns, answers } = subject(), frame = syn(5000, 80, 'fast open'), buffer = withTrailer(frame, 12)
  write16(buffer, TRANSPORT + tcpWire.CHECKSUM, 0)
  syns.note(parsed(buffer, true), 0)
  buffer.fill(0)
  syns.tick(6000)
  t.same(answers, [['unreachable', frame]])
})

t.test('memory is bounded', async t => {
  const { syns, answers } = subject()
  syns.note(parsed(syn(1, 1, 'x'.repeat(LONGEST_SYN - 39))), 0)
  t.equal(syns.held, 0, 'longer than a packet on Ethernet')
  syns.note(parsed(syn(1, 1, 'x'.repeat(LONGEST_SYN - 40))), 0)
  t.equal(syns.held, 1)
  for (let i = 0; i < MAXIMUM_SYNS; i++) syns.note(parsed(syn(1000 + i)), i)
  t.equal(syns.held, MAXIMUM_SYNS)
  syns.tick(6000 + MAXIMUM_SYNS)
  t.same([syns.held, answers.length], [0, MAXIMUM_SYNS])
})

t.test('the rule can change', async t => {
  const none = subject({ hold: 6, answer: 'none' })
  none.syns.note(parsed(syn()), 0)
  t.same([none.syns.held, none.syns.untilTick(0)], [0, Infinity])
  none.syns.change({ hold: 0, answer: 'reset' })
  none.syns.note(parsed(syn()), 0)
  t.equal(none.syns.untilTick(0), 0)
  none.syns.tick(0)
  t.same(none.answers, [['reset', syn()]])

  const { syns, answers } = subject()
  syns.note(parsed(syn()), 0)
  syns.change({ hold: 10, answer: 'reset' })
  syns.tick(9999)
  t.equal(answers.length, 0)
  syns.tick(10_000)
  t.same(answers.map(([kind]) => kind), ['reset'])
  syns.note(parsed(syn()), 10_000)
  syns.change({ hold: 6, answer: 'none' })
  syns.tick(30_000)
  t.same([syns.held, answers.length, syns.untilTick(30_000)], [0, 1, Infinity])
})
