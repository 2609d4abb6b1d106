// Goldens: what a kernel may choose makes no difference, and every other change is found and named.
import t from 'tap'
import { parseEndpoint } from '../../napt/wire/address.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../napt/wire/frame.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { checkGolden, FIELD_CLASSES, formatGolden, formatGoldenReport, parseGolden, recordGolden, type GoldenReport } from '../../captures/index.js'
import { capture, capturesOf, DATA, FREEDOM, framesOf, message, PASSWORD, run, testDecoder, type Frames } from './support.js'

const options = { name: 'fig2', decoder: testDecoder, periodic: ['201'] }
const golden = recordGolden(await capturesOf(), options)
const check = async (frames: Frames): Promise<GoldenReport> => checkGolden(await capturesOf(frames), golden, { decoder: testDecoder })

/** Frames of the run with one frame of one interface changed, its checksums made right again. */
function changed(name: string, which: (frame: Uint8Array) => boolean, change: (frame: Uint8Array) => void, repair = true): Frames {
  const frames = framesOf()
  const frame = frames.get(name)!.find(({ bytes }) => which(bytes))!.bytes
  change(frame)
  if (!repair) return frames
  ipv4.writeChecksum(frame, 14)
  if (frame[23] === 17) udp.writeChecksum(frame, 14, 34)
  else tcp.writeChecksum(frame, 14, 34, frame.length)
  return frames
}
const payloadType = (type: number) => (frame: Uint8Array): boolean => frame[frame[23] === 17 ? 42 : 54] === type
const isSyn = (frame: Uint8Array): boolean => frame[23] === 6 && frame[47] === tcp.FLAG.syn
const swapped = <T>(list: readonly T[], a: number, b: number): T[] => list.map((each, at) => at === a ? list[b] : at === b ? list[a] : each)

t.test('the run itself', async t => {
  const report = await check(framesOf())
  t.match(report, { result: 'equal', ok: true, differences: [], missing: [], unexpected: [], uncaptured: [] })
  t.ok(report.compared > 60, `${report.compared} compared`)
  t.same(formatGoldenReport(report), [`✓ golden fig2: ${report.compared} packets and messages compared`])
})

t.test('what a kernel or a timer chooses makes no difference', async t => {
  const free = async (name: string, frames: Frames): Promise<void> => {
    const report = await check(frames)
    t.equal(report.result, 'equal', name)
    if (!report.ok) t.comment(formatGoldenReport(report).join('\n'))
  }
  await free('IP ID', framesOf(run({ ...FREEDOM, identification: 4321 })))
  await free('sequence numbers', framesOf(run({ ...FREEDOM, sequence: 987_654_321 })))
  await free('sequence numbers that wrap', framesOf(run({ ...FREEDOM, sequence: 0xffffffff - 300 })))
  await free('times', framesOf(run({ ...FREEDOM, start: 1n })))
  await free('the port that the kernel chose for 208', framesOf(run({ ...FREEDOM, ephemeral: 51234 })))
  await free('a random token', framesOf(run({ ...FREEDOM, token: 'zzzz' })))
  await free('segments of another size', framesOf(run({ ...FREEDOM, segment: 1000 })))
  await free('segments that cut messages', framesOf(run({ ...FREEDOM, segment: 11 })))
  await free('201 more often', framesOf(run({ ...FREEDOM, registrations: 7 })))
  await free('201 less often', framesOf(run({ ...FREEDOM, registrations: 1 })))
  await free('MAC addresses', changed('103', isSyn, frame => { frame[5] ^= 1 }))
  await free('the window', changed('103', isSyn, frame => { frame[34 + 15] ^= 1 }))
  await free('TCP options', withOptions())

  const again = framesOf()
  for (const [name, packets] of again) again.set(name, packets.flatMap(packet => packet.bytes[23] === 6 ? [packet, packet] : [packet]))
  await free('retransmissions', again)
  const late = framesOf()
  const lan = late.get('104b-lan')!
  const data = lan.findIndex(({ bytes }) => bytes.length > 300)
  late.set('104b-lan', swapped(lan, data, data + 1))
  await free('data segments that overtake each other', late)
  const silent = framesOf()
  for (const [name, packets] of silent) silent.set(name, packets.filter(({ bytes }) => !(bytes[23] === 6 && bytes.length === 54 && bytes[47] === tcp.FLAG.ack)))
  await free('acknowledgements without data', silent)
  const arp = framesOf()
  arp.get('103')!.unshift({ time: 1n, bytes: Uint8Array.from([...new Array<number>(12).fill(255), 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1, ...new Array<number>(20).fill(0)]) })
  arp.get('103')!.unshift({ time: 1n, bytes: Uint8Array.from([...new Array<number>(12).fill(255), 0x86, 0xdd, 0x60]) })
  await free('ARP and IPv6', arp)
  t.same((await check(arp)).ignored.get('103'), { 'arp': 1, 'not IPv4': 1 })
})

