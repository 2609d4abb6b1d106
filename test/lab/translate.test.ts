// Capture files through a NAT: as live, the same every time, both ways from a client's trace, and whole whatever comes in.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CaptureStream, encodePcap, goldenCapture, PcapngWriter, readCaptures, type InterfacePacket } from '../../captures/index.js'
import { decode } from '../../captures/decode/decode.js'
import { fig1 } from '../../lab/benches/fig1.js'
import { natNamed } from '../../lab/read-nat.js'
import type { TranslateInput } from '../../lab/translate/sources.js'
import { Nowhere } from '../../lab/translate/sink.js'
import { putThrough, translate, type TranslateOptions, type TranslateReport } from '../../lab/translate/translate.js'
import { verdictComment } from '../../lab/recording/verdict-comment.js'
import { parseIpv4, parsePrefix } from '../../napt/wire/address.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { fold, pseudoHeaderSum } from '../../napt/wire/checksum.js'
import { altered, icmpError, IP, ping, pong, tcp, TRANSPORT, udp } from '../napt/frames.js'
import { piece } from '../napt/translation/fragment-frames.js'

const folder = await mkdtemp(join(tmpdir(), 'naptlab-translate-'))
t.teardown(() => rm(folder, { recursive: true }))
let files = 0
const path = (): string => join(folder, `${files++}`)

const BEGIN = 1_700_000_000_000_000_000n
const SECOND = 1_000_000_000n

/** A pcap file of frames, a millisecond apart; a number is a pause in seconds. */
function capture(...items: readonly (Uint8Array | number)[]): string {
  let time = BEGIN
  const file = path(), packets = items.flatMap(item => {
    time += typeof item === 'number' ? BigInt(item) * SECOND : 1_000_000n
    return typeof item === 'number' ? [] : [{ time, bytes: item, originalLength: item.length }]
  })
  writeFileSync(file, encodePcap(packets))
  return file
}

async function packetsOf(file: string): Promise<InterfacePacket[]> {
  const stream = await CaptureStream.open(file), packets: InterfacePacket[] = []
  for await (const batch of stream.batches()) packets.push(...batch)
  t.equal(stream.damage, null)
  return packets
}

interface Done { readonly report: TranslateReport, readonly packets: readonly InterfacePacket[] }

async function through(input: TranslateInput, nat = 'rfc-recommended', options: Partial<TranslateOptions> = {}): Promise<Done> {
  const output = path(), report = await translate(input, { nat: natNamed(nat), output, ...options })
  return { report, packets: await packetsOf(output) }
}

/** Short enough for a difference to be read. */
const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 60)).toString('hex') + (bytes.length > 60 ? ` ${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}` : '')
const isIp = ({ bytes }: { readonly bytes: Uint8Array }): boolean => ethernet.type(bytes, 0) === ethernet.TYPE.ipv4
const on = (packets: readonly InterfacePacket[], name: string, direction?: string): string[] =>
  packets.filter(each => each.interface.name === name && (direction === undefined || each.direction === direction)).map(({ bytes }) => hex(bytes.subarray(ethernet.HEADER)))
const datagrams = (packets: readonly { readonly bytes: Uint8Array }[]): string[] => packets.filter(isIp).map(({ bytes }) => hex(bytes.subarray(ethernet.HEADER)))

const OUT = udp('192.168.1.3:2000', '130.74.23.6:1200', 'question')
const ANSWER = udp('130.74.23.6:1200', '192.168.1.3:2000', 'answer')
const STRANGER = udp('8.117.12.109:9000', '192.168.1.3:2000', 'knock')

const GOLDEN = goldenCapture('fig2-none'), golden = await readCaptures(GOLDEN)

/** One interface of the golden as a pcap file. */
function recordedAt(name: string): string {
  const file = path()
  writeFileSync(file, encodePcap(golden.get(name)?.packets ?? []))
  return file
}

