// How the connections with the server are encrypted: the variants that there are, and the channel of each end. A variant is one
// protocol version and one key exchange, nothing is negotiated below it.
import { EndpointError } from '../errors.js'
import { plainChannel } from './socket-channel.js'
import { tlsClient, tlsServer } from './tls-channel.js'
import type { OpenChannel } from './channel.js'
import type { Trust } from './certificate-check.js'
import type { Identity, OnKeys, TlsVariant } from './tls-channel.js'

/** `ssl3` is the documents' own (endpoints/ssl3), for a bench alone. */
export type Encryption = 'none' | 'tls1.3' | 'tls1.2' | 'ssl3'

/** How the common key 73 or 83 comes about: RSA key transport, ephemeral Diffie–Hellman, Diffie–Hellman with the certificate's key. */
export type KeyExchange = 'rsa' | 'dhe' | 'dh'

export const ENCRYPTIONS: readonly Encryption[] = ['tls1.3', 'tls1.2', 'ssl3', 'none']
export const KEY_EXCHANGES: readonly KeyExchange[] = ['rsa', 'dhe', 'dh']

/** TLS 1.3 has ephemeral key exchange only, TLS 1.2 no fixed one that node:tls would do. */
const KEY_EXCHANGES_OF: Record<Encryption, readonly KeyExchange[]> = { 'none': [], 'tls1.3': ['dhe'], 'tls1.2': ['dhe', 'rsa'], 'ssl3': ['dhe', 'rsa', 'dh'] }

const REASON_WHY: Record<Encryption, string> = {
  'none': 'without encryption there is no key exchange', 'tls1.3': 'TLS 1.3 has ephemeral Diffie–Hellman alone', 'tls1.2': 'TLS 1.2 runs here with rsa or dhe', 'ssl3': '',
}

/**
 * The key exchange of a variant: the one that was asked for, or ephemeral Diffie–Hellman; null without encryption.
 * @throws EndpointError when the two do not go together
 */
export function keyExchangeOf(encryption: Encryption, wanted?: KeyExchange): KeyExchange | null {
  const possible = KEY_EXCHANGES_OF[encryption]
  if (wanted === undefined) return possible.length > 0 ? possible[0] : null
  if (possible.includes(wanted)) return wanted
  const advice = possible.length === 0 ? 'leave the key exchange out' : `choose ${possible.join(' or ')}, or another encryption`
  throw new EndpointError('encryption-failed', `${encryption} has no key exchange ${wanted}: ${REASON_WHY[encryption]}`, advice)
}

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
