// A capture file as a stream: the same packets however its bytes come, from a file, a pipe or memory, in bounded memory, and
// whatever is wrong with them.
import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CaptureFileError, CaptureStream, encodePcap, type InterfacePacket } from '../../captures/index.js'
import { enhancedPacket, interfaceDescription, interfaceStatistics, nameResolution, sectionHeader, tlsSecrets } from '../../captures/files/pcapng/blocks.js'
import { parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import { sameData } from '../same.js'
import { framesOf, randomBytes } from './support.js'

const random = randomBytes('capture stream')
const below = (end: number): number => ((random.next().value << 16) | (random.next().value << 8) | random.next().value) % end
const packets = (framesOf().get('104b-wan') ?? []).slice(0, 8).map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))
const lan = { name: '104b-lan', description: '', linkType: 1, snapLength: 0 }
const KEYS = `CLIENT_RANDOM ${'01'.repeat(32)} ${'02'.repeat(48)}\n`
const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

const FILES = {
  'pcap': encodePcap(packets),
  'big-endian pcap': encodePcap(packets, { byteOrder: 'big', resolution: 'microseconds' }),
  'pcapng': concat(
    sectionHeader('naptlab', 'a run'), interfaceDescription(lan), nameResolution(new Map([[parseIpv4('130.74.23.6'), '101']])), tlsSecrets(KEYS),
    ...packets.map(({ time, bytes }, at) => enhancedPacket(bytes, { interfaceId: 0, time, packetId: BigInt(at), direction: 'inbound', comment: 'x'.repeat(at) })),
    interfaceStatistics(0, 1n, { received: 8n, dropped: 0n }),
  ),
}

async function * pieces(bytes: Uint8Array, size: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0, next = size(); at < bytes.length; at += next, next = size()) yield await Promise.resolve(bytes.slice(at, at + next))
}

interface Outcome { readonly packets: readonly InterfacePacket[], readonly error: string | null, readonly offset: number | null, readonly rest: unknown }

async function outcome(source: AsyncIterable<Uint8Array>): Promise<Outcome> {
  const got: InterfacePacket[] = []
  try {
    const stream = await CaptureStream.of(source, 'a file')
    for await (const batch of stream.batches()) got.push(...batch)
    const { damage, interfaces, names, keyLog, statistics } = stream
    return { packets: got, error: damage?.message ?? null, offset: damage?.offset ?? null, rest: { interfaces, names: [...names], keyLog, statistics: [...statistics] } }
  } catch (error) {
    if (!(error instanceof CaptureFileError)) throw error
    return { packets: got, error: error.message, offset: error.offset, rest: null }
  }
}
const whole = (bytes: Uint8Array): Promise<Outcome> => outcome(pieces(bytes, () => Math.max(1, bytes.length)))

for (const [name, file] of Object.entries(FILES)) {
  t.test(`${name}: the same in pieces of any size`, async t => {
    const { packets: got, error } = await whole(file)
    t.equal(error, null)
    sameData(t, got.map(packet => packet.bytes), packets.map(packet => packet.bytes))
    for (const size of [() => 1, () => 7, () => 64, () => 1 + below(400)]) sameData(t, await outcome(pieces(file, size)), await whole(file))
  })

  t.test(`${name}: cut at every byte, what is whole before the cut is given, and the damage names its place`, async t => {
    const { packets: all } = await whole(file)
    let before = 0
    for (let length = 0; length < file.length; length++) {
      const cut = await whole(file.subarray(0, length))
      sameData(t, cut.packets, all.slice(0, cut.packets.length), `cut at ${length}`)
      t.ok(cut.packets.length >= before && (cut.error === null || (cut.offset ?? -1) <= length), `cut at ${length}: ${cut.error}`)
      before = cut.packets.length
    }
    t.equal(before, name === 'pcapng' ? packets.length : packets.length - 1)
  })

  t.test(`${name}: changed anywhere, it never crashes, and damage does not depend on how the bytes come`, async t => {
    let damaged = 0
    for (let round = 0; round < 400; round++) {
      const bytes = file.slice()
      for (let change = 0; change <= round % 3; change++) bytes[below(bytes.length)] = round % 5 === 0 ? 255 : random.next().value
      const result = await whole(bytes)
      if (result.error !== null) damaged++
      sameData(t, await outcome(pieces(bytes, () => 1 + below(200))), result, `round ${round}`)
    }
    t.ok(damaged > 20, `${damaged} of 400 were noticed`)
  })
}

t.test('arbitrary bytes behind a good beginning', async t => {
  const files = Object.values(FILES)
  for (let round = 0; round < 300; round++) {
    const noise = Uint8Array.from({ length: below(600) }, () => random.next().value)
    const { packets: got, error } = await whole(concat(files[round % 3].subarray(0, round % 2 === 0 ? 24 : below(300)), noise))
    if (got.some(packet => packet.bytes.length > 900)) t.fail(`round ${round}: ${error}`)
  }
  t.pass('300 files')
})

/** What reading leaves in memory, and the most that it took, in MB. */
async function memoryOf(source: AsyncIterable<Uint8Array>): Promise<{ peak: number, stream: CaptureStream, count: number }> {
  const used = (): number => { const { heapUsed, arrayBuffers } = process.memoryUsage(); return (heapUsed + arrayBuffers) / 1e6 }
  const stream = await CaptureStream.of(source, 'a file'), start = used()
  let peak = 0, count = 0
  for await (const batch of stream.batches()) {
    count += batch.length
    peak = Math.max(peak, used() - start)
  }
  return { peak, stream, count }
}

