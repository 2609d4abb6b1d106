// The CA (51) as a network program: hands out its certificate (55) to whoever asks, and issues certificates (54) for requests (63)
// that its policy allows. One connection is one visit: the CA certificate, then one request. The CA closes it when it has answered.
import { ChannelError } from '../channel/channel.js'
import { plainChannel } from '../channel/socket-channel.js'
import { Connections } from '../connections.js'
import { AUTHORITY_PORT, TIMEOUTS } from '../defaults.js'
import { EndpointError, reasonOfFault } from '../errors.js'
import { emitter, wallClock } from '../events.js'
import { answer, describe } from '../answers.js'
import { formatPeer } from '../peer.js'
import { addressOf, listenTcp, stopListening } from '../sockets.js'
import { issueCertificate } from './authority.js'
import { Policy } from './policy.js'
import { issuanceProof } from './proof.js'
import { Objection, readRequest } from './request.js'
import type { X509Certificate } from 'node:crypto'
import type { Server as TcpServer, Socket } from 'node:net'
import type { Channel } from '../channel/channel.js'
import type { FailureReason } from '../errors.js'
import type { Clock, Emit, OnEvent } from '../events.js'
import type { MessageOf } from '../message/index.js'
import type { Peer } from '../peer.js'
import type { Authority } from './authority.js'
import type { Allowance } from './policy.js'
import type { CertificateRequest } from './request.js'

export interface AuthorityServerOptions {
  readonly authority: Authority
  /** Whom it certifies. */
  readonly allow: readonly Allowance[]
  /** What requests have to prove then, from whatever address; see proof.ts. */
  readonly secret?: string
  /** Of the certificates, milliseconds; a year when absent. */
  readonly lifetime?: number
  /** Of this machine; all of its addresses when absent. */
  readonly address?: string
  /** 0 lets the system choose; 1210 when absent. */
  readonly port?: number
  /** TCP connections; more are closed at once. */
  readonly maxConnections?: number
  /** Milliseconds for one message. */
  readonly timeout?: number
  readonly onEvent?: OnEvent
  readonly clock?: Clock
}

export interface AuthorityServer {
  readonly address: Peer
  /** Ends every connection and frees the port. */
  close(): Promise<void>
}

/** @throws EndpointError when the port cannot be bound, EncodeError when the policy is none */
export async function startAuthorityServer(options: AuthorityServerOptions): Promise<AuthorityServer> {
  const { address, port = AUTHORITY_PORT, maxConnections = 64, allow, secret } = options
  const policy = new Policy(allow, secret ?? null)
  const listener = await listenTcp('TCP port for certificate requests', { port, ...(address === undefined ? {} : { address }) }, maxConnections)
  return new Server(listener, policy, options)
}

class Server implements AuthorityServer {
  readonly address: Peer
  readonly #listener: TcpServer
  readonly #policy: Policy
  readonly #options: AuthorityServerOptions
  readonly #within: number
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #connections = new Connections()
  #closed: Promise<void> | null = null

  constructor(listener: TcpServer, policy: Policy, options: AuthorityServerOptions) {
    this.#listener = listener
    this.#policy = policy
    this.#options = options
    this.#within = options.timeout ?? TIMEOUTS.message
    this.#clock = options.clock ?? wallClock
    this.#emit = emitter('51', options.onEvent, this.#clock)
    this.address = addressOf(listener)
    this.#emit({ event: 'listening', transport: 'tcp', purpose: 'certificate requests', ...this.address })
    listener.on('connection', socket => this.#connections.take(socket, this.#serve(socket)))
    listener.on('drop', data => this.#reject('too-many-connections', 'too many connections are open; this one was closed', {
      address: data?.remoteAddress ?? '', port: data?.remotePort ?? 0,
    }))
    listener.on('error', error => this.#emit({ event: 'error', reason: 'listen-failed', message: error.message }))
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end(): Promise<void> {
    await Promise.all([stopListening(this.#listener), this.#connections.end()])
    this.#emit({ event: 'stopped' })
  }

  async #serve(socket: Socket): Promise<void> {
    const channel = await plainChannel(socket, this.#within)
    let hasCome = false
    try {
      const first = await channel.receive(['authorityRequest', 'certificateRequest'], this.#within)
      if (first.name === 'authorityRequest') await this.#handOut(channel)
      hasCome = true
      await this.#answer(channel, first.name === 'certificateRequest' ? first : await channel.receive(['certificateRequest'], this.#within))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      // Who has the CA certificate goes, with or without a good-bye.
      const isVisit = hasCome && (error.fault === 'closed' || error.fault === 'lost')
      if (!isVisit) await this.#fail(channel, error)
    }
    await channel.close()
  }

  /** 55. */
  async #handOut(channel: Channel): Promise<void> {
    await channel.send({ name: 'authorityCertificate', authority: this.#options.authority.certificate.raw }, this.#within)
    this.#emit({ event: 'authority-handed-out', ...channel.peer })
  }

  /** 63, and 54 or a refusal. */
  async #answer(channel: Channel, { certificateRequest: der, proof }: MessageOf<'certificateRequest'>): Promise<void> {
    const request = await this.#judge(der, proof, channel.peer)
    const issued = request instanceof Objection ? request : await this.#issue(request)
    if (issued instanceof Objection) {
      this.#reject(issued.reason, describe(issued), channel.peer)
      await channel.send(answer(issued), this.#within)
      return
    }
    const { secret } = this.#policy, { certificate } = this.#options.authority
    await channel.send({
      name: 'certificateIssuance', certificate: issued.raw, ...(secret === null ? {} : { proof: issuanceProof(secret, issued.raw, certificate.raw) }),
    }, this.#within)
  }

  async #judge(der: Uint8Array, proof: string | undefined, from: Peer): Promise<CertificateRequest | Objection> {
    const request = await readRequest(der)
    if (request instanceof Objection) return request
    this.#emit({ event: 'certificate-requested', names: request.names, ...from })
    return this.#policy.objection(request, der, proof, from.address) ?? request
  }

  async #issue(request: CertificateRequest): Promise<X509Certificate | Objection> {
    const { authority, lifetime } = this.#options
    try {
      const issued = await issueCertificate(authority, request, { now: this.#clock(), ...(lifetime === undefined ? {} : { lifetime }) })
      this.#emit({ event: 'certificate-issued', step: '64', names: request.names, serialNumber: issued.serialNumber, validTo: issued.validTo })
      return issued
    } catch (error) {
      if (!(error instanceof EndpointError)) throw error
      return new Objection('authority-invalid', '')
    }
  }

  // --- refusing -----------------------------------------------------------------------------------------------------

  /** What comes is no visit: whoever sends it is told, if it still listens. */
  async #fail(channel: Channel, { fault, message }: ChannelError): Promise<void> {
    this.#reject(reasonOfFault(fault), message, channel.peer)
    if (fault !== 'malformed' && fault !== 'timed-out') return
    await channel.send(answer({ reason: 'malformed', detail: message }), this.#within).catch((error: unknown) => {
      if (!(error instanceof ChannelError)) throw error
    })
  }

  #reject(reason: FailureReason, sentence: string, from: Peer): void {
    this.#emit({ event: 'error', reason, message: `${formatPeer(from)}: ${sentence}`, ...from })
  }
}
