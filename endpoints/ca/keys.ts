// Key pairs: 52/53 of the CA, 61/62 of the server. RSA, because key transport (215 carries the secret under the server's public
// key) needs it.
import { generateKeyPair } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

export interface KeyPair {
  /** 52, 62. */
  readonly publicKey: KeyObject
  /** 53, 61. */
  readonly privateKey: KeyObject
}

/** Of a key made here. NIST SP 800-57: good enough to 2030. */
const RSA_BITS = 2048
/** Larger ones, and larger exponents, only serve to keep a CA busy. */
const MAX_RSA_BITS = 8192
const MIN_EXPONENT = 65537n, MAX_EXPONENT = 2n ** 32n
const CURVES: readonly unknown[] = ['prime256v1', 'secp384r1', 'secp521r1']

const generate = promisify(generateKeyPair)

/** Takes some 100 ms of the thread pool. */
export const generateKeys = (): Promise<KeyPair> => generate('rsa', { modulusLength: RSA_BITS, publicExponent: Number(MIN_EXPONENT) })

/** Why a public key is not to be certified, or null. */
export function keyFlaw({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): string | null {
  if (type === 'ec') return CURVES.includes(details.namedCurve) ? null : `its curve is ${details.namedCurve ?? 'not a named one'}, not ${CURVES.join(', ')}`
  if (type !== 'rsa') return `it is of type ${type ?? 'unknown'}, not RSA or EC`
  const { modulusLength = 0, publicExponent = 0n } = details
  if (modulusLength < RSA_BITS || modulusLength > MAX_RSA_BITS) return `it has ${modulusLength} bits, not ${RSA_BITS} to ${MAX_RSA_BITS}`
  return publicExponent < MIN_EXPONENT || publicExponent > MAX_EXPONENT || publicExponent % 2n === 0n
    ? `its exponent is ${publicExponent}, not an odd number from ${MIN_EXPONENT} to ${MAX_EXPONENT}` : null
}

/** PKCS#8 (RFC 5958), not encrypted. */
export const privatePem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
