// The encrypted sequences of Figs. 3 and 4 in the ladder, the figure checks and goldens, on real TLS; and another program's opinion.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  checkFigures, checkFiles, checkGolden, Correlator, decodePayload, encodePcap, FIG1_TOPOLOGY, figureLayouts, formatFigures, formatGoldenReport, KeyLog,
  nameInterfaces, parseGolden, formatGolden, recordGolden, type Capture, type KeySource, type LadderPacket,
} from '../../../captures/index.js'
import { parseEndpoint } from '../../../napt/wire/address.js'
import { needsTshark } from '../../prerequisites.js'
import { capturesOf } from '../support.js'
import { fig2, framesOf, packetsOf, PASSWORD, recordOf, type Packet } from './fig2.js'
import { overhear, type Talk } from './loopback.js'

const TALKS = {
  'tls1.3': { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
  'tls1.2-rsa': { version: 'TLSv1.2', cipher: 'AES128-GCM-SHA256' },
  'tls1.2-dhe': { version: 'TLSv1.2', cipher: 'DHE-RSA-AES128-GCM-SHA256' },
} satisfies Record<string, Omit<Talk, 'lines'>>

const keysOf = (keyLog: string): KeyLog => {
  const keys = new KeyLog('keys.log')
  keys.add(keyLog)
  return keys
}

async function packetsOfRun(talk: Omit<Talk, 'lines'>, segment?: number): Promise<{ packets: Packet[], keys: KeyLog, keyLog: string }> {
  const { connections, keyLog } = await fig2(talk)
  return { packets: connections.flatMap((connection, at) => packetsOf(connection, BigInt(at) * 1_000_000_000n, segment)), keys: keysOf(keyLog), keyLog }
}

function ladder(packets: readonly Packet[], keys?: KeySource): LadderPacket[] {
  const correlator = new Correlator(FIG1_TOPOLOGY, { decoder: decodePayload, figures: figureLayouts(), ...(keys === undefined ? {} : { keys }) })
  return [...packets.flatMap(packet => correlator.push(recordOf(packet))), ...correlator.flush()].filter(entry => entry.kind === 'packet')
}

const lines = (entries: readonly LadderPacket[]): string[] => entries.filter(entry => !entry.isDetail)
  .map(({ title, figures }) => [title, ...figures.map(({ figure, ok }) => `${figure} ${ok ? '✓' : '✗'}`)].join(' '))

const ENDS = ['TCP close of 211', 'TCP close of 211']
const LADDERS: Readonly<Record<keyof typeof TALKS, readonly string[]>> = {
  'tls1.3': [
    '211 TCP connection start', '212 client hello, 215 key information', '213 server hello, 216 key information, 214 server certificate',
    '217 connection request 7C ✓ 7D ✓', 'answer', ...ENDS,
    '221 TCP connection start', '222 client hello, 224 key information', '223 server hello, 225 key information, 214 server certificate',
    'greeting', '226 connection request 8C ✓ 8D ✓', 'answer', ...ENDS.map(end => end.replace('211', '221')),
  ],
  'tls1.2-rsa': [
    '211 TCP connection start', '212 client hello', '213 server hello, 214 server certificate', '215 key information',
    '217 connection request 7C ✓ 7D ✓', 'answer', ...ENDS,
    '221 TCP connection start', '222 client hello', '223 server hello, 214 server certificate', '224 key information',
    'greeting', '226 connection request 8C ✓ 8D ✓', 'answer', ...ENDS.map(end => end.replace('211', '221')),
  ],
  'tls1.2-dhe': [
    '211 TCP connection start', '212 client hello', '213 server hello, 214 server certificate, 216 key information', '215 key information',
    '217 connection request 7C ✓ 7D ✓', 'answer', ...ENDS,
    '221 TCP connection start', '222 client hello', '223 server hello, 214 server certificate, 225 key information', '224 key information',
    'greeting', '226 connection request 8C ✓ 8D ✓', 'answer', ...ENDS.map(end => end.replace('211', '221')),
  ],
}

for (const [name, talk] of Object.entries(TALKS) as [keyof typeof TALKS, Talk][]) {
  t.test(name, async t => {
    const { packets, keys, keyLog } = await packetsOfRun(talk, 16_000)
    t.same(lines(ladder(packets, keys)), LADDERS[name])

    const captures = await capturesOf(framesOf(packets))
    const figures = checkFigures(captures, { decoder: decodePayload, keys, password: PASSWORD, partial: true })
    t.same(figures.results.filter(result => result.result === 'passed').map(result => result.figure), ['7C', '7D', '8C', '8D'])
    const wrong = checkFigures(captures, { decoder: decodePayload, keys, password: 'open sesame 2134', partial: true })
    t.same(wrong.results.flatMap(result => result.checks.filter(check => !check.ok).map(check => `${result.figure} ${check.field}`)), ['7C password', '7D password', '8C password', '8D password'])

    const golden = parseGolden(formatGolden(recordGolden(captures, { name, decoder: decodePayload, keys })))
    const text = formatGolden(golden)
    t.notMatch(text, PASSWORD)
    for (const secret of keyLog.split(/\s/).filter(word => word.length > 40)) t.notMatch(text, secret, 'neither a secret nor a random stands in a golden')
    t.match(text, { 'tls1.3': /TLS_AES_128_GCM_SHA256/, 'tls1.2-rsa': /TLS_RSA_WITH_AES_128_GCM_SHA256/, 'tls1.2-dhe': /TLS_DHE_RSA_WITH_AES_128_GCM_SHA256/ }[name])
    const again = await packetsOfRun(talk, 100)
    t.match(checkGolden(await capturesOf(framesOf(again.packets)), golden, { decoder: decodePayload, keys: again.keys }), { result: 'equal', ok: true }, 'another run with other keys, in other segments')

    const closed = checkGolden(captures, golden, { decoder: decodePayload })
    t.match(closed, { result: 'different', ok: false, sealed: { connections: 4, why: 'no keys.log' } })
    t.ok(formatGoldenReport(closed).some(line => line.includes('stayed encrypted') && line.includes('keys.log')))
    t.throws(() => recordGolden(captures, { name, decoder: decodePayload }), /stayed encrypted/)
    const unread = formatFigures(checkFigures(captures, { decoder: decodePayload, partial: true })).filter(line => line.includes('packet:'))
    t.same(unread.map(line => line.trim()), ['217', '217', '226', '226'].map(number => `packet: wanted ${number}, got an encrypted one (no keys.log)`))
    t.ok(lines(ladder(packets)).includes('encrypted of 211 (no keys.log)'))
  })
}

t.test('segments anywhere, and segments that come twice or late', async t => {
  const { packets, keys } = await packetsOfRun(TALKS['tls1.3'], 7)
  const numbered = (entries: readonly LadderPacket[]): string[] => lines(entries).flatMap(line => line.split(', ')).filter(line => /^2\d\d/.test(line))
  const expected = LADDERS['tls1.3'].flatMap(line => line.split(', ')).filter(line => /^2\d\d/.test(line))
  t.same(numbered(ladder(packets, keys)), expected)
  t.same(numbered(ladder(packets.flatMap(packet => [packet, packet]), keys)).filter(line => !line.includes('TCP connection start')), expected.filter(line => !line.includes('TCP connection start')))
  const late = packets.map((packet, at) => ({ ...packet, time: packet.time + (at % 5 === 3 && packet.payload.length > 0 ? 1_500_000n : 0n) }))
  t.same(numbered(ladder(late.sort((a, b) => a.time < b.time ? -1 : 1), keys)), expected)
})

t.test('a changed byte is found, and said to be one', async t => {
  const { packets, keys } = await packetsOfRun(TALKS['tls1.3'], 16_000)
  const golden = recordGolden(await capturesOf(framesOf(packets)), { name: 'x', decoder: decodePayload, keys })
  const at = packets.findIndex((_, index) => index > 0 && lines(ladder(packets.slice(0, index + 1), keys)).some(line => line.startsWith('217')))
  const changed = packets.map((packet, index) => index === at ? { ...packet, payload: packet.payload.map((byte, i) => i === packet.payload.length - 1 ? byte ^ 1 : byte) } : packet)
  t.ok(lines(ladder(changed, keys)).some(line => line === 'encrypted of 211 (wrong authentication tag)'))
  const report = checkGolden(await capturesOf(framesOf(changed)), golden, { decoder: decodePayload, keys })
  t.match(report.differences, [{ field: 'TLS', got: 'wrong authentication tag' }])
  t.throws(() => { recordGolden(new Map<string, Capture>(), { name: 'x', decoder: decodePayload, keys }) }, /no IPv4 packet/)
})

t.test('files: the key log beside them, or another', async t => {
  const { packets, keyLog } = await packetsOfRun(TALKS['tls1.2-dhe'])
  const beside = join(t.testdir(), 'beside'), apart = join(t.testdir(), 'apart')
  const paths = [beside, apart].map(folder => {
    mkdirSync(folder)
    return [...framesOf(packets)].map(([name, frames]) => {
      writeFileSync(join(folder, `${name}.pcap`), encodePcap(frames.map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))))
      return join(folder, `${name}.pcap`)
    })
  })
  writeFileSync(join(beside, 'keys.log'), keyLog)
  const check = (files: readonly string[], keys?: string) => checkFiles(nameInterfaces(files, []), { decoder: decodePayload, figures: 'fig2', ...(keys === undefined ? {} : { keys }) })
  const passed = async (files: readonly string[], keys?: string): Promise<number> => (await check(files, keys)).figures!.results.filter(result => result.result === 'passed').length
  t.equal(await passed(paths[0]), 4)
  t.equal(await passed(paths[1]), 0)
  t.equal(await passed(paths[1], join(beside, 'keys.log')), 4)
  await t.rejects(check(paths[0], join(beside, 'none.log')), /none\.log: the key log cannot be read/)
  writeFileSync(join(beside, 'keys.log'), '# a log\nnonsense\n')
  await t.rejects(check(paths[0]), /keys\.log, line 2/)
})

