// The log-in relay on real packets, behind two userspace NAPT routers: every process of the document, in its order.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readCaptures, type LadderEntry } from '../../captures/index.js'
import { LOGIN_RELAY_STEPS } from '../../endpoints/login-relay/steps.js'
import { relayLogin } from '../../lab/benches/relay-login.js'
import { runRelayLogin } from '../../lab/systems/relay-login.js'
import { needsNamespaces } from '../prerequisites.js'

t.test('all of (1) to (24)', needsNamespaces, async t => {
  const out = join(t.testdir(), 'captures'), entries: LadderEntry[] = []
  const result = await runRelayLogin({ out, onEntry: entry => entries.push(entry) })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.equal(result.golden?.result, 'equal', JSON.stringify([result.golden?.differences, result.golden?.missing, result.golden?.unexpected]))
  const packets = entries.flatMap(entry => entry.kind === 'packet' && !entry.isDetail ? [entry] : [])
  for (const { number, from, to } of LOGIN_RELAY_STEPS) {
    const packet = packets.find(({ title }) => title.startsWith(`${number} `))
    t.same([packet?.hops[0].from, packet?.hops.at(-1)?.to], [from, to], `${number} from ${from} to ${to}`)
  }
  const order = packets.map(({ title }) => title.split(' ')[0])
  for (const flow of [['(1)', '(2)', '(3)', '(6)', '(9)', '(15)', '(18)', '(19)', '(21)', '(22)', '(23)'], ["(1')", "(3')", '(7)', '(8)', '(16)', '(17)', '(20)', "(21')"], ['(9)', '(10)', '(12)', '(24)']]) {
    const places = flow.map(number => order.indexOf(number))
    t.same(places, [...places].sort((a, b) => a - b), flow.join(' '))
  }
  t.same(result.users, [{ userId: 'user 11', connections: 2 }, { userId: 'user 21', connections: 2 }])
  t.same(result.relayed, { from11: 13, from21: 13 })
  t.same(result.tables['13'].map(row => `${row.lanAddress}:${row.lanPort} = ${row.wanAddress}:${row.wanPort}`), [
    '192.168.1.11:1101 = 4.17.168.2:5001', '192.168.1.11:1102 = 4.17.168.2:5002',
  ], 'connections 1 and 3 in the gateway of local system 1')
  t.notMatch(JSON.stringify(result), /open sesame/, 'no password in the result')
  t.notMatch(readFileSync('captures/golden/relay-login/golden.yaml', 'utf8'), Buffer.from('open sesame').toString('hex'), 'nor in the golden')
  t.ok((await readCaptures(result.capture ?? '')).has('13-wan'))
})

t.test('behind other NATs the same sequence runs', needsNamespaces, async t => {
  const { 13: first, 23: second } = relayLogin.routers as Record<string, (typeof relayLogin.routers & object)[string]>
  const nat = { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', portAllocation: 'random' } as const
  const bench = { ...relayLogin, routers: { 13: { ...first, nat }, 23: { ...second, nat } } }
  const result = await runRelayLogin({ out: join(t.testdir(), 'captures'), bench })
  t.same(result.failures, [])
  t.equal(result.golden, null)
  t.same(result.relayed, { from11: 13, from21: 13 })
})

t.test('a bench that lacks what is needed', needsNamespaces, async t => {
  const { 11: eleven, 21: twentyone } = relayLogin.hosts, hosts = { 11: eleven, 21: twentyone }
  await t.rejects(runRelayLogin({ out: join(t.testdir(), 'captures'), bench: { ...relayLogin, hosts } }), { message: /cannot run the log-in relay: it has no 4\. Begin with `naptlab bench relay-login/ })
})
