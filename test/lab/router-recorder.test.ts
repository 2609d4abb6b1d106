// A router's recorder: both sides in one file, each packet with its verdict, its number and its direction; packets that waited,
// answers, losses; what a killed router leaves; a file that cannot be finished.
import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { CaptureStream, type InterfacePacket } from '../../captures/index.js'
import { RouterRecorder } from '../../lab/recording/router-recorder.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { DataplaneBench, HOST_MACS } from '../napt/dataplane-bench.js'
import { arpReply, ping, udp } from '../napt/frames.js'
import { MACS } from '../napt/router-bench.js'
import { needsTshark } from '../prerequisites.js'

const REGISTRATION = udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')

async function read(path: string): Promise<{ stream: CaptureStream, packets: InterfacePacket[] }> {
  const stream = await CaptureStream.open(path), packets: InterfacePacket[] = []
  for await (const batch of stream.batches()) packets.push(...batch)
  return { stream, packets }
}

/** A packet in a line: interface, direction, number counted from the file's first, the first line of its comment. */
function lines(packets: readonly InterfacePacket[]): string[] {
  const ids = [...new Set(packets.map(packet => packet.packetId))]
  return packets.map(({ interface: { name }, direction, packetId, comment }) => `${name} ${direction ?? '-'} ${ids.indexOf(packetId) + 1}${comment === '' ? '' : ` ${comment.split('\n')[0]}`}`)
}

t.test('each packet with direction, number and verdict', async t => {
  const b = new DataplaneBench(), folder = t.testdir()
  t.teardown(() => b.dataplane.close())
  const recorder = new RouterRecorder(b.dataplane, folder)
  b.inject('lan', REGISTRATION)
  b.inject('wan', arpReply({ mac: HOST_MACS.wan, address: '130.74.23.6' }, { mac: MACS.wan, address: '202.204.16.13' }))
  b.inject('lan', REGISTRATION)
  b.inject('lan', ping('192.168.1.3', '192.168.1.1', 7))
  b.inject('wan', udp('8.117.12.109:9', '202.204.16.13:3400'))
  const path = await recorder.end()
  t.equal(path, join(folder, '104b.pcapng'))
  t.equal(await recorder.end(), path, 'again is no matter')
  b.inject('lan', REGISTRATION)

  const { stream, packets } = await read(path)
  t.equal(stream.damage, null)
  t.same(lines(packets), [
    '104b-lan inbound 1 104b  lan → wan  held  udp 192.168.1.3:2000 → 130.74.23.6:1200, 4 bytes, until ARP answers',
    '104b-wan outbound 2 104b      → wan  sent  arp who has 130.74.23.6? tell 202.204.16.13',
    '104b-wan inbound 3 104b  wan →      learned  arp 130.74.23.6 is at 02:00:00:00:00:06',
    '104b-wan outbound 1 104b  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 4 bytes, which waited for ARP, as 202.204.16.13:3400 → 130.74.23.6:1200',
    '104b-lan inbound 4 104b  lan → wan  forwarded  udp 192.168.1.3:2000 → 130.74.23.6:1200, 4 bytes, as 202.204.16.13:3400 → 130.74.23.6:1200',
    '104b-wan outbound 4',
    '104b-lan inbound 5 104b  lan → lan  answered  icmp 192.168.1.3 → 192.168.1.1, echo request, with icmp 192.168.1.1 → 192.168.1.3, echo reply',
    '104b-lan outbound 6 104b      → lan  sent  icmp 192.168.1.1 → 192.168.1.3, echo reply',
    '104b-wan inbound 7 104b  wan → lan  dropped  udp 8.117.12.109:9 → 202.204.16.13:3400, 0 bytes',
  ])
  t.match(packets.at(-1)?.comment, /\n {2}mapping {2}192\.168\.1\.3:2000 = 202\.204\.16\.13:3400, .*\n {2}filter .*nothing was sent to 8\.117\.12\.109.*\n {2}reason {3}filtered: .*\n {2}rule {5}RFC 4787/, 'and why')
  t.match(packets[4].comment, /\n {2}mapping .*\n {2}filter /, 'of what is forwarded too')
  t.equal(stream.names.get(parseIpv4('202.204.16.13')), '104b')
  t.same([...stream.statistics].map(([{ name }, { received, dropped }]) => [name, received, dropped]), [['104b-lan', 4n, 0n], ['104b-wan', 5n, 0n]])
  t.not(packets[0].packetId, null)
  t.equal((packets[0].packetId ?? 0n) >> 32n, (packets.at(-1)?.packetId ?? 1n) >> 32n, 'the router is in front')
})

