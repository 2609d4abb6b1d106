// With a seed, the same frames at the same times give the same bytes out: a long mixed trace is put through a router twice, from
// capture files into capture files, and the files are compared byte for byte. Another seed gives other ports.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { PcapWriter, readCaptureFile } from '../../captures/index.js'
import { FileDevice, replay, type Counters, type Side } from '../../napt/index.js'
import { Router } from '../../napt/router.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { FrameSource } from './fuzz/frame-source.js'
import { configOf } from './fuzz/subject.js'
import { IP } from './frames.js'
import { Random } from './random.js'
import { MACS, sidesOf } from './router-bench.js'

const FRAMES = 20_000
const BEGIN = 1_700_000_000n * 1_000_000_000n
/** Milliseconds between frames, so that fragments, ARP and mappings time out now and then. */
const STEPS = [0, 0, 0, 0, 1, 1, 3, 10, 10, 40]
const PAUSES = [1000, 7000, 31_000, 400_000]

/** Random choices wherever there are any. */
const NAT = {
  portAllocation: 'random', pool: ['202.204.16.13', '202.204.16.14', '202.204.16.15'], pooling: 'arbitrary', mapping: 'address-dependent', filtering: 'address-dependent',
  portReuseDelay: 30, otherProtocols: 'by-address', maximumSegment: 1200, unsolicitedSyn: { hold: 2, answer: 'reset' }, limits: { sessions: 300, newSessionsPerSecond: 3 },
}

const folder = await mkdtemp(join(tmpdir(), 'naptlab-deterministic-'))
t.teardown(() => rm(folder, { recursive: true }))
const fileOf = (name: string, side: Side): string => join(folder, `${name}-${side}.pcap`)

/** Writes what the surroundings of a router with the seed send: they answer it, so they have to hear it. */
function writeTrace(seed: number): void {
  const random = new Random(99), source = new FrameSource(random)
  const files = { lan: new PcapWriter(fileOf('in', 'lan')), wan: new PcapWriter(fileOf('in', 'wan')) }
  const redelivered: { from: Side, frame: Uint8Array }[] = []
  const router = new Router({ ...configOf(NAT), seed }, sidesOf({ lan: 65535, wan: 65535 }), {
    originate: (side, frame) => source.sent(side, frame), redeliver: (from, frame) => redelivered.push({ from, frame }), abandoned: () => undefined,
  }, 0)
  const submit = (from: Side, frame: Uint8Array, now: number): void => {
    const verdict = router.process(frame, 0, frame.length, false, from, now)
    if (verdict.action === 'forward') source.sent(verdict.to, frame)
  }
  for (let i = 0, now = 0; i < FRAMES; i++) {
    now += random.oneIn(150) ? random.pick(PAUSES) : random.pick(STEPS)
    router.tick(now)
    const { from, bytes } = source.next()
    // A capture keeps no frame without a byte.
    if (bytes.length === 0) continue
    files[from].write(BEGIN + BigInt(now) * 1_000_000n, bytes)
    submit(from, bytes, now)
    for (const held of redelivered.splice(0)) submit(held.from, held.frame, now)
  }
  files.lan.close()
  files.wan.close()
}

/** Gives what the router counted; what it sent is in the files with that name. */
async function run(name: string, seed: number): Promise<Counters> {
  const files = { lan: new PcapWriter(fileOf(name, 'lan')), wan: new PcapWriter(fileOf(name, 'wan')) }
  // Numbered across both files, so that their order is compared as well.
  let sent = BEGIN
  const device = async (side: Side): Promise<FileDevice> => {
    const { packets } = await readCaptureFile(fileOf('in', side))
    return new FileDevice(side, MACS[side], packets, frame => files[side].write(sent++, frame))
  }
  const devices = { lan: await device('lan'), wan: await device('wan') }
  const counters = replay({ ...configOf(NAT), seed }, devices)
  files.lan.close()
  files.wan.close()
  return counters
}

const bytesOf = async (name: string): Promise<Record<Side, Buffer>> => ({ lan: await readFile(fileOf(name, 'lan')), wan: await readFile(fileOf(name, 'wan')) })

t.test('the same bytes twice, and others with another seed', async t => {
  writeTrace(5)
  const counters = await run('first', 5), first = await bytesOf('first')
  t.same(await run('second', 5), counters)
  const second = await bytesOf('second')
  t.ok(first.lan.equals(second.lan) && first.wan.equals(second.wan), 'file by file, byte by byte')

  const { forwarded, answered, held, dropped } = counters
  t.ok(forwarded.lan > 1000 && forwarded.wan > 500 && answered > 500 && held > 100, `there was much to do: ${JSON.stringify({ forwarded, answered, held })}`)
  for (const reason of ['fragment-lapsed', 'filtered', 'no-mapping', 'neighbour-unreachable', 'host-rate'] as const) t.ok(dropped[reason] > 0, reason)
  const { packets } = await readCaptureFile(fileOf('first', 'wan'))
  const seen = packets.filter(({ bytes }) => ethernet.type(bytes, 0) === ethernet.TYPE.ipv4).map(({ bytes }) => bytes)
  t.equal(new Set(seen.map(bytes => ipv4.source(bytes, IP))).size, NAT.pool.length, 'from every address of the pool')
  t.ok(seen.some(bytes => ipv4.isFragment(bytes, IP)), 'with fragments')

  await run('other', 6)
  const other = await bytesOf('other')
  t.notOk(other.wan.equals(first.wan), 'another seed gives other ports')
})
