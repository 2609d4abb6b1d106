// What a connection looks like on the wire under TLS: a forwarder that keeps the bytes of both directions, and their records.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { LOOPBACK } from './bench.js'

interface Test { teardown(end: () => unknown): void }

export interface Wire { readonly port: number, readonly sent: Buffer[], readonly answered: Buffer[] }

/** Forwards connections to `port`, and keeps what passes in the order in which it does. */
export async function wiretap(test: Test, port: number): Promise<Wire> {
  const sent: Buffer[] = [], answered: Buffer[] = []
  const server = createServer(client => {
    const far = connect(port, LOOPBACK)
    for (const [from, to, kept] of [[client, far, sent], [far, client, answered]] as const) {
      from.on('data', (bytes: Buffer) => kept.push(bytes)).on('error', () => to.destroy())
      from.pipe(to)
    }
  }).listen(0, LOOPBACK)
  await once(server, 'listening')
  test.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, sent, answered }
}

const CONTENT: Record<number, string> = { 20: 'change cipher spec', 21: 'alert', 22: 'handshake', 23: 'data' }
const HANDSHAKE: Record<number, string> = {
  1: 'client hello', 2: 'server hello', 4: 'session ticket', 11: 'certificate', 12: 'server key exchange', 14: 'server hello done', 16: 'client key exchange',
}

/** The messages of one direction by name; what comes behind a change of the cipher is encrypted and has its record's name alone. */
export function messagesOf(chunks: readonly Buffer[]): string[] {
  const bytes = Buffer.concat(chunks), names: string[] = []
  let isEncrypted = false
  for (let at = 0; at + 5 <= bytes.length;) {
    const type = bytes[at], end = at + 5 + bytes.readUInt16BE(at + 3)
    if (type === 22 && !isEncrypted) {
      for (let each = at + 5; each < end; each += 4 + bytes.readUIntBE(each + 1, 3)) names.push(HANDSHAKE[bytes[each]] ?? String(bytes[each]))
    } else {
      names.push(CONTENT[type] ?? String(type))
    }
    isEncrypted ||= type === 20
    at = end
  }
  return names
}

/** Of the first record, a server hello: its cipher suite. */
export const cipherOf = ([hello]: readonly Buffer[]): number => hello.readUInt16BE(44 + hello[43])
