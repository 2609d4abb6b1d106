// `naptlab golden`: each subcommand from the command line, and who may change a golden.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { parseEndpoint } from '../../napt/wire/address.js'
import { udpFrame } from '../../napt/wire/frame.js'
import { encodePcap } from '../../captures/index.js'
import { confirm, mustBeAsked } from '../../cli/confirm.js'
import { naptlab } from './naptlab.js'

const A = parseEndpoint('10.0.0.1:4000'), B = parseEndpoint('10.0.0.2:53')
const frames = (texts: readonly string[]): Uint8Array[] => texts.map(text => udpFrame(A, B, new TextEncoder().encode(text)))
const pcap = (list: readonly Uint8Array[]): Uint8Array => encodePcap(list.map((bytes, at) => ({ time: BigInt(at), bytes, originalLength: bytes.length })))

/** A folder with a golden `call` of the two questions in good.pcap, and captures that differ from it. */
async function project(t: Test): Promise<string> {
  const dir = t.testdir()
  const damaged = frames(['who?', 'where?'])
  damaged[1][24] ^= 1
  const files = { 'good.pcap': frames(['who?', 'where?']), 'changed.pcap': frames(['who?', 'there?']), 'short.pcap': frames(['who?']), 'long.pcap': frames(['who?', 'where?', 'why?']), 'damaged.pcap': damaged, 'empty.pcap': [] }
  for (const [name, list] of Object.entries(files)) writeFileSync(join(dir, name), pcap(list))
  const { code, stdout, stderr } = await naptlab(['golden', 'record', 'good.pcap', '--name', 'call'], dir)
  t.equal(code, 0, stderr)
  t.match(stdout, /golden call: 2 packets and messages of 1 flows, in goldens\/call/)
  return dir
}

t.test('check: equal, and each way to differ', async t => {
  const dir = await project(t)
  const cases: [string[], number, RegExp][] = [
    [['good.pcap', '--golden', 'call'], 0, /✓ golden call: 2 packets and messages compared/],
    [['good.pcap', '--golden', 'goldens/call'], 0, /✓/],
    [['goldens/call/capture.pcapng', '--golden', 'goldens/call/golden.yaml'], 0, /✓/],
    [['changed.pcap', '--golden', 'call'], 1, /frame 2, → data of udp 10\.0\.0\.1:4000 – 10\.0\.0\.2:53\n +bytes: wanted "where\?", got "there\?"\n +likely: the sender wrote something else/],
    [['short.pcap', '--golden', 'call'], 1, /missing at good: → data of udp/],
    [['long.pcap', '--golden', 'call'], 1, /unexpected at good, frame 3: → data/],
    [['damaged.pcap', '--golden', 'call'], 1, /frame 2\n +ipv4 checksum: wanted right, got wrong/],
    [['empty.pcap', '--golden', 'call'], 1, /missing at good/],
    [['good.pcap', '--golden', 'none'], 1, /there is no such golden/],
    [['good.pcap', '--as', 'lan=good.pcap', '--golden', 'fig2'], 1, /not one packet was compared|unexpected at/],
    [['good.pcap', '--golden', 'call', '--format', 'tap'], 0, /^TAP version 14\n/],
    [['changed.pcap', '--golden', 'call', '--format', 'json'], 1, /"result": "different"/],
  ]
  await Promise.all(cases.map(async ([args, code, words]) => {
    const ended = await naptlab(['golden', 'check', ...args], dir)
    t.equal(ended.code, code, args.join(' ') + ended.stderr)
    t.match(ended.stdout, words, args.join(' '))
  }))
  const junit = await naptlab(['golden', 'check', 'changed.pcap', '--golden', 'call', '--format', 'junit', '-o', 'report.xml'], dir)
  t.match(junit, { code: 1, stdout: '' })
  t.match(readFileSync(join(dir, 'report.xml'), 'utf8'), /<testsuites [^>]*tests="2" failures="1"/)
})

t.test('wrong usage', async t => {
  const dir = await project(t)
  const refused: [string[], RegExp][] = [
    [['check', 'good.pcap'], /Which golden\?/], [['check', '--golden', 'call'], /There is no file/], [['check', 'a', 'b', '--folder', 'goldens'], /give one/],
    [['check', 'nowhere.pcap', '--golden', 'call'], /nowhere\.pcap: at byte 0/], [['record', 'good.pcap', '--name', 'call'], /is there already/],
    [['record', 'good.pcap', '--name', '../call'], /without a slash/], [['record', 'damaged.pcap', '--name', 'b'], /frame 2: ipv4 checksum/], [['diff', 'good.pcap', 'nothing'], /neither a capture nor a golden/], [[], /naptlab golden update/],
  ]
  await Promise.all(refused.map(async ([args, words]) => t.match(await naptlab(['golden', ...args], dir), { code: 2, stdout: '', stderr: words }, args.join(' '))))
})

