// Several captures as one: order, interfaces, names and keys in front, numbers of packets across two routers, losses, damage.
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CaptureStream, mergeCaptures, PcapngWriter, type Direction, type InterfacePacket } from '../../captures/index.js'
import { parseIpv4 } from '../../napt/wire/address.js'
import { needsTshark } from '../prerequisites.js'
import { randomBytes, framesOf } from './support.js'

const MILLISECOND = 1_000_000n
const BEGIN = 1_700_000_000_000_000_000n
const KEYS = `CLIENT_RANDOM ${'01'.repeat(32)} ${'02'.repeat(48)}\n`

interface Seen { readonly at: string, readonly time: bigint, readonly bytes: Uint8Array, readonly id?: bigint, readonly direction?: Direction, readonly comment?: string }

function write(path: string, interfaces: readonly string[], seen: readonly Seen[], isWhole = true): string {
  const writer = new PcapngWriter(path)
  for (const name of interfaces) writer.interface({ name, description: `of ${name}`, linkType: 1, snapLength: 0 })
  for (const { at, time, bytes, id, direction, comment } of seen) {
    writer.packet(bytes, { interfaceId: interfaces.indexOf(at), time, ...(id === undefined ? {} : { packetId: id }), ...(direction === undefined ? {} : { direction }), ...(comment === undefined ? {} : { comment }) })
  }
  if (isWhole) for (const [id] of interfaces.entries()) writer.statistics(id, BEGIN, { received: 7n, dropped: BigInt(id) })
  writer.close()
  return path
}

async function read(path: string): Promise<{ stream: CaptureStream, packets: InterfacePacket[] }> {
  const stream = await CaptureStream.open(path), packets: InterfacePacket[] = []
  for await (const batch of stream.batches()) packets.push(...batch)
  return { stream, packets }
}

/** The frames of the made-up run as both routers and the hosts record them, each with clocks of its own. */
function recorded(folder: string, skew: Readonly<Record<string, bigint>>): { paths: string[], frames: ReturnType<typeof framesOf> } {
  const frames = framesOf()
  const of = (name: string): { time: bigint, bytes: Uint8Array }[] => frames.get(name) ?? []
  const router = (name: string): string => {
    // A router's two copies of a packet have the same time in the made-up run.
    const ids = new Map<bigint, bigint>()
    const idOf = (time: bigint): bigint => ids.get(time) ?? (ids.set(time, BigInt(ids.size + 1)), BigInt(ids.size))
    const seen = ['lan', 'wan'].flatMap(side => of(`${name}-${side}`).map(({ time, bytes }): Seen => ({ at: `${name}-${side}`, time: time + skew[name], bytes, id: idOf(time), comment: `${name} has seen it` })))
    return write(join(folder, `${name}.pcapng`), [`${name}-lan`, `${name}-wan`], seen.sort((a, b) => Number(a.time - b.time)))
  }
  const hosts = ['101', '102', '103'].flatMap(at => of(at).map(({ time, bytes }): Seen => ({ at, time: time + skew.hosts, bytes })))
  return { frames, paths: [router('104a'), router('104b'), write(join(folder, 'hosts.pcapng'), ['101', '102', '103'], hosts.sort((a, b) => Number(a.time - b.time)))] }
}

for (const [name, skew] of Object.entries({
  'clocks that agree': { '104a': 0n, '104b': 0n, 'hosts': 0n },
  'clocks that differ': { '104a': 3n * MILLISECOND / 10n, '104b': 0n, 'hosts': 2n * MILLISECOND },
  'and the other way': { '104a': 0n, '104b': 9n * MILLISECOND / 10n, 'hosts': -MILLISECOND / 2n },
})) {
  t.test(`a packet has one number from host to host: ${name}`, async t => {
    const folder = t.testdir(), path = join(folder, 'run.pcapng')
    const { paths, frames } = recorded(folder, skew)
    const total = [...frames.values()].flat().length
    t.same(await mergeCaptures(paths, path), { packets: total, damages: [] })
    const { stream, packets } = await read(path)
    t.same(stream.interfaces.map(each => each.name), ['104a-lan', '104a-wan', '104b-lan', '104b-wan', '101', '102', '103'])
    t.same(stream.interfaces.map(each => each.description), stream.interfaces.map(each => `of ${each.name}`))
    t.ok(packets.every(({ time }, at) => at === 0 || packets[at - 1].time <= time), 'in order of time')
    // Each event of the made-up run is one packet, and its time tells which: all its copies were made at once.
    const byId = new Map<bigint | null, Set<bigint>>(), byTime = new Map<bigint, Set<bigint | null>>()
    for (const { time, packetId, interface: { name } } of packets) {
      const when = time - (name.startsWith('104a') ? skew['104a'] : name.startsWith('104b') ? skew['104b'] : skew.hosts)
      byId.set(packetId, (byId.get(packetId) ?? new Set()).add(when))
      byTime.set(when, (byTime.get(when) ?? new Set()).add(packetId))
    }
    t.ok([...byId.values()].every(times => times.size === 1), 'two packets have two numbers')
    t.ok([...byTime.values()].every(ids => ids.size === 1), 'copies of one have one')
    t.ok(byTime.size > 30 && [...byTime.keys()].length === byId.size)
    for (const at of frames.keys()) t.same(packets.filter(each => each.interface.name === at).map(({ bytes }) => Buffer.from(bytes)), frames.get(at)?.map(({ bytes }) => Buffer.from(bytes)), at)
    t.ok(packets.filter(each => each.interface.name.startsWith('104')).every(({ comment }) => comment.endsWith('has seen it')))
  })
}

