// The bytes of a connection under TLS behave as those of a bare one: half-close, back-pressure, deadlines, reset, and what is
// behind the last message.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { secureClient, secureServer, type ByteStream, type Channel, type OpenChannel } from '../../endpoints/index.js'
import { deadlineOf } from '../../endpoints/channel/byte-stream.js'
import { keyedClient, keyedServer } from '../../endpoints/channel/tls-channel.js'
import { LOOPBACK, failure } from './bench.js'
import { authority } from './certificates.js'

const ca = await authority()
const identity = await ca.issue()
const key = new Uint8Array(32).fill(9)
const within = 2000

const variant = (settings: { readonly encryption: 'tls1.3' | 'tls1.2', readonly keyExchange?: 'rsa' | 'dhe' }) =>
  ({ server: secureServer({ ...settings, ...identity }), client: secureClient({ ...settings, ca: ca.ca, serverName: LOOPBACK }) })

const VARIANTS: Record<string, { readonly server: OpenChannel, readonly client: OpenChannel }> = {
  'TLS 1.3': variant({ encryption: 'tls1.3' }),
  'TLS 1.2, RSA': variant({ encryption: 'tls1.2', keyExchange: 'rsa' }),
  'TLS 1.2, DHE': variant({ encryption: 'tls1.2', keyExchange: 'dhe' }),
  'a key of its own': { server: keyedServer(key), client: keyedClient(key) },
}

interface Pair { readonly a: Channel, readonly b: Channel, readonly sockets: readonly Socket[] }

/** Two ends, `a` the client's. */
async function pair(test: { teardown(end: () => unknown): void }, { server, client }: { readonly server: OpenChannel, readonly client: OpenChannel }): Promise<Pair> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK)
  await once(listener, 'listening')
  const far = once(listener, 'connection') as Promise<[Socket]>
  const near = connect({ port: (listener.address() as AddressInfo).port, host: LOOPBACK, allowHalfOpen: true })
  await once(near, 'connect')
  const [taken] = await far
  listener.close()
  const [a, b] = await Promise.all([client(near, within), server(taken, within)])
  test.teardown(() => [near, taken].forEach(socket => socket.destroy()))
  return { a, b, sockets: [near, taken] }
}

const streams = async (test: { teardown(end: () => unknown): void }, ends: { readonly server: OpenChannel, readonly client: OpenChannel }): Promise<{ a: ByteStream, b: ByteStream }> => {
  const { a, b } = await pair(test, ends)
  return { a: a.release(), b: b.release() }
}

async function rest(stream: ByteStream): Promise<{ bytes: number, outcome: string }> {
  for (let bytes = 0; ;) {
    const chunk = await stream.read(deadlineOf(within))
    if (!(chunk instanceof Uint8Array)) return { bytes, outcome: chunk }
    bytes += chunk.length
  }
}