for (const router of ['104a', '104b']) {
  const description = fig1.routers?.[router]
  const options = {
    nat: { name: 'fig1', nat: description?.nat as Readonly<Record<string, unknown>> }, lan: parsePrefix('192.168.1.0/24'), lanAddress: parseIpv4('192.168.1.1'), name: router,
  }
  const inputs: readonly (readonly [string, TranslateInput, Partial<TranslateOptions>])[] = [
    ['one file', { file: GOLDEN }, { router }], ['a file for each side', { lan: recordedAt(`${router}-lan`), wan: recordedAt(`${router}-wan`) }, {}],
  ]
  for (const [what, input, more] of inputs) t.test(`as live: what ${router} got gives what it sent, from ${what}`, async t => {
    const { packets, report } = await through(input, 'rfc-recommended', { ...options, ...more })
    t.equal(report.wanAddress, parseIpv4(description?.wan.address ?? ''), 'the WAN address is found in the files')
    t.same(report.damage, [])
    for (const side of ['lan', 'wan'] as const) {
      // Sorted, because live a packet waits while its next hop is asked for.
      const sentOn = (all: readonly InterfacePacket[]): string[] =>
        all.filter(each => each.interface.name === `${router}-${side}` && each.direction === 'outbound' && isIp(each)).map(({ bytes }) => hex(bytes)).sort()
      const wanted = sentOn(golden.get(`${router}-${side}`)?.packets ?? [])
      t.ok(wanted.length > 10)
      t.same(sentOn(packets), wanted, `${side}, MAC addresses and all`)
    }
  })
}

t.test('the same file every time, and another one with another seed', async t => {
  const input = capture(OUT, ANSWER, ...Array.from({ length: 50 }, (_, i) => udp(`192.168.1.4:${3000 + i}`, '130.74.23.6:1200', String(i))))
  const nat = { name: 'random', nat: { portAllocation: 'random' } }
  const bytes = async (seed: number): Promise<Buffer> => {
    const { report } = await through({ file: input }, 'symmetric', { nat, seed })
    return readFileSync(report.output)
  }
  const first = await bytes(1)
  t.ok(first.equals(await bytes(1)))
  t.notOk(first.equals(await bytes(2)))
})

t.test('a client\'s trace passes the NAT both ways, and comes back as it was', async t => {
  for (const name of ['103', '104b-lan']) {
    const { packets, report } = await through({ file: recordedAt(name) }, 'symmetric')
    t.same(on(packets, 'NAT-lan'), datagrams(golden.get(name)?.packets ?? []), `${name}: the LAN is as it was`)
    t.ok(report.answers > 10)
    t.equal(report.counters.forwarded.lan + report.counters.forwarded.wan, report.arrived.lan + report.arrived.wan, 'nothing was dropped')
    t.equal(on(packets, 'NAT-wan').length, on(packets, 'NAT-lan').length)
  }
})

t.test('what is turned back: every kind of packet', async t => {
  const question = ping('192.168.1.3', '130.74.23.6', 7)
  const LONG = udp('130.74.23.6:1200', '192.168.1.3:2000', 'x'.repeat(600), { identification: 9 })
  const frames = [
    OUT, ANSWER, question, pong('130.74.23.6', '192.168.1.3', 7),
    icmpError('8.8.8.8', '192.168.1.3', 11, 0, OUT), icmpError('8.8.8.8', '192.168.1.3', 3, 1, question),
    tcp('192.168.1.3:2600', '130.74.23.6:1300', 'SYN'), tcp('130.74.23.6:1300', '192.168.1.3:2600', 'SYN ACK'),
    piece(LONG, 0, 400), piece(LONG, 400), altered(ANSWER, TRANSPORT + 6, 0, 0),
  ]
  const { packets, report } = await through({ file: capture(...frames) })
  t.same(report.counters.dropped, Object.fromEntries(Object.keys(report.counters.dropped).map(reason => [reason, 0])))
  t.same(on(packets, 'NAT-lan'), frames.map(frame => hex(frame.subarray(ethernet.HEADER))))
  for (const { bytes, interface: { name } } of packets) {
    for (const { checksum = 'right', protocol } of decode(bytes).layers) t.ok(['right', 'absent'].includes(checksum), `${name} ${protocol}`)
  }
  const [error] = packets.filter(({ bytes, interface: { name } }) => name === 'NAT-wan' && bytes[IP + 9] === 1 && bytes[TRANSPORT] === 11)
  t.equal(decode(error.bytes).layers.at(-1)?.fields.find(({ name }) => name === 'SA')?.value, '203.0.113.1', 'the quoted packet is that of the WAN')
})

