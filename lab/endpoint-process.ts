// The process of an apparatus on a bench. It loads, waits for its task on standard input (endpoint-task.ts), and says what
// happens as events, a JSON object a line. The commands `server`, `accept` and `issue` do the same with the same library for
// a person; a bench has no use for a command line, which takes as long to load as all the rest.
import { createInterface } from 'node:readline'
import { on, once } from 'node:events'
import {
  EndpointError, keyLog, openSession, requestConnection, requestRelayed, startAcceptor, startRelayAcceptor, startRelayServer, startServer, wallClock,
  type Apparatus, type Connection, type EndpointEvent, type Session,
} from '../endpoints/index.js'
import { ask, startResponder } from '../endpoints/plain.js'
import { enrolBeforehand, fetchBeforehand, serveCertificates } from './certificate-tasks.js'
import { clientChannel, serverChannel } from './encryption.js'
import { runTerminal, serveLogins } from './login-relay-tasks.js'
import { runMover } from './mover.js'
import type { AcceptorTask, AskerTask, EndpointTask, IssuerTask, RelayAcceptorTask, RelayIssuerTask, ResponderTask, ServerTask } from './endpoint-task.js'

const APPARATUS = {
  'server': '101', 'issuer': '102', 'acceptor': '103', 'relay-server': '11', 'relay-issuer': '12', 'relay-acceptor': '13', 'login-relay': '4',
  'authority': '51', 'enrol': '101',
} as const

const print = (event: EndpointEvent): void => { process.stdout.write(`${JSON.stringify(event)}\n`) }
const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])

const input = createInterface({ input: process.stdin })
const lines = on(input, 'line', { close: ['close'] })
let task = await nextTask()
while (task !== null) {
  await perform(task)
  task = isFirst(task) ? await nextTask() : null
}
input.close()
process.stdin.destroy()

async function nextTask(): Promise<EndpointTask | null> {
  const line = lines.next().then(({ value, done }) => done === true ? null : JSON.parse((value as string[])[0]) as EndpointTask)
  return await Promise.race([line, stopped.then(() => null)])
}

/** What an apparatus does beforehand; it then waits for what else it is to do. */
function isFirst({ role }: EndpointTask): boolean { return process.exitCode === undefined && (role === 'enrol' || role === 'fetch-authority') }

async function perform(task: EndpointTask): Promise<void> {
  try {
    switch (task.role) {
      case 'server': await serve(task); break
      case 'acceptor': await accept(task); break
      case 'issuer': await issue(task); break
      case 'relay-server': await relay(); break
      case 'relay-acceptor': await acceptRelayed(task); break
      case 'relay-issuer': await issueRelayed(task); break
      case 'responder': await respond(task); break
      case 'asker': await askOnce(task); break
      case 'login-relay': await serveLogins(task, stopped, print); break
      case 'authority': await serveCertificates(task, stopped, print); break
      case 'enrol': await enrolBeforehand(task, lines, print); break
      case 'fetch-authority': await fetchBeforehand(task, print); break
      case 'terminal': await runTerminal(task, input, stopped, print); break
      case 'mover': await runMover(task, input, stopped, print); break
    }
  } catch (error) {
    process.exitCode = 1
    tell(error, apparatusOf(task))
  }
}

/** @throws what is no error of an endpoint */
function tell(error: unknown, apparatus: Apparatus): void {
  if (!(error instanceof EndpointError)) throw error
  print({ time: wallClock(), apparatus, event: 'error', reason: error.reason, message: error.message })
}

function apparatusOf(task: EndpointTask): Apparatus { return 'apparatus' in task ? task.apparatus : APPARATUS[task.role] }

async function serve({ level, notify, security }: ServerTask): Promise<void> {
  const server = await startServer({ level, onEvent: print, openChannel: serverChannel(security), ...(notify === undefined ? {} : { timeouts: { notify } }) })
  await stopped
  await server.close()
}

