// The sequence of Fig. 2 on a bench: 101, 103 and 102, every packet and step, and what the captures hold against the figures and
// the golden.
import { mkdirSync, writeFileSync } from 'node:fs'
import type { FigureReport } from '../../captures/figure-check.js'
import { figureLayouts, type FigureRun } from '../../captures/figures.js'
import { decodePayload } from '../../captures/decode/protocol.js'
import { isOverUdp, type Data } from '../../endpoints/connection.js'
import { keyExchangeOf, type Encryption, type KeyExchange } from '../../endpoints/channel/variants.js'
import type { Level } from '../../endpoints/defaults.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import { fig1 } from '../benches/fig1.js'
import { enrolment, makeKeysBeforehand, type Enrolling, type KeysBeforehand } from './certificates.js'
import { securityFor, type Security } from './credentials.js'
import type { ClientSecurity } from '../programs/encryption.js'
import { equipmentOf, type EquipmentEntry } from './equipment.js'
import { fileContent } from './file-content.js'
import { callConnection, OnDemandMapping, withoutStaticMappings } from './on-demand-mapping.js'
import { AUTHORITY, connectionsOf, LISTENING_PORT, notOfTheFigures, reachedAt, routersOf } from './placement.js'
import { RUN_FOLDER } from '../bench/protocol.js'
import { LONG_INTERVAL, NEW_ADDRESS, NOTIFY_LIMIT, RENUMBERED, requestInTheGap } from './renumbering.js'
import { withUdpMappings } from './udp-mappings.js'
import { runScenario, type ScenarioOptions, type ScenarioResult, type Stage } from './scenario.js'

/** The password of 103 in the demonstration; a run is nobody's secret. */
const PASSWORD = 'open sesame 2133'
const EQUIPMENT_ID = '2133'
/** On the bench's hosts. */
const FILE_TO_SEND = `${RUN_FOLDER}/from-102.bin`, RECEIVED = `${RUN_FOLDER}/received-by-103`
const SERVER = '130.74.23.6'
/** Seconds past the idle time of a UDP mapping. */
const LAPSE_MARGIN = 1

/** `renumber`: the WAN address of 104b changes; a request in the gap fails, and one after the next 201 succeeds (S202A). */
export type Fig2Variant = FigureRun | 'renumber'

export interface Fig2Options extends ScenarioOptions {
  /** Fig. 1 unless given. It needs the hosts of Fig. 1, and the routers of those that are not on the WAN themselves (fig1With). */
  readonly bench?: BenchDescription
  /** `fig8b`: 104b's mapping lapses and comes back as port 2400, as Fig. 8B has it. */
  readonly variant?: Fig2Variant
  /** How 104a leads to 102: by a mapping that is always there, or one that is set at 211 and taken away after S209. */
  readonly mapping?: 'static' | 'on-demand'
  readonly level?: Level
  /** What S209 runs on; TCP in the clear unless given. */
  readonly data?: Data
  /** Of the connections with the server; none unless given. `ssl3` is insecure, and for a bench alone. */
  readonly encryption?: Encryption
  /** Ephemeral Diffie–Hellman unless given. */
  readonly keyExchange?: KeyExchange | undefined
  /** Size of the file that 102 sends at S209, bytes. */
  readonly fileSize?: number
}

export interface Fig2Result extends ScenarioResult {
  /** The server's list: Fig. 9. */
  readonly equipment: readonly EquipmentEntry[]
  /** Null where the figures say nothing of this run. */
  readonly figures: FigureReport | null
  /** Why they do not, or null. */
  readonly notOfTheFigures: string | null
  /** Renumbering: what 102 said of its request in the gap. */
  readonly gap: string | null
  readonly file: { readonly bytes: number, readonly sha256: string } | null
}

