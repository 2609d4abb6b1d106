// TLS by node:tls over a connected socket, as the channels of either end. Three variants: TLS 1.3, and TLS 1.2 with the two key
// exchanges whose packets are those of Figs. 3 and 4, one for one: every handshake is a full one (no session is resumed, no ticket
// issued), the server has one certificate and asks for none. And TLS 1.3 with a key that both ends have beforehand, for S209.
//
// The client checks the certificate (certificate-check.ts) when the handshake is done and before it says anything. OpenSSL has no
// part in that which could send an alert from Node, so what is wrong is said on the encrypted connection itself, as the reason
// `certificate-refused`: whoever is at the other end learns no more from it than an alert would say.
//
// A connection that is cut off without TLS's own goodbye reads as ended (Node tells no difference). Nothing here takes such an end
// for more than a loss: requests are answered, and sessions end with a goodbye of their own.
import { constants } from 'node:crypto'
import { isIP } from 'node:net'
import { TLSSocket, connect, createSecureContext } from 'node:tls'
import { answer } from '../answers.js'
import { EndpointError, messageOf } from '../errors.js'
import { objectionTo, readCertificates, type Trust } from './certificate-check.js'
import { ChannelError } from './channel.js'
import { SocketChannel } from './socket-channel.js'
import { handshakeFault } from './tls-faults.js'
import type { ConnectionOptions, SecureContext, SecureContextOptions, TLSSocketOptions } from 'node:tls'
import type { OpenChannel } from './channel.js'
import type { ConnectedSocket } from './connected-socket.js'

export type TlsVariant = 'tls1.3' | 'tls1.2-rsa' | 'tls1.2-dhe'

/** A server's key pair (61, 62) and certificate (65), PEM. */
export interface Identity { readonly key: string, readonly certificate: string }

/** Gets lines of an NSS key log (SSLKEYLOGFILE), each with its line feed. They open what the connection carries: keep them safe. */
export type OnKeys = (line: string) => void

const FULL_HANDSHAKES = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