t.test('memory is bounded whatever comes in', async t => {
  async function * many(first: Uint8Array, then: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
    yield first.slice()
    for (let time = 0; time < times; time++) yield await Promise.resolve(then.slice())
  }
  const large = enhancedPacket(new Uint8Array(60_000), { interfaceId: 0, time: 1n }), begin = concat(sectionHeader('x'), interfaceDescription(lan))
  const block = concat(...Array.from({ length: 10 }, () => large))
  const long = await memoryOf(many(begin, block, 500)) // 300 MB
  t.equal(long.count, 5000)
  t.ok(long.peak < 150, `${long.peak} MB of 300`)

  const description = concat(...Array.from({ length: 1000 }, () => interfaceDescription(lan)))
  t.match((await memoryOf(many(begin, description, 70))).stream.damage?.message, /describes more than 65536 interfaces/)
  const names = (from: number): Uint8Array => nameResolution(new Map(Array.from({ length: 1000 }, (_, at) => [from + at as Ipv4Address, `host${at}`])))
  t.equal((await memoryOf(pieces(concat(begin, ...Array.from({ length: 70 }, (_, at) => names(at * 1000))), () => 100_000))).stream.names.size, 65_536)
  t.match((await memoryOf(many(begin, tlsSecrets('x'.repeat(1 << 20)), 70))).stream.damage?.message, /more than 67108864 characters of secrets/)
})

t.test('a record that comes byte by byte is not copied over and over', async t => {
  const big = concat(sectionHeader('x'), interfaceDescription(lan), enhancedPacket(new Uint8Array(8 << 20).fill(7), { interfaceId: 0, time: 1n }))
  const start = performance.now()
  const { packets: [only], error } = await outcome(pieces(big, () => 1 << 10)) // 8,192 pieces; copied with each, they would be 32 GB
  t.equal(error, null)
  t.equal(only.bytes.length, 8 << 20)
  t.ok(performance.now() - start < 5000)
})

t.test('a file: how far the reading has come, and packets that stay as they are', async t => {
  const path = join(t.testdir(), 'a.pcap')
  const many = Array.from({ length: 3000 }, (_, at) => ({ time: BigInt(at), bytes: new Uint8Array(1000).fill(at), originalLength: 1000 }))
  writeFileSync(path, encodePcap(many))
  const stream = await CaptureStream.open(path), got: InterfacePacket[] = [], progress = [stream.bytesRead]
  t.match(stream, { file: path, format: 'pcap', size: 24 + 3000 * 1016 })
  for await (const batch of stream.batches()) {
    got.push(...batch)
    progress.push(stream.bytesRead)
  }
  t.ok(progress.every((each, at) => at === 0 || each >= progress[at - 1]) && new Set(progress).size > 2)
  t.equal(progress.at(-1), stream.size)
  t.same(got.map(({ number, time, bytes }) => [number, time, bytes[0], bytes[999]]), many.map(({ time, bytes }, at) => [at + 1, time, bytes[0], bytes[999]]))
  for await (const batch of stream.batches()) t.fail(`read once, and ${batch.length} packets again`)
})

t.test('what cannot be read', async t => {
  const folder = t.testdir({ 'empty.pcap': '' })
  await t.rejects(CaptureStream.open(folder), { name: 'CaptureFileError', offset: 0, message: /cannot be read \(EISDIR/ })
  await t.rejects(CaptureStream.open(join(folder, 'none')), { name: 'CaptureFileError', message: /ENOENT/ })
  await t.rejects(CaptureStream.open(join(folder, 'empty.pcap')), { name: 'CaptureFileError', offset: 0, message: /is empty/ })
  async function * breaking(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(FILES.pcap.slice())
    throw new Error('the disk is gone')
  }
  const stream = await CaptureStream.of(breaking(), 'a file'), got: InterfacePacket[] = []
  await t.rejects(async () => { for await (const batch of stream.batches()) got.push(...batch) }, { name: 'CaptureFileError', offset: FILES.pcap.length, message: /the disk is gone/ })
  t.equal(got.length, packets.length, 'what was read before is there')
})

t.test('standard input and a named pipe', async t => {
  const READER = `
    const { CaptureStream } = await import(${JSON.stringify(new URL('../../captures/index.js', import.meta.url).href)})
    const stream = await CaptureStream.open('-')
    let packets = 0
    for await (const batch of stream.batches()) packets += batch.length
    process.stdout.write(JSON.stringify({ packets, size: stream.size, read: stream.bytesRead, damage: stream.damage?.message ?? null }))`
  for (const file of Object.values(FILES)) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', READER], { stdio: ['pipe', 'pipe', 'inherit'] })
    const answer = new Response(child.stdout).json()
    for (let at = 0; at < file.length; at += 100) child.stdin.write(file.subarray(at, at + 100))
    child.stdin.end()
    t.same(await answer, { packets: packets.length, size: null, read: file.length, damage: null })
  }
  const pipe = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [pipe])
  createWriteStream(pipe).end(FILES.pcapng)
  const stream = await CaptureStream.open(pipe)
  t.equal(stream.size, null)
  let read = 0
  for await (const batch of stream.batches()) read += batch.length
  t.equal(read, packets.length)
})
