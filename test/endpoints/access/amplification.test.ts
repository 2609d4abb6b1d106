// Whatever comes, the server never sends more to an address that has proved nothing than came from it. Counted with keys as a router
// on the way counts, whole IP packets, and without as in the figures, datagrams. Random sequences of registrations (right, wrong, old, moved, forged), garbage, reports and
// requests, from several addresses, with and without keys; each sequence is known by its seed.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { encode } from '../../../endpoints/message/index.js'
import { seal } from '../../../endpoints/access/authenticator.js'
import { AcceptorGuard } from '../../../endpoints/access/acceptor-guard.js'
import { Bench, LOOPBACK, failure, seeded } from '../bench.js'
import type { MessageOf } from '../../../endpoints/message/index.js'

const HEADERS = 28 // IPv4 and UDP
const KEY = new Uint8Array(32).fill(7)
const IDS = ['1', '2133', 'x'.repeat(64)]

interface Stranger { send(bytes: Uint8Array): Promise<void>, sent: number, received: number, datagrams: number }

async function stranger(test: { teardown(end: () => unknown): void }, port: number, headers: number): Promise<Stranger> {
  const socket = createSocket('udp4')
  socket.bind({ address: LOOPBACK, port: 0 })
  await once(socket, 'listening')
  test.teardown(() => socket.close())
  const self: Stranger = {
    sent: 0, received: 0, datagrams: 0,
    send: bytes => new Promise(resolve => {
      self.sent += bytes.length + headers
      socket.send(bytes, port, LOOPBACK, () => resolve())
    }),
  }
  socket.on('message', bytes => { self.received += bytes.length + headers; self.datagrams++ })
  return self
}

for (const [level, isKeyed] of [[1, false], [1, true], [3, false], [3, true]] as const) {
  for (const seed of [1, 2, 3]) {
    t.test(`level ${level}, ${isKeyed ? 'with' : 'without'} keys, seed ${seed}`, async t => {
      const bench = await Bench.start(t, {
        level, timeouts: { notify: 60, repeat: 3, report: 20, message: 300 }, maxRequests: 64, ...(isKeyed ? { equipment: { keyOf: () => KEY } } : {}),
      })
      const random = seeded(seed), pick = <T>(list: readonly T[]): T => list[random() % list.length]
      const strangers = await Promise.all(Array.from({ length: 4 }, () => stranger(t, bench.ports().udp, isKeyed ? HEADERS : 0)))
      const guards = new Map(IDS.map(id => [id, new AcceptorGuard(id, KEY, () => Date.now() + pick([0, 0, 0, 0, -90_000, 70_000, -1000]))]))
      const captured: Uint8Array[] = []
      const requests: Promise<unknown>[] = []
      const register = (id: string): Uint8Array => {
        const bytes = isKeyed && random() % 4 > 0 ? guards.get(id)?.next() : undefined
        return bytes ?? encode({ name: 'registration', equipmentId: id, padding: new Uint8Array(random() % 40) })
      }
      const garbage = (): Uint8Array => Uint8Array.from({ length: random() % 80 }, () => random())
      const token = (): string => '00'.repeat(7) + (random() % 256).toString(16).padStart(2, '0')
      const isFine = (): boolean => strangers.every(({ sent, received }) => received <= sent)
      for (let step = 0; step < 200; step++) {
        const bytes = register(pick(IDS))
        captured.push(bytes)
        switch (random() % 8) {
          case 0: await pick(strangers).send(bytes); break
          case 1: await pick(strangers).send(pick(captured)); break
          case 2: await pick(strangers).send(garbage()); break
          case 3: await pick(strangers).send(encode({ name: 'answer', reason: random() % 30, token: token() })); break
          case 4: case 5: case 6: if (requests.length < 60) requests.push(failure(bench.request(pick(IDS), { timeouts: { request: 400, message: 300 } }))); break
          case 7: await new Promise(setImmediate); break
        }
        if (!isFine()) break
      }
      await Promise.all(requests)
      await bench.server.close()
      await new Promise(setImmediate)
      for (const { sent, received } of strangers) t.ok(received <= sent, `${received} bytes for ${sent}`)
      t.ok(strangers.some(({ datagrams }) => datagrams > 0), 'the server did answer some')
    })
  }
}

t.test('the room that a registration makes is used, and not a datagram more is sent', async t => {
  const bench = await Bench.start(t, { timeouts: { notify: 60, repeat: 3 }, equipment: { keyOf: () => KEY } })
  const notification = encode({ name: 'notification', notification: true, token: '00'.repeat(8), authenticator: '00'.repeat(16) }).length + HEADERS
  for (const padding of [0, 7, 20, 53, 54, 55, 90]) {
    const one = await stranger(t, bench.ports().udp, HEADERS), equipmentId = `padded ${padding}`
    const registration = { name: 'registration', equipmentId, time: Date.now(), padding: new Uint8Array(padding) } as const
    await one.send(encode(seal<MessageOf<'registration'>>(registration, KEY, 'acceptor')))
    while (!bench.server.list().some(row => row.equipmentId === equipmentId)) await new Promise(setImmediate)
    await Promise.all(Array.from({ length: 4 }, () => failure(bench.request(equipmentId))))
    while (one.datagrams < Math.floor(one.sent / notification)) await new Promise(setImmediate)
    t.ok(one.received <= one.sent && one.sent - one.received < notification, `${one.received} bytes for ${one.sent}`)
  }
})
