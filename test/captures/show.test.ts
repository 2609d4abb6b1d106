// `show` as text: lines of a run by the documents' names, verdicts, names and keys; and that the short way to a line says what the
// long one does, over every kind of packet.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CaptureStream, encodePcap, readKeyLog, type KeyLog } from '../../captures/index.js'
import { parseFilter } from '../../captures/filter/index.js'
import type { ShownTime } from '../../captures/show/columns.js'
import { FramesError, parseFrames } from '../../captures/show/frames.js'
import { show, type ShowOptions } from '../../captures/show/show.js'
import { StreamKeys } from '../../captures/show/stream-keys.js'
import { verdictIn } from '../../captures/show/verdict.js'
import { parseEndpoint, parseIpv4 } from '../../napt/wire/address.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../napt/wire/frame.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { COMMENT, damaged, FORWARDED, goldenPackets, NAMES, writeFile } from './capture-files.js'
import { randomBytes } from './support.js'

async function textOf(file: string, options: Partial<ShowOptions> = {}, keyLog: KeyLog | null = null): Promise<{ lines: string[], stream: CaptureStream }> {
  const stream = await CaptureStream.open(file), pieces: Uint8Array[] = []
  for await (const piece of show(stream, { keys: new StreamKeys(stream, keyLog), ...options })) pieces.push(piece)
  return { lines: Buffer.concat(pieces).toString().split('\n').slice(0, -1), stream }
}

const A = parseEndpoint('192.168.1.3:2000'), B = parseEndpoint('130.74.23.6:1200'), C = parseEndpoint('10.0.0.9:443')
const words = (lines: readonly string[]): string[] => lines.map(line => line.replace(/^ *\d+ +\S+ {2}/, ''))

t.test('a run in the clear, by the documents\' numbers', async t => {
  const file = join(t.testdir(), 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen.filter(each => each.interface.startsWith('104')))
  const { lines } = await textOf(file)
  t.equal(lines.length, seen.filter(each => each.interface.startsWith('104')).length)
  for (const wanted of [
    '104b-lan  udp 192.168.1.3:2000 → 130.74.23.6:1200, 201 equipment registration',
    '104b-wan  udp 202.204.16.13:3400 → 130.74.23.6:1200, 201 equipment registration',
    '104a-wan  tcp 4.17.168.2:7000 → 130.74.23.6:1201, 211 TCP connection start',
    '104a-lan  tcp 192.168.1.11:1500 → 130.74.23.6:1201, 217 connection request',
    '104b-lan  udp 130.74.23.6:1200 → 192.168.1.3:2000, 205 connection request notification',
    '104b-wan  tcp 202.204.16.13:2401 → 130.74.23.6:1300, 221 TCP connection start',
    '104b-lan  tcp 130.74.23.6:1300 → 192.168.1.3:2600, 226 connection request',
  ]) t.ok(words(lines).includes(wanted), wanted)
  t.match(words(lines).find(line => line.includes('208') && line.startsWith('104a-lan')), /→ 192\.168\.1\.11:1600, 208 TCP connection start$/, '208 has its name behind the static mapping too')
  t.match(lines[0], /^ {5}1 {7}0\.000 {2}\S/)
})

t.test('an encrypted run: named with the keys of the file, called encrypted without', async t => {
  const folder = t.testdir(), { seen, keyLog } = await goldenPackets('fig2')
  const wan = seen.filter(each => each.interface === '104a-wan')
  writeFile(join(folder, 'with.pcapng'), wan, { keyLog, names: NAMES })
  writeFile(join(folder, 'without.pcapng'), wan)
  writeFileSync(join(folder, 'keys.log'), keyLog)
  const opened = (await textOf(join(folder, 'with.pcapng'))).lines, sealed = (await textOf(join(folder, 'without.pcapng'))).lines
  t.ok(words(opened).includes('104a-wan  tcp 104a:7000 → 101:1201, 217 connection request'))
  t.ok(words(opened).some(line => line.endsWith('212 client hello, 215 key information')))
  t.ok(words(sealed).some(line => line.endsWith('4.17.168.2:7000 → 130.74.23.6:1201, encrypted of 211 (no keys.log)')))
  t.notOk(sealed.join('\n').includes('217 connection'))
  const { lines } = await textOf(join(folder, 'without.pcapng'), {}, readKeyLog(join(folder, 'keys.log')))
  t.ok(lines.some(line => line.includes('217 connection request')), 'with a key log beside the file')
  const numeric = (await textOf(join(folder, 'with.pcapng'), { isNumeric: true })).lines
  t.ok(numeric.some(line => line.includes('4.17.168.2:7000 → 130.74.23.6:1201, 217')), 'addresses in digits on request')
})

