// Ladders from capture files: our own with sides, IDs and comments, and what others write: two files of a NAT's two sides, one of
// all interfaces, one of a single cable. Each says what was sent, once.
import { join } from 'node:path'
import t from 'tap'
import {
  CaptureStream, Correlator, decodePayload, encodePcap, FIG1_TOPOLOGY, figureLayouts, foldRepeats, ladderOfCaptures, ladderOfStream, ladderToText, PcapngWriter,
  type CapturedPacket, type Ladder, type LadderEntry, type LadderPacket, type PacketFacts, type InterfacePacket,
} from '../../../captures/index.js'
import { LadderOfPackets, MOST_KEPT_BYTES } from '../../../captures/ladder/from-packets.js'
import { goldenFolder } from '../../../captures/regression/golden-file.js'
import { parseEndpoint, parseIpv4 } from '../../../napt/wire/address.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import { FLAG } from '../../../napt/wire/tcp.js'
import { writeFileSync } from 'node:fs'
import { framesOf, recordsOf, testDecoder } from '../support.js'

const START = 1_700_000_000_000_000_000n, MILLISECOND = 1_000_000n
const options = { title: 'made up', decoder: testDecoder, figures: figureLayouts() }

const line = (entry: LadderEntry): string => entry.kind === 'step' ? `${entry.lane} ${entry.name}` : [
  entry.title, [entry.hops[0]?.from, ...entry.hops.map(hop => hop.to)].join(' '), entry.hops.map(hop => hop.label).join(' '),
  entry.figures.map(({ figure, ok }) => figure + (ok ? '✓' : '✗')).join(' '), entry.drop === undefined ? '' : `dropped at ${entry.drop.lane}: ${entry.drop.reason}`,
].filter(Boolean).join(' | ')
const shown = ({ entries }: Pick<Ladder, 'entries'>): string[] => entries.map(entry => `${line(entry)}${entry.kind === 'packet' && entry.count > 1 ? ` ×${entry.count}` : ''}`)

type Sent = readonly [milliseconds: number, frame: Uint8Array]
const packetsOf = (sent: readonly Sent[]): CapturedPacket[] =>
  sent.map(([at, bytes], index) => ({ number: index + 1, time: START + BigInt(Math.round(at * 1000)) * 1000n, bytes, originalLength: bytes.length }))
const [HOST, PUBLIC, SERVER] = ['192.168.1.3:2000', '202.204.16.13:3400', '130.74.23.6:1200'].map(parseEndpoint)
const text = (content: string): Uint8Array => new TextEncoder().encode(content)
/** On the LAN, and one hop later on the WAN. */
const outbound = (at: number, content: string, identification: number): [lan: Sent, wan: Sent] => [
  [at, udpFrame(HOST, SERVER, text(content), { identification, timeToLive: 64 })], [at + 0.1, udpFrame(PUBLIC, SERVER, text(content), { identification, timeToLive: 63 })],
]
const inbound = (at: number, content: string, identification: number): [wan: Sent, lan: Sent] => [
  [at, udpFrame(SERVER, PUBLIC, text(content), { identification, timeToLive: 60 })], [at + 0.1, udpFrame(SERVER, HOST, text(content), { identification, timeToLive: 59 })],
]

/** Writes a pcapng file and reads the ladder of it. */
async function ladderOf(folder: string, interfaces: readonly string[], packets: readonly (readonly [of: string, frame: Uint8Array, facts?: Partial<PacketFacts>])[], more: Partial<Parameters<typeof ladderOfStream>[1]> = {}, names: Readonly<Record<string, string>> = {}): Promise<Ladder> {
  const file = join(folder, 'made-up.pcapng'), writer = new PcapngWriter(file)
  for (const name of interfaces) writer.interface({ name, description: '', linkType: 1, snapLength: 0 })
  writer.names(new Map(Object.entries(names).map(([address, name]) => [parseIpv4(address), name])))
  packets.forEach(([of, frame, facts], at) => { writer.packet(frame, { interfaceId: interfaces.indexOf(of), time: START + BigInt(at) * MILLISECOND, ...facts }) })
  writer.close()
  return await ladderOfStream(await CaptureStream.open(file), { ...options, ...more })
}

