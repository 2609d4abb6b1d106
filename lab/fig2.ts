// The sequence of Fig. 2 on a bench: 101, 103 and 102, every packet and step, and what the captures hold against the figures and
// the golden.
import { mkdirSync, writeFileSync } from 'node:fs'
import { checkFigures, decodePayload, FIG2_CONNECTIONS, figureLayouts, type FigureReport, type FigureRun, type Lane } from '../captures/index.js'
import type { Level } from '../endpoints/defaults.js'
import type { Apparatus } from './apparatus.js'
import type { BenchDescription } from './bench.js'
import { fig1 } from './benches/fig1.js'
import { equipmentOf, type EquipmentEntry } from './equipment.js'
import { fileContent } from './file-content.js'
import { RUN_FOLDER } from './protocol.js'
import { runScenario, type ScenarioOptions, type ScenarioResult, type Stage } from './scenario.js'

/** The password of 103 in the demonstration; a run is nobody's secret. */
const PASSWORD = 'open sesame 2133'
const EQUIPMENT_ID = '2133'
/** On the bench's hosts. */
const FILE_TO_SEND = `${RUN_FOLDER}/from-102.bin`, RECEIVED = `${RUN_FOLDER}/received-by-103`
const SERVER = '130.74.23.6'
/** Seconds past the idle time of a UDP mapping. */
const LAPSE_MARGIN = 1

/** The lanes of the ladder, from left to right. */
export const FIG2_LANES: readonly Lane[] = [
  { name: '102', address: '192.168.1.11' },
  { name: '104a', address: '4.17.168.2' },
  { name: '101', address: '130.74.23.6' },
  { name: '104b', address: '202.204.16.13' },
  { name: '103', address: '192.168.1.3' },
]

export interface Fig2Options extends ScenarioOptions {
  /** Fig. 1 unless given; it needs the hosts and routers of Fig. 1. */
  readonly bench?: BenchDescription
  /** `fig8b`: 104b's mapping lapses and comes back as port 2400, as Fig. 8B has it. */
  readonly variant?: FigureRun
  readonly level?: Level
  /** Size of the file that 102 sends at S209, bytes. */
  readonly fileSize?: number
}

export interface Fig2Result extends ScenarioResult {
  /** The server's list: Fig. 9. */
  readonly equipment: readonly EquipmentEntry[]
  readonly figures: FigureReport
  readonly file: { readonly bytes: number, readonly sha256: string } | null
}

/** @throws as runScenario */
export async function runFig2(options: Fig2Options): Promise<Fig2Result> {
  const { bench = fig1, variant = 'fig2', level = 3 } = options
  const sequence = new Sequence(options, variant, level)
  const { result, captures } = await runScenario({
    title: 'Fig. 2', bench, standardBench: fig1.name, hosts: ['101', '102', '103'], routers: ['104a', '104b'], connections: FIG2_CONNECTIONS,
    // Where the mapping lapses, packets are first as in the standard run.
    figures: variant === 'fig8b' ? [...figureLayouts('fig2'), ...figureLayouts('fig8b')] : figureLayouts('fig2'),
    golden: options.bench === undefined && level === 3 && options.fileSize === undefined ? variant : null,
    sequence: stage => sequence.run(stage),
  }, options)
  const figures = checkFigures(captures, { decoder: decodePayload, run: variant, password: PASSWORD })
  return { ...result, ok: result.ok && (figures.ok || level < 3), equipment: equipmentOf(sequence.server), figures, file: sequence.file }
}

class Sequence {
  server: Apparatus | null = null
  file: Fig2Result['file'] = null

  constructor(private readonly options: Fig2Options, private readonly variant: FigureRun, private readonly level: Level) {}

  async run(stage: Stage): Promise<void> {
    const [server, acceptor, issuer] = [stage.program('101'), stage.program('103'), stage.program('102')]
    this.server = server
    await stage.watching
    server.begin({ role: 'server', level: this.level })
    const purposes = ['registrations', 'first connections', ...this.level === 1 ? [] : ['second connections']]
    for (const purpose of purposes) await server.event('listening', event => event.purpose === purpose)
    mkdirSync(stage.outside(RECEIVED))
    acceptor.begin({
      role: 'acceptor', ...this.#common(), localPort: 2000, connectPort: 2600, receive: RECEIVED,
      // In the other variant the second registration has to come soon; in the standard run one is enough.
      interval: this.variant === 'fig8b' ? 1000 : 15_000,
    })
    await server.event('registered')
    if (this.variant === 'fig8b') await letMappingLapse(stage, server)
    await this.#request(stage, issuer, acceptor)
  }

  /** S203 to S209, from 102's side. */
  async #request(stage: Stage, issuer: Apparatus, acceptor: Apparatus): Promise<void> {
    writeFileSync(stage.outside(FILE_TO_SEND), fileContent(this.options.fileSize ?? 48_000))
    issuer.begin({
      role: 'issuer', ...this.#common(), localPort: 1500, listen: 1600, reachedAt: { address: '4.17.168.2', port: 5000 }, lines: ['hello from 102'], files: [FILE_TO_SEND],
    })
    if (!await issuer.succeeds(stage)) return
    const sent = await issuer.event('file-sent'), received = await acceptor.event('file-received')
    if (sent.sha256 !== received.sha256 || sent.bytes !== received.bytes) stage.fail(`S209: 103 got another file than 102 sent (SHA-256 ${received.sha256}, not ${sent.sha256})`)
    else this.file = { bytes: received.bytes, sha256: received.sha256 }
    await acceptor.event('session-ended')
  }

  #common(): { level: Level, equipmentId: string, password: string, server: string } {
    return { level: this.level, equipmentId: EQUIPMENT_ID, password: this.level === 3 ? PASSWORD : '', server: SERVER }
  }
}

/** 104b's mapping of 192.168.1.3:2000 runs out of idle time, and its next registration makes it anew as 2400 (S202A). */
async function letMappingLapse(stage: Stage, server: Apparatus): Promise<void> {
  const router = stage.router('104b')
  await router.request({ op: 'nextPort', protocol: 'udp', port: 2400 })
  const mapping = (await router.request({ op: 'table' })).find(row => row.protocol === 'udp')
  const secondsLeft = Math.max(0, ...(mapping?.sessions.map(session => session.secondsLeft) ?? []))
  await router.request({ op: 'advance', seconds: secondsLeft + LAPSE_MARGIN })
  await server.event('registered', event => event.port === 2400)
}
