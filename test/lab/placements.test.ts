// Every placement of the equipment at every level: 102 and 103 each behind NAPT, behind address-only NAT, or on the WAN.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LEVELS } from '../../endpoints/defaults.js'
import { fig1 } from '../../lab/benches/fig1.js'
import { fig1With, placedBenches, PLACEMENTS, type Placement, type Placements } from '../../lab/benches/placements.js'
import { runFig2, type Fig2Options, type Fig2Result } from '../../lab/systems/fig2.js'
import { lanesOf, placementsOf, reachedAt, routersOf } from '../../lab/systems/placement.js'
import { readBench } from '../../lab/index.js'
import { needsNamespaces } from '../prerequisites.js'
import { pathOf, show, type Shown } from './run.js'

/** Runs at the same time; each has namespaces of its own. */
const BATCH = 4

/** Level 4 is level 3 with certificates and encryption. */
const GRID = [...LEVELS, 4] as const
type GridLevel = typeof GRID[number]

/** Where 101 sees 103's registrations come from, and where 102 is reached. */
const REGISTERED: Readonly<Record<Placement, string>> = { napt: '202.204.16.13:3400', nat: '202.204.16.13:2000', global: '198.51.100.3:2000' }
const REACHED: Readonly<Record<Placement, string>> = { napt: '4.17.168.2:5000', nat: '4.17.168.2:1600', global: '8.117.12.109:1600' }

function packetsOf(level: GridLevel): string[] {
  if (level === 4) return ['55', '63', '54', '201', '211', '212', '213', '217', '205', '221', '222', '223', '226', '208']
  return ['201', '211', '217', ...level === 1 ? ['226'] : ['205', '221', '226'], '208']
}

const everyPlacement: Placements[] = PLACEMENTS.flatMap(issuer => PLACEMENTS.map(acceptor => ({ issuer, acceptor })))
const endpoint = ({ address, port }: { address: string, port: number }): string => `${address}:${port}`

/** The documents' numbers of the packets that are looked for, in the order in which they first pass. */
const numbersOf = ({ packets }: Shown<Fig2Result>, wanted: readonly string[]): string[] =>
  packets.map(({ title }) => title.split(' ')[0]).filter((number, at, all) => wanted.includes(number) && all.indexOf(number) === at)

t.setTimeout(600_000)

t.test('the nine benches', async t => {
  t.equal(fig1With({ issuer: 'napt', acceptor: 'napt' }), fig1)
  t.equal(new Set(placedBenches.map(({ name }) => name)).size, 9)
  for (const placements of everyPlacement) {
    const bench = fig1With(placements)
    t.same(readBench(bench), bench, `${bench.name} keeps the rules of a bench`)
    t.same(placementsOf(bench), placements, 'and says itself where 102 and 103 are')
    t.equal(endpoint(reachedAt(bench)), REACHED[placements.issuer])
    t.same(routersOf(bench), [...placements.issuer === 'global' ? [] : ['104a'], ...placements.acceptor === 'global' ? [] : ['104b']])
    t.same(lanesOf(bench).map(({ name }) => name).filter(name => name.startsWith('104')), routersOf(bench))
  }
})

t.test('all placements at all levels', { ...needsNamespaces, timeout: 560_000 }, async t => {
  const runs = everyPlacement.flatMap(placements => GRID.map(level => ({ ...placements, level })))
  const out = t.testdir()
  for (let first = 0; first < runs.length; first += BATCH) {
    await Promise.all(runs.slice(first, first + BATCH).map(async ({ issuer, acceptor, level }) => {
      const name = `102 ${issuer}, 103 ${acceptor}, level ${level}`
      const shown = await show<Fig2Options, Fig2Result>(runFig2, { out: join(out, `${issuer}-${acceptor}-${level}`), bench: fig1With({ issuer, acceptor }), ...level === 4 ? { level: 3, encryption: 'tls1.3' } : { level } })
      await t.test(name, async t => check(t, shown, { issuer, acceptor }, level))
    }))
  }
})

function check(t: Test, shown: Shown<Fig2Result>, { issuer, acceptor }: Placements, level: GridLevel): void {
  const { result, packets, steps } = shown
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.file?.bytes, 48_000, 'S209 ran')
  t.same(result.equipment.map(endpoint), [REGISTERED[acceptor]], 'Fig. 9')
  t.same(numbersOf(shown, packetsOf(level)), packetsOf(level), 'the same sequence')
  t.equal(steps.some(({ name }) => name === 'S207'), level >= 3, 'the password is checked from level 3 on')
  const direct = packets.find(({ title }) => title === '208 TCP connection start')
  const path = ['103', ...acceptor === 'global' ? [] : ['104b'], ...issuer === 'global' ? [] : ['104a'], '102']
  t.equal(direct && pathOf(direct), path.join(' '), '208 goes straight from 103 to 102')
  t.match(direct?.hops.at(acceptor === 'global' ? 0 : 1)?.label, new RegExp(`→${REACHED[issuer].split(':')[1]}$`), 'to the port at which 102 is reached')
  t.notOk(packets.some(({ drop }) => drop !== undefined), 'no packet was dropped')
  t.same(Object.keys(result.tables), routersOf(fig1With({ issuer, acceptor })))
  for (const [router, placement] of [['104a', issuer], ['104b', acceptor]] as const) {
    const rows = result.tables[router] ?? []
    t.equal(rows.length > 0, placement !== 'global')
    if (placement === 'nat') t.ok(rows.every(row => row.lanPort === row.wanPort), `${router} leaves ports as they are`)
  }
  const isOfTheFigures = issuer === 'napt' && acceptor === 'napt'
  t.equal(result.figures !== null, isOfTheFigures)
  t.match(result.notOfTheFigures, isOfTheFigures ? null : /the figures show both behind NAPT/)
  t.equal(result.golden !== null, isOfTheFigures && level >= 3)
}
