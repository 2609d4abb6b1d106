// Keys and certificates made by the runner: for a bench without a CA, and for a key of fixed Diffie–Hellman, which cannot sign a request.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { certifyKey, createAuthority } from '../../endpoints/ca/authority.js'
import { generateKeys, privatePem, type KeyPair } from '../../endpoints/ca/keys.js'
import type { KeyExchange } from '../../endpoints/channel/variants.js'

/** PEM. */
export interface Credentials { readonly key: string, readonly certificate: string, readonly ca: string }

export async function makeCredentials(keyExchange: KeyExchange, serverName: string): Promise<Credentials> {
  const authority = await createAuthority(await generateKeys())
  const { publicKey, privateKey } = keyExchange === 'dh' ? diffieHellmanKeys() : await generateKeys()
  const certificate = await certifyKey(authority, publicKey.export({ type: 'spki', format: 'der' }), [serverName])
  return { key: privatePem(privateKey), certificate: certificate.toString(), ca: authority.certificate.toString() }
}

/** For fixed Diffie–Hellman, in RFC 3526's group of 2048 bits. Node's types know this form of the call for other kinds of keys alone. */
const diffieHellmanKeys = (): KeyPair =>
  (generateKeyPairSync as (type: string, options: object) => { publicKey: KeyObject, privateKey: KeyObject })('dh', { group: 'modp14' })
