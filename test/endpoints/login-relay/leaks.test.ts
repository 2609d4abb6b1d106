// A thousand communications, orderly ones and broken ones, leave nothing behind: no socket, no timer, no memory that grows.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { RelayBench, bare, readAll } from './bench.js'
import type { RelayedConnection } from '../../../endpoints/index.js'

const SESSIONS = 1000
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What keeps this process alive, by kind. */
function handles(): Record<string, number> {
  const count: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) count[kind] = (count[kind] ?? 0) + 1
  return count
}

t.test(`handles and memory are level after ${SESSIONS} communications`, { timeout: 120_000 }, async t => {
  const bench = await RelayBench.start(t)
  const keep = bench.log.all
  const a = await bench.terminal('eleven', { onEvent: () => undefined }), far: RelayedConnection[] = []
  let wake = (): void => undefined
  const b = await bench.terminal('twentyone', {
    onEvent: () => undefined,
    onDemand: () => ({ take: connection => { far.push(connection); wake() } }),
  })
  const taken = async (): Promise<RelayedConnection> => {
    while (far.length === 0) await new Promise<void>(resolve => { wake = resolve })
    return far.splice(0)[0]
  }
  const session = async (at: number): Promise<void> => {
    const near = await a.terminal.demand('twentyone')
    const other = await taken()
    await near.write(new Uint8Array(10_000))
    await other.write(new Uint8Array(10_000))
    if (at % 4 === 0) near.reset()
    else if (at % 4 === 1) near.terminate()
    else await Promise.all([near.end(), other.end()])
    await Promise.all([readAll(near), readAll(other)])
    if (at % 10 === 0) {
      const guest = await bare(bench, 'third') // a log-in that ends without a log-out
      if (at % 20 === 0) await guest.send({ name: 'demand', userId: 'nobody' })
      guest.reset()
      await bench.log.until('disconnected')
    }
    keep.length = 0
  }
  const settled = async (): Promise<void> => {
    while (bench.server.list().some(({ connections, vacant }) => connections !== 2 || vacant !== 2)) await new Promise(setImmediate)
    await new Promise(resolve => setTimeout(resolve, 100)) // sockets that are closing close
    collect()
  }
  for (let at = 0; at < 200; at++) await session(at) // the machine warms up
  await settled()
  const before = { handles: handles(), heap: process.memoryUsage() }
  for (let at = 0; at < SESSIONS; at++) await session(at)
  await settled()
  const after = { handles: handles(), heap: process.memoryUsage() }
  t.same(after.handles, before.handles)
  const grown = (after.heap.heapUsed - before.heap.heapUsed) / SESSIONS
  t.ok(grown < 512, `the heap has grown by ${grown.toFixed(0)} bytes a communication`)
  t.ok(after.heap.arrayBuffers < before.heap.arrayBuffers + (1 << 20), 'no buffers are kept')
  await Promise.all([a.terminal.close(), b.terminal.close()])
})
