// Capture files: what is written reads back, in every byte order and resolution, and no file however broken stops the reader.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CaptureFileError, encodePcap, PcapWriter, readCaptureBytes, readCaptureFile, type PcapFormat } from '../../captures/index.js'
import { randomBytes } from './support.js'

const FORMATS: readonly PcapFormat[] = (['little', 'big'] as const).flatMap(byteOrder =>
  (['nanoseconds', 'microseconds'] as const).map(resolution => ({ byteOrder, resolution })))

const ONLY = { id: 0, name: '', description: '', linkType: 1, snapLength: 262_144 }
const random = randomBytes('pcap')
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.next().value)
const packets = [0, 1, 14, 60, 1514, 9000].map((length, at) => ({
  time: 1_700_000_000_000_000_000n + BigInt(at) * 1_000_123_000n, bytes: bytes(length), originalLength: length + at,
}))

for (const format of FORMATS) {
  t.test(`${format.byteOrder}-endian, ${format.resolution}: write, read, write`, async t => {
    const written = encodePcap(packets, format)
    const capture = await readCaptureBytes(written, 'a.pcap')
    t.equal(capture.format, 'pcap')
    t.equal(capture.damage, null)
    t.same(capture.interfaces, [ONLY])
    t.same(capture.packets, packets.map((packet, at) => ({ number: at + 1, ...packet, interface: ONLY, direction: null, packetId: null, comment: '' })))
    t.same(encodePcap(capture.packets, format), written)
  })
}

t.test('nanoseconds survive, and microseconds are cut', async t => {
  const packet = { time: 5_123_456_789n, bytes: bytes(20), originalLength: 20 }
  const times = await Promise.all(FORMATS.map(async format => (await readCaptureBytes(encodePcap([packet], format))).packets[0].time))
  t.same(times, [5_123_456_789n, 5_123_456_000n, 5_123_456_789n, 5_123_456_000n])
})

t.test('a file cut short at any byte gives the packets before the cut, and says where it ends', async t => {
  const whole = encodePcap(packets.slice(0, 4))
  const ends = [24, 24 + 16, 24 + 33, 24 + 63, 24 + 139] // after the header and after each record
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length)
    if (length < 24) {
      const error = await readCaptureBytes(cut, 'cut.pcap').then(() => null, (reason: unknown) => reason)
      if (!(error instanceof CaptureFileError)) t.fail(`cut at ${length}: no CaptureFileError`)
      continue
    }
    const { packets: got, damage } = await readCaptureBytes(cut, 'cut.pcap')
    const before = ends.filter(end => end <= length)
    t.equal(got.length, before.length - 1, `cut at ${length}`)
    t.equal(damage?.offset ?? null, ends.includes(length) ? null : before.at(-1), `cut at ${length}`)
  }
})

t.test('what is not a capture is told apart', async t => {
  const good = encodePcap(packets)
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const copy = Uint8Array.from(good)
    copy.set(values, at)
    return copy
  }
  const cases: [Uint8Array, number, RegExp][] = [
    [new Uint8Array(0), 0, /empty/],
    [Uint8Array.of(1, 2), 0, /ends after 2 bytes/],
    [new TextEncoder().encode('<!doctype html>'), 0, /0x3c21646f is not a capture file's/],
    [Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28), 0, /ends 8 bytes into a block/],
    [Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 1, 2, 3, 4), 8, /byte-order magic is 0x01020304/],
    [Uint8Array.of(0x1f, 0x8b, 8, 0), 0, /gzip.*gunzip/],
    [good.subarray(0, 20), 20, /inside its 24-byte header/],
    [changed(4, 3), 4, /version is 3\.4/],
    [changed(6, 5), 4, /version is 2\.5/],
  ]
  for (const [file, offset, sentence] of cases) {
    await t.rejects(readCaptureBytes(file, 'x.pcap'), { name: 'CaptureFileError', file: 'x.pcap', offset, message: sentence })
  }
  await t.rejects(readCaptureFile(join(t.testdir(), 'none.pcap')), { name: 'CaptureFileError', message: /cannot be read.*ENOENT/ })
  const { packets: got, damage } = await readCaptureBytes(changed(24 + 16 + 8, 255, 255, 255, 255), 'x.pcap')
  t.equal(got.length, 1)
  t.match(damage?.message, /x\.pcap: at byte 40: record 2 claims 4294967295 bytes/)
})

