// NATs as people name them: presets, files, fields; and a bench with another one in a router.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { BenchError, describedBench, fig1, natNamed, readBench, readBenchFile, replaceNat } from '../../lab/index.js'
import { ConfigError } from '../../napt/fields.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import type { BenchDescription } from '../../lab/index.js'

const EXAMPLE = fileURLToPath(new URL('../../../docs/nat-example.yaml', import.meta.url))

const natOf = (bench: BenchDescription, router: string): unknown => bench.routers?.[router].nat
const errorOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError || error instanceof BenchError) return error.message
    throw error
  }
  return 'none'
}

t.test('a file with what was observed, a file with the fields alone, a preset', async t => {
  const folder = t.testdir({
    'observed.yaml': 'observed: { device: Box 1, firmware: "7.50" }\nnat: { preset: symmetric, timeouts: { udp: 30 } }\n',
    'fields.yaml': 'filtering: endpoint-independent\n',
    'preset.json': '{ "nat": "symmetric" }',
  })
  t.same(natNamed('./observed.yaml', folder), { name: './observed.yaml', observed: { device: 'Box 1', firmware: '7.50' }, nat: { preset: 'symmetric', timeouts: { udp: 30 } } })
  t.same(natNamed(join(folder, 'fields.yaml')).nat, { filtering: 'endpoint-independent' })
  t.equal(natNamed('preset.json', folder).nat, 'symmetric')
  t.same(natNamed('symmetric'), { name: 'symmetric', nat: 'symmetric' })
  const example = natNamed(EXAMPLE)
  t.match(example.observed, { device: 'Example Gateway 7000', date: '2026-01-31' }, 'the example of the guide')
  t.equal(parseBehaviour(example.nat).timeouts.udp, 30)
})

t.test('errors name the file and the field', async t => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['nat: { mapping: symmetric }', /^x\.yaml: nat\.mapping is "symmetric"; wanted is one of endpoint-independent/],
    ['mapping: symmetric', /^x\.yaml: nat\.mapping is "symmetric"/],
    ['nat: round-cone', /^x\.yaml: nat is "round-cone"; wanted is one of rfc-recommended/],
    ['nat: ./y.yaml', /^x\.yaml: nat is "\.\/y\.yaml"; wanted is one of/],
    ['observed: { device: Box }', /^x\.yaml: nat missing/],
    ['observed: { firmware: "1" }\nnat: {}', /^x\.yaml: observed\.device missing; a text is wanted/],
    ['observed: { device: Box, firmware: 7.50 }\nnat: {}', /^x\.yaml: observed\.firmware is the number 7\.5; a text is wanted: put it in quotes/],
    ['observed: { device: Box, colour: white }\nnat: {}', /^x\.yaml\S*: observed\.colour is not known here; known are device, firmware, where, date, by, notes/],
    ['observed: { device: Box }\nnat: {}\nwan: 1', /^x\.yaml\.wan is not known here; known are observed, nat/],
    ['nat: { portOverloading: true }', /^x\.yaml: nat\.portOverloading: true needs mapping/],
    ['nat: [', /^x\.yaml is no YAML: .*line 1/s],
    ['', /^x\.yaml: nat is null; wanted are the fields preset, translation/],
  ]
  for (const [content, message] of cases) t.match(errorOf(() => natNamed('x.yaml', t.testdir({ 'x.yaml': content }))), message, content)
  t.match(errorOf(() => natNamed('./none.yaml')), /NAT file \.\/none\.yaml cannot be read: ENOENT/)
  t.match(errorOf(() => natNamed('round-cone')), /there is no preset 'round-cone' \(known: rfc-recommended, .*a dot or a slash/)
})

t.test('in a bench file: a preset, a file beside it, or the fields', async t => {
  const router = (lan: string, wan: string, nat: unknown): object => ({ lan: { network: lan, address: '192.168.1.1/24' }, wan: { network: 'wan', address: wan }, nat })
  const bench = (nats: readonly unknown[]): object => ({
    name: 'x', networks: { wan: {}, a: {}, b: {} }, hosts: {}, routers: { ra: router('a', '10.0.0.1', nats[0]), rb: router('b', '10.0.0.2', nats[1]) },
  })
  const folder = t.testdir({
    'bench.json': JSON.stringify(bench(['symmetric', './nats/box.yaml'])), 'nats': { 'box.yaml': 'observed: { device: Box }\nnat: { filtering: endpoint-independent }' },
  })
  const read = readBenchFile(join(folder, 'bench.json'))
  t.equal(natOf(read, 'ra'), 'symmetric', 'a preset keeps its name')
  t.same(natOf(read, 'rb'), { filtering: 'endpoint-independent' }, 'a file is read from where the bench is')
  t.same(readBench(read), read, 'what was read is read again the same')
  t.match(errorOf(() => readBench(bench(['round-cone', {}]))), /routers\.ra\.nat: there is no preset 'round-cone'/)
  t.match(errorOf(() => readBench(bench([{}, './nats/box.yaml']), { folder: '/nowhere' })), /routers\.rb\.nat: NAT file \.\/nats\/box\.yaml cannot be read/)
  t.match(errorOf(() => readBench(bench([{ pool: ['192.168.1.9'] }, {}]))), /routers\.ra\.nat\.pool\[0\] 192\.168\.1\.9 lies in the LAN's network/, 'what its program would refuse later')
})

t.test('another NAT in a router', async t => {
  const present = natOf(fig1, '104b') as object
  const symmetric = natOf(replaceNat(fig1, '104b', natNamed('symmetric')), '104b')
  t.same(symmetric, { preset: 'symmetric', portAllocation: 'sequential', firstPort: { udp: 3400, tcp: 2401 } }, 'the ports of the figures stay')
  t.same(natOf(replaceNat(fig1, '104a', natNamed('full-cone')), '104a'), {
    preset: 'full-cone', portAllocation: 'sequential', firstPort: { tcp: 7000 },
    staticMappings: [{ protocol: 'tcp', wanPort: 5000, address: '192.168.1.11', port: 1600 }],
  }, 'and static mappings')
  t.same(natOf(replaceNat(fig1, '104b', natNamed('openbsd-pf')), '104b'), { preset: 'openbsd-pf' }, 'a NAT that says how it takes ports takes them so')
  const figures = natNamed('f.yaml', t.testdir({ 'f.yaml': 'preset: linux-masquerade\nportAllocation: sequential' }))
  t.match(natOf(replaceNat(fig1, '104b', figures), '104b'), { firstPort: { udp: 3400, tcp: 2401 } }, 'a sequential one takes the ports of the figures')
  const own = natNamed('own.yaml', t.testdir({ 'own.yaml': 'staticMappings: []\nfirstPort: { tcp: 9000 }' }))
  t.same(natOf(replaceNat(fig1, '104a', own), '104a'), { staticMappings: [], firstPort: { tcp: 9000 }, portAllocation: 'sequential' }, 'what the file sets, it sets')
  t.same(natOf(fig1, '104b'), present, 'the bench itself is as it was')
  t.match(errorOf(() => replaceNat(fig1, '104c', own)), /bench fig1 has no router '104c' \(it has 104a, 104b\)/)
  const narrow = natNamed('n.yaml', t.testdir({ 'n.yaml': 'portRange: { from: 50000 }' }))
  t.match(errorOf(() => replaceNat(fig1, '104b', narrow)), /n\.yaml for router 104b: nat\.firstPort\.tcp: 2401 lies outside of portRange 50000 to 65535/)
  t.same(describedBench('fig1'), fig1)
})
