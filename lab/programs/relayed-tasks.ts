// 11, 12 and 13 of Fig. 13 on a bench (endpoint-process.ts).
import { startRelayAcceptor } from '../../endpoints/relay/relay-acceptor.js'
import { requestRelayed } from '../../endpoints/relay/relay-issuer.js'
import { startRelayServer } from '../../endpoints/relay/relay-server.js'
import { openSession } from '../../endpoints/transfer.js'
import { converse } from './converse.js'
import type { RelayAcceptorTask, RelayIssuerTask, RelayServerTask } from './endpoint-task.js'
import { tell, told, type TaskContext } from './task-context.js'

export async function relay(_task: RelayServerTask, { stopped, print }: TaskContext): Promise<void> {
  const server = await startRelayServer({ onEvent: print })
  await stopped
  await server.close()
}

export async function acceptRelayed({ equipmentId, server, localPort, interval, isDirect, receive, lines, files }: RelayAcceptorTask, { stopped, print }: TaskContext): Promise<void> {
  const acceptor = await startRelayAcceptor({
    equipmentId, server: { address: server }, localPort, interval, isDirect, onEvent: print,
    onConnection: connection => {
      const session = openSession(connection, { receive: { directory: receive }, onEvent: print })
      void stopped.then(() => connection.channel.reset())
      const sending = [...lines.map(text => session.sendLine(text)), ...files.map(path => session.sendFile(path))]
      for (const each of sending) each.catch((error: unknown) => tell(error, '13', print))
    },
  })
  await stopped
  await acceptor.close()
}

export async function issueRelayed({ equipmentId, server, localPort, listen, command, holds, lines, files, receive }: RelayIssuerTask, { input, stopped, print }: TaskContext): Promise<void> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  const connection = await requestRelayed({
    equipmentId, server: { address: server }, from: { port: localPort }, ...(listen === undefined ? {} : { listen: { port: listen } }), signal: stop.signal, onEvent: print,
  })
  const session = openSession(connection, { receive: { directory: receive }, onEvent: print })
  await session.sendCommand(command)
  if (holds) await told(input, stopped)
  await converse(connection, session, { lines, files, stopped })
}
