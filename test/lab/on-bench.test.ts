// SSL 3.0 is given out on a bench, and nowhere else.
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { fig1, openBench } from '../../lab/index.js'
import { requireBench } from '../../lab/bench/on-bench.js'
import { needsNamespaces } from '../prerequisites.js'
import { run, script, STAND_IN } from './helpers.js'

const REFUSED = /SSL 3\.0 is broken and runs on the hosts of a bench alone/

t.test('beside a bench', async t => {
  t.throws(() => requireBench(), { message: REFUSED, exitCode: 2 })
})

t.test('on the hosts of a bench, and nowhere else in it', needsNamespaces, async t => {
  await using bench = await openBench(fig1, { routerScript: STAND_IN })
  t.match(await run(bench, '102', process.execPath, script('ask-for-ssl3')), { code: 0, stdout: 'given' })
  t.match(await run(bench, '104a', process.execPath, script('ask-for-ssl3')), { code: 0, stdout: REFUSED }, 'a router is no host')
  const inMounts = execFileSync('nsenter', ['-t', String(bench.pid), '-U', '--preserve-credentials', '-m', '-p', '--', process.execPath, script('ask-for-ssl3')], { encoding: 'utf8' })
  t.match(inMounts, REFUSED, 'in the mounts of the bench, but in the network of the machine')
})

t.test('a record that somebody made up does not do', needsNamespaces, async t => {
  const folder = t.testdir({ 'bench.json': JSON.stringify({ namespaces: [{ name: '102', kind: 'host' }] }) })
  const madeUp = 'mount -t tmpfs none /run && mkdir /run/naptlab /run/netns && cp "$0" /run/naptlab/ && touch /run/netns/102 && exec "$1" "$2"'
  const { stdout } = spawnSync('unshare', ['-Urm', 'sh', '-c', madeUp, join(folder, 'bench.json'), process.execPath, script('ask-for-ssl3')], { encoding: 'utf8' })
  t.match(stdout, REFUSED)
})
