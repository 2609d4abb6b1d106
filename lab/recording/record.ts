// Records a bench that is up, or one interface of this machine, into a capture file or a ring of them: starts the process that does
// (record-process.ts), tells how far it is, and ends it when it is to end.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { accessSync, constants, existsSync, renameSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { dirname, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { DeviceError } from '../../napt/device/device.js'
import { ADD_CAP, hasCap } from '../../napt/device/libpcap.js'
import { libc } from '../../napt/system/libc.js'
import { PcapFilter } from '../../napt/system/pcap-filter.js'
import { namesOf } from '../bench/address-names.js'
import { BenchError, BenchFailure } from '../bench/bench.js'
import type { LiveBench } from '../bench/live-bench.js'
import { ownEnvironment } from '../bench/process.js'
import { readLine } from '../bench/protocol.js'
import { programPath } from '../program-path.js'
import type { RecordingOptions } from './recording.js'

const PROGRAM = programPath('lab/recording/record-process')

export interface RecordJob extends Omit<RecordingOptions, 'names'> {
  readonly hosts: readonly string[]
  readonly routers: readonly string[]
  /** The root folder of the bench's processes, seen from outside, and all of its namespaces. */
  readonly bench?: { readonly root: string, readonly namespaces: readonly string[] }
  /** In place of a bench: an interface of this machine. */
  readonly interface?: string
  /** Addresses as numbers. */
  readonly names: readonly (readonly [address: number, name: string])[]
}

export interface RecordState {
  readonly packets: number
  /** Of those packets, as they were on the wire. */
  readonly bytes: number
  /** Paths, oldest first. */
  readonly files: readonly string[]
  /** Frames of routers that are known to be missing. */
  readonly lost: number
}

export type RecordReport =
  | { readonly event: 'ready' | 'progress' | 'done' } & RecordState
  | { readonly event: 'failed', readonly message: string }

export type RecordLimits = Pick<RecordingOptions, 'filter' | 'snapLength' | 'packets' | 'files' | 'fileSize' | 'fileTime' | 'keys'>

export interface RecordOptions extends RecordLimits {
  readonly path: string
  /** Ends the recording. */
  readonly signal: AbortSignal
  /** Milliseconds after which it ends by itself. */
  readonly duration?: number
  /** Everything that passes from now on is recorded. */
  readonly onReady?: (interfaces: readonly string[]) => void
  readonly onProgress?: (state: RecordState) => void
  readonly onNotice?: (text: string) => void
}

export interface RecordResult extends RecordState { readonly interfaces: readonly string[] }

/**
 * Everything of a bench, or what is named of it: routers at both sides with their verdicts, hosts through libpcap. Ends with the
 * bench, too.
 * @throws BenchError for a name that the bench does not have; DeviceError when hosts alone are named and libpcap is not there;
 *   PcapFilterError; BenchFailure when it could not go on
 */
export async function recordBench(bench: LiveBench, named: readonly string[], options: RecordOptions): Promise<RecordResult> {
  const known = [...bench.hosts, ...bench.routers].map(({ name }) => name)
  const unknown = named.filter(name => !known.includes(name))
  if (unknown.length > 0) throw new BenchError(`bench ${bench.name} has no ${unknown.join(', ')}; there is ${known.join(', ')}`)
  const wanted = (name: string): boolean => named.length === 0 || named.includes(name)
  const routers = bench.routers.map(({ name }) => name).filter(wanted), asked = bench.hosts.map(({ name }) => name).filter(wanted)
  if (!hasCap() && routers.length === 0) throw withoutCap()
  if (!hasCap() && asked.length > 0) options.onNotice?.(`only routers are recorded; to record hosts through libpcap too: ${ADD_CAP}`)
  const hosts = hasCap() ? asked : []
  const job = jobOf(options, {
    bench: { root: `/proc/${bench.pid}/root`, namespaces: bench.record.namespaces.map(({ name }) => name) },
    hosts, routers, comment: `bench ${bench.name}`, names: [...namesOf(bench.record.namespaces)],
    interfaces: [
      ...routers.flatMap(name => ['lan', 'wan'].map(side => ({ name: `${name}-${side}`, description: `${side.toUpperCase()} side of router ${name}` }))),
      ...hosts.map(name => ({ name, description: `eth0 of host ${name}, through libpcap` })),
    ],
  })
  // A user namespace and some network namespace of it, for a thread to come back to from the others.
  const child = start(['nsenter', '-t', String(bench.pid), '-U', '--preserve-credentials', `--net=${bench.namespacePath(known[0])}`, '--', process.execPath, PROGRAM, JSON.stringify(job)])
  const fd = libc().pidfdOpen(bench.pid)
  const watch = fd === null ? null : libc().watchReadable(fd, () => child.stdin.end())
  if (fd === null) child.stdin.end()
  try {
    return await supervise(child, job, options)
  } finally {
    watch?.close()
  }
}

