// 101 before its turn to enrol: it can be told to end, also where the CA that it waits for never comes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { programPath } from '../../lab/program-path.js'
import type { EndpointTask } from '../../lab/programs/endpoint-task.js'

t.test('a server that waits for its turn to enrol ends when it is told to', async t => {
  const child = spawn(process.execPath, [programPath('lab/programs/endpoint-process'), 'enrol', 'server'])
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const task: EndpointTask = { role: 'enrol', authority: '127.0.0.1', names: ['127.0.0.1'], folder: t.testdirName }
  child.stdin.write(`${JSON.stringify(task)}\n`)
  const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string]
  t.match(JSON.parse(line), { event: 'keys-made' })
  child.kill('SIGTERM')
  t.same(await closed, [0, null])
})
