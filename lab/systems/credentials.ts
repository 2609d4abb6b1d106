// What a run has for its encryption: the server's key pair and certificate 65, and the CA certificate 55. They come about on the bench
// (certificates.ts), or are made by the runner where that cannot be; each program gets its part with its task.
import { keyExchangeOf, type KeyExchange } from '../../endpoints/channel/variants.js'
import type { ClientSecurity, ServerSecurity, Variant } from '../programs/encryption.js'
import type { Credentials } from '../programs/make-credentials.js'

export interface Security { readonly server: ServerSecurity, readonly client: ClientSecurity }

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
  const { ca, ...identity } = enrol === null || variant.keyExchange === 'dh' ? await ownCredentials(variant.keyExchange, serverName) : await enrol()
  return { server: { ...variant, ...identity, keyLog }, client: { ...variant, ca, serverName } }
}

async function ownCredentials(keyExchange: KeyExchange, serverName: string): Promise<Credentials> {
  const { makeCredentials } = await import('../programs/make-credentials.js')
  return await makeCredentials(keyExchange, serverName)
}
