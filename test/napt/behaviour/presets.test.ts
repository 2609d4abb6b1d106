// The presets: each can be, says only what it may, and comes back whole from the data that shows it.
import t from 'tap'
import { DEFAULT_BEHAVIOUR, type Behaviour } from '../../../napt/behaviour/behaviour.js'
import { CHOICES } from '../../../napt/behaviour/choices.js'
import { describeBehaviour } from '../../../napt/behaviour/describe-behaviour.js'
import { PRESETS, presetNamed } from '../../../napt/behaviour/presets.js'
import { parseBehaviour } from '../../../napt/behaviour/read-behaviour.js'
import { parseRouterConfig } from '../../../napt/router-config.js'
import { CONFIG_104B } from '../router-bench.js'

const of = (name: string): Behaviour => parseBehaviour(name)

t.test('every preset', async t => {
  t.equal(new Set(PRESETS.map(preset => preset.name)).size, PRESETS.length, 'no name twice')
  for (const { name, title, source, nat } of PRESETS) {
    t.match(name, /^[a-z][a-z0-9-]+$/, 'a name that cannot be taken for a file')
    t.match(title, /^[A-Z].*\.$/, `${name}: one sentence`)
    t.match(source, /RFC|typical|documentation|Guide|Linux|OpenBSD/, `${name}: says what it rests on`)
    t.same(parseBehaviour(name), parseBehaviour(nat))
    t.same(parseBehaviour({ preset: name }), parseBehaviour(name))
    const { nat: onRouter } = parseRouterConfig({ ...CONFIG_104B, nat: name })
    t.same(onRouter, parseBehaviour(name), `${name}: a router can be it`)
    t.same(parseBehaviour(JSON.parse(JSON.stringify(describeBehaviour(of(name))))), of(name), `${name}: comes back from its description`)
  }
})

t.test('the four of RFC 3489 in the words of RFC 4787', async t => {
  const words = (name: string): string => `${of(name).mapping.udp} / ${of(name).filtering.udp}`
  t.equal(words('full-cone'), 'endpoint-independent / endpoint-independent')
  t.equal(words('restricted-cone'), 'endpoint-independent / address-dependent')
  t.equal(words('port-restricted-cone'), 'endpoint-independent / address-and-port-dependent')
  t.equal(words('symmetric'), 'address-and-port-dependent / address-and-port-dependent')
  t.same(of('rfc-recommended'), DEFAULT_BEHAVIOUR)
})

t.test('what the sources give', async t => {
  // nf_conntrack-sysctl.rst
  t.same(of('linux-masquerade').timeouts, { udp: 120, icmp: 30, tcpOpening: 120, tcpEstablished: 5 * 86_400, tcpClosing: 120, tcpReset: 10, other: 600 })
  t.ok(of('linux-masquerade').portOverloading)
  // RFC 6888 REQ-2, REQ-7, REQ-8
  t.match(of('carrier-grade'), { pooling: 'paired', portReuseDelay: 120, filtering: { udp: 'endpoint-independent' } })
  t.ok(of('carrier-grade').limits.mappingsPerHost > 0 && of('carrier-grade').limits.sessionsPerHost > 0, 'RFC 6888 REQ-4, REQ-5')
  const { portRange: { from, to }, portBlock } = of('deterministic-cgn')
  t.equal((to - from + 1) % portBlock, 0, 'blocks leave no port over')
  t.equal(of('aws-nat-gateway').timeouts.tcpEstablished, 350)
  t.match(of('azure-nat-gateway'), { timeouts: { udp: 240, tcpReset: 16 }, fragments: 'drop' })
  t.equal(of('gcp-cloud-nat').portBlock, 64)
})

t.test('every choice has words, and only choices have', async t => {
  t.same(Object.keys(CHOICES), Object.keys(DEFAULT_BEHAVIOUR))
  t.equal(presetNamed('round-cone'), undefined)
})

t.test('addresses and one value for each protocol come back from the description', async t => {
  const behaviour = parseBehaviour({
    mapping: { tcp: 'address-dependent' }, refresh: { udp: 'outbound' }, pool: ['202.204.16.14', '202.204.16.15'], oneToOne: [{ wanAddress: '202.204.16.20', address: '192.168.1.7' }],
    staticMappings: [{ protocol: 'udp', wanAddress: '202.204.16.14', wanPort: 53, address: '192.168.1.3', port: 5353 }],
  })
  const data = describeBehaviour(behaviour)
  t.match(data, { pool: ['202.204.16.14', '202.204.16.15'], filtering: 'address-and-port-dependent', mapping: { tcp: 'address-dependent', udp: 'endpoint-independent' } })
  t.same(parseBehaviour(JSON.parse(JSON.stringify(data))), behaviour)
})
