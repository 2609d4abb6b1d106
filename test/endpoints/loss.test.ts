// UDP may lose what it carries, and a router may change the port of a mapping: requests come about all the same.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { openSession } from '../../endpoints/index.js'
import { decode } from '../../endpoints/message/index.js'
import { Bench, LOOPBACK, SHORT } from './bench.js'
import type { Socket } from 'node:dgram'
import type { Message } from '../../endpoints/message/index.js'

interface Test { teardown(end: () => unknown): void }

/** Stands between an acceptor and the server as a router does, and loses what `loses` says. */
class LossyRouter {
  readonly port: number
  #outside: Socket
  #inside: Socket
  #host = 0

  static async start(test: Test, serverPort: number, loses: (message: Message, seen: number) => boolean): Promise<LossyRouter> {
    const router = new LossyRouter(await bound(), await bound(), serverPort, loses)
    test.teardown(() => router.end())
    return router
  }

  private constructor(inside: Socket, outside: Socket, private readonly serverPort: number, private readonly loses: (message: Message, seen: number) => boolean) {
    this.#inside = inside
    this.#outside = outside
    this.port = inside.address().port
    const seen = new Map<string, number>()
    const passes = (bytes: Uint8Array) => {
      const message = decode(bytes) as Message
      const count = (seen.get(message.name) ?? 0) + 1
      seen.set(message.name, count)
      return !this.loses(message, count)
    }
    inside.on('message', (bytes, from) => {
      this.#host = from.port
      if (passes(bytes)) this.#outside.send(bytes, this.serverPort, LOOPBACK)
    })
    this.#listen(passes)
  }

  /** The mapping lapses; the next datagram gets another port. */
  async remap(): Promise<{ from: number, to: number }> {
    const from = this.#outside.address().port
    const next = await bound()
    this.#outside.close()
    this.#outside = next
    this.#listen(() => true)
    return { from, to: next.address().port }
  }

  #listen(passes: (bytes: Uint8Array) => boolean): void {
    this.#outside.on('message', bytes => { if (passes(bytes)) this.#inside.send(bytes, this.#host, LOOPBACK) })
  }

  end(): void {
    this.#inside.close()
    this.#outside.close()
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind({ address: LOOPBACK, port: 0 })
  await once(socket, 'listening')
  return socket
}

const behind = (router: LossyRouter, bench: Bench) => ({ server: { address: LOOPBACK, udpPort: router.port, port: bench.ports().tcp } })

t.test('the first 205 is lost', async t => {
  const bench = await Bench.start(t)
  const router = await LossyRouter.start(t, bench.ports().udp, ({ name }, seen) => name === 'notification' && seen === 1)
  const acceptor = await bench.accept('2133', behind(router, bench))
  const session = openSession(await bench.request('2133'), { stall: SHORT.stall })
  t.equal(bench.log.of('notified').length, 2)
  t.equal(acceptor.of('notification-received').length, 1)
  t.match(await session.close(), { outcome: 'goodbye' })
})

t.test('level 1: the first 226 and the first report are lost; the request is taken once', async t => {
  const bench = await Bench.start(t, { level: 1 })
  const router = await LossyRouter.start(t, bench.ports().udp, ({ name }, seen) => (name === 'forwardedRequest' || name === 'answer') && seen === 1)
  const acceptor = await bench.accept('2133', { ...behind(router, bench), level: 1 })
  const session = openSession(await bench.request('2133'), { stall: SHORT.stall })
  t.match(await bench.log.until('request-ended'), { outcome: 'accepted' })
  t.ok(bench.log.of('request-forwarded').length >= 3)
  t.equal(bench.log.steps().filter(step => step === '101 S206').length, 1, 'a repeat is not another step')
  t.equal(acceptor.of('notification-received').length, 1)
  t.equal(acceptor.of('connected').length, 1)
  t.match(await session.close(), { outcome: 'goodbye' })
})

t.test('the mapping gets another port: the next 201 brings the list up to date (S202A), and 205 goes there', async t => {
  const bench = await Bench.start(t)
  const router = await LossyRouter.start(t, bench.ports().udp, () => false)
  await bench.accept('2133', behind(router, bench))
  const { from, to } = await router.remap()
  while (!bench.log.of('registered').some(({ outcome }) => outcome === 'moved')) await bench.log.until('registered', bench.log.of('registered').length + 1)
  t.match(bench.log.of('registered').find(({ outcome }) => outcome === 'moved'), { step: 'S202A', port: to })
  t.not(from, to)
  const session = openSession(await bench.request('2133'), { stall: SHORT.stall })
  t.match(bench.log.of('notified'), [{ port: to }])
  t.match(await session.close(), { outcome: 'goodbye' })
})

t.test('registrations stop: the entry lapses and requests are refused at once', async t => {
  const bench = await Bench.start(t, { lifetime: 150 })
  const router = await LossyRouter.start(t, bench.ports().udp, ({ name }, seen) => name === 'registration' && seen > 2)
  await bench.accept('2133', behind(router, bench))
  t.match(await bench.log.until('lapsed'), { equipmentId: '2133' })
  t.same(bench.server.list(), [])
  t.ok(await bench.serves())
})
