// The ways to encrypt the connections with the server, by name: a protocol version and a key exchange.
import { EndpointError } from '../errors.js'

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
