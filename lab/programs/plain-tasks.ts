// Who is asked, and who asks, in Fig. 11 (endpoint-process.ts).
import { ask, startResponder } from '../../endpoints/plain.js'
import type { AskerTask, ResponderTask } from './endpoint-task.js'
import { told, type TaskContext } from './task-context.js'

export async function respond({ apparatus, port }: ResponderTask, { stopped, print }: TaskContext): Promise<void> {
  const responder = await startResponder({ apparatus, at: { port }, onEvent: print })
  await stopped
  await responder.close()
}

export async function askOnce({ apparatus, transport, localPort, to, text, within }: AskerTask, { input, stopped, print }: TaskContext): Promise<void> {
  await ask({ apparatus, transport, from: { port: localPort }, to, text, within, until: told(input, stopped), onEvent: print })
}
