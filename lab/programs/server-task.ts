// 101 on a bench (endpoint-process.ts).
import { startServer } from '../../endpoints/server.js'
import type { ServerTask } from './endpoint-task.js'
import { serverChannel } from './encryption.js'
import type { TaskContext } from './task-context.js'

export async function serve({ level, notify, security }: ServerTask, { stopped, print }: TaskContext): Promise<void> {
  const server = await startServer({ level, onEvent: print, openChannel: await serverChannel(security), ...(notify === undefined ? {} : { timeouts: { notify } }) })
  await stopped
  await server.close()
}