t.test('what is said of the same packet again follows a change of behaviour', async t => {
  const b = new DataplaneBench(), folder = t.testdir(), recorder = new RouterRecorder(b.dataplane, folder), { router, now } = b.dataplane
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  const packet = udp('192.168.1.3:2000', '130.74.23.6:1200', '\x01')
  for (let i = 0; i < 4; i++) b.inject('lan', packet)
  router.setBehaviour({ ...router.config.nat, filtering: { ...router.config.nat.filtering, udp: 'endpoint-independent' } }, now)
  for (let i = 0; i < 4; i++) b.inject('lan', packet)
  const { packets } = await read(await recorder.end())
  const filters = packets.filter(({ interface: { name } }) => name === '104b-lan').map(({ comment }) => /\n {2}filter +([a-z -]+):/.exec(comment)?.[1])
  t.same(filters, [...Array<string>(4).fill('address and port-dependent'), ...Array<string>(4).fill('endpoint-independent')])
})

t.test('what is flushed is on file before the end', async t => {
  const b = new DataplaneBench(), folder = t.testdir(), part = join(folder, '104b.pcapng.part'), left = join(folder, 'left.pcapng')
  const changes = watch(folder)[Symbol.asyncIterator]()
  let change = changes.next()
  const recorder = new RouterRecorder(b.dataplane, folder)
  t.teardown(async () => {
    await recorder.close()
    b.dataplane.close()
  })
  b.greet('wan', '130.74.23.6')
  b.inject('lan', REGISTRATION)
  for (let isThere = false; !isThere;) {
    await change
    change = changes.next()
    if (!existsSync(part) || statSync(part).size === 0) continue
    copyFileSync(part, left)
    const { stream, packets } = await read(left)
    t.equal(stream.damage, null, 'it ends with a block')
    isThere = packets.some(({ interface: { name } }) => name === '104b-wan')
  }
  await changes.return?.()
})

t.test('what the file has no room for in time is counted, at the side that it is missing from', async t => {
  const FRAMES = 5000, b = new DataplaneBench(), folder = t.testdir(), recorder = new RouterRecorder(b.dataplane, folder, 1 << 12)
  t.teardown(() => b.dataplane.close())
  b.greet('wan', '130.74.23.6')
  // All in one turn: while the other thread writes a few, there is room for the next few alone.
  for (let i = 0; i < FRAMES; i++) b.inject('lan', udp('192.168.1.3:2000', '130.74.23.6:1200', String(i)))
  t.equal(b.devices.wan.sentFrames.length, FRAMES, 'all of them are forwarded')
  const { stream, packets } = await read(await recorder.end()), { traceLost, traceLostFrames } = b.dataplane
  const sent = packets.filter(({ interface: { name }, direction }) => name === '104b-wan' && direction === 'outbound')
  const cameIn = new Map(packets.filter(({ interface: { name } }) => name === '104b-lan').map(packet => [packet.packetId, packet]))
  t.ok(traceLost > 0 && sent.length > 0)
  t.equal(cameIn.size + traceLostFrames.lan, FRAMES)
  t.equal(sent.length + traceLostFrames.wan, FRAMES + 1, 'with the answer to ARP')
  t.equal(sent.filter(({ packetId }) => cameIn.has(packetId)).length, cameIn.size, 'what is there is there at both sides')
  t.same([...stream.statistics].map(([{ name }, { dropped }]) => [name, Number(dropped)]), [['104b-lan', traceLostFrames.lan], ['104b-wan', traceLostFrames.wan]])
  const numbers = [...cameIn.values()].map(({ bytes }) => Number(Buffer.from(bytes.subarray(42)).toString()))
  t.same(numbers, numbers.toSorted((x, y) => x - y), 'in order')
})

