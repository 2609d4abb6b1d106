// What the bench reads: iperf3's report, the kernel's counters, its own command line.
import t from 'tap'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { receivedRate } from '../../bench/network/iperf3.js'
import { arrivedOf } from '../../bench/network/kernel-counts.js'
import { readSettings } from '../../bench/settings.js'

const PROGRAM = fileURLToPath(new URL('../../bench/bench.js', import.meta.url))

t.test('iperf3', async t => {
  t.equal(receivedRate(JSON.stringify({ start: {}, end: { sum_sent: { bits_per_second: 2e10 }, sum_received: { bits_per_second: 1.5e10 } } })), 1.5e10, 'what arrived')
  t.throws(() => receivedRate('{"start":{},"end":{},"error":"unable to connect to server: Connection refused"}'), { message: 'iperf3: unable to connect to server: Connection refused' })
  t.throws(() => receivedRate('{"end":{}}'), { message: /said nothing of what was received/ })
  t.throws(() => receivedRate(''), { message: /no JSON: nothing at all/ }, 'it was killed')
})

t.test('/proc/net/snmp', async t => {
  const snmp = ['Ip: Forwarding InReceives', 'Ip: 2 99', 'Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors',
    'Udp: 12 3 1007 12 0 0 7 0 0', 'UdpLite: InDatagrams NoPorts InErrors', 'UdpLite: 0 0 0', ''].join('\n')
  t.equal(arrivedOf(snmp), 1000, 'what the filter refused, without what had a wrong checksum')
})

t.test('exit codes', async t => {
  const run = (...words: string[]): [number | null, string, string] => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], { encoding: 'utf8' })
    return [status, stdout, stderr]
  }
  t.match(run('--help'), [0, /^npm run bench/, ''])
  t.match(run('--only', 'nobody'), [2, '', /there is no 'nobody'; there is kernel, slirp4netns, pasta, packet/])
})

t.test('the command line', async t => {
  const names = ['kernel', 'packet']
  t.match(readSettings([], names), { quick: false, rounds: 5, only: null, out: 'out/bench', json: false })
  t.match(readSettings(['--quick', '--json', '--out', '/tmp/x', '--only', 'kernel,packet', '--only', 'packet'], names),
    { quick: true, rounds: 1, only: ['kernel', 'packet', 'packet'], out: '/tmp/x', json: true })
  t.match(readSettings(['--help'], names), /sudo apt-get install -y nftables slirp4netns passt iperf3/)
  t.throws(() => readSettings(['--rounds', '0'], names), { message: /'0' is not a number from 1 to 999/ })
  t.throws(() => readSettings(['--only', 'kernal'], names), { message: "--only: there is no 'kernal'; there is kernel, packet" })
  t.throws(() => readSettings(['--speed'], names), { message: /--speed[^]*npm run bench/ })
})
