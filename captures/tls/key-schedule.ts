// From the secrets of a key log to the keys of records: TLS 1.3 (RFC 8446 §7), TLS 1.2 (RFC 5246 §5 and §6.3) and SSL 3.0
// (RFC 6101 §6.2.2). The secrets that come before these (pre-master secret, ECDHE) are not needed: the log holds what follows.
import { createHash, createHmac } from 'node:crypto'
import type { Hash, RecordProtection } from './cipher-suites.js'

/** Of one direction. `macKey` is empty with an AEAD, `iv` where each record brings its own. */
export interface RecordKeys { readonly key: Uint8Array, readonly iv: Uint8Array, readonly macKey: Uint8Array }

/** Bytes. */
const LENGTH: Readonly<Record<Hash, number>> = { md5: 16, sha1: 20, sha256: 32, sha384: 48 }
export const hashLength = (hash: Hash): number => LENGTH[hash]

// --- TLS 1.3 ------------------------------------------------------------------------------------------------------------

/** HKDF-Expand-Label with an empty context, RFC 8446 §7.1. `length` in bytes, up to 255 hashes. */
export function expandLabel(hash: Hash, secret: Uint8Array, label: string, length: number): Uint8Array {
  const name = Buffer.from(`tls13 ${label}`)
  const info = Buffer.concat([Uint8Array.of(length >>> 8, length, name.length), name, Uint8Array.of(0)])
  const blocks: Buffer[] = []
  for (let count = 1; (count - 1) * LENGTH[hash] < length; count++) {
    blocks.push(createHmac(hash, secret).update(blocks.at(-1) ?? '').update(info).update(Uint8Array.of(count)).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

/** RFC 8446 §7.3; every AEAD of TLS has a nonce of 12 bytes. */
export const trafficKeys = (hash: Hash, secret: Uint8Array, keyLength: number): RecordKeys =>
  ({ key: expandLabel(hash, secret, 'key', keyLength), iv: expandLabel(hash, secret, 'iv', 12), macKey: new Uint8Array(0) })

/** The secret behind a KeyUpdate, RFC 8446 §7.2. */
export const nextSecret = (hash: Hash, secret: Uint8Array): Uint8Array => expandLabel(hash, secret, 'traffic upd', LENGTH[hash])

// --- before TLS 1.3 -----------------------------------------------------------------------------------------------------

export interface Randoms { readonly client: Uint8Array, readonly server: Uint8Array }

/** TLS 1.2's PRF, RFC 5246 §5. `length` in bytes. */
export function prf(hash: Hash, secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array {
  const labelled = Buffer.concat([Buffer.from(label), seed])
  const blocks: Buffer[] = []
  let a: Uint8Array = labelled
  while (blocks.length * LENGTH[hash] < length) {
    a = createHmac(hash, secret).update(a).digest()
    blocks.push(createHmac(hash, secret).update(a).update(labelled).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

/** MD5(secret ‖ SHA('A' ‖ secret ‖ seed)) ‖ MD5(secret ‖ SHA('BB' ‖ secret ‖ seed)) …, RFC 6101 §6.1 and §6.2.2; at most 26 blocks of 16 bytes. */
export function ssl3Expand(secret: Uint8Array, seed: Uint8Array, length: number): Uint8Array {
  const blocks: Buffer[] = []
  while (blocks.length * 16 < length) {
    const letters = String.fromCharCode(65 + blocks.length).repeat(blocks.length + 1)
    const inner = createHash('sha1').update(letters).update(secret).update(seed).digest()
    blocks.push(createHash('md5').update(secret).update(inner).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

/** The key block, cut up for both directions: RFC 5246 §6.3, RFC 6101 §6.2.2. */
export function keysBeforeTls13(version: 'TLS 1.2' | 'SSL 3.0', hash: Hash, protection: RecordProtection, masterSecret: Uint8Array, { client, server }: Randoms):
{ readonly client: RecordKeys, readonly server: RecordKeys } {
  const macLength = protection.kind === 'cbc' ? LENGTH[protection.mac] : 0
  // An AEAD has the part of the nonce that no record brings (RFC 5288 §3, RFC 7905 §2); since TLS 1.1 a CBC record brings all of it.
  const ivLength = protection.kind === 'aead' ? 12 - protection.explicitNonce : version === 'SSL 3.0' ? protection.block : 0
  const length = 2 * (macLength + protection.key + ivLength)
  const seed = Buffer.concat([server, client])
  const block = version === 'SSL 3.0' ? ssl3Expand(masterSecret, seed, length) : prf(hash, masterSecret, 'key expansion', seed, length)
  let at = 0
  const take = (size: number): Uint8Array => block.subarray(at, at += size)
  const [clientMac, serverMac, clientKey, serverKey] = [take(macLength), take(macLength), take(protection.key), take(protection.key)]
  return { client: { macKey: clientMac, key: clientKey, iv: take(ivLength) }, server: { macKey: serverMac, key: serverKey, iv: take(ivLength) } }
}
