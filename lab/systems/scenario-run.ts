// One run of a system on its bench: shows every packet and step as it happens, and at the end keeps captures and tables and checks
// them against the golden.
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readCaptures } from '../../captures/files/by-interface.js'
import { goldenPath, readGolden } from '../../captures/regression/golden-file.js'
import { checkGolden, type Golden } from '../../captures/regression/golden.js'
import { Correlator } from '../../captures/ladder/correlate.js'
import type { LadderEntry, LadderStep } from '../../captures/ladder/ladder.js'
import { mergeCaptures } from '../../captures/files/merge.js'
import type { Capture } from '../../captures/files/read-capture.js'
import { decodePayload } from '../../captures/decode/protocol.js'
import { GrowingKeyLog, KEY_LOG_FILE, type KeySource } from '../../captures/tls/key-log.js'
import type { EndpointEvent } from '../../endpoints/events.js'
import { wallTime } from '../../napt/clock.js'
import { ControlError, RouterClient } from '../../napt/control/client.js'
import type { CountersJson, MappingJson } from '../../napt/control/protocol.js'
import { ADD_CAP, hasCap } from '../../napt/device/libpcap.js'
import { DROP_REASONS } from '../../napt/verdict.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { namesIn } from '../bench/address-names.js'
import { Apparatus, ApparatusError } from '../programs/apparatus.js'
import { BenchError } from '../bench/bench.js'
import type { Role } from '../programs/endpoint-task.js'
import type { StartingBench } from '../bench/live-bench.js'
import { captureOf, partsFolder, partsIn } from './output-folder.js'
import type { Finished, Scenario, ScenarioOptions, Stage } from './stage.js'
import { stepOf } from './steps.js'
import { SwitchTap } from '../recording/switch-tap.js'
import { topologyOf } from './topology.js'
import { Witness } from '../recording/witnessing.js'

/** Records of the routers and events of the programs arrive on ways of their own; a busy machine delays each by as much. Nanoseconds. */
const REORDER_WINDOW = 200_000_000n
/** How often what is older than that is shown. Milliseconds. */
const TICK = 50
/** How long the ends of connections are waited for after the programs have ended, milliseconds. */
const SETTLE_LIMIT = 1000

interface RouterEnd { readonly name: string, readonly table: readonly MappingJson[], readonly counters: CountersJson, readonly missed: number }

export class ScenarioRun implements Stage {
  readonly watching: Promise<unknown>
  #watch: (listening: Promise<unknown>) => void = () => undefined
  readonly #routers = new Map<string, RouterClient>()
  readonly keyLog: string
  readonly #keys: KeySource
  readonly #correlator: Correlator
  /** When the ladder was last brought up to date, nanoseconds since 1970. */
  #ticked = 0n
  readonly #failures: string[] = []
  readonly #programs: Apparatus[] = []
  #onFrame: (() => void)[] = []