/** Enough to compare by, and short where it differs. */
const digest = (text: string): string[] => [`${text.length} bytes`, text.slice(0, 40), createHash('sha256').update(text, 'latin1').digest('hex')]

t.test('tshark reads the same out of the same', needsTshark, async t => {
  for (const talk of [...Object.values(TALKS), { version: 'TLSv1.3', cipher: 'TLS_CHACHA20_POLY1305_SHA256' } as const, { version: 'TLSv1.2', cipher: 'AES256-SHA' } as const]) {
    const overheard = await overhear({ ...talk, lines: ['from the client', 'from the server', 'x'.repeat(20_000)] })
    const ends = [['wan', parseEndpoint('4.17.168.2:7000'), parseEndpoint('130.74.23.6:1201')]] as const
    const frames = framesOf(packetsOf({ path: ends, overheard })).get('wan') ?? []
    const folder = t.testdir(), pcap = join(folder, 'a.pcap'), keys = join(folder, 'keys.log')
    writeFileSync(pcap, encodePcap(frames.map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))))
    writeFileSync(keys, overheard.keyLog)
    const output = execFileSync('tshark', ['-r', pcap, '-o', `tls.keylog_file:${keys}`, '-d', 'tcp.port==1201,tls', '-q', '-z', 'follow,tls,raw,0'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const texts = [true, false].map(isIndented => Buffer.from(output.split('\n').filter(line => /^\t?([0-9a-f]{2})+$/.test(line) && line.startsWith('\t') === isIndented).join('').replace(/\t/g, ''), 'hex').toString('latin1'))
    // Which of the two ends is indented depends on tshark's mood; who says what is plain from what they say.
    t.same(texts.sort().map(digest), [overheard.said.client, overheard.said.server].sort().map(digest), talk.cipher)
  }
})
