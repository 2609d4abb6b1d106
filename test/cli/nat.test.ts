// naptlab nat, and --nat of the commands that bring up a bench.
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { DEFAULT_BEHAVIOUR } from '../../napt/behaviour/behaviour.js'
import { CHOICES } from '../../napt/behaviour/choices.js'
import { describeBehaviour } from '../../napt/behaviour/describe-behaviour.js'
import { PRESETS } from '../../napt/behaviour/presets.js'
import { parseBehaviour } from '../../napt/behaviour/read-behaviour.js'
import { needsNamespaces } from '../prerequisites.js'
import { naptlab } from './naptlab.js'

t.test('list', async t => {
  const { code, stdout } = await naptlab(['nat', 'list'])
  t.equal(code, 0)
  t.same(stdout.trimEnd().split('\n').map(line => line.trim().split(/\s/)[0]), PRESETS.map(({ name }) => name))
  t.same(JSON.parse((await naptlab(['nat', 'list', '--json'])).stdout), PRESETS)
})

t.test('show: a file that reads back, each choice explained', async t => {
  const shown = await naptlab(['nat', 'show', 'linux-masquerade'])
  t.equal(shown.code, 0)
  t.match(shown.stdout, /^# linux-masquerade: .*\n# Source: .*nf_conntrack/)
  t.match(shown.stdout, /# what preserve does when the port is taken \(RFC 4787 §4\.2\.1\)\n {2}portCollision: random\n/)
  t.notMatch(shown.stdout, /pooling:/, 'what the preset does not say is left out')
  t.same(parseBehaviour((parse(shown.stdout) as { nat: unknown }).nat), parseBehaviour('linux-masquerade'))

  const all = await naptlab(['nat', 'show', 'linux-masquerade', '--all'])
  const { nat } = parse(all.stdout) as { nat: Record<string, unknown> }
  t.same(Object.keys(nat), Object.keys(CHOICES), 'every choice')
  for (const [field, { rfc }] of Object.entries(CHOICES)) {
    t.match(all.stdout, new RegExp(`${rfc === '—' ? '  # .*' : '\\)'}\\n {2}${field}: `), `${field} has a comment, and it ends with its clause where an RFC has one`)
  }
  t.same(parseBehaviour(nat), parseBehaviour('linux-masquerade'))
  t.same(JSON.parse((await naptlab(['nat', 'show', 'rfc-recommended', '--json'])).stdout), { name: 'rfc-recommended', nat: describeBehaviour(DEFAULT_BEHAVIOUR) })

  const folder = t.testdir({ 'box.yaml': 'observed: { device: Box 1 }\nnat: { preset: home-gateway, timeouts: { udp: 30 } }' })
  const file = await naptlab(['nat', 'show', './box.yaml'], folder)
  t.match(file.stdout, /^# On top of the preset home-gateway/)
  t.match(parse(file.stdout), { observed: { device: 'Box 1' }, nat: { timeouts: { udp: 30, tcpEstablished: 7440 } } })
})

t.test('check', async t => {
  const folder = t.testdir({ 'good.yaml': 'preset: symmetric', 'bad.yaml': 'nat: { timeouts: { udp: soon } }' })
  const good = await naptlab(['nat', 'check', join(folder, 'good.yaml')])
  t.equal(good.code, 0)
  const both = await naptlab(['nat', 'check', './good.yaml', './bad.yaml'], folder)
  t.equal(both.code, 1)
  t.match(both.stdout, /^✓ \.\/good\.yaml\n✗ \.\/bad\.yaml: nat\.timeouts\.udp is "soon"; a number from/)
  t.match(JSON.parse((await naptlab(['nat', 'check', './bad.yaml', '--json'], folder)).stdout), [{ file: './bad.yaml', error: /timeouts\.udp/ }])
})

t.test('wrong usage', async t => {
  const folder = t.testdir({ 'bad.yaml': 'mapping: round' })
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['nat'], /Which one/],
    [['nat', 'show', 'round-cone'], /there is no preset 'round-cone' \(known: rfc-recommended/],
    [['nat', 'check', './none.yaml'], /none\.yaml cannot be read/],
    [['run', 'fig2', '--nat', '104b'], /--nat 104b: ROUTER=PRESET or ROUTER=FILE is wanted/],
    [['run', 'fig2', '--nat', '104x=symmetric'], /has no router '104x'/],
    [['run', 'fig2', '--nat', '104b=./bad.yaml'], /bad\.yaml: nat\.mapping is "round"/],
    [['run', 'fig2', '--variant', 'fig8b', '--nat', '104b=symmetric'], /leave --bench, --nat, .* out/],
    [['up', '--router', 'mine.js', '--nat', '104b=symmetric'], /--nat is for naptlab's own routers/],
  ]
  for (const [args, wanted] of cases) {
    const { code, stderr } = await naptlab(args, folder)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, wanted)
  }
})

t.test('completion knows the presets', async t => {
  const { stdout, stderr } = await naptlab(['--get-yargs-completions', 'naptlab', 'nat', 'show'])
  t.match(stdout, /^symmetric$/m)
  t.equal(stderr, '')
  t.notMatch((await naptlab(['--get-yargs-completions', 'naptlab', 'run'])).stdout, /symmetric/)
})

t.test('run --nat: Fig. 2 holds behind a symmetric NAT, with the ports of the figures', needsNamespaces, async t => {
  const { code, stdout, stderr } = await naptlab(['run', 'fig2', '--nat', '104b=symmetric', '--out', t.testdir(), '--json'])
  t.equal(code, 0, stdout + stderr)
  const result = JSON.parse(stdout) as { golden: unknown, tables: Record<string, { wanPort: number }[]> }
  t.equal(result.golden, null, 'another NAT has no golden')
  t.ok(result.tables['104b'].some(({ wanPort }) => wanPort === 3400))
})
