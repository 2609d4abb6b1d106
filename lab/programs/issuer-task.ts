// 102 on a bench (endpoint-process.ts).
import { requestConnection } from '../../endpoints/issuer.js'
import { keyLog } from '../../endpoints/key-log.js'
import { openSession } from '../../endpoints/transfer.js'
import { converse } from './converse.js'
import type { IssuerTask } from './endpoint-task.js'
import { clientChannel } from './encryption.js'
import { told, type TaskContext } from './task-context.js'

export async function issue({ level, equipmentId, password, server, localPort, listen, reachedAt, data, holds, lines, files, security, dataKeyLog }: IssuerTask, { input, stopped, print }: TaskContext): Promise<void> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  const connection = await requestConnection({
    equipmentId, server: { address: server }, from: { port: localPort }, listen: { port: listen }, reachedAt, data, signal: stop.signal, onEvent: print,
    openChannel: await clientChannel(security), ...(dataKeyLog === undefined ? {} : { onDataKeys: keyLog(dataKeyLog) }),
    ...(holds ? { prepare: async () => { await told(input, stopped) } } : {}),
    ...(level === 3 ? { password } : {}),
  })
  const session = openSession(connection, { onEvent: print })
  await converse(connection, session, { lines, files, stopped })
}
