// naptlab run as a person or a machine would use it, for what only the command line does.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { comparisonLines, transferSize } from '../../cli/systems/compare.js'
import { LOGIN_RELAY_STEPS } from '../../endpoints/login-relay/steps.js'
import type { CompareResult } from '../../lab/systems/compare.js'
import { needsNamespaces } from '../prerequisites.js'
import { naptlab } from './naptlab.js'

t.test('run relay-login: every process in the ladder, who was logged in, what was relayed', needsNamespaces, async t => {
  const { code, stdout, stderr } = await naptlab(['run', 'relay-login', '--out', join(t.testdir(), 'captures')])
  t.equal(code, 0, stdout + stderr)
  for (const { number, title, message } of LOGIN_RELAY_STEPS) if (message !== null) t.ok(stdout.includes(`  ${number} ${title}`), `${number} ${title}`)
  for (const number of ['(1)', "(1')", '(10)', "(10')"]) t.ok(stdout.includes(`  ${number} TCP connection start`), number)
  for (const number of ['(23)', '(24)']) t.ok(stdout.includes(`  ${number} TCP disconnection`), number)
  t.match(stdout, /NAPT table of 13 \(gateway of 11\)/)
  t.match(stdout, /user 11 +2\n +user 21 +2\n/)
  t.match(stdout, /through the server {2}13 bytes from 11 to 21, 13 bytes from 21 to 11/)
  t.match(stdout, /✓ golden relay-login[\s\S]*✓ all holds\n$/)
  t.notMatch(stdout, /open sesame/)
})

t.test('run compare: JSON, the table of it, and a chart', needsNamespaces, async t => {
  const out = join(t.testdir(), 'out')
  const { code, stdout, stderr } = await naptlab(['run', 'compare', '--transfer', '200KB', '--out', out, '--json'])
  t.equal(code, 0, stdout + stderr)
  t.notMatch(stderr, /\r/, 'how far it is is for terminals only')
  const result = JSON.parse(stdout) as CompareResult
  t.match(result, { ok: true, bytes: 200_000, failures: [], chart: join(out, 'compare.svg') })
  t.same(result.rows.map(({ system }) => system), ['relay', 'relay-login', 'direct'])
  t.ok(existsSync(join(out, 'compare.svg')))
  const table = comparisonLines(result).join('\n')
  t.match(table, /^200\.0 kB from one LAN to another/)
  t.match(table, /system +bytes through the server +in +out +time +throughput +CPU time of the server process\n +relay \(Fig\. 13\) .*\n +log-in relay .*\n +direct \(Fig\. 2\) +\d+ B /)
  t.match(table, /compare\.svg\n✓ all of it came, unchanged, by every system$/)
  t.match(comparisonLines({ ...result, ok: false, rows: [], failures: ['direct: lost'], chart: null }).join('\n'), /\n✗ direct: lost\n✗ not all of it came$/)
})

t.test('how much is moved', async t => {
  t.equal(transferSize('64MiB'), 64 * 2 ** 20)
  for (const text of ['0MB', '2TB']) t.throws(() => transferSize(text), { message: `--transfer: ${text} is not from 1 byte to 1 TiB` })
  t.throws(() => transferSize('a lot'), { message: /--transfer: 'a lot' is not a size \(such as 100MB, 64MiB, 1\.5GB or 4096\)/ })
})