const SETTINGS: Record<TlsVariant | 'key', SecureContextOptions> = {
  'tls1.3': { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' },
  'tls1.2-rsa': { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
  'tls1.2-dhe': { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-GCM-SHA256' },
  // OpenSSL takes a key of this kind for SHA-256's suites alone.
  'key': { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' },
}

/** Smallest group that a client takes for Diffie–Hellman, bits. */
const MIN_DH = 2048
/** TLS wants a name for a key; there is one key, so it says nothing. */
const KEY_NAME = 'naptlab S209'

/** @throws EndpointError when key and certificate cannot be used */
export function tlsServer(variant: TlsVariant, { key, certificate }: Identity, onKeys?: OnKeys): OpenChannel {
  const { asymmetricKeyType: type = 'of no known type' } = readCertificates(certificate)[0].publicKey
  if (variant !== 'tls1.3' && type !== 'rsa') throw unusable(`the certificate's key is ${type}, and TLS 1.2 runs here with RSA`, 'have one issued for an RSA key, or choose tls1.3')
  const secureContext = contextOf({ ...SETTINGS[variant], key, cert: certificate, ...(variant === 'tls1.2-dhe' ? { dhparam: 'auto' } : {}) })
  return (socket, within) => asServer(socket, { secureContext }, within, onKeys)
}

/** @throws EndpointError when the CA's certificate cannot be used */
export function tlsClient(variant: TlsVariant, trust: Trust, onKeys?: OnKeys): OpenChannel {
  readCertificates(trust.ca)
  const { ca, serverName, now } = trust
  const secureContext = contextOf({ ...SETTINGS[variant], ca })
  const servername = isIP(serverName) ? '' : serverName // an address has no place in the hello
  return async (socket, within) => {
    const tls = connect({ ...AS_CLIENT, socket, secureContext, servername, minDHSize: MIN_DH })
    const channel = await shaken(socket, tls, 'secureConnect', within, onKeys)
    const objection = objectionOf(tls, trust, now !== undefined)
    if (!objection) return channel
    await channel.send(answer({ reason: 'certificate-refused', detail: objection.message }), within).catch(() => undefined) // it may be gone
    await channel.close()
    throw objection
  }
}

/** The end that connects proves that it has `key`, and so does the end that it reaches. The key is used for one connection. */
export function keyedClient(key: Uint8Array, onKeys?: OnKeys): OpenChannel {
  const secureContext = contextOf(SETTINGS.key)
  return async (socket, within) => {
    const tls = connect({ ...AS_CLIENT, socket, secureContext, pskCallback: () => ({ psk: key, identity: KEY_NAME }) })
    const channel = await shaken(socket, tls, 'secureConnect', within, onKeys)
    if (tls.isSessionReused() && tls.getPeerX509Certificate() === undefined) return channel // TLS 1.3 counts a key as a session
    channel.reset()
    throw new EndpointError('encryption-failed', 'the other end offers a certificate in place of the key of this connection', 'check that no other program listens there')
  }
}

export function keyedServer(key: Uint8Array, onKeys?: OnKeys): OpenChannel {
  const secureContext = contextOf(SETTINGS.key)
  const pskCallback = (_socket: TLSSocket, name: string): Uint8Array | null => name === KEY_NAME ? key : null
  return (socket, within) => asServer(socket, { secureContext, pskCallback }, within, onKeys)
}

// ----------------------------------------------------------------------------------------------------------------------

/** The certificate is ours to check, and to say what is wrong with it. */
const AS_CLIENT = { rejectUnauthorized: false, checkServerIdentity: () => undefined } satisfies ConnectionOptions

interface ServerOptions extends TLSSocketOptions {
  readonly pskCallback?: (socket: TLSSocket, name: string) => Uint8Array | null
}

function asServer(socket: ConnectedSocket, options: ServerOptions, within: number, onKeys?: OnKeys): Promise<SocketChannel> {
  return shaken(socket, new TLSSocket(socket, { ...options, isServer: true }), 'secure', within, onKeys)
}

/** The channel, once the handshake is done. @throws EndpointError, ChannelError */
function shaken(socket: ConnectedSocket, tls: TLSSocket, done: 'secure' | 'secureConnect', within: number, onKeys?: OnKeys): Promise<SocketChannel> {
  if (onKeys) tls.on('keylog', (line: Buffer) => onKeys(line.toString('latin1')))
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(handshakeFault(error))
    }
    const timer = setTimeout(() => fail(new ChannelError('timed-out', `the TLS handshake was not done within ${within} ms`)), within)
    const gone = (): void => fail(new ChannelError('lost', 'the other end closed the connection during the TLS handshake'))
    tls.on('error', fail) // stays, so that no later error goes unheard
    tls.once('close', gone).once('end', gone)
    tls.once(done, () => {
      clearTimeout(timer)
      tls.off('error', fail).off('close', gone).off('end', gone)
      resolve(new SocketChannel(socket, tls)) // at once, since it has to hear what happens next
    })
  })
}

/** Our own check, and OpenSSL's besides; with a clock of ours OpenSSL's opinion of the date does not count. */
function objectionOf(tls: TLSSocket, trust: Trust, hasOwnClock: boolean): EndpointError | null {
  const certificate = tls.getPeerX509Certificate()
  if (!certificate) return new EndpointError('certificate-untrusted', 'the server showed no certificate', 'check that it is the server')
  const objection = objectionTo(certificate, trust)
  if (objection) return objection
  const code = String(tls.authorizationError)
  if (tls.authorized || (hasOwnClock && DATES.has(code))) return null
  return new EndpointError('certificate-untrusted', `the server's certificate does not do for a server (${code})`, 'have it issued anew')
}

const DATES = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/** @throws EndpointError */
function contextOf(options: SecureContextOptions): SecureContext {
  try {
    // Without `ca` there would be all the CAs of the web.
    return createSecureContext({ ca: [], ...options, secureOptions: FULL_HANDSHAKES })
  } catch (error) {
    throw unusable(`key or certificate cannot be used: ${messageOf(error)}`, 'give the certificate and the private key that belongs to it, both in PEM', error)
  }
}

const unusable = (sentence: string, advice: string, cause?: unknown): EndpointError => new EndpointError('certificate-unusable', sentence, advice, { cause })
