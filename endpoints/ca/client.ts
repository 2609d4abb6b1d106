// Those who ask the CA: a server enrols (63, and 54 with certificate 65), 102 and 103 get the CA certificate (55). Who has nothing
// to check a CA certificate with, no fingerprint and no enrolment secret, trusts the first that comes, and should know that.
import { authorityFlaw, fingerprintOf, hasFingerprint, issuedFlaw, readCertificate } from './certificate.js'
import { issuanceProof, checkSecret, isProof, requestProof } from './proof.js'
import { createRequest } from './request.js'
import { verdictOf } from '../answers.js'
import { ChannelError } from '../channel/channel.js'
import { plainChannel } from '../channel/socket-channel.js'
import { AUTHORITY_PORT, TIMEOUTS } from '../defaults.js'
import { EndpointError, reasonOfFault, refusal } from '../errors.js'
import { emitter, wallClock } from '../events.js'
import { formatPeer } from '../peer.js'
import { cancelled, connectTcp } from '../sockets.js'
import type { X509Certificate } from 'node:crypto'
import type { Channel } from '../channel/channel.js'
import type { Apparatus, Clock, Emit, OnEvent } from '../events.js'
import type { MessageName, MessageOf } from '../message/index.js'
import type { Local, Peer } from '../peer.js'
import type { KeyPair } from './keys.js'

export interface AuthorityClientOptions {
  /** Of the CA; the port is 1210 when absent. */
  readonly authority: { readonly address: string, readonly port?: number }
  /** Which one asks. */
  readonly apparatus: Extract<Apparatus, '101' | '102' | '103'>
  /** SHA-256 of the CA certificate, hexadecimal with or without colons, if it is known. */
  readonly fingerprint?: string
  readonly from?: Local
  /** Milliseconds for each message and for the connection. */
  readonly timeout?: number
  readonly signal?: AbortSignal
  readonly onEvent?: OnEvent
  readonly clock?: Clock
}

export interface EnrolOptions extends AuthorityClientOptions {
  /** 61/62. */
  readonly keys: KeyPair
  /** What 65 is to be for: IPv4 addresses and DNS names. */
  readonly names: readonly string[]
  /** What the CA and this server know beforehand; see proof.ts. */
  readonly secret?: string
}

export interface Enrolment {
  /** 65. */
  readonly certificate: X509Certificate
  /** The CA's. */
  readonly authority: X509Certificate
}

/** Gets the CA certificate (55). @throws EndpointError when none comes, or it is not one that may be trusted */
export async function fetchAuthority(options: AuthorityClientOptions): Promise<X509Certificate> {
  return await visit(options, 'close', async visit => visit.trust(await visit.authority(), options.fingerprint === undefined ? 'trusted-on-first-use' : 'pinned'))
}

/**
 * Gets certificate 65 for the server's key, and the CA certificate, and checks both.
 * @throws EndpointError when the CA refuses or is not to be trusted, EncodeError when a name is none or the secret too short
 */
export async function enrol(options: EnrolOptions): Promise<Enrolment> {
  const { keys, secret, fingerprint } = options, names = options.names.map(name => name.toLowerCase())
  if (secret !== undefined) checkSecret(secret)
  const request = await createRequest(keys, names)
  return await visit(options, 'closeAfterPeer', async visit => {
    const authority = await visit.authority()
    const { certificate: bytes, proof } = await visit.ask({
      name: 'certificateRequest', certificateRequest: request, ...(secret === undefined ? {} : { proof: requestProof(secret, request) }),
    }, 'certificateIssuance')
    if (secret !== undefined && !isProof(proof, issuanceProof(secret, bytes, authority.raw))) {
      throw visit.distrust('it does not prove the enrolment secret', 'check that both ends have the same one; somebody in between may have answered')
    }
    visit.trust(authority, fingerprint !== undefined ? 'pinned' : secret !== undefined ? 'proved' : 'trusted-on-first-use')
    return { certificate: visit.checked(bytes, { authority, names, publicKey: keys.publicKey }), authority }
  })
}