for (const [name, ends] of Object.entries(VARIANTS)) {
  t.test(name, async t => {
    await t.test('one direction ends, the other runs on', async t => {
      const { a, b } = await streams(t, ends)
      t.equal(await a.write(Buffer.from('all that I have')), 'taken')
      t.equal(await a.end(deadlineOf(within)), 'taken')
      t.same(await rest(b), { bytes: 15, outcome: 'ended' })
      for (let i = 0; i < 10; i++) t.equal(await b.write(new Uint8Array(50_000)), 'taken')
      const received = rest(a)
      t.equal(await b.end(deadlineOf(within)), 'taken')
      t.same(await received, { bytes: 500_000, outcome: 'ended' })
    })

    await t.test('who is not listened to is held back, and loses nothing', async t => {
      const { a, b } = await streams(t, ends)
      let sent = 0, outcome = 'taken'
      while (outcome === 'taken' && sent < 64_000_000) {
        outcome = await a.write(new Uint8Array(65_536), deadlineOf(100))
        sent += 65_536
      }
      t.equal(outcome, 'late')
      t.ok(sent < 32_000_000, `${sent} bytes fit the way`)
      const received = rest(b)
      t.equal(await a.end(deadlineOf(within)), 'taken')
      t.same(await received, { bytes: sent, outcome: 'ended' })
    })

    await t.test('a reset is a reset, from either end, and nothing is kept', async t => {
      for (const end of ['a', 'b'] as const) {
        const { a, b, sockets } = await pair(t, ends)
        await a.send({ name: 'line', text: 'both ends are done with the handshake' })
        await b.receive(['line'], within)
        const waiting = (end === 'a' ? b : a).receive(['line'], within)
        const gone = new Promise<void>(resolve => (end === 'a' ? b : a).release().onGone(resolve))
        const other = sockets[end === 'a' ? 1 : 0]
        const closed = once(other, 'close')
        const heard = waiting.then(() => 'a message', (error: unknown) => error)
        ;({ a, b })[end].reset()
        t.match(await heard, { fault: 'lost', message: /ECONNRESET/ })
        await gone
        await closed
        t.ok(sockets.every(socket => socket.destroyed))
      }
    })

    await t.test('a deadline passes, and what comes later is not lost', async t => {
      const { a, b } = await pair(t, ends)
      t.ok(a.isEncrypted && b.isEncrypted)
      t.match(await failure(b.receive(['line'], 30)), { fault: 'timed-out' })
      await a.send({ name: 'line', text: 'late' })
      t.match(await b.receive(['line'], within), { text: 'late' })
      const stop = new AbortController()
      const waiting = b.receive(['line'], undefined, stop.signal)
      stop.abort()
      t.match(await failure(waiting), { fault: 'timed-out' })
    })

    await t.test('bytes behind the last message come first', async t => {
      const { a, b } = await pair(t, ends)
      await a.send({ name: 'line', text: 'one' })
      await a.send({ name: 'line', text: 'two' })
      t.match(await b.receive(['line'], within), { text: 'one' })
      const closing = a.close()
      const released = b.release()
      t.equal((await rest(released)).bytes > 0, true)
      await released.end(deadlineOf(within))
      await closing
    })

    await t.test('closing: this end first, then the other', async t => {
      const { a, b, sockets } = await pair(t, ends)
      const closed = Promise.all(sockets.map(socket => once(socket, 'close')))
      await Promise.all([a.close(within), b.closeAfterPeer(within)])
      await closed
      t.ok(sockets.every(socket => socket.destroyed))
    })
  })
}

t.test('keys that are not the same', async t => {
  const listener = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK)
  await once(listener, 'listening')
  t.teardown(() => listener.close())
  const meet = async (client: OpenChannel, server: OpenChannel): Promise<unknown[]> => {
    const far = once(listener, 'connection') as Promise<[Socket]>
    const near = connect({ port: (listener.address() as AddressInfo).port, host: LOOPBACK, allowHalfOpen: true })
    await once(near, 'connect')
    const [taken] = await far
    const outcomes = await Promise.allSettled([client(near, within), server(taken, within)])
    t.ok(near.destroyed && taken.destroyed)
    return outcomes.map(outcome => outcome.status === 'rejected' ? outcome.reason as unknown : 'a channel')
  }
  const other = new Uint8Array(32).fill(8)
  t.match(await meet(keyedClient(key), keyedServer(other)), [
    { reason: 'encryption-failed' }, { reason: 'encryption-failed', message: /does not have the key of this connection/ },
  ])
  t.match(await meet(keyedClient(key), VARIANTS['TLS 1.3'].server), [{ reason: 'encryption-failed', message: /a certificate in place of the key/ }, {}], 'a certificate is no key')
  t.match(await meet(VARIANTS['TLS 1.3'].client, keyedServer(key)), [{ reason: 'encryption-failed' }, { reason: 'encryption-failed' }], 'and a caller without one is not taken')
})
