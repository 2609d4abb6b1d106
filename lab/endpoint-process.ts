// The process of an apparatus on a bench. It loads, waits for its task on standard input (endpoint-task.ts), and says what
// happens as events, a JSON object a line. The commands `server`, `accept` and `issue` do the same with the same library for
// a person; a bench has no use for a command line, which takes as long to load as all the rest.
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { EndpointError, openSession, requestConnection, startAcceptor, startServer, wallClock, type Apparatus, type EndpointEvent } from '../endpoints/index.js'
import { ask, startResponder } from '../endpoints/plain.js'
import type { AcceptorTask, AskerTask, EndpointTask, IssuerTask, ResponderTask, ServerTask } from './endpoint-task.js'

const APPARATUS = { server: '101', issuer: '102', acceptor: '103' } as const

const print = (event: EndpointEvent): void => { process.stdout.write(`${JSON.stringify(event)}\n`) }
const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])

const input = createInterface({ input: process.stdin })
const line = once(input, 'line').then(([text]) => JSON.parse(String(text)) as EndpointTask)
const task = await Promise.race([line, stopped.then(() => null), once(input, 'close').then(() => null)])
if (task !== null) await perform(task)
input.close()
process.stdin.destroy()

async function perform(task: EndpointTask): Promise<void> {
  try {
    switch (task.role) {
      case 'server': await serve(task); break
      case 'acceptor': await accept(task); break
      case 'issuer': await issue(task); break
      case 'responder': await respond(task); break
      case 'asker': await askOnce(task); break
    }
  } catch (error) {
    process.exitCode = 1
    if (!(error instanceof EndpointError)) throw error
    print({ time: wallClock(), apparatus: apparatusOf(task), event: 'error', reason: error.reason, message: error.message })
  }
}

const apparatusOf = (task: EndpointTask): Apparatus => 'apparatus' in task ? task.apparatus : APPARATUS[task.role]

async function serve({ level }: ServerTask): Promise<void> {
  const server = await startServer({ level, onEvent: print })
  await stopped
  await server.close()
}

/** Serves until it is stopped, or until its first session is over. */
async function accept({ level, equipmentId, password, server, localPort, connectPort, interval, receive }: AcceptorTask): Promise<void> {
  let finish = (): void => undefined
  const over = new Promise<void>(resolve => { finish = resolve })
  const acceptor = await startAcceptor({
    equipmentId, server: { address: server }, localPort, connectPort, interval, onEvent: print,
    onConnection: connection => { void openSession(connection, { receive: { directory: receive }, onEvent: print }).ended.then(finish) },
    ...(level === 3 ? { level, password } : { level }),
  })
  await Promise.race([over, stopped])
  await acceptor.close()
}

async function issue({ level, equipmentId, password, server, localPort, listen, reachedAt, lines, files }: IssuerTask): Promise<void> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  const connection = await requestConnection({
    equipmentId, server: { address: server }, from: { port: localPort }, listen: { port: listen }, reachedAt, signal: stop.signal, onEvent: print,
    ...(level === 3 ? { password } : {}),
  })
  const session = openSession(connection, { onEvent: print })
  void stopped.then(() => connection.channel.reset())
  for (const text of lines) await session.sendLine(text)
  for (const path of files) await session.sendFile(path)
  const { outcome, message } = await session.close()
  if (outcome === 'lost') throw new EndpointError('connection-lost', `the session was lost: ${message}`, '')
}

async function respond({ apparatus, port }: ResponderTask): Promise<void> {
  const responder = await startResponder({ apparatus, at: { port }, onEvent: print })
  await stopped
  await responder.close()
}

async function askOnce({ apparatus, transport, localPort, to, text, within }: AskerTask): Promise<void> {
  const until = Promise.race([once(input, 'line'), once(input, 'close'), stopped])
  await ask({ apparatus, transport, from: { port: localPort }, to, text, within, until, onEvent: print })
}
