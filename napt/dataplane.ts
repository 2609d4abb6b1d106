// Two devices and a router between them, driven by the event loop: frames, timers and control requests wake the same thread,
// and waiting costs nothing.
import { performance } from 'node:perf_hooks'
import type { RouterConfig } from './router-config.js'
import type { Clock } from './clock.js'
import { FORESEEN } from './fast-path.js'
import { batchOf } from './device/memory.js'
import type { Device, DeviceCounters, FrameBatch } from './device/device.js'
import type { RouterOutput } from './router-output.js'
import { RouterMemory } from './router-memory.js'
import { Router } from './router.js'
import { Spin } from './spin.js'
import { WORD } from './trace/trace-layout.js'
import { NO_FRAME, TraceRing } from './trace/trace-ring.js'
import type { TraceAction, TraceRecord } from './trace/trace.js'
import { otherSide, type DropReason, type Side, type Verdict } from './verdict.js'

/** Frames of both sides, or a batch of either more, before the event loop looks at anything else. */
const FRAMES_A_TURN = 1024
/** setTimeout's longest. */
const LONGEST_TIMER = 2 ** 31 - 1
/** Bytes of trace for listeners in this thread, who empty it batch by batch: 64 GSO frames are 4 MB. */
const TRACE_BYTES = 1 << 23

export type TraceListener = (record: TraceRecord) => void

export interface DataplaneOptions {
  readonly memory?: RouterMemory
  readonly machine?: () => number
}

export class Dataplane implements RouterOutput {
  readonly router: Router
  readonly #devices: Readonly<Record<Side, Device>>
  readonly #clock: Clock
  #trace = new TraceRing(TRACE_BYTES)
  /** Tells a reader of the trace in another thread that there is more; null while there is none. */
  #wakeReader: (() => void) | null = null
  /** Of the batch that is being processed: asking for the time costs as much as a quarter of a record. */
  readonly #time = new Int32Array(2)
  /** Of the last batch of either side. */
  readonly #memory: Record<Side, Uint8Array | null> = { lan: null, wan: null }
  readonly #source: Record<Side, DataView> = { lan: NO_FRAME, wan: NO_FRAME }
  #traceLost = 0
  readonly #traceLostFrames: Record<Side, number> = { lan: 0, wan: 0 }
  readonly #listeners = new Set<TraceListener>()
  readonly #redelivered: { from: Side, frame: Uint8Array }[] = []
  /** What the router sent of its own, and gave up, since the last record; kept only while somebody listens. */
  readonly #originated: { side: Side, frame: Uint8Array }[] = []
  readonly #abandoned: { from: Side, frame: Uint8Array, reason: DropReason }[] = []
  readonly #machine: () => number
  readonly #spin = new Spin()
  readonly #isPollable: boolean
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity

  /**
   * @param memory the router's, in which the devices may have their frames
   * @param machine the machine's clock in milliseconds, for how long to look for frames before sleeping
   * @throws ConfigError when static mappings contradict each other
   */
  constructor(config: RouterConfig, devices: Readonly<Record<Side, Device>>, clock: Clock, { memory = new RouterMemory(), machine = () => performance.now() }: DataplaneOptions = {}) {
    this.#devices = devices
    this.#clock = clock
    this.#machine = machine
    this.#isPollable = devices.lan.isPollable && devices.wan.isPollable
    this.router = new Router(config, devices, this, clock.now(), { memory })
  }