t.test('a run on every interface: what the routers would have said live', async t => {
  const correlator = new Correlator(FIG1_TOPOLOGY, options)
  const live = [...recordsOf().flatMap(record => correlator.push(record)), ...correlator.flush()]
  const captures = new Map([...framesOf()].map(([name, packets]) => [name, packets.map((packet, index) => ({ number: index + 1, originalLength: packet.bytes.length, ...packet }))]))
  const ladder = ladderOfCaptures(captures, options)
  t.same(shown(ladder), shown({ entries: foldRepeats(live.filter(entry => entry.kind === 'step' || !entry.isDetail)) }))
  t.same(ladder.lanes, [
    { name: '102', address: '192.168.1.11' }, { name: '104a', address: '4.17.168.2', isRouter: true }, { name: '101', address: '130.74.23.6' },
    { name: '104b', address: '202.204.16.13', isRouter: true }, { name: '103', address: '192.168.1.3' },
  ])
  t.same(ladder.notes, [])
  t.same(shown(ladderOfCaptures(captures, { ...options, detail: true })), live.map(line), 'and every packet, on request')
  const routers = new Map([...captures].filter(([name]) => name.includes('-')))
  t.same(shown(ladderOfCaptures(routers, options)).map(each => each.split(' | ')[0]), shown(ladder).map(each => each.split(' | ')[0]), 'without the hosts, whose lanes are addresses then')
})

const IN_THE_CLEAR = ['201', '211', '217', '205', '221', '226', '208']
const NUMBERED = { 'fig2-none': IN_THE_CLEAR, fig2: ['201', '211', '212', '213', '217', '205', '221', '222', '223', '226', '208'] }
for (const [name, numbers] of Object.entries(NUMBERED)) {
  t.test(`golden ${name}: every packet of the document, in its order, and its figures hold`, async t => {
    const ladder = await ladderOfStream(await CaptureStream.open(join(goldenFolder(name), 'capture.pcapng')), { ...options, decoder: decodePayload })
    const packets = ladder.entries.filter((entry): entry is LadderPacket => entry.kind === 'packet')
    t.same(packets.flatMap(({ title }) => /^\d{3}/.exec(title)?.[0] ?? []), numbers)
    const marks = packets.flatMap(packet => packet.figures)
    t.same([...new Set(marks.map(({ figure }) => figure))].sort(), ['7A', '7B', '7C', '7D', '8A', '8B', '8C', '8D'])
    t.ok(marks.every(mark => mark.ok))
    t.same(packets.filter(({ drop }) => drop !== undefined), [], 'nothing was lost on its way through a router')
    const call = packets.find(({ title }) => title === '208 TCP connection start')
    t.match(call?.hops.map(({ from, to }) => `${from} ${to}`), ['103 104b', '104b 104a', '104a 102'])
    t.match(call?.hops[1]?.addresses, ['202.204.16.13', '4.17.168.2'])
  })
}

t.test('two files from the sides of a NAT that nobody named', async t => {
  const [a1, b1] = outbound(0, 'hello', 7), [b2, a2] = inbound(5, 'welcome', 900), [a3, b3] = outbound(9, 'hello', 8)
  const stranger: Sent = [7, udpFrame(parseEndpoint('8.117.12.109:9000'), PUBLIC, text('knock'))]
  const lost: Sent = [11, udpFrame(HOST, parseEndpoint('8.117.12.109:9000'), text('out'))]
  const arrow = (title: string, way: string, labels: string): string => `${title} | ${way} | ${labels}`
  const wanted = [
    arrow('udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes', '192.168.1.3 NAT 130.74.23.6', '2000→1200 3400→1200'),
    arrow('udp 130.74.23.6:1200 → 202.204.16.13:3400, 7 bytes', '130.74.23.6 NAT 192.168.1.3', '1200→3400 1200→2000'),
    `${arrow('udp 8.117.12.109:9000 → 202.204.16.13:3400, 5 bytes', '8.117.12.109 NAT', '9000→3400')} | dropped at NAT: no copy of it left on the LAN side`,
    arrow('udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes', '192.168.1.3 NAT 130.74.23.6', '2000→1200 3400→1200'),
    `${arrow('udp 192.168.1.3:2000 → 8.117.12.109:9000, 3 bytes', '192.168.1.3 NAT', '2000→9000')} | dropped at NAT: no copy of it left on the WAN side`,
  ]
  const inside = [a1, a2, a3, lost], outside = [b1, b2, stranger, b3]
  const ladder = ladderOfCaptures(new Map([['dump1', packetsOf(inside)], ['dump2', packetsOf(outside)]]), options)
  t.same(shown(ladder), wanted)
  t.match(ladder.notes, [/^NAT was found by 3 packets .* its LAN on dump1, its WAN on dump2$/])
  t.same(ladder.lanes.map(lane => lane.name), ['192.168.1.3', 'NAT', '130.74.23.6', '8.117.12.109'])
  const late = inside.map(([at, frame]): Sent => [at + 0.15, frame])
  t.same(shown(ladderOfCaptures(new Map([['x', packetsOf(outside)], ['y', packetsOf(late)]]), options)).sort(), [...wanted].sort(), 'clocks that differ turn no arrow')
  t.same(shown(ladderOfCaptures(new Map([['gw-lan', packetsOf(inside)], ['gw-wan', packetsOf(outside)]]), options)), wanted.map(each => each.replaceAll('NAT', 'gw')), 'and with names')
  const far = outside.map(([at, frame]): Sent => [at + 400, frame])
  t.match(shown(ladderOfCaptures(new Map([['lan', packetsOf(inside)], ['wan', packetsOf(far)]]), options))[0], 'no copy of it left on the WAN side', 'copies too far apart are not one packet')
  t.same(shown(ladderOfCaptures(new Map([['lan', packetsOf(inside)], ['wan', packetsOf(far)]]), { ...options, window: 1_000_000_000n }))[0], `${wanted[0]} ×2`, 'unless that is asked for')
})

