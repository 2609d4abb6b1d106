// The process of one recording: `node record-process.js JOB`, with the job as JSON. Of a bench it has the user namespace and
// network namespaces, not that of its processes, so that it outlives the bench and finishes its file. A process of its own, because a capture aborts its process when the interface
// goes. Says {"event":"ready"}, how far it is, and {"event":"done"}; ends when its standard
// input does, which is also when whoever wanted the recording is gone.
import { openSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { wallTime } from '../../napt/clock.js'
import { RouterClient } from '../../napt/control/client.js'
import type { CountersJson } from '../../napt/control/protocol.js'
import type { Capture } from '../../napt/device/libpcap.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import type { Ipv4Address } from '../../napt/wire/address.js'
import { captureInterface } from './interface-capture.js'
import { inNamespace, NAMESPACE_FOLDER, type Namespace } from '../bench/namespaces.js'
import { controlPath } from '../bench/protocol.js'
import type { RecordJob, RecordReport } from './record.js'
import { Recording } from './recording.js'
import { RouterPackets } from './router-packets.js'

/** Milliseconds between looks at what is due, and between reports. */
const TICK = 100, REPORT_INTERVAL = 250

class RecordProcess {
  readonly #recording: Recording
  readonly #captures: Capture[] = []
  readonly #routers: { readonly name: string, readonly client: RouterClient, readonly before: CountersJson }[] = []
  #isEnding = false

  constructor(private readonly job: RecordJob) {
    this.#recording = new Recording({ ...job, names: new Map(job.names.map(([address, name]) => [address as Ipv4Address, name])) })
  }

  /** Nothing is left behind when it cannot. */
  async start(): Promise<void> {
    try {
      await this.#open()
    } catch (error) {
      this.#recording.discard()
      throw error
    }
    setInterval(() => this.#attempt(() => this.#tick()), TICK)
    setInterval(() => say({ event: 'progress', ...this.#state() }), REPORT_INTERVAL)
    say({ event: 'ready', ...this.#state() })
  }

  async #open(): Promise<void> {
    const { hosts, routers, interface: own, bench } = this.job
    // All of them are held, so that no cable goes with the bench while something is captured on it.
    const held = new Map(bench?.namespaces.map(name => [name, openNamespace(bench.root, name)]))
    for (const name of hosts) this.#capture(name, 'eth0', held.get(name) ?? null)
    if (own !== undefined) this.#capture(own, own, null)
    for (const name of routers) await this.#follow(name, `${bench?.root ?? ''}${controlPath(name)}`)
  }

  async end(): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    // What has arrived already is still read: one turn of the event loop to poll, one to be sure.
    await turn()
    await turn()
    await this.#countLosses()
    for (const capture of this.#captures) capture.close()
    this.#attempt(() => this.#recording.close())
    say({ event: 'done', ...this.#state() })
    process.exit(0)
  }

  #capture(interfaceName: string, device: string, namespace: Namespace | null): void {
    const { filter = '' } = this.job
    const open = (): Capture => captureInterface(device, filter, (bytes, direction) => {
      this.#attempt(() => this.#recording.take({ interface: interfaceName, time: wallTime(), bytes, direction, copyOf: null, comment: '' }))
    })
    this.#captures.push(namespace === null ? open() : inNamespace(namespace, open))
  }

  async #follow(name: string, socket: string): Promise<void> {
    const client = await RouterClient.connect(socket), packets = new RouterPackets(name)
    this.#routers.push({ name, client, before: await client.request({ op: 'counters' }) })
    await client.trace((record: TraceRecord) => {
      this.#attempt(() => this.#recording.takeCopies(packets.of(record).packets.map(({ side, packetId, ...seen }) => ({ ...seen, interface: `${name}-${side}`, copyOf: `${packetId}` }))))
    })
  }

  /** Which of a router's sides a lost record was about nobody knows: it counts at both. What a device missed is known. */
  async #countLosses(): Promise<void> {
    for (const { name, client, before } of this.#routers) {
      const { untraced, devices } = await client.request({ op: 'counters' }).catch(() => before) // it has ended
      for (const side of ['lan', 'wan'] as const) this.#recording.lost(`${name}-${side}`, client.missed + untraced - before.untraced + devices[side].missed - before.devices[side].missed)
      client.close()
    }
  }

  #tick(): void {
    this.#recording.flush(wallTime())
    if (this.#recording.isFull) void this.end()
  }

  #state(): { packets: number, bytes: number, files: readonly string[], lost: number } {
    const { packets, bytes, paths: files } = this.#recording
    return { packets, bytes, files, lost: this.#routers.reduce((sum, { client }) => sum + client.missed, 0) }
  }

  /** What goes wrong while it records, a full disk say, ends it; what is on file stays there. */
  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      fail(error)
    }
  }
}

function openNamespace(root: string, name: string): Namespace {
  const path = `${root}${NAMESPACE_FOLDER}/${name}`
  return { name, path, fd: openSync(path, 'r') }
}

function say(report: RecordReport): void { process.stdout.write(`${JSON.stringify(report)}\n`) }

function fail(error: unknown): never {
  say({ event: 'failed', message: error instanceof Error ? error.message : String(error) })
  process.exit(1)
}

try {
  const recorder = new RecordProcess(JSON.parse(process.argv[2]) as RecordJob)
  process.stdin.resume().on('end', () => void recorder.end())
  await recorder.start()
} catch (error) {
  fail(error)
}
