// Diffie–Hellman keys as certificates and key files hold them (PKCS #3 inside X.509 and PKCS #8), read as far as the key exchange
// needs their numbers, which node:crypto does not give away.
import type { KeyObject } from 'node:crypto'
import { DerReader, wholeBytes } from '../der/reader.js'
import { TAG } from '../der/tags.js'
import type { Group } from './diffie-hellman.js'

export interface DhKey extends Group {
  /** The public value, or the secret exponent of a private key. */
  readonly value: Buffer
}

/** @param key of type `dh`. @throws Error for any other */
export function readDhKey(key: KeyObject): DhKey {
  const type: string | undefined = key.asymmetricKeyType // Node's types do not know this kind
  if (type !== 'dh') throw new Error(`a Diffie–Hellman key is needed, and this is one of type ${type ?? 'unknown'}`)
  const isPrivate = key.type === 'private'
  const der = isPrivate ? key.export({ type: 'pkcs8', format: 'der' }) : key.export({ type: 'spki', format: 'der' })
  const info = new DerReader(der).enter(TAG.sequence)
  if (isPrivate) info.take(TAG.integer) // the version
  const algorithm = info.enter(TAG.sequence)
  algorithm.take(TAG.objectIdentifier) // dhKeyAgreement
  const group = algorithm.enter(TAG.sequence)
  const prime = unsigned(group.take(TAG.integer)), generator = unsigned(group.take(TAG.integer))
  // The number is an INTEGER of its own inside.
  const inner = isPrivate ? info.take(TAG.octetString) : wholeBytes(info.take(TAG.bitString))
  return { prime, generator, value: unsigned(new DerReader(inner).take(TAG.integer)) }
}

/** Without the zero byte that keeps a number positive. */
const unsigned = (integer: Uint8Array): Buffer => Buffer.from(integer[0] === 0 ? integer.subarray(1) : integer)
