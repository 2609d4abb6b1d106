// SSL 3.0 between our two ends, with each key exchange: data both ways, its ends, and what travels for it.
import { once } from 'node:events'
import t from 'tap'
import { suitesOf } from '../../../endpoints/ssl3/suites.js'
import { KEY_EXCHANGES, connected, everything, joined, opened, shaken } from './bench.js'
import { failure, seeded } from '../bench.js'
import type { Ssl3Stream } from '../../../endpoints/ssl3/stream.js'

const AES = suitesOf('rsa')[1]

/** The packets of Figs. 3 and 4, by the numbers of RFC 6101; finished and everything behind it is encrypted. */
const HELLO_DONE = { rsa: ['2', '11', '14'], dhe: ['2', '11', '12', '14'], dh: ['2', '11', '14'] }

for (const keyExchange of KEY_EXCHANGES) {
  t.test(`key exchange ${keyExchange}: both ends read what the other writes`, async t => {
    const logs: [string[], string[]] = [[], []]
    const { client, server, records } = await opened(t, {
      keyExchange, forClient: { onKeys: line => logs[0].push(line) }, forServer: { onKeys: line => logs[1].push(line) },
    })
    client.end('hello from 102')
    t.equal(String(await everything(server)), 'hello from 102')
    server.end('hello from 101') // the other direction is still open
    t.equal(String(await everything(client)), 'hello from 101')
    t.match(logs[0], [/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/])
    t.same(logs[1], logs[0], 'both ends have the same common key')

    const seen = records.map(({ from, bytes }) => ({ from, what: bytes[0] === 22 ? `handshake ${bytes[5]}` : String(bytes[0]), version: bytes.readUInt16BE(1) }))
    t.ok(seen.every(({ version }) => version === 0x0300))
    const order = seen.map(({ from, what }) => `${from} ${what}`)
    t.same(order.slice(0, HELLO_DONE[keyExchange].length + 2), [
      'client handshake 1', ...HELLO_DONE[keyExchange].map(type => `server handshake ${type}`), 'client handshake 16',
    ], 'a message a record, in the order of the figures')
    t.equal(records.filter(({ bytes }) => bytes.includes('hello from')).length, 0, 'nothing travels in the clear')
  })
}

t.test('a long transfer in both directions at once arrives unchanged', async t => {
  const { client, server } = await opened(t, { keyExchange: 'rsa' })
  const random = seeded(4)
  const [up, down] = [700_001, 300_003].map(size => Buffer.from(Array.from({ length: size }, random)))
  client.end(up)
  server.end(down)
  const [atServer, atClient] = await Promise.all([everything(server), everything(client)])
  t.ok(atServer.equals(up) && atClient.equals(down))
})

t.test('what nobody reads is not taken from the other end', async t => {
  const [client, server] = await connected(t).then(([client, server]) => shaken({ client, server }, { keyExchange: 'rsa', forClient: { suites: [AES] } })) as [Ssl3Stream, Ssl3Stream]
  let isTaken = false
  const size = 16 << 20, taken = new Promise<void>(resolve => client.write(Buffer.alloc(size), () => {
    isTaken = true
    resolve()
  }))
  for (let at = 0; at < 20; at++) { // time passes, and the other direction works
    server.write('meanwhile')
    await once(client, 'data')
  }
  t.notOk(isTaken, 'the system does not hold as much')
  t.ok(server.readableLength <= 65_536, 'and neither does the reader')
  let read = 0
  server.on('data', (chunk: Buffer) => { read += chunk.length })
  await taken
  client.end()
  await once(server, 'end')
  t.equal(read, size)
})

t.test('an end without close_notify is a loss', async t => {
  let last = false
  const { client, server } = await opened(t, { keyExchange: 'rsa' }, ({ from, bytes }) => last && from === 'client' ? null : bytes)
  last = true
  client.end('cut')
  const error = await failure(everything(server))
  t.match(error, { message: /ended without close_notify/, fault: 'lost', alert: null })
})

t.test('records come in any pieces', async t => {
  const [client, near] = await connected(t), [far, server] = await connected(t)
  near.on('data', (chunk: Buffer) => { for (const byte of chunk) far.write(Buffer.of(byte)) })
  far.on('data', (chunk: Buffer) => { for (const byte of chunk) near.write(Buffer.of(byte)) })
  const [atClient, atServer] = await shaken({ client, server }, { keyExchange: 'dhe' }) as [Ssl3Stream, Ssl3Stream]
  atClient.end('piece by piece')
  t.equal(String(await everything(atServer)), 'piece by piece')
})

t.test('several messages in one record, and one message in several', async t => {
  const handshake = (content: Buffer): Buffer => Buffer.concat([Buffer.of(22, 3, 0, content.length >> 8, content.length & 255), content])
  let flight = Buffer.alloc(0)
  const { client, server } = await opened(t, { keyExchange: 'rsa' }, ({ from, bytes }, index) => {
    if (from === 'client' || index > 2) return bytes
    flight = Buffer.concat([flight, bytes.subarray(5)])
    if (index < 2) return Buffer.alloc(0)
    return Buffer.concat([handshake(flight.subarray(0, 100)), handshake(flight.subarray(100, 101)), handshake(flight.subarray(101))])
  })
  client.end('whole')
  t.equal(String(await everything(server)), 'whole')
})

t.test('an end that says nothing is waited for as long as was said', async t => {
  const sockets = await joined(t, () => Buffer.alloc(0))
  const [client, server] = await shaken(sockets, { keyExchange: 'rsa', forClient: { within: 100 }, forServer: { within: 100 } })
  for (const error of [client, server]) t.match(error, { fault: 'timed-out' })
  t.ok(sockets.client.destroyed && sockets.server.destroyed)
})

t.test('a reset ends the other side', async t => {
  const { client, server } = await opened(t, { keyExchange: 'rsa' })
  const ended = failure(everything(server))
  client.destroy()
  t.match(await ended, { fault: 'lost' })
})
