// What the tests of the log-in relay share: a relay server on loopback with users whose hashes are cheap, terminals that end
// with the test, and events that can be awaited.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readUsers, startLoginRelay, startTerminal } from '../../../endpoints/index.js'
import { addUser } from '../../../endpoints/login-relay/users.js'
import { SocketChannel } from '../../../endpoints/channel/socket-channel.js'
import { EventLog, LOOPBACK, dial } from '../bench.js'
import type { Decision, LoginRelay, LoginRelayOptions, RelayedConnection, Terminal, TerminalOptions } from '../../../endpoints/index.js'
import type { Test } from 'tap'

/** Milliseconds. */
export const SHORT = { message: 1000, request: 4000, vacancy: 300, decision: 500 }
export const CHEAP = { cost: 1024, block: 1, parallel: 1 }
export const PASSWORDS = { eleven: 'pw of eleven', twentyone: 'pw of twenty-one', third: 'pw of the third' } as const
export type UserId = keyof typeof PASSWORDS

export class RelayBench {
  readonly log = new EventLog()
  server!: LoginRelay
  readonly file: string
  readonly #test: Test

  private constructor(test: Test) {
    this.#test = test
    const folder = mkdtempSync(join(tmpdir(), 'naptlab-relay-')) // a test's own testdir would be made anew by its second use
    test.teardown(() => rmSync(folder, { recursive: true }))
    this.file = join(folder, 'users')
  }

  static async start(test: Test, options: Partial<LoginRelayOptions> = {}): Promise<RelayBench> {
    const bench = new RelayBench(test)
    for (const [userId, password] of Object.entries(PASSWORDS)) await addUser(bench.file, userId, password, CHEAP)
    if ((await readUsers(bench.file)).length !== 3) throw new Error('the user file is wrong')
    await bench.restart(0, options)
    return bench
  }

  async restart(port: number, { timeouts, ...rest }: Partial<LoginRelayOptions> = {}): Promise<void> {
    const server = this.server = await startLoginRelay({
      users: this.file, address: LOOPBACK, port, timeouts: { ...SHORT, ...timeouts }, onEvent: this.log.onEvent, ...rest,
    })
    this.#test.teardown(() => server.close())
  }

  get port(): number { return this.server.address.port }

  async terminal(userId: UserId, options: Partial<TerminalOptions> = {}): Promise<{ terminal: Terminal, log: EventLog, taken: RelayedConnection[] }> {
    const log = new EventLog(), taken: RelayedConnection[] = []
    const take = (connection: RelayedConnection): void => {
      taken.push(connection)
      log.wake()
    }
    const { timeouts, ...rest } = options
    const terminal = await startTerminal({
      userId, password: PASSWORDS[userId], server: { address: LOOPBACK, port: this.port }, timeouts: { ...SHORT, ...timeouts },
      onDemand: (): Decision => ({ take }), onEvent: log.onEvent, ...rest,
    })
    this.#test.teardown(() => terminal.close())
    return { terminal, log, taken }
  }

  /** Shows that the relay still serves: two terminals, a word each way, an orderly end. */
  async serves(): Promise<boolean> {
    const [a, b] = [await this.terminal('eleven'), await this.terminal('twentyone')]
    const near = await a.terminal.demand('twentyone')
    const far = await b.log.untilSome(b.taken)
    await near.write(Buffer.from('ping'))
    const asked = await far.read()
    await far.write(Buffer.from('pong'))
    const answered = await near.read()
    near.terminate()
    const end = await far.read()
    await Promise.all([a.terminal.close(), b.terminal.close()])
    return String(asked) === 'ping' && String(answered) === 'pong' && end === 'ended'
  }
}

/** Everything that comes until the end. */
export async function readAll(connection: RelayedConnection): Promise<{ bytes: Buffer, outcome: string }> {
  const chunks: Uint8Array[] = []
  for (;;) {
    const chunk = await connection.read()
    if (typeof chunk === 'string') return { bytes: Buffer.concat(chunks), outcome: chunk }
    chunks.push(chunk)
  }
}

/** A bare connection to the relay, for what no terminal would do. */
export async function bare(bench: RelayBench, userId?: UserId, token = '11'.repeat(8)): Promise<SocketChannel> {
  const channel = new SocketChannel(await dial(bench.port))
  if (userId === undefined) return channel
  await channel.send({ name: 'login', userId, password: PASSWORDS[userId], token })
  const { reason } = await channel.receive(['loginAnswer'], 2000)
  if (reason !== 0) throw new Error(`refused with ${reason}`)
  return channel
}
