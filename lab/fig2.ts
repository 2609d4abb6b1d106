// The sequence of Fig. 2 on a bench: brings the bench up, runs 101, 103 and 102, lets whoever watches see every packet and step,
// and checks what the captures hold against the figures and the golden.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { once } from 'node:events'
import {
  checkFigures, checkGolden, Correlator, decodePayload, figureLayouts, goldenPath, readGolden, readPcapFile,
  type Capture, type FigureReport, type FigureRun, type GoldenReport, type LadderEntry, type Topology,
} from '../captures/index.js'
import type { EndpointEvent } from '../endpoints/events.js'
import type { Level } from '../endpoints/defaults.js'
import { wallTime } from '../napt/clock.js'
import { RouterClient } from '../napt/control/client.js'
import type { CountersJson, MappingJson } from '../napt/control/protocol.js'
import { ADD_CAP, hasCap } from '../napt/device/libpcap.js'
import { DROP_REASONS } from '../napt/verdict.js'
import type { TraceRecord } from '../napt/trace.js'
import { Apparatus, ApparatusError } from './apparatus.js'
import { addressesOf, BenchError, type BenchDescription } from './bench.js'
import { fig1 } from './benches/fig1.js'
import { stepOf } from './fig2-steps.js'
import type { AttachedBench } from './live-bench.js'
import { openBench } from './open.js'
import { RUN_FOLDER } from './protocol.js'
import { Witness } from './witnessing.js'

/** The password of 103 in the demonstration; a run is nobody's secret. */
const PASSWORD = 'open sesame 2133'
const EQUIPMENT_ID = '2133'
/** On the bench's hosts. */
const FILE_TO_SEND = `${RUN_FOLDER}/from-102.bin`, RECEIVED = `${RUN_FOLDER}/received-by-103`
const SERVER = '130.74.23.6'
/** Seconds past the idle time of a UDP mapping. */
const LAPSE_MARGIN = 1
/** Records of the two routers and events of the programs arrive on ways of their own; a busy machine delays each by as much. Nanoseconds. */
const REORDER_WINDOW = 200_000_000n
/** How often what is older than that is shown, where nothing newer pushes it out. Milliseconds. */
const TICK = 50
/** How long the ends of connections are waited for after the programs have ended, milliseconds. */
const SETTLE_LIMIT = 1000

export interface Fig2Options {
  /** Fig. 1 unless given; it needs the hosts and routers of Fig. 1. */
  readonly bench?: BenchDescription
  /** `fig8b`: 104b's mapping lapses and comes back as port 2400, as Fig. 8B has it. */
  readonly variant?: FigureRun
  readonly level?: Level
  /** Folder for captures; made if need be. */
  readonly out: string
  /** Size of the file that 102 sends at S209, bytes. */
  readonly fileSize?: number
  readonly seed?: number | string
  /** Ends the run early; what the captures hold by then is kept, and the result says so. */
  readonly signal?: AbortSignal
  readonly onEntry?: (entry: LadderEntry) => void
  /** Things that the person should know while it runs. */
  readonly onNotice?: (text: string) => void
}

export interface EquipmentEntry { readonly equipmentId: string, readonly address: string, readonly port: number }

export interface Fig2Result {
  /** True only if the sequence came to its end, and everything that was checked holds. */
  readonly ok: boolean
  /** What went wrong in the sequence itself, in words. */
  readonly failures: readonly string[]
  /** By router, at the end of the run: Figs. 6 and 12. */
  readonly tables: Readonly<Record<string, readonly MappingJson[]>>
  readonly counters: Readonly<Record<string, CountersJson>>
  /** The server's list: Fig. 9. */
  readonly equipment: readonly EquipmentEntry[]
  readonly figures: FigureReport
  /** Null where the project keeps no golden: another bench or level. */
  readonly golden: GoldenReport | null
  readonly captures: readonly string[]
  readonly file: { readonly bytes: number, readonly sha256: string } | null
  /** Whether the hosts' interfaces were recorded through libpcap too. */
  readonly isWitnessed: boolean
}

/**
 * @throws BenchError when the description lacks what Fig. 2 needs or the folder cannot be written; PrerequisiteError when the
 *   machine refuses namespaces
 */
