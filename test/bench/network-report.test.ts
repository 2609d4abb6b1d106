// What becomes of the bench's figures: the middle and the ends, ratios within a round, tables, marks, and the picture.
import t from 'tap'
import { spawnSync } from 'node:child_process'
import { FIGURES } from '../../bench/network/figures.js'
import { networkChart } from '../../bench/network/chart.js'
import { troubleLines, networkTables, targetTable } from '../../bench/network/report.js'
import { ratio, spread, type EntrantResult } from '../../bench/network/results.js'
import { takeTurns } from '../../bench/rounds.js'
import { percentile, spreadOf } from '../../bench/statistics.js'
import { networkTargets } from '../../bench/targets.js'
import { withRange } from '../../bench/text.js'

const kernel: EntrantResult = {
  name: 'kernel', title: 'the kernel', isOurs: false, leftOut: null, troubles: [],
  rounds: [{ udp64: 200, p50: 50, out1: 10 }, { udp64: 100, p50: 60, out1: 12 }, { udp64: 300, p50: 40, out1: 11 }],
}
const packet: EntrantResult = {
  name: 'packet', title: 'naptlab <packet>', isOurs: true, leftOut: null, troubles: ['round 2, round trips: no datagram came back'],
  rounds: [{ udp64: 300, p50: 50, out1: 8, cpu: 2.5 }, { udp64: 120, p50: 90, out1: 9, cpu: 2.4 }, { udp64: 420, p50: 40, out1: 10.5, cpu: 2.61 }],
}
const absent: EntrantResult = { name: 'pasta', title: 'pasta', isOurs: false, leftOut: 'pasta is not installed: sudo apt-get install -y passt', troubles: [], rounds: [] }
const all = [kernel, absent, packet]

t.test('the middle, the ends and percentiles', async t => {
  t.same(spreadOf([5, 1, 3]), { median: 3, least: 1, most: 5 })
  t.same(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 })
  const hundred = Float64Array.from({ length: 100 }, (_, i) => i + 1)
  t.same([0, 0.5, 0.99, 0.999, 1].map(share => percentile(hundred, share)), [1, 50, 99, 100, 100], 'by nearest rank')
  t.equal(percentile([7], 0.5), 7)
  t.equal(withRange({ median: 1234.56, least: 1000, most: 2000 }, 1), '1,234.6 (1,000.0–2,000.0)')
  t.equal(withRange({ median: 3, least: 3, most: 3 }, 0), '3', 'of one round')
})

t.test('everybody has one turn a round, and who begins changes', async t => {
  const turns: string[] = []
  await takeTurns([['a', 'b', 'c'], [], ['x']], 4, async (name, round) => { turns.push(`${round}${name}`) })
  t.same(turns, ['0a', '0b', '0c', '0x', '1b', '1c', '1a', '1x', '2c', '2a', '2b', '2x', '3a', '3b', '3c', '3x'])
})

t.test('ratios are taken within a round', async t => {
  t.same(ratio(packet, kernel, 'udp64'), { median: 1.4, least: 1.2, most: 1.5 }, 'that of the medians would be 1.5')
  t.equal(ratio(packet, kernel, 'cpu'), null, 'the kernel has no such figure')
  t.equal(ratio(packet, absent, 'udp64'), null)
  t.equal(ratio(packet, undefined, 'udp64'), null)
  t.same(ratio({ ...packet, rounds: packet.rounds.slice(0, 2) }, kernel, 'udp64'), { median: 1.35, least: 1.2, most: 1.5 }, 'one that fell out has the rounds it had')
  t.equal(spread(absent, 'udp64'), null)
})

t.test('tables', async t => {
  const lines = networkTables(all)
  t.match(lines, ['Small UDP packets (64 bytes), thousands a second that arrive:'])
  const rows = lines.filter(line => line.startsWith('| naptlab'))
  t.match(rows[0], /\| –\s+\| 300 \(120–420\) 1\.40 ×\s+\| –/, 'what was not measured is a dash')
  t.match(rows[1], /\| 2\.50 \(2\.40–2\.61\)\s+\|/, 'CPU time has no ratio')
  t.notMatch(lines.join('\n'), /pasta/, 'who did not take part has no row')
  t.same(troubleLines(all), ['left out: pasta: pasta is not installed: sudo apt-get install -y passt', 'failed: naptlab <packet>: round 2, round trips: no datagram came back'])
  for (const group of lines.join('\n').split('\n\n').filter(part => part.startsWith('|'))) {
    t.equal(new Set(group.trim().split('\n').map(line => line.length)).size, 1, 'a table is straight')
  }
  t.same(networkTables([absent]), [])
})

t.test('what was to be reached', async t => {
  const targets = networkTargets(all)
  const of = (what: string): unknown => targets.filter(target => target.what === what).map(({ reached, ok }) => [reached, ok])[0]
  t.same(of('small UDP, 64 flows, against kernel'), ['1.40 ×', true], '1.3 × were wanted')
  t.same(of('bulk TCP, one stream out, against kernel'), ['0.80 ×', false], '0.9 × were')
  t.same(of('round trip, p50, against kernel'), ['1.00 ×', true], 'at most 1.0 ×')
  t.same(of('small UDP, 64 flows, against slirp4netns'), [null, null], 'it was not there')
  const table = targetTable(targets)
  t.match(table.filter(line => line.includes('✗')), [/bulk TCP/])
  t.equal(table.filter(line => line.includes('not measured')).length, 5)
})

t.test('the picture', async t => {
  const svg = networkChart('Ours & others', all)
  t.match(svg, /prefers-color-scheme: dark/)
  t.match(svg, 'Ours &amp; others')
  t.match(svg, '300 · 1.40 ×')
  t.equal(svg.split('<rect class="ours"').length - 1, 4, 'a bar for each figure that it has')
  t.notMatch(svg, FIGURES.udp4096.title, 'nobody has this one: no panel')
  t.notMatch(svg, /NaN|Infinity|undefined/)
  const judge = spawnSync('rsvg-convert', ['--format=png'], { input: svg })
  if (judge.error === undefined) t.same([judge.status, judge.stderr.toString()], [0, ''], 'librsvg draws it')
  else t.match(svg, /^<svg [^>]*>[^]*<\/svg>\n$/)
  let open = 0
  for (const [tag] of svg.matchAll(/<[^>]+>/g)) open += tag.startsWith('</') ? -1 : tag.endsWith('/>') ? 0 : 1
  t.equal(open, 0, 'each element that begins ends')
})