/** @throws as runScenario; BenchError when a mapping is to be set on demand where 104a has none */
export async function runFig2(options: Fig2Options): Promise<Fig2Result> {
  const { bench: described = fig1, variant = 'fig2', level = 3, mapping = 'static', data = 'tcp', encryption = 'none' } = options
  const bench = mapping === 'on-demand' ? withoutStaticMappings(described) : isOverUdp(data) ? withUdpMappings(described) : described
  const sequence = new Sequence(options, bench, variant, level, mapping)
  const why = variant === 'renumber' ? `${RENUMBERED} gets another WAN address than theirs` : notOfTheFigures(bench)
  const { result, captures, keys } = await runScenario({
    name: variant, title: 'Fig. 2', bench, standardBench: described.name, hosts: ['101', '102', '103'], routers: routersOf(bench),
    connections: [...mapping === 'on-demand' ? [callConnection(reachedAt(bench))] : [], ...connectionsOf(bench)],
    // Where the mapping lapses, packets are first as in the standard run.
    figures: why !== null ? [] : variant === 'fig8b' ? [...figureLayouts('fig2'), ...figureLayouts('fig8b')] : figureLayouts('fig2'),
    laterAddresses: variant === 'renumber' ? { [RENUMBERED]: [NEW_ADDRESS] } : {},
    golden: bench === fig1 && level === 3 && data === 'tcp' && options.fileSize === undefined ? goldenOf(variant, encryption, options.keyExchange) : null,
    sequence: stage => sequence.run(stage),
  }, options)
  const { checkFigures } = await import('../../captures/figure-check.js') // the run has loaded it
  const figures = why !== null || variant === 'renumber' ? null : checkFigures(captures, { decoder: decodePayload, keys, run: variant, password: PASSWORD })
  const ok = result.ok && (figures === null || figures.ok || level < 3)
  return { ...result, ok, equipment: equipmentOf(sequence.server), figures, notOfTheFigures: why, gap: sequence.gap, file: sequence.file }
}

/** The golden of a run on the bench of Fig. 1; null for a variant that has none. */
function goldenOf(variant: Fig2Variant, encryption: Encryption, wanted: KeyExchange | undefined): string | null {
  if (encryption === 'tls1.3') return variant
  const keyExchange = keyExchangeOf(encryption, wanted)
  return keyExchange === null ? `${variant}-none` : variant === 'fig2' ? `fig2-${encryption}-${keyExchange}` : null
}

class Sequence {
  server: Apparatus | null = null
  file: Fig2Result['file'] = null
  gap: Fig2Result['gap'] = null
  security: Security | null = null
  /** Null where nobody enrols. */
  readonly #keys: Promise<KeysBeforehand> | null

  constructor(
    private readonly options: Fig2Options, private readonly bench: BenchDescription, private readonly variant: Fig2Variant,
    private readonly level: Level, private readonly mapping: 'static' | 'on-demand',
  ) {
    this.#keys = this.#enrols ? makeKeysBeforehand() : null
  }