t.test('the same bytes sent again are another packet; copies that the routers know stay together', async t => {
  const folder = t.testdir(), path = join(folder, 'run.pcapng'), [{ bytes }] = framesOf().get('101') ?? [], other = framesOf().get('103')?.[0].bytes ?? bytes
  const a = write(join(folder, 'a.pcapng'), ['a-lan', 'a-wan'], [0n, 1n, 400n].flatMap((at, nth): Seen[] => [
    { at: 'a-lan', time: BEGIN + at * MILLISECOND, bytes: other, id: BigInt(nth), direction: 'inbound' },
    { at: 'a-wan', time: BEGIN + at * MILLISECOND, bytes, id: BigInt(nth), direction: 'outbound' },
  ]))
  const b = write(join(folder, 'b.pcapng'), ['b'], [0n, 1n, 700n].map(at => ({ at: 'b', time: BEGIN + at * MILLISECOND + 1000n, bytes })))
  await mergeCaptures([a, b], path)
  const { packets } = await read(path)
  t.same(packets.map(({ interface: { name }, packetId, direction }) => `${name} ${packetId ?? '?'} ${direction ?? '-'}`), [
    'a-lan 1 inbound', 'a-wan 1 outbound', 'b 1 -', 'a-lan 2 inbound', 'a-wan 2 outbound', 'b 2 -', 'a-lan 3 inbound', 'a-wan 3 outbound', 'b 4 -',
  ])
})

t.test('names and keys stand in front, losses at the end; a file with keys is for one pair of eyes', async t => {
  const folder = t.testdir(), path = join(folder, 'run.pcapng'), { paths } = recorded(folder, { '104a': 0n, '104b': 0n, 'hosts': 0n })
  const many = KEYS.repeat(9000)
  await mergeCaptures(paths, path, { names: new Map([[parseIpv4('130.74.23.6'), '101']]), keyLog: many, comment: 'Fig. 2' })
  const { stream } = await read(path)
  t.same([...stream.names], [[parseIpv4('130.74.23.6'), '101']])
  t.equal(stream.keyLog, many, 'in several blocks')
  t.same([...stream.statistics].map(([{ name }, { received, dropped }]) => `${name} ${received ?? '?'} ${dropped ?? '?'}`),
    ['104a-lan 7 0', '104a-wan 7 1', '104b-lan 7 0', '104b-wan 7 1', '101 7 0', '102 7 1', '103 7 2'])
  t.equal(statSync(path).mode & 0o777, 0o600)
  const text = readFileSync(path)
  t.ok(text.lastIndexOf('CLIENT_RANDOM') < text.indexOf('has seen it'), 'before the packets')
})

t.test('a part that was cut off gives what it has', async t => {
  const folder = t.testdir(), path = join(folder, 'run.pcapng'), { paths } = recorded(folder, { '104a': 0n, '104b': 0n, 'hosts': 0n })
  const whole = await mergeCaptures(paths, path)
  truncateSync(paths[1], statSync(paths[1]).size - 1000)
  const { packets, damages } = await mergeCaptures(paths, path)
  t.ok(packets < whole.packets && packets > whole.packets / 2)
  t.match(damages.map(({ message }) => message), [/104b\.pcapng: at byte \d+: the file ends/])
  await t.rejects(mergeCaptures([join(folder, 'none.pcapng')], path), { name: 'CaptureFileError' })
})

t.test('parts that overlap at random come out in order of time', async t => {
  const folder = t.testdir(), path = join(folder, 'run.pcapng'), random = randomBytes('merge'), [{ bytes }] = framesOf().get('101') ?? []
  const parts = ['a', 'b', 'c'].map(name => {
    let time = BEGIN
    return write(join(folder, `${name}.pcapng`), [name], Array.from({ length: 3000 }, () => ({ at: name, time: time += BigInt(random.next().value) * MILLISECOND / 10n, bytes })), false)
  })
  t.equal((await mergeCaptures(parts, path)).packets, 9000)
  const { packets } = await read(path)
  t.ok(packets.every(({ time }, at) => at === 0 || packets[at - 1].time <= time))
})

t.test('tshark and capinfos find nothing wrong with it', needsTshark, async t => {
  const folder = t.testdir(), path = join(folder, 'run.pcapng'), { paths, frames } = recorded(folder, { '104a': 0n, '104b': 0n, 'hosts': 0n })
  await mergeCaptures(paths, path, { names: new Map([[parseIpv4('130.74.23.6'), '101']]), keyLog: KEYS })
  const { stdout, stderr, status } = spawnSync('tshark', ['-r', path, '-N', 'n', '-T', 'fields', '-e', 'frame.interface_name', '-e', 'frame.packet_id'], { encoding: 'utf8' })
  t.equal(status, 0)
  t.notMatch(stderr.replace(/Running as user .*\n/, ''), /\S/)
  t.equal(stdout.trim().split('\n').length, [...frames.values()].flat().length)
  t.match(spawnSync('capinfos', ['-M', path], { encoding: 'utf8' }), { status: 0, stdout: /Number of interfaces in file: +7/ })
})
