// A thousand relayed connections of Fig. 13, orderly ones, broken ones and ones that never come about, leave nothing behind.
import t from 'tap'
import { failure } from '../bench.js'
import { SESSIONS, leakIsSeen, staysLevel } from '../level.js'
import { RelayBench } from './relay-bench.js'

const AT_ONCE = 10

t.test(`handles and memory are level after ${SESSIONS} sessions`, { timeout: 120_000 }, async t => {
  const bench = await RelayBench.start(t, { lifetime: 60_000, timeouts: { notify: 5000 } })
  const { log, connections } = await bench.accept('2133', { interval: 5 }, {})
  const timeouts = { request: 6000 }
  let relayed = 0
  const session = async (at: number): Promise<void> => {
    if (at % 10 === 9) {
      if ((await failure(bench.request('nobody', { timeouts })) as { reason: string }).reason !== 'unknown-equipment') throw new Error('this should have been refused')
      return
    }
    relayed++
    const { channel } = await bench.request('2133', { timeouts })
    await channel.send({ name: 'command', text: String(at) })
    if (at % 5 === 1) {
      channel.reset()
      return
    }
    await channel.send({ name: 'goodbye' })
    await channel.receive(['goodbye'])
    await channel.close()
  }
  const run = async (from: number, count: number): Promise<void> => {
    for (let at = from; at < from + count; at += AT_ONCE) await Promise.all(Array.from({ length: Math.min(AT_ONCE, from + count - at) }, (_, more) => session(at + more)))
  }
  const settled = async (): Promise<void> => {
    await bench.log.until('relay-ended', relayed)
    await log.until('session-ended', relayed)
    relayed = 0
    // What the test itself keeps would grow.
    for (const each of [log.all, bench.log.all, connections]) each.length = 0
    await new Promise(resolve => setTimeout(resolve, 100)) // sockets that are closing close
  }
  await staysLevel(t, run, settled)
})

t.test('a leak would be seen', leakIsSeen)