t.test('files that never end, and one bad golden among good ones', async t => {
  const dir = await project(t), bad = join(dir, 'goldens', 'bad')
  const endless: [string[], RegExp][] = [
    [['golden', 'check', 'good.pcap', '--golden', 'bad'], /the golden cannot be read \(it has more than \d+ bytes\)/], [['golden', 'check', '/dev/zero', '--golden', 'call'], /\/dev\/zero: at byte 0/],
    [['check', 'good.pcap', '--check', '/dev/zero'], /the check file has more than \d+ bytes/], [['show', 'good.pcap', '--keys', '/dev/zero'], /the key log cannot be read \(it has more than \d+ bytes\)/],
  ]
  mkdirSync(bad)
  symlinkSync('/dev/zero', join(bad, 'golden.yaml'))
  for (const [args, words] of endless) t.match(await naptlab(args, dir), { code: 2, stdout: '', stderr: words }, args.join(' '))
  rmSync(join(bad, 'golden.yaml'))
  writeFileSync(join(bad, 'golden.yaml'), 'a: &a [x]\nb: [*a, *a]\n')
  t.match(await naptlab(['golden', 'lint'], dir), { code: 1, stdout: /^✗ goldens\/bad\/golden\.yaml: .*a golden has no aliases/ }, 'the others were looked at, too')
})

t.test('a folder of captures against a folder of goldens', async t => {
  const dir = await project(t)
  await naptlab(['golden', 'record', 'short.pcap', '--name', 'short'], dir)
  const check = (folder: string) => naptlab(['golden', 'check', folder, '--folder', 'goldens', '--format', 'tap'], dir)
  t.match(await check('goldens'), { code: 0, stdout: /1\.\.2\n[^]*\nok 1 - golden call\n[^]*\nok 2 - golden short\n/ }, 'goldens hold for their own captures')
  t.match(await check('.'), { code: 1, stdout: /not ok 1 - golden call\n[^]*\nok 2 - golden short\n[^]*not ok 3 - golden changed/ }, 'one has no capture, and some captures have no golden')
})

t.test('diff and lint', async t => {
  const dir = await project(t)
  t.match(await naptlab(['golden', 'diff', 'good.pcap', 'changed.pcap'], dir), { code: 1, stdout: /bytes: wanted "where\?", got "there\?"/ })
  t.match(await naptlab(['golden', 'diff', 'call', 'good.pcap'], dir), { code: 0, stdout: /✓ golden call and good\.pcap/ })
  t.match(await naptlab(['golden', 'lint'], dir), { code: 0, stdout: /✓ 1 goldens in goldens/ })
  writeFileSync(join(dir, 'goldens', 'stray.pcap'), 'x')
  t.match(await naptlab(['golden', 'lint'], dir), { code: 1, stdout: '✗ goldens/stray.pcap: a stray file: it is in no golden\'s folder\n' })
})

t.test('update: only after a yes, and never in CI', async t => {
  const dir = await project(t), file = join(dir, 'goldens', 'call', 'golden.yaml'), before = readFileSync(file, 'utf8')
  const update = (environment: NodeJS.ProcessEnv, ...args: string[]) => naptlab(['golden', 'update', '--golden', 'call', ...args], dir, { ...process.env, ...environment })
  const here = { CI: undefined }
  t.match(await update({ CI: 'true' }, 'changed.pcap', '--yes'), { code: 2, stdout: '', stderr: /not in CI/ })
  t.match(await update(here, 'changed.pcap'), { code: 2, stdout: '', stderr: /on a terminal, or with --yes/ })
  t.match(await update(here, 'damaged.pcap', '--yes'), { code: 2, stderr: /no golden was recorded: .*checksum/ })
  t.equal(readFileSync(file, 'utf8'), before, 'nothing was changed so far')
  t.match(await update(here, 'good.pcap', '--yes'), { code: 0, stdout: /There is nothing to update/ })
  t.match(await update(here, 'changed.pcap', '--yes'), { code: 0, stdout: /got "there\?"[^]*was recorded anew/ })
  t.match(readFileSync(file, 'utf8'), /there\?/)
  t.match(await naptlab(['golden', 'check', 'changed.pcap', '--golden', 'call'], dir), { code: 0 })
})

t.test('who may be asked', async t => {
  const cases: [boolean, NodeJS.ProcessEnv, boolean, RegExp | null][] = [
    [false, {}, true, null], [true, {}, false, null], [true, { CI: '' }, false, null], [true, { CI: 'false' }, false, null],
    [false, {}, false, /on a terminal, or with --yes/], [true, { CI: '1' }, true, /not in CI/], [false, { CI: 'true' }, true, /not in CI/],
  ]
  for (const [saidYes, environment, isTerminal, refusal] of cases) {
    const ask = (): void => mustBeAsked('A golden is updated', saidYes, environment, isTerminal)
    if (refusal === null) t.doesNotThrow(ask)
    else t.throws(ask, { message: refusal })
  }
  for (const [typed, wanted] of [['y\n', true], ['YES\n', true], ['n\n', false], ['\n', false], ['yo\n', false], ['', false]] as const) {
    const input = new PassThrough(), output = new PassThrough()
    input.end(typed)
    t.equal(await confirm('Well?', input, output), wanted, JSON.stringify(typed))
    t.equal(String(output.read()), 'Well? (y/N) ')
  }
})
