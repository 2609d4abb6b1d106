// What holds for every command: help with examples, completion, exit codes, errors that say what to do.
import { readFileSync, truncateSync, copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { FIGURES, goldenCapture, readCaptureFile } from '../../captures/index.js'
import { needsRawSocket } from '../prerequisites.js'
import { naptlab } from './naptlab.js'

const COMMANDS = [
  'run', 'bench', 'up', 'ps', 'exec', 'down', 'table', 'counters', 'trace', 'map', 'unmap', 'flush', 'renumber', 'nat', 'show', 'explain', 'translate',
  'check', 'golden', 'dissector', 'emit', 'clock', 'ca', 'router', 'server', 'accept', 'equipment', 'issue', 'relay',
]

t.test('help', async t => {
  const { code, stdout } = await naptlab(['--help'])
  t.equal(code, 0)
  for (const command of [...COMMANDS, 'completion']) t.match(stdout, new RegExp(`naptlab ${command}\\b`), command)
  for (const command of COMMANDS) {
    const help = await naptlab([command, '--help'])
    t.equal(help.code, 0, command)
    t.match(help.stdout, /Examples:/, `${command} has examples`)
  }
  t.match((await naptlab(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  t.match((await naptlab(['completion'])).stdout, /complete .*naptlab|compdef/)
})

t.test('dissector prints what it writes, and makes the folder', async t => {
  const file = join(t.testdir(), 'plugins', 'naptlab.lua')
  const printed = await naptlab(['dissector'])
  t.match(printed.stdout, /\[217\] = \{[\s\S]*register_heuristic/)
  t.same(await naptlab(['dissector', '-o', file]), { code: 0, stdout: `written: ${file}\n`, stderr: '' })
  t.equal(readFileSync(file, 'utf8'), printed.stdout)
  const refused = await naptlab(['dissector', '-o', '/proc/none/naptlab.lua'])
  t.equal(refused.code, 2)
  t.match(refused.stderr, '/proc/none')
})

t.test('wrong usage ends with 2 and says what is right', async t => {
  const cases: readonly [readonly string[], RegExp][] = [
    [[], /Which command/],
    [['dance'], /Unknown (argument|command): dance/],
    [['run'], /Not enough non-option arguments/],
    [['run', 'fig99'], /Invalid values[\s\S]*fig2/],
    [['run', 'fig13', '--level', '2'], /run fig13 has no --level/],
    [['run', 'fig2', '--issuer', 'lan'], /run fig2 has no --issuer lan; there napt, nat, global can be chosen/],
    [['run', 'fig13', '--issuer', 'napt'], /run fig13 has no --issuer napt; there wan, lan can be chosen/],
    [['run', 'fig13', '--acceptor', 'nat'], /run fig13 has no --acceptor/],
    [['run', 'fig2', '--acceptor', 'elsewhere'], /run fig2 has no --acceptor elsewhere/],
    [['run', 'fig2', '--issuer', 'nat', '--mapping', 'on-demand'], /only NAPT needs/],
    [['run', 'fig2', '--variant', 'renumber', '--acceptor', 'global'], /--variant renumber is about the bench of the documents/],
    [['run', 'fig2', '--bench', 'fig1', '--issuer', 'nat'], /where 102 and 103 are is in the --bench file/],
    [['run', 'relay-login', '--variant', 'fig8b'], /run relay-login has no --variant/],
    [['run', 'relay-login', '--bench', 'fig10', '--out', '/tmp/naptlab-never-made'], /cannot run the log-in relay: it has no 4, 21, 13, 23\. Begin with `naptlab bench relay-login/],
    [['run', 'hybrid', '--bench', 'fig1', '--out', '/tmp/naptlab-never-made'], /cannot run the hybrid system: it has no 11, 12, 13, 14, 15, 104\. Begin with `naptlab bench hybrid/],
    [['run', 'fig13', '--transfer', '1MB'], /run fig13 has no --transfer; it belongs to run compare/],
    [['run', 'compare', '--nat', '104b=symmetric'], /run compare has no --nat/],
    [['run', 'compare', '--all'], /shows no packets/],
    [['run', 'compare', '--transfer', '100 apples'], /--transfer: '100 apples' is not a size \(such as 100MB, 64MiB/],
    [['run', 'compare', '--transfer', '1MB', '--out', '/proc/none'], /cannot be written[\s\S]*--out/],
    [['run', 'fig2', '--level', '9'], /Invalid values[\s\S]*level/],
    [['run', 'fig2', '--frobnicate'], /Unknown argument: frobnicate/],
    [['run', 'fig2', '--bench', 'no-such.yaml'], /no-such\.yaml/],
    [['run', 'fig2', '--out', '/proc/none'], /cannot be written[\s\S]*--out/],
    [['check'], /There is no file to check/],
    [['check', 'holiday.pcap'], /does not say which interface/],
    [['emit', '9Z'], /Invalid values/],
    [['emit', '7A', '--out', 'x.pcap', '--host', '103'], /mutually exclusive/],
    [['table', './no-such.sock'], /no router answers at .\/no-such\.sock/],
    [['table', '104a', '--bench', 'nobody-stands-here'], /nobody-stands-here|no bench is up/],
    [['map', './x.sock', '5000', '192.168.1.11:1600'], /PORT\/tcp or PORT\/udp/],
    [['clock', 'advance', './x.sock', 'soon'], /'soon' is not a duration/],
    [['clock', 'run', './x.sock', '--rate', '5000'], /--rate is 5000; a number from 0\.001 to 1000 is wanted/],
    [['flush', './x.sock', '--lan', 'here'], /--lan: 'here' is not ADDRESS/],
    [['renumber', './x.sock', 'elsewhere'], /'elsewhere' is not an IPv4 address/],
    [['router', '--lan', 'eth1', '--wan', 'eth0=4.17.168.2'], /INTERFACE=ADDRESS is wanted/],
    [['router', '--lan', 'nope0=192.168.1.1/24', '--wan', 'nope1=4.17.168.2'], /nope0|permission|allow/],
    [['issue', '--to', '2133', '--server', '127.0.0.1', '--reached-at', 'here'], /not ADDRESS:PORT/],
  ]
  for (const [args, wanted] of cases) {
    const { code, stdout, stderr } = await naptlab(args)
    t.equal(code, 2, `naptlab ${args.join(' ')}`)
    t.match(stderr, wanted, stderr)
    t.equal(stdout, '', 'nothing on standard output')
    t.notMatch(stderr, /\n\s+at .*\.js:\d+/, 'no stack trace')
  }
})

t.test('bench prints a file that can be changed and read back', async t => {
  const { code, stdout } = await naptlab(['bench', 'fig1'])
  t.equal(code, 0)
  t.match(parse(stdout), { name: 'fig1', routers: { '104a': { nat: { staticMappings: [{ wanPort: 5000 }] } } } })
  const folder = t.testdir({ 'good.yaml': stdout.replaceAll('mapping: endpoint-independent', 'mapping: address-and-port-dependent'), 'bad.yaml': stdout.replace('endpoint-independent', 'symmetric') })
  t.equal((await naptlab(['bench', join(folder, 'good.yaml')])).code, 0)
  const bad = await naptlab(['bench', join(folder, 'bad.yaml')])
  t.equal(bad.code, 2)
  t.match(bad.stderr, /routers\.104a\.nat[\s\S]*mapping is "symmetric"; wanted is one of endpoint-independent/)
})

t.test('check: the goldens\' own captures hold; what is damaged, or no capture, is told', async t => {
  const capture = goldenCapture('fig2')
  const good = await naptlab(['check', capture, '--figures', '--golden', 'fig2'])
  t.equal(good.code, 0, good.stdout + good.stderr)
  for (const figure of FIGURES) t.match(good.stdout, new RegExp(`✓ ${figure}`))
  t.match(good.stdout, /✓ golden fig2/)

  t.equal((await naptlab(['check', goldenCapture('fig13'), '--golden', 'fig13'])).code, 0, 'the prior art too')

  const other = await naptlab(['check', '--as', `104b-wan=${capture}`, '--figures', '--run', 'fig8b'])
  t.equal(other.code, 1)
  t.match(other.stdout, /✗ 8B[\s\S]*DP: wanted 2400, got 3400/, 'the field that differs')
  t.equal((await naptlab(['check', capture, '--golden', 'none-such'])).code, 1, 'a missing golden is no pass')

  const folder = t.testdir({ 'text.pcap': 'this is no capture, only a text that is long enough to be one' })
  const cut = join(folder, 'cut.pcapng')
  copyFileSync(capture, cut)
  truncateSync(cut, statSync(cut).size - 7)
  const damaged = await naptlab(['check', cut])
  t.equal(damaged.code, 1)
  t.match(damaged.stdout, /✗ 104a-lan: \d+ packets[\s\S]*byte \d+/, 'what was good is counted, and where it ends is said')
  t.equal(damaged.stdout.match(/at byte/g)?.length, 1, 'once')
  const text = await naptlab(['check', '--as', `104a-lan=${join(folder, 'text.pcap')}`])
  t.equal(text.code, 2)
  t.match(text.stderr, /text\.pcap/)
  t.match(JSON.parse((await naptlab(['check', '--as', `104a-lan=${capture}`, '--json'])).stdout), { ok: true, files: [{ interface: '104a-lan', damage: null }] })
})

t.test('emit: all eight as files that hold', async t => {
  const folder = t.testdir()
  for (const figure of FIGURES) {
    const file = join(folder, `${figure}.pcap`)
    t.equal((await naptlab(['emit', figure, '--out', file])).code, 0)
    t.equal((await readCaptureFile(file)).packets.length, 1)
    const side = figure.startsWith('7') ? { A: '104b-lan', B: '104b-wan', C: '104a-lan', D: '104a-wan' }[figure[1]] : { A: '104b-lan', B: '104b-wan', C: '104b-lan', D: '104b-wan' }[figure[1]]
    const checked = await naptlab(['check', '--as', `${side ?? ''}=${file}`, '--figures', '--json'])
    const report = JSON.parse(checked.stdout) as { figures: { results: { figure: string, result: string }[] } }
    t.equal(report.figures.results.find(result => result.figure === figure)?.result, 'passed', figure)
  }
  t.notMatch(readFileSync(join(folder, '7A.pcap')).toString('latin1'), /\.part/)
})

t.test('emit: all eight for real, captured and checked', needsRawSocket, async t => {
  for (const figure of FIGURES) {
    const { code, stdout, stderr } = await naptlab(['emit', figure])
    t.equal(code, 0, stderr)
    t.match(stdout, new RegExp(`^Fig\\. ${figure}  (udp|tcp) `))
    t.match(stdout, /✓ (UDP|TCP) checksum: right/)
    t.notMatch(stdout, /✗|sesame/)
  }
})
