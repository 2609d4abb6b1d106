// What the tests of SSL 3.0 share: keys and certificates, and two ends joined by somebody on the way who sees every record, and
// may change it.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { certifyKey, createAuthority, generateKeys, privatePem, type Authority, type KeyPair } from '../../../endpoints/ca/index.js'
import { ssl3Client, type Ssl3ClientOptions } from '../../../endpoints/ssl3/client.js'
import { ssl3Server, type Ssl3ServerOptions } from '../../../endpoints/ssl3/server.js'
import { LOOPBACK } from '../bench.js'
import type { Ssl3Stream } from '../../../endpoints/ssl3/stream.js'
import type { KeyExchange } from '../../../endpoints/ssl3/suites.js'

export const KEY_EXCHANGES: readonly KeyExchange[] = ['rsa', 'dhe', 'dh']

export const authority = await createAuthority(await generateKeys())
export const ca = authority.certificate.toString()

const rsa = await generateKeys()
// Node's types know this form of the call for other kinds of keys alone.
const dh = (generateKeyPairSync as (type: string, options: object) => KeyPair)('dh', { group: 'modp14' })

/** What a server has, PEM as programs are given it. */
export interface ServerKeys { readonly key: KeyObject, readonly certificates: readonly Uint8Array[], readonly pem: string }

/** Keys and certificate for a kind of key exchange. */
export async function serverKeys(keyExchange: KeyExchange, by: Authority = authority, names: readonly string[] = [LOOPBACK]): Promise<ServerKeys> {
  const { publicKey, privateKey } = keyExchange === 'dh' ? dh : rsa
  const certificate = await certifyKey(by, publicKey.export({ type: 'spki', format: 'der' }), names)
  return { key: createPrivateKey(privatePem(privateKey)), certificates: [certificate.raw], pem: certificate.toString() }
}

const KEYS = { rsa: await serverKeys('rsa'), dh: await serverKeys('dh') }
export const keysFor = (keyExchange: KeyExchange): ServerKeys => KEYS[keyExchange === 'dh' ? 'dh' : 'rsa']

export type From = 'client' | 'server'
export interface WireRecord { readonly from: From, readonly bytes: Buffer }

/** What becomes of a record on the way: it, another, several, or null where the connection is cut. `index` counts its direction's. */
export type Meddler = (record: WireRecord, index: number) => Buffer | null

interface Test { teardown(end: () => unknown): void }
interface Joined { readonly client: Socket, readonly server: Socket, readonly records: WireRecord[] }

/** Two sockets, with somebody between who passes on record by record. */
export async function joined(test: Test, meddle: Meddler = ({ bytes }) => bytes): Promise<Joined> {
  const records: WireRecord[] = []
  const [client, near] = await connected(test), [far, server] = await connected(test)
  for (const [from, source, sink] of [['client', near, far], ['server', far, near]] as const) {
    let held: Buffer = Buffer.alloc(0), index = 0
    source.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 5 && held.length >= 5 + held.readUInt16BE(3)) {
        const record = { from, bytes: held.subarray(0, 5 + held.readUInt16BE(3)) }
        held = held.subarray(record.bytes.length)
        records.push(record)
        const passed = meddle(record, index++)
        if (passed === null) {
          sink.end()
          return
        }
        sink.write(passed)
      }
    })
    source.on('end', () => sink.end())
    source.on('close', () => sink.destroySoon())
  }
  return { client, server, records }
}

/** Both ends of a connection. */
export async function connected(test: Test): Promise<[dialled: Socket, accepted: Socket]> {
  const listener = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK)
  await once(listener, 'listening')
  const dialled = connect({ host: LOOPBACK, port: (listener.address() as AddressInfo).port, allowHalfOpen: true })
  const [[accepted]] = await Promise.all([once(listener, 'connection') as Promise<[Socket]>, once(dialled, 'connect')])
  listener.close()
  for (const socket of [dialled, accepted]) {
    socket.on('error', () => undefined) // what each end makes of it is what is looked at
    test.teardown(() => socket.destroy())
  }
  return [dialled, accepted]
}

export interface Ends { readonly client: Ssl3Stream, readonly server: Ssl3Stream }
export interface Choices {
  readonly keyExchange: KeyExchange
  readonly forClient?: Partial<Ssl3ClientOptions>
  readonly forServer?: Partial<Ssl3ServerOptions>
}

/** Each end's own outcome: its plaintext, or the error with which it ended. */
export async function shaken({ client, server }: { client: Socket, server: Socket }, { keyExchange, forClient, forServer }: Choices): Promise<[client: unknown, server: unknown]> {
  const { key, certificates } = keysFor(keyExchange)
  const ends = await Promise.allSettled([
    ssl3Client(client, { keyExchange, ca, serverName: LOOPBACK, within: 2000, ...forClient }),
    ssl3Server(server, { keyExchange, key, certificates, within: 2000, ...forServer }),
  ])
  const [atClient, atServer] = ends.map((end): unknown => end.status === 'fulfilled' ? end.value.on('error', () => undefined) : end.reason) // a test that cares listens too
  return [atClient, atServer]
}

/** Two ends whose handshake is done. */
export async function opened(test: Test, choices: Choices, meddle?: Meddler): Promise<Ends & { readonly records: WireRecord[] }> {
  const { records, ...sockets } = await joined(test, meddle)
  const [client, server] = await shaken(sockets, choices)
  if (client instanceof Error) throw client
  if (server instanceof Error) throw server
  const ends = { client: client as Ssl3Stream, server: server as Ssl3Stream }
  for (const end of Object.values(ends)) test.teardown(() => end.destroy())
  return { ...ends, records }
}

/** Everything that comes until the other end has said that nothing more does. */
export function everything(stream: Ssl3Stream): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return new Promise((resolve, reject) => {
    stream.once('end', () => resolve(Buffer.concat(chunks)))
    stream.once('error', reject)
  })
}
