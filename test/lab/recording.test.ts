// What a recording writes: order, filter, snapshots, rings, keys, losses; and libpcap's filters over frames in memory.
import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CaptureStream, type InterfacePacket } from '../../captures/index.js'
import { Recording, type RecordingOptions, type SeenPacket } from '../../lab/recording/recording.js'
import { PcapFilter } from '../../napt/system/pcap-filter.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { tcp, udp } from '../napt/frames.js'
import { needsTshark } from '../prerequisites.js'

const BEGIN = 1_700_000_000_000_000_000n, MILLISECOND = 1_000_000n, SECOND = 1000n * MILLISECOND
const DATAGRAM = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello'), OUTSIDE = udp('202.204.16.13:3400', '130.74.23.6:1200', 'hello')
const SYN = tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN')
const KEYS = `CLIENT_RANDOM ${'01'.repeat(32)} ${'02'.repeat(48)}\n`
const INTERFACES = [{ name: '104b-lan', description: 'LAN side of router 104b' }, { name: '104b-wan', description: '' }, { name: '103', description: '' }]

const seen = (name: string, time: bigint, bytes = DATAGRAM, more: Partial<SeenPacket> = {}): SeenPacket =>
  ({ interface: name, time: BEGIN + time, bytes, direction: 'inbound', copyOf: null, comment: '', ...more })

const recording = (folder: string, options: Partial<RecordingOptions> = {}): Recording => new Recording({ path: join(folder, 'a.pcapng'), interfaces: INTERFACES, ...options })

async function read(path: string): Promise<{ stream: CaptureStream, packets: InterfacePacket[] }> {
  const stream = await CaptureStream.open(path), packets: InterfacePacket[] = []
  for await (const batch of stream.batches()) packets.push(...batch)
  return { stream, packets }
}

t.test('in order of time though they come late, numbered, with names and losses', async t => {
  const folder = t.testdir(), r = recording(folder, { names: new Map([[parseIpv4('130.74.23.6'), '101']]), comment: 'bench fig1' })
  r.take(seen('103', 5n * MILLISECOND, DATAGRAM, { direction: 'outbound' }))
  r.takeCopies([seen('104b-lan', 4n * MILLISECOND, DATAGRAM, { copyOf: '1', comment: 'forwarded' }), seen('104b-wan', 4n * MILLISECOND, OUTSIDE, { copyOf: '1', direction: 'outbound' })])
  t.equal(r.packets, 0, 'held for a moment')
  r.take(seen('103', SECOND, SYN))
  t.equal(r.packets, 3)
  r.lost('104b-lan', 3)
  r.close()
  const { stream, packets } = await read(join(folder, 'a.pcapng'))
  t.same(packets.map(({ interface: { name }, packetId, comment, direction }) => `${name} ${packetId ?? '?'} ${direction ?? '?'} ${comment}`),
    ['104b-lan 1 inbound forwarded', '104b-wan 1 outbound ', '103 1 outbound ', '103 2 inbound '])
  t.equal(stream.damage, null)
  t.same([...stream.names.values()], ['101'])
  t.same([...stream.statistics].map(([{ name }, { received, dropped }]) => [name, received, dropped]), [['104b-lan', 4n, 3n], ['104b-wan', 1n, null], ['103', 2n, null]])
})

t.test('what a filter leaves out of a router\'s trace, and the verdict that stays with the rest', async t => {
  const folder = t.testdir(), r = recording(folder, { filter: 'src host 202.204.16.13 or tcp' })
  r.takeCopies([seen('104b-lan', 0n, DATAGRAM, { copyOf: '1', comment: 'forwarded' }), seen('104b-wan', 0n, OUTSIDE, { copyOf: '1' })])
  r.takeCopies([seen('104b-lan', MILLISECOND, DATAGRAM, { comment: 'dropped' })])
  r.takeCopies([seen('104b-lan', 2n * MILLISECOND, SYN, { comment: 'held' })])
  r.close()
  t.same((await read(join(folder, 'a.pcapng'))).packets.map(({ interface: { name }, comment }) => `${name} ${comment}`), ['104b-wan forwarded', '104b-lan held'])
})

t.test('filters are libpcap\'s', t => {
  t.ok(new PcapFilter('udp port 1200').matches(DATAGRAM))
  t.notOk(new PcapFilter('udp port 1200').matches(SYN))
  t.ok(new PcapFilter('').matches(SYN))
  t.ok(new PcapFilter('tcp[tcpflags] & tcp-syn != 0').matches(SYN))
  t.ok(new PcapFilter('greater 40').matches(SYN))
  t.notOk(new PcapFilter('greater 400').matches(SYN), 'the length on the wire')
  t.notOk(new PcapFilter('udp').matches(new Uint8Array(0)), 'and nothing beyond the frame is read')
  for (const wrong of ['udp port', 'nonsense', 'host 300.1.1.1', 'port 1200 and', '(']) {
    t.throws(() => new PcapFilter(wrong), { name: 'PcapFilterError', message: /^the filter '.*' is none: .+man pcap-filter/ }, wrong)
  }
  const folder = t.testdir()
  t.throws(() => recording(folder, { filter: 'udp port' }), { name: 'PcapFilterError' })
  t.same(readdirSync(folder), [], 'before a file is begun')
  t.end()
})

