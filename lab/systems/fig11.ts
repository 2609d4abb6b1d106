// NAPT alone (Figs. 10 to 12) on a bench. 13, behind router 104, talks to 11 on the WAN: 21 becomes 23 (S22), 11 responds (S24), 25
// becomes 27 (S26). First by TCP, whose mapping goes when the connection has ended, then by UDP, whose mapping goes when it has
// been idle for too long. Nobody on the WAN reaches 13 then; with a static mapping 12 does, without 13 having sent anything.
import { wallTime } from '../../napt/clock.js'
import type { MappingJson } from '../../napt/control/protocol.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import { formatEndpoint } from '../../napt/wire/address.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { decode, type Transport } from '../../captures/decode/decode.js'
import type { LadderStep, Lane } from '../../captures/ladder/ladder.js'
import type { ConnectionName } from '../../captures/decode/connection-names.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import { fig10 } from '../benches/fig10.js'
import { runScenario, type ScenarioOptions, type ScenarioResult, type Stage } from './scenario.js'

const SERVER = { address: '130.74.23.6', port: 1200 }
/** Where 13 is reached from the WAN, once it is (Fig. 12). */
const REACHED = { address: '202.204.16.13', port: 3400 }
const LOCAL = { address: '192.168.1.3', port: 2000 }
/** Milliseconds for which 12 waits for a response that does not come. */
const IN_VAIN = 300
const IN_TIME = 5000
/** Seconds past the last idle time. */
const LAPSE_MARGIN = 1

const CONNECTIONS: readonly ConnectionName[] = [
  { called: '130.74.23.6:1200', start: '21, 23', step: '', data: { there: '21, 23 question', back: '25, 27 response' } },
  { called: '202.204.16.13:3400', start: '25, 27', step: '', data: { there: '25, 27 question', back: '21, 23 response' } },
]

/** The lanes of the ladder, from left to right. */
export const FIG11_LANES: readonly Lane[] = [
  { name: '13', address: '192.168.1.3' },
  { name: '104', address: '202.204.16.13' },
  { name: '11', address: '130.74.23.6' },
  { name: '12', address: '8.117.12.109' },
]

export interface Fig11Options extends ScenarioOptions {
  /** Fig. 10 unless given. */
  readonly bench?: BenchDescription
}

/** The router's table at a moment that a name says. */
export interface NamedTable { readonly moment: string, readonly table: readonly MappingJson[] }

export interface Fig11Result extends ScenarioResult {
  /** Fig. 12 while the communication lasts, and what is left of it afterwards; in the order of the run. */
  readonly moments: readonly NamedTable[]
}

/** @throws as runScenario */
export async function runFig11(options: Fig11Options): Promise<Fig11Result> {
  const { bench = fig10 } = options
  const moments: NamedTable[] = []
  const { result } = await runScenario({
    name: 'fig11', title: 'Fig. 11', bench, standardBench: fig10.name, hosts: ['11', '12', '13'], routers: ['104'], connections: CONNECTIONS,
    routerSteps: conversions(), golden: options.bench === undefined ? 'fig11' : null,
    sequence: stage => new Sequence(stage, moments).run(),
  }, options)
  return { ...result, moments }
}

class Sequence {
  constructor(private readonly stage: Stage, private readonly moments: NamedTable[]) {}

