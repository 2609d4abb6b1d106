// The network bench for a moment: the kernel and our router carry packets with the router's source address, and leave nothing behind.
import t from 'tap'
import { allEntrants, type Entrant } from '../../bench/network/entrants.js'
import { LAST_MEASURES, MEASURES, type Timing } from '../../bench/network/figures.js'
import { Network } from '../../bench/network/run.js'
import { Testbed } from '../../bench/network/testbed.js'
import { ROUTER_WAN } from '../../bench/network/topology.js'
import { takeTurns } from '../../bench/rounds.js'
import { findBenches } from '../../lab/bench/find.js'
import { needsNamespaces, needsNft } from '../prerequisites.js'

const timing: Timing = { firstWarmUp: 20, warmUp: 20, window: 60, longWindow: 60, bulkSeconds: 1 }
const named = (wanted: string): Entrant => allEntrants().find(({ name }) => name === wanted)!
const standing = (): string[] => findBenches().map(({ name }) => name).filter(name => name.startsWith('bench-'))

for (const [name, needs] of [['kernel', needsNft], ['packet', needsNamespaces]] as const) {
  t.test(name, needs, async t => {
    const testbed = await Testbed.open(named(name), false)
    const { seenAs } = await testbed.ask({ op: 'hello' })
    t.match(seenAs, new RegExp(`^${ROUTER_WAN.replaceAll('.', '\\.')}:\\d+$`), 'the server sees the router')
    const { sent, arrived, elapsed, routerCpu } = await testbed.ask({ op: 'datagrams', flows: 64, warmUp: 20, window: 60 })
    t.ok(arrived > 100 && sent > 100, `of ${sent} packets ${arrived} arrived`)
    t.ok(elapsed >= 60)
    if (name === 'packet') t.ok(routerCpu > 0, 'the router worked')
    const { p50, p99, p999, samples } = await testbed.ask({ op: 'round-trips', window: 60 })
    t.ok(samples > 0 && 0 < p50 && p50 <= p99 && p99 <= p999)
    const { completed } = await testbed.ask({ op: 'connections', window: 60 })
    t.ok(completed > 0, `${completed} connections`)
    t.ok(standing().includes(`bench-${name}`))
    await testbed.close()
    t.notOk(standing().includes(`bench-${name}`))
    await t.rejects(testbed.ask({ op: 'hello' }), 'there is nobody to ask any more')
  })
}

t.test('one that cannot take part is left out, with the reason; the others go on', needsNamespaces, async t => {
  const broken: Entrant = { ...named('packet'), name: 'broken', routerSettings: { device: 'pigeon' } }
  const missing: Entrant = { ...named('packet'), name: 'missing', missing: 'it is not installed' }
  const network = new Network([broken, missing, named('packet')], timing)
  try {
    await network.open()
    await network.warmUp(1)
    await takeTurns(network.contests([...MEASURES, ...LAST_MEASURES].filter(({ program }) => program === undefined)), 1, (turn, round) => turn.run(round))
  } finally {
    await network.close()
  }
  const [first, second, ours] = network.results()
  t.match(first.leftOut, /device is "pigeon"/)
  t.equal(second.leftOut, 'it is not installed')
  t.same([first.rounds, second.rounds, ours.leftOut, ours.troubles], [[], [], null, []])
  t.same(Object.keys(ours.rounds[0]).sort(), ['connections', 'cpu', 'lost64', 'p50', 'p99', 'p999', 'softirq', 'udp1', 'udp4096', 'udp64'])
  t.same(standing(), [], 'nothing is left')
})