t.test('the filter: a stranger who was seen on the LAN does not get through every NAT', async t => {
  const input = { file: capture(OUT, ANSWER, STRANGER) }
  const cases = [['full-cone', 'forwarded'], ['port-restricted-cone', 'filtered'], ['symmetric', 'filtered']] as const
  for (const [nat, outcome] of cases) {
    const { packets, report } = await through(input, nat), last = packets.filter(({ direction }) => direction === 'inbound').at(-1)
    t.match(last?.comment, outcome, nat)
    t.equal(report.counters.forwarded.wan, outcome === 'forwarded' ? 2 : 1)
  }
})

t.test('the copies of a packet, their IDs and the verdict', async t => {
  const { packets } = await through({ file: capture(OUT, ANSWER) })
  t.same(packets.map(({ interface: { name }, direction, packetId }) => [name, direction, packetId]), [
    ['NAT-lan', 'inbound', 1n], ['NAT-wan', 'outbound', 1n], ['NAT-wan', 'inbound', 2n], ['NAT-lan', 'outbound', 2n],
  ])
  t.same(packets.map(({ comment }) => comment), [
    `NAT  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 8 bytes, as 203.0.113.1:2000 → 130.74.23.6:1200
  mapping  192.168.1.3:2000 = 203.0.113.1:2000, endpoint-independent, new
  filter   address and port-dependent: lets 130.74.23.6:1200 in
  state    none → open, 5 min 0 s left`, '',
    `NAT  wan → lan  forwarded  udp 130.74.23.6:1200 → 203.0.113.1:2000, 6 bytes, as 130.74.23.6:1200 → 192.168.1.3:2000
  mapping  192.168.1.3:2000 = 203.0.113.1:2000, endpoint-independent
  filter   address and port-dependent: not asked again: the session is known
  state    open, 5 min 0 s left`, '',
  ])
  for (const [comments, wanted] of [['none', 0], ['drops', 1], ['all', 4]] as const) {
    const done = await through({ file: capture(OUT, ANSWER, STRANGER, STRANGER, 400, ping('192.168.1.3', '130.74.23.6', 7)) }, 'full-cone', { comments })
    t.equal(done.packets.filter(({ comment }) => comment !== '').length, comments === 'all' ? 5 : 0, `${comments}: nothing is dropped`)
    const dropping = await through({ file: capture(OUT, ANSWER, STRANGER, OUT) }, 'symmetric', { comments })
    t.equal(dropping.packets.filter(({ comment }) => comment !== '').length, wanted, comments)
  }
})

t.test('words that were written before are those that would be written', async t => {
  // Two flows, lengths that recur, pauses that change the time left, flags, a message and a wrong checksum among them.
  const flow = (port: number): (Uint8Array | number)[] => [
    tcp(`192.168.1.3:${port}`, '130.74.23.6:1300', 'SYN'), tcp('130.74.23.6:1300', `192.168.1.3:${port}`, 'SYN ACK'), tcp(`192.168.1.3:${port}`, '130.74.23.6:1300', 'ACK'),
    ...[1, 1, 70, 1, 300].flatMap(pause => [
      pause, tcp(`192.168.1.3:${port}`, '130.74.23.6:1300', 'ACK', 'data'), tcp('130.74.23.6:1300', `192.168.1.3:${port}`, 'ACK PSH', 'atad'),
      udp(`192.168.1.3:${port}`, '130.74.23.6:1200', 'data'), udp('130.74.23.6:1200', `192.168.1.3:${port}`, 'data'), altered(udp(`192.168.1.3:${port}`, '130.74.23.6:1200', 'data'), TRANSPORT + 6, 1, 2),
    ]),
    tcp(`192.168.1.3:${port}`, '130.74.23.6:1300', 'FIN ACK'), tcp('130.74.23.6:1300', `192.168.1.3:${port}`, 'FIN ACK'), tcp(`192.168.1.3:${port}`, '130.74.23.6:1300', 'ACK'),
  ]
  const file = capture(...flow(2600), ...flow(2601)), input = recordedAt('103')
  for (const each of [file, input]) {
    const words: string[] = []
    await putThrough({ file: each }, new Nowhere(), { nat: natNamed('rfc-recommended') }, { passed: (_number, record) => words.push(verdictComment(record, 'NAT')), setAside: () => undefined })
    const { packets } = await through({ file: each })
    t.ok(words.length > 60)
    t.same(packets.filter(({ direction }) => direction === 'inbound').map(({ comment }) => comment), words)
  }
})

