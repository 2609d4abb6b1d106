// pcapng: what the blocks say is read back, in either byte order; tshark reads it too; and no damage gets past with wrong packets.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { enhancedPacket, interfaceDescription, interfaceStatistics, nameResolution, sectionHeader, tlsSecrets } from '../../../captures/files/pcapng/blocks.js'
import { PcapngDecoder } from '../../../captures/files/pcapng/decoder.js'
import type { CaptureFileError, InterfacePacket } from '../../../captures/index.js'
import { parseIpv4 } from '../../../napt/wire/address.js'
import { udp } from '../../napt/frames.js'
import { randomBytes } from '../support.js'

const FRAME = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello')
const LAN = { id: 0, name: '104b-lan', description: 'LAN side of router 104b', linkType: 1, snapLength: 0 }
const WAN = { ...LAN, id: 1, name: '104b-wan', description: 'WAN side of router 104b' }
const KEYS = `CLIENT_RANDOM ${'01'.repeat(32)} ${'02'.repeat(48)}\n`
const TIME = 1_700_000_000_123_456_789n

const BLOCKS = [
  sectionHeader('naptlab', 'a run'), interfaceDescription(LAN), interfaceDescription(WAN),
  nameResolution(new Map([[parseIpv4('130.74.23.6'), '101'], [parseIpv4('192.168.1.3'), '103']])), tlsSecrets(KEYS),
  enhancedPacket(FRAME, { interfaceId: 0, time: TIME, direction: 'inbound', packetId: 7n, comment: 'forwarded: §1, mapping 192.168.1.3:2000' }),
  enhancedPacket(FRAME.subarray(0, 43), { interfaceId: 1, time: TIME + 1n, originalLength: FRAME.length, direction: 'outbound', packetId: 7n }),
  interfaceStatistics(0, TIME, { received: 1n, dropped: 0n }), interfaceStatistics(1, TIME, { received: 1n, dropped: 2n }),
]
const FILE = new Uint8Array(Buffer.concat(BLOCKS))

/** Everything in `bytes`, which comes in pieces of `step`. */
function read(bytes: Uint8Array, step = bytes.length): { decoder: PcapngDecoder, packets: InterfacePacket[], damage: CaptureFileError | null } {
  const packets: InterfacePacket[] = [], decoder = new PcapngDecoder('a.pcapng')
  for (let at = 0; at < bytes.length; at += step) packets.push(...decoder.push(bytes.slice(at, at + step)))
  decoder.end()
  return { decoder, packets, damage: decoder.damage }
}

t.test('what is written reads back', async t => {
  const packets = [
    { number: 1, time: TIME, bytes: FRAME, originalLength: FRAME.length, interface: LAN, direction: 'inbound', packetId: 7n, comment: 'forwarded: §1, mapping 192.168.1.3:2000' },
    { number: 2, time: TIME + 1n, bytes: FRAME.subarray(0, 43), originalLength: FRAME.length, interface: WAN, direction: 'outbound', packetId: 7n, comment: '' },
  ]
  for (const step of [FILE.length, 1, 3, 64, 1000]) {
    const { decoder, packets: got, damage } = read(FILE, step), what = `in pieces of ${step} bytes`
    t.equal(damage, null, what)
    t.same(got, packets, what)
    t.same(decoder.interfaces, [LAN, WAN], what)
    t.same(decoder.names, new Map([[parseIpv4('130.74.23.6'), '101'], [parseIpv4('192.168.1.3'), '103']]), what)
    t.equal(decoder.keyLog, KEYS, what)
    t.same([...decoder.statistics.values()], [{ received: 1n, dropped: 0n }, { received: 1n, dropped: 2n }], what)
  }
})

