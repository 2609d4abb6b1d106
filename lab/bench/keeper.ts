// The keeper of a bench: process 1 of its PID namespace, so that the kernel ends everything in the bench when it ends, and
// frees the namespaces and mounts with it. Started by launch.ts. Its work: read the job from standard input, build, start
// the routers, report, then stand until its time is over. Never run by hand: it covers /run.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { libc } from '../../napt/system/libc.js'
import { buildBench } from './build.js'
import { coverRun, type Namespace } from './namespaces.js'
import { childrenOf } from './process.js'
import { RECORD_FILE, RUN_FOLDER, type Job, type Report } from './protocol.js'
import { startRouter, type RouterProcess } from './routers.js'

/** Time for the routers to write down what they hold before they are killed. */
const GRACE_MS = 1000
const LONGEST_INTERVAL_MS = 2 ** 31 - 1

class Keeper {
  readonly #routers: RouterProcess[] = []
  readonly #endings = new Map<string, string>()
  readonly #started = new Date().toISOString()
  #isEnding = false

  constructor(private readonly job: Job) {}

  async open(): Promise<void> {
    const begin = performance.now()
    coverRun()
    mkdirSync(RUN_FOLDER)
    const bench = buildBench(this.job.plan)
    const built = performance.now()
    for (const config of this.job.routers) this.#start(config, bench.namespaces)
    report({ event: 'built' })
    await Promise.all(this.#routers.map(router => router.ready))
    bench.whenTapsOperational()
    this.#writeRecord()
    const milliseconds = { build: built - begin, routers: performance.now() - built }
    for (const router of this.#routers) void router.ended.then(ending => this.#routerEnded(router.name, ending))
    report({ event: 'ready', milliseconds })
  }

  /** Ends the routers, and with this process everything else in the bench. */
  async end(code: number): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    for (const router of this.#routers) router.end()
    const grace = new Promise(resolve => setTimeout(resolve, GRACE_MS))
    await Promise.race([grace, Promise.all(this.#routers.map(router => router.ended))])
    process.exit(code)
  }

  /**
   * Programs whose parent inside the bench has ended become children of process 1, which has to take their exit status.
   * Node does so for its own children only, and each of these is asked for by its id, so that Node's are left to Node.
   */
  reapOrphans(): void {
    const own = this.#routers.map(router => router.pid)
    for (const pid of childrenOf(process.pid)) if (!own.includes(pid)) libc().reap(pid)
  }

  #start(config: Job['routers'][number], namespaces: ReadonlyMap<string, Namespace>): void {
    const namespace = namespaces.get(config.name)
    if (!namespace) throw new Error(`router ${config.name} is not in the plan`)
    this.#routers.push(startRouter(namespace, this.job.routerScript, config))
  }

  /** Whoever opened an attached bench relies on all of it; a standing one stays, for its state to be looked at. */
  #routerEnded(name: string, ending: string): void {
    if (this.#isEnding) return
    this.#endings.set(name, ending)
    if (this.job.mode === 'standing') {
      this.#writeRecord()
    } else {
      report({ event: 'failed', message: `router ${name} ended (${ending})` })
      void this.end(1)
    }
  }

  #writeRecord(): void {
    const { name, mode, plan } = this.job
    const routers = Object.fromEntries(this.#routers.map(router =>
      [router.name, { pid: router.pid, ending: this.#endings.get(router.name) ?? null }]))
    writeFileSync(`${RECORD_FILE}.new`, JSON.stringify({ name, mode, started: this.#started, namespaces: plan.namespaces, routers }, null, 2))
    renameSync(`${RECORD_FILE}.new`, RECORD_FILE)
  }
}

function report(what: Report): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

/** The first line of standard input. Rejects when the input ends before it. */
function readJob(): Promise<Job> {
  return new Promise((resolve, reject) => {
    let text = ''
    process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n')) resolve(JSON.parse(text) as Job)
    }).on('end', () => reject(new Error('standard input ended before the job had come')))
  })
}

if (process.pid !== 1) throw new Error('the keeper of a bench has to be process 1 of a PID namespace of its own: start it with `naptlab up`')

report({ event: 'started' }) // from here on a failure is no longer the machine's refusal of namespaces
const job = await readJob()
const keeper = new Keeper(job)
if (job.mode === 'attached') process.stdin.on('end', () => void keeper.end(0))
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void keeper.end(0))
process.on('SIGCHLD', () => keeper.reapOrphans())
setInterval(() => undefined, LONGEST_INTERVAL_MS) // a standing bench without running routers has nothing else that keeps Node from ending
try {
  await keeper.open()
} catch (error) {
  report({ event: 'failed', message: error instanceof Error ? error.message : String(error) })
  await keeper.end(1)
}