t.test('time is the packets\' own: a mapping lapses, and what comes of time alone has its own time', async t => {
  const lapsed = await through({ file: capture(OUT, 301, ANSWER) })
  t.equal(lapsed.report.counters.dropped['no-mapping'], 1)
  // RFC 5382 REQ-4: an unsolicited SYN is answered after 6 s.
  const SYN = tcp('130.74.23.6:1300', '203.0.113.1:9', 'SYN')
  const { packets } = await through({ file: capture(OUT, SYN, 60, OUT) })
  const error = packets.find(({ direction, bytes }) => direction === 'outbound' && bytes[IP + 9] === 1)
  t.equal(error?.interface.name, 'NAT-wan')
  t.equal(error?.time, BEGIN + 2_000_000n + 6n * SECOND)
  t.match(error?.comment, /^NAT {6}→ wan {2}sent {2}icmp/)
})

t.test('checksums that a card was to finish are complete behind the NAT; packets that were cut stay so', async t => {
  const partial = altered(OUT, TRANSPORT + 6, 0, 0), sum = fold(pseudoHeaderSum(partial, IP, 17, 16))
  partial.set([sum >>> 8, sum & 255], TRANSPORT + 6)
  const { packets: [received, sent] } = await through({ file: capture(partial) })
  t.equal(decode(received.bytes).layers.at(-1)?.checksum, 'partial')
  t.equal(decode(sent.bytes).layers.at(-1)?.checksum, 'right')

  const file = path(), whole = udp('192.168.1.3:2000', '130.74.23.6:1200', 'x'.repeat(500))
  writeFileSync(file, encodePcap([{ time: BEGIN, bytes: whole.subarray(0, 96), originalLength: whole.length }]))
  const cut = await through({ file }), { packets: [expected] } = { packets: (await through({ file: capture(whole) })).packets.slice(1) }
  t.same(cut.packets.map(({ bytes, originalLength }) => [bytes.length, originalLength]), [[96, whole.length], [96, whole.length]])
  t.equal(hex(cut.packets[1].bytes), hex(expected.bytes.subarray(0, 96)))
})

t.test('whatever the link: raw IP, Linux cooked, VLAN tags', async t => {
  const wanted = (await through({ file: capture(OUT, ANSWER) })).packets
  const cooked = (frame: Uint8Array): Uint8Array => Uint8Array.of(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, ...frame.subarray(ethernet.HEADER))
  const links: readonly (readonly [linkType: number, frame: (frame: Uint8Array) => Uint8Array])[] = [
    [101, frame => frame.slice(ethernet.HEADER)], [113, cooked], [1, frame => Uint8Array.of(...frame.subarray(0, 12), 0x81, 0, 0, 5, ...frame.subarray(12))],
  ]
  for (const [linkType, frame] of links) {
    const file = path(), writer = new PcapngWriter(file), only = writer.interface({ name: 'any', description: '', linkType, snapLength: 0 })
    for (const each of [OUT, ANSWER]) writer.packet(frame(each), { interfaceId: only, time: BEGIN })
    writer.close()
    const { packets } = await through({ file })
    for (const side of ['NAT-lan', 'NAT-wan']) t.same(on(packets, side), on(wanted, side), `link type ${linkType}, ${side}`)
  }
})

