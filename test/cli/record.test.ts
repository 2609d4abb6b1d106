// naptlab record as a person uses it: a standing bench, its end, limits, rings, wrong usage, kill -9; judged by tshark.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, watch } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CaptureStream, type InterfacePacket } from '../../captures/index.js'
import { childrenOf } from '../../lab/bench/process.js'
import { needsCap, needsTshark } from '../prerequisites.js'
import { naptlab, NAPTLAB } from './naptlab.js'

const NAME = `recording-${process.pid}`
const DATAGRAM = 'const s = require("dgram").createSocket("udp4"); s.bind(2000, () => s.send("hello", 1200, "130.74.23.6", () => s.close()))'
const KNOCK = 'const s = require("dgram").createSocket("udp4"); s.send("let me in", 9, "202.204.16.13", () => s.close())'

const on = (host: string, program: string): Promise<unknown> => naptlab(['exec', host, '--bench', NAME, '--', process.execPath, '-e', program])

async function read(path: string): Promise<{ stream: CaptureStream, packets: InterfacePacket[] }> {
  const stream = await CaptureStream.open(path), packets: InterfacePacket[] = []
  for await (const batch of stream.batches()) packets.push(...batch)
  return { stream, packets }
}

interface Running { readonly child: ChildProcessWithoutNullStreams, readonly ended: Promise<{ code: number | null, output: string }> }

/** Resolves when everything that passes is recorded. */
async function record(t: Test, folder: string, ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [NAPTLAB, 'record', '--bench', NAME, ...args], { cwd: folder, stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { output += text })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
  const lines = createInterface({ input: child.stderr })
  await Promise.race([new Promise(resolve => lines.on('line', line => { if (line.startsWith('recording ')) resolve(line) })), ended.then(({ code }) => { throw new Error(`it ended with ${code ?? 'a signal'}`) })])
  return { child, ended }
}

/** Resolves when the file is longer than it was. */
async function grown(path: string, cause: () => Promise<unknown>): Promise<void> {
  const watcher = watch(path), changed = once(watcher, 'change')
  await cause()
  await changed
  watcher.close()
}

function judged(t: Test, path: string): void {
  if (needsTshark.skip !== false) return
  const { status, stderr } = spawnSync('tshark', ['-r', path, '-q', '-z', 'expert'], { encoding: 'utf8' })
  t.same([status, stderr.replace(/Running as user .*\n/, '')], [0, ''], `tshark reads ${path}`)
  t.equal(spawnSync('capinfos', [path]).status, 0)
}