/** Serves until it is stopped, or until its first session is over. */
async function accept({ level, equipmentId, password, server, localPort, connectPort, interval, receive, security }: AcceptorTask): Promise<void> {
  let finish = (): void => undefined
  const over = new Promise<void>(resolve => { finish = resolve })
  const acceptor = await startAcceptor({
    equipmentId, server: { address: server }, localPort, connectPort, interval, onEvent: print, openChannel: clientChannel(security),
    onConnection: connection => { void openSession(connection, { receive: { directory: receive }, onEvent: print }).ended.then(finish) },
    ...(level === 3 ? { level, password } : { level }),
  })
  input.on('line', () => acceptor.register())
  await Promise.race([over, stopped])
  await acceptor.close()
}

async function issue({ level, equipmentId, password, server, localPort, listen, reachedAt, data, holds, lines, files, security, dataKeyLog }: IssuerTask): Promise<void> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  const connection = await requestConnection({
    equipmentId, server: { address: server }, from: { port: localPort }, listen: { port: listen }, reachedAt, data, signal: stop.signal, onEvent: print,
    openChannel: clientChannel(security), ...(dataKeyLog === undefined ? {} : { onDataKeys: keyLog(dataKeyLog) }),
    ...(holds ? { prepare: async () => { await told() } } : {}),
    ...(level === 3 ? { password } : {}),
  })
  const session = openSession(connection, { onEvent: print })
  await converse(connection, session, lines, files)
}

/** Sends lines and files, and closes. @throws EndpointError when the session is lost */
async function converse({ channel }: Connection, session: Session, lines: readonly string[], files: readonly string[]): Promise<void> {
  void stopped.then(() => channel.reset())
  for (const text of lines) await session.sendLine(text)
  for (const path of files) await session.sendFile(path)
  const { outcome, message } = await session.close()
  if (outcome === 'lost') throw new EndpointError('connection-lost', `the session was lost: ${message}`, '')
}

async function relay(): Promise<void> {
  const server = await startRelayServer({ onEvent: print })
  await stopped
  await server.close()
}

async function acceptRelayed({ equipmentId, server, localPort, interval, isDirect, receive, lines, files }: RelayAcceptorTask): Promise<void> {
  const acceptor = await startRelayAcceptor({
    equipmentId, server: { address: server }, localPort, interval, isDirect, onEvent: print,
    onConnection: connection => {
      const session = openSession(connection, { receive: { directory: receive }, onEvent: print })
      void stopped.then(() => connection.channel.reset())
      const sending = [...lines.map(text => session.sendLine(text)), ...files.map(path => session.sendFile(path))]
      for (const each of sending) each.catch((error: unknown) => tell(error, '13'))
    },
  })
  await stopped
  await acceptor.close()
}

async function issueRelayed({ equipmentId, server, localPort, listen, command, holds, lines, files, receive }: RelayIssuerTask): Promise<void> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  const connection = await requestRelayed({
    equipmentId, server: { address: server }, from: { port: localPort }, ...(listen === undefined ? {} : { listen: { port: listen } }), signal: stop.signal, onEvent: print,
  })
  const session = openSession(connection, { receive: { directory: receive }, onEvent: print })
  await session.sendCommand(command)
  if (holds) await told()
  await converse(connection, session, lines, files)
}

/** Resolves when another line comes on standard input, or none will. */
function told(): Promise<unknown> { return Promise.race([once(input, 'line'), once(input, 'close'), stopped]) }

async function respond({ apparatus, port }: ResponderTask): Promise<void> {
  const responder = await startResponder({ apparatus, at: { port }, onEvent: print })
  await stopped
  await responder.close()
}

async function askOnce({ apparatus, transport, localPort, to, text, within }: AskerTask): Promise<void> {
  await ask({ apparatus, transport, from: { port: localPort }, to, text, within, until: told(), onEvent: print })
}
