// One packet of a capture explained: from the verdict beside it, from its copies, or by a NAT.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CaptureStream, encodePcap, goldenCapture, KeyLog, PcapngWriter, type PacketFacts } from '../../captures/index.js'
import { PacketNamer } from '../../captures/show/naming.js'
import { PacketLook } from '../../captures/show/packet-look.js'
import { StreamKeys } from '../../captures/show/stream-keys.js'
import { explanationLines } from '../../cli/explain-text.js'
import { explainByNat, explainFrame } from '../../lab/explain/explain-frame.js'
import { natNamed } from '../../lab/read-nat.js'
import { translate } from '../../lab/translate/translate.js'
import { verdictComment } from '../../lab/recording/verdict-comment.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { DROP_REASON_NAMES, DROP_REASONS } from '../../napt/verdict.js'
import { udp } from '../napt/frames.js'

const folder = await mkdtemp(join(tmpdir(), 'naptlab-explain-'))
t.teardown(() => rm(folder, { recursive: true }))
let files = 0
const path = (): string => join(folder, `${files++}`)

const BEGIN = 1_700_000_000_000_000_000n
const OUT = udp('192.168.1.3:2000', '130.74.23.6:1200', 'hello'), OUT_AFTER = udp('202.204.16.13:3400', '130.74.23.6:1200', 'hello', { timeToLive: 63 })
const KNOCK = udp('8.117.12.109:9000', '202.204.16.13:3400', 'hi')

type Packet = readonly [bytes: Uint8Array, on: string, facts?: Partial<PacketFacts>]

/** A pcapng file with the packets a millisecond apart. */
function capture(...packets: readonly Packet[]): string {
  const file = path(), writer = new PcapngWriter(file), names = [...new Set(packets.map(([, name]) => name))]
  for (const name of names) writer.interface({ name, description: '', linkType: 1, snapLength: 0 })
  packets.forEach(([bytes, name, facts], i) => writer.packet(bytes, { interfaceId: names.indexOf(name), time: BEGIN + BigInt(i) * 1_000_000n, ...facts }))
  writer.close()
  return file
}

t.test('every reason for a drop, as it stands in a file', async t => {
  for (const reason of DROP_REASON_NAMES) {
    const record: TraceRecord = { time: BEGIN, action: 'drop', reason, received: { side: 'wan', frame: KNOCK } }
    const { passages: [passage], note } = await explainFrame(capture([KNOCK, '104b-wan', { direction: 'inbound', packetId: 1n, comment: verdictComment(record, '104b') }]), 1)
    t.equal(passage.headline, '104b  wan → lan  dropped  udp 8.117.12.109:9000 → 202.204.16.13:3400, 2 bytes')
    const { sentence, clause }: { sentence: string, clause?: string } = DROP_REASONS[reason]
    t.same(passage.details, [{ label: 'reason', text: `${reason}: ${sentence}` }, ...(clause === undefined ? [] : [{ label: 'rule', text: clause }])])
    t.same([passage.before, passage.after, note], [1, null, null])
    t.ok(passage.fields.every(({ after, isChanged }) => after === null && !isChanged))
  }
})

t.test('before and after, whichever of the copies is asked for', async t => {
  const record: TraceRecord = { time: BEGIN, action: 'forward', received: { side: 'lan', frame: OUT }, sent: { side: 'wan', frame: OUT_AFTER } }
  const file = capture([KNOCK, '101'], [OUT, '104b-lan', { direction: 'inbound', packetId: 7n, comment: verdictComment(record, '104b') }], [OUT_AFTER, '104b-wan', { direction: 'outbound', packetId: 7n }], [OUT_AFTER, '101', { packetId: 7n }])
  for (const frame of [2, 3, 4]) {
    const explanation = await explainFrame(file, frame)
    t.equal(explanation.passages.length, 1)
    const [{ router, before, after, fields }] = explanation.passages
    t.same([router, before, after], ['104b', 2, 3])
    const changed = fields.filter(({ isChanged }) => isChanged)
    t.same(changed.map(({ field }) => field), ['ipv4 TTL', 'ipv4 checksum', 'ipv4 SA', 'udp SP', 'udp checksum'])
    t.same(changed.filter(({ field }) => !field.endsWith('checksum')).map(({ before: was, after: is }) => [was, is]), [['64', '63'], ['192.168.1.3', '202.204.16.13'], ['2000', '3400']])
    for (const { field, before: was, after: is } of fields) if (field.endsWith('checksum')) t.match(`${was} ${is}`, /^0x[0-9a-f]{4} right 0x[0-9a-f]{4} right$/)
    t.same(explanation.copies.map(({ frame: number }) => number), [2, 3, 4].filter(each => each !== frame))
  }
  const lines = explanationLines(await explainFrame(file, 2), false), all = explanationLines(await explainFrame(file, 2), true)
  t.ok(lines.some(line => /^ {2}ipv4 SA +192\.168\.1\.3 +202\.204\.16\.13$/.test(line)))
  t.notOk(lines.some(line => line.includes('ipv4 DA')))
  t.ok(all.some(line => line.includes('ipv4 DA')), 'what stayed as it was, when asked for')
})