t.test('a bench that stands', { ...needsCap, timeout: 300_000 }, async t => {
  t.teardown(() => naptlab(['down', NAME]))
  const up = await naptlab(['up', 'fig1', '--name', NAME])
  t.equal(up.code, 0, up.stderr)

  await t.test('everything, until Ctrl-C: verdicts, names, one number for a packet', async t => {
    const folder = t.testdir(), { child, ended } = await record(t, folder)
    await on('103', DATAGRAM)
    await on('101', KNOCK)
    child.kill('SIGINT')
    const { code, output } = await ended, path = join(folder, `${NAME}.pcapng`)
    t.equal(code, 0)
    t.match(output, new RegExp(`\\d+ packets of 8 interfaces, .*\\n  ${NAME}\\.pcapng`))
    t.same(readdirSync(folder), [`${NAME}.pcapng`])
    const { stream, packets } = await read(path)
    t.equal(stream.damage, null)
    t.same(stream.interfaces.map(({ name }) => name).sort(), ['101', '102', '103', '104a-lan', '104a-wan', '104b-lan', '104b-wan', '51'])
    const sent = packets.filter(({ bytes }) => bytes[23] === 17 && Buffer.from(bytes).includes('hello')) // ICMP quotes it
    t.same(sent.map(({ interface: { name } }) => name).sort(), ['101', '103', '104b-lan', '104b-wan'])
    t.equal(new Set(sent.map(({ packetId }) => packetId)).size, 1, 'one packet wherever it was seen')
    t.match(packets.find(({ comment }) => comment.includes('no-mapping'))?.comment, /^104b {2}wan → lan {2}dropped {2}udp 130\.74\.23\.6:\d+ → 202\.204\.16\.13:9[\s\S]*reason +no-mapping/)
    judged(t, path)
    if (needsTshark.skip !== false) return
    const { stdout } = spawnSync('tshark', ['-r', path, '-N', 'n', '-Y', 'udp and frame.comment', '-T', 'fields', '-e', 'ip.src_host', '-e', 'frame.comment'], { encoding: 'utf8' })
    t.match(stdout, /^103\t104b {2}lan → wan/m, 'and shows names and verdicts')
  })

  await t.test('a filter, a router alone, so many packets', async t => {
    const folder = t.testdir(), { ended } = await record(t, folder, '104b', '--filter', 'udp port 1200', '--packets', '4', '--out', 'few.pcapng', '--json')
    await on('101', KNOCK)
    await on('103', DATAGRAM)
    await on('103', DATAGRAM)
    const { code, output } = await ended
    t.equal(code, 0)
    t.match(JSON.parse(output), { packets: 4, lost: 0, interfaces: ['104b-lan', '104b-wan'] })
    const { packets } = await read(join(folder, 'few.pcapng'))
    t.same(packets.map(({ interface: { name }, bytes }) => `${name} ${Buffer.from(bytes).includes('hello')}`), ['104b-lan true', '104b-wan true', '104b-lan true', '104b-wan true'])
    judged(t, join(folder, 'few.pcapng'))
  })

  await t.test('a ring, for so long', async t => {
    const folder = t.testdir(), { ended } = await record(t, folder, '--ring', '2', '--file-size', '1500', '--for', '4s', '--out', 'r.pcapng')
    await on('103', `const s = require("dgram").createSocket("udp4"); let n = 0; const next = () => ++n > 20 ? s.close() : s.send("hello", 1200, "130.74.23.6", next); s.bind(2000, next)`)
    t.equal((await ended).code, 0)
    const files = readdirSync(folder).sort()
    t.equal(files.length, 2)
    for (const file of files) {
      t.match(file, /^r-\d{5}\.pcapng$/)
      t.equal((await read(join(folder, file))).stream.damage, null)
      judged(t, join(folder, file))
    }
  })

  await t.test('kill -9: what was recorded can be read', async t => {
    const folder = t.testdir(), { child, ended } = await record(t, folder, '--out', 'k.pcapng'), part = join(folder, 'k.pcapng.part')
    await grown(part, () => on('103', DATAGRAM))
    const [recorder] = childrenOf(child.pid ?? 0)
    process.kill(recorder, 'SIGSTOP') // so that it does not notice that its parent is gone
    child.kill('SIGKILL')
    await ended
    process.kill(recorder, 'SIGKILL')
    const { stream, packets } = await read(part)
    t.equal(stream.damage, null)
    t.ok(packets.length > 0)
    judged(t, part)
  })

  await t.test('the recorder is killed alone: the file gets its name, and it is said', async t => {
    const folder = t.testdir(), { child, ended } = await record(t, folder, '--out', 'k.pcapng')
    await grown(join(folder, 'k.pcapng.part'), () => on('103', DATAGRAM))
    process.kill(childrenOf(child.pid ?? 0)[0], 'SIGKILL')
    t.equal((await ended).code, 1)
    t.same(readdirSync(folder), ['k.pcapng'])
    t.equal((await read(join(folder, 'k.pcapng'))).stream.damage, null)
  })

  await t.test('wrong usage ends with 2 and says what is right', async t => {
    const folder = t.testdir()
    for (const [args, sentence] of [
      [['--filter', 'udp port'], /the filter 'udp port' is none: .*man pcap-filter/],
      [['nobody'], /has no nobody; there is 51, 101/],
      [['--ring', '3'], /--file-size or --file-time/],
      [['--file-size', 'big'], /--file-size big: a size is wanted/],
      [['--for', 'ever'], /--for ever: a length of time is wanted/],
      [['--packets', '0'], /--packets 0: a whole number/],
      [['--keys', 'none.log'], /none\.log: there is no such file/],
      [['--out', 'no/such/folder.pcapng'], /no\/such\/folder\.pcapng cannot be written .*--out/],
    ] as const) {
      const { code, stderr } = await naptlab(['record', '--bench', NAME, ...args], folder)
      t.equal(code, 2, args.join(' '))
      t.match(stderr, sentence)
    }
    const own = await naptlab(['record', '--interface', 'none0'], folder)
    t.equal(own.code, 2)
    t.match(own.stderr, /none0/)
    t.same(readdirSync(folder), [], 'and leaves nothing')
  })

  await t.test('ends with the bench', async t => {
    const folder = t.testdir(), { ended } = await record(t, folder, '--out', 'e.pcapng')
    await grown(join(folder, 'e.pcapng.part'), () => on('103', DATAGRAM))
    t.equal((await naptlab(['down', NAME])).code, 0)
    t.equal((await ended).code, 0)
    const { stream, packets } = await read(join(folder, 'e.pcapng'))
    t.equal(stream.damage, null)
    t.equal(stream.statistics.size, 8, 'the file has its end')
    t.ok(packets.length > 0)
    t.notOk(existsSync(join(folder, 'e.pcapng.part')))
  })
})

t.test('without the package cap it says how to get it', t => {
  const folder = t.testdir({ 'no-cap.cjs': 'const m = require("node:module"), load = m._load\nm._load = (name, ...rest) => { if (name === "cap") throw new Error("not here"); return load(name, ...rest) }\n' })
  const { status, stderr } = spawnSync(process.execPath, ['--require', join(folder, 'no-cap.cjs'), NAPTLAB, 'record', '--interface', 'lo'], { encoding: 'utf8', cwd: folder })
  t.equal(status, 2)
  t.match(stderr, /^[^\n]*libpcap[^\n]*npm install --include=optional\n$/, 'in one line')
  t.end()
})