  async run(): Promise<void> {
    const { stage } = this
    const server = stage.program('11', 'responder')
    const [byTcp, byUdp, responder] = (['asker', 'asker', 'responder'] as const).map(role => stage.program('13', role))
    const [inVain, fromWan] = ['12', '12'].map(host => stage.program(host, 'asker'))
    await stage.watching
    server.begin({ role: 'responder', apparatus: '11', port: SERVER.port })
    await server.event('listening', event => event.transport === 'tcp')

    await this.#dynamic('tcp', byTcp)
    await this.#dynamic('udp', byUdp)

    responder.begin({ role: 'responder', apparatus: '13', port: LOCAL.port })
    await responder.event('listening', event => event.transport === 'tcp')
    await this.#refused(inVain)
    await stage.router('104').request({ op: 'map', protocol: 'udp', wanPort: REACHED.port, address: LOCAL.address, port: LOCAL.port })
    await this.#note('static: set in advance')
    fromWan.begin({ role: 'asker', apparatus: '12', transport: 'udp', localPort: 9000, to: REACHED, text: 'hello from 12', within: IN_TIME })
    await fromWan.event('response-received')
    fromWan.proceed()
    if (!await fromWan.succeeds(stage)) return
    await this.#letLapse()
    if ((await this.#note('static: after the communication')).length !== 1) stage.fail('the static mapping did not stay')
  }

  /** 21 to 27, and the entry of the table that comes and goes with them. */
  async #dynamic(transport: 'tcp' | 'udp', asker: Apparatus): Promise<void> {
    const { stage } = this
    const name = transport.toUpperCase()
    asker.begin({ role: 'asker', apparatus: '13', transport, localPort: LOCAL.port, to: SERVER, text: `hello by ${name}`, within: IN_TIME })
    await asker.event('response-received')
    const table = await this.#note(`dynamic, ${name}: during the communication (Fig. 12)`)
    if (table.map(row => row.wanPort).join() !== String(REACHED.port)) stage.fail(`${name}: the table is not that of Fig. 12`)
    asker.proceed()
    if (!await asker.succeeds(stage)) return
    if (transport === 'tcp') await this.#untilClosed()
    await this.#letLapse()
    const left = await this.#note(`dynamic, ${name}: after the ${transport === 'tcp' ? 'connection has ended' : 'idle time'}`)
    if (left.length > 0) stage.fail(`${name}: the mapping ${describe(left)} did not go`)
  }

  /** Until the router has seen both ends close. */
  async #untilClosed(): Promise<void> {
    for (;;) {
      const frame = this.stage.nextFrame()
      const table = await this.stage.router('104').request({ op: 'table' })
      if (table.every(row => row.sessions.every(session => session.tcp === 'closed'))) return
      await frame
    }
  }

  /** Lets the router's clock run past the idle time of whatever is in its table. */
  async #letLapse(): Promise<void> {
    const router = this.stage.router('104')
    const table = await router.request({ op: 'table' })
    await router.request({ op: 'advance', seconds: LAPSE_MARGIN + Math.max(0, ...table.flatMap(row => row.sessions.map(session => session.secondsLeft))) })
  }

  /** 12 asks, and no mapping lets it in. */
  async #refused(asker: Apparatus): Promise<void> {
    const { stage } = this
    asker.begin({ role: 'asker', apparatus: '12', transport: 'udp', localPort: 9000, to: REACHED, text: 'anybody there?', within: IN_VAIN })
    const isAnswered = await asker.event('response-received').then(() => true, () => false)
    const { dropped } = await stage.router('104').request({ op: 'counters' })
    if (isAnswered || dropped['no-mapping'] === 0) stage.fail('without a mapping a packet from 12 was to be dropped, and was not')
    asker.stop()
  }

  /** Keeps the table, and shows it in the ladder. */
  async #note(moment: string): Promise<readonly MappingJson[]> {
    const table = await this.stage.router('104').request({ op: 'table' })
    this.moments.push({ moment, table })
    this.stage.step({ kind: 'step', time: wallTime(), lane: '104', name: 'table', note: `${moment}: ${table.length === 0 ? 'no mapping' : describe(table)}` })
    return table
  }
}

const describe = (table: readonly MappingJson[]): string =>
  table.map(row => `${row.lanAddress}:${row.lanPort} = ${row.wanAddress}:${row.wanPort}`).join(', ')

/** S22 and S26 for the packets that the ladder shows, with the address and port that were replaced. */
function conversions(): (router: string, record: TraceRecord) => readonly LadderStep[] {
  return (router, { action, time, received, sent }) => {
    if (action !== 'forward' || received === undefined || sent === undefined) return []
    const before = decode(received.frame).transport, after = decode(sent.frame).transport
    if (before === null || after === null || !isShown(before)) return []
    const isForward = received.side === 'lan'
    const [from, to] = isForward ? [before.source, after.source] : [before.destination, after.destination]
    const note = `${isForward ? 'SA, SP' : 'DA, DP'}  ${formatEndpoint(from.address, from.port)} → ${formatEndpoint(to.address, to.port)}`
    return [{ kind: 'step', time, lane: router, name: isForward ? 'S22' : 'S26', note }]
  }
}

/** The first packet of a connection, and whatever carries data. */
const isShown = ({ protocol, payload, flags }: Transport): boolean =>
  payload.length > 0 || (protocol === 'tcp' && (flags & FLAG.syn) !== 0 && (flags & FLAG.ack) === 0)
