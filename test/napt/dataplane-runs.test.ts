// Batches that lie in the router's memory, whose known flows are forwarded many at a time, against the same batches elsewhere.
import t from 'tap'
import { batchIn } from '../../napt/device/batch.js'
import type { FrameBatch } from '../../napt/device/device.js'
import { batchOf, MemoryDevice } from '../../napt/device/memory.js'
import { Dataplane } from '../../napt/dataplane.js'
import { RouterClock } from '../../napt/clock.js'
import { parseRouterConfig } from '../../napt/router-config.js'
import { RouterMemory } from '../../napt/router-memory.js'
import type { Side } from '../../napt/verdict.js'
import { read16 } from '../../napt/wire/bytes.js'
import { HOST_MACS } from './dataplane-bench.js'
import { arpRequest, TRANSPORT, udp } from './frames.js'
import { Random } from './random.js'
import { addressed, CONFIG_104B, MACS } from './router-bench.js'

const MOST = 200, BYTES = 1 << 18

/** What is put into it comes in as one batch: in the router's memory, if there is one. */
class BatchDevice extends MemoryDevice {
  readonly #batch: ReturnType<typeof batchIn> | null
  #next: readonly Uint8Array[] = []
  #ready: () => void = () => undefined

  constructor(side: Side, memory: RouterMemory | null) {
    super(side, MACS[side])
    this.#batch = memory === null ? null : batchIn(memory, MOST, BYTES)
  }

  take(frames: readonly Uint8Array[]): void {
    this.#next = frames
    this.#ready()
  }

  override watch(ready: () => void): void { this.#ready = ready }

  override receive(): FrameBatch {
    const frames = this.#next, batch = this.#batch
    this.#next = []
    if (batch === null) return batchOf(frames)
    let at = 0
    for (const [i, frame] of frames.entries()) {
      batch.bytes.set(frame, at)
      batch.starts[i] = at
      batch.ends[i] = at += frame.length
    }
    batch.count = frames.length
    return batch
  }
}

class Plane {
  readonly devices: Readonly<Record<Side, BatchDevice>>
  readonly dataplane: Dataplane

  constructor(isHere: boolean) {
    const memory = new RouterMemory()
    this.devices = { lan: new BatchDevice('lan', isHere ? memory : null), wan: new BatchDevice('wan', isHere ? memory : null) }
    this.dataplane = new Dataplane(parseRouterConfig(CONFIG_104B), this.devices, new RouterClock(), { memory })
    this.dataplane.start()
  }

  /** What the router sends because of a batch. */
  take(side: Side, frames: readonly Uint8Array[]): Readonly<Record<Side, readonly string[]>> {
    this.devices[side].take(frames)
    const sent = (to: Side): string[] => this.devices[to].sentFrames.splice(0).map(frame => Buffer.from(frame).toString('hex'))
    return { lan: sent('lan'), wan: sent('wan') }
  }
}

t.test('the same frames go out in the same order, whether many are forwarded at a time or each by itself', async t => {
  const random = new Random(11), planes = [new Plane(true), new Plane(false)]
  t.teardown(() => { for (const { dataplane } of planes) dataplane.close() })
  const ports: number[] = [], wrong: string[] = []
  const flow = (i: number): Uint8Array => addressed('lan', udp(`192.168.1.${2 + i % 5}:${2000 + i}`, '130.74.23.6:1200', String(i)))
  const both = (side: Side, frames: readonly Uint8Array[], what: string): Readonly<Record<Side, readonly string[]>> => {
    const [here, elsewhere] = planes.map(plane => plane.take(side, frames))
    if (JSON.stringify(here) !== JSON.stringify(elsewhere)) wrong.push(what)
    return here
  }
  both('wan', [arpRequest({ mac: HOST_MACS.wan, address: '130.74.23.6' }, '202.204.16.13')], 'greeting')
  for (const host of [2, 3, 4, 5, 6]) both('lan', [arpRequest({ mac: HOST_MACS.lan, address: `192.168.1.${host}` }, '192.168.1.1')], 'greeting')
  for (let round = 0; round < 60; round++) {
    // Mostly known flows, in runs of any length between new ones, and frames that are dropped, answered or refused.
    const out = Array.from({ length: 1 + random.below(MOST) }, () => {
      if (random.oneIn(30)) return addressed('lan', udp('192.168.1.2:2000', '130.74.23.6:1200', 'x', { timeToLive: 1 }))
      if (random.oneIn(40)) return flow(1).subarray(0, 20 + random.below(30))
      return flow(random.below(4 + round * 3))
    })
    for (const frame of both('lan', out, `out ${round}`).wan) ports.push(read16(Buffer.from(frame, 'hex'), TRANSPORT))
    const back = Array.from({ length: 1 + random.below(MOST) }, () => addressed('wan', udp(`130.74.23.6:${random.oneIn(30) ? 7 : 1200}`, `202.204.16.13:${random.pick(ports)}`, 'y')))
    both('wan', back, `back ${round}`)
  }
  t.same(wrong, [])
  const [here, elsewhere] = planes.map(({ dataplane: { router } }) => router)
  t.same(here.counters, elsewhere.counters)
  t.equal(here.fastForwarded, elsewhere.fastForwarded)
  const { forwarded, answered, dropped } = here.counters
  t.ok(forwarded.lan > 3000 && forwarded.wan > 3000 && here.fastForwarded > 6000 && answered > 0 && dropped['ttl-expired'] > 50 && dropped.filtered > 50, JSON.stringify(here.counters))
})
