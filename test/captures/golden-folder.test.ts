// Goldens as folders: recorded from files of either format, checked, compared with each other, looked through for what is wrong.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { parseEndpoint } from '../../napt/wire/address.js'
import { udpFrame } from '../../napt/wire/frame.js'
import {
  checkGoldenFiles, decodePayload, diffGoldens, encodePcap, findGolden, goldenFolder, goldenPath, inputFiles, lintGoldens, pairFolders, PcapngWriter, readByInterface,
  readGolden, recordFolder, type RecordingOptions,
} from '../../captures/index.js'
import { framesOf, testDecoder, type Frames } from './support.js'

const options = { decoder: testDecoder, periodic: ['201'] }
const GOLDENS = join(goldenFolder('fig2'), '..')


/** The run as a pcap file an interface. */
function pcaps(folder: string, frames: Frames = framesOf()): string[] {
  mkdirSync(folder, { recursive: true })
  return [...frames].map(([name, packets]) => {
    const path = join(folder, `${name}.pcap`)
    writeFileSync(path, encodePcap(packets.map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))))
    return path
  })
}

/** The run as one pcapng file with its interfaces. */
function pcapng(path: string, frames: Frames = framesOf()): string {
  const writer = new PcapngWriter(path)
  for (const [name, packets] of frames) {
    const interfaceId = writer.interface({ name, description: '', linkType: 1, snapLength: 0 })
    for (const { time, bytes } of packets) writer.packet(bytes, { interfaceId, time, comment: `seen at ${name}`, packetId: time, direction: 'inbound' })
  }
  writer.close()
  return path
}

const record = (paths: readonly string[], folder: string, more: Partial<RecordingOptions> = {}) => recordFolder(inputFiles(paths), { name: 'call', folder, ...options, ...more })

t.test('a golden of pcap files and one of a pcapng file are the same, and hold for either', async t => {
  const dir = t.testdir()
  const many = pcaps(join(dir, 'run')), one = pcapng(join(dir, 'run.pcapng'))
  await record(many, join(dir, 'a'))
  await record([one], join(dir, 'b'))
  t.same(readdirSync(join(dir, 'a')).sort(), ['capture.pcapng', 'golden.yaml'], 'and nothing is left over')
  t.equal(readFileSync(join(dir, 'a', 'golden.yaml'), 'utf8'), readFileSync(join(dir, 'b', 'golden.yaml'), 'utf8'))
  for (const files of [many, [one], [join(dir, 'a', 'capture.pcapng')], [join(dir, 'b', 'capture.pcapng')]]) {
    t.match(await checkGoldenFiles(inputFiles(files), join(dir, 'a', 'golden.yaml'), options), { result: 'equal', ok: true, golden: 'call' })
  }
  const copied = [...(await readByInterface(join(dir, 'b', 'capture.pcapng'))).captures]
  const before = (await readByInterface(one)).captures
  for (const [name, { packets }] of copied) t.same(packets.map(({ time, bytes }) => [time, bytes]), before.get(name)?.packets.map(({ time, bytes }) => [time, bytes]), name)
  const times = copied.flatMap(([, { packets }]) => packets).sort((a, b) => a.number - b.number).map(({ time }) => time)
  t.not(times.length, 0)
  t.match(readFileSync(join(dir, 'b', 'capture.pcapng'), 'latin1'), /seen at 104a-wan/, 'comments are kept')
  const merged = [...(await readByInterface(join(dir, 'a', 'capture.pcapng'))).captures.values()].flatMap(({ packets }) => packets).sort((a, b) => a.number - b.number)
  t.ok(merged.every(({ time }, at) => at === 0 || time >= merged[at - 1].time), 'several files are merged in order of time')
})

t.test('nothing is overwritten, and nothing wrong is recorded', async t => {
  const dir = t.testdir(), folder = join(dir, 'call'), run = pcaps(join(dir, 'run'))
  await record(run, folder)
  const text = readFileSync(join(folder, 'golden.yaml'), 'utf8')
  await t.rejects(record(run.slice(1), folder), { name: 'GoldenError', message: /golden\.yaml is there already.*update.*--force/ })
  t.equal(readFileSync(join(folder, 'golden.yaml'), 'utf8'), text)
  await record(run.slice(1), folder, { force: true })
  t.not(readFileSync(join(folder, 'golden.yaml'), 'utf8'), text)

  const wrong = framesOf()
  wrong.get('101')![0].bytes[24] ^= 1
  await t.rejects(record(pcaps(join(dir, 'wrong'), wrong), join(dir, 'never')), { name: 'GoldenError', message: /no golden was recorded: 101, frame 1: ipv4 checksum: wanted right, got wrong/ })
  const cut = readFileSync(run[0])
  writeFileSync(join(dir, 'cut.pcap'), cut.subarray(0, cut.length - 3))
  await t.rejects(record([join(dir, 'cut.pcap')], join(dir, 'never')), { name: 'GoldenError', message: /cut\.pcap: at byte \d+: record/ })
  await t.rejects(record([run[0], join(dir, 'wrong', basename(run[0]))], join(dir, 'never')), { name: 'CheckUsageError', message: /both show 103/ })
  await t.rejects(recordFolder(inputFiles([], [`x=${join(folder, 'capture.pcapng')}`]), { name: 'x', folder: join(dir, 'never'), ...options }), { name: 'CheckUsageError', message: /several interfaces/ })
  t.notOk(existsSync(join(dir, 'never')), 'and no folder is left')
})

