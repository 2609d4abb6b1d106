// Bringing a bench up and taking it down: for the life of this process, or standing by itself, to come back to later.
import { existsSync } from 'node:fs'
import { BenchError, BenchFailure, type BenchDescription, type RouterSide } from './bench.js'
import { findBench, findBenches, readRecord, type FoundBench } from './find.js'
import { launch, type LaunchOptions, type Launched } from './launch.js'
import { AttachedBench, LiveBench, StartingBench } from './live-bench.js'
import { NAMESPACE_FOLDER } from './namespaces.js'
import { planBench, type Plan } from './plan.js'
import { signalProcess, whenEnded } from './process.js'
import { controlPath, type BenchRecord, type Job, type Mode, type RouterConfig, type RouterInterface } from './protocol.js'
import { readBench } from './read-bench.js'
import { programPath } from '../program-path.js'

export interface BenchOptions extends LaunchOptions {
  /** In place of the description's own. */
  readonly name?: string
  /** The program of each router, run as `node SCRIPT CONFIG`; naptlab's own unless given. */
  readonly routerScript?: string
  /** For whatever the routers draw by lot. */
  readonly seed?: number | string
  /** Further settings for the configuration of a router, such as where it writes captures. */
  readonly routerSettings?: (router: string) => Readonly<Record<string, unknown>>
}

const ROUTER_SCRIPT = programPath('lab/bench/router-process')
/** The keeper gives its routers a second; twice that and more for a busy machine. */
const END_TIMEOUT_MS = 5000

/**
 * Brings a bench up that ends with this process, or with close().
 * @throws PrerequisiteError when the machine refuses private namespaces; BenchError when the description is wrong;
 *   BenchFailure when the bench cannot be built or a router is not ready
 */
export async function openBench(description: BenchDescription, options: BenchOptions = {}): Promise<AttachedBench> {
  const { launched, job } = await up(description, options, 'attached')
  const milliseconds = await launched.ready
  return new AttachedBench(launched.pid, recordOf(launched, job), () => end(launched), milliseconds, launched.ended)
}

/**
 * The same as soon as cables and hosts are there, for whoever has programs to start meanwhile; `ready` tells the rest.
 * @throws like openBench, without what concerns the routers
 */
export async function openBuilt(description: BenchDescription, options: BenchOptions = {}): Promise<StartingBench> {
  const { launched, job: { name, mode, plan: { namespaces } } } = await up(description, options, 'attached')
  launched.ready.catch(() => undefined) // whoever awaits it hears of it, now or later
  const record: BenchRecord = { name, mode, started: new Date().toISOString(), namespaces, routers: {} }
  return new StartingBench(launched.pid, record, () => end(launched), launched.ready, launched.ended)
}

/**
 * Brings a bench up that stays after this process, until it is taken down.
 * @throws like openBench; BenchError when one of this name stands already
 */
export async function standBench(description: BenchDescription, options: BenchOptions = {}): Promise<LiveBench> {
  const name = options.name ?? description.name
  const same = findBenches().find(bench => bench.mode === 'standing' && bench.name === name)
  if (same) throw new BenchError(`a bench named ${name} stands already (${same.pid}): take it down with \`naptlab down ${name}\`, or give another name with --name`)
  const { launched, job } = await up(description, options, 'standing')
  await launched.ready
  return new LiveBench(launched.pid, recordOf(launched, job), () => takeDown({ name, pid: launched.pid }))
}

/**
 * A bench that is up, by name or by its keeper's id; without either, the only one.
 * @throws BenchError when there is none, or more than one
 */
export function attach(nameOrPid?: string): LiveBench {
  const bench = findBench(nameOrPid)
  return new LiveBench(bench.pid, bench.record, () => takeDown(bench))
}

/** Ends a bench, also one that is still being built, and resolves when nothing of it is left. @throws BenchFailure when something holds it */
export async function takeDown({ name, pid }: Pick<FoundBench, 'name' | 'pid'>): Promise<void> {
  signalProcess(pid, 'SIGTERM')
  if (await whenEnded(pid, END_TIMEOUT_MS)) return
  signalProcess(pid, 'SIGKILL')
  if (await whenEnded(pid, END_TIMEOUT_MS)) return
  throw new BenchFailure(`bench ${name} (${pid}) does not end: a stopped program may hold it; continue it (fg) or end it`)
}

/** For routers of the caller's own. */
export const asItIs = (nat: unknown): unknown => nat

async function up(description: BenchDescription, options: BenchOptions, mode: Mode): Promise<{ launched: Launched, job: Job }> {
  // What a program of the caller's own takes for behaviour is that program's affair.
  const reader = options.routerScript === undefined ? {} : { readNat: asItIs }
  const checked = readBench(options.name === undefined ? description : { ...description, name: options.name }, reader)
  const { routerScript = ROUTER_SCRIPT, seed = 1, routerSettings = () => ({}) } = options
  if (Object.keys(checked.routers ?? {}).length > 0 && !existsSync(routerScript)) throw new BenchError(`the router program ${routerScript} is not there`)
  const plan = planBench(checked)
  const job: Job = { name: checked.name, mode, plan, routerScript, routers: routerConfigs(checked, plan, seed, routerSettings) }
  return { launched: await launch(job, options), job }
}

function recordOf({ pid }: Launched, { name }: Job): BenchRecord {
  const record = readRecord(pid)
  if (!record) throw new BenchFailure(`bench ${name} ended as soon as it was up`)
  return record
}

async function end(launched: Launched): Promise<void> {
  launched.release()
  if (await within(launched.ended, END_TIMEOUT_MS)) return
  signalProcess(launched.pid, 'SIGKILL')
  await launched.ended
}

function routerConfigs(
  { routers = {} }: BenchDescription, plan: Plan, seed: number | string, settings: (router: string) => Readonly<Record<string, unknown>>,
): RouterConfig[] {
  return Object.entries(routers).map(([name, { lan, wan, device, nat }]) => {
    const side = (interfaceName: 'lan' | 'wan', { network, address }: RouterSide): RouterInterface => {
      const planned = plan.namespaces.find(namespace => namespace.name === name)?.interfaces.find(end => end.name === interfaceName)
      const end = plan.taps.find(({ router }) => router.namespace === name && router.interface === interfaceName)?.end
      const tap = end && planned && { tap: { namespace: `${NAMESPACE_FOLDER}/${end.namespace}`, interface: end.interface, offloads: planned.offloads } }
      return { interface: interfaceName, network, mac: planned?.mac ?? '', address, ...tap }
    }
    return { ...device !== undefined && { device }, ...settings(name), name, lan: side('lan', lan), wan: side('wan', wan), ...nat !== undefined && { nat }, control: controlPath(name), seed }
  })
}

async function within(promise: Promise<unknown>, timeout: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>(resolve => (timer = setTimeout(resolve, timeout, false)))
  try {
    return await Promise.race([promise.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
