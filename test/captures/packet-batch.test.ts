// The packets of a file as columns: the same as the objects, and as the formats' documents and the package `pcap-parser` have them,
// over all kinds of files, however their bytes come.
import { EventEmitter } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import parser, { type ParsedPacket } from 'pcap-parser'
import t from 'tap'
import { Arena } from '../../captures/files/arena.js'
import { CHUNK } from '../../captures/files/file-chunks.js'
import { CaptureStream, encodePcap, type InterfacePacket, type PcapFormat } from '../../captures/index.js'
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../captures/files/pcapng/blocks.js'
import { swapPcapng } from './byte-order.js'
import { sameData } from '../same.js'
import { readPlainly, type PlainPacket } from './plain-reader.js'
import { randomBytes } from './support.js'

const random = randomBytes('packet batch')
const below = (end: number): number => ((random.next().value << 16) | (random.next().value << 8) | random.next().value) % end
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.next().value)
const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

const BEGIN = 1_700_000_000_000_000_000n
/** More than a batch has room for at first, of any length from none, one in eight cut by the capture. */
const PACKETS = Array.from({ length: 700 }, (_, at) => {
  const bytes = bytesOf(below(at % 50 === 0 ? 9000 : 200))
  return { time: BEGIN + BigInt(at) * 3_999_999_000n + BigInt(below(1000)), bytes, originalLength: bytes.length + (at % 8 === 0 ? 1 + below(1000) : 0) }
})

const pcap = (format: PcapFormat, change: (view: DataView, little: boolean) => void = () => undefined): Uint8Array => {
  const file = encodePcap(PACKETS, format)
  change(new DataView(file.buffer), format.byteOrder === 'little')
  return file
}
const FORMATS = (['little', 'big'] as const).flatMap(byteOrder => (['nanoseconds', 'microseconds'] as const).map(resolution => ({ byteOrder, resolution })))

/** Records with eight bytes more in their headers, as libpcap of 1999 wrote them. */
function modified(): Uint8Array {
  const file = pcap({ byteOrder: 'big', resolution: 'microseconds' }), view = new DataView(file.buffer), head = file.slice(0, 24), parts: Uint8Array[] = [head]
  new DataView(head.buffer).setUint32(0, 0xa1b2cd34)
  for (let at = 24; at < file.length;) {
    const end = at + 16 + view.getUint32(at + 8)
    parts.push(file.subarray(at, at + 16), bytesOf(8), file.subarray(at + 16, end))
    at = end
  }
  return concat(...parts)
}

/** Version 2.2: the lengths the other way round. */
function older(): Uint8Array {
  return pcap({ byteOrder: 'little', resolution: 'microseconds' }, view => {
    view.setUint16(6, 2, true)
    for (let at = 24; at < view.byteLength;) {
      const captured = view.getUint32(at + 8, true), original = view.getUint32(at + 12, true)
      view.setUint32(at + 8, original, true)
      view.setUint32(at + 12, captured, true)
      at += 16 + captured
    }
  })
}

const LINKS = [1, 101, 113] // Ethernet, raw IP, Linux cooked
function section(): Uint8Array {
  return concat(sectionHeader('a test'), ...LINKS.map((linkType, id) => interfaceDescription({ name: `if${id}`, description: '', linkType, snapLength: 0 })),
    ...PACKETS.map(({ time, bytes, originalLength }, at) => enhancedPacket(bytes, {
      interfaceId: at % 3, time, originalLength, ...(at % 2 === 0 ? { direction: at % 4 === 0 ? 'inbound' : 'outbound' } : {}),
      ...(at % 5 === 0 ? { packetId: (1n << 63n) + BigInt(at) } : {}), ...(at % 7 === 0 ? { comment: `§ ${at}` } : {}),
    })))
}

const words = (...values: number[]): Uint8Array => {
  const view = new DataView(new ArrayBuffer(values.length * 4))
  for (const [at, value] of values.entries()) view.setUint32(at * 4, value)
  return new Uint8Array(view.buffer)
}

/** Big-endian: times in 2^-10 s, in seconds, in µs from 50 years before 1970; simple packets; one of a time that 64 bits do not hold. */
const ODD = concat(
  words(0x0a0d0d0a, 28, 0x1a2b3c4d, 0x0001_0000, 0xffffffff, 0xffffffff, 28),
  words(1, 28, 1 << 16, 40, 0x0009_0001, 0x8a00_0000, 28), words(1, 28, 1 << 16, 0, 0x0009_0001, 0, 28),
  words(1, 32, 101 << 16, 0, 0x000e_0008, 0xffffffff, 0xffffffff - 50 * 365 * 86_400, 32),
  ...[0, 1, 2].map(id => words(6, 36, id, 5, 0x89abcdef, 4, 90, 0x45000000, 36)),
  words(6, 36, 1, 0xffffffff, 0xffffffff, 4, 4, 7, 36), words(6, 36, 2, 0, 77, 4, 4, 7, 36),
  words(3, 56, 100, ...Array.from({ length: 10 }, (_, at) => at), 56),
)

const FILES: Readonly<Record<string, Uint8Array>> = {
  ...Object.fromEntries(FORMATS.map(format => [`pcap, ${format.byteOrder}-endian, ${format.resolution}`, pcap(format)])),
  'pcap of raw IP': pcap(FORMATS[0], view => view.setUint32(20, 101, true)), 'pcap of Linux cooked packets': pcap(FORMATS[3], view => view.setUint32(20, 113)),
  'modified pcap': modified(), 'pcap 2.2': older(), 'pcapng': section(), 'pcapng, big-endian': swapPcapng(section()),
  'pcapng of several sections': concat(section(), swapPcapng(section()), ODD, section()), 'pcapng of odd times': ODD, 'no packets': encodePcap([]),
}