t.test('where there is one interface, its name does not matter; traffic of anybody', async t => {
  const dir = t.testdir()
  const A = parseEndpoint('10.0.0.1:40001'), B = parseEndpoint('10.0.0.2:53')
  const file = (name: string, texts: readonly string[]): string => {
    const path = join(dir, name)
    writeFileSync(path, encodePcap(texts.map((text, at) => ({ time: BigInt(at), originalLength: 42 + text.length, bytes: udpFrame(A, B, new TextEncoder().encode(text)) }))))
    return path
  }
  await recordFolder(inputFiles([file('monday.pcap', ['who?', 'me'])]), { name: 'dns', folder: join(dir, 'dns'), decoder: decodePayload, ports: [40001] })
  const path = join(dir, 'dns', 'golden.yaml')
  t.match(readFileSync(path, 'utf8'), /ports: \[ 40001 \][\s\S]*monday:[\s\S]*SP: 40001/)
  t.equal((await checkGoldenFiles(inputFiles([file('friday.pcap', ['who?', 'me'])]), path, { decoder: decodePayload })).result, 'equal')
  t.match(await checkGoldenFiles(inputFiles([file('friday.pcap', ['who?', 'you'])]), path, { decoder: decodePayload }), { result: 'different', differences: [{ interface: 'monday', frame: 2, field: 'bytes', wanted: '"me"', got: '"you"' }] })
  t.equal((await checkGoldenFiles(inputFiles([file('empty.pcap', [])]), path, { decoder: decodePayload })).ok, false)
  t.match(await checkGoldenFiles(inputFiles([file('friday.pcap', ['who?'])]), join(dir, 'none', 'golden.yaml'), { decoder: decodePayload }), { result: 'no golden', ok: false })
  const long = inputFiles([file('long.pcap', ['who?', 'me', 'you', 'they'])])
  t.equal((await checkGoldenFiles(long, path, { decoder: decodePayload, comparable: 4 })).result, 'different')
  await t.rejects(checkGoldenFiles(long, path, { decoder: decodePayload, comparable: 3 }), { name: 'GoldenError', message: /golden\.yaml has 2 packets and messages, and the captures have 4, too many/ })
  const golden = join(dir, 'dns'), capture = join(dir, 'long.pcap')
  for (const sides of [[golden, capture], [capture, golden]] as const) {
    t.equal((await diffGoldens(...sides, { decoder: decodePayload, comparable: 4 })).result, 'different')
    await t.rejects(diffGoldens(...sides, { decoder: decodePayload, comparable: 3 }), { name: 'GoldenError', message: /has 2 packets and messages, and the captures have 4/ })
  }
})

t.test('two captures, two goldens, or one of each are compared', async t => {
  const dir = t.testdir(), one = pcapng(join(dir, 'one.pcapng'))
  const frames = framesOf()
  frames.get('101')!.splice(0, 3) // all registrations
  const other = pcapng(join(dir, 'other.pcapng'), frames)
  await record([one], join(dir, 'call'))
  await record([other], join(dir, 'bad'))
  for (const [a, b] of [[one, other], [join(dir, 'call'), other], [one, join(dir, 'bad')], [join(dir, 'call', 'golden.yaml'), join(dir, 'bad')]]) {
    const report = await diffGoldens(a, b, options)
    t.match(report, { result: 'different', missing: [{ interface: '101', packet: '→ 201 equipment registration' }], unexpected: [], differences: [] }, `${basename(a)} ${basename(b)}`)
    t.match((await diffGoldens(b, a, options)), { missing: [], unexpected: [{ interface: '101' }] })
    t.match(await diffGoldens(a, a, options), { result: 'equal' })
  }
  t.match(await diffGoldens(one, other, { decoder: testDecoder }), { missing: { length: 3 } }, 'without a golden every repetition counts')
  await t.rejects(diffGoldens(one, join(dir, 'nothing'), options), { name: 'CheckUsageError', message: /nothing is neither a capture nor a golden/ })
  frames.get('101')![0].bytes[24] ^= 1
  await t.rejects(diffGoldens(pcapng(join(dir, 'wrong.pcapng'), frames), one, options), { name: 'CheckUsageError', message: /wrong\.pcapng is wrong in itself.*101, frame \d+: ipv4 checksum/ })
})