function withOptions(): Frames {
  const frames = framesOf()
  const packet = frames.get('104a-wan')!.find(({ bytes }) => isSyn(bytes))!
  const bytes = Uint8Array.from([...packet.bytes, 2, 4, 5, 0xb4])
  bytes[34 + 12] = 0x60
  bytes[17] += 4
  ipv4.writeChecksum(bytes, 14)
  tcp.writeChecksum(bytes, 14, 34, bytes.length)
  packet.bytes = bytes
  return frames
}

t.test('a changed field is found, with the frame, the interface and a cause', async t => {
  const only = async (frames: Frames): Promise<GoldenReport['differences'][number]> => {
    const report = await check(frames)
    t.equal(report.result, 'different')
    t.same([report.differences.length, report.missing.length, report.unexpected.length], [1, 0, 0], formatGoldenReport(report).join('\n'))
    return report.differences[0]
  }
  t.match(await only(changed('104b-wan', payloadType(205), frame => { frame[8 + 14]-- })),
    { interface: '104b-wan', packet: '← 205 connection request notification', field: 'TTL', wanted: '64', got: '63', cause: /router more or less/ })
  t.match(await only(changed('104b-wan', payloadType(205), frame => { frame[37]++ })), { interface: '104b-wan', field: 'DP', wanted: '3400', got: '3401' })
  t.match(await only(changed('101', isSyn, frame => { frame[35]++ })), { interface: '101', frame: 4, field: 'SP', wanted: '7000', got: '7001', cause: /port allocation/ })
  t.match(await only(changed('101', isSyn, frame => { frame[33]++ })), { field: 'DA', wanted: '130.74.23.6', got: '130.74.23.7' })
  t.match(await only(changed('101', isSyn, frame => { frame[20] = 0 })), { field: 'DF', wanted: '1', got: '0' })
  t.match(await only(changed('102', payloadType(217), frame => { frame[58]++ })), { interface: '102', packet: '→ 217 connection request', field: 'equipment ID', wanted: '2133', got: '3133' })
  t.match((await check(changed('101', payloadType(217), frame => { frame[54] = 99 }))).differences, [
    { frame: 7, field: 'packet', wanted: '217 connection request', got: 'data' }, { frame: 7, field: 'bytes', wanted: 'd9 at byte 0', got: '63 at byte 0' },
  ])
  t.match(await only(changed('104a-lan', frame => frame.length > 300, frame => { frame[100] ^= 1 })), { interface: '104a-lan', field: 'bytes', wanted: /^1160 bytes, sha256/ })
  const text = await only(changed('104a-lan', frame => Buffer.from(frame).includes('thanks'), frame => { frame[54] = 84 }))
  t.match(text, { field: 'bytes', wanted: '"thanks\\n"', got: '"Thanks\\n"' })
})

t.test('a wrong checksum is found before anything is left out', async t => {
  for (const [at, field] of [[24, 'ipv4 checksum'], [50, 'tcp checksum']] as const) {
    const report = await check(changed('104a-wan', isSyn, frame => { frame[at] ^= 1 }, false))
    t.match(report, { result: 'different', differences: [{ interface: '104a-wan', frame: 1, field, wanted: 'right', got: 'wrong' }], missing: [], unexpected: [] })
  }
  const identification = await check(changed('104a-wan', isSyn, frame => { frame[18] ^= 1 }, false))
  t.match(identification.differences, [{ field: 'ipv4 checksum' }], 'even where the field that was changed is not compared')
})

