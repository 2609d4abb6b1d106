// Capture files that other programs wrote, in all the formats that they have: read here, and compared with tshark's decoding of
// the same file, packet by packet.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CaptureStream, decode, encodePcap, LINK_TYPE, type Decoded, type InterfacePacket, type Protocol } from '../../captures/index.js'
import { IN_NAMESPACE, needsCaptureFileTools, needsCaptureTools } from '../prerequisites.js'
import { swapPcap, swapPcapng } from './byte-order.js'
import { framesOf } from './support.js'

const SECOND = 1_000_000_000n
/** What is compared, by tshark's name, and what it is here. */
const FIELDS: readonly (readonly [string, (packet: InterfacePacket, decoded: Decoded) => string])[] = [
  ['frame.number', packet => String(packet.number)],
  ['frame.time_epoch', ({ time }) => `${time / SECOND}.${String(time % SECOND).padStart(9, '0')}`],
  ['frame.len', packet => String(packet.originalLength)],
  ['frame.cap_len', packet => String(packet.bytes.length)],
  ['frame.interface_name', packet => packet.interface.name],
  ['frame.packet_flags_direction', ({ direction }) => direction === null ? '' : direction === 'inbound' ? '0x00000001' : '0x00000002'],
  ['frame.packet_id', ({ packetId }) => packetId === null ? '' : String(packetId)],
  ['frame.comment', packet => packet.comment],
  ['eth.src', field('ethernet', 'source')], ['vlan.id', field('vlan', 'VLAN')], ['sll.ifindex', field('cooked', 'interface index')],
  ['ip.src', field('ipv4', 'SA')], ['ip.dst', field('ipv4', 'DA')], ['ip.proto', field('ipv4', 'protocol')], ['ipv6.src', field('ipv6', 'SA')],
  ['udp.srcport', field('udp', 'SP')], ['udp.dstport', field('udp', 'DP')], ['tcp.srcport', field('tcp', 'SP')], ['tcp.dstport', field('tcp', 'DP')],
]

function field(protocol: Protocol, name: string) {
  return (_packet: InterfacePacket, { layers }: Decoded): string =>
    String(layers.find(layer => layer.protocol === protocol)?.fields.find(field => field.name === name)?.value ?? '')
}

async function ours(path: string): Promise<{ stream: CaptureStream, rows: string[][] }> {
  const stream = await CaptureStream.open(path), rows: string[][] = []
  for await (const batch of stream.batches()) {
    for (const packet of batch) {
      const decoded = decode(packet.bytes, packet.interface.linkType)
      rows.push(FIELDS.map(([, value]) => value(packet, decoded)))
    }
  }
  return { stream, rows }
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/** An interface without a name is "unknown" to tshark. */
const theirs = (path: string): string[][] => run('tshark', '-r', path, '-n', '-T', 'fields', '-E', 'separator=|', ...FIELDS.flatMap(([name]) => ['-e', name]))
  .trimEnd().split('\n').map(line => line.split('|').map(value => value === 'unknown' ? '' : value))

/** @param unknown a field that tshark has wrong */
async function agrees(t: Test, path: string, packets: number, unknown?: string): Promise<CaptureStream> {
  const { stream, rows } = await ours(path)
  const known = (row: readonly string[]): string[] => row.filter((_, at) => FIELDS[at][0] !== unknown)
  t.equal(stream.damage, null)
  t.equal(rows.length, packets)
  t.same(rows.map(known), theirs(path).map(known))
  return stream
}

const hexDump = (frame: Uint8Array, before: string): string =>
  `${before}\n${Array.from({ length: Math.ceil(frame.length / 16) }, (_, line) => `${(line * 16).toString(16).padStart(6, '0')} ${[...frame.subarray(line * 16, line * 16 + 16)].map(byte => byte.toString(16).padStart(2, '0')).join(' ')}\n`).join('')}`

/** The frames of Fig. 2 on a WAN, and a few that it has not: tagged, IPv6, ARP, and an odd length. */
const FRAMES: readonly Uint8Array[] = [
  ...(framesOf().get('104b-wan') ?? []).map(({ bytes }) => bytes),
  tagged((framesOf().get('103') ?? [])[0].bytes, 42),
  Uint8Array.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 59, 255, 0xfe, 0x80, ...Array<number>(13).fill(0), 1, 0xff, 2, ...Array<number>(13).fill(0), 2]),
  Uint8Array.from([...Array<number>(6).fill(255), 2, 0, 0, 0, 0, 2, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2, 0, 0, 0]),
]