t.test('all interfaces of a NAT in one capture', async t => {
  const sent = [outbound(0, 'hello', 7), inbound(5, 'welcome', 900)].flat()
  const ladder = ladderOfCaptures(new Map([['any', packetsOf(sent)]]), options)
  t.same(shown(ladder).map(each => each.split(' | ')[1]), ['192.168.1.3 NAT 130.74.23.6', '130.74.23.6 NAT 192.168.1.3'])
  t.match(ladder.notes, [/both on any$/])
})

t.test('what a router says itself is no packet that it dropped', async t => {
  const [a, b] = outbound(0, 'hello', 7)
  const peer = parseEndpoint('9.9.9.9:53'), own = parseEndpoint('202.204.16.13:5353')
  const wan: Sent[] = [b, [2, udpFrame(own, peer, text('query'))], [3, udpFrame(peer, own, text('answer'))]]
  t.same(shown(ladderOfCaptures(new Map([['lan', packetsOf([a])], ['wan', packetsOf(wan)]]), options)).slice(1), [
    'udp 202.204.16.13:5353 → 9.9.9.9:53, 5 bytes | NAT 9.9.9.9 | 5353→53', 'udp 9.9.9.9:53 → 202.204.16.13:5353, 6 bytes | 9.9.9.9 NAT | 53→5353',
  ])
})

t.test('our own file: packet IDs, the verdict in the comment, names', async t => {
  const [lan, wan] = outbound(0, 'hello', 7).map(([, frame]) => frame), [back, home] = inbound(0, 'hi', 8).map(([, frame]) => frame)
  const stranger = udpFrame(parseEndpoint('8.117.12.109:9000'), PUBLIC, text('knock'))
  const ping = icmpFrame(HOST.address, parseIpv4('192.168.1.1'), { type: 8 }), pong = icmpFrame(parseIpv4('192.168.1.1'), HOST.address, { type: 0 })
  const ladder = await ladderOf(t.testdir(), ['104b-lan', '104b-wan', '101'], [
    ['104b-lan', ping, { direction: 'inbound', packetId: 1n, comment: '104b  lan → lan  answered  icmp 192.168.1.3 → 192.168.1.1, echo request' }],
    ['104b-lan', pong, { direction: 'outbound', packetId: 1n }],
    ['104b-lan', lan, { direction: 'inbound', packetId: 2n, comment: '104b  lan → wan  held  udp …, until ARP answers' }],
    ['104b-wan', wan, { direction: 'outbound', packetId: 2n }],
    ['101', wan, { direction: 'inbound', packetId: 2n }],
    ['101', back, { direction: 'outbound', packetId: 3n }],
    ['104b-wan', back, { direction: 'inbound', packetId: 3n, comment: '104b  wan → lan  forwarded  udp …\n  mapping  …' }],
    ['104b-lan', home, { direction: 'outbound', packetId: 3n }],
    ['104b-wan', stranger, { direction: 'inbound', packetId: 4n, comment: '104b  wan → lan  dropped  udp …\n  mapping  …\n  reason   filtered: the WAN port is mapped, but nothing was sent\n  rule     RFC 4787 REQ-8' }],
    ['104b-wan', stranger, { direction: 'inbound', packetId: 5n, comment: '104b  wan → lan  dropped  udp …\n  reason   not-for-router: of a neighbour' }],
  ], {}, { '192.168.1.3': '103', '130.74.23.6': '101', '202.204.16.13': '104b', '192.168.1.1': '104b', '8.117.12.109': '12' })
  t.same(shown(ladder), [
    'icmp 192.168.1.3 → 192.168.1.1, echo request | 103 104b | echo request', 'icmp 192.168.1.1 → 192.168.1.3, echo reply | 104b 103 | echo reply',
    'udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes | 103 104b 101 | 2000→1200 3400→1200',
    'udp 130.74.23.6:1200 → 202.204.16.13:3400, 2 bytes | 101 104b 103 | 1200→3400 1200→2000',
    'udp 8.117.12.109:9000 → 202.204.16.13:3400, 5 bytes | 12 104b | 9000→3400 | dropped at 104b: filtered: the WAN port is mapped, but nothing was sent',
  ])
  t.same(ladder.entries.map(entry => entry.kind === 'packet' ? entry.frames : []), [[1], [2], [3, 4], [7, 8], [9]], 'and the numbers of its frames')
})

