// Programs on a bench's hosts, run from outside.
import t from 'tap'
import { needsNamespaces } from '../prerequisites.js'
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { openBench, type AttachedBench, type BenchDescription } from '../../lab/index.js'
import { childrenOf, signalProcess, whenEnded } from '../../lab/bench/process.js'
import { run, script } from './helpers.js'

const description: BenchDescription = {
  name: 'programs', networks: { wan: {} }, hosts: { a: { network: 'wan', address: '10.0.0.1' }, b: { network: 'wan', address: '10.0.0.2' } },
}

async function opened(t: { teardown(end: () => unknown): void }): Promise<AttachedBench> {
  const bench = await openBench(description)
  t.teardown(() => bench.close())
  return bench
}

t.test('its streams, exit code, directory and environment', needsNamespaces, async t => {
  const bench = await opened(t)
  t.same(await run(bench, 'a', 'sh', '-c', 'echo out; echo err >&2; exit 7'), { code: 7, signal: null, stdout: 'out\n', stderr: 'err\n' })
  t.equal((await run(bench, 'a', 'pwd')).stdout.trim(), process.cwd())
  t.match(await run(bench, 'a', '/no/such/program'), { code: 127, stderr: /no such program|No such file/i })
  const child = bench.spawn('a', 'sh', ['-c', 'read line; echo "$line in $PWD for $WHO"'], { cwd: '/', env: { ...process.env, WHO: 'you' } })
  child.stdin.end('hello\n')
  const [text] = await once(child.stdout, 'data') as [Buffer]
  t.equal(text.toString(), 'hello in / for you\n')
})

t.test('kill reaches the program itself', needsNamespaces, async t => {
  const bench = await opened(t)
  const child = bench.spawn('a', 'sh', ['-c', 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.01; done'])
  child.stdout.setEncoding('utf8')
  await once(child.stdout, 'data')
  const caught = once(child.stdout, 'data')
  t.equal(child.kill('SIGTERM'), true)
  t.same(await caught, ['caught\n'])
  t.same(await once(child, 'exit'), [3, null])
  t.equal(child.kill(), false, 'once it has ended there is nothing to kill')

  const other = bench.spawn('a', 'sleep', ['1000'])
  other.kill('SIGKILL') // perhaps before nsenter has forked
  t.same(await once(other, 'exit'), [null, 'SIGKILL'])
})

t.test('a program dies with the process that ran it', needsNamespaces, async t => {
  const bench = await opened(t)
  const child = bench.spawn('a', 'sh', ['-c', 'echo $$; sleep 1000'])
  await once(child.stdout, 'data')
  const [program] = childrenOf(child.pid ?? 0)
  t.ok(program > 0)
  signalProcess(child.pid ?? 0, 'SIGKILL') // nsenter, as if whoever started it had been killed
  t.ok(await whenEnded(program, 5000))
})

t.test('orphans on the bench do not stay as zombies', needsNamespaces, async t => {
  const bench = await opened(t)
  const orphan = 'sleep 0.2 & echo $!'
  const id = (await run(bench, 'a', 'sh', '-c', orphan)).stdout.trim()
  const look = `while [ -d /proc/${id} ]; do sleep 0.01; done; echo reaped`
  t.equal((await run(bench, 'b', 'timeout', '5', 'sh', '-c', look)).stdout, 'reaped\n')
})

t.test('at the terminal: the exit code, and signals that are passed on', needsNamespaces, async t => {
  const bench = await opened(t)
  const exec = (...command: string[]): ReturnType<typeof spawn> =>
    spawn(process.execPath, [script('exec'), String(bench.pid), 'a', ...command], { stdio: ['inherit', 'pipe', 'inherit'] })
  t.same(await once(exec('sh', '-c', 'exit 9'), 'exit'), [9, null])
  t.same(await once(exec('sh', '-c', 'kill -KILL $$'), 'exit'), [137, null])
  const child = exec('sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done')
  if (child.stdout) await once(child.stdout, 'data')
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [5, null])
})

t.test('a program on the bench sees the bench only', needsNamespaces, async t => {
  const bench = await opened(t)
  const { stdout } = await run(bench, 'a', 'sh', '-c', 'cat /proc/net/dev /proc/1/cmdline; ls /run/netns')
  t.match(stdout, /eth0:/)
  t.match(stdout, /keeper\.js/, 'its first process is the keeper')
  t.match(stdout, /a\nb\n$/)
})