async function * pieces(bytes: Uint8Array, size: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0, next = size(); at < bytes.length; at += next, next = size()) yield await Promise.resolve(bytes.slice(at, at + next))
}

const plain = ({ time, bytes, originalLength, interface: { linkType }, direction, packetId, comment }: InterfacePacket): PlainPacket => ({ time, bytes, originalLength, linkType, direction, packetId, comment })

/** By the columns alone, as far as they go. */
async function columnsOf(stream: CaptureStream): Promise<{ readonly columns: object[], readonly plain: PlainPacket[], readonly numbers: number[] }> {
  const columns: object[] = [], packets: PlainPacket[] = [], numbers: number[] = []
  for await (const batch of stream.columns()) {
    for (let i = 0; i < batch.count; i++) {
      const { memory, starts, ends, originalLengths, timesHigh, timesLow, directions } = batch
      columns.push({
        bytes: memory.slice(starts[i], ends[i]), originalLength: originalLengths[i], low64: BigInt(timesHigh[i]) << 32n | BigInt(timesLow[i]),
        linkType: batch.interfaces[batch.interfaceIds[i]].linkType, direction: directions[i], comment: batch.comment(i),
      })
      numbers.push(batch.firstNumber + i)
      packets.push(plain({ ...batch.packet(i), bytes: batch.bytes(i).slice() }))
    }
  }
  t.equal(stream.damage, null)
  return { columns, plain: packets, numbers }
}

const asColumns = ({ time, bytes, originalLength, linkType, direction, comment }: PlainPacket): object =>
  ({ bytes, originalLength, low64: BigInt.asUintN(64, time), linkType, direction: direction === null ? 0 : direction === 'inbound' ? 1 : 2, comment })

for (const [name, file] of Object.entries(FILES)) {
  t.test(`${name}: columns, objects and the format's document agree`, async t => {
    const wanted = readPlainly(file)
    t.equal(wanted.length === 0, name === 'no packets')
    for (const size of [() => file.length, () => 1 + below(40), () => 1 + below(3000)]) {
      const got = await columnsOf(await CaptureStream.of(pieces(file, size), name))
      sameData(t, got.columns, wanted.map(asColumns))
      sameData(t, got.plain, wanted)
      t.same(got.numbers, wanted.map((_, at) => at + 1))
    }
    const objects: InterfacePacket[] = [], stream = await CaptureStream.of(pieces(file, () => 1 + below(3000)), name)
    for await (const batch of stream.batches()) objects.push(...batch)
    sameData(t, objects.map(plain), wanted, 'objects, all of which stay')
  })
}

t.test('pcap-parser reads the same records, where it knows the file', t => {
  for (const format of FORMATS.filter(({ resolution }) => resolution === 'microseconds')) {
    const source = Object.assign(new EventEmitter(), { pause: () => undefined, resume: () => undefined }), got: ParsedPacket[] = []
    parser.parse(source).on('packet', packet => got.push(packet))
    const file = pcap(format)
    source.emit('data', Buffer.from(file))
    sameData(t, got.map(({ header: { timestampSeconds, timestampMicroseconds, originalLength }, data }) =>
      [BigInt(timestampSeconds) * 1_000_000_000n + BigInt(timestampMicroseconds) * 1000n, originalLength, Uint8Array.from(data)]),
    readPlainly(file).map(({ time, originalLength, bytes }) => [time, originalLength, bytes]))
  }
  t.end()
})

t.test('a file read into memory that is lent gives the same, from wherever in it; pieces are filled in turn', async t => {
  const path = join(t.testdir(), 'long.pcap'), long = encodePcap(Array.from({ length: 6 }, () => PACKETS).flat().map(packet => ({ ...packet, bytes: concat(packet.bytes, bytesOf(300)) })))
  writeFileSync(path, long)
  t.ok(long.length > 3 * CHUNK, `${long.length} bytes are more than the memory`)
  const arena = new Arena(3 * CHUNK), memory = [0, 1].map(() => arena.take(CHUNK))
  const wanted = readPlainly(long)
  sameData(t, (await columnsOf(await CaptureStream.open(path, memory))).plain, wanted)
  sameData(t, (await columnsOf(await CaptureStream.open(path))).plain, wanted)
})

t.test('an arena copies within itself, lends each byte once, and no further than it goes', t => {
  const arena = new Arena(100), size = arena.bytes.length
  t.ok(size >= 100)
  arena.bytes.set(bytesOf(100))
  const before = arena.bytes.slice()
  for (const [to, from, length] of [[200, 3, 57], [10, 5, 40], [5, 10, 40], [0, 0, 0], [size - 8, 1, 8]]) {
    arena.copy(to, from, length)
    before.copyWithin(to, from, from + length)
    sameData(t, arena.bytes, before, `${length} bytes from ${from} to ${to}`)
  }
  t.throws(() => arena.copy(size - 7, 0, 8), { name: 'RuntimeError' })
  const [a, b] = [arena.take(10), arena.take(20)]
  t.same([a.byteOffset, b.byteOffset, b.length], [0, 10, 20])
  t.throws(() => arena.take(size), { name: 'RangeError', message: /has \d+ left/ })
  t.end()
})