export async function runFig2(options: Fig2Options): Promise<Fig2Result> {
  const description = options.bench ?? fig1
  requireFig1(description)
  const out = prepareFolder(options.out)
  const bench = await openBench(description, { ...(options.seed === undefined ? {} : { seed: options.seed }), routerSettings: () => ({ captureFolder: out }) })
  try {
    return await new Fig2Run(bench, description, out, options).run()
  } finally {
    await bench.close()
    discardPartial(out)
  }
}

class Fig2Run {
  readonly #routers = new Map<string, RouterClient>()
  readonly #correlator: Correlator
  readonly #equipment = new Map<string, EquipmentEntry>()
  readonly #failures: string[] = []
  readonly #programs: Apparatus[] = []
  readonly #variant: FigureRun
  readonly #level: Level
  #file: Fig2Result['file'] = null
  #watching: Promise<unknown> = Promise.resolve()
  /** Resolves at the next frame that any router handles. */
  #onFrame: (() => void) | undefined

  constructor(
    private readonly bench: AttachedBench, private readonly description: BenchDescription,
    private readonly out: string, private readonly options: Fig2Options,
  ) {
    this.#variant = options.variant ?? 'fig2'
    this.#level = options.level ?? 3
    // Where the mapping lapses, packets are first as in the standard run.
    const figures = this.#variant === 'fig8b' ? [...figureLayouts('fig2'), ...figureLayouts('fig8b')] : figureLayouts('fig2')
    this.#correlator = new Correlator(topologyOf(description), { decoder: decodePayload, figures, window: REORDER_WINDOW })
  }

