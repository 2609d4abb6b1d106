// The comparison of the systems with a small transfer: what goes through the server, and a chart that shows the table's figures.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { comparisonChart, QUANTITIES } from '../../lab/systems/compare-chart.js'
import { runCompare, type Progress } from '../../lab/systems/compare.js'
import { cpuOf, processUse, trafficOf } from '../../lab/systems/process-use.js'
import type { CompareRow } from '../../lab/systems/compare-row.js'
import { needsNamespaces } from '../prerequisites.js'

const BYTES = 3_000_001

t.test('relays carry everything twice, a direct connection nothing', needsNamespaces, async t => {
  const out = join(t.testdir(), 'made', 'for it'), told: Progress[] = []
  const result = await runCompare({ bytes: BYTES, out, onProgress: progress => told.push(progress) })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.same(result.rows.map(({ system, bytes }) => [system, bytes]), [['relay', BYTES], ['relay-login', BYTES], ['direct', BYTES]])
  const [relay, login, direct] = result.rows
  for (const { system, serverReceived, serverSent, seconds, throughput } of [relay, login]) {
    t.ok(serverReceived > BYTES && serverReceived < 1.5 * BYTES, `${system}: ${serverReceived} bytes came to the server`)
    t.ok(serverSent > BYTES && serverSent < 1.5 * BYTES, `${system}: ${serverSent} bytes left it`)
    t.ok(Math.abs(throughput * seconds - BYTES) < 1, 'the throughput is that of the data')
  }
  t.ok(direct.serverReceived + direct.serverSent < 5000, `direct: ${direct.serverReceived + direct.serverSent} bytes, the registrations alone`)
  t.ok(direct.serverCpu < 0.5 && login.serverCpu >= 0)
  for (const title of result.rows.map(row => row.title)) {
    const bytes = told.filter(progress => progress.title === title).map(progress => progress.bytes)
    t.equal(bytes.at(-1), BYTES, `${title}: told to the end`)
    t.same(bytes, [...bytes].sort((a, b) => a - b))
  }
  const chart = readFileSync(result.chart ?? '', 'utf8')
  t.equal(result.chart, join(out, 'compare.svg'))
  for (const row of result.rows) for (const { value, text } of Object.values(QUANTITIES)) t.ok(chart.includes(`>${text(value(row))}</text>`), `${row.title}: ${text(value(row))}`)
})

t.test('a run that is interrupted says so, and leaves no chart of an earlier one', needsNamespaces, async t => {
  const out = t.testdir({ 'compare.svg': 'of yesterday' }), stop = new AbortController()
  const result = await runCompare({ bytes: 2 ** 40, out, signal: stop.signal, onProgress: ({ bytes }) => { if (bytes > 0) stop.abort() } })
  t.match(result, { ok: false, rows: [], failures: ['relay (Fig. 13): the run was interrupted'], chart: null })
  t.notOk(existsSync(join(out, 'compare.svg')))
})

t.test('what cannot be moved, and where nothing can be written', async t => {
  for (const bytes of [0, -1, 1.5, 2 ** 40 + 1, NaN]) await t.rejects(runCompare({ bytes, out: t.testdir() }), { message: /cannot be moved: a whole number from 1 to 2\^40/ }, String(bytes))
  await t.rejects(runCompare({ bytes: 1, out: '/proc/none' }), { message: /cannot be written[\s\S]*--out/ })
})

const ROWS: readonly CompareRow[] = [
  { system: 'relay', title: 'relay <a> & b', bytes: 1000, seconds: 2, throughput: 500, serverReceived: 1100, serverSent: 1100, serverCpu: 0.5 },
  { system: 'direct', title: 'direct', bytes: 1000, seconds: 1, throughput: 1000, serverReceived: 0, serverSent: 0, serverCpu: 0 },
]

t.test('the chart: bars in proportion, nothing but SVG', async t => {
  const chart = comparisonChart(1000, ROWS)
  const widths = [...chart.matchAll(/<rect class="(relay|direct)"[^>]* width="([\d.]+)"/g)].map(([, system, width]) => [system, Number(width)] as const)
  t.same(widths.map(([system]) => system), ['relay', 'direct', 'relay', 'direct', 'relay', 'direct'])
  const [through, none, slow, fast, cpu, idle] = widths.map(([, width]) => width)
  t.ok(through > 0 && through === fast && through === cpu, 'the longest of each panel has the same length')
  t.same([none, idle], [0, 0])
  t.ok(Math.abs(slow * 2 - fast) < 0.2)
  t.match(chart, />relay &lt;a> &amp; b<\/text>/)
  t.match(chart, /prefers-color-scheme: dark/)
  t.notMatch(comparisonChart(1000, ROWS.slice(1)), /NaN|Infinity/, 'where all are nothing')
})

t.test('what a process has used, as the kernel writes it', async t => {
  t.equal(cpuOf('42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 150 25 7 7 20 0 11 0'), 1.75)
  const dev = ['Inter-|   Receive  |  Transmit', ' face |bytes packets |bytes packets',
    '    lo: 111 1 0 0 0 0 0 0 222 1 0 0 0 0 0 0', '  eth0:1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0', '  eth1: 1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0', ''].join('\n')
  t.same(trafficOf(dev), { received: 1001, sent: 2002 })
  const before = processUse(process.pid).cpu
  for (const end = performance.now() + 200; performance.now() < end;) writeFileSync('/dev/null', 'busy')
  t.ok(processUse(process.pid).cpu > before)
  t.throws(() => processUse(2 ** 30), { message: /process 1073741824 cannot be measured/ })
})