t.test('the same frame held twice is two packets, each with its number', async t => {
  const b = new DataplaneBench(), folder = t.testdir(), recorder = new RouterRecorder(b.dataplane, folder)
  t.teardown(() => b.dataplane.close())
  b.inject('lan', REGISTRATION)
  b.inject('lan', REGISTRATION)
  b.inject('wan', arpReply({ mac: HOST_MACS.wan, address: '130.74.23.6' }, { mac: MACS.wan, address: '202.204.16.13' }))
  const { packets } = await read(await recorder.end())
  const held = packets.filter(({ comment }) => comment.includes('held')), sent = packets.filter(({ comment }) => comment.includes('which waited for ARP'))
  t.equal(new Set(held.map(({ packetId }) => packetId)).size, 2)
  t.same(sent.map(({ packetId }) => packetId), held.map(({ packetId }) => packetId))
})

t.test('a packet that waited in vain says so in the end', async t => {
  const b = new DataplaneBench(), folder = t.testdir(), recorder = new RouterRecorder(b.dataplane, folder)
  t.teardown(() => b.dataplane.close())
  b.inject('lan', REGISTRATION)
  for (let second = 0; second < 3; second++) b.dataplane.advance(1000)
  const path = await recorder.end(), { stream, packets } = await read(path)
  t.equal(stream.damage, null)
  const [first] = packets
  t.match(first.comment, /^104b {2}lan → wan {2}dropped {2}udp 192\.168\.1\.3:2000 → 130\.74\.23\.6:1200, 4 bytes, which waited for ARP\n {2}reason {3}neighbour-unreachable: .*\n {2}rule {5}RFC 1122 §2\.3\.2\.?\d*$/)
  t.equal(packets.filter(({ packetId }) => packetId === first.packetId).length, 1)
})

t.test('a file that cannot be finished is told, and the router goes on', async t => {
  const b = new DataplaneBench(), folder = t.testdir({ below: {} })
  t.teardown(() => b.dataplane.close())
  t.throws(() => new RouterRecorder(b.dataplane, join(folder, 'none')), { code: 'ENOENT' })
  const recorder = new RouterRecorder(b.dataplane, join(folder, 'below'))
  rmSync(join(folder, 'below'), { recursive: true })
  await t.rejects(recorder.end(), { code: 'ENOENT' })
  await t.resolves(recorder.close())
  b.greet('wan', '130.74.23.6')
  b.inject('lan', REGISTRATION)
  t.equal(b.sent('wan').length, 1)
})

t.test('tshark shows comments, directions and numbers', needsTshark, async t => {
  const b = new DataplaneBench(), folder = t.testdir()
  t.teardown(() => b.dataplane.close())
  const recorder = new RouterRecorder(b.dataplane, folder)
  b.greet('wan', '130.74.23.6')
  b.inject('lan', REGISTRATION)
  const fields = ['frame.interface_name', 'frame.packet_flags_direction', 'frame.comment'].flatMap(field => ['-e', field])
  const { stdout } = spawnSync('tshark', ['-r', await recorder.end(), '-Y', 'udp', '-T', 'fields', '-E', 'separator=|', ...fields], { encoding: 'utf8' })
  t.match(stdout, /^104b-lan\|0x00000001\|104b {2}lan → wan {2}forwarded {2}udp 192\.168\.1\.3:2000 → 130\.74\.23\.6:1200, 4 bytes, as 202\.204\.16\.13:3400[\s\S]*mapping/)
  t.match(stdout, /^104b-wan\|0x00000002\|$/m)
})