t.test('hairpinning: both copies are on the LAN', async t => {
  const other = parseEndpoint('192.168.1.4:2001'), mapped = parseEndpoint('202.204.16.13:3401')
  const ladder = await ladderOf(t.testdir(), ['104b-lan', '104b-wan'], [
    ['104b-lan', udpFrame(HOST, mapped, text('psst')), { direction: 'inbound', packetId: 1n }], ['104b-lan', udpFrame(PUBLIC, other, text('psst')), { direction: 'outbound', packetId: 1n }],
  ])
  t.same(shown(ladder), ['udp 192.168.1.3:2000 → 202.204.16.13:3401, 4 bytes | 192.168.1.3 104b 192.168.1.4 | 2000→3401 3400→2001'])
})

t.test('a cable that no router is known of: lanes are addresses, who says most first, the rest share one', async t => {
  const server = parseEndpoint('10.0.0.1:80')
  const sent = Array.from({ length: 12 }, (_, host): Sent[] => Array.from({ length: 12 - host }, (_, nth): Sent => [
    host * 20 + nth, tcpFrame(parseEndpoint(`10.0.0.${host + 2}:4000`), server, FLAG.ack | FLAG.psh, text(`${nth}`), { sequence: nth * 7, acknowledgement: 1 }),
  ])).flat()
  const ladder = ladderOfCaptures(new Map([['eth0', packetsOf(sent)]]), { ...options, mostLanes: 4 })
  t.same(ladder.lanes, [...['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map(name => ({ name, address: name })), { name: 'others', address: '9 addresses' }])
  t.same(shown(ladder).slice(0, 4), ['data | 10.0.0.2 10.0.0.1 | 4000→80 ×12', 'data | 10.0.0.3 10.0.0.1 | 4000→80 ×11', 'data | 10.0.0.4 10.0.0.1 | 4000→80 ×10', 'data, 10.0.0.5 → 10.0.0.1 | others 10.0.0.1 | 4000→80 ×9'])
  t.same(ladder.notes, ['9 addresses that say least share a lane'])
})

t.test('what is too much is left out and said', async t => {
  const sent = Array.from({ length: 5000 }, (_, at): Sent => [at, udpFrame(parseEndpoint(`10.0.${at >> 8}.${at & 255}:9`), SERVER, text(`${at}`))])
  const ladder = ladderOfCaptures(new Map([['eth0', packetsOf(sent)]]), { ...options, most: 20 })
  t.equal(ladder.entries.length, 20)
  t.ok(ladder.lanes.length <= 9)
  t.match(ladderToText(ladder), /left out: 1 line and 4979 packets\n$/)
  t.match(ladderOfCaptures(new Map(), options), { lanes: [], entries: [], notes: ['there is no packet to draw'] })
})

t.test('many packets of which no copy left share one line, in a time that grows with them', async t => {
  const side = (id: number, name: string): InterfacePacket['interface'] => ({ id, name, description: '', linkType: 1, snapLength: 0 })
  const [lan, wan] = [side(0, 'gw-lan'), side(1, 'gw-wan')], payload = new Uint8Array(40), peer = parseEndpoint('130.74.23.6:80'), host = parseEndpoint('192.168.1.3:4000')
  const ladder = new LadderOfPackets([lan, wan], options), count = 30_000
  for (let number = 1; number <= count; number++) {
    const bytes = tcpFrame(host, peer, FLAG.ack | FLAG.psh, payload, { sequence: number, acknowledgement: 1 })
    ladder.add({ number, time: START + BigInt(number) * 1000n, bytes, originalLength: bytes.length, interface: lan, direction: null, packetId: null, comment: '' })
  }
  const { entries } = ladder.finish()
  t.match(entries, [{ title: 'data', count, drop: { lane: 'gw' } }])
  t.equal(entries.length, 1)
})

const gateway = ['gw-lan', 'gw-wan', 'host'].map((name, id): InterfacePacket['interface'] => ({ id, name, description: '', linkType: 1, snapLength: 0 }))

for (const seen of [['gw-lan'], ['gw-lan', 'host'], ['gw-wan', 'host']]) {
  t.test(`many packets of 16 kB on ${seen.join(' and ')} that pair with nothing: what is kept stays within its bound, and each is told of`, async t => {
    const ladder = new LadderOfPackets(gateway, { ...options, most: Infinity }), count = 6000
    const frame = udpFrame(parseEndpoint('192.168.1.3:4000'), parseEndpoint('130.74.23.6:80'), new Uint8Array(16_000))
    let most = 0
    for (let number = 1; number <= count; number++) {
      const bytes = frame.slice(), on = seen[number % seen.length]
      new DataView(bytes.buffer).setUint32(100, number)
      const from = gateway.find(({ name }) => name === on) ?? gateway[0]
      ladder.add({ number, time: START + BigInt(number), bytes, originalLength: bytes.length, interface: from, direction: null, packetId: null, comment: '' })
      most = Math.max(most, ladder.keptBytes)
    }
    t.ok(most <= MOST_KEPT_BYTES, `${most} bytes at most`)
    t.ok(most > MOST_KEPT_BYTES / 4, 'though packets did wait')
    const { entries, notes } = ladder.finish()
    t.equal(ladder.keptBytes, 0)
    t.equal(entries.reduce((sum, entry) => sum + (entry.kind === 'packet' ? entry.count : 0), 0), count, 'none is lost')
    t.match(notes?.join(' '), /no room was left to wait for other copies of \d+ packets/)
  })
}

t.test('what a file can make large counts: comments, and frames of link types that are not Ethernet', async t => {
  const ladder = new LadderOfPackets(gateway, options), comment = 'c'.repeat(65_000)
  let most = 0
  for (let number = 1; number <= 2000; number++) {
    ladder.add({ number, time: START + BigInt(number), bytes: new Uint8Array(40), originalLength: 40, interface: { ...gateway[2], linkType: 147 }, direction: null, packetId: null, comment })
    most = Math.max(most, ladder.keptBytes)
  }
  t.ok(most <= MOST_KEPT_BYTES && most > MOST_KEPT_BYTES / 4, `${most} bytes at most`)
  t.equal(ladder.finish().entries.length, 0)
})

t.test('a selection: either copy of a packet will do', async t => {
  const [a, b] = outbound(0, 'hello', 7), [c, d] = inbound(5, 'welcome', 900)
  const selected = (port: number): Ladder => ladderOfCaptures(new Map([['lan', packetsOf([a, d])], ['wan', packetsOf([b, c])]]), {
    ...options, select: ({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getUint16(34) === port,
  })
  t.same(shown(selected(3400)).map(each => each.split(' | ')[1]), ['192.168.1.3 NAT 130.74.23.6'])
  t.same(shown(selected(2000)), shown(selected(3400)))
  t.same(shown(selected(7)), [])
})

t.test('link types of others: raw IP, Linux cooked, and one that is not known', async t => {
  const frame = udpFrame(HOST, SERVER, text('hello')), ip = frame.subarray(14)
  for (const [linkType, head, count] of [[101, 0, 1], [113, 16, 1], [276, 20, 1], [0, 4, 1], [147, 0, 0]] as const) {
    const header = new Uint8Array(head)
    if (linkType === 0) header.set([2]) // AF_INET
    if (linkType === 113) header.set([8, 0], 14)
    if (linkType === 276) header.set([8, 0], 0)
    const file = join(t.testdir(), 'raw.pcapng'), writer = new PcapngWriter(file)
    writer.packet(Buffer.concat([header, ip]), { interfaceId: writer.interface({ name: '', description: '', linkType, snapLength: 0 }), time: START })
    writer.close()
    const { entries } = await ladderOfStream(await CaptureStream.open(file), options)
    t.equal(entries.filter(entry => entry.kind === 'packet' && entry.hops.length === 1).length, count, `link type ${linkType}`)
  }
})

t.test('a file that is cut: the ladder of what came before', async t => {
  const file = join(t.testdir(), 'cut.pcap'), bytes = encodePcap(packetsOf([outbound(0, 'hello', 7)[0], inbound(5, 'welcome', 900)[1]]))
  writeFileSync(file, bytes.subarray(0, bytes.length - 3))
  const stream = await CaptureStream.open(file)
  t.equal((await ladderOfStream(stream, options)).entries.length, 1)
  t.match(stream.damage?.message, 'cut')
})
