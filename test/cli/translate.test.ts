// translate and explain as commands: exit codes, words, JSON, and what tshark and capinfos think of the file.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { encodePcap, goldenCapture, readCaptures } from '../../captures/index.js'
import { needsTshark } from '../prerequisites.js'
import { naptlab } from './naptlab.js'

const INPUT = join(t.testdir(), '103.pcap')
writeFileSync(INPUT, encodePcap((await readCaptures(goldenCapture('fig2-none'))).get('103')?.packets ?? []))
const VALIDATE = ['ip', 'udp', 'tcp'].flatMap(protocol => ['-o', `${protocol}.check_checksum:TRUE`])

t.test('a trace through a NAT, and a packet of it explained', async t => {
  const out = join(t.testdir(), 'out.pcapng')
  const { code, stdout, stderr } = await naptlab(['translate', INPUT, '-o', out, '--nat', 'symmetric', '--lan', '192.168.1.0/24', '--wan-address', '202.204.16.13'])
  t.same([code, stderr], [0, ''])
  t.match(stdout, /NAT symmetric, LAN 192\.168\.1\.254\/24, WAN 202\.204\.16\.13\n {2}packets read +\d+\n/)
  t.match(stdout, /mappings made +\d+\n {2}packets written +\d+\n$/)

  const explained = await naptlab(['explain', out, '1'])
  t.equal(explained.code, 0)
  t.match(explained.stdout, /^frame 1 on NAT-lan: udp .* 201 equipment registration\n {2}payload {2}201 equipment registration\n {2}copies {3}2 \(NAT-wan\)\n\nNAT {2}lan → wan {2}forwarded/)
  t.match(explained.stdout, /\n {2}field +before \(frame 1\) +after \(frame 2\)\n/)
  t.match(JSON.parse((await naptlab(['explain', out, '2', '--json'])).stdout), { frame: 2, interface: 'NAT-wan', payload: '201 equipment registration', passages: [{ router: 'NAT', before: 1, after: 2 }], note: null })
})

t.test('as JSON', async t => {
  const out = join(t.testdir(), 'out.pcapng'), { code, stdout } = await naptlab(['translate', INPUT, '-o', out, '--json', '--comments', 'none'])
  t.equal(code, 0)
  const report = JSON.parse(stdout) as { packets: number, arrived: { lan: number, wan: number }, forwarded: object, written: number }
  t.match(report, { nat: 'rfc-recommended', dropped: {}, damage: [] })
  t.same(report.forwarded, report.arrived)
  t.equal(report.written, 2 * (report.arrived.lan + report.arrived.wan))
})

t.test('another program\'s opinion of the file: whole, every checksum right, the verdicts beside the packets', needsTshark, async t => {
  const out = join(t.testdir(), 'out.pcapng')
  await naptlab(['translate', INPUT, '-o', out, '--name', 'R'])
  const read = (...args: string[]): string => execFileSync('tshark', ['-r', out, ...VALIDATE, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trimEnd()
  t.equal(read('-Y', 'ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || tcp.checksum.status == "Bad"'), '')
  const rows = read('-T', 'fields', '-e', 'frame.interface_name', '-e', 'frame.packet_id', '-e', 'frame.comment').split('\n').map(row => row.split('\t'))
  t.same(rows.slice(0, 2).map(([name, id]) => [name, id]), [['R-lan', '1'], ['R-wan', '1']])
  t.match(rows[0][2], /^R {2}lan → wan {2}forwarded {2}udp/)
  t.match(execFileSync('capinfos', [out], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }), /Number of interfaces in file: 2/)
})

t.test('bad input', { timeout: 120_000 }, async t => {
  const folder = t.testdir(), out = join(folder, 'out.pcapng'), cut = join(folder, 'cut.pcap'), whole = readFileSync(INPUT)
  writeFileSync(cut, whole.subarray(0, whole.length - 3))
  const damaged = await naptlab(['translate', cut, '-o', out])
  t.equal(damaged.code, 1)
  t.match(damaged.stderr, /cut\.pcap: at byte \d+: record \d+ holds/)
  t.match(damaged.stdout, /packets written +\d+/)
  t.equal((await naptlab(['explain', out, '1'])).code, 0, 'what was good is in the file')

  const cases: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['translate', '-o', 'x.pcapng'], 2, /which capture\? Give a file, or --lan-file/],
    [['translate', INPUT, '--lan-file', INPUT, '-o', 'x.pcapng'], 2, /not both/],
    [['translate', '--wan-file', INPUT, '-o', 'x.pcapng'], 2, /give --lan-file too/],
    [['translate', INPUT], 2, /Missing required argument: output/],
    [['translate', INPUT, '-o', 'x.pcapng', '--nat', 'nonsense'], 2, /no preset 'nonsense'/],
    [['translate', INPUT, '-o', 'x.pcapng', '--lan', '1.2.3'], 2, /'1\.2\.3' is not/],
    [['translate', INPUT, '-o', 'x.pcapng', '--seed', '-1'], 2, /--seed is a whole number/],
    [['translate', 'not-there.pcap', '-o', 'x.pcapng'], 2, /not-there\.pcap: at byte 0: the file cannot be read/],
    [['explain', INPUT, 'x'], 2, /'x' is no frame number/], [['explain', INPUT, '0'], 2, /'0' is no frame number/],
    [['explain', INPUT, '9999'], 2, /there is no frame 9999/],
    [['explain', INPUT, '1'], 1, /^$/],
  ]
  await Promise.all(cases.map(async ([args, code, message]) => {
    const ended = await naptlab(args, folder)
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.stderr, message)
  }))
  t.notOk(existsSync(join(folder, 'x.pcapng')) || existsSync(join(folder, 'x.pcapng.part')))
})