function tagged(frame: Uint8Array, vlan: number): Uint8Array {
  return Uint8Array.from([...frame.subarray(0, 12), 0x81, 0, vlan >>> 8, vlan & 255, ...frame.subarray(12)])
}

/** A folder with our own file, `base.pcap`, and a way to a new one. */
function workshop(t: Test): { base: string, file: (name: string) => string } {
  const folder = t.testdir(), file = (name: string): string => join(folder, name)
  const packets = FRAMES.map((bytes, at) => ({ time: 1_700_000_000_123_456_789n + BigInt(at) * 1_000_000_007n, bytes, originalLength: bytes.length }))
  writeFileSync(file('base.pcap'), encodePcap(packets))
  return { base: file('base.pcap'), file }
}

const written = (path: string, bytes: Uint8Array): string => {
  writeFileSync(path, bytes)
  return path
}

t.test('every kind of pcap that editcap writes and libpcap reads, and pcapng, in both byte orders', needsCaptureFileTools, async t => {
  const { base, file } = workshop(t)
  for (const format of ['pcap', 'nsecpcap', 'modpcap', 'pcapng']) {
    const path = file(format)
    run('editcap', '-F', format, base, path)
    await agrees(t, path, FRAMES.length)
    if (format === 'modpcap') continue
    const swap = format === 'pcapng' ? swapPcapng : swapPcap
    await agrees(t, written(file(`${format}.big`), swap(readFileSync(path))), FRAMES.length)
  }
})