t.test('missing, unexpected and swapped packets', async t => {
  const frames = framesOf()
  frames.set('104b-lan', frames.get('104b-lan')!.filter(({ bytes }) => !payloadType(205)(bytes)))
  t.match(await check(frames), { differences: [], unexpected: [], missing: [{ interface: '104b-lan', packet: '← 205 connection request notification', flow: 'udp 192.168.1.3:2000 – 130.74.23.6:1200' }] })

  const more = framesOf()
  more.get('104b-wan')!.push({ time: 2n, bytes: udpFrame(parseEndpoint('8.117.12.109:9000'), parseEndpoint('202.204.16.13:3400'), Uint8Array.of(1)) })
  t.match(await check(more), { differences: [], missing: [], unexpected: [{ interface: '104b-wan', packet: '→ data', flow: 'udp 8.117.12.109:9000 – 202.204.16.13:3400' }] })
  const twice = framesOf()
  const packets = twice.get('104b-wan')!
  packets.push(packets.find(({ bytes }) => payloadType(205)(bytes))!)
  t.match(await check(twice), { differences: [], missing: [], unexpected: [{ packet: '← 205 connection request notification' }] })

  const order = framesOf() // the 201s and the 205 of one flow, so that it seems to begin at the server
  const lan = order.get('104b-lan')!
  order.set('104b-lan', swapped(lan, lan.findIndex(({ bytes }) => payloadType(205)(bytes)), 0))
  t.match(await check(order), { missing: [], unexpected: [], differences: [{ interface: '104b-lan', field: 'order' }] })
})

t.test('two packets of a flow in the other order', async t => {
  const A = parseEndpoint('192.168.1.3:2000'), B = parseEndpoint('130.74.23.6:1200')
  const packets = ['one', 'two', 'three'].map((text, at) => ({ time: BigInt(at), bytes: udpFrame(A, B, new TextEncoder().encode(text)) }))
  const three = recordGolden(new Map([['103', await capture(packets)]]), options)
  const report = checkGolden(new Map([['103', await capture(swapped(packets, 1, 2))]]), three, options)
  t.match(report, { result: 'different', compared: 3, missing: [], unexpected: [], differences: [{ field: 'order', cause: /swapped packets/ }] })
  t.equal(report.differences.length, 1)
})

t.test('a whole flow on another port is told once, not as a list of missing packets', async t => {
  const frames = framesOf()
  for (const { bytes } of frames.get('104b-wan')!) {
    if (bytes[23] !== 17) continue
    const at = bytes[34] === 3400 >> 8 ? 35 : 37
    bytes[at] += 1
    udp.writeChecksum(bytes, 14, 34)
  }
  const report = await check(frames)
  t.match(report, { missing: [], unexpected: [], differences: [{ packet: '→ 201 equipment registration', field: 'SP', wanted: '3400', got: '3401' }, { packet: '← 205 connection request notification', field: 'DP' }] })
})

t.test('a token that does not recur where it did', async t => {
  const report = await check(changed('101', payloadType(226), frame => { frame[frame.length - 1] = 98 }))
  t.match(report.differences, [{ interface: '101', packet: '← 226 connection request', field: 'request token', wanted: 'any 1', got: 'any 2' }])
})

t.test('a hole in a stream', async t => {
  const frames = framesOf()
  const lan = frames.get('104b-lan')!
  const middle = lan.findIndex(({ bytes }) => bytes.length > 300) + 1
  frames.set('104b-lan', lan.filter((_, at) => at !== middle))
  const report = await check(frames)
  t.ok(report.unexpected.some(each => each.packet === '→ gap of 400 bytes'), formatGoldenReport(report).join('\n'))
})

t.test('a connection on which both ends speak when they like', async t => {
  const A = parseEndpoint('202.204.16.13:2402'), B = parseEndpoint('4.17.168.2:5000')
  const ask = message(201, [['equipment ID', '1']]), tell = message(205, []), more = message(201, [['equipment ID', '2']])
  const of = async (order: readonly (readonly [forward: boolean, payload: Uint8Array])[]): Promise<Map<string, Awaited<ReturnType<typeof capture>>>> => {
    const next = { true: 1, false: 1 }
    const packets = order.map(([forward, payload], at) => {
      const sequence = next[`${forward}`]
      next[`${forward}`] += payload.length
      return { time: BigInt(at), bytes: tcpFrame(forward ? A : B, forward ? B : A, tcp.FLAG.ack, payload, { sequence }) }
    })
    return new Map([['104a-wan', await capture(packets)]])
  }
  const first = await of([[true, ask], [false, tell], [true, more]])
  const other = await of([[false, tell], [true, ask], [true, more]]), wrong = await of([[true, more], [false, tell], [true, ask]])
  const strict = recordGolden(first, options), free = parseGolden(formatGolden(recordGolden(first, { ...options, bothWays: [5000] })))
  t.match(checkGolden(other, strict, options).differences, [{ field: 'order' }])
  t.equal(checkGolden(other, free, options).result, 'equal')
  t.equal(checkGolden(wrong, free, options).result, 'different', 'each direction keeps its order')
})