t.test('a name is looked for in the project first', t => {
  const dir = t.testdir({ call: { 'golden.yaml': '' } })
  t.equal(findGolden('call', dir), join(dir, 'call', 'golden.yaml'))
  t.equal(findGolden('fig2', dir), goldenPath('fig2'))
  t.equal(findGolden('none', dir), join(dir, 'none', 'golden.yaml'))
  t.equal(findGolden('some/where', dir), 'some/where/golden.yaml')
  t.equal(findGolden('some/where.yaml', dir), 'some/where.yaml')
  t.end()
})

t.test('folders are paired by name', async t => {
  const dir = t.testdir(), goldens = join(dir, 'goldens'), captures = join(dir, 'captures'), run = pcaps(join(dir, 'run'))
  for (const name of ['a', 'b', 'gone']) await record(run, join(goldens, name))
  pcaps(join(captures, 'b'))
  pcapng(join(captures, 'a.pcapng'))
  copyFileSync(run[0], join(captures, 'new.pcap'))
  const pairs = pairFolders(goldens, captures)
  t.same(pairs.map(({ name, golden, files }) => [name, golden !== null, files.length]), [['a', true, 1], ['b', true, 7], ['gone', true, 0], ['new', false, 1]])
  const results = await Promise.all(pairs.map(async ({ golden, files }) => golden === null ? 'no golden' : (await checkGoldenFiles(files, golden, options)).result))
  t.same(results, ['equal', 'equal', 'nothing compared', 'no golden'])
})

t.test('lint finds what is stray, unreadable, empty or untrue', async t => {
  const dir = t.testdir(), run = pcaps(join(dir, 'run')), goldens = join(dir, 'goldens')
  const at = (...names: string[]): string => join(goldens, ...names)
  for (const name of ['bare', 'empty', 'future', 'garbled', 'good', 'loose', 'other', 'twice', 'untrue']) await record(run, at(name))
  t.same(await lintGoldens(goldens, testDecoder), { goldens: 9, findings: [] })
  t.same(await lintGoldens(at('good'), testDecoder), { goldens: 1, findings: [] }, 'one by itself')

  const edit = (name: string, change: (text: string) => string): void => writeFileSync(at(name, 'golden.yaml'), change(readFileSync(at(name, 'golden.yaml'), 'utf8')))
  renameSync(at('bare', 'capture.pcapng'), at('stray.pcapng'))
  edit('empty', text => text.replace(/interfaces:[\s\S]*/, 'interfaces: {}\n'))
  edit('future', text => text.replace('format: 1', 'format: 99'))
  edit('garbled', text => text.slice(0, 900))
  renameSync(at('loose', 'golden.yaml'), at('other', 'golden.yaml.part'))
  copyFileSync(run[0], at('twice', basename(run[0])))
  edit('untrue', text => text.replace('TTL: 64', 'TTL: 63'))
  const { goldens: count, findings } = await lintGoldens(goldens, testDecoder)
  const wanted: [string, RegExp][] = [
    ['stray.pcapng', /stray file/], ['bare/golden.yaml', /capture that it was recorded from is not beside it/], ['empty/golden.yaml', /empty/], ['future/golden.yaml', /format is 99/],
    ['garbled/golden.yaml', /golden\.yaml: /], ['loose', /stray captures \(capture\.pcapng\): there is no golden\.yaml/], ['other/golden.yaml.part', /never finished/],
    ['twice/golden.yaml', /both show 103/], ['untrue/golden.yaml', /does not hold for its own capture: \S+, frame \d+: TTL: wanted 63, got 64$/],
  ]
  t.equal(count, 9)
  t.same(findings.map(({ path }) => path), wanted.map(([name]) => at(name)))
  for (const [name, problem] of wanted) t.match(findings.find(({ path }) => path === at(name))?.problem, problem, name)
  t.match(await lintGoldens(t.testdir({ nothing: '' }), testDecoder), { findings: [{ problem: 'there is no golden here' }] })
})

t.test('the goldens of this repository are in order', async t => {
  const { goldens, findings } = await lintGoldens(GOLDENS, decodePayload)
  t.same(findings, [])
  t.equal(goldens, 16)
  t.not(readGolden(goldenPath('fig2')), null)
})