t.test('the same addresses in another system have other numbers', async t => {
  const file = join(t.testdir(), 'fig13.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen, { names: new Map([[parseIpv4('130.74.23.6'), '11']]) })
  const { lines } = await textOf(file)
  t.ok(lines.some(line => line.endsWith('217 connection request')), 'a message says itself what it is')
  t.notOk(lines.some(line => line.includes('211 TCP') || line.includes('of 211')), 'a connection does not')
})

t.test('both ways to a line give the same text', async t => {
  const folder = t.testdir(), random = randomBytes('both ways')
  const clear = await goldenPackets('fig2-none'), sealed = await goldenPackets('fig2'), old = await goldenPackets('fig2-tls1.2-rsa')
  const payload = (first: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at === 0 ? first : random.next().value)
  const plain = Array.from({ length: 3000 }, (_, at) => at % 2 === 0
    ? udpFrame(at % 4 === 0 ? A : C, at % 6 === 0 ? B : C, payload(at & 255, at % 70))
    : tcpFrame(C, at % 3 === 0 ? B : A, at & 255, payload(at >>> 3 & 255, at % 50), { sequence: at * 1000 }))
  const hello = Uint8Array.of(22, 3, 1, 0, 200, 1, ...payload(0, 60))
  const bases = [
    ...plain.slice(0, 60), tcpFrame(C, A, FLAG.psh | FLAG.ack, hello), tcpFrame(C, A, FLAG.ack, payload(7, 900)), tcpFrame(A, C, FLAG.rst), tcpFrame(C, A, FLAG.syn),
    tcpFrame(C, B, FLAG.ack, Uint8Array.of(22)), icmpFrame(A.address, B.address, { type: 8, identifier: 3 }), ...clear.seen.slice(0, 120).map(each => each.packet.bytes),
  ]
  const absent = udpFrame(A, C, payload(9, 20))
  absent.set([0, 0], 40)
  const options = Uint8Array.from([...absent.subarray(0, 34), 1, 1, 1, 0, ...absent.subarray(34)])
  ipv4.setLengths(options, 14, 24, options.length - 14)
  ipv4.writeChecksum(options, 14)
  const tagged = plain.slice(0, 40).map(frame => Uint8Array.from([...frame.subarray(0, 12), 0x81, 0, 0, 7, ...frame.subarray(12)]))
  const more = [...plain, absent, options, new Uint8Array(0), ...bases, ...tagged, ...damaged([...bases, ...tagged.slice(0, 4)], 60, 'both ways, damaged')]
  const files = { clear, sealed, old }
  for (const [name, { seen, keyLog }] of Object.entries(files)) {
    const file = join(folder, `${name}.pcapng`)
    writeFile(file, seen, { keyLog, more, ...(name === 'sealed' ? { names: NAMES } : {}), comment: at => at % 50 === 0 ? COMMENT : at % 7 === 0 ? FORWARDED : '' })
    const fast = await textOf(file), slow = await textOf(file, { isSlow: true })
    t.equal(fast.lines.length, seen.length + more.length)
    t.ok(fast.lines.join('\n') === slow.lines.join('\n'), name)
    const different = fast.lines.findIndex((line, at) => line !== slow.lines[at])
    if (different >= 0) t.same(fast.lines[different], slow.lines[different])
  }
})

t.test('other link types say the same, and tags say nothing', async t => {
  const folder = t.testdir(), frames = [udpFrame(A, C, Uint8Array.of(9)), tcpFrame(C, A, FLAG.syn), icmpFrame(A.address, B.address, { type: 8 })]
  const ethernet = join(folder, 'ethernet.pcapng'), cooked = [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0]
  writeFile(ethernet, [], { more: frames })
  const wanted = (await textOf(ethernet)).lines.map(line => line.slice(line.search(/udp|tcp|icmp/)))
  const variants: readonly (readonly [number, (ip: Uint8Array) => Uint8Array])[] = [[101, ip => ip], [228, ip => ip], [113, ip => Uint8Array.from([...cooked, ...ip])], [1, ip => Uint8Array.from([...frames[0].subarray(0, 12), 0x81, 0, 0, 7, 8, 0, ...ip])]]
  for (const [linkType, wrap] of variants) {
    const file = join(folder, `${linkType}.pcapng`)
    writeFile(file, [], { linkType, more: frames.map(frame => wrap(frame.subarray(14))) })
    for (const isSlow of [false, true]) t.same((await textOf(file, { isSlow })).lines.map(line => line.slice(line.search(/udp|tcp|icmp/))), wanted, `${linkType}`)
    t.equal((await textOf(file, { filter: parseFilter('port 2000') })).lines.length, 2)
  }
})

t.test('TLS of anybody: its hellos without keys; with some it is followed', async t => {
  const folder = t.testdir(), { seen, keyLog } = await goldenPackets('fig2'), moved = seen.filter(each => each.interface === '104a-wan').map(each => {
    const bytes = Uint8Array.from(each.packet.bytes)
    bytes[30 + 3] ^= 1 // no longer 101: 130.74.23.7 and the like
    bytes[26 + 3] ^= 1
    return { ...each, packet: { ...each.packet, bytes } }
  })
  writeFile(join(folder, 'without.pcapng'), moved)
  writeFile(join(folder, 'with.pcapng'), moved, { keyLog })
  const without = (await textOf(join(folder, 'without.pcapng'))).lines, opened = (await textOf(join(folder, 'with.pcapng'))).lines
  t.ok(without.some(line => line.includes('130.74.23.7:1201, client hello')))
  t.ok(without.some(line => line.includes(', server hello')))
  t.notOk(without.some(line => line.includes('217 connection') || line.includes('encrypted')))
  t.ok(opened.some(line => line.includes('130.74.23.7:1201, 217 connection request')), 'the checksum is wrong, the message is right')
})

t.test('what a router did stands behind a packet', async t => {
  t.same(verdictIn(COMMENT), { router: '104b', path: 'wan → lan', outcome: 'dropped', reason: 'filtered' })
  t.same(verdictIn(`a remark of somebody\n${FORWARDED}`), { router: '104b', path: 'lan → wan', outcome: 'forwarded', reason: null })
  t.same(verdictIn('104a      → wan  sent  arp who has 130.74.23.6? tell 4.17.168.2'), { router: '104a', path: '→ wan', outcome: 'sent', reason: null })
  t.equal(verdictIn('it was dropped on the floor'), null)
  t.equal(verdictIn(''), null)
  const file = join(t.testdir(), 'drops.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen.slice(0, 30), { comment: at => at === 3 ? COMMENT : at === 4 ? FORWARDED : '' })
  const { lines } = await textOf(file)
  t.match(lines[3], / {2}\[104b dropped: filtered\]$/)
  t.match(lines[4], / {2}\[104b forwarded\]$/)
  t.equal(lines.filter(line => line.endsWith(']')).length, 2)
  const painted = await textOf(file, { paint: (text, style) => `<${style}>${text}</>`, count: 5 })
  t.match(painted.lines[3], /<bad>\[104b dropped: filtered\]<\/>$/)
  t.match(painted.lines[4], /<dim>/)
})

t.test('times, frames and counts', async t => {
  const file = join(t.testdir(), 'times.pcap'), frame = udpFrame(A, C, Uint8Array.of(9, 9)), start = 1_700_000_000_000_001_500n
  const times = [0n, 1_500_000n, 999_999_999n, 3_600_000_000_000n, -2_000_500n]
  writeFileSync(file, encodePcap(times.map(each => ({ time: start + each, bytes: frame, originalLength: frame.length }))))
  const column = async (time: ShownTime): Promise<string[]> => (await textOf(file, { time })).lines.map(line => /^ *\d+ +(\S+)/.exec(line)?.[1] ?? '')
  t.same(await column('relative'), ['0.000', '1.500', '999.999', '3600000.000', '-2.001'])
  t.same(await column('delta'), ['0.000', '1.500', '998.499', '3599000.000', '-3600002.001'])
  t.same(await column('absolute'), ['2023-11-14T22:13:20.000001Z', '2023-11-14T22:13:20.001501Z', '2023-11-14T22:13:21.000001Z', '2023-11-14T23:13:20.000001Z', '2023-11-14T22:13:19.998001Z'])
  t.match((await textOf(file)).lines[0], / {2}udp 192\.168\.1\.3:2000 → 10\.0\.0\.9:443, 2 bytes$/, 'an interface without a name has no column')
  const numbers = async (options: Partial<ShowOptions>): Promise<number[]> => (await textOf(file, options)).lines.map(line => parseInt(line))
  t.same(await numbers({ frames: parseFrames('2-3,5') }), [2, 3, 5])
  t.same(await numbers({ frames: parseFrames('4-') }), [4, 5])
  t.same(await numbers({ count: 2 }), [1, 2])
  t.same(await numbers({ frames: parseFrames('3-'), count: 1 }), [3])
  for (const wrong of ['', '0', '5-2', 'a', '1,,2', '1-2-3', '-4']) t.throws(() => parseFrames(wrong), FramesError, wrong)
})

t.test('all fields, with their bytes; no secret', async t => {
  const file = join(t.testdir(), 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen, { names: NAMES, comment: at => at === 2 ? COMMENT : '' })
  const filter = parseFilter('packet 217')
  const { lines } = await textOf(file, { form: 'details', filter }), text = lines.join('\n')
  const bytes = seen.find(({ packet }) => Buffer.from(packet.bytes).includes('2133'))?.packet.bytes ?? new Uint8Array(0)
  t.match(text, / {4}ipv4, checksum right\n/)
  t.match(text, /\d+ {2}82 4a 17 06 +DA +130\.74\.23\.6 \(101\)\n/)
  t.match(text, / {4}217 connection request\n +\d+ {2}32 31 33 33 +equipment ID +2133\n/)
  t.match(text, /•• \(\d+ bytes\) +password +•••• \(\d+ bytes\)\n/)
  t.ok(bytes.length > 0)
  const password = Buffer.from(seen.find(({ packet }) => Buffer.from(packet.bytes).subarray(54).includes(Buffer.from([1, 217])))?.packet.bytes ?? [])
  const json = (await textOf(file, { form: 'json-details', filter })).lines.join('\n')
  const at = password.indexOf('2133') + 4 + 3, secret = password.subarray(at, at + password.readUInt16BE(at - 2))
  t.ok(secret.length > 4, 'the password of the run')
  for (const shown of [text, json]) {
    t.notOk(shown.includes(secret.toString('latin1')))
    t.notOk(shown.replaceAll(' ', '').includes(secret.toString('hex').slice(0, 8)))
  }
  const whole = (await textOf(file, { form: 'details', frames: parseFrames('3') })).lines
  for (const line of COMMENT.split('\n')) t.ok(whole.includes(`      ${line}`), line)
})

t.test('JSON: an object a line', async t => {
  const file = join(t.testdir(), 'run.pcapng'), { seen } = await goldenPackets('fig2-none')
  writeFile(file, seen.slice(0, 80), { names: NAMES, comment: at => at === 0 ? `${COMMENT}\n\u009b31m` : '' })
  const { lines } = await textOf(file, { form: 'json' })
  t.equal(lines.length, 80)
  t.notMatch(lines[0], /\u009b/, 'a terminal finds nothing to act on')
  const objects = lines.map(line => JSON.parse(line) as Record<string, unknown>)
  t.equal(objects[0].comment, `${COMMENT}\n\u009b31m`)
  t.match(objects[0].verdict, { router: '104b', outcome: 'dropped', reason: 'filtered' })
  const registration = objects.find(each => each.name === '201 equipment registration')
  t.match(registration, {
    frame: Number, time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/, relative: Number, interface: /^10/, protocol: 'udp', length: Number, captured: Number, direction: null, packetId: null,
    source: { port: Number }, destination: { address: '130.74.23.6', port: 1200 }, checksums: { ipv4: 'right', udp: 'right' }, defect: null,
    messages: [{ number: '201', name: 'equipment registration', fields: { 'equipment ID': '2133' } }],
  })
  t.equal(objects[0].layers, undefined)
  const [detailed] = (await textOf(file, { form: 'json-details', count: 1 })).lines
  t.match((JSON.parse(detailed) as { layers: unknown[] }).layers[0], { name: 'ethernet', fields: [{ name: 'destination', offset: 0, length: 6, bytes: /^[0-9a-f]{12}$/ }, {}, {}] })
})

t.test('what comes out of a file does not steer a terminal', async t => {
  const file = join(t.testdir(), 'evil.pcapng'), { seen } = await goldenPackets('fig2-none')
  const evil = '\x1b]0;pwned\x07\u202e', [first] = seen
  writeFile(file, [{ interface: `lan${evil}`, packet: first.packet }], { names: new Map([[parseIpv4('130.74.23.6'), `101${evil}`]]), comment: () => `${evil}${evil}  a → b  dropped  x\n${COMMENT}\r\n${evil}` })
  for (const form of ['lines', 'details', 'json', 'json-details'] as const) {
    const { lines } = await textOf(file, { form })
    t.ok(lines.length > 0)
    t.notMatch(lines.join(''), /[\p{Cc}\u202a-\u202e]/u, form)
  }
})

t.test('damage: what was good is there, and the stream says where it ended', async t => {
  const folder = t.testdir(), { seen } = await goldenPackets('fig2-none')
  const file = join(folder, 'cut.pcapng')
  writeFile(file, seen.slice(0, 40))
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, whole.length - 5))
  const cut = await textOf(file)
  t.equal(cut.lines.length, 39)
  t.ok((cut.stream.damage?.offset ?? 0) > 0)
  writeFileSync(file, whole)
  appendFileSync(file, Buffer.from('this is no block at all'))
  const longer = await textOf(file)
  t.equal(longer.lines.length, 40)
  t.equal(longer.stream.damage?.offset, whole.length + 4)
})