t.test('what the NAT does not get is set aside, and counted', async t => {
  const arp = altered(udp('192.168.1.3:1', '192.168.1.4:1'), 12, 8, 6)
  const { report } = await through({ file: capture(OUT, arp, udp('192.168.1.3:5353', '192.168.1.9:5353'), udp('1.1.1.1:1', '2.2.2.2:2')) })
  t.same(report.aside, { 'not-ipv4': 1, 'within-lan': 1, 'neither-side': 1 })
  t.same(report.arrived, { lan: 1, wan: 0 })
})

/** Two routers' interfaces in one file, as a run records them. */
function sidesByName(): string {
  const file = path(), writer = new PcapngWriter(file)
  const names = ['104a-lan', '104a-wan', '104b-lan', '101'], [lan, wan, other, host] = names.map(name => writer.interface({ name, description: '', linkType: 1, snapLength: 0 }))
  writer.packet(OUT, { interfaceId: lan, time: BEGIN, direction: 'inbound' })
  writer.packet(udp('4.17.168.2:7000', '130.74.23.6:1200', 'question'), { interfaceId: wan, time: BEGIN, direction: 'outbound' })
  writer.packet(udp('130.74.23.6:1200', '4.17.168.2:2000', 'answer'), { interfaceId: wan, time: BEGIN + 1n, direction: 'inbound' })
  writer.packet(ANSWER, { interfaceId: lan, time: BEGIN + 1n, direction: 'outbound' })
  writer.packet(OUT, { interfaceId: other, time: BEGIN + 2n, direction: 'inbound' })
  writer.packet(OUT, { interfaceId: host, time: BEGIN + 2n, direction: 'inbound' })
  writer.close()
  return file
}

t.test('sides by the names of interfaces', async t => {
  const file = sidesByName()
  const { report, packets } = await through({ file }, 'rfc-recommended', { router: '104a', name: 'X' })
  t.same(report.arrived, { lan: 1, wan: 1 })
  t.same(report.aside, { 'sent-by-router': 2, 'other-interface': 2 })
  t.same(packets.map(({ interface: { name } }) => name), ['X-lan', 'X-wan', 'X-wan', 'X-lan'], 'the WAN address is that of the file, and the port is kept')
  await t.rejects(through({ file }), { message: /several routers \(104a, 104b\): say with --router/ })
  await t.rejects(through({ file }, 'rfc-recommended', { router: '9' }), { message: /no interfaces of a router '9' \(it has those of 104a, 104b\)/ })
})

t.test('a damaged file: what was good passes, the damage is named, and the output is whole', async t => {
  const whole = readFileSync(capture(OUT, ANSWER, OUT)), file = path()
  writeFileSync(file, whole.subarray(0, whole.length - 5))
  const { report, packets } = await through({ file })
  t.equal(packets.length, 4)
  t.match(report.damage, [{ offset: whole.length - OUT.length - 16, found: /record 3 holds \d+ of its/ }])
})

t.test('nothing is left behind when it cannot be', async t => {
  const output = path()
  const attempt = (input: string, options: Partial<TranslateOptions> = {}): Promise<unknown> => translate({ file: input }, { nat: natNamed('symmetric'), output, ...options })
  await t.rejects(attempt(capture(udp('1.1.1.1:1', '2.2.2.2:2'))), { message: /which side is the LAN cannot be told.*--lan/ })
  await t.rejects(attempt(join(folder, 'not-there')), { message: /cannot be read/ })
  await t.rejects(attempt(capture(OUT), { wanAddress: parseIpv4('192.168.7.7') }), { message: /wan\.address 192\.168\.7\.7 lies in the LAN's network/ })
  await t.rejects(translate({ file: capture(OUT) }, { nat: natNamed('symmetric'), output: join(folder, 'no', 'such', 'folder') }), { code: 'ENOENT' })
  t.notOk(existsSync(output) || existsSync(`${output}.part`))
})
