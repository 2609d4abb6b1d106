// The relayed connection of Fig. 13 on a bench: 13 registers with 11 (31, S32, S32A), 12 asks for it (33, 34), 11 looks it up (S35)
// and notifies it (36), 13 connects (37), and 11 relays: the command signal (38), then lines and files both ways.
import type { Lane } from '../../captures/ladder/ladder.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import { fig10, fig10Lan } from '../benches/fig10.js'
import { equipmentOf, type EquipmentEntry } from './equipment.js'
import { fileFrom, folderOf, RELAY_CONNECTIONS, SERVER, startRelay, transferOf, type Transfer } from './relayed.js'
import { runScenario, type ScenarioOptions, type ScenarioResult, type Stage } from './scenario.js'

const EQUIPMENT_ID = '2133'
const FILE_SIZE = 20_000
/** Milliseconds: the second registration (S32A) is to come soon. */
const INTERVAL = 500

/** 12 on the WAN, as in Fig. 10, or in a LAN behind a router of its own. */
export type IssuerPlace = 'wan' | 'lan'

/** The lanes of the ladder, from left to right. */
export const FIG13_LANES: Readonly<Record<IssuerPlace, readonly Lane[]>> = {
  wan: [
    { name: '12', address: '8.117.12.109' },
    { name: '11', address: SERVER },
    { name: '104', address: '202.204.16.13' },
    { name: '13', address: '192.168.1.3' },
  ],
  lan: [
    { name: '12', address: '192.168.1.11' },
    { name: '104a', address: '4.17.168.2' },
    { name: '11', address: SERVER },
    { name: '104', address: '202.204.16.13' },
    { name: '13', address: '192.168.1.3' },
  ],
}

export interface Fig13Options extends ScenarioOptions {
  readonly issuer?: IssuerPlace
  /** Fig. 10 unless given. */
  readonly bench?: BenchDescription
  /** Size of the file that each end sends, bytes. */
  readonly fileSize?: number
}

export interface Fig13Result extends ScenarioResult {
  readonly equipment: readonly EquipmentEntry[]
  /** What was sent through the server, in either direction. */
  readonly transfers: readonly Transfer[]
  /** What the server counted; null when the session did not come to its end. */
  readonly relayed: { readonly fromIssuer: number, readonly fromAcceptor: number } | null
}

/** @throws as runScenario */
export async function runFig13(options: Fig13Options): Promise<Fig13Result> {
  const { issuer = 'wan', bench = issuer === 'wan' ? fig10 : fig10Lan } = options
  const sequence = new Sequence(options.fileSize ?? FILE_SIZE)
  const { result } = await runScenario({
    name: 'fig13', title: 'Fig. 13', bench, standardBench: issuer === 'wan' ? fig10.name : fig10Lan.name,
    hosts: ['11', '12', '13'], routers: issuer === 'wan' ? ['104'] : ['104', '104a'], connections: RELAY_CONNECTIONS,
    golden: options.bench !== undefined || options.fileSize !== undefined ? null : issuer === 'wan' ? 'fig13' : 'fig13-lan',
    sequence: stage => sequence.run(stage),
  }, options)
  return { ...result, equipment: equipmentOf(sequence.server), transfers: sequence.transfers, relayed: sequence.relayed }
}

class Sequence {
  server: Apparatus | null = null
  transfers: Transfer[] = []
  relayed: Fig13Result['relayed'] = null

  constructor(private readonly fileSize: number) {}

  async run(stage: Stage): Promise<void> {
    const [server, acceptor, issuer] = [stage.program('11', 'relay-server'), stage.program('13', 'relay-acceptor'), stage.program('12', 'relay-issuer')]
    this.server = server
    await stage.watching
    await startRelay(server)
    acceptor.begin({
      role: 'relay-acceptor', equipmentId: EQUIPMENT_ID, server: SERVER, localPort: 2000, interval: INTERVAL, isDirect: false,
      receive: folderOf(stage, '13'), lines: ['hello from 13'], files: [fileFrom(stage, '13', this.fileSize)],
    })
    await server.event('registered', event => event.step === 'S32A')
    issuer.begin({
      role: 'relay-issuer', equipmentId: EQUIPMENT_ID, server: SERVER, localPort: 1500, command: 'start recording', holds: false,
      lines: ['hello from 12'], files: [fileFrom(stage, '12', this.fileSize)], receive: folderOf(stage, '12'),
    })
    if (!await issuer.succeeds(stage)) return
    for (const [from, to] of [[issuer, acceptor], [acceptor, issuer]]) {
      const transfer = await transferOf(stage, from, to)
      if (transfer) this.transfers.push(transfer)
    }
    const { outcome, message, fromIssuer, fromAcceptor } = await server.event('relay-ended')
    this.relayed = { fromIssuer, fromAcceptor }
    if (outcome !== 'ended') stage.fail(`11: the relayed connection was aborted: ${message}`)
  }
}