  async run(): Promise<Fig2Result> {
    const following = this.#followRouters(), witnessing = this.#startWitness()
    // Nothing is said on the bench before everybody listens who is to hear it.
    this.#watching = Promise.all([following, witnessing])
    const ticker = setInterval(() => this.#show(this.#correlator.advance(wallTime())), TICK)
    try {
      await Promise.race([this.#sequence(), this.#interrupted()])
    } catch (error) {
      if (!(error instanceof ApparatusError)) throw error
      this.#fail(error.message)
    } finally {
      clearInterval(ticker)
    }
    await this.#stopPrograms()
    await this.#settled()
    const witness = await witnessing
    await witness?.end()
    for (const entry of this.#correlator.flush()) this.options.onEntry?.(entry)
    return this.#report(witness !== null)
  }

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

  async #sequence(): Promise<void> {
    const [server, acceptor, issuer] = [this.#program('101'), this.#program('103'), this.#program('102')]
    await this.#watching
    server.begin({ role: 'server', level: this.#level })
    const purposes = ['registrations', 'first connections', ...this.#level === 1 ? [] : ['second connections']]
    for (const purpose of purposes) await server.event('listening', event => event.purpose === purpose)
    mkdirSync(this.#outside(RECEIVED))
    acceptor.begin({
      role: 'acceptor', ...this.#common(), localPort: 2000, connectPort: 2600, receive: RECEIVED,
      // In the other variant the second registration has to come soon; in the standard run one is enough.
      interval: this.#variant === 'fig8b' ? 1000 : 15_000,
    })
    await server.event('registered')
    if (this.#variant === 'fig8b') await this.#letMappingLapse(server)
    await this.#request(issuer, acceptor)
  }

  /** S203 to S209, from 102's side. */
  async #request(issuer: Apparatus, acceptor: Apparatus): Promise<void> {
    writeFileSync(this.#outside(FILE_TO_SEND), fileContent(this.options.fileSize ?? 48_000))
    issuer.begin({
      role: 'issuer', ...this.#common(), localPort: 1500, listen: 1600, reachedAt: { address: '4.17.168.2', port: 5000 }, lines: ['hello from 102'], files: [FILE_TO_SEND],
    })
    const { code } = await issuer.exited
    if (code !== 0) {
      this.#fail(`102: ${issuer.lastWords === '' ? `ended with exit code ${code ?? 'none'}` : issuer.lastWords}`)
      return
    }
    const sent = await issuer.event('file-sent'), received = await acceptor.event('file-received')
    if (sent.sha256 !== received.sha256 || sent.bytes !== received.bytes) this.#fail(`S209: 103 got another file than 102 sent (SHA-256 ${received.sha256}, not ${sent.sha256})`)
    else this.#file = { bytes: received.bytes, sha256: received.sha256 }
    await acceptor.event('session-ended')
  }

  /** The bench's private /run, as this process sees it: what is put there goes with the bench, however that ends. */
  #outside(path: string): string { return `/proc/${this.bench.pid}/root${path}` }

  #common(): { level: Level, equipmentId: string, password: string, server: string } {
    return { level: this.#level, equipmentId: EQUIPMENT_ID, password: this.#level === 3 ? PASSWORD : '', server: SERVER }
  }

  /** 104b's mapping of 192.168.1.3:2000 runs out of idle time, and its next registration makes it anew as 2400 (S202A). */
  async #letMappingLapse(server: Apparatus): Promise<void> {
    const router = this.#client('104b')
    await router.request({ op: 'nextPort', protocol: 'udp', port: 2400 })
    const mapping = (await router.request({ op: 'table' })).find(row => row.protocol === 'udp')
    const secondsLeft = Math.max(0, ...(mapping?.sessions.map(session => session.secondsLeft) ?? []))
    await router.request({ op: 'advance', seconds: secondsLeft + LAPSE_MARGIN })
    await server.event('registered', event => event.port === 2400)
  }

  /** Loads while others do; see `begin`. */
  #program(host: string): Apparatus {
    const program = new Apparatus(this.bench, host, event => this.#hear(event))
    this.#programs.push(program)
    return program
  }

  #hear(event: EndpointEvent): void {
    if (event.event === 'registered') this.#equipment.set(event.equipmentId, { equipmentId: event.equipmentId, address: event.address, port: event.port })
    const step = stepOf(event)
    if (step !== null) this.#show(this.#correlator.step(step))
  }

  async #followRouters(): Promise<void> {
    await Promise.all(this.bench.routers.map(async ({ name }) => {
      const client = await RouterClient.connect(this.bench.controlSocket(name))
      this.#routers.set(name, client)
      await client.trace(record => this.#see(name, record))
    }))
  }

  #see(router: string, { time, action, reason, received, sent }: TraceRecord): void {
    this.#onFrame?.()
    // Every station of a switch sees its neighbours' broadcasts; that a router leaves them alone is no event.
    if (action === 'originate' || action === 'hold' || received === undefined || reason === 'not-for-router') return
    const why = reason === undefined ? {} : { reason: `${reason}: ${DROP_REASONS[reason].sentence}` }
    this.#show(this.#correlator.push({
      router, time, from: received.side, received: received.frame, verdict: { action: action === 'split' ? 'forward' : action, ...why }, ...(sent === undefined ? {} : { sent }),
    }))
  }

  #show(entries: readonly LadderEntry[]): void {
    for (const entry of entries) this.options.onEntry?.(entry)
  }

  async #startWitness(): Promise<Witness | null> {
    if (hasCap()) return Witness.start(this.bench, this.out)
    this.options.onNotice?.(`captures are the routers' own; to have the hosts' interfaces witnessed through libpcap too: ${ADD_CAP}`)
    return null
  }

  async #stopPrograms(): Promise<void> {
    for (const program of this.#programs) program.stop()
    await Promise.all(this.#programs.map(program => program.exited))
  }

  /** Waits, frame by frame, until both ends of every TCP connection have said that it is over. */
  async #settled(): Promise<void> {
    const limit = AbortSignal.timeout(SETTLE_LIMIT)
    while (!limit.aborted) {
      const frame = new Promise<void>(next => { this.#onFrame = next })
      const tables = await Promise.all([...this.#routers.values()].map(router => router.request({ op: 'table' })))
      if (tables.flat().every(row => row.sessions.every(session => session.tcp === undefined || session.tcp === 'closed'))) return
      await Promise.race([frame, once(limit, 'abort')])
    }
  }

  async #report(isWitnessed: boolean): Promise<Fig2Result> {
    const tables: Record<string, readonly MappingJson[]> = {}, counters: Record<string, CountersJson> = {}
    for (const [name, router] of [...this.#routers].sort()) {
      tables[name] = await router.request({ op: 'table' })
      counters[name] = await router.request({ op: 'counters' })
      await router.request({ op: 'endCaptures' })
      if (router.missed + counters[name].untraced > 0) this.#fail(`${name}: ${router.missed + counters[name].untraced} frames are missing from the ladder or the captures`)
      router.close()
    }
    const files = readdirSync(this.out).filter(file => isOurs(file, this.description)).sort().map(file => join(this.out, file))
    const captures = new Map<string, Capture>()
    for (const file of files) captures.set(nameOf(file), await readPcapFile(file))
    const figures = checkFigures(captures, { decoder: decodePayload, run: this.#variant, password: PASSWORD })
    const golden = this.#hasGolden() ? checkGolden(captures, readGolden(goldenPath(this.#variant)), { decoder: decodePayload, partial: true }, this.#variant) : null
    return {
      ok: this.#failures.length === 0 && (figures.ok || this.#level < 3) && golden?.ok !== false,
      failures: this.#failures, tables, counters, equipment: [...this.#equipment.values()], figures, golden, captures: files, file: this.#file, isWitnessed,
    }
  }

  /** A run that broke off is not compared: everything after the break would be missing, which says nothing more. */
  #hasGolden(): boolean { return this.#failures.length === 0 && this.options.bench === undefined && this.#level === 3 && this.options.fileSize === undefined }

  #client(router: string): RouterClient {
    const client = this.#routers.get(router)
    if (client === undefined) throw new BenchError(`the bench has no router '${router}'`)
    return client
  }

  #fail(text: string): void { this.#failures.push(text) }
}

/** The sequence needs these names; what the routers do and where the cables go is the description's own. */
function requireFig1({ hosts, routers = {}, name }: BenchDescription): void {
  const missing = [...['101', '102', '103'].filter(host => !(host in hosts)), ...['104a', '104b'].filter(router => !(router in routers))]
  if (missing.length > 0) throw new BenchError(`bench ${name} cannot run Fig. 2: it has no ${missing.join(', ')}. Begin with \`naptlab bench fig1 > my.yaml\`.`)
}

function topologyOf({ hosts, routers = {} }: BenchDescription): Topology {
  const on = (network: string): { name: string, address: string }[] =>
    Object.entries(hosts).filter(([, host]) => host.network === network).flatMap(([name, host]) => addressesOf(host).map(address => ({ name, address: bare(address) })))
  const wan = routers['104a'].wan.network
  return {
    routers: Object.entries(routers).map(([name, router]) => ({ name, wan: bare(router.wan.address), lan: bare(router.lan.address), hosts: on(router.lan.network) })),
    hosts: on(wan),
  }
}

const bare = (address: string): string => address.split('/')[0]
const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1).replace(/\.pcap$/, '')

function isOurs(file: string, { hosts, routers = {} }: BenchDescription): boolean {
  const names = [...Object.keys(hosts), ...Object.keys(routers).flatMap(router => [`${router}-lan`, `${router}-wan`])]
  return file.endsWith('.pcap') && names.includes(nameOf(file))
}

/** @throws BenchError when the folder cannot be made or written */
function prepareFolder(path: string): string {
  const folder = resolve(path)
  try {
    makeFolder(folder)
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw new BenchError(`the output folder ${path} cannot be written (${error instanceof Error ? error.message : String(error)}). Choose another with --out.`)
  }
  for (const file of readdirSync(folder)) if (/\.pcap(\.part)?$/.test(file) && isOurs(file.replace(/\.part$/, ''), fig1)) rmSync(join(folder, file))
  return folder
}

/** Step by step: Node's own `recursive` never returns where the kernel refuses in some ways, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
}

/** What a run that was cut off had not finished. */
function discardPartial(folder: string): void {
  for (const file of readdirSync(folder)) if (file.endsWith('.pcap.part')) rmSync(join(folder, file), { force: true })
}

/** The same bytes every time, so that runs can be compared, and no short pattern that would compress or repeat. */
function fileContent(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = 0x2133
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[i] = state >>> 16
  }
  return bytes
}

