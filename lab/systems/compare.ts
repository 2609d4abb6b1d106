// The same data from one LAN to another, each behind a NAPT router of its own: through the relay of Fig. 13, through the log-in relay,
// and directly as in Fig. 2. What the description argues in words (the server carries nothing of a direct connection), in numbers.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { EndpointEvent } from '../../endpoints/events.js'
import { Apparatus, ApparatusError } from '../programs/apparatus.js'
import { BenchError, type BenchDescription } from '../bench/bench.js'
import { fig1 } from '../benches/fig1.js'
import { fig10Lan } from '../benches/fig10.js'
import { relayLogin } from '../benches/relay-login.js'
import { comparisonChart } from './compare-chart.js'
import type { CompareRow } from './compare-row.js'
import type { EndpointTask } from '../programs/endpoint-task.js'
import type { AttachedBench } from '../bench/live-bench.js'
import { MOVER_PASSWORDS, type MovingSystem } from './mover.js'
import { openBench } from '../bench/open.js'
import { writableFolder } from './output-folder.js'
import { processUse } from './process-use.js'
import { RUN_FOLDER } from '../bench/protocol.js'
import { writeWhole } from '../write-whole.js'

interface Compared {
  readonly system: MovingSystem
  readonly title: string
  readonly bench: BenchDescription
  readonly server: EndpointTask
  /** Hosts, which are named as the apparatuses are. */
  readonly hosts: { readonly server: '11' | '4' | '101', readonly sender: '12' | '11' | '102', readonly receiver: '13' | '21' | '103' }
  /** How the server tells that the receiver can be asked for. */
  readonly isKnown: (event: EndpointEvent) => boolean
  /** Of the server, before anybody connects. */
  readonly purposes: readonly string[]
}

const SERVER = '130.74.23.6'
const REGISTRY = ['registrations', 'first connections', 'second connections']

/** The three benches have the same shape and addresses. */
const COMPARED: readonly Compared[] = [
  {
    system: 'relay', title: 'relay (Fig. 13)', bench: fig10Lan, server: { role: 'relay-server' }, hosts: { server: '11', sender: '12', receiver: '13' },
    isKnown: event => event.event === 'registered', purposes: REGISTRY,
  },
  {
    system: 'relay-login', title: 'log-in relay', bench: relayLogin, hosts: { server: '4', sender: '11', receiver: '21' },
    server: { role: 'login-relay', users: `${RUN_FOLDER}/users`, passwords: MOVER_PASSWORDS },
    isKnown: event => event.event === 'logged-in', purposes: ['log-ins'],
  },
  {
    system: 'direct', title: 'direct (Fig. 2)', bench: fig1, server: { role: 'server', level: 3 }, hosts: { server: '101', sender: '102', receiver: '103' },
    isKnown: event => event.event === 'registered', purposes: REGISTRY,
  },
]

/** Bytes: a run of some hours. */
export const MOST_MOVED = 2 ** 40
const CHART = 'compare.svg'

export interface CompareOptions {
  /** To be moved by each system, 1 to MOST_MOVED. */
  readonly bytes: number
  /** Folder for the chart; made if need be. */
  readonly out: string
  readonly seed?: number | string
  /** Ends the run early. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress { readonly title: string, readonly bytes: number, readonly of: number }

export interface CompareResult {
  /** All of the data came, unchanged, by every system. */
  readonly ok: boolean
  readonly bytes: number
  readonly rows: readonly CompareRow[]
  readonly failures: readonly string[]
  /** Path of the SVG that shows the rows; null when there is none, since not all of them could be measured. */
  readonly chart: string | null
}

/** @throws BenchError when `bytes` is out of range or the folder cannot be written; PrerequisiteError when the machine refuses namespaces */
export async function runCompare(options: CompareOptions): Promise<CompareResult> {
  const { bytes, seed } = options
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MOST_MOVED) throw new BenchError(`${bytes} bytes cannot be moved: a whole number from 1 to 2^40 is wanted`)
  const path = join(writableFolder(options.out), CHART)
  rmSync(path, { force: true }) // that of an earlier run says nothing about this one
  const rows: CompareRow[] = [], failures: string[] = []
  for (const compared of COMPARED) {
    const bench = await openBench(compared.bench, seed === undefined ? {} : { seed })
    try {
      rows.push(await new Measurement(bench, compared, options).run())
    } catch (error) {
      if (!(error instanceof ApparatusError)) throw error
      failures.push(`${compared.title}: ${error.message}`)
      if (options.signal?.aborted === true) break
    } finally {
      await bench.close()
    }
  }
  const ok = failures.length === 0
  if (ok) writeWhole(path, comparisonChart(bytes, rows))
  return { ok, bytes, rows, failures, chart: ok ? path : null }
}

