// The log-in relay (JP 2002-217942) on a bench: terminals 11 and 21 behind gateways of their own, relay server 4, and all of the
// document's processes (1) to (24) in its order.
import type { Lane } from '../../captures/ladder/ladder.js'
import type { LoggedInUser } from '../../endpoints/index.js'
import type { Apparatus } from '../programs/apparatus.js'
import type { BenchDescription } from '../bench/bench.js'
import { relayLogin } from '../benches/relay-login.js'
import { RELAY_LOGIN_CONNECTIONS, SERVER, TERMINAL_PORTS, relayLoginDecoder } from './relay-login-labels.js'
import { RUN_FOLDER } from '../bench/protocol.js'
import { runScenario, type ScenarioOptions, type ScenarioResult, type Stage } from './scenario.js'

/** The passwords of the demonstration; a run is nobody's secret. */
const PASSWORDS = { 'user 11': 'open sesame 11', 'user 21': 'open sesame 21' } as const
const USERS = `${RUN_FOLDER}/users`

/** The lanes of the ladder, from left to right. */
export const RELAY_LOGIN_LANES: readonly Lane[] = [
  { name: '11', address: '192.168.1.11' },
  { name: '13', address: '4.17.168.2' },
  { name: '4', address: '130.74.23.6' },
  { name: '23', address: '202.204.16.13' },
  { name: '21', address: '192.168.1.21' },
]

export interface RelayLoginOptions extends ScenarioOptions {
  /** Fig. 1 of the document unless given. */
  readonly bench?: BenchDescription
}

export interface RelayLoginResult extends ScenarioResult {
  /** Who was logged in at the relay server, and with how many connections, while data was relayed. */
  readonly users: readonly Pick<LoggedInUser, 'userId' | 'connections'>[]
  /** Data that passed the relay server, bytes. */
  readonly relayed: { readonly from11: number, readonly from21: number } | null
}

/** @throws as runScenario */
export async function runRelayLogin(options: RelayLoginOptions): Promise<RelayLoginResult> {
  const { bench = relayLogin } = options
  const sequence = new Sequence()
  const { result } = await runScenario({
    name: 'relay-login', title: 'the log-in relay', bench, standardBench: relayLogin.name, hosts: ['4', '11', '21'], routers: ['13', '23'],
    connections: RELAY_LOGIN_CONNECTIONS, decoder: relayLoginDecoder, golden: options.bench === undefined ? 'relay-login' : null,
    sequence: stage => sequence.run(stage),
  }, options)
  return { ...result, users: sequence.users, relayed: sequence.relayed }
}

class Sequence {
  users: RelayLoginResult['users'] = []
  relayed: RelayLoginResult['relayed'] = null

  async run(stage: Stage): Promise<void> {
    const [server, demander, demanded] = [stage.program('4', 'login-relay'), stage.program('11', 'terminal'), stage.program('21', 'terminal')]
    await stage.watching
    server.begin({ role: 'login-relay', users: USERS, passwords: PASSWORDS })
    await server.event('listening')
    await this.#logIn(demander, '11')
    await this.#logIn(demanded, '21')

    demander.proceed() // (6) to (9), and then (10) to (14) on both sides
    for (const terminal of [demander, demanded]) await terminal.event('held', event => event.connection === 2)
    this.users = listOf(server)

    demander.proceed() // (15) to (18)
    await demander.event('line-received')
    demander.proceed() // (19) to (21)
    const ended = await server.event('communication-ended')
    this.relayed = { from11: ended.sent, from21: ended.received }
    for (const userId of Object.keys(PASSWORDS)) await server.event('released', event => event.userId === userId)
    demander.proceed() // (22) to (24)
    if (!await demander.succeeds(stage)) return
    demanded.proceed()
    await demanded.succeeds(stage)
  }

  /** (1) to (5). */
  async #logIn(terminal: Apparatus, name: '11' | '21'): Promise<void> {
    const userId = `user ${name}` as const
    terminal.begin({
      role: 'terminal', apparatus: name, userId, password: PASSWORDS[userId], server: SERVER.address, localPort: TERMINAL_PORTS[name],
      ...(name === '11' ? { demands: 'user 21', question: 'hello from 11' } : { answer: 'hello from 21' }),
    })
    await terminal.event('held')
  }
}

/** Who is logged in, as the server's events tell it. */
function listOf({ events }: Apparatus): RelayLoginResult['users'] {
  const count = new Map<string, number>()
  for (const event of events) if (event.event === 'logged-in') count.set(event.userId, (count.get(event.userId) ?? 0) + 1)
  return [...count].map(([userId, connections]) => ({ userId, connections }))
}
