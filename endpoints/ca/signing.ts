// How requests and certificates are signed: SHA-256 with RSA (PKCS#1 1.5), or ECDSA where the key is of that kind. What is read may
// have been signed with the longer hashes too.
import { sign, verify } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyObject } from 'node:crypto'
import { bitString, nothing, objectIdentifier, sequence } from '../der/writer.js'
import { EncodeError } from '../message/index.js'

/** RFC 8017, A.2.4; RFC 5758, 3.2. Those with MD5 and SHA-1 are here to be named, and not taken. */
const ALGORITHMS: ReadonlyMap<string, readonly [kind: 'rsa' | 'ec', hash: string]> = new Map([
  ['1.2.840.113549.1.1.4', ['rsa', 'MD5']], ['1.2.840.113549.1.1.5', ['rsa', 'SHA-1']],
  ['1.2.840.113549.1.1.11', ['rsa', 'SHA-256']], ['1.2.840.113549.1.1.12', ['rsa', 'SHA-384']], ['1.2.840.113549.1.1.13', ['rsa', 'SHA-512']],
  ['1.2.840.10045.4.1', ['ec', 'SHA-1']],
  ['1.2.840.10045.4.3.2', ['ec', 'SHA-256']], ['1.2.840.10045.4.3.3', ['ec', 'SHA-384']], ['1.2.840.10045.4.3.4', ['ec', 'SHA-512']],
])
/** Signatures with a hash that somebody may find a second message for prove nothing. */
const HASHES: readonly unknown[] = ['SHA-256', 'SHA-384', 'SHA-512']

const signing = promisify(sign), verifying = promisify(verify)

/** What a CA or a server signs with. @throws EncodeError for a key of another kind */
export function signatureAlgorithm({ asymmetricKeyType: kind }: KeyObject): Buffer {
  if (kind === 'rsa') return sequence(objectIdentifier('1.2.840.113549.1.1.11'), nothing())
  if (kind === 'ec') return sequence(objectIdentifier('1.2.840.10045.4.3.2'))
  throw new EncodeError(`a key of type ${kind ?? 'unknown'} cannot sign here; RSA and EC can`)
}

/** What is to be signed, the algorithm and the signature, as certificates (RFC 5280, 4.1) and requests (RFC 2986, 4) have them. */
export async function signed(content: Uint8Array, key: KeyObject): Promise<Buffer> {
  return sequence(content, signatureAlgorithm(key), bitString(await signing('sha256', content, key)))
}

/** Why an algorithm is not taken, or null. @param algorithm its object identifier */
export function algorithmFlaw(algorithm: string): string | null {
  const [, hash] = ALGORITHMS.get(algorithm) ?? ['', 'an unknown hash']
  return HASHES.includes(hash) ? null : `it is signed with ${hash}, not ${HASHES.join(', ')}`
}

/** Whether the key has made the signature, by an algorithm of its kind that is taken. */
export async function isSignedWith(key: KeyObject, algorithm: string, content: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const [kind, hash] = ALGORITHMS.get(algorithm) ?? ['', '']
  return algorithmFlaw(algorithm) === null && key.asymmetricKeyType === kind && await verifying(hash.replace('-', ''), content, key, signature)
}