t.test('only so many packets, only so much of each', async t => {
  const folder = t.testdir(), r = recording(folder, { packets: 2, snapLength: 40 })
  for (let at = 0n; at < 5n; at++) r.take(seen('103', at * SECOND))
  t.ok(r.isFull)
  r.close()
  const { packets } = await read(join(folder, 'a.pcapng'))
  t.same(packets.map(({ bytes, originalLength }) => [bytes.length, originalLength]), [[40, DATAGRAM.length], [40, DATAGRAM.length]])
  t.equal(r.bytes, 2 * DATAGRAM.length)
})

t.test('a ring: files of their size, the newest stay, each whole', async t => {
  const folder = t.testdir(), r = recording(folder, { files: 3, fileSize: 4000, names: new Map([[parseIpv4('130.74.23.6'), '101']]) })
  for (let at = 0n; at < 200n; at++) r.take(seen('103', at * MILLISECOND, at % 2n === 0n ? DATAGRAM : SYN))
  r.close()
  const files = readdirSync(folder).sort()
  t.equal(files.length, 3)
  t.same(r.paths, files.map(file => join(folder, file)))
  t.match(files[0], /^a-000\d\d\.pcapng$/)
  let next: bigint | null = null
  for (const file of files) {
    t.ok(statSync(join(folder, file)).size <= 4000, file)
    const { stream, packets } = await read(join(folder, file))
    t.equal(stream.damage, null)
    t.same(stream.interfaces.map(({ name }) => name), INTERFACES.map(({ name }) => name))
    t.equal(stream.names.size, 1)
    t.equal(stream.statistics.size, 3)
    t.equal([...stream.statistics].find(([{ name }]) => name === '103')?.[1].received, BigInt(packets.length))
    if (next !== null) t.equal(packets[0].time, next, 'nothing is missing between two files')
    next = (packets.at(-1)?.time ?? 0n) + MILLISECOND
  }
  t.equal(next, BEGIN + 200n * MILLISECOND, 'to the last packet')
})

t.test('files of a time; without a ring all stay', async t => {
  const folder = t.testdir(), r = recording(folder, { fileTime: 1000 })
  for (const at of [0n, 900n, 1000n, 5000n]) r.take(seen('103', at * MILLISECOND))
  r.close()
  t.same(await Promise.all(readdirSync(folder).sort().map(async file => (await read(join(folder, file))).packets.length)), [2, 1, 1])
})

t.test('keys go in front of the packets behind them, as far as the log has grown', async t => {
  const folder = t.testdir(), keys = join(folder, 'keys.log'), r = recording(folder, { keys, fileSize: 1500 })
  r.take(seen('103', 0n))
  writeFileSync(keys, KEYS + KEYS.slice(0, 20))
  r.flush(BEGIN + SECOND)
  r.take(seen('103', 2n * SECOND))
  appendFileSync(keys, KEYS.slice(20))
  r.flush(BEGIN + 3n * SECOND)
  for (let at = 0n; at < 20n; at++) r.take(seen('103', 4n * SECOND + at))
  r.close()
  const [first, second] = readdirSync(folder).filter(file => file.endsWith('.pcapng')).sort()
  t.equal((await read(join(folder, first))).stream.keyLog, KEYS + KEYS, 'not half a line')
  t.equal((await read(join(folder, second))).stream.keyLog, KEYS + KEYS, 'and all of it in every file')
  t.equal(statSync(join(folder, first)).mode & 0o777, 0o600)
  writeFileSync(keys, 'no line of one\n')
  const wrong = recording(folder, { keys, path: join(folder, 'b.pcapng') })
  wrong.take(seen('103', 0n))
  t.throws(() => wrong.flush(BEGIN + SECOND), { name: 'KeyLogError', message: /keys\.log, line 1/ }, 'before it makes a file unreadable')
})

t.test('what was flushed can be read while it is written', async t => {
  const folder = t.testdir(), r = recording(folder), copy = join(folder, 'copy.pcapng')
  for (let at = 0n; at < 20n; at++) r.take(seen('103', at * MILLISECOND))
  r.flush(BEGIN + SECOND)
  r.take(seen('103', 5n * SECOND))
  copyFileSync(join(folder, 'a.pcapng.part'), copy)
  const { stream, packets } = await read(copy)
  t.equal(stream.damage, null)
  t.equal(packets.length, 20)
  r.close()
})

t.test('tshark and capinfos read each file', needsTshark, t => {
  const folder = t.testdir(), r = recording(folder, { files: 3, fileSize: 4000, snapLength: 60 })
  for (let at = 0n; at < 100n; at++) r.take(seen('103', at * MILLISECOND, SYN, { comment: 'a verdict\nin two lines' }))
  r.close()
  for (const path of r.paths) {
    const { status, stderr } = spawnSync('tshark', ['-r', path, '-q', '-z', 'expert'], { encoding: 'utf8' })
    t.same([status, stderr.replace(/Running as user .*\n/, '')], [0, ''])
    t.equal(spawnSync('capinfos', [path]).status, 0)
  }
  t.end()
})
