// The hybrid system on real packets: who meets directly, who does not, and that one leaves the other alone.
import t from 'tap'
import { runHybrid } from '../../lab/systems/hybrid.js'
import { needsNamespaces } from '../prerequisites.js'
import { goldenText, pathOf, show } from './run.js'

t.test('the standard run', needsNamespaces, async t => {
  const { result, packets, steps } = await show(runHybrid, { out: t.testdir() })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.golden?.result, 'equal', goldenText(result))
  t.same(result.pairs.map(({ issuer, acceptor, isDirect, transfer }) => [issuer, acceptor, isDirect, transfer?.bytes]), [
    ['12', '14', true, 8000], ['15', '14', false, 8000], ['12', '13', false, 8000],
  ])
  for (const { isDirect, throughServer } of result.pairs) t.ok(isDirect ? throughServer === 0 : throughServer > 8000)

  t.same(steps.filter(({ name }) => name === 'S35').map(({ note }) => note), [
    '13 found; through the server: the acceptor is 192.168.1.3 behind 202.204.16.13',
    '14 found; direct: both have global addresses',
    '14 found; through the server: the issuer is 192.168.1.15 behind 202.204.16.13',
  ], 'which, and why')
  // What the server passes on may end in the next message's beginning (`…`), as it came.
  const commands = packets.filter(({ title }) => title.startsWith('38 command signal')).map(pathOf)
  t.same(commands, ['12 11', '11 104 13', '12 14', '15 104 11', '11 14'])
  t.ok(packets.some(packet => packet.title === 'direct TCP connection start' && pathOf(packet) === '14 12'))

  // 12 and 13 in the middle: nothing of theirs between their command and the end of the two others, and all of it afterwards.
  const last = packets.findLastIndex(packet => pathOf(packet).startsWith('15'))
  t.ok(packets.findIndex(packet => pathOf(packet) === '12 11' && packet.title.startsWith('file start')) > last)
  t.notOk(packets.some(({ title }) => title.startsWith('TCP reset')))
})
