// The process of an apparatus on a bench: `node endpoint-process.js ROLE…`. It loads what its roles need, waits for its task on
// standard input (endpoint-task.ts), and says what happens as events, a JSON object a line. The commands `server`, `accept` and
// `issue` do the same with the same library for a person; a bench has no use for a command line, which takes as long to load as all
// the rest. Loading is most of what a short run takes, about 1 ms for each file; so each role has its own.
import { createInterface } from 'node:readline'
import { on, once } from 'node:events'
import { loadX509 } from '../../endpoints/ca/x509.js'
import type { Apparatus, EndpointEvent } from '../../endpoints/events.js'
import { tell, type TaskContext } from './task-context.js'
import type { EndpointTask, Role } from './endpoint-task.js'

const APPARATUS = {
  'server': '101', 'issuer': '102', 'acceptor': '103', 'relay-server': '11', 'relay-issuer': '12', 'relay-acceptor': '13', 'login-relay': '4',
  'authority': '51', 'enrol': '101',
} as const

type TaskOf<R extends Role> = Extract<EndpointTask, { role: R }>
type Program<R extends Role> = (task: TaskOf<R>, context: TaskContext) => Promise<void>

const PROGRAMS: { readonly [R in Role]: () => Promise<Program<R>> } = {
  'server': async () => (await import('./server-task.js')).serve,
  'acceptor': async () => (await import('./acceptor-task.js')).accept,
  'issuer': async () => (await import('./issuer-task.js')).issue,
  'relay-server': async () => (await import('./relayed-tasks.js')).relay,
  'relay-acceptor': async () => (await import('./relayed-tasks.js')).acceptRelayed,
  'relay-issuer': async () => (await import('./relayed-tasks.js')).issueRelayed,
  'responder': async () => (await import('./plain-tasks.js')).respond,
  'asker': async () => (await import('./plain-tasks.js')).askOnce,
  'login-relay': async () => (await import('./login-relay-tasks.js')).serveLogins,
  'terminal': async () => (await import('./login-relay-tasks.js')).runTerminal,
  'authority': async () => (await import('./authority-task.js')).serveCertificates,
  'enrol': async () => (await import('./enrol-tasks.js')).enrolBeforehand,
  'fetch-authority': async () => (await import('./enrol-tasks.js')).fetchBeforehand,
  'mover': async () => (await import('../systems/mover.js')).runMover,
}

/** Who makes certificates or requests; the library for that is loaded with them, before there is a task. */
const WITH_X509: readonly string[] = ['authority', 'enrol'] satisfies Role[]

const print = (event: EndpointEvent): void => { process.stdout.write(`${JSON.stringify(event)}\n`) }
const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])

const input = createInterface({ input: process.stdin })
const lines = on(input, 'line', { close: ['close'] })
const context: TaskContext = { input, lines, stopped, print }
for (const role of process.argv.slice(2)) {
  void PROGRAMS[role as Role]()
  if (WITH_X509.includes(role)) void loadX509()
}
let task = await nextTask()
while (task !== null) {
  await perform(task.role, task)
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

async function perform<R extends Role>(role: R, task: TaskOf<R>): Promise<void> {
  try {
    const program = await PROGRAMS[role]()
    await program(task, context)
  } catch (error) {
    process.exitCode = 1
    tell(error, apparatusOf(task), print)
  }
}

function apparatusOf(task: EndpointTask): Apparatus { return 'apparatus' in task ? task.apparatus : APPARATUS[task.role] }
