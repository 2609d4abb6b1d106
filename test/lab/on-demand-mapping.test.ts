// The mapping 5000 → 1600 that is there for one request only: set at 211, taken away after S209 or after the request has failed.
import t from 'tap'
import { fig1 } from '../../lab/benches/fig1.js'
import { fig1With } from '../../lab/benches/placements.js'
import type { BenchDescription } from '../../lab/bench/bench.js'
import { runFig2, type Fig2Options, type Fig2Result } from '../../lab/systems/fig2.js'
import { needsNamespaces } from '../prerequisites.js'
import { show, type Shown } from './run.js'

const isMapped = ({ result }: Shown<Fig2Result>): boolean => result.tables['104a'].some(row => row.wanPort === 5000)
const orderOf = ({ steps }: Shown<Fig2Result>): string[] => steps.map(({ lane, name }) => `${lane} ${name}`).filter(step => /^10(4a|2 S203)/.test(step))
const call = { title: 'call after S209: TCP connection start', drop: { lane: '104a', reason: /^no-mapping: nothing is mapped to this WAN port/ } }

t.test('it is there for the session and gone after it', needsNamespaces, async t => {
  const shown = await show<Fig2Options, Fig2Result>(runFig2, { out: t.testdir(), mapping: 'on-demand' })
  const { result, packets, steps } = shown
  t.same(result.failures, [])
  t.ok(result.ok)
  t.ok(result.figures?.ok, 'the packets are those of the figures')
  t.equal(result.file?.bytes, 48_000)
  t.same(orderOf(shown), ['104a mapped', '102 S203', '104a unmapped'], 'before 211, and after the session')
  t.match(steps.find(({ name }) => name === 'mapped')?.note, '5000 → 192.168.1.11:1600')
  t.notOk(isMapped(shown))
  t.match(packets.at(-1), call, 'a call from the WAN is refused, and the router says why')
})

t.test('it goes when the request fails, too', needsNamespaces, async t => {
  const { '104b': acceptorSide, ...routers } = fig1.routers ?? {}
  const nat = { ...acceptorSide.nat as object, timeouts: { udp: 0.001 } }
  const bench: BenchDescription = { ...fig1, routers: { ...routers, '104b': { ...acceptorSide, nat } } }
  const shown = await show<Fig2Options, Fig2Result>(runFig2, { out: t.testdir(), bench, mapping: 'on-demand' })
  t.match(shown.result.failures, [/^102: .*the equipment is registered but did not answer/])
  t.equal(shown.result.failures.length, 1)
  t.same(orderOf(shown), ['104a mapped', '102 S203', '104a unmapped'])
  t.notOk(isMapped(shown))
  t.match(shown.packets.at(-1), call)
})

t.test('there is nothing to be set where 102 is reached without a mapping', async t => {
  await t.rejects(runFig2({ out: t.testdir(), bench: fig1With({ issuer: 'global', acceptor: 'napt' }), mapping: 'on-demand' }), { name: 'BenchError', message: /104a has no static mappings/ })
})
