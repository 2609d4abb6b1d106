// SSL 3.0 as the channels of either end, with keys and certificates as files hold them. INSECURE: it is here to reproduce Figs. 3
// and 4 with the documents' own key derivation, so it is no part of the public face of endpoints/, and only lab/bench/on-bench.ts hands
// it out, to programs on a bench.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readCertificates, type Trust } from '../channel/certificate-check.js'
import { SocketChannel } from '../channel/socket-channel.js'
import { EndpointError } from '../errors.js'
import { ssl3Client } from './client.js'
import { ssl3Server } from './server.js'
import type { OpenChannel } from '../channel/channel.js'
import type { Identity, OnKeys } from '../channel/tls-channel.js'
import type { KeyExchange } from './suites.js'

/** @throws EndpointError when key and certificate cannot be used with this key exchange */
export function ssl3ServerChannel(keyExchange: KeyExchange, identity: Identity, onKeys?: OnKeys): OpenChannel {
  const certificates = readCertificates(identity.certificate), key = readKey(identity.key)
  const type: string | undefined = key.asymmetricKeyType, needed = keyExchange === 'dh' ? 'dh' : 'rsa' // Node's types do not know dh
  if (type !== needed) throw unusable(`the server's key is of type ${type ?? 'unknown'}, and key exchange ${keyExchange} needs one of type ${needed}`)
  if (!certificates[0].checkPrivateKey(key)) throw unusable('the certificate is for another key than the server\'s')
  const der = certificates.map(({ raw }) => raw)
  return async (socket, within) => new SocketChannel(socket, await ssl3Server(socket, { keyExchange, key, certificates: der, within, onKeys }))
}

/** @throws EndpointError when the CA's certificate cannot be used */
export function ssl3ClientChannel(keyExchange: KeyExchange, { ca, serverName, now }: Trust, onKeys?: OnKeys): OpenChannel {
  readCertificates(ca)
  return async (socket, within) => new SocketChannel(socket, await ssl3Client(socket, { keyExchange, ca, serverName, now, within, onKeys }))
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new EndpointError('certificate-unusable', 'the server\'s private key cannot be read', 'give it in PEM', { cause: error })
  }
}

const unusable = (sentence: string): EndpointError => new EndpointError('certificate-unusable', sentence, 'give the private key that belongs to the certificate, and a key exchange for both')
