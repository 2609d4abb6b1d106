// 103 on a bench (endpoint-process.ts).
import { startAcceptor } from '../../endpoints/acceptor.js'
import { openSession } from '../../endpoints/transfer.js'
import type { AcceptorTask } from './endpoint-task.js'
import { clientChannel } from './encryption.js'
import type { TaskContext } from './task-context.js'

/** Serves until it is stopped, or until its first session is over. */
export async function accept({ level, equipmentId, password, server, localPort, connectPort, interval, receive, security }: AcceptorTask, { input, stopped, print }: TaskContext): Promise<void> {
  let finish = (): void => undefined
  const over = new Promise<void>(resolve => { finish = resolve })
  const acceptor = await startAcceptor({
    equipmentId, server: { address: server }, localPort, connectPort, interval, onEvent: print, openChannel: await clientChannel(security),
    onConnection: connection => { void openSession(connection, { receive: { directory: receive }, onEvent: print }).ended.then(finish) },
    ...(level === 3 ? { level, password } : { level }),
  })
  input.on('line', () => acceptor.register())
  await Promise.race([over, stopped])
  await acceptor.close()
}
