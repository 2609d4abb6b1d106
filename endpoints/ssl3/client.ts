// The client's end of the handshake: 102 in Fig. 3, 103 in Fig. 4.
import { X509Certificate, type KeyObject } from 'node:crypto'
import { objectionTo, type Trust } from '../channel/certificate-check.js'
import type { ConnectedSocket } from '../channel/connected-socket.js'
import { checkGroup, decodeServerParams, encodeClientValue, makeShare, type Group } from './diffie-hellman.js'
import { readDhKey } from './dh-key.js'
import { Ssl3Error } from './fault.js'
import { decodeCertificates, decodeServerHello, encodeClientHello } from './handshake.js'
import { commonKey, overSocket, readFinished, writeFinished } from './handshaking.js'
import { RANDOM_LENGTH } from './key-derivation.js'
import { systemRandom, type Ssl3Options } from './options.js'
import { SSL3 } from './records.js'
import { encryptPreMaster, makePreMaster, type RandomSource } from './rsa-transport.js'
import { suitesOf, type KeyExchange, type Suite } from './suites.js'
import type { Link } from './link.js'
import type { Ssl3Stream } from './stream.js'

/** SSL 3.0 is broken: for a bench alone. */
export interface Ssl3ClientOptions extends Ssl3Options, Trust {
  /** What is offered, the preferred ones first; all of the key exchange unless given. */
  readonly suites?: readonly Suite[]
}

/**
 * @param socket connected, with allowHalfOpen, and not read from before
 * @returns the plaintext, to a server whose certificate has been checked
 * @throws Ssl3Error; EndpointError when the certificate does not do. The socket is destroyed then
 */
export const ssl3Client = (socket: ConnectedSocket, options: Ssl3ClientOptions): Promise<Ssl3Stream> =>
  overSocket(socket, options.within, link => shakeHands(link, options))

async function shakeHands(link: Link, options: Ssl3ClientOptions): Promise<void> {
  const { keyExchange, suites = suitesOf(keyExchange), random = systemRandom, onKeys } = options
  const clientRandom = random(RANDOM_LENGTH)
  link.write('clientHello', encodeClientHello({ version: SSL3, random: clientRandom, suites: suites.map(({ id }) => id) }))
  const hello = decodeServerHello(await link.read('serverHello'))
  link.agreeVersion()
  const suite = chosen(hello.suite, suites), randoms = { client: clientRandom, server: hello.random }
  const key = certifiedKey(decodeCertificates(await link.read('certificate')), keyExchange, options)
  const signed = keyExchange === 'dhe' ? decodeServerParams(await link.read('serverKeyExchange'), key, randoms) : null
  const { length } = await link.read('serverHelloDone')
  if (length > 0) throw new Ssl3Error('illegalParameter', `the server's server hello done has ${length} bytes, not none`)

  const { preMaster, information } = keyExchange === 'rsa' ? transport(key, random) : agree(signed ?? certified(key), random)
  link.write('clientKeyExchange', information)
  const keys = commonKey(suite, preMaster, randoms, onKeys)
  writeFinished(link, 'client', suite, keys)
  await readFinished(link, 'server', suite, keys)
}

function chosen(id: number, offered: readonly Suite[]): Suite {
  const suite = offered.find(suite => suite.id === id)
  if (suite === undefined) throw new Ssl3Error('illegalParameter', `the server chose cipher suite 0x${id.toString(16).padStart(4, '0')}, which was not offered`)
  return suite
}

/** The public key 62 from certificate 65, once the certificate is believed. */
function certifiedKey([der]: readonly Buffer[], keyExchange: KeyExchange, trust: Trust): KeyObject {
  const certificate = readCertificate(der)
  const objection = objectionTo(certificate, trust)
  if (objection) throw objection
  const { publicKey } = certificate, type: string | undefined = publicKey.asymmetricKeyType, needed = keyExchange === 'dh' ? 'dh' : 'rsa'
  if (type !== needed) throw new Ssl3Error('unsupportedCertificate', `the server's certificate has a key of type ${type ?? 'unknown'}, and key exchange ${keyExchange} needs one of type ${needed}`)
  return publicKey
}

function readCertificate(der: Buffer | undefined): X509Certificate {
  if (der === undefined) throw new Ssl3Error('handshakeFailure', 'the server showed no certificate')
  try {
    return new X509Certificate(der)
  } catch {
    throw new Ssl3Error('badCertificate', `what the server showed as its certificate (${der.length} bytes) is none`)
  }
}

/** This end's half: the pre-master secret, and 71 or 81, which the server gets. */
interface Half { readonly preMaster: Buffer, readonly information: Buffer }

function transport(key: KeyObject, random: RandomSource): Half {
  const preMaster = makePreMaster(SSL3, random)
  return { preMaster, information: encryptPreMaster(preMaster, key) }
}

/** With the server's half: 72 or 82, or what its certificate says. */
function agree({ publicValue, ...group }: Group & { readonly publicValue: Buffer }, random: RandomSource): Half {
  checkGroup(group)
  const share = makeShare(group, random)
  return { preMaster: share.agree(publicValue), information: encodeClientValue(share.publicValue) }
}

function certified(key: KeyObject): Group & { readonly publicValue: Buffer } {
  const { prime, generator, value } = readDhKey(key)
  return { prime, generator, publicValue: value }
}
