// NAPT alone on real packets: Figs. 11 and 12, dynamic and static.
import t from 'tap'
import { fig10 } from '../../lab/benches/fig10.js'
import { runFig11 } from '../../lab/systems/fig11.js'
import { needsNamespaces } from '../prerequisites.js'
import { goldenText, pathOf, show } from './run.js'

const FORWARD = 'SA, SP  192.168.1.3:2000 → 202.204.16.13:3400', BACKWARD = 'DA, DP  202.204.16.13:3400 → 192.168.1.3:2000'

t.test('the standard run', needsNamespaces, async t => {
  const { result, packets, steps } = await show(runFig11, { out: t.testdir() })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.golden?.result, 'equal', goldenText(result))

  const numbered = packets.filter(({ title }) => /^2\d, 2\d /.test(title)).map(packet => `${pathOf(packet)}: ${packet.title}`)
  t.same(numbered, [
    '13 104 11: 21, 23 TCP connection start', '13 104 11: 21, 23 question', '11 104 13: 25, 27 response',
    '13 104 11: 21, 23 question', '11 104 13: 25, 27 response',
    '12 104: 25, 27 question', '12 104 13: 25, 27 question', '13 104 12: 21, 23 response',
  ])
  const [refused] = packets.filter(({ drop }) => drop !== undefined)
  t.match(refused, { title: '25, 27 question', drop: { lane: '104', reason: /^no-mapping/ } }, 'without a mapping nobody comes in')

  t.same(steps.filter(({ name }) => name !== 'table').map(({ lane, name }) => `${lane} ${name}`), [
    '104 S22', '104 S22', '11 S24', '104 S26', '104 S22', '11 S24', '104 S26', '104 S26', '13 S24', '104 S22',
  ])
  for (const { name, note } of steps) {
    if (name === 'S22') t.equal(note, FORWARD)
    if (name === 'S26') t.equal(note, BACKWARD)
  }
  t.same(result.moments.map(({ moment, table }) => [moment, table.map(row => `${row.lanAddress}:${row.lanPort} = ${row.wanAddress}:${row.wanPort} ${row.protocol} ${row.kind}`).join()]), [
    ['dynamic, TCP: during the communication (Fig. 12)', '192.168.1.3:2000 = 202.204.16.13:3400 tcp dynamic'],
    ['dynamic, TCP: after the connection has ended', ''],
    ['dynamic, UDP: during the communication (Fig. 12)', '192.168.1.3:2000 = 202.204.16.13:3400 udp dynamic'],
    ['dynamic, UDP: after the idle time', ''],
    ['static: set in advance', '192.168.1.3:2000 = 202.204.16.13:3400 udp static'],
    ['static: after the communication', '192.168.1.3:2000 = 202.204.16.13:3400 udp static'],
  ])
})

t.test('a static mapping that is set from the beginning: what should be dropped is not, and the run says so', needsNamespaces, async t => {
  const nat = { ...fig10.routers[104].nat, staticMappings: [{ protocol: 'udp', wanPort: 3400, address: '192.168.1.3', port: 2000 }] }
  const { result } = await show(runFig11, { out: t.testdir(), bench: { ...fig10, routers: { 104: { ...fig10.routers[104], nat } } } })
  t.notOk(result.ok)
  const failures = result.failures.join('\n')
  t.match(failures, /UDP: the mapping 192\.168\.1\.3:2000 = 202\.204\.16\.13:3400 did not go/)
  t.match(failures, /a packet from 12 was to be dropped, and was not/)
  t.match(failures, /WAN port 3400\/udp is in use/, 'and the router refuses to give the port twice')
  t.equal(result.golden, null, 'another bench has no golden')
})

t.test('a bench without what it needs', async t => {
  await t.rejects(runFig11({ out: t.testdir(), bench: { name: 'small', networks: { wan: {} }, hosts: {} } }),
    { name: 'BenchError', message: /cannot run Fig\. 11: it has no 11, 12, 13, 104\. Begin with `naptlab bench fig10 > my\.yaml`/ })
})
