// The relayed connection of Fig. 13 on real packets, with the issuer on the WAN and behind a router of its own.
import t from 'tap'
import { fig10 } from '../../lab/benches/fig10.js'
import { runFig13 } from '../../lab/systems/fig13.js'
import { needsNamespaces } from '../prerequisites.js'
import { goldenText, pathOf, show, type Shown } from './run.js'
import type { Fig13Result } from '../../lab/systems/fig13.js'

/** The first of each packet that the document numbers, with its path. */
const numbered = ({ packets }: Shown<Fig13Result>): string[] => packets
  .filter(({ title }) => /^3\d /.test(title)).map(packet => `${pathOf(packet)}: ${packet.title.replace(' …', '')}`)
  .filter((line, at, all) => all.indexOf(line) === at)

t.test('12 on the WAN', needsNamespaces, async t => {
  const shown = await show(runFig13, { out: t.testdir() })
  const { result, steps, packets } = shown
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.golden?.result, 'equal', goldenText(result))
  t.same(numbered(shown), [
    '13 104 11: 31 equipment registration', '12 11: 33 TCP connection start', '12 11: 34 connection request', '11 104 13: 36 connection request notification',
    '13 104 11: 37 TCP connection start', '12 11: 38 command signal', '11 104 13: 38 command signal',
  ])
  t.same(steps.map(({ lane, name }) => `${lane} ${name}`).filter((step, at, all) => all.indexOf(step) === at), ['11 S32', '11 S32A', '11 S35'])
  const orderOf = (title: string): number => packets.findIndex(packet => packet.title === title)
  t.ok(orderOf('34 connection request') < orderOf('36 connection request notification'), 'what was heard on the WAN stands in its place')
  t.same(result.equipment, [{ equipmentId: '2133', address: '202.204.16.13', port: 3400 }])
  t.same(result.transfers.map(({ from, to, bytes }) => `${from} ${to} ${bytes}`), ['12 13 20000', '13 12 20000'])
  t.ok((result.relayed?.fromIssuer ?? 0) > 20_000 && (result.relayed?.fromAcceptor ?? 0) > 20_000, 'all of it went through the server')
  t.notOk(packets.some(({ hops }) => hops.some(({ from, to }) => [from, to].sort().join() === '104,12')), 'nothing passed between 12 and 13 themselves')
})

t.test('12 in a LAN of its own', needsNamespaces, async t => {
  const shown = await show(runFig13, { out: t.testdir(), issuer: 'lan' as const })
  t.same(shown.result.failures, [])
  t.equal(shown.result.golden?.result, 'equal', goldenText(shown.result))
  t.match(numbered(shown), ['13 104 11: 31 equipment registration', '12 104a 11: 33 TCP connection start', '12 104a 11: 34 connection request'])
  t.equal(shown.result.transfers.length, 2)
})

t.test('a router whose mapping has gone before 36 comes: the run says what happened, and ends', needsNamespaces, async t => {
  const nat = { ...fig10.routers[104].nat, timeouts: { udp: 0.001 } }
  const { result, packets } = await show(runFig13, { out: t.testdir(), bench: { ...fig10, routers: { 104: { ...fig10.routers[104], nat } } } })
  t.notOk(result.ok)
  t.match(result.failures, [/^12: server 130\.74\.23\.6:1201: the equipment is registered but did not answer/])
  t.match(packets.find(({ drop }) => drop !== undefined), { title: '36 connection request notification', drop: { lane: '104', reason: /^no-mapping/ } })
  t.equal(result.relayed, null)
})