t.test('a packet that crossed two routers, seen from between them', async t => {
  const inside = udp('202.204.16.13:3400', '192.168.1.11:1600', 'hello', { timeToLive: 62 })
  const verdict = (router: string, from: 'lan' | 'wan', received: Uint8Array, sent: Uint8Array): string =>
    verdictComment({ time: BEGIN, action: 'forward', received: { side: from, frame: received }, sent: { side: from === 'lan' ? 'wan' : 'lan', frame: sent } }, router)
  const file = capture(
    [OUT, '104b-lan', { direction: 'inbound', packetId: 7n, comment: verdict('104b', 'lan', OUT, OUT_AFTER) }], [OUT_AFTER, '104b-wan', { direction: 'outbound', packetId: 7n }],
    [OUT_AFTER, '104a-wan', { direction: 'inbound', packetId: 7n, comment: verdict('104a', 'wan', OUT_AFTER, inside) }], [inside, '104a-lan', { direction: 'outbound', packetId: 7n }], [inside, '102', { packetId: 7n }],
  )
  t.same((await explainFrame(file, 5)).passages.map(({ router, before, after }) => [router, before, after]), [['104b', 1, 2], ['104a', 3, 4]])
  t.same((await explainFrame(file, 3)).passages.map(({ router }) => router), ['104a'], 'at a router\'s interface, that router')
})

t.test('without IDs and verdicts, copies are told by content and time', async t => {
  const later = { time: BEGIN + 5_000_000_000n }
  const file = capture([OUT, 'r-lan'], [OUT_AFTER, 'r-wan'], [KNOCK, 'r-wan'], [OUT, 'r-lan', later], [OUT_AFTER, 'r-wan', { time: BEGIN + 5_000_200_000n }])
  const first = await explainFrame(file, 1), last = await explainFrame(file, 5), alone = await explainFrame(file, 3)
  t.match(first.passages, [{ before: 1, after: 2, headline: 'r  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 5 bytes, as 202.204.16.13:3400 → 130.74.23.6:1200' }])
  t.match(first.note, /nothing of why; the copies were found by their content/)
  t.match(last.passages, [{ before: 4, after: 5 }])
  t.same(alone.passages, [])
  t.match(alone.note, /no verdict of r on this frame, and no copy/)
  t.match((await explainFrame(capture([OUT, 'eth1'], [OUT_AFTER, 'eth0']), 2)).passages, [{ before: 1, after: 2 }], 'whatever the interfaces are called')
  t.match((await explainFrame(capture([OUT, 'eth1']), 1)).note, /at eth1 alone.*--nat/)
})

t.test('by a NAT, as the file that translate writes says', async t => {
  const file = path(), output = path()
  const frames = [OUT, udp('130.74.23.6:1200', '192.168.1.3:2000', 'answer'), udp('8.117.12.109:9000', '192.168.1.3:2000', 'knock'), udp('192.168.1.3:1', '192.168.1.4:1')]
  writeFileSync(file, encodePcap(frames.map((bytes, i) => ({ time: BEGIN + BigInt(i), bytes, originalLength: bytes.length }))))
  await translate({ file }, { nat: natNamed('symmetric'), output })
  for (const [frame, written] of [[1, 1], [2, 3], [3, 5]]) {
    const [ours] = (await explainByNat(file, frame, { nat: natNamed('symmetric') })).passages, [theirs] = (await explainFrame(output, written)).passages
    t.same([ours.headline, ours.details, ours.fields], [theirs.headline, theirs.details, theirs.fields])
    t.ok(ours.details.length >= 3 && ours.fields.length > 10)
  }
  t.match((await explainByNat(file, 3, { nat: natNamed('symmetric') })).passages[0].headline, 'dropped')
  t.match((await explainByNat(file, 3, { nat: natNamed('full-cone') })).passages[0].headline, 'forwarded')
  const aside = await explainByNat(file, 4, { nat: natNamed('symmetric') })
  t.same([aside.passages.length, aside.note], [0, 'the NAT does not get this frame: it is between hosts of the LAN'])
})

