// Key exchange by RSA: the client makes the pre-master secret, 71, and sends it under the server's public key 62 (RFC 6101 5.6.7.1).
// There is no 72.
import { constants, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto'
import { uint } from './bytes.js'

/** Of `size` bytes. */
export type RandomSource = (size: number) => Uint8Array

const PRE_MASTER_LENGTH = 48

/** `version` is what the client hello offered, so that nobody on the way can have made less of it. */
export const makePreMaster = (version: number, random: RandomSource): Buffer =>
  Buffer.concat([uint(version, 2), random(PRE_MASTER_LENGTH - 2)], PRE_MASTER_LENGTH)

/** Unlike TLS, SSL 3.0 as it was built sends the encrypted secret without its length. */
export const encryptPreMaster = (preMaster: Uint8Array, key: KeyObject): Buffer =>
  publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, preMaster)

/**
 * What comes under the server's key. Where that is no pre-master secret of the right version, a random one is given in its place,
 * without a difference in what is done: the handshake then fails at Finished, and whoever sends made-up secrets to learn from the
 * answers (Bleichenbacher 1998) learns nothing. So the padding is looked at here, byte for byte, rather than by OpenSSL, whose
 * errors tell; as far as JavaScript allows, it takes the same time for each.
 */
export function decryptPreMaster(encrypted: Uint8Array, key: KeyObject, version: number, random: RandomSource): Buffer {
  const substitute = Buffer.from(random(PRE_MASTER_LENGTH))
  const block = decryptBlock(encrypted, key)
  const start = block.length - PRE_MASTER_LENGTH
  // 00 02, padding without a zero, 00, secret.
  let wrong = block[0] | (block[1] ^ 2) | block[start - 1] | (block[start] ^ (version >> 8)) | (block[start + 1] ^ (version & 0xff))
  for (let at = 2; at < start - 1; at++) wrong |= ((block[at] - 1) >> 8) & 1
  const mask = (-wrong >> 31) & 0xff // all ones where anything is wrong
  return Buffer.from(substitute.map((byte, at) => (byte & mask) | (block[start + at] & ~mask)))
}

/** Zeros where the number is out of range, which whoever sent it knows anyway. */
function decryptBlock(encrypted: Uint8Array, key: KeyObject): Buffer {
  const size = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted)
  } catch {
    return Buffer.alloc(size)
  }
}
