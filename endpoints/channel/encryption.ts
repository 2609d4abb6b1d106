// How the connections with the server are encrypted: the variants that there are, and the channel of each end. A variant is one
// protocol version and one key exchange, nothing is negotiated below it.
import { plainChannel } from './socket-channel.js'
import { tlsClient, tlsServer } from './tls-channel.js'
import { keyExchangeOf, type KeyExchange } from './variants.js'
import type { OpenChannel } from './channel.js'
import type { Trust } from './certificate-check.js'
import type { Identity, OnKeys, TlsVariant } from './tls-channel.js'

interface Common {
  readonly encryption: 'tls1.3' | 'tls1.2'
  /** `dhe` when absent. */
  readonly keyExchange?: KeyExchange | undefined
  /** Gets the keys of each connection, before anything that they protect is sent. */
  readonly onKeys?: OnKeys | undefined
}

export type ServerEncryption = { readonly encryption: 'none' } | Common & Identity
export type ClientEncryption = { readonly encryption: 'none' } | Common & Trust

/**
 * How a server opens the channels of those who connect to it.
 * @throws EndpointError when key and certificate cannot be used, or the variant does not exist
 */
export function secureServer(options: ServerEncryption): OpenChannel {
  return options.encryption === 'none' ? plainChannel : tlsServer(variantOf(options), options, options.onKeys)
}

/**
 * How a client opens a channel to a server, whose certificate it checks before anything is said.
 * @throws EndpointError when the CA's certificate cannot be used, or the variant does not exist
 */
export function secureClient(options: ClientEncryption): OpenChannel {
  return options.encryption === 'none' ? plainChannel : tlsClient(variantOf(options), options, options.onKeys)
}

function variantOf({ encryption, keyExchange }: Common): TlsVariant {
  const exchange = keyExchangeOf(encryption, keyExchange)
  return encryption === 'tls1.3' ? encryption : exchange === 'rsa' ? 'tls1.2-rsa' : 'tls1.2-dhe'
}