t.test('a reset means nothing once both ends have closed, and something before', async t => {
  const ends = [parseEndpoint('192.168.1.3:2600'), parseEndpoint('130.74.23.6:1300')] as const
  const segment = (flags: number, isBack = false): { time: bigint, bytes: Uint8Array } =>
    ({ time: 0n, bytes: tcpFrame(ends[Number(isBack)], ends[Number(!isBack)], flags, new Uint8Array(0), { sequence: 1 }) })
  const { syn, fin, ack, rst } = tcp.FLAG
  const open = [segment(syn), segment(syn | ack, true)], closing = [segment(fin | ack, true), segment(fin | ack)]
  const of = async (...packets: { time: bigint, bytes: Uint8Array }[]) => new Map([['103', await capture(packets)]])
  const closed = recordGolden(await of(...open, ...closing), options)
  t.equal(checkGolden(await of(...open, ...closing, segment(rst)), closed, options).result, 'equal')
  t.match(checkGolden(await of(...open, closing[0], segment(rst)), closed, options), { result: 'different', unexpected: [{ packet: '→ RST' }] })
})

t.test('results that are not passes', async t => {
  const captures = await capturesOf()
  t.match(checkGolden(captures, null, options, 'nowhere'), { result: 'no golden', ok: false, golden: 'nowhere' })
  t.match(checkGolden(new Map(), golden, { ...options, partial: true }), { result: 'nothing compared', ok: false })
  const one = new Map([['103', captures.get('103')!]])
  t.match(checkGolden(one, golden, options), { result: 'different', ok: false, uncaptured: { length: 6 } })
  t.match(checkGolden(one, golden, { ...options, partial: true }), { result: 'equal', ok: true })
  const cut = { ...captures.get('103')!, packets: captures.get('103')!.packets.map((packet, at) => at === 0 ? { ...packet, originalLength: 2000 } : packet) }
  t.match(checkGolden(new Map([['103', cut]]), golden, { ...options, partial: true }).differences, [{ field: 'length', wanted: '2000 bytes' }])
  t.throws(() => recordGolden(new Map([['103', cut]]), options), /no golden was recorded: 103, frame 1: length/)
  t.throws(() => recordGolden(new Map(), options), /no IPv4 packet/)
})

t.test('two connections between the same ends, a refused one, and ICMP', async t => {
  const A = parseEndpoint('192.168.1.11:1500'), B = parseEndpoint('130.74.23.6:1201')
  const { syn, ack, rst } = tcp.FLAG
  const frames = (first: number, id: number, quoted: number): Uint8Array[] => [
    tcpFrame(A, B, syn, undefined, { sequence: first }), tcpFrame(A, B, syn, undefined, { sequence: first }),
    tcpFrame(B, A, rst | ack, undefined, { acknowledgement: first + 1 }),
    tcpFrame(A, B, syn, undefined, { sequence: first + 5000 }), tcpFrame(B, A, syn | ack, undefined, { sequence: 9, acknowledgement: first + 5001 }),
    icmpFrame(A.address, B.address, { type: 8, identifier: id, sequence: 1 }), icmpFrame(B.address, A.address, { type: 0, identifier: id, sequence: 1 }),
    icmpFrame(B.address, A.address, { type: 3, code: 3 }, udpFrame(parseEndpoint(`192.168.1.11:${quoted}`), B, new Uint8Array(9), { identification: id }).subarray(14, 42)),
  ]
  const of = async (list: Uint8Array[]): Promise<Map<string, Awaited<ReturnType<typeof capture>>>> => new Map([['102', await capture(list.map((bytes, at) => ({ time: BigInt(at), bytes })))]])
  const recorded = recordGolden(await of(frames(100, 77, 40000)), options)
  const packets = [...recorded.interfaces.values()].flat().map(flow => flow.entries.map(entry => `${entry.way} ${entry.packet}`))
  t.same(packets, [['→ SYN', '← RST'], ['→ SYN', '← SYN ACK'], ['→ echo request', '← echo reply', '← destination unreachable']])
  t.equal(checkGolden(await of(frames(70_000, 12, 50_001)), recorded, options).result, 'equal')
  t.match(checkGolden(await of(frames(100, 77, 1234)), recorded, options).differences, [{ field: 'quoted SP', wanted: 'any 1', got: '1234' }])
})