/** @throws as recordBench; BenchError when there is no such interface, or it cannot be opened */
export async function recordInterface(name: string, options: RecordOptions): Promise<RecordResult> {
  if (!hasCap()) throw withoutCap()
  const job = jobOf(options, { hosts: [], routers: [], interface: name, names: [], interfaces: [{ name, description: `${name}, through libpcap` }] })
  return supervise(start([process.execPath, PROGRAM, JSON.stringify(job)]), job, options)
}

const withoutCap = (): DeviceError => new DeviceError(`hosts and interfaces are recorded through libpcap, by the package 'cap', which is not installed. To add it: ${ADD_CAP}`)

/** @throws PcapFilterError; BenchError when the file's folder cannot be written */
function jobOf(options: RecordOptions, what: Pick<RecordJob, 'bench' | 'hosts' | 'routers' | 'interface' | 'interfaces' | 'names' | 'comment'>): RecordJob {
  const { path, filter, snapLength, packets, files, fileSize, fileTime, keys } = options
  if (filter !== undefined) new PcapFilter(filter).matches(new Uint8Array(0)) // said before anything is started
  try {
    accessSync(dirname(resolve(path)), constants.W_OK)
  } catch (error) {
    throw new BenchError(`${path} cannot be written (${error instanceof Error ? error.message : String(error)}). Choose another with --out.`)
  }
  return { ...what, path: resolve(path), filter, snapLength, packets, files, fileSize, fileTime, keys: keys === undefined ? undefined : resolve(keys) }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** In a session of its own: Ctrl-C reaches this process alone, which then ends it in good order. */
function start([command, ...args]: readonly string[]): Child {
  const child: Child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: ownEnvironment() })
  child.stdin.on('error', () => undefined) // it has ended already, and said why
  return child
}

async function supervise(child: Child, { interfaces, path }: RecordJob, { signal, duration, onReady, onProgress }: RecordOptions): Promise<RecordResult> {
  const names = interfaces.map(({ name }) => name)
  let errorText = '', state: RecordState | null = null, isDone = false, failure = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { errorText = (errorText + text).slice(-4096) })
  const end = (): void => { child.stdin.end() }
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  let timer: NodeJS.Timeout | undefined
  createInterface({ input: child.stdout }).on('line', line => {
    const report = readLine<RecordReport>(line) as RecordReport
    if (report.event === 'failed') {
      failure = report.message
      return
    }
    state = report
    isDone = report.event === 'done'
    if (report.event === 'ready') {
      onReady?.(names)
      if (duration !== undefined) timer = setTimeout(end, duration)
    } else onProgress?.(report)
  })
  await new Promise(closed => child.on('close', closed).on('error', closed))
  clearTimeout(timer)
  signal.removeEventListener('abort', end)
  return outcome()

  function outcome(): RecordResult {
    if (isDone && state !== null) {
      const { packets, bytes, files, lost } = state
      return { interfaces: names, packets, bytes, files, lost }
    }
    const why = failure || errorText.trim() || 'its process was killed, or an interface is gone'
    // What keeps it from beginning can be put right by another command line.
    if (state === null) throw new BenchError(why)
    throw new BenchFailure(`the recording broke off${rescue(state.files.at(-1) ?? path)}: ${why}`)
  }
}

/** What a process that broke off has on file ends with a block: it gets its name. */
function rescue(path: string): string {
  if (!existsSync(`${path}.part`)) return ''
  renameSync(`${path}.part`, path)
  return ` (what was recorded until then is in ${path})`
}
