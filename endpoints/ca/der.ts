// Keys and certificates between Node's forms and those of the certificate library, which signs with WebCrypto keys.
import { webcrypto } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/** How requests and certificates are signed: RSA (PKCS#1 1.5) with SHA-256. */
export const SIGNATURE = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const

export const importPrivateKey = (key: KeyObject): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), SIGNATURE, false, ['sign'])

/** The library asks a public key for its bytes, so it may be exported. */
export const importPublicKey = (key: KeyObject): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('spki', key.export({ type: 'spki', format: 'der' }), SIGNATURE, true, ['verify'])

/** Null when the bytes are one DER sequence, no byte less or more; parsers differ in what they make of anything else. */
export function derFlaw(bytes: Uint8Array): string | null {
  if (bytes[0] !== 0x30) return 'it is no DER sequence'
  const lengthBytes = bytes[1] < 0x80 ? 0 : bytes[1] & 0x7f
  const length = lengthBytes === 0 ? bytes[1] : bytes.subarray(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  const total = 2 + lengthBytes + length
  return total === bytes.length ? null : `it holds ${bytes.length} bytes of DER and announces ${total}`
}
