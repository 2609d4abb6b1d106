// The main job, on real packets: Fig. 2 through two userspace NAPT routers, with everything that is promised of it.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CaptureStream, decode, summarize, type InterfacePacket, type LadderEntry, type LadderPacket } from '../../captures/index.js'
import { fig1 } from '../../lab/benches/fig1.js'
import type { BenchDescription } from '../../lab/index.js'
import { runFig2, type Fig2Options, type Fig2Result } from '../../lab/systems/fig2.js'
import { hasCap } from '../../napt/device/libpcap.js'
import { formatIpv4 } from '../../napt/wire/address.js'
import { needsNamespaces, needsTshark } from '../prerequisites.js'

interface Run { readonly result: Fig2Result, readonly packets: readonly LadderPacket[], readonly steps: readonly string[] }

async function run(options: Fig2Options): Promise<Run> {
  const entries: LadderEntry[] = []
  const result = await runFig2({ ...options, onEntry: entry => entries.push(entry) })
  return {
    result,
    packets: entries.filter(entry => entry.kind === 'packet' && !entry.isDetail) as LadderPacket[],
    steps: entries.flatMap(entry => entry.kind === 'step' ? [`${entry.lane} ${entry.name}`] : []),
  }
}

/** Titles of the packets that the document numbers, in the order of the ladder, repeats folded. */
const numbered = (packets: readonly LadderPacket[]): string[] =>
  packets.map(packet => packet.title).filter((title, i, all) => /^2\d\d /.test(title) && all.indexOf(title) === i)

const tableOf = ({ tables }: Fig2Result, router: string): string[] =>
  tables[router].map(row => `${row.protocol} ${row.lanAddress}:${row.lanPort >= 32768 ? '*' : row.lanPort} = ${row.wanAddress}:${row.wanPort} ${row.kind}`)

