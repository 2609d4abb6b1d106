// From the pre-master secret to the keys in use: equation (1) of the description, which is RFC 6101 6.1, the key block (6.2.2),
// and the hashes of Finished (5.6.9). MD5 and SHA-1 nest so that each has to fall for the whole to fall; both have fallen since.
import { createHash, type Hash } from 'node:crypto'
import { ByteReader } from './bytes.js'
import type { Suite } from './suites.js'

export const RANDOM_LENGTH = 32
export const MASTER_LENGTH = 48
/** Of SHA-1, bytes. */
export const MAC_LENGTH = 20

/** The bytes with which SSL 3.0 fills a secret up to a block of the hash (RFC 6101 5.2.3.1): HMAC's forerunner. */
const padding = (value: number): Record<'md5' | 'sha1', Buffer> => ({ md5: Buffer.alloc(48, value), sha1: Buffer.alloc(40, value) })
const PAD_1 = padding(0x36), PAD_2 = padding(0x5c)

export const hash = (algorithm: 'md5' | 'sha1', ...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash(algorithm)
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** MD5(secret ‖ SHA('A' ‖ secret ‖ seed)) ‖ MD5(secret ‖ SHA('BB' ‖ secret ‖ seed)) ‖ … */
function expand(secret: Uint8Array, seed: Uint8Array, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 16) }, (_, index) => {
    const label = Buffer.alloc(index + 1, 'A'.charCodeAt(0) + index)
    return hash('md5', secret, hash('sha1', label, secret, seed))
  })
  return Buffer.concat(blocks, length)
}

/** What both ends have sent in the clear. */
export interface Randoms { readonly client: Uint8Array, readonly server: Uint8Array }

/** Equation (1): the common key 73 or 83. */
export const masterSecret = (preMaster: Uint8Array, { client, server }: Randoms): Buffer =>
  expand(preMaster, Buffer.concat([client, server]), MASTER_LENGTH)

/** The secrets of one direction. */
export interface DirectionKeys { readonly macSecret: Buffer, readonly key: Buffer, readonly iv: Buffer }

/** The keys for what the client writes, and for what the server writes. */
export function connectionKeys(suite: Suite, master: Uint8Array, { client, server }: Randoms): Record<'client' | 'server', DirectionKeys> {
  const { keyLength, blockLength } = suite
  const block = new ByteReader(expand(master, Buffer.concat([server, client]), 2 * (MAC_LENGTH + keyLength + blockLength)), 'key block')
  const [clientMac, serverMac, clientKey, serverKey, clientIv, serverIv] =
    [MAC_LENGTH, MAC_LENGTH, keyLength, keyLength, blockLength, blockLength].map(size => block.take(size))
  return {
    client: { macSecret: clientMac, key: clientKey, iv: clientIv },
    server: { macSecret: serverMac, key: serverKey, iv: serverIv },
  }
}

/** @param head sequence number, type and length of the record (RFC 6101 5.2.3.1) */
export const recordMac = (secret: Uint8Array, head: Uint8Array, content: Uint8Array): Buffer =>
  hash('sha1', secret, PAD_2.sha1, hash('sha1', secret, PAD_1.sha1, head, content))

const SENDER = { client: Buffer.from('CLNT'), server: Buffer.from('SRVR') } as const

/** All handshake messages of either end so far, as Finished vouches for them. */
export class Transcript {
  readonly #md5 = createHash('md5')
  readonly #sha1 = createHash('sha1')

  add(message: Uint8Array): void {
    this.#md5.update(message)
    this.#sha1.update(message)
  }

  /** The body of the Finished that `sender` sends next. */
  finished(sender: 'client' | 'server', master: Uint8Array): Buffer {
    const half = (algorithm: 'md5' | 'sha1', messages: Hash): Buffer =>
      hash(algorithm, master, PAD_2[algorithm], messages.copy().update(SENDER[sender]).update(master).update(PAD_1[algorithm]).digest())
    return Buffer.concat([half('md5', this.#md5), half('sha1', this.#sha1)])
  }
}