  async run(stage: Stage): Promise<void> {
    const { variant } = this
    const ofCa = this.#enrols ? { server: ['enrol'], client: ['fetch-authority'] } as const : { server: [], client: [] }
    // Those first that have the most to do before anybody can go on.
    const server = stage.program('101', ...ofCa.server, 'server'), authority = this.#enrols ? stage.program(AUTHORITY, 'authority') : null
    const acceptor = stage.program('103', ...ofCa.client, 'acceptor'), issuer = stage.program('102', ...ofCa.client, 'issuer')
    const early = variant === 'renumber' ? stage.program('102', 'issuer') : null
    const caller = this.mapping === 'on-demand' ? stage.program('101', 'asker') : null
    this.server = server
    this.security = await this.#makeSecurity(stage, { authority, server, issuer, acceptor })
    await stage.watching
    server.begin({ role: 'server', level: this.level, ...(this.security ? { security: this.security.server } : {}), ...(variant === 'renumber' ? { notify: NOTIFY_LIMIT } : {}) })
    const purposes = ['registrations', 'first connections', ...this.level === 1 ? [] : ['second connections']]
    for (const purpose of purposes) await server.event('listening', event => event.purpose === purpose)
    mkdirSync(stage.outside(RECEIVED))
    acceptor.begin({
      role: 'acceptor', ...this.#common(), localPort: 2000, connectPort: 2600, receive: RECEIVED,
      // In one variant the second registration has to come soon, in another not before it is told to; in the standard run one is enough.
      interval: variant === 'fig8b' ? 1000 : variant === 'renumber' ? LONG_INTERVAL : 15_000,
    })
    await server.event('registered')
    writeFileSync(stage.outside(FILE_TO_SEND), fileContent(this.options.fileSize ?? 48_000))
    if (variant === 'fig8b') await letMappingLapse(stage, server)
    if (early !== null) {
      this.gap = await requestInTheGap(stage, server, acceptor, early, program => this.#begin(program))
      if (this.gap === null) return
    }
    if (caller === null) await this.#request(stage, issuer, acceptor)
    else await this.#requestWithMapping(stage, issuer, acceptor, caller)
  }

  /** Whether keys and certificates come about on the bench, before the sequence. */
  get #enrols(): boolean {
    const { encryption = 'none', keyExchange } = this.options
    return encryption !== 'none' && keyExchange !== 'dh' && AUTHORITY in this.bench.hosts
  }

  /** The same with the mapping there for this one request. */
  async #requestWithMapping(stage: Stage, issuer: Apparatus, acceptor: Apparatus, caller: Apparatus): Promise<void> {
    const mapping = new OnDemandMapping(stage, this.bench, isOverUdp(this.options.data ?? 'tcp') ? 'udp' : 'tcp')
    this.#begin(issuer)
    await mapping.set(issuer)
    try {
      await this.#outcome(stage, issuer, acceptor)
    } finally {
      await mapping.remove()
    }
    await mapping.callInVain(caller)
  }

  async #request(stage: Stage, issuer: Apparatus, acceptor: Apparatus): Promise<void> {
    this.#begin(issuer)
    await this.#outcome(stage, issuer, acceptor)
  }

  #begin(issuer: Apparatus): void {
    issuer.begin({
      role: 'issuer', ...this.#common(), ...(this.security ? { dataKeyLog: this.security.server.keyLog } : {}), localPort: 1500, listen: LISTENING_PORT, reachedAt: reachedAt(this.bench), holds: this.mapping === 'on-demand',
      data: this.options.data ?? 'tcp', lines: ['hello from 102'], files: [FILE_TO_SEND],
    })
  }

  /** S203 to S209, from 102's side. */
  async #outcome(stage: Stage, issuer: Apparatus, acceptor: Apparatus): Promise<void> {
    if (!await issuer.succeeds(stage)) return
    const sent = await issuer.event('file-sent'), received = await acceptor.event('file-received')
    if (sent.sha256 !== received.sha256 || sent.bytes !== received.bytes) stage.fail(`S209: 103 got another file than 102 sent (SHA-256 ${received.sha256}, not ${sent.sha256})`)
    else this.file = { bytes: received.bytes, sha256: received.sha256 }
    await acceptor.event('session-ended')
  }

  #common(): { level: Level, equipmentId: string, password: string, server: string, security?: ClientSecurity } {
    return {
      level: this.level, equipmentId: EQUIPMENT_ID, password: this.level === 3 ? PASSWORD : '', server: SERVER,
      ...(this.security ? { security: this.security.client } : {}),
    }
  }

  async #makeSecurity(stage: Stage, programs: Enrolling): Promise<Security | null> {
    const { encryption = 'none', keyExchange } = this.options
    if (encryption === 'none') return null
    return await securityFor({ encryption, keyExchange, serverName: SERVER, keyLog: stage.keyLog, enrol: enrolment(stage, this.bench, this.#keys, programs) })
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
