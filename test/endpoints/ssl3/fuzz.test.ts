// Garbage of every kind on the way, by a repeatable seed: neither end breaks, hangs or gives out a byte that was not sent.
import t from 'tap'
import { ChannelError } from '../../../endpoints/channel/channel.js'
import { EndpointError } from '../../../endpoints/errors.js'
import { ssl3Server } from '../../../endpoints/ssl3/server.js'
import { KEY_EXCHANGES, connected, everything, joined, keysFor, shaken, type Meddler } from './bench.js'
import { seeded } from '../bench.js'
import type { Ssl3Stream } from '../../../endpoints/ssl3/stream.js'

const ROUNDS = 25
const DATA = Buffer.from('what 102 sends to 101, over and over; '.repeat(20))

type Random = () => number

const KINDS: readonly ((bytes: Buffer, random: Random) => Buffer | null)[] = [
  (bytes, random) => { // bits
    for (let count = 1 + random() % 3; count > 0; count--) bytes[random() % bytes.length] ^= 1 << random() % 8
    return bytes
  },
  (bytes, random) => { bytes[5 + random() % (bytes.length - 5)] = random(); return bytes },
  (bytes, random) => { bytes.writeUInt16BE(random() & 0xffff, 3); return bytes },
  (bytes, random) => bytes.subarray(0, random() % bytes.length),
  bytes => Buffer.concat([bytes, bytes]),
  (bytes, random) => Buffer.concat([Buffer.from(Array.from({ length: random() % 600 }, random)), bytes]),
  () => Buffer.alloc(0),
  () => null,
]

/** Changes one record of one direction. */
function garbling(random: Random): Meddler {
  const from = random() % 2 === 0 ? 'client' : 'server', target = random() % 6, kind = KINDS[random() % KINDS.length]
  return (record, index) => record.from === from && index === target ? kind(Buffer.from(record.bytes), random) : record.bytes
}

for (const keyExchange of KEY_EXCHANGES) {
  t.test(`one garbled record (${keyExchange})`, async t => {
    let failed = 0
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const sockets = await joined(t, garbling(seeded(seed * 7919)))
      const ends = await shaken(sockets, { keyExchange, forClient: { within: 250 }, forServer: { within: 250 } })
      const open = ends.filter((end): end is Ssl3Stream => !(end instanceof Error))
      for (const end of ends) if (end instanceof Error && !isOurs(end)) t.fail(`seed ${seed}: ${end.stack ?? ''}`)
      failed += 2 - open.length
      if (open.length === 2) {
        const [client, server] = open
        const read = everything(server).catch((error: unknown) => error)
        client.end(DATA)
        const limit = setTimeout(() => client.destroy(), 250) // a record that announces more than comes is waited for
        const got = await read
        clearTimeout(limit)
        t.ok(got instanceof Error ? isOurs(got) : DATA.equals(got as Buffer), `seed ${seed}: all that was sent, or an error`)
      }
      for (const end of open) end.destroy()
      for (const socket of [sockets.client, sockets.server]) socket.destroy()
    }
    t.ok(failed > ROUNDS / 2, `${failed} ends of ${2 * ROUNDS} saw it in the handshake`)
  })
}

t.test('bytes of any kind in place of a client', async t => {
  const { key, certificates } = keysFor('rsa')
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = seeded(seed * 104_729), [client, server] = await connected(t)
    const head = seed % 2 === 0 ? [22, 3, 0, random() % 8, random() & 255, 1, 0, random() % 4, random() & 255, 3, 0] : []
    client.end(Buffer.from([...head, ...Array.from({ length: random() % 3000 }, random)]))
    client.resume()
    const outcome = await ssl3Server(server, { keyExchange: 'rsa', key, certificates, within: 250 }).catch((error: unknown) => error)
    t.ok(isOurs(outcome), `seed ${seed}`)
    t.ok(server.destroyed)
  }
})

const isOurs = (error: unknown): boolean => error instanceof ChannelError || error instanceof EndpointError
