// Goldens whose flows are digests: equal where the entries are, and what differs is found in the capture beside them; and long TCP
// streams, which are hashed as they come.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseEndpoint } from '../../napt/wire/address.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../napt/wire/frame.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as udp from '../../napt/wire/udp.js'
import { FLAG } from '../../napt/wire/tcp.js'
import {
  canonicalize, checkGolden, checkGoldenFiles, diffGoldens, encodePcap, formatGolden, inputFiles, lintGoldens, parseGolden, readGolden, recordFolder, recordGolden, type GoldenReport,
} from '../../captures/index.js'
import { capture, capturesOf, framesOf, FREEDOM, message, PASSWORD, run, testDecoder, type Frames } from './support.js'

const options = { decoder: testDecoder, periodic: ['201'] }

function pcaps(folder: string, frames: Frames = framesOf()): string[] {
  mkdirSync(folder, { recursive: true })
  return [...frames].map(([name, packets]) => {
    const path = join(folder, `${name}.pcap`)
    writeFileSync(path, encodePcap(packets.map(({ time, bytes }) => ({ time, bytes, originalLength: bytes.length }))))
    return path
  })
}

t.test('a run with digests: what a kernel chooses makes no difference, everything else does', async t => {
  const dir = t.testdir(), folder = join(dir, 'big'), path = join(folder, 'golden.yaml')
  await recordFolder(inputFiles(pcaps(join(dir, 'run'))), { name: 'big', folder, readable: 5, ...options })
  const golden = readGolden(path)!, text = readFileSync(path, 'utf8')
  t.equal(golden.digests, true)
  t.match(text, /format: 2\n[^]*\{ flow: \{ protocol: udp, SA: 192\.168\.1\.3, SP: 2000, DA: 130\.74\.23\.6, DP: 1200 \}, packets: 2, blake2b: "?[0-9a-f]{128}"? \}/)
  t.equal(formatGolden(parseGolden(text)), text)
  t.notMatch(text, PASSWORD)

  let round = 0
  const check = async (frames: Frames): Promise<GoldenReport> => checkGoldenFiles(inputFiles(pcaps(join(dir, `check${round++}`), frames)), path, options)
  const whole = await check(framesOf())
  t.match(whole, { result: 'equal', ok: true })
  t.equal(whole.compared, checkGolden(await capturesOf(), recordGolden(await capturesOf(), { name: 'x', ...options }), options).compared, 'as many as without digests')
  for (const freedom of [{ identification: 4321 }, { sequence: 987_654_321 }, { ephemeral: 51234 }, { token: 'zzzz' }, { segment: 11 }, { registrations: 7 }]) {
    t.equal((await check(framesOf(run({ ...FREEDOM, ...freedom })))).result, 'equal', JSON.stringify(freedom))
  }

  const changed = framesOf(), answer = changed.get('104b-wan')!.find(({ bytes }) => bytes[23] === 17 && bytes[42] === 205)!.bytes
  answer[22]--
  ipv4.writeChecksum(answer, 14)
  udp.writeChecksum(answer, 14, 34)
  t.match(await check(changed), { result: 'different', differences: [{ interface: '104b-wan', field: 'TTL', wanted: '64', got: '63', packet: '← 205 connection request notification' }], missing: [], unexpected: [] })
  const dropped = framesOf()
  dropped.set('104b-lan', dropped.get('104b-lan')!.filter(({ bytes }) => !(bytes[23] === 17 && bytes[42] === 205)))
  t.match(await check(dropped), { result: 'different', differences: [], missing: [{ interface: '104b-lan', packet: '← 205 connection request notification' }], unexpected: [] })
  const extra = framesOf()
  extra.get('101')!.push({ time: 9n, bytes: udpFrame(parseEndpoint('8.117.12.109:9'), parseEndpoint('130.74.23.6:9'), Uint8Array.of(1)) })
  t.match(await check(extra), { result: 'different', unexpected: [{ interface: '101', flow: 'udp 8.117.12.109:9 – 130.74.23.6:9' }] })
  const wrong = framesOf()
  wrong.get('101')![0].bytes[24] ^= 1
  t.match(await check(wrong), { result: 'different', differences: [{ interface: '101', frame: 1, field: 'ipv4 checksum' }] })

  t.match(await lintGoldens(folder, testDecoder), { findings: [] })
  t.match(await diffGoldens(folder, pcaps(join(dir, 'diff'), changed).length > 0 ? join(dir, 'diff') : '', options), { differences: [{ field: 'TTL' }] })
  rmSync(join(folder, 'capture.pcapng'))
  t.notOk(existsSync(join(folder, 'capture.pcapng')))
  t.match(await check(changed), { result: 'different', differences: [{ interface: '104b-wan', field: 'content', cause: /capture beside the golden/ }] }, 'without the capture, the flow')
  t.match(await check(dropped), { differences: [{ interface: '104b-lan', field: 'count', wanted: '2', got: '1' }] })
  t.match(await check(extra), { unexpected: [{ flow: 'udp 8.117.12.109:9 – 130.74.23.6:9', packet: 'all 1 packets' }] })
})

