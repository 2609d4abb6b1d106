// The thread that makes a router's capture file of what the thread that forwards puts into the ring between them. While packets come,
// it looks every few milliseconds, so that they cost the other thread no call; when none come, it sleeps until it is told.
import { setTimeout as pause } from 'node:timers/promises'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { TraceReader } from '../../napt/trace/trace-reader.js'
import type { RecorderJob, RecorderReport, RecorderRequest } from './recorder-protocol.js'
import { TraceFile } from './trace-file.js'

/** Milliseconds between two looks at a ring in which there was something. */
const LOOK = 5
/** Milliseconds until what was recorded is on file, for whoever reads what a killed router leaves. */
const FLUSH_INTERVAL = 200
/** Records whose memory is given back at a time. */
const PORTION = 256

class Recorder {
  readonly #reader: TraceReader
  #end: Extract<RecorderRequest, { op: 'end' }> | null = null

  constructor(private readonly job: RecorderJob, private readonly port: MessagePort) {
    this.#reader = new TraceReader(job.memory)
  }

  async run(): Promise<void> {
    const file = await TraceFile.open(this.job.path, this.job.router)
    let wake: () => void = () => undefined
    this.port.on('message', (request: RecorderRequest) => {
      if (request.op === 'end') this.#end = request
      wake()
    })
    let flushed = performance.now()
    for (;;) {
      const end = this.#end, isIdle = await this.#drain(file) === 0, now = performance.now()
      // What was in the ring when the end was announced has been read now.
      if (end !== null) { await file.close(end.dropped); return; }
      if (isIdle || now - flushed >= FLUSH_INTERVAL) {
        file.flush()
        flushed = now
      }
      if (this.#end !== end) continue
      const told = new Promise<void>(resolve => { wake = resolve })
      if (!isIdle) await Promise.race([pause(LOOK), told])
      else if (this.#reader.sleep()) await told
    }
  }

  /** Gives the number of records that were there. */
  async #drain(file: TraceFile): Promise<number> {
    let count = 0
    while (this.#reader.next()) {
      file.write(this.#reader.record)
      if (++count % PORTION !== 0) continue
      this.#reader.release()
      await file.ready()
    }
    this.#reader.release()
    await file.ready()
    return count
  }
}

const port = parentPort
if (port === null) throw new Error('recorder-worker: this is a thread of a router, not a program')
const say = (report: RecorderReport): void => port.postMessage(report)
try {
  await new Recorder(workerData as RecorderJob, port).run()
  say({ event: 'done' })
} catch (error) {
  // The disk may be full: that is the recording's end, not the router's.
  say({ event: 'failed', message: error instanceof Error ? error.message : String(error), ...(error instanceof Error && 'code' in error ? { code: String(error.code) } : {}) })
}
port.close()
