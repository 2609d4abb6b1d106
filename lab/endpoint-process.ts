// The process of an apparatus on a bench: `node endpoint-process.js ROLE…`. It loads what its roles need, waits for its task on
// standard input (endpoint-task.ts), and says what happens as events, a JSON object a line. The commands `server`, `accept` and
// `issue` do the same with the same library for a person; a bench has no use for a command line, which takes as long to load as all
// the rest. Loading is most of what a short run takes, about 1 ms for each file; so each role has its own.
import { createInterface } from 'node:readline'
import { on, once } from 'node:events'
import type { Apparatus, EndpointEvent } from '../endpoints/events.js'
import { tell, type TaskContext } from './task-context.js'
import type { EndpointTask, Role } from './endpoint-task.js'

const APPARATUS = {
  'server': '101', 'issuer': '102', 'acceptor': '103', 'relay-server': '11', 'relay-issuer': '12', 'relay-acceptor': '13', 'login-relay': '4',
  'authority': '51', 'enrol': '101',
} as const

/** What each role needs beside. */
const PROGRAMS = {
  'server': () => import('./server-task.js'), 'acceptor': () => import('./acceptor-task.js'), 'issuer': () => import('./issuer-task.js'),
  'relay-server': () => import('./relayed-tasks.js'), 'relay-acceptor': () => import('./relayed-tasks.js'), 'relay-issuer': () => import('./relayed-tasks.js'),
  'responder': () => import('./plain-tasks.js'), 'asker': () => import('./plain-tasks.js'),
  'login-relay': () => import('./login-relay-tasks.js'), 'terminal': () => import('./login-relay-tasks.js'),
  'authority': () => import('./authority-task.js'), 'enrol': () => import('./enrol-tasks.js'), 'fetch-authority': () => import('./enrol-tasks.js'),
  'mover': () => import('./mover.js'),
} as const satisfies Record<Role, () => Promise<unknown>>

const print = (event: EndpointEvent): void => { process.stdout.write(`${JSON.stringify(event)}\n`) }
const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])

const input = createInterface({ input: process.stdin })
const lines = on(input, 'line', { close: ['close'] })
const context: TaskContext = { input, lines, stopped, print }
for (const role of process.argv.slice(2)) void PROGRAMS[role as Role]()
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
      case 'server': await (await PROGRAMS.server()).serve(task, context); break
      case 'acceptor': await (await PROGRAMS.acceptor()).accept(task, context); break
      case 'issuer': await (await PROGRAMS.issuer()).issue(task, context); break
      case 'relay-server': await (await PROGRAMS['relay-server']()).relay(context); break
      case 'relay-acceptor': await (await PROGRAMS['relay-acceptor']()).acceptRelayed(task, context); break
      case 'relay-issuer': await (await PROGRAMS['relay-issuer']()).issueRelayed(task, context); break
      case 'responder': await (await PROGRAMS.responder()).respond(task, context); break
      case 'asker': await (await PROGRAMS.asker()).askOnce(task, context); break
      case 'login-relay': await (await PROGRAMS['login-relay']()).serveLogins(task, context); break
      case 'terminal': await (await PROGRAMS.terminal()).runTerminal(task, context); break
      case 'authority': await (await PROGRAMS.authority()).serveCertificates(task, context); break
      case 'enrol': await (await PROGRAMS.enrol()).enrolBeforehand(task, context); break
      case 'fetch-authority': await (await PROGRAMS['fetch-authority']()).fetchBeforehand(task, context); break
      case 'mover': await (await PROGRAMS.mover()).runMover(task, context); break
    }
  } catch (error) {
    process.exitCode = 1
    tell(error, apparatusOf(task), print)
  }
}

function apparatusOf(task: EndpointTask): Apparatus { return 'apparatus' in task ? task.apparatus : APPARATUS[task.role] }
