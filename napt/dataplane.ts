// Two devices and a router between them, driven by the event loop: frames, timers and control requests wake the same thread,
// and waiting costs nothing.
import type { RouterConfig } from './behaviour.js'
import type { Clock } from './clock.js'
import { batchOf, copyOf } from './device/memory.js'
import type { Device, DeviceCounters, FrameBatch } from './device/device.js'
import { Router, type RouterOutput } from './router.js'
import { readTrace, TraceBuffer, type TraceRecord } from './trace.js'
import { otherSide, type Action, type DropReason, type Side } from './verdict.js'

/** Batches that one side may have in a row before the event loop looks at anything else. */
const BATCHES_A_TURN = 16
/** setTimeout's longest. */
const LONGEST_TIMER = 2 ** 31 - 1

export type TraceListener = (record: TraceRecord) => void

export class Dataplane implements RouterOutput {
  readonly router: Router
  readonly #devices: Readonly<Record<Side, Device>>
  readonly #clock: Clock
  readonly #trace = new TraceBuffer()
  readonly #listeners = new Set<TraceListener>()
  readonly #redelivered: { from: Side, frame: Uint8Array }[] = []
  /** What the router sent of its own since the last record; kept only while somebody listens. */
  readonly #originated: { side: Side, frame: Uint8Array }[] = []
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  /** @throws ConfigError when static mappings contradict each other */
  constructor(config: RouterConfig, devices: Readonly<Record<Side, Device>>, clock: Clock) {
    this.#devices = devices
    this.#clock = clock
    this.router = new Router(config, { lan: devices.lan.mac, wan: devices.wan.mac }, this, clock.now())
  }

  get now(): number { return this.#clock.now() }
  get deviceCounters(): Readonly<Record<Side, DeviceCounters>> { return { lan: this.#devices.lan.counters, wan: this.#devices.wan.counters } }
  /** Frames that the trace had no room for. */
  get traceLost(): number { return this.#trace.lost }

  start(): void {
    this.#devices.lan.watch(() => this.#pump('lan'))
    this.#devices.wan.watch(() => this.#pump('wan'))
  }

  /** From now on the listener hears of every frame; the frames of a record are its own to keep. Returns how to stop. */
  listen(listener: TraceListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Lets time pass on the router's clock, and what time brings about happen now. */
  advance(milliseconds: number): void {
    this.#clock.advance(milliseconds)
    this.tick()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#devices.lan.close()
    this.#devices.wan.close()
  }

  originate(side: Side, frame: Uint8Array): void {
    this.#devices[side].send(frame)
    if (this.#listeners.size > 0) this.#originated.push({ side, frame: frame.slice() })
  }

  redeliver(from: Side, frame: Uint8Array): void { this.#redelivered.push({ from, frame }) }

  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void {
    if (this.#listeners.size > 0) this.#trace.add(this.#clock.wallTime(), 'drop', reason, from, frame, null, null)
  }

  #pump(from: Side): void {
    const device = this.#devices[from]
    for (let turn = 0; turn < BATCHES_A_TURN; turn++) {
      const batch = device.receive()
      if (batch.count === 0) break
      this.#processBatch(batch, from)
      while (this.#redelivered.length > 0) {
        for (const held of this.#redelivered.splice(0)) this.#processBatch(batchOf([held.frame]), held.from)
      }
    }
    this.#settle()
  }

  #processBatch(batch: FrameBatch, from: Side): void {
    const out = this.#devices[otherSide(from)], now = this.#clock.now()
    const traced = this.#listeners.size > 0
    for (let i = 0; i < batch.count; i++) {
      const received = traced ? copyOf(batch, i) : null
      const verdict = this.router.process(batch.bytes, batch.starts[i], batch.ends[i], batch.partial[i] === 1, from, now)
      if (verdict.action === 'forward') out.forward(batch, i)
      if (received !== null) this.#record(batch, i, from, received, verdict.action, verdict.reason)
    }
    this.#devices.lan.flush()
    this.#devices.wan.flush()
  }

  #record(batch: FrameBatch, i: number, from: Side, received: Uint8Array, action: Action, reason: DropReason | null): void {
    const time = this.#clock.wallTime()
    if (action === 'forward') this.#trace.add(time, 'forward', null, from, received, otherSide(from), copyOf(batch, i))
    else if (action === 'drop') this.#trace.add(time, 'drop', reason, from, received, null, null)
    else if (action === 'answer') {
      const reply = this.#originated.pop()
      this.#trace.add(time, 'answer', null, from, received, reply?.side ?? null, reply?.frame ?? null)
    }
    this.#recordOriginated()
  }

  /** What is left besides an answer: ICMP errors about dropped frames, ARP requests for held ones. */
  #recordOriginated(): void {
    for (const { side, frame } of this.#originated.splice(0)) this.#trace.add(this.#clock.wallTime(), 'originate', null, null, null, side, frame)
  }

  /** Does what time alone brings about. Called by a timer of its own; over a file, whoever turns the clock calls it. */
  tick(): void {
    this.#timerAt = Infinity
    this.router.tick(this.#clock.now())
    this.#recordOriginated()
    this.#devices.lan.flush()
    this.#devices.wan.flush()
    this.#settle()
  }

  /** Hands on what was recorded, and sets the timer for what comes next. */
  #settle(): void {
    if (!this.#trace.isEmpty) {
      for (const record of readTrace(this.#trace.take())) for (const listener of this.#listeners) listener(record)
    }
    const now = this.#clock.now(), due = now + this.router.untilTick(now)
    if (due >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = due
    this.#timer = setTimeout(() => this.tick(), Math.min(Math.ceil(due - now), LONGEST_TIMER))
    this.#timer.unref()
  }
}