/** Connects to the CA for as long as `talk` takes. The CA closes first once it has answered a request. */
async function visit<T>(options: AuthorityClientOptions, end: 'close' | 'closeAfterPeer', talk: (visit: Visit) => Promise<T>): Promise<T> {
  const { authority: { address, port = AUTHORITY_PORT }, timeout = TIMEOUTS.message, from = {}, signal } = options
  const to = { address, port }
  const socket = await connectTcp('the connection to the CA', { to, from, within: timeout, signal })
  const channel = await plainChannel(socket, timeout)
  const cancel = (): void => channel.reset()
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const result = await talk(new Visit(channel, to, timeout, options))
    await channel[end]()
    return result
  } catch (error) {
    channel.reset()
    if (signal?.aborted) throw cancelled('the visit to the CA')
    if (!(error instanceof ChannelError)) throw error
    throw new EndpointError(reasonOfFault(error.fault), `CA ${formatPeer(to)}: ${error.message}`, 'check that the CA runs and is of this version', { cause: error })
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

class Visit {
  readonly #clock: Clock
  readonly #emit: Emit

  constructor(private readonly channel: Channel, private readonly to: Peer, private readonly within: number, private readonly options: AuthorityClientOptions) {
    this.#clock = options.clock ?? wallClock
    this.#emit = emitter(options.apparatus, options.onEvent, this.#clock)
  }

  /** The CA certificate, if it is one, and the right one where that is known. */
  async authority(): Promise<X509Certificate> {
    const { authority: bytes } = await this.ask({ name: 'authorityRequest' }, 'authorityCertificate')
    const certificate = readCertificate(bytes, `the certificate of CA ${formatPeer(this.to)}`), flaw = authorityFlaw(certificate, this.#clock())
    const { fingerprint } = this.options
    if (flaw !== null) throw this.at(flaw)
    if (fingerprint !== undefined && !hasFingerprint(certificate, fingerprint)) {
      throw this.distrust(`its fingerprint is ${fingerprintOf(certificate)}, not the one that was given`, 'somebody else may be answering in its place; `naptlab ca show` at the CA shows the right one')
    }
    return certificate
  }

  /** Sends a message, and gives the answer of that name. @throws EndpointError for a refusal, ChannelError */
  async ask<N extends MessageName>(message: MessageOf<'authorityRequest' | 'certificateRequest'>, wanted: N): Promise<MessageOf<N>> {
    await this.channel.send(message, this.within)
    const reply = await this.channel.receive([wanted, 'answer'], this.within) as MessageOf<N> | MessageOf<'answer'>
    if (reply.name !== 'answer') return reply as MessageOf<N>
    const { reason, detail } = verdictOf(reply as MessageOf<'answer'>)
    throw refusal(reason === 'accepted' ? 'malformed' : reason, `CA ${formatPeer(this.to)}`, detail)
  }

  trust(certificate: X509Certificate, outcome: 'pinned' | 'proved' | 'trusted-on-first-use'): X509Certificate {
    this.#emit({ event: 'authority-obtained', step: '52', subject: certificate.subject, fingerprint: fingerprintOf(certificate), outcome })
    return certificate
  }

  /** Certificate 65, if it is what was asked for. */
  checked(bytes: Uint8Array, expected: { authority: X509Certificate, names: readonly string[], publicKey: KeyPair['publicKey'] }): X509Certificate {
    const certificate = readCertificate(bytes, `the certificate that CA ${formatPeer(this.to)} issued`)
    const flaw = issuedFlaw(certificate, { ...expected, now: this.#clock() })
    if (flaw !== null) throw this.at(flaw)
    const { serialNumber, validTo } = certificate
    this.#emit({ event: 'certificate-obtained', step: '65', names: expected.names, serialNumber, validTo })
    return certificate
  }

  at({ reason, message }: EndpointError): EndpointError {
    return new EndpointError(reason, `CA ${formatPeer(this.to)}: ${message}`, '')
  }

  distrust(why: string, advice: string): EndpointError {
    return new EndpointError('certificate-untrusted', `CA ${formatPeer(this.to)} is not to be trusted: ${why}`, advice)
  }
}
