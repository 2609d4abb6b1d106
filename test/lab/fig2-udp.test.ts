// Fig. 2 with S209 over UDP, on real packets through both routers.
import t from 'tap'
import type { LadderEntry, LadderPacket } from '../../captures/index.js'
import { fig1 } from '../../lab/benches/fig1.js'
import { fig1With } from '../../lab/benches/placements.js'
import { runFig2, type Fig2Options, type Fig2Result } from '../../lab/systems/fig2.js'
import { withUdpMappings } from '../../lab/systems/udp-mappings.js'
import { needsNamespaces } from '../prerequisites.js'

async function run(options: Fig2Options): Promise<{ readonly result: Fig2Result, readonly packets: readonly LadderPacket[] }> {
  const entries: LadderEntry[] = []
  const result = await runFig2({ ...options, data: 'udp', onEntry: entry => entries.push(entry) })
  return { result, packets: entries.filter(entry => entry.kind === 'packet') }
}

const rowsOf = ({ tables }: Fig2Result, router: string): string[] => tables[router].map(row => `${row.protocol} ${row.wanPort} ${row.kind}`)

t.test('208 and S209 by UDP; the file comes whole', needsNamespaces, async t => {
  const { result, packets } = await run({ out: t.testdir(), fileSize: 500_000 })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.file?.bytes, 500_000)
  t.equal(result.golden, null, 'the project keeps none')
  const [start, ...others] = packets.filter(({ title }) => title === '208 UDP connection start')
  t.same(start.hops.map(hop => `${hop.from} ${hop.to}`), ['103 104b', '104b 104a', '104a 102'], 'one packet, through both routers')
  t.match(start.hops.map(hop => hop.label), [/^\d+→5000$/, '3401→5000', '3401→1600'])
  t.ok(others.every(({ count }) => count === 1))
  const titles = packets.filter(({ isDetail }) => !isDetail).map(({ title }) => title)
  for (const title of ['S209 greeting', 'S209 answer', 'S209 file start', 'S209 data', 'S209 goodbye', 'UDP close of 208']) t.ok(titles.includes(title), title)
  t.notOk(titles.includes('208 TCP connection start'))
  t.ok(packets.some(({ title, isDetail }) => title === 'UDP acknowledgement of 208' && isDetail))
  t.ok(packets.every(({ drop }) => drop === undefined), 'nothing is dropped')
  t.ok(rowsOf(result, '104a').includes('udp 5000 static'))
  t.ok(rowsOf(result, '104b').includes('udp 3401 dynamic'))
  t.ok(result.figures?.ok, 'Figs. 7 and 8 hold: what 217 and 226 carry more stands behind their fields')
})

t.test('level 1, and a mapping for this connection only', needsNamespaces, async t => {
  const one = await run({ out: t.testdir(), level: 1 })
  t.same(one.result.failures, [])
  t.equal(one.result.file?.bytes, 48_000)
  const onDemand = await run({ out: t.testdir(), mapping: 'on-demand' })
  t.same(onDemand.result.failures, [])
  t.equal(onDemand.result.file?.bytes, 48_000)
  t.notOk(rowsOf(onDemand.result, '104a').some(row => row.includes('5000')), 'it is gone')
})

t.test('without a router in front of 102', needsNamespaces, async t => {
  const { result } = await run({ out: t.testdir(), bench: fig1With({ issuer: 'global', acceptor: 'nat' }) })
  t.same(result.failures, [])
  t.equal(result.file?.bytes, 48_000)
})

t.test('which mappings are added', async t => {
  const mapped = withUdpMappings(fig1)
  t.match(mapped.routers?.['104a'].nat, { staticMappings: [{ protocol: 'tcp', wanPort: 5000 }, { protocol: 'udp', wanPort: 5000, address: '192.168.1.11', port: 1600 }] })
  t.same(withUdpMappings(mapped), mapped, 'none twice')
  const global = fig1With({ issuer: 'global', acceptor: 'napt' })
  t.same(withUdpMappings(global), global)
})