t.test('the standard run', needsNamespaces, async t => {
  const out = join(t.testdir(), 'captures')
  const { result, packets, steps } = await run({ out })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.same(numbered(packets), [
    '201 equipment registration', '211 TCP connection start', '217 connection request', '205 connection request notification',
    '221 TCP connection start', '226 connection request', '208 TCP connection start',
  ])
  t.same(steps.filter(step => !step.endsWith('S209')), ['101 S202', '102 S203', '101 S204', '103 S206', '103 S207'])
  t.same(steps.filter(step => step.endsWith('S209')).sort(), ['102 S209', '103 S209'])
  t.same(result.figures?.results.map(({ figure, result }) => `${figure} ${result}`), ['7A', '7B', '7C', '7D', '8A', '8B', '8C', '8D'].map(figure => `${figure} passed`))
  t.same(packets.flatMap(packet => packet.figures).filter(mark => !mark.ok), [], 'the marks of the ladder agree')
  t.same(tableOf(result, '104a'), ['tcp 192.168.1.11:1600 = 4.17.168.2:5000 static', 'tcp 192.168.1.11:1500 = 4.17.168.2:7000 dynamic'], 'Fig. 6')
  t.same(tableOf(result, '104b'), [
    'tcp 192.168.1.3:2600 = 202.204.16.13:2401 dynamic', 'tcp 192.168.1.3:* = 202.204.16.13:2402 dynamic', 'udp 192.168.1.3:2000 = 202.204.16.13:3400 dynamic',
  ], 'Fig. 12, and the connections')
  t.same(result.equipment, [{ equipmentId: '2133', address: '202.204.16.13', port: 3400 }], 'Fig. 9')
  t.equal(result.golden?.result, 'equal', JSON.stringify([result.golden?.differences, result.golden?.missing, result.golden?.unexpected]))
  t.equal(result.file?.bytes, 48_000)
  t.same(readdirSync(out), ['fig2.pcapng'], 'one file, and nothing half-written')
  await t.test('one capture with all interfaces, names, verdicts and losses', t => recorded(t, result.capture ?? ''))
  const firstConnection = packets.find(packet => packet.title.startsWith('208'))
  t.same(firstConnection?.hops.map(hop => `${hop.from} ${hop.to}`), ['103 104b', '104b 104a', '104a 102'], 'one packet, through both routers')

  await t.test('tshark finds nothing wrong in it', needsTshark, async t => {
    // tshark takes TCP port 5000 for GSM's; that protocol is not meant here. What it says of TCP's own retransmissions is about copies
    // of one packet at several interfaces, and about the kernels at the ends (D-SACK, too); and both LANs do have the same addresses.
    const complaints = execFileSync('tshark', [
      '-r', result.capture ?? '', '--disable-protocol', 'gsm_ipa', '-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE',
      '-Y', '_ws.malformed or (_ws.expert.severity >= "Warning" and not tcp.analysis.flags and not tcp.options.sack.dsack and not arp.duplicate-address-detected) or ip.checksum.status == "Bad" or tcp.checksum.status == "Bad" or udp.checksum.status == "Bad"',
    ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    t.equal(complaints, '')
  })
})

/** The run's one file: who saw what, in which words, and which copies are of one packet. */
async function recorded(t: Test, path: string): Promise<void> {
  const stream = await CaptureStream.open(path), packets: InterfacePacket[] = []
  for await (const batch of stream.batches()) packets.push(...batch)
  t.equal(stream.damage, null)
  const routers = ['104a-lan', '104a-wan', '104b-lan', '104b-wan'], hosts = hasCap() ? ['101', '102', '103', '51'] : []
  t.same(stream.interfaces.map(({ name }) => name).sort(), [...hosts, ...routers].sort())
  t.ok(packets.every(({ time }, at) => at === 0 || packets[at - 1].time <= time), 'in order of time')
  t.same([...stream.names].map(([address, name]) => `${formatIpv4(address)} ${name}`).sort(),
    ['130.74.23.51 51', '130.74.23.6 101', '192.168.1.11 102', '192.168.1.3 103', '202.204.16.13 104b', '4.17.168.2 104a'], 'who is behind both routers is not named')
  t.same([...stream.statistics.values()].map(({ dropped }) => Number(dropped)), stream.interfaces.map(() => 0))
  const received = packets.filter(({ interface: { name }, direction }) => routers.includes(name) && direction === 'inbound')
  t.ok(received.length > 50 && received.every(({ comment, interface: { name } }) => comment.startsWith(`${name.split('-')[0]}  `)), 'a verdict beside each')
  const call = packets.filter(({ bytes }) => /tcp 192\.168\.1\.3:\d+ → 4\.17\.168\.2:5000, SYN$/.test(summarize(decode(bytes))))
  const copies = packets.filter(({ packetId }) => packetId === call.at(0)?.packetId)
  t.same(copies.map(({ interface: { name } }) => name).sort(), [...routers, ...hosts.filter(name => name === '102' || name === '103')].sort(), '208 is one packet wherever it was seen')
  // Before that it may have waited for ARP.
  t.same(copies.flatMap(({ comment }) => comment.split('\n')[0].split('  ').slice(0, 3).join(' ') || []).filter(words => !words.endsWith('held')), ['104b lan → wan forwarded', '104a wan → lan forwarded'], 'by both routers')
  t.notOk(packets.some(({ comment }) => comment.includes('open sesame')), 'no comment shows the password')
}

t.test('the run that reproduces Fig. 8B: the mapping lapses and comes back as 2400', needsNamespaces, async t => {
  const { result, packets, steps } = await run({ out: t.testdir(), variant: 'fig8b' })
  t.same(result.failures, [])
  t.ok(result.ok)
  t.same(result.figures?.results.map(({ figure, result }) => `${figure} ${result}`), ['7A', '7B', '7C', '7D', '8A', '8B', '8C', '8D'].map(figure => `${figure} passed`))
  t.same(result.equipment, [{ equipmentId: '2133', address: '202.204.16.13', port: 2400 }])
  t.match(tableOf(result, '104b').join('\n'), 'udp 192.168.1.3:2000 = 202.204.16.13:2400 dynamic')
  t.notMatch(tableOf(result, '104b').join('\n'), ':3400')
  t.same(steps.slice(0, 2), ['101 S202', '101 S202A'])
  t.same(packets.flatMap(packet => packet.figures).filter(mark => !mark.ok), [], 'the marks of the ladder agree')
  const notification = packets.find(packet => packet.title.startsWith('205'))
  t.equal(notification?.hops[0].label, '1200→2400')
  t.equal(result.golden?.result, 'equal', JSON.stringify([result.golden?.differences, result.golden?.missing, result.golden?.unexpected]))
})

t.test('levels 1 and 2', needsNamespaces, async t => {
  const one = await run({ out: t.testdir(), level: 1 })
  t.same(one.result.failures, [])
  t.equal(one.result.file?.bytes, 48_000)
  t.same(numbered(one.packets), ['201 equipment registration', '211 TCP connection start', '217 connection request', '226 connection request', '208 TCP connection start'], 'straight to the registered address')
  t.match(one.packets.find(packet => packet.title.startsWith('226'))?.hops[0].label, '1200→3400')
  const two = await run({ out: t.testdir(), level: 2 })
  t.same(two.result.failures, [])
  t.match(numbered(two.packets).join(), '205 connection request notification')
  t.notOk(two.steps.includes('103 S207'), 'no password to check')
})

t.test('a word changed in the bench: 208 is dropped, and the run says where and why', needsNamespaces, async t => {
  const routers = { ...fig1.routers, '104a': { ...fig1.routers?.['104a'], nat: { portAllocation: 'sequential', firstPort: { tcp: 7000 } } } }
  const { result, packets } = await run({ out: t.testdir(), bench: { ...fig1, routers } as BenchDescription })
  t.notOk(result.ok)
  t.match(result.failures.join(), /102: .*could not connect to the address and port named in the request/)
  const dropped = packets.find(packet => packet.drop !== undefined)
  t.equal(dropped?.title, '208 TCP connection start')
  t.equal(dropped?.drop?.lane, '104a')
  t.match(dropped?.drop?.reason, /^no-mapping: nothing is mapped to this WAN port/)
  t.ok(result.counters['104a'].dropped['no-mapping'] > 0)
  t.equal(result.golden, null, 'another bench has no golden')
  t.ok(result.figures?.ok, 'up to 226 all went as drawn')
})

t.test('bad input', async t => {
  await t.test('a folder that cannot be written', async t => {
    const folder = t.testdir({ file: 'in the way' })
    await t.rejects(runFig2({ out: join(folder, 'file', 'below') }), { name: 'BenchError', message: /cannot be written.*--out/ })
    if (process.getuid?.() === 0) return
    mkdirSync(join(folder, 'locked'))
    chmodSync(join(folder, 'locked'), 0o500)
    await t.rejects(runFig2({ out: join(folder, 'locked') }), { name: 'BenchError', message: /cannot be written/ })
  })
  await t.test('a bench without what Fig. 2 needs', async t => {
    await t.rejects(runFig2({ out: t.testdir(), bench: { name: 'small', networks: { wan: {} }, hosts: {} } }), { message: /it has no 101, 102, 103, 104a, 104b/ })
  })
  await t.test('files of an earlier run do not count for this one, and others stay', needsNamespaces, async t => {
    const out = t.testdir({ 'notes.txt': 'mine', 'parts': { '104a.pcapng': 'old', '104b.pcapng.part': 'old and cut off' } })
    writeFileSync(join(out, 'fig2.pcapng'), 'old')
    const { result } = await run({ out, signal: AbortSignal.abort() })
    t.notOk(result.ok)
    t.same(result.failures, ['the run was interrupted'])
    t.ok(readdirSync(out).includes('notes.txt'))
    t.notOk(readdirSync(out).some(file => file.startsWith('parts')))
    t.ok(result.figures?.results.every(figure => figure.result !== 'passed'), 'nothing of the old files was taken for the new')
  })
})