  /** @param golden the one that the scenario names, as read */
  constructor(
    readonly bench: StartingBench, private readonly scenario: Scenario, private readonly golden: Golden | null, private readonly out: string,
    private readonly options: ScenarioOptions,
  ) {
    this.watching = new Promise(resolve => { this.#watch = resolve })
    this.watching.catch(() => undefined) // the sequence hears of it where it waits
    const { figures = [], connections, decoder = decodePayload } = scenario
    this.keyLog = join(out, KEY_LOG_FILE)
    this.#keys = new GrowingKeyLog(this.keyLog)
    this.#correlator = new Correlator(topologyOf(scenario.bench, scenario.laterAddresses), { decoder, keys: this.#keys, connections, figures, window: REORDER_WINDOW, isByClock: true })
  }

  async run(): Promise<Finished> {
    // The programs first, while the routers start: they have the most to load. Starting a process takes a busy machine its time, and
    // this one waits for it.
    const sequence = this.scenario.sequence(this)
    const following = this.#followRouters(), witnessing = this.#startWitness()
    const tapping = SwitchTap.start(this.bench, this.scenario.bench, record => this.#show(this.#correlator.overhear(record)))
    const listening = Promise.all([following, witnessing, tapping])
    listening.catch(() => undefined) // heard of in the next line, unless it is the bench that failed: everything on it ends then
    this.#watch(this.bench.ready.then(() => listening))
    const ticker = setInterval(() => this.#tick(), TICK)
    try {
      await Promise.race([Promise.all([sequence, this.bench.ready]), this.#interrupted()])
    } catch (error) {
      if (!(error instanceof ApparatusError || error instanceof ControlError)) throw error
      this.fail(error.message)
    } finally {
      clearInterval(ticker)
    }
    await this.#stopPrograms()
    await this.settled()
    const [isWitnessed, missed, ends] = await Promise.all([endOfWitness(witnessing), endOfTap(tapping), this.#endRouters()])
    if (missed > 0) this.fail(`${missed} frames between hosts on the WAN are missing from the ladder`)
    this.#show(this.#correlator.flush())
    // Nobody needs the bench any more: it is taken down while the captures are checked.
    const [, finished] = await Promise.all([this.bench.close(), this.#report(ends, isWitnessed)])
    return finished
  }

  // --- the stage ----------------------------------------------------------------------------------------------------

  program(host: string, ...roles: readonly Role[]): Apparatus {
    const program = new Apparatus(this.bench, host, roles, event => this.#hear(host, event))
    this.#programs.push(program)
    return program
  }

  router(name: string): RouterClient {
    const client = this.#routers.get(name)
    if (client === undefined) throw new BenchError(`the bench has no router '${name}'`)
    return client
  }

  nextFrame(): Promise<void> { return new Promise(resolve => this.#onFrame.push(resolve)) }

  outside(path: string): string { return `/proc/${this.bench.pid}/root${path}` }

  /** Up to the time of the last tick: what came before that has been read by now, also after this process has been busy. */
  #tick(): void {
    this.#show(this.#correlator.advance(this.#ticked))
    this.#ticked = wallTime()
  }

  step(step: LadderStep): void { this.#show(this.#correlator.step(step)) }

  fail(text: string): void { this.#failures.push(text) }

  // --- what is seen -------------------------------------------------------------------------------------------------

  #hear(host: string, event: EndpointEvent): void {
    const step = stepOf(event, host)
    if (step !== null) this.step(step)
  }

  async #followRouters(): Promise<void> {
    await this.bench.ready
    await Promise.all(this.bench.routers.map(async ({ name }) => {
      const client = await RouterClient.connect(this.bench.controlSocket(name))
      this.#routers.set(name, client)
      await client.trace(record => this.#see(name, record))
    }))
  }

  #see(router: string, record: TraceRecord): void {
    const { time, action, reason, received, sent } = record
    for (const wake of this.#onFrame.splice(0)) wake()
    // Every station of a switch sees its neighbours' broadcasts; that a router leaves them alone is no event.
    if (action === 'originate' || action === 'hold' || received === undefined || reason === 'not-for-router') return
    const why = reason === undefined ? {} : { reason: `${reason}: ${DROP_REASONS[reason].sentence}` }
    this.#show(this.#correlator.push({
      router, time, from: received.side, received: received.frame, verdict: { action: action === 'split' ? 'forward' : action, ...why }, ...(sent === undefined ? {} : { sent }),
    }))
    for (const step of this.scenario.routerSteps?.(router, record) ?? []) this.step(step)
  }

  #show(entries: readonly LadderEntry[]): void {
    for (const entry of entries) this.options.onEntry?.(entry)
  }

  async #startWitness(): Promise<Witness | null> {
    if (hasCap()) return Witness.start(this.bench, join(partsFolder(this.out), 'hosts.pcapng'))
    this.options.onNotice?.(`captures are the routers' own; to have the hosts' interfaces witnessed through libpcap too: ${ADD_CAP}`)
    return null
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  /** Rejects when the run is to end early, or the bench does. */
  async #interrupted(): Promise<never> {
    const { signal } = this.options
    const aborted = new Promise<string>(resolve => {
      const interrupt = (): void => resolve('the run was interrupted')
      if (signal?.aborted === true) interrupt()
      signal?.addEventListener('abort', interrupt, { once: true })
    })
    const ended = this.bench.ended.then(error => error?.message ?? 'the bench ended')
    throw new ApparatusError(await Promise.race([aborted, ended]))
  }

  /** The server, which was there first, comes last: what somebody still sends to it would be answered with port unreachable. */
  async #stopPrograms(): Promise<void> {
    for (const programs of [this.#programs.slice(1), this.#programs.slice(0, 1)]) {
      for (const program of programs) program.stop()
      await Promise.all(programs.map(program => program.exited))
    }
  }

  async settled(): Promise<void> {
    const limit = AbortSignal.timeout(SETTLE_LIMIT)
    while (!limit.aborted) {
      const frame = this.nextFrame()
      const tables = await Promise.all([...this.#routers.values()].map(router => router.request({ op: 'table' })))
      if (tables.flat().every(row => row.sessions.every(session => session.tcp === undefined || session.tcp === 'closed'))) return
      await Promise.race([frame, once(limit, 'abort')])
    }
  }

  /** What each router holds at the end, by name; their captures are finished then. */
  async #endRouters(): Promise<readonly RouterEnd[]> {
    return await Promise.all([...this.#routers].sort().map(async ([name, router]) => {
      const table = await router.request({ op: 'table' }), counters = await router.request({ op: 'counters' })
      await router.request({ op: 'endCaptures' })
      router.close()
      return { name, table, counters, missed: router.missed + counters.untraced }
    }))
  }

  async #report(ends: readonly RouterEnd[], isWitnessed: boolean): Promise<Finished> {
    const tables = Object.fromEntries(ends.map(({ name, table }) => [name, table])), counters = Object.fromEntries(ends.map(end => [end.name, end.counters]))
    for (const { name, missed } of ends) if (missed > 0) this.fail(`${name}: ${missed} frames are missing from the ladder or the captures`)
    const capture = await this.#mergeParts()
    const captures = capture === null ? new Map<string, Capture>() : await readCaptures(capture)
    // A run that broke off is not compared: everything after the break would be missing, which says nothing more.
    const name = this.#failures.length === 0 ? this.scenario.golden : null
    const golden = name === null ? null : checkGolden(captures, this.golden, { decoder: decodePayload, keys: this.#keys, partial: true }, name)
    const ok = this.#failures.length === 0 && golden?.ok !== false
    return { result: { ok, failures: this.#failures, tables, counters, golden, capture, isWitnessed }, captures, keys: this.#keys }
  }

  async #mergeParts(): Promise<string | null> {
    const parts = partsIn(this.out)
    if (parts.length === 0) return null
    const { title, bench, laterAddresses } = this.scenario, path = captureOf(this.out, this.options.name ?? this.scenario.name)
    const keyLog = existsSync(this.keyLog) ? readFileSync(this.keyLog, 'latin1') : ''
    const { damages } = await mergeCaptures(parts, path, { names: namesIn(topologyOf(bench, laterAddresses)), keyLog, comment: `a run of ${title} on bench ${bench.name}` })
    for (const damage of damages) this.fail(damage.message)
    return path
  }
}

/** Null where the scenario has none, or none has been recorded. @throws as readGolden */
export const goldenOf = ({ golden }: Scenario): Golden | null => golden === null ? null : readGolden(goldenPath(golden))

/** Gives whether there was one. */
async function endOfWitness(witnessing: Promise<Witness | null>): Promise<boolean> {
  const witness = await witnessing
  await witness?.end()
  return witness !== null
}

/** Gives the number of frames that it did not hear. */
const endOfTap = async (tapping: Promise<SwitchTap | null>): Promise<number> => await (await tapping)?.end() ?? 0
