// What a run makes for its encryption: a CA, and what that issues for the server. Made by the runner, since keys of fixed
// Diffie–Hellman cannot sign a request of their own; each program gets its part with its task.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { certifyKey, createAuthority, generateKeys, privatePem, type KeyPair } from '../endpoints/ca/index.js'
import { keyExchangeOf, type KeyExchange } from '../endpoints/channel/encryption.js'
import type { ClientSecurity, ServerSecurity, Variant } from './encryption.js'

export interface Security { readonly server: ServerSecurity, readonly client: ClientSecurity }

/**
 * A CA for one run, and what it issues for the server.
 * @param keyLog absolute path of a file that the server's program writes
 * @throws EndpointError when encryption and key exchange do not go together
 */
export async function securityFor(encryption: Variant['encryption'], wanted: KeyExchange | undefined, serverName: string, keyLog: string): Promise<Security> {
  const variant = { encryption, keyExchange: keyExchangeOf(encryption, wanted) ?? 'dhe' }
  const authority = await createAuthority(await generateKeys())
  const { publicKey, privateKey } = variant.keyExchange === 'dh' ? diffieHellmanKeys() : await generateKeys()
  const certificate = await certifyKey(authority, publicKey.export({ type: 'spki', format: 'der' }), [serverName])
  return {
    server: { ...variant, key: privatePem(privateKey), certificate: certificate.toString(), keyLog },
    client: { ...variant, ca: authority.certificate.toString(), serverName },
  }
}

/** For fixed Diffie–Hellman, in RFC 3526's group of 2048 bits. Node's types know this form of the call for other kinds of keys alone. */
const diffieHellmanKeys = (): KeyPair =>
  (generateKeyPairSync as (type: string, options: object) => { publicKey: KeyObject, privateKey: KeyObject })('dh', { group: 'modp14' })