t.test('what libpcap cannot tell from pcap, and other formats: an error with its place', needsCaptureFileTools, async t => {
  const { base, file } = workshop(t)
  for (const format of ['nokiapcap', 'rh6_1pcap', 'suse6_3pcap']) {
    run('editcap', '-F', format, base, file(format))
    const { stream, rows } = await ours(file(format))
    t.match(stream.damage?.message, /at byte \d+: record [23] (claims|holds) \d+/, format)
    t.equal(rows.length, Number(/record (\d)/.exec(stream.damage?.message ?? '')?.[1]) - 1)
    t.notSame(spawnSync('tcpdump', ['-r', file(format)]).status, 0, 'tcpdump neither')
  }
  for (const format of ['snoop', 'netmon2', 'btsnoop', 'k12text']) {
    if (spawnSync('editcap', ['-F', format, base, file(format)]).status !== 0) continue
    await t.rejects(CaptureStream.open(file(format)), { name: 'CaptureFileError', offset: 0, message: /is not a capture file's/ }, format)
  }
})

t.test('snapped packets', needsCaptureFileTools, async t => {
  const { base, file } = workshop(t)
  for (const [format, length] of [['pcap', '60'], ['pcapng', '60'], ['pcapng', '18'], ['pcap', '14']]) {
    run('editcap', '-F', format, '-s', length, base, file('snapped'))
    await agrees(t, file('snapped'), FRAMES.length)
  }
})

t.test('comments, keys and names', needsCaptureFileTools, async t => {
  const { base, file } = workshop(t)
  const keys = `CLIENT_RANDOM ${'01'.repeat(32)} ${'02'.repeat(48)}\n`
  writeFileSync(file('keys'), keys)
  writeFileSync(file('hosts'), '130.74.23.6 server-101\n202.204.16.13 router-104b\n')
  run('editcap', '-a', '1:why it was dropped: §3 – no mapping', '-a', `3:${'long '.repeat(500)}`, '--inject-secrets', `tls,${file('keys')}`, base, file('commented'))
  const commented = await agrees(t, file('commented'), FRAMES.length)
  t.equal(commented.keyLog, keys)
  await agrees(t, written(file('commented.big'), swapPcapng(readFileSync(file('commented')))), FRAMES.length)
  run('tshark', '-r', file('commented'), '-N', 'n', '-H', file('hosts'), '-W', 'n', '-P', '-w', file('named'))
  const named = await agrees(t, file('named'), FRAMES.length)
  t.same([...named.names.values()].sort(), ['router-104b', 'server-101'])
})

t.test('several sections, of both byte orders, and several interfaces', needsCaptureFileTools, async t => {
  const { base, file } = workshop(t)
  for (const [name, time] of [['lan', 0], ['wan', 3600]] as const) {
    writeFileSync(file('dump'), FRAMES.map((frame, at) => hexDump(frame, `${at % 2 === 0 ? 'I' : 'O'} 2023-11-14T22:13:20.00${at % 10}5Z`)).join(''))
    run('text2pcap', '-q', '-D', '-t', 'ISO', '-N', `104b-${name}`, file('dump'), file('plain'))
    run('editcap', '-t', String(time), file('plain'), file(name))
  }
  const lan = await agrees(t, file('lan'), FRAMES.length)
  t.same(lan.interfaces.map(each => each.name), ['104b-lan'])
  run('mergecap', '-I', 'none', '-w', file('merged'), file('lan'), file('wan'), base)
  const merged = await agrees(t, file('merged'), 3 * FRAMES.length)
  t.same(merged.interfaces.map(each => each.name).sort(), ['', '104b-lan', '104b-wan'])
  const sections = [readFileSync(file('lan')), swapPcapng(readFileSync(file('wan'))), readFileSync(file('merged'))]
  // tshark 4.0 takes interface 0 of every section for that of the first.
  const path = written(file('sections'), Buffer.concat(sections)), several = await agrees(t, path, 5 * FRAMES.length, 'frame.interface_name')
  t.same(several.interfaces.map(each => each.id), [0, 1, 2, 3, 4])
  const names = (await ours(path)).rows.map(row => row[4])
  t.same([0, 1, 2].map(nth => names[nth * FRAMES.length]), ['104b-lan', '104b-wan', '104b-lan'])
})

t.test('link types, of text2pcap', needsCaptureFileTools, async t => {
  const { file } = workshop(t)
  const packets = FRAMES.filter(frame => frame[12] === 8 && frame[13] === 0).map(frame => frame.subarray(14))
  const sender = [2, 0, 0, 0, 0, 7, 0, 0]
  const headers: readonly (readonly [number, readonly number[]])[] = [
    [LINK_TYPE.raw, []], [LINK_TYPE.rawDlt12, []], [LINK_TYPE.ipv4, []], [LINK_TYPE.null, [2, 0, 0, 0]], [LINK_TYPE.loop, [0, 0, 0, 2]],
    [LINK_TYPE.cooked, [0, 4, 0, 1, 0, 6, ...sender, 8, 0]], [LINK_TYPE.cooked2, [8, 0, 0, 0, 0, 0, 0, 5, 0, 1, 4, 6, ...sender]],
  ]
  for (const [linkType, header] of headers) {
    writeFileSync(file('dump'), packets.map(packet => hexDump(Uint8Array.from([...header, ...packet]), '')).join(''))
    for (const format of ['nsecpcap', 'pcapng']) {
      run('text2pcap', '-q', '-l', String(linkType), '-F', format, file('dump'), file('made'))
      const { interfaces } = await agrees(t, file('made'), packets.length)
      t.equal(interfaces[0].linkType, linkType === LINK_TYPE.rawDlt12 ? LINK_TYPE.raw : linkType, `${format}, link type ${linkType}`)
    }
  }
})

t.test('what tcpdump and tshark make of a file', needsCaptureFileTools, async t => {
  const { base, file } = workshop(t)
  for (const precision of ['micro', 'nano']) {
    run('tcpdump', '-Z', 'root', `--time-stamp-precision=${precision}`, '-r', base, '-w', file(precision))
    await agrees(t, file(precision), FRAMES.length)
  }
  for (const format of ['pcap', 'nsecpcap', 'pcapng']) {
    run('tshark', '-r', base, '-F', format, '-w', file(format))
    await agrees(t, file(format), FRAMES.length)
  }
})

/** Captures in a namespace of its own four datagrams, which are sent once the program says that it has begun. */
const capture = (program: string): string => run(...IN_NAMESPACE, 'bash', '-ec', `
  ip link set lo up
  exec 3< <(exec ${program} 2>&1)
  until [[ $line = *listening* || $line = *File:* ]]; do read -r line <&3 || exit 9; done
  for round in 1 2 3 4; do echo "datagram $round" > /dev/udp/127.0.0.1/1200; done
  cat <&3`)

t.test('live captures of tcpdump and dumpcap, one interface and all', needsCaptureTools, async t => {
  const { file } = workshop(t)
  for (const [at, linkType] of [['lo', LINK_TYPE.ethernet], ['any', LINK_TYPE.cooked2]] as const) {
    for (const precision of ['micro', 'nano']) {
      capture(`tcpdump -i ${at} -c 4 --time-stamp-precision=${precision} -w ${file(at)} udp`)
      t.equal((await agrees(t, file(at), 4)).interfaces[0].linkType, linkType, `tcpdump, ${at}, ${precision}`)
    }
  }
  capture(`dumpcap -f udp -i lo -i any -c 4 -w ${file('both')}`)
  const { interfaces, statistics } = await agrees(t, file('both'), 4)
  t.same(interfaces.map(each => each.name), ['lo', 'any'])
  t.same([...statistics.keys()], interfaces)
  for (const { received, dropped } of statistics.values()) t.same([typeof received, typeof dropped], ['bigint', 'bigint'])
})