t.test('identifiers are numbered within a flow', async t => {
  const A = parseEndpoint('192.168.1.11:1'), B = parseEndpoint('130.74.23.6:1')
  const of = async (ids: readonly number[]) => new Map([['102', await capture(ids.map((identifier, at) => ({ time: BigInt(at), bytes: icmpFrame(A.address, B.address, { type: 8, identifier, sequence: at }) })))]])
  const golden = recordGolden(await of([5, 5, 6]), { name: 'ping', ...options, digests: true })
  t.equal(checkGolden(await of([900, 900, 3]), golden, options).result, 'equal')
  t.equal(checkGolden(await of([900, 3, 3]), golden, options).result, 'different')
})

t.test('a long stream is the same however it was cut, and is not kept', async t => {
  const A = parseEndpoint('192.168.1.11:1500'), B = parseEndpoint('130.74.23.6:1201')
  const begin = message(217, [['equipment ID', '2133']]), data = Uint8Array.from({ length: 300_000 }, (_, at) => at * 7 + (at >>> 8))
  const stream = Buffer.concat([begin, begin, data])
  const frames = (size: number): Uint8Array[] => {
    const list = [tcpFrame(A, B, FLAG.syn, undefined, { sequence: 0xffff_0000 })]
    for (let at = 0; at < stream.length; at += size) list.push(tcpFrame(A, B, FLAG.ack, stream.subarray(at, at + size), { sequence: (0xffff_0001 + at) >>> 0 }))
    return list
  }
  const entries = (list: readonly Uint8Array[]) => canonicalize(list.map((bytes, at) => ({ number: at + 1, time: 0n, bytes, originalLength: bytes.length })), { decoder: testDecoder }).flows.flatMap(flow => flow.entries)
  const swapped = frames(1400)
  for (let at = 5; at + 1 < swapped.length; at += 7) [swapped[at], swapped[at + 1]] = [swapped[at + 1], swapped[at]]
  const wanted = [{ packet: 'SYN' }, { packet: '217 connection request' }, { packet: '217 connection request' }, { packet: 'data', bytes: `300000 bytes, sha256 ${createHash('sha256').update(data).digest('hex')}` }]
  for (const [name, list] of Object.entries({ small: frames(536), large: frames(20_000), whole: frames(60_000), swapped, twice: frames(1400).flatMap(frame => [frame, frame]) })) {
    t.match(entries(list), wanted, name)
    t.equal(entries(list).length, wanted.length, name)
  }
  t.equal(entries(frames(1400)).at(-1)?.frame, frames(1400).length, 'complete with the last frame')
  const holed = frames(1400).filter((_, at) => at !== 100)
  t.match(entries(holed).map(entry => entry.packet), ['SYN', '217 connection request', '217 connection request', 'gap of 1400 bytes', 'data', 'data'])
})

t.test('two large captures are compared by digests first, and what differs is the same as packet by packet', async t => {
  const dir = t.testdir()
  const folder = (name: string, frames: Frames): string => {
    pcaps(join(dir, name), frames)
    return join(dir, name)
  }
  const changed = framesOf(), answer = changed.get('104b-wan')!.find(({ bytes }) => bytes[23] === 17 && bytes[42] === 205)!.bytes
  answer[22]--
  ipv4.writeChecksum(answer, 14)
  udp.writeChecksum(answer, 14, 34)
  const fewer = framesOf()
  fewer.set('104b-lan', fewer.get('104b-lan')!.filter(({ bytes }) => !(bytes[23] === 17 && bytes[42] === 205)))
  const wanted = folder('wanted', framesOf())
  for (const [name, frames, result] of [['same', framesOf(run({ ...FREEDOM, segment: 11 })), 'equal'], ['changed', changed, 'different'], ['fewer', fewer, 'different']] as const) {
    const got = folder(name, frames), byDigests = await diffGoldens(wanted, got, { ...options, readable: 5 }), byPackets = await diffGoldens(wanted, got, options)
    for (const report of [byDigests, byPackets]) t.equal(report.result, result, name)
    const differences = ({ differences, missing, unexpected }: GoldenReport): unknown => ({ differences, missing, unexpected })
    t.same(differences(byDigests), differences(byPackets), name)
    t.equal(byDigests.compared, byPackets.compared, name)
  }
  const wrong = framesOf()
  wrong.get('101')![0].bytes[24] ^= 1
  await t.rejects(diffGoldens(folder('wrong', wrong), wanted, { ...options, readable: 5 }), { name: 'CheckUsageError', message: /is wrong in itself/ })
})
