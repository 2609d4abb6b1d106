// The server's end of the handshake: 101 in Figs. 3 and 4.
import type { KeyObject } from 'node:crypto'
import type { ConnectedSocket } from '../channel/connected-socket.js'
import { decodeClientValue, encodeServerParams, makeShare, shareOf, standardGroup, type Group, type KeyShare } from './diffie-hellman.js'
import { readDhKey } from './dh-key.js'
import { Ssl3Error } from './fault.js'
import { decodeClientHello, encodeCertificates, encodeServerHello } from './handshake.js'
import { commonKey, overSocket, readFinished, writeFinished } from './handshaking.js'
import { RANDOM_LENGTH } from './key-derivation.js'
import { systemRandom, type Ssl3Options } from './options.js'
import { decryptPreMaster } from './rsa-transport.js'
import { suitesOf, type KeyExchange, type Suite } from './suites.js'
import type { Link } from './link.js'
import type { Ssl3Stream } from './stream.js'

/** SSL 3.0 is broken: for a bench alone. */
export interface Ssl3ServerOptions extends Ssl3Options {
  /** 61: an RSA key, or for fixed Diffie–Hellman one of that kind. */
  readonly key: KeyObject
  /** 65, and those of further CAs if need be; DER. */
  readonly certificates: readonly Uint8Array[]
  /** For ephemeral Diffie–Hellman; RFC 3526's of 2048 bits unless given. */
  readonly group?: Group
}

/**
 * @param socket connected, with allowHalfOpen, and not read from before
 * @returns the plaintext
 * @throws Ssl3Error; the socket is destroyed then
 */
export const ssl3Server = (socket: ConnectedSocket, options: Ssl3ServerOptions): Promise<Ssl3Stream> =>
  overSocket(socket, options.within, link => shakeHands(link, options))

async function shakeHands(link: Link, options: Ssl3ServerOptions): Promise<void> {
  const { keyExchange, key, certificates, random = systemRandom, onKeys } = options
  const hello = decodeClientHello(await link.read('clientHello'))
  link.agreeVersion()
  const suite = choose(hello.suites, keyExchange), serverRandom = random(RANDOM_LENGTH)
  const randoms = { client: hello.random, server: serverRandom }
  link.write('serverHello', encodeServerHello({ random: serverRandom, suite: suite.id }))
  link.write('certificate', encodeCertificates(certificates))
  const share = shareFor(options)
  if (keyExchange === 'dhe' && share) link.write('serverKeyExchange', encodeServerParams(share, key, randoms))
  link.write('serverHelloDone', Buffer.alloc(0))

  const information = await link.read('clientKeyExchange')
  const preMaster = share ? share.agree(decodeClientValue(information)) : decryptPreMaster(information, key, hello.version, random)
  const keys = commonKey(suite, preMaster, randoms, onKeys)
  await readFinished(link, 'client', suite, keys)
  writeFinished(link, 'server', suite, keys)
  await link.flush()
}

/** The first of the client's that the server has, so that the client's preference counts. */
function choose(offered: readonly number[], keyExchange: KeyExchange): Suite {
  const possible = suitesOf(keyExchange)
  const suite = offered.flatMap(id => possible.filter(suite => suite.id === id)).at(0)
  if (suite === undefined) {
    throw new Ssl3Error('handshakeFailure', `the client offers none of ${possible.map(({ name }) => name).join(', ')}; give both ends the same key exchange`)
  }
  return suite
}

/** The server's half of Diffie–Hellman: made for this connection, or the one in its certificate. */
function shareFor({ keyExchange, key, group = standardGroup(), random = systemRandom }: Ssl3ServerOptions): KeyShare | null {
  if (keyExchange === 'rsa') return null
  if (keyExchange === 'dhe') return makeShare(group, random)
  const { value, ...fixed } = readDhKey(key)
  return shareOf(fixed, value)
}
