// The hybrid system (JP 2003-203023) on a bench: pairs of clients with global addresses connect directly, every other pair goes
// through the server. 12 and 13 are in the middle of a relayed session while 12 and 14 meet directly, and 15 and 14 through the
// server; then 12 and 13 go on.
import type { Lane } from '../../captures/ladder/ladder.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import { hybrid } from '../benches/hybrid.js'
import { fileFrom, folderOf, RELAY_CONNECTIONS, SERVER, startRelay, transferOf, type Transfer } from './relayed.js'
import { runScenario, type ScenarioOptions, type ScenarioResult, type Stage } from './scenario.js'

const FILE_SIZE = 8_000
const INTERVAL = 15_000
/** A client awaits a direct connection at the port that it asks from, and this many. */
const LISTEN_OFFSET = 100

/** The lanes of the ladder, from left to right. */
export const HYBRID_LANES: readonly Lane[] = [
  { name: '14', address: '198.51.100.14' },
  { name: '12', address: '8.117.12.109' },
  { name: '11', address: SERVER },
  { name: '104', address: '202.204.16.13' },
  { name: '13', address: '192.168.1.3' },
  { name: '15', address: '192.168.1.15' },
]

export interface HybridOptions extends ScenarioOptions {
  /** The bench `hybrid` unless given. */
  readonly bench?: BenchDescription
}

export interface Pair {
  readonly issuer: string
  readonly acceptor: string
  readonly isDirect: boolean
  /** As the server said it. */
  readonly why: string
  readonly transfer: Transfer | null
  /** Bytes of the session that the server passed on. */
  readonly throughServer: number
}

export interface HybridResult extends ScenarioResult { readonly pairs: readonly Pair[] }

/** @throws as runScenario */
export async function runHybrid(options: HybridOptions): Promise<HybridResult> {
  const { bench = hybrid } = options
  const pairs: Pair[] = []
  const { result } = await runScenario({
    name: 'hybrid', title: 'the hybrid system', bench, standardBench: hybrid.name, hosts: ['11', '12', '13', '14', '15'], routers: ['104'],
    connections: [...RELAY_CONNECTIONS, { called: '8.117.12.109:1601', start: 'direct', step: '' }],
    golden: options.bench === undefined ? 'hybrid' : null,
    sequence: stage => new Sequence(stage, pairs).run(),
  }, options)
  return { ...result, pairs }
}

/** One that has begun: the `nth` that the server looks up. */
interface Request { readonly issuer: Apparatus, readonly acceptor: Apparatus, readonly nth: number }

class Sequence {
  readonly #server: Apparatus
  #requests = 0

  constructor(private readonly stage: Stage, private readonly pairs: Pair[]) {
    this.#server = stage.program('11', 'relay-server')
  }

  async run(): Promise<void> {
    const { stage } = this
    const [at13, at14] = ['13', '14'].map(host => stage.program(host, 'relay-acceptor'))
    const [to13, direct, to14] = ['12', '12', '15'].map(host => stage.program(host, 'relay-issuer'))
    await stage.watching
    await startRelay(this.#server)
    await this.#register(at13)
    await this.#register(at14)

    // A relayed session, and in the middle of it …
    const relayed = this.#request(to13, at13, { localPort: 1500, holds: true })
    await at13.event('command-received')
    // … a pair that connects directly, and one that does not.
    await this.#finish(this.#request(direct, at14, { localPort: 1501, holds: false }), true)
    await this.#finish(this.#request(to14, at14, { localPort: 1500, holds: false }), false)
    to13.proceed()
    await this.#finish(relayed, false)
  }

  /** The equipment ID is the host's name. */
  async #register(acceptor: Apparatus): Promise<void> {
    acceptor.begin({
      role: 'relay-acceptor', equipmentId: acceptor.name, server: SERVER, localPort: 2000, interval: INTERVAL, isDirect: true,
      receive: folderOf(this.stage, acceptor.name), lines: [], files: [],
    })
    await this.#server.event('registered', event => event.equipmentId === acceptor.name)
  }

  #request(issuer: Apparatus, acceptor: Apparatus, { localPort, holds }: { localPort: number, holds: boolean }): Request {
    const { name } = acceptor
    issuer.begin({
      role: 'relay-issuer', equipmentId: name, server: SERVER, localPort, listen: localPort + LISTEN_OFFSET, command: `${issuer.name} to ${name}`, holds,
      lines: [], files: [fileFrom(this.stage, issuer.name, FILE_SIZE)], receive: folderOf(this.stage, issuer.name),
    })
    return { issuer, acceptor, nth: this.#requests++ }
  }

  async #finish({ issuer, acceptor, nth }: Request, isDirect: boolean): Promise<void> {
    const { stage } = this
    if (!await issuer.succeeds(stage)) return
    const transfer = await transferOf(stage, issuer, acceptor)
    const why = this.#server.events.filter(event => event.event === 'looked-up')[nth].path ?? ''
    const met = await acceptor.event('connected', event => isDirect ? event.address !== SERVER : event.address === SERVER)
    const throughServer = isDirect ? 0 : await this.#bytesOf(acceptor.name)
    this.pairs.push({ issuer: issuer.name, acceptor: acceptor.name, isDirect: met.address !== SERVER, why, transfer, throughServer })
  }

  async #bytesOf(equipmentId: string): Promise<number> {
    const { outcome, message, fromIssuer, fromAcceptor } = await this.#server.event('relay-ended', event => event.equipmentId === equipmentId)
    if (outcome !== 'ended') this.stage.fail(`11: the relayed connection with ${equipmentId} was aborted: ${message}`)
    return fromIssuer + fromAcceptor
  }
}
