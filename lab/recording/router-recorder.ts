// Records both sides of a router into one capture file, NAME.pcapng: every frame that it handled, with the verdict in words.
//
// The thread that forwards only puts frames and numbers into a ring; another one makes a file of them (recorder-worker.ts). What
// the ring has no room for, because the disk or that thread is too slow for the traffic, is lost to the file and counted there.
// When the file cannot be written any more, recording stops and forwarding goes on.
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Dataplane } from '../../napt/dataplane.js'
import { TraceRing } from '../../napt/trace/trace-ring.js'
import type { Side } from '../../napt/verdict.js'
import { programPath } from '../program-path.js'
import type { RecorderJob, RecorderReport, RecorderRequest } from './recorder-protocol.js'

/** Bytes: three seconds of 100,000 small packets a second. */
const RING = 1 << 26

export class RouterRecorder {
  readonly #dataplane: Dataplane
  readonly #path: string
  readonly #worker: Worker
  /** Resolves when the thread has ended, with what went wrong, or null. */
  readonly #outcome: Promise<Error | null>
  /** Frames of each side that had been missed before the recording began. */
  readonly #before: Readonly<Record<Side, number>>
  #isEnding = false

  /** @param ringBytes a power of two. @throws the system's error when the folder cannot be written */
  constructor(dataplane: Dataplane, folder: string, ringBytes = RING) {
    accessSync(folder, constants.W_OK)
    const { name, lan, wan } = dataplane.router.config, ring = new TraceRing(ringBytes)
    this.#dataplane = dataplane
    this.#path = join(folder, `${name}.pcapng`)
    this.#before = this.#missed
    const job: RecorderJob = { memory: ring.memory, path: this.#path, router: { name, lan: lan.prefix.address, wan: wan.address } }
    this.#worker = new Worker(programPath('lab/recording/recorder-worker'), { workerData: job })
    this.#worker.unref()
    this.#outcome = outcomeOf(this.#worker)
    void this.#outcome.then(() => this.#halt())
    dataplane.traceInto(ring, () => this.#ask({ op: 'wake' }))
  }

  /** The file is finished under its name. Gives its path; ending twice does nothing more. @throws the system's error when it could not be written */
  async end(): Promise<string> {
    const failure = await this.#finish()
    if (failure !== null) throw failure
    return this.#path
  }

  /** As `end`, for who cannot do anything about a file that could not be written. */
  async close(): Promise<void> { await this.#finish() }

  #finish(): Promise<Error | null> {
    if (!this.#isEnding) {
      this.#halt()
      const { lan, wan } = this.#missed
      this.#worker.ref()
      this.#ask({ op: 'end', dropped: { lan: lan - this.#before.lan, wan: wan - this.#before.wan } })
    }
    return this.#outcome
  }

  get #missed(): Readonly<Record<Side, number>> {
    const { deviceCounters: { lan, wan }, traceLostFrames: lost } = this.#dataplane
    return { lan: lan.missed + lost.lan, wan: wan.missed + lost.wan }
  }

  #halt(): void {
    if (!this.#isEnding) this.#dataplane.endTraceInto()
    this.#isEnding = true
  }

  #ask(request: RecorderRequest): void { this.#worker.postMessage(request) }
}

function outcomeOf(worker: Worker): Promise<Error | null> {
  return new Promise(resolve => {
    worker.once('message', (report: RecorderReport) => {
      if (report.event === 'done') resolve(null)
      else resolve(Object.assign(new Error(report.message), report.code === undefined ? {} : { code: report.code }))
    })
    worker.once('error', resolve)
    worker.once('exit', code => resolve(new Error(`the recording thread ended with exit code ${code}`)))
  })
}