t.test('pcap of other times: lengths the other way round, longer records, checksums of cards', async t => {
  for (const format of FORMATS) {
    const little = format.byteOrder === 'little', file = encodePcap(packets, format), wanted = await readCaptureBytes(file)
    /** With a version, and the lengths of the records swapped that `isSwapped`. */
    const older = (minor: number, isSwapped: (packet: number) => boolean): Uint8Array => {
      const copy = Uint8Array.from(file), view = new DataView(copy.buffer)
      view.setUint16(6, minor, little)
      for (let at = 24, number = 1; at < copy.length; number++) {
        const captured = view.getUint32(at + 8, little), original = view.getUint32(at + 12, little)
        if (isSwapped(number)) {
          view.setUint32(at + 8, original, little)
          view.setUint32(at + 12, captured, little)
        }
        at += 16 + captured
      }
      return copy
    }
    t.same((await readCaptureBytes(older(2, () => true))).packets, wanted.packets, 'version 2.2: the length on the wire stands first')
    t.same((await readCaptureBytes(older(3, number => number % 2 === 0))).packets, wanted.packets, 'version 2.3: the longer one is that on the wire')
    const cut = await readCaptureBytes(older(2, () => true).subarray(0, -1), 'cut.pcap')
    t.match([cut.packets.length, cut.damage?.found], [packets.length - 1, /record 6 holds 8999 of its 9000 bytes/])

    // The magic of modified records, which are eight bytes longer; times are in microseconds.
    const head = file.slice(0, 24), modified: Uint8Array[] = [head]
    new DataView(head.buffer).setUint32(0, 0xa1b2cd34, little)
    const view = new DataView(file.buffer)
    for (let at = 24; at < file.length;) {
      const end = at + 16 + view.getUint32(at + 8, little)
      modified.push(file.subarray(at, at + 16), Uint8Array.of(0, 0, 0, 2, 8, 0, 4, 0), file.subarray(at + 16, end))
      at = end
    }
    if (format.resolution === 'microseconds') t.same((await readCaptureBytes(new Uint8Array(Buffer.concat(modified)))).packets, wanted.packets)

    const checked = Uint8Array.from(file)
    new DataView(checked.buffer).setUint32(20, 0x2400_0071, little) // Linux cooked, with a checksum of two 16-bit words behind it
    t.equal((await readCaptureBytes(checked)).interfaces[0].linkType, 113)
  }
})

t.test('arbitrary bytes never crash the reader', async t => {
  for (let round = 0; round < 300; round++) {
    const noise = bytes(200)
    noise.set(encodePcap([], FORMATS[round % 4]).subarray(0, round % 25))
    const outcome = await readCaptureBytes(noise).then(capture => capture.packets.every(packet => packet.bytes.length <= 200), (error: unknown) => error instanceof CaptureFileError)
    if (!outcome) t.fail(`round ${round}`)
  }
  t.pass('300 rounds')
})

t.test('the writer gives the file its name when it is whole', async t => {
  const path = join(t.testdir(), 'out.pcap')
  const writer = new PcapWriter(path)
  for (const packet of packets) writer.write(packet.time, packet.bytes, packet.originalLength)
  writer.flush()
  t.notOk(existsSync(path), 'not before')
  t.equal(writer.packets, packets.length)
  writer.close()
  writer.close()
  t.same(new Uint8Array(readFileSync(path)), encodePcap(packets))
  t.notOk(existsSync(`${path}.part`))
  t.throws(() => writer.write(0n, bytes(1)), /closed already/)
  t.throws(() => new PcapWriter(join(path, 'impossible.pcap')), { code: 'ENOTDIR' })
})

t.test('a writer that gives up leaves what was there', async t => {
  const path = join(t.testdir({ 'out.pcap': 'before' }), 'out.pcap')
  const writer = new PcapWriter(path)
  t.throws(() => writer.write(-1n, bytes(1)), RangeError)
  t.throws(() => writer.write(0n, new Uint8Array(300_000)), /does not fit a pcap record/)
  writer.discard()
  t.notOk(existsSync(`${path}.part`))
  t.equal(readFileSync(path, 'utf8'), 'before')
})

t.test('more than the buffer holds, and a source that is changed afterwards', async t => {
  const path = join(t.testdir(), 'big.pcap')
  const writer = new PcapWriter(path), frame = new Uint8Array(1500)
  for (let at = 0; at < 200; at++) writer.write(BigInt(at), frame.fill(at))
  writer.close()
  const { packets: got } = await readCaptureFile(path)
  t.same(got.map(packet => packet.bytes[1499]), Array.from({ length: 200 }, (_, at) => at))
})

t.test('a file read twice, and bytes that are left alone', async t => {
  const path = join(t.testdir(), 'a.pcap')
  const original = encodePcap(packets)
  writeFileSync(path, original)
  t.same((await readCaptureFile(path)).packets, (await readCaptureBytes(original)).packets)
  t.same(original, encodePcap(packets))
})