  get now(): number { return this.#clock.now() }
  get deviceCounters(): Readonly<Record<Side, DeviceCounters>> { return { lan: this.#devices.lan.counters, wan: this.#devices.wan.counters } }
  /** Frames that the trace had no room for. */
  get traceLost(): number { return this.#traceLost }
  /** The same by side, received ones and sent ones each by themselves. */
  get traceLostFrames(): Readonly<Record<Side, number>> { return this.#traceLostFrames }

  start(): void {
    this.#devices.lan.watch(() => this.#pump())
    this.#devices.wan.watch(() => this.#pump())
  }

  /** From now on the listener hears of every frame; the frames of a record are its own to keep. Returns how to stop. */
  listen(listener: TraceListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** From now on a TraceReader in another thread finds every record in `ring`. `wake` is called when it has gone to sleep. */
  traceInto(ring: TraceRing, wake: () => void): void {
    this.#trace = ring
    this.#wakeReader = wake
  }

  /** Nothing more is written into the ring of `traceInto`. */
  endTraceInto(): void {
    this.#trace = new TraceRing(TRACE_BYTES)
    this.#wakeReader = null
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
    if (this.#isTraced) this.#originated.push({ side, frame: frame.slice() })
  }

  redeliver(from: Side, frame: Uint8Array): void { this.#redelivered.push({ from, frame }) }

  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void {
    if (this.#isTraced) this.#abandoned.push({ from, frame, reason })
  }

  get #isTraced(): boolean { return this.#listeners.size > 0 || this.#wakeReader !== null }

  /** What is there on both sides, a batch in turn, so that a flood on one side leaves the other its half. */
  #pump(): void {
    const spin = this.#spin
    spin.woken(this.#machine())
    for (let taken = 0; taken < FRAMES_A_TURN;) {
      const frames = this.#take('lan') + this.#take('wan')
      if (frames > 0) {
        taken += frames
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
    const now = this.#clock.now(), source = this.#isTraced ? this.#sourceOf(batch.bytes, from) : null
    if (source !== null) this.#clock.stamp(this.#time, 0)
    for (let first = 0; first < batch.count; first += FORESEEN) {
      const end = Math.min(first + FORESEEN, batch.count)
      this.router.foresee(batch, first, end, from)
      for (let i = this.#forwardRun(batch, first, end, from, now); i < end; i = this.#forwardRun(batch, i + 1, end, from, now)) {
        const record = source === null ? -1 : this.#trace.open(source, batch.starts[i], batch.ends[i], batch.partial[i] === 1)
        const verdict = this.router.process(batch.bytes, batch.starts[i], batch.ends[i], batch.partial[i] === 1, from, now, batch.segments[i])
        if (verdict.action === 'forward') this.#devices[verdict.to].forward(batch, i)
        if (source !== null) this.#record(record, from, waited, verdict, now)
      }
    }
    this.#devices.lan.flush()
    this.#devices.wan.flush()
  }

  /** Frames of known flows, from `first` on; gives the number of the first other one, or `end`. A trace is told of each frame by itself. */
  #forwardRun(batch: FrameBatch, first: number, end: number, from: Side, now: number): number {
    if (this.#isTraced) return first
    const next = this.router.forwardRun(batch, first, end, from, now), device = this.#devices[otherSide(from)]
    for (let i = first; i < next; i++) device.forward(batch, i)
    return next
  }

  /** A device mostly has its batches in the same memory. */
  #sourceOf(bytes: Uint8Array, from: Side): DataView {
    if (this.#memory[from] !== bytes) {
      this.#memory[from] = bytes
      this.#source[from] = viewOf(bytes)
    }
    return this.#source[from]
  }

  /** `record`: where the frame's has been opened, or -1. */
  #record(record: number, from: Side, waited: boolean, { action, to, reason }: Verdict, now: number): void {
    if (record >= 0) this.router.writeExplanation(this.#trace, record + WORD.explanation, now)
    const reply = action === 'answer' ? this.#originated.pop() : undefined
    this.#close(record, action, reason, waited, from, action === 'forward' ? to : reply?.side ?? null, reply?.frame ?? null)
    if (this.#originated.length > 0 || this.#abandoned.length > 0) this.#recordAside()
  }

  /** What is left besides verdicts and answers: frames that waited in vain, ICMP errors about dropped frames, ARP requests for held ones. */
  #recordAside(): void {
    if (this.#originated.length > 0 || this.#abandoned.length > 0) this.#clock.stamp(this.#time, 0)
    for (const { from, frame, reason } of this.#abandoned.splice(0)) this.#close(this.#trace.open(viewOf(frame), 0, frame.length, false), 'drop', reason, true, from, null, null)
    for (const { side, frame } of this.#originated.splice(0)) this.#close(this.#trace.open(NO_FRAME, 0, 0, false), 'originate', null, false, null, side, frame)
  }

  #close(record: number, action: TraceAction, reason: DropReason | null, waited: boolean, receivedSide: Side | null, sentSide: Side | null, sent: Uint8Array | null): void {
    if (record >= 0) {
      this.#trace.words[record + WORD.time] = this.#time[0]
      this.#trace.words[record + WORD.time + 1] = this.#time[1]
    }
    if (this.#trace.close(action, reason, waited, receivedSide, sentSide, sent)) return
    this.#traceLost++
    if (receivedSide !== null) this.#traceLostFrames[receivedSide]++
    if (sentSide !== null) this.#traceLostFrames[sentSide]++
  }

  /** Does what time alone brings about. Called by a timer of its own; whoever turns the clock, or changes its rate, calls it too. */
  tick(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
    this.router.tick(this.#clock.now())
    this.#recordAside()
    this.#devices.lan.flush()
    this.#devices.wan.flush()
    this.#settle()
  }

  /** Gives the listeners what was recorded, and a reader in another thread. */
  #handOver(): void {
    if (this.#trace.isEmpty) return
    const records = this.#listeners.size > 0 ? this.#trace.unpublished() : NO_RECORDS
    if (this.#wakeReader === null) this.#trace.clear()
    else if (this.#trace.publish()) this.#wakeReader()
    for (const record of records) for (const listener of this.#listeners) listener(record)
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

const NO_RECORDS: readonly TraceRecord[] = []

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
