// What OpenSSL says of a handshake that failed, in words: what went wrong, and what to do about it.
import { EndpointError, messageOf, systemCode } from '../errors.js'
import { ChannelError } from './channel.js'

type Fault = readonly [sentence: string, advice: string]

const NOT_TLS: Fault = ['what came is not TLS', 'check that the other end runs with encryption too, and is this program']
const NO_VERSION: Fault = ['the ends have no version of TLS in common', 'give both the same --encryption']
const NO_CIPHER: Fault = ['the ends have no key exchange and cipher in common', 'give both the same --encryption and --key-exchange']
const OTHER_KEY: Fault = ['the other end does not have the key of this connection', 'try again; if it fails again, somebody else answers there']

/** By OpenSSL's name for the fault, without the prefix. */
const KNOWN: Record<string, Fault | undefined> = {
  WRONG_VERSION_NUMBER: NOT_TLS,
  HTTP_REQUEST: NOT_TLS,
  HTTPS_PROXY_REQUEST: NOT_TLS,
  PACKET_LENGTH_TOO_LONG: NOT_TLS,
  DATA_LENGTH_TOO_LONG: NOT_TLS,
  ENCRYPTED_LENGTH_TOO_LONG: NOT_TLS,
  RECORD_TOO_SMALL: NOT_TLS,
  UNEXPECTED_MESSAGE: NOT_TLS,
  UNSUPPORTED_PROTOCOL: NO_VERSION,
  VERSION_TOO_LOW: NO_VERSION,
  TLSV1_ALERT_PROTOCOL_VERSION: NO_VERSION,
  NO_SHARED_CIPHER: NO_CIPHER,
  SSLV3_ALERT_HANDSHAKE_FAILURE: NO_CIPHER,
  TLSV1_ALERT_INSUFFICIENT_SECURITY: NO_CIPHER,
  BINDER_DOES_NOT_VERIFY: OTHER_KEY,
  NO_SUITABLE_SIGNATURE_ALGORITHM: OTHER_KEY,
}

/** Alerts by which a client of another make says that it does not take the certificate. */
const REFUSALS = /^(SSLV3_ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+|UNSUPPORTED_CERTIFICATE)|TLSV1_ALERT_(UNKNOWN_CA|ACCESS_DENIED))$/

/** The error of a handshake as one of ours. */
export function handshakeFault(error: unknown): EndpointError | ChannelError {
  if (error instanceof EndpointError || error instanceof ChannelError) return error
  const code = systemCode(error)
  if (!code.startsWith('ERR_SSL_')) return new ChannelError('lost', `the connection was lost during the TLS handshake (${messageOf(error)})`)
  const name = code.slice('ERR_SSL_'.length)
  if (REFUSALS.test(name)) return new ChannelError('refused', `the other end does not accept this end's certificate (${wordsOf(name)})`)
  const [sentence, advice] = KNOWN[name] ?? [wordsOf(name), 'check that both ends run this program with the same --encryption']
  return new EndpointError('encryption-failed', `the TLS handshake failed: ${sentence}`, advice, { cause: error })
}

const wordsOf = (name: string): string => name.toLowerCase().replaceAll('_', ' ')
