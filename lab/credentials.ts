// What a run has for its encryption: the server's key pair and certificate 65, and the CA certificate 55. They come about on the bench
// (certificates.ts), or are made by the runner where that cannot be; each program gets its part with its task.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { certifyKey, createAuthority, generateKeys, privatePem, type KeyPair } from '../endpoints/ca/index.js'
import { keyExchangeOf, type KeyExchange } from '../endpoints/channel/encryption.js'
import type { ClientSecurity, ServerSecurity, Variant } from './encryption.js'

export interface Security { readonly server: ServerSecurity, readonly client: ClientSecurity }

/** PEM. */
export interface Credentials { readonly key: string, readonly certificate: string, readonly ca: string }

export interface SecurityOptions {
  readonly encryption: Variant['encryption']
  readonly keyExchange: KeyExchange | undefined
  readonly serverName: string
  /** Absolute path of a file that the server's program writes. */
  readonly keyLog: string
  /** Lets the server enrol with a CA on the bench; null where there is none. */
  readonly enrol: (() => Promise<Credentials>) | null
}

/**
 * What the programs need. A key of fixed Diffie–Hellman cannot sign a request, so that is certified by the runner in any case.
 * @throws EndpointError when encryption and key exchange do not go together
 */
export async function securityFor({ encryption, keyExchange: wanted, serverName, keyLog, enrol }: SecurityOptions): Promise<Security> {
  const variant = { encryption, keyExchange: keyExchangeOf(encryption, wanted) ?? 'dhe' }
  const { ca, ...identity } = enrol === null || variant.keyExchange === 'dh' ? await makeCredentials(variant.keyExchange, serverName) : await enrol()
  return { server: { ...variant, ...identity, keyLog }, client: { ...variant, ca, serverName } }
}

async function makeCredentials(keyExchange: KeyExchange, serverName: string): Promise<Credentials> {
  const authority = await createAuthority(await generateKeys())
  const { publicKey, privateKey } = keyExchange === 'dh' ? diffieHellmanKeys() : await generateKeys()
  const certificate = await certifyKey(authority, publicKey.export({ type: 'spki', format: 'der' }), [serverName])
  return { key: privatePem(privateKey), certificate: certificate.toString(), ca: authority.certificate.toString() }
}

/** For fixed Diffie–Hellman, in RFC 3526's group of 2048 bits. Node's types know this form of the call for other kinds of keys alone. */
const diffieHellmanKeys = (): KeyPair =>
  (generateKeyPairSync as (type: string, options: object) => { publicKey: KeyObject, privateKey: KeyObject })('dh', { group: 'modp14' })