t.test('frames that are not there', async t => {
  const file = capture([OUT, 'a'], [OUT_AFTER, 'b'])
  await t.rejects(explainFrame(file, 3), { name: 'NoSuchFrameError', message: /has 2 frames; there is no frame 3/ })
  await t.rejects(explainFrame(join(folder, 'nowhere'), 1), { name: 'CaptureFileError' })
  const cut = path(), whole = encodePcap([OUT, KNOCK].map(bytes => ({ time: BEGIN, bytes, originalLength: bytes.length })))
  writeFileSync(cut, whole.subarray(0, whole.length - 1))
  await t.rejects(explainFrame(cut, 2), { name: 'CaptureFileError', offset: whole.length - KNOCK.length - 16, message: /frame 2 is behind 1 good ones and damage/ })
})

t.test('what a file says cannot steer a terminal', async t => {
  const lines = explanationLines(await explainFrame(capture([OUT, '104b-lan', { packetId: 1n, direction: 'inbound', comment: '104b\x1b[2J  dropped\n  reason  \x07x' }]), 1), false)
  t.notOk(lines.some(line => /\p{Cc}/u.test(line)))
  t.match(lines.join('\n'), /104b\\u001b\[2J {2}dropped/)
})

t.test('what is under TLS is named as show names it, on every side of the routers; values stay where they are', async t => {
  for (const [golden, wanted] of [['fig2', ['217 connection request', '226 connection request', '212 client hello']], ['fig2-ssl3-dhe', ['217 connection request', '226 connection request']]] as const) {
    const file = goldenCapture(golden), stream = await CaptureStream.open(file), look = new PacketLook(new PacketNamer(new StreamKeys(stream), stream.names))
    const frames = new Map<string, number[]>()
    for await (const batch of stream.batches()) {
      for (const packet of batch) {
        look.load(packet)
        const title = look.name?.title ?? ''
        frames.set(title, [...frames.get(title) ?? [], packet.number])
      }
    }
    for (const title of wanted) {
      const copies = [...frames].filter(([name]) => name.startsWith(title)).flatMap(([, numbers]) => numbers)
      t.ok(copies.length >= 4, `${golden}: ${title} is in frames ${copies.join(', ')}`)
      for (const frame of copies) {
        const explained = await explainFrame(file, frame), text = explanationLines(explained, true).join('\n')
        t.match(explained.summary, title, `${golden}, frame ${frame}`)
        if (!title.includes('hello')) t.equal(explained.payload, title)
        t.notMatch(text, /open sesame|password/)
      }
    }
  }
})

t.test('without keys it says what it can, and a key log beside opens it', async t => {
  const stream = await CaptureStream.open(goldenCapture('fig2')), file = path(), writer = new PcapngWriter(file), known = new Map<number, number>()
  let wanted = 0
  const look = new PacketLook(new PacketNamer(new StreamKeys(stream), stream.names))
  for await (const batch of stream.batches()) {
    for (const packet of batch) {
      const { interface: { id, name, description, linkType } } = packet, own = known.get(id) ?? writer.interface({ name, description, linkType, snapLength: 0 })
      known.set(id, own)
      look.load(packet)
      if (wanted === 0 && look.name?.title.startsWith('217') === true) wanted = packet.number
      const { time, packetId, direction, comment } = packet
      writer.packet(packet.bytes, { interfaceId: own, time, comment, ...packetId === null ? {} : { packetId }, ...direction === null ? {} : { direction } })
    }
  }
  writer.close()
  t.match((await explainFrame(file, wanted)).summary, 'no keys.log')
  const keys = new KeyLog('keys.log')
  keys.add(stream.keyLog)
  t.match((await explainFrame(file, wanted, keys)).summary, '217 connection request')
})