t.test('a second section has a byte order and interfaces of its own; times of any resolution', async t => {
  // Big-endian by hand: a section header, an interface whose times are in 2^-10 s from second 100 on, a packet, a simple packet.
  const words = (...values: number[]): Uint8Array => {
    const bytes = new Uint8Array(values.length * 4)
    for (const [at, value] of values.entries()) new DataView(bytes.buffer).setUint32(at * 4, value)
    return bytes
  }
  const big = new Uint8Array(Buffer.concat([
    words(0x0a0d0d0a, 28, 0x1a2b3c4d, 0x0001_0000, 0xffffffff, 0xffffffff, 28),
    words(1, 44, 0x0065_0000, 2, 0x0009_0001, 0x8a00_0000, 0x000e_0008, 0, 100, 0, 44),
    words(6, 36, 0, 0, 512, 2, 2, 0xabcd_0000, 36),
    words(3, 20, 5, 0x1234_0000, 20),
    words(0xbad, 12, 12),
  ]))
  const { packets, damage } = read(new Uint8Array(Buffer.concat([FILE, big])))
  t.equal(damage, null)
  const [third, fourth] = packets.slice(2)
  t.match(third, { number: 3, time: 100_500_000_000n, bytes: Uint8Array.of(0xab, 0xcd), interface: { linkType: 101, snapLength: 2, name: '' } })
  t.match(fourth, { number: 4, time: 0n, bytes: Uint8Array.of(0x12, 0x34), originalLength: 5 })
})

t.test('a file cut short at any byte gives the blocks before the cut, and says where it ends', async t => {
  const ends = BLOCKS.reduce<number[]>((before, block) => [...before, (before.at(-1) ?? 0) + block.length], [])
  for (let length = 0; length < FILE.length; length++) {
    const { packets, damage } = read(FILE.subarray(0, length))
    const whole = ends.filter(end => end <= length)
    t.equal(packets.length, Math.min(2, Math.max(0, whole.length - 5)), `cut at ${length}`)
    const lastEnd = whole.at(-1) ?? 0
    if (length === 0 || lastEnd !== length) t.equal(damage?.offset, lastEnd, `cut at ${length}`)
    else t.equal(damage, null, `cut at ${length}`)
  }
})

t.test('damage is named with its place', async t => {
  const changed = (at: number, value: number): Uint8Array => {
    const copy = FILE.slice()
    new DataView(copy.buffer).setUint32(at, value, true)
    return copy
  }
  const interfaceAt = BLOCKS[0].length
  for (const [bytes, offset, sentence] of [
    [changed(0, 0xa1b2c3d4), 0, /stands where a section header must/],
    [changed(8, 0), 8, /byte-order magic/],
    [changed(12, 2), 12, /version is 2\.0/],
    [changed(4, 13), 4, /claims 13 bytes, which cannot be/],
    [changed(interfaceAt + 4, 0x7ffffffc), interfaceAt + 4, /claims 2147483644 bytes \(at most/],
    [changed(interfaceAt + BLOCKS[1].length - 4, 4), interfaceAt + BLOCKS[1].length - 4, /ends as one of 4/],
  ] as const) t.match(read(bytes).damage, { offset, message: sentence })
  const noInterface = new Uint8Array(Buffer.concat([BLOCKS[0], BLOCKS[5]]))
  t.match(read(noInterface).damage?.message, /interface 0, and the section has described 0/)
})

t.test('arbitrary bytes never crash the decoder', async t => {
  const random = randomBytes('pcapng')
  let damaged = 0
  for (let round = 0; round < 3000; round++) {
    const bytes = FILE.slice()
    for (let change = 0; change <= round % 4; change++) bytes[((random.next().value << 8) | random.next().value) % bytes.length] = random.next().value
    if (read(bytes).damage !== null) damaged++
  }
  t.ok(damaged > 300, `${damaged} of 3000 were noticed`)
})

t.test('tshark reads it: names, comments, packet numbers, lengths', { skip: spawnSync('tshark', ['-v']).status === 0 ? false : 'tshark is not installed' }, async t => {
  const path = join(t.testdir(), 'a.pcapng')
  writeFileSync(path, FILE)
  const { stdout, stderr } = spawnSync('tshark', ['-r', path, '-N', 'n', '-T', 'fields', '-E', 'separator=|',
    '-e', 'frame.interface_name', '-e', 'frame.time_epoch', '-e', 'frame.packet_id', '-e', 'frame.comment', '-e', 'frame.len', '-e', 'ip.dst_host'], { encoding: 'utf8' })
  t.same(stdout.trim().split('\n'), [
    `104b-lan|1700000000.123456789|7|forwarded: §1, mapping 192.168.1.3:2000|${FRAME.length}|101`,
    `104b-wan|1700000000.123456790|7||${FRAME.length}|101`,
  ], stderr)
})
