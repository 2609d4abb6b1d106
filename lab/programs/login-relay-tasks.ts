// What the processes of the log-in relay on a bench are told, and how they do it (endpoint-process.ts).
import { on } from 'node:events'
import { wallClock } from '../../endpoints/events.js'
import type { RelayedConnection } from '../../endpoints/login-relay/relayed.js'
import { startLoginRelay } from '../../endpoints/login-relay/server.js'
import { startTerminal } from '../../endpoints/login-relay/terminal.js'
import { addUser } from '../../endpoints/login-relay/users.js'
import type { TaskContext } from './task-context.js'

/** The relay server: makes its user file, and serves until it is stopped. */
export interface LoginRelayTask {
  readonly role: 'login-relay'
  /** Path of the user file, which must not be there yet. */
  readonly users: string
  readonly passwords: Readonly<Record<string, string>>
}

/**
 * A terminal. Logged in, it waits for a line on standard input before each of what follows: its list and its demand; its
 * question; its termination notice; its log-out. One that demands nothing answers what it is asked, and logs out at the first line.
 */
export interface TerminalTask {
  readonly role: 'terminal'
  readonly apparatus: '11' | '21'
  readonly userId: string
  readonly password: string
  readonly server: string
  readonly localPort: number
  /** Another user. */
  readonly demands?: string
  readonly question?: string
  readonly answer?: string
}

export async function serveLogins({ users, passwords }: LoginRelayTask, { stopped, print }: TaskContext): Promise<void> {
  for (const [userId, password] of Object.entries(passwords)) await addUser(users, userId, password)
  const relay = await startLoginRelay({ users, onEvent: print })
  await stopped
  await relay.close()
}

export async function runTerminal(task: TerminalTask, { input, stopped, print }: TaskContext): Promise<void> {
  const { apparatus, userId, password, server, localPort, demands, question = '', answer = '' } = task
  const turns = on(input, 'line')
  const turn = (): Promise<unknown> => Promise.race([turns.next(), stopped])
  const terminal = await startTerminal({
    apparatus, userId, password, server: { address: server }, localPort, onEvent: print,
    onDemand: () => ({ take: connection => void respond(connection, answer) }),
  })
  await turn()
  if (demands !== undefined) {
    await terminal.users()
    const connection = await terminal.demand(demands)
    await turn()
    await connection.write(Buffer.from(question))
    const text = String(await connection.read())
    print({ time: wallClock(), apparatus, event: 'line-received', text })
    await turn()
    connection.terminate()
    await turn()
  }
  await terminal.close()
}

async function respond(connection: RelayedConnection, answer: string): Promise<void> {
  if (typeof await connection.read() === 'string') return
  await connection.write(Buffer.from(answer))
}
