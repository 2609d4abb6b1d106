// Starts the keeper of a bench and waits until the bench is built; its routers are starting then. The keeper hangs on this process by its standard input:
// when this process ends, however it does, an attached bench ends too.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { BenchFailure } from './bench.js'
import { explainRefusal, readSetting, unshareMissing, type PrerequisiteError, type SettingReader } from './prerequisites.js'
import { childrenOf, ownEnvironment } from './process.js'
import { readLine, type Job, type Milliseconds, type Report } from './protocol.js'
import { programPath } from '../program-path.js'

/** The end of the path of the keeper's program, by which its processes are known, by what it is told (find.ts) beside. */
export const KEEPER_PROGRAM = '/keeper.js'
const KEEPER = programPath('lab/bench/keeper')
const ERROR_TEXT_LIMIT = 8192
/** What unshare says when it is refused something. About sigprocmask it complains when the keeper was killed. */
const REFUSAL = /^unshare: (?!sigprocmask)/m

export interface LaunchOptions {
  /** util-linux's unshare. */
  readonly unshare?: string
  readonly readSetting?: SettingReader
}

export interface Launched {
  /** The keeper's id on the machine. */
  readonly pid: number
  /** Resolves when every router forwards. @throws BenchFailure when one fails, or the bench ends before; everything is gone then */
  readonly ready: Promise<Milliseconds>
  /** Resolves when everything is gone; with an error when that was not asked for. */
  readonly ended: Promise<BenchFailure | null>
  /** Lets an attached bench end. */
  release(): void
}

type Keeper = ChildProcessByStdio<Writable, Readable, Readable>

/** @throws PrerequisiteError when the machine refuses; BenchFailure when the bench cannot be built */
export async function launch(job: Job, { unshare = 'unshare', readSetting: read = readSetting }: LaunchOptions = {}): Promise<Launched> {
  // In a session of its own, so that Ctrl-C reaches this process alone, which then ends the bench in good order.
  const keeper: Keeper = spawn(unshare, ['-Urnmpf', '--mount-proc', '--kill-child', process.execPath, KEEPER, job.name, job.mode],
    { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: ownEnvironment() })
  const errorText = collect(keeper.stderr)
  const exit = new Promise<number | null>(resolve => keeper.on('close', resolve))
  const missing = new Promise<PrerequisiteError>(resolve => keeper.on('error', () => resolve(unshareMissing(unshare))))
  const reports = readReports(keeper.stdout)
  keeper.stdin.on('error', () => undefined) // a keeper that ended early says why on its other channels
  keeper.stdin.write(`${JSON.stringify(job)}\n`)

  const early = exit.then(() => !reports.hasStarted() && REFUSAL.test(errorText())
    ? explainRefusal(errorText(), process.getuid?.() === 0, read)
    : new BenchFailure(`the keeper of bench ${job.name} ended before the bench was ready: ${errorText().trim() || 'it was killed'}`))
  const gone = async (error: Error): Promise<Error> => {
    keeper.stdin.end()
    if (keeper.pid !== undefined) await exit
    return error
  }
  const first = await Promise.race([reports.built, reports.failed, missing, early])
  if (first instanceof Error) throw await gone(first)
  const pid = childrenOf(keeper.pid ?? 0).at(0)
  if (pid === undefined) throw new BenchFailure(`the keeper of bench ${job.name} ended as soon as it was built: ${errorText().trim()}`)

  let isReleased = false
  const unexpected = exit.then(code => new BenchFailure(`the keeper of bench ${job.name} ended unasked (exit code ${code ?? 'none'}): ${errorText().trim()}`))
  return {
    pid,
    ready: Promise.race([reports.ready, reports.failed, early]).then(async outcome => {
      if (outcome instanceof Error) throw await gone(outcome)
      if (job.mode === 'standing') letGo(keeper)
      return outcome
    }),
    ended: Promise.race([reports.failed, unexpected]).then(async error => {
      await exit
      return isReleased ? null : error
    }),
    release: () => {
      isReleased = true
      keeper.stdin.end()
    },
  }
}

/** From here on nothing of this process waits for the keeper, and the keeper writes nothing to it. */
function letGo(keeper: Keeper): void {
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) stream.destroy()
  keeper.unref()
}

interface Reports { readonly built: Promise<true>, readonly ready: Promise<Milliseconds>, readonly failed: Promise<BenchFailure>, hasStarted(): boolean }

function readReports(stdout: Readable): Reports {
  const lines = createInterface(stdout)
  let hasStarted = false
  lines.once('line', () => (hasStarted = true))
  const on = <T>(pick: (report: Partial<Report>) => T | undefined): Promise<T> => new Promise(resolve => {
    lines.on('line', line => {
      const picked = pick(readLine<Report>(line))
      if (picked !== undefined) resolve(picked)
    })
  })
  return {
    hasStarted: () => hasStarted,
    built: on(report => report.event === 'built' ? true : undefined),
    ready: on(report => report.event === 'ready' ? report.milliseconds : undefined),
    failed: on(report => report.event === 'failed' ? new BenchFailure(report.message ?? 'the keeper failed') : undefined),
  }
}

function collect(stream: Readable): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (text = (text + chunk).slice(-ERROR_TEXT_LIMIT)))
  return () => text
}
