// Whose turn it is on the one thread: neither side, nor control, waits for a flood on the other side to end; and a thread that looks
// for frames before it sleeps finds them without being woken.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { RouterClock } from '../../napt/clock.js'
import { RouterClient } from '../../napt/control/client.js'
import { serveControl } from '../../napt/control/server.js'
import { Dataplane } from '../../napt/dataplane.js'
import type { FrameBatch } from '../../napt/device/device.js'
import { batchOf, MemoryDevice } from '../../napt/device/memory.js'
import { parseRouterConfig } from '../../napt/router-config.js'
import { LONGEST_SPIN } from '../../napt/spin.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { arpRequest, udp } from './frames.js'
import { HOST_MACS } from './dataplane-bench.js'
import { CONFIG_104B, MACS } from './router-bench.js'

const FLOOD = 64

function fromHost(side: 'lan' | 'wan', frame: Uint8Array): Uint8Array {
  ethernet.setAddresses(frame, 0, MACS[side], HOST_MACS[side])
  return frame
}

/** As a device whose socket never empties: the event loop calls again and again. */
class FloodedDevice extends MemoryDevice {
  isFlooded = false
  batches = 0
  #wake: (() => void) | undefined

  override watch(ready: () => void): void {
    super.watch(ready)
    this.#wake = ready
  }

  flood(): void {
    this.isFlooded = true
    const again = (): void => {
      if (!this.isFlooded) return
      this.#wake?.()
      setImmediate(again)
    }
    again()
  }

  override receive(): FrameBatch {
    if (!this.isFlooded) return super.receive()
    this.batches++
    return batchOf(Array.from({ length: FLOOD }, (_, i) => fromHost('lan', udp(`192.168.1.3:${2000 + i}`, '130.74.23.6:1200', 'flood'))))
  }
}

/** Frames come while it is being looked at, as `arrivals` says: how many at each look. */
class PolledDevice extends MemoryDevice {
  override readonly isPollable = true
  looks = 0
  arrivals: Uint8Array[] = []

  override receive(): FrameBatch {
    this.looks++
    const next = this.arrivals.shift()
    return next === undefined || next.length === 0 ? batchOf([]) : batchOf([next])
  }

  wake: () => void = () => undefined
  override watch(ready: () => void): void { this.wake = ready }
}

t.test('a flood from the LAN holds up neither the WAN nor control', async t => {
  const lan = new FloodedDevice('lan', MACS.lan), wan = new MemoryDevice('wan', MACS.wan), clock = new RouterClock()
  const dataplane = new Dataplane(parseRouterConfig(CONFIG_104B), { lan, wan }, clock)
  const folder = mkdtempSync(join(tmpdir(), 'napt-')), path = join(folder, 'control')
  const server = await serveControl(path, dataplane, { device: 'memory', clock, endCaptures: () => Promise.resolve([]) })
  t.teardown(() => {
    lan.isFlooded = false
    server.close()
    dataplane.close()
    rmSync(folder, { recursive: true })
  })
  dataplane.start()
  lan.inject(arpRequest({ mac: HOST_MACS.lan, address: '192.168.1.3' }, '192.168.1.1'))
  wan.inject(arpRequest({ mac: HOST_MACS.wan, address: '130.74.23.6' }, '202.204.16.13'))
  lan.inject(fromHost('lan', udp('192.168.1.3:2000', '130.74.23.6:1200', '2133')))

  lan.flood()
  t.ok(lan.batches > 0 && lan.batches <= 16, `a turn ends by itself, after ${lan.batches} batches`)
  const client = await RouterClient.connect(path)
  const before = await client.request({ op: 'counters' })
  wan.inject(fromHost('wan', udp('130.74.23.6:1200', '202.204.16.13:3400', '205')))
  const after = await client.request({ op: 'counters' })
  t.ok(after.forwarded.lan > before.forwarded.lan, 'the flood goes on')
  t.equal(after.forwarded.wan, 1, 'and the packet from the WAN has passed')
  client.close()
})

t.test('in a dialogue the thread finds the next frame without being woken; a single frame lets it sleep', async t => {
  let now = 1000
  const lan = new PolledDevice('lan', MACS.lan), wan = new PolledDevice('wan', MACS.wan)
  // Every look at the clock takes a tenth of the longest spin.
  const dataplane = new Dataplane(parseRouterConfig(CONFIG_104B), { lan, wan }, new RouterClock(), { machine: () => now += LONGEST_SPIN / 10 })
  t.teardown(() => dataplane.close())
  dataplane.start()
  const greeting = (): Uint8Array => arpRequest({ mac: HOST_MACS.lan, address: '192.168.1.3' }, '192.168.1.1')

  lan.arrivals = [greeting()]
  lan.wake()
  t.equal(lan.looks, 2, 'a look that finds something, and one that does not')

  lan.arrivals = [greeting(), new Uint8Array(0), new Uint8Array(0), greeting()]
  lan.wake()
  t.equal(dataplane.deviceCounters.lan.sent, 3, 'the second came so soon that the third was awaited, and answered')
  t.ok(lan.looks < 30, `then it slept, after ${lan.looks} looks`)

  const looks = lan.looks
  now += 1000
  lan.arrivals = [greeting()]
  lan.wake()
  t.equal(lan.looks - looks, 2, 'after a second without frames nobody waits for more')
})
