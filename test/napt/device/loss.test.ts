// Devices on real sockets: frames of all sizes come whole and in order, and each one is received or counted as lost.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { needsNamespaces, needsTap } from '../../prerequisites.js'

interface Flood { readonly frames: number, readonly received: number, readonly inOrder: boolean, readonly intact: boolean, readonly missed: number, readonly unsent: number }
interface Mixed { readonly numbers: readonly number[], readonly lengths: readonly number[], readonly intact: boolean }

async function loopback<T>(kind: 'packet' | 'tap'): Promise<T> {
  const script = fileURLToPath(new URL('./loopback.js', import.meta.url))
  const { stdout } = await promisify(execFile)('unshare', ['-Urn', process.execPath, script, kind])
  return JSON.parse(stdout) as T
}

t.test('packet', needsNamespaces, async t => {
  const { mixed, small, long, again } = await loopback<{ mixed: Mixed, small: Flood, long: Flood, again: Flood }>('packet')
  t.same(mixed.numbers, mixed.lengths.map((_, i) => i), 'short ones from the ring and long ones from the queue, in order')
  t.same(mixed.lengths.slice(0, 9), [60, 1514, 1515, 9000, 60, 40_000, 1514, 65_000, 61])
  t.equal(mixed.lengths.length, 49)
  t.ok(mixed.intact, 'to the last byte')
  for (const [name, flood] of [['short', small], ['long', long]] as const) {
    t.ok(flood.missed > 0, `more ${name} frames than there is room for: ${flood.missed} of ${flood.frames} lost`)
    t.equal(flood.received + flood.missed + flood.unsent, flood.frames, 'each is received or counted')
    t.ok(flood.inOrder && flood.intact, 'what is received is whole')
  }
  t.hasStrict(again, { received: 100, missed: 0 }, 'and then it goes on as before')
})

t.test('tap', needsTap, async t => {
  const report = await loopback<{ macs: { differ: boolean }, mixed: Mixed, in: Flood, out: Flood, again: Flood }>('tap')
  t.ok(report.macs.differ, 'the two ends of the cable have two addresses')
  t.same(report.mixed, { numbers: [0, 1, 2, 3], lengths: [60, 1514, 61, 700], intact: true })
  t.ok(report.in.missed > 0, `more than the interface keeps: ${report.in.missed} lost`)
  // A packet socket is told of each that the TAP has no room for; a batch that ends at one begins with it once more.
  t.equal(report.in.received + report.in.unsent, report.in.frames, 'each is received or refused')
  t.ok(report.in.missed >= report.in.unsent, 'and what is refused is counted at the TAP')
  t.equal(report.out.received + report.out.missed, report.out.frames, 'the other way, the packet socket counts')
  t.ok(report.in.inOrder && report.in.intact && report.out.inOrder && report.out.intact)
  t.hasStrict(report.again, { received: 100, missed: 0 }, 'and then it goes on as before')
})
