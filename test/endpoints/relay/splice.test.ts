// Two joined connections on loopback: order, back-pressure, half-close, abort, and what is counted.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { ByteStream } from '../../../endpoints/channel/byte-stream.js'
import { splice, type Splice, type SpliceOptions } from '../../../endpoints/relay/splice.js'
import { dial, seeded } from '../bench.js'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'

interface Joined { readonly a: Socket, readonly b: Socket, readonly relay: Splice, readonly ends: readonly [Socket, Socket] }

/** a ═ ends[0] ─ splice ─ ends[1] ═ b. */
async function join(t: Test, options: SpliceOptions = {}): Promise<Joined> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pair = async (): Promise<[Socket, Socket]> => {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const socket = await dial((server.address() as AddressInfo).port)
    return [socket, (await accepted)[0]]
  }
  const [[a, first], [b, second]] = [await pair(), await pair()]
  server.close()
  t.teardown(() => { for (const socket of [a, b, first, second]) socket.destroy() })
  return { a, b, relay: splice(new ByteStream(first), new ByteStream(second), options), ends: [first, second] }
}

/** All that still comes, and how it ended. */
async function rest(socket: Socket): Promise<{ bytes: Buffer, outcome: string }> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const outcome = await Promise.race([once(socket, 'end').then(() => 'ended'), new Promise<string>(resolve => socket.once('error', ({ message }) => resolve(message)))])
  return { bytes: Buffer.concat(chunks), outcome }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function noise(length: number, seed: number): Buffer {
  const next = seeded(seed), bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(next(), at)
  return bytes
}

t.test('both directions at once, in order, to the last byte, in pieces of every size', async t => {
  const { a, b, relay } = await join(t)
  const there = noise(3_000_001, 1), back = noise(2_000_003, 2), size = seeded(3)
  const send = async (socket: Socket, bytes: Buffer): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + size() % 100_000
      if (!socket.write(bytes.subarray(at, end))) await once(socket, 'drain')
      at = end
    }
    socket.end()
  }
  const [atB, atA] = await Promise.all([rest(b), rest(a), send(a, there), send(b, back)])
  t.equal(sha256(atB.bytes), sha256(there))
  t.equal(sha256(atA.bytes), sha256(back))
  t.match(await relay.ended, { outcome: 'ended', message: '' })
  t.same(relay.bytes, { first: there.length, second: back.length })
})

t.test('a half-close is passed on, and the other direction runs on', async t => {
  const { a, b, relay } = await join(t)
  a.end('question')
  t.match(await rest(b), { bytes: Buffer.from('question'), outcome: 'ended' })
  b.write('long ')
  t.same((await once(a, 'data') as [Buffer])[0].toString(), 'long ')
  b.end('answer')
  t.match(await rest(a), { bytes: Buffer.from('answer'), outcome: 'ended' })
  t.same(await relay.ended, { outcome: 'ended', side: 'second', message: '' })
})

t.test('a slow reader holds the sender back, and the relay holds little', async t => {
  const { a, b, relay, ends } = await join(t)
  const chunk = noise(65_536, 4), total = 64 * 2 ** 20
  b.pause()
  let sent = 0
  const push = (): void => {
    while (sent < total) {
      sent += chunk.length
      if (!a.write(chunk)) break
    }
  }
  a.on('drain', push)
  push()
  // Full when the sender's own socket has not drained for a while: nothing anywhere moves any more.
  for (let before = -1; before !== sent;) {
    before = sent
    await Promise.race([once(a, 'drain'), new Promise(resolve => setTimeout(resolve, 300))])
  }
  const held = ends[0].readableLength + ends[1].writableLength
  t.ok(held <= 4 * 65_536, `${held} bytes are held in the process`)
  t.ok(sent < total / 2, `${sent} bytes were taken from the sender before it had to wait`)
  t.equal(relay.bytes.second, 0)
  let received = 0
  b.on('data', (more: Buffer) => { received += more.length })
  a.on('drain', () => { if (sent >= total) a.end() })
  b.resume()
  await once(b, 'end')
  t.equal(received, total, 'and nothing was lost')
})

t.test('an end that is reset resets the other', async t => {
  for (const [gone, left, side] of [['a', 'b', 'first'], ['b', 'a', 'second']] as const) {
    const joined = await join(t)
    joined[gone].write('x')
    await once(joined[left], 'data')
    joined[gone].resetAndDestroy()
    t.match(await rest(joined[left]), { outcome: /ECONNRESET/ })
    t.match(await joined.relay.ended, { outcome: 'aborted', side, message: /^the connection was lost/ })
  }
})

t.test('an end that takes nothing for too long is given up, with the other', async t => {
  const { a, b, relay } = await join(t, { stall: 150 })
  b.pause()
  const full = (): void => { while (a.write(noise(65_536, 5))); }
  a.on('drain', full)
  full()
  t.match(await relay.ended, { outcome: 'aborted', side: 'second', message: 'the connection was lost (nothing was taken for 150 ms)' })
})

t.test('the relay can end both', async t => {
  const { a, b, relay } = await join(t)
  const both = Promise.all([rest(a), rest(b)])
  relay.abort('the server ends')
  t.same(await relay.ended, { outcome: 'aborted', side: null, message: 'the server ends' })
  for (const { outcome } of await both) t.match(outcome, /ECONNRESET/)
})