t.test('a golden is text that can be reviewed, and reads back to itself', async t => {
  const text = formatGolden(golden)
  t.same(formatGolden(parseGolden(text)), text)
  t.equal(checkGolden(await capturesOf(), parseGolden(text), options).result, 'equal')
  t.notMatch(text, PASSWORD)
  t.notMatch(text, Buffer.from(PASSWORD).toString('hex'))
  t.notMatch(text, /\b(4[0-9]{4}|aaaa)\b/, 'neither a chosen port nor a token')
  const lines = text.split('\n')
  t.ok(lines.some(line => /^ +- \{ way: →, packet: 217 connection request, header: \{.*password: •••• \(11 bytes\).*bytes: d9.*\.\./.test(line)), 'a message a line')
  t.ok(lines.some(line => /^ +flow: \{ protocol: tcp, SA: 192\.168\.1\.3, SP: \{ any: 1 \}, DA: 4\.17\.168\.2, DP: 5000 \}$/.test(line) || line.includes('- flow: { protocol: tcp, SA: 192.168.1.3, SP: { any: 1 }')), 'a flow a line')
})

t.test('what is no golden says where', async t => {
  const text = formatGolden(golden)
  const cases: [string, RegExp][] = [
    ['- a', /has no fields/], ['{', /not YAML/], ['golden: x\n', /a field 'format' should stand here/], [text.replace('format: 1', 'format: 9'), /format is 9.*Record it again/],
    [text.replace('way: →', 'way: up'), /interfaces: 101 1: entries 1: a way of → or ← should stand here/],
    [text.replace('SP: 3400', 'SP: [1]'), /flow: SP: fields should stand here/],
    [`${text}colour: blue\n`, /colour: there is no such field here \(known: golden, format/],
    [text.replace('{ way: →,', '{ ways: 1, way: →,'), /interfaces: 101 1: entries 1: ways: there is no such field here/],
    [text.replace('flow: { protocol', 'flow: { VLAN: 5, protocol'), /flow: VLAN: there is no such field here/],
    ['a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n', /g\.yaml:2: a golden has no aliases/],
  ]
  for (const [bad, sentence] of cases) t.throws(() => parseGolden(bad, 'g.yaml'), { name: 'GoldenError', message: sentence })
})

t.test('every field that the decoder knows has a class', async t => {
  const seen = new Set<string>()
  const { decode } = await import('../../captures/index.js')
  const frames = [...framesOf().values()].flat().map(({ bytes }) => bytes)
  frames.push(icmpFrame(0 as never, 0 as never, { type: 8 }), icmpFrame(0 as never, 0 as never, { type: 3 }, frames[0].subarray(14)))
  for (const { bytes } of withOptions().get('104a-wan')!) frames.push(bytes)
  for (const frame of frames) for (const layer of decode(frame).layers) for (const field of layer.fields) seen.add(`${layer.protocol}.${field.name}`)
  t.same([...seen].filter(name => !(name in FIELD_CLASSES)), [])
  t.same(Object.keys(FIELD_CLASSES).filter(name => !seen.has(name)), ['ipv4.options'], 'and the table has no other')
})

t.test('a large difference is still an answer', async t => {
  const A = parseEndpoint('192.168.1.3:2000'), B = parseEndpoint('130.74.23.6:1200')
  const list = (count: number, start: number): { time: bigint, bytes: Uint8Array }[] =>
    Array.from({ length: count }, (_, at) => ({ time: BigInt(at), bytes: udpFrame(A, B, new TextEncoder().encode(`${start + at}`)) }))
  const many = recordGolden(new Map([['103', await capture(list(2100, 0))]]), options)
  const report = checkGolden(new Map([['103', await capture(list(2101, 5000))]]), many, options)
  t.match(report, { result: 'different', compared: 2100, unexpected: { length: 1 } })
  t.equal(DATA.length, 1160)
  t.same(message(205, []), Uint8Array.of(205, 2))
})
