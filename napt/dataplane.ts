// Two devices and a router between them, driven by the event loop: frames, timers and control requests wake the same thread,
// and waiting costs nothing.
import { performance } from 'node:perf_hooks'
import type { RouterConfig } from './router-config.js'
import type { Clock } from './clock.js'
import { batchOf, copyOf } from './device/memory.js'
import type { Device, DeviceCounters, FrameBatch } from './device/device.js'
import { Router, type RouterOutput } from './router.js'
import { Spin } from './spin.js'
import { readTrace, TraceBuffer, type TraceRecord } from './trace.js'
import type { DropReason, Side, Verdict } from './verdict.js'

/** Batches that either side may have in a row before the event loop looks at anything else. */
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
  readonly #machine: () => number
  readonly #spin = new Spin()
  readonly #isPollable: boolean
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  /**
   * @param machine the machine's clock in milliseconds, for how long to look for frames before sleeping
   * @throws ConfigError when static mappings contradict each other
   */
  constructor(config: RouterConfig, devices: Readonly<Record<Side, Device>>, clock: Clock, machine = (): number => performance.now()) {
    this.#devices = devices
    this.#clock = clock
    this.#machine = machine
    this.#isPollable = devices.lan.isPollable && devices.wan.isPollable
    this.router = new Router(config, devices, this, clock.now())
  }

  get now(): number { return this.#clock.now() }
  get deviceCounters(): Readonly<Record<Side, DeviceCounters>> { return { lan: this.#devices.lan.counters, wan: this.#devices.wan.counters } }
  /** Frames that the trace had no room for. */
  get traceLost(): number { return this.#trace.lost }
  /** The same by side, received ones and sent ones each by themselves. */
  get traceLostFrames(): Readonly<Record<Side, number>> { return this.#trace.lostFrames }

  start(): void {
    this.#devices.lan.watch(() => this.#pump())
    this.#devices.wan.watch(() => this.#pump())
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
    if (this.#listeners.size > 0) this.#trace.add(this.#clock.wallTime(), 'drop', reason, true, from, frame, null, null)
  }

  /** What is there on both sides, a batch in turn, so that a flood on one side leaves the other its half. */
  #pump(): void {
    const spin = this.#spin
    spin.woken(this.#machine())
    for (let batches = 0; batches < BATCHES_A_TURN;) {
      const frames = this.#take('lan') + this.#take('wan')
      if (frames > 0) {
        batches++
        spin.worked(this.#machine())
      } else if (!this.#isPollable || !spin.goesOn(this.#machine())) {
        break
      }
    }
    this.#settle()
  }

  /** Gives the number of frames. */
  #take(from: Side): number {
    const batch = this.#devices[from].receive()
    if (batch.count === 0) return 0
    this.#processBatch(batch, from, false)
    this.#handOver()
    while (this.#redelivered.length > 0) {
      for (const held of this.#redelivered.splice(0)) this.#processBatch(batchOf([held.frame]), held.from, true)
    }
    return batch.count
  }

  #processBatch(batch: FrameBatch, from: Side, waited: boolean): void {
    const now = this.#clock.now()
    const traced = this.#listeners.size > 0
    for (let i = 0; i < batch.count; i++) {
      const received = traced ? copyOf(batch, i) : null
      const verdict = this.router.process(batch.bytes, batch.starts[i], batch.ends[i], batch.partial[i] === 1, from, now, batch.segments[i])
      if (verdict.action === 'forward') this.#devices[verdict.to].forward(batch, i)
      if (received !== null) this.#record(batch, i, from, waited, received, verdict)
    }
    this.#devices.lan.flush()
    this.#devices.wan.flush()
  }

  #record(batch: FrameBatch, i: number, from: Side, waited: boolean, received: Uint8Array, { action, to, reason }: Verdict): void {
    const time = this.#clock.wallTime(), explanation = this.router.explain(this.#clock.now())
    const reply = action === 'answer' ? this.#originated.pop() : undefined
    const sent = action === 'forward' ? { side: to, frame: copyOf(batch, i) } : reply
    this.#trace.add(time, action, reason, waited, from, received, sent?.side ?? null, sent?.frame ?? null, explanation)
    this.#recordOriginated()
  }

  /** What is left besides an answer: ICMP errors about dropped frames, ARP requests for held ones. */
  #recordOriginated(): void {
    for (const { side, frame } of this.#originated.splice(0)) this.#trace.add(this.#clock.wallTime(), 'originate', null, false, null, null, side, frame)
  }

  /** Does what time alone brings about. Called by a timer of its own; whoever turns the clock, or changes its rate, calls it too. */
  tick(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
    this.router.tick(this.#clock.now())
    this.#recordOriginated()
    this.#devices.lan.flush()
    this.#devices.wan.flush()
    this.#settle()
  }

  /** Gives the listeners what was recorded. */
  #handOver(): void {
    if (this.#trace.isEmpty) return
    for (const record of readTrace(this.#trace.take())) for (const listener of this.#listeners) listener(record)
  }

  /** Hands over, and sets the timer for what comes next. */
  #settle(): void {
    this.#handOver()
    const { rate } = this.#clock, now = this.#clock.now(), wait = this.router.untilTick(now), due = now + wait
    // While time stands still, only what is due already remains to be done.
    if (rate === 0 && wait > 0) return
    if (due >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = due
    this.#timer = setTimeout(() => this.tick(), Math.min(Math.ceil(wait / (rate || 1)), LONGEST_TIMER))
    this.#timer.unref()
  }
}
