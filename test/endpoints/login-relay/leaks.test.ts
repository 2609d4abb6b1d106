// A thousand communications, orderly ones and broken ones, leave nothing behind: no socket, no timer, no memory that grows.
import t from 'tap'
import { SESSIONS, leakIsSeen, staysLevel } from '../level.js'
import { RelayBench, bare, readAll } from './bench.js'
import type { RelayedConnection } from '../../../endpoints/index.js'

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
    keep.length = 0
  }
  await staysLevel(t, async (from, count) => { for (let at = from; at < from + count; at++) await session(at) }, settled)
  await Promise.all([a.terminal.close(), b.terminal.close()])
})

t.test('a leak would be seen', leakIsSeen)