class Measurement {
  readonly #server: Apparatus
  readonly #sender: Apparatus
  readonly #receiver: Apparatus
  #onKnown: () => void = () => undefined

  constructor(private readonly bench: AttachedBench, private readonly compared: Compared, private readonly options: CompareOptions) {
    const { hosts, isKnown } = compared
    this.#server = new Apparatus(bench, hosts.server, [compared.server.role], event => { if (isKnown(event)) this.#onKnown() })
    this.#sender = new Apparatus(bench, hosts.sender, ['mover'], () => undefined)
    this.#receiver = new Apparatus(bench, hosts.receiver, ['mover'], event => { if (event.event === 'moving') this.#tell(event.bytes) })
  }

  async run(): Promise<CompareRow> {
    const stop = new AbortController()
    try {
      return await Promise.race([this.#measure(), this.#interrupted(stop.signal)])
    } finally {
      stop.abort()
      const programs = [this.#sender, this.#receiver, this.#server]
      for (const program of programs) program.stop()
      await Promise.all(programs.map(program => program.exited))
    }
  }

  async #measure(): Promise<CompareRow> {
    const { system, title, purposes } = this.compared, { bytes } = this.options
    const known = new Promise<void>(resolve => { this.#onKnown = resolve })
    this.#server.begin(this.compared.server)
    for (const purpose of purposes) await this.#server.event('listening', event => event.purpose === purpose)
    this.#receiver.begin(this.#task('receiver'))
    await Promise.race([known, this.#disappointed(this.#receiver), this.#disappointed(this.#server)])
    this.#sender.begin(this.#task('sender'))
    await this.#connected()

    const { pid } = this.#server
    if (pid === null) throw new ApparatusError('the server has ended')
    const before = processUse(pid)
    this.#sender.proceed()
    const { time: began } = await this.#sender.event('moving')
    const { time: ended, ...received } = await this.#received()
    const after = processUse(pid)

    const sent = await this.#sender.event('moved')
    if (received.bytes !== bytes || received.sha256 !== sent.sha256) throw new ApparatusError(`${received.bytes} of ${bytes} bytes came, or they have changed on the way`)
    const seconds = Math.max(0.001, (ended - began) / 1000)
    this.#tell(bytes)
    return {
      system, title, bytes, seconds, throughput: bytes / seconds,
      serverReceived: after.received - before.received, serverSent: after.sent - before.sent, serverCpu: round(after.cpu - before.cpu),
    }
  }

  #task(end: 'sender' | 'receiver'): EndpointTask {
    const { system, hosts } = this.compared
    return { role: 'mover', apparatus: hosts[end], system, end, bytes: this.options.bytes, server: SERVER, reachedAt: { address: '4.17.168.2', port: 5000 } }
  }

  /** Until both ends have their connection, and what belongs to meeting is over. */
  async #connected(): Promise<void> {
    if (this.compared.system === 'direct') {
      await this.#server.event('request-ended')
    } else if (this.compared.system === 'relay') {
      await this.#server.event('relay-started')
    } else {
      // The spare connections, (10) to (14), are part of it.
      for (const program of [this.#sender, this.#receiver]) await program.event('held', event => event.connection === 2)
    }
  }

  /** As long as it goes on, it may take what it takes. */
  async #received(): Promise<{ readonly time: number, readonly bytes: number, readonly sha256: string }> {
    for (let seen = -1; ;) {
      const last = seen
      const next = await this.#receiver.event(['moving', 'moved'], event => event.event === 'moved' || event.bytes > last)
      if (next.event === 'moved') return next
      seen = next.bytes
    }
  }

  #tell(bytes: number): void {
    this.options.onProgress?.({ title: this.compared.title, bytes, of: this.options.bytes })
  }

  async #disappointed(program: Apparatus): Promise<never> {
    await program.exited
    throw new ApparatusError(`${program.name} ended early: ${program.lastWords}`)
  }

  #interrupted(over: AbortSignal): Promise<never> {
    const { signal } = this.options
    return new Promise((_resolve, reject) => {
      const interrupt = (): void => reject(new ApparatusError('the run was interrupted'))
      if (signal?.aborted === true) interrupt()
      signal?.addEventListener('abort', interrupt, { once: true, signal: over })
      void this.bench.ended.then(error => reject(new ApparatusError(error?.message ?? 'the bench ended')))
    })
  }
}

/** The kernel counts hundredths. */
const round = (seconds: number): number => Math.round(seconds * 100) / 100
