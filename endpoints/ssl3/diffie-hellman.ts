// Key exchange by Diffie–Hellman: 71 and 72 are the two ends' public values, and the pre-master secret is what they have in common.
// The server's value is made for the connection and signed (ephemeral), or stands in its certificate (fixed).
import { constants, createDiffieHellman, createDiffieHellmanGroup, privateEncrypt, publicDecrypt, type KeyObject } from 'node:crypto'
import { ByteReader, vector } from './bytes.js'
import { Ssl3Error } from './fault.js'
import { hash, type Randoms } from './key-derivation.js'
import type { RandomSource } from './rsa-transport.js'

/** The prime p and its generator g. */
export interface Group { readonly prime: Buffer, readonly generator: Buffer }

/** RFC 3526's group of 2048 bits. */
export function standardGroup(): Group {
  const group = createDiffieHellmanGroup('modp14')
  return { prime: group.getPrime(), generator: group.getGenerator() }
}

/** Bits of a prime that is taken from the other end: below, anybody can break it; above, it keeps this end busy. */
const MIN_BITS = 1024, MAX_BITS = 4096
/** Bytes of a secret exponent: twice the strength that a prime of 4096 bits has. */
const SECRET_LENGTH = 40

/** This end's half. */
export interface KeyShare extends Group {
  readonly publicValue: Buffer
  /** The pre-master secret. @throws Ssl3Error when `other` is no value of the group */
  agree(other: Buffer): Buffer
}

export const makeShare = (group: Group, random: RandomSource): KeyShare => shareOf(group, Buffer.from(random(SECRET_LENGTH)))

/** The share with a known secret exponent, as that of a certificate is. */
export function shareOf({ prime, generator }: Group, secret: Buffer): KeyShare {
  const exchange = createDiffieHellman(prime, generator)
  exchange.setPrivateKey(secret)
  exchange.generateKeys()
  return {
    prime, generator,
    publicValue: exchange.getPublicKey(),
    agree: other => {
      checkValue(other, prime)
      return withoutLeadingZeros(exchange.computeSecret(other))
    },
  }
}

/** RFC 6101 does not say so, but every implementation of it did, and TLS up to 1.2 laid it down (RFC 5246 8.1.2). */
function withoutLeadingZeros(secret: Buffer): Buffer {
  const start = secret.findIndex(byte => byte !== 0)
  return secret.subarray(start < 0 ? secret.length : start)
}

const toNumber = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`)

/** 0, 1 and p − 1 give a secret that anybody can guess. */
function checkValue(value: Buffer, prime: Buffer): void {
  const number = toNumber(value)
  if (number < 2n || number > toNumber(prime) - 2n) throw new Ssl3Error('illegalParameter', 'the other end\'s Diffie–Hellman value is none of 2 to p − 2')
}

/** @throws Ssl3Error unless a group that the server names can be worked in */
export function checkGroup({ prime, generator }: Group): void {
  const number = toNumber(prime), bits = number.toString(2).length
  if (bits < MIN_BITS || bits > MAX_BITS) {
    throw new Ssl3Error('illegalParameter', `the server's Diffie–Hellman prime has ${bits} bits; those of ${MIN_BITS} to ${MAX_BITS} are taken`)
  }
  if (number % 2n === 0n) throw new Ssl3Error('illegalParameter', 'the server\'s Diffie–Hellman prime is an even number')
  checkValue(generator, prime)
}

// --- 216 and 225: the server's signed half --------------------------------------------------------------------------

/** Server key exchange: p, g and the server's value, signed with its RSA key. */
export function encodeServerParams({ prime, generator, publicValue }: KeyShare, key: KeyObject, randoms: Randoms): Buffer {
  const params = Buffer.concat([prime, generator, publicValue].map(value => vector(value, 2)))
  const signature = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signed(params, randoms))
  return Buffer.concat([params, vector(signature, 2)])
}

/** @throws Ssl3Error unless the server has signed it for this connection */
export function decodeServerParams(body: Buffer, key: KeyObject, randoms: Randoms): Group & { readonly publicValue: Buffer } {
  const reader = new ByteReader(body, 'server key exchange')
  const prime = reader.vector(2), generator = reader.vector(2), publicValue = reader.vector(2)
  const params = body.subarray(0, body.length - reader.left)
  const signature = reader.vector(2)
  reader.end()
  if (!recover(signature, key).equals(signed(params, randoms))) {
    throw new Ssl3Error('handshakeFailure', 'the server\'s key generation information is not signed with the key of its certificate')
  }
  return { prime, generator, publicValue }
}

/** MD5 and SHA-1 side by side, without naming them (RFC 6101 5.6.3). */
const signed = (params: Uint8Array, { client, server }: Randoms): Buffer =>
  Buffer.concat([hash('md5', client, server, params), hash('sha1', client, server, params)])

/** What was signed; nothing where it was not with this key. */
function recover(signature: Buffer, key: KeyObject): Buffer {
  try {
    return publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature)
  } catch {
    return Buffer.alloc(0)
  }
}

// --- 215 and 224: the client's half ---------------------------------------------------------------------------------

export const encodeClientValue = (publicValue: Buffer): Buffer => vector(publicValue, 2)

/** @throws Ssl3Error */
export function decodeClientValue(body: Buffer): Buffer {
  const reader = new ByteReader(body, 'client key exchange')
  const value = reader.vector(2)
  reader.end()
  return value
}
