// The rendezvous server (101): takes registrations by UDP, requests of issuers by TCP, and passes each request on to the
// acceptor that it names. It keeps the issuer's connection open until it knows the outcome, so that the issuer ends with a
// clear answer in every case.
//
// The server is always the end that closes the first and the second connection first: TIME_WAIT is then the server's, and
// an issuer or acceptor that uses a fixed local port (1500, 2600) can use it again at once.
import { reasonOfFault } from './errors.js'
import { ChannelError } from './channel/channel.js'
import { receiveFirst } from './channel/first-message.js'
import { answer, describe, verdictOf } from './answers.js'
import { Rendezvous, silence } from './rendezvous.js'
import { ServerGuard } from './access/server-guard.js'
import { Throttle } from './access/throttle.js'
import { pause } from './waiting.js'
import type { Verdict } from './answers.js'
import type { Channel } from './channel/channel.js'
import type { Level } from './defaults.js'
import type { Peer } from './peer.js'
import type { Message, MessageOf } from './message/index.js'
import type { PendingRequest } from './pending.js'
import type { EquipmentKeys } from './access/server-guard.js'
import type { ThrottleOptions } from './access/throttle.js'
import type { EquipmentRow } from './registry.js'
import type { Numbering, RendezvousOptions, Service } from './rendezvous.js'

export interface ServerOptions extends RendezvousOptions {
  readonly level?: Level
  /** Whose registrations are taken: those authenticated with a key that is known here. When absent, anybody's. */
  readonly equipment?: EquipmentKeys
  /** Milliseconds by which the clocks of an equipment and of this machine may differ. */
  readonly tolerance?: number
  /** The time of day for that, milliseconds since the epoch. */
  readonly timeOfDay?: () => number
}

/** Requests with a wrong password from one address: so many at once, then one in each interval. Within 102's patience (TIMEOUTS.request). */
const GUESSES: ThrottleOptions = { burst: 4, interval: 3000, limit: 3000 }

export interface RendezvousServer {
  /** Where registrations go, by UDP. */
  readonly registrations: Peer
  /** Where issuers connect. */
  readonly issuers: Peer
  /** Where acceptors connect; null at level 1, which has no second connection. */
  readonly acceptors: Peer | null
  /** The equipment list of Fig. 9. */
  list(): EquipmentRow[]
  /** Ends every connection and frees the ports. */
  close(): Promise<void>
}

const NUMBERING: Numbering = { apparatus: '101', registered: { first: 'S202', again: 'S202A' }, lookedUp: 'S204' }

type Request = MessageOf<'request'>

/** @throws EndpointError when one of the ports cannot be bound; none is then left open */
export async function startServer(options: ServerOptions = {}): Promise<RendezvousServer> {
  const { level = 3, equipment, tolerance, timeOfDay } = options
  const guard = equipment === undefined ? null
    : new ServerGuard({ keys: equipment, ...(tolerance === undefined ? {} : { tolerance }), ...(timeOfDay === undefined ? {} : { now: timeOfDay }) })
  const rendezvous = await Rendezvous.open<Request>(options, NUMBERING, level > 1, guard)
  rendezvous.serve(new Server(rendezvous, level))
  return rendezvous
}

class Server implements Service {
  readonly #guesses = new Throttle(GUESSES)

  constructor(private readonly rendezvous: Rendezvous<Request>, private readonly level: Level) {}

  /** 201, and at level 1 the acceptor's report. */
  onDatagram(message: Message, from: Peer, bytes: number): boolean {
    if (message.name === 'registration') this.rendezvous.registerGuarded(message, from, bytes)
    else if (message.name === 'answer' && this.level === 1) this.rendezvous.onReport(message, from)
    else return false
    return true
  }

  /** The first connection. */
  async serveIssuer(channel: Channel): Promise<void> {
    const { emit, timeouts } = this.rendezvous
    const request = await receiveFirst(channel, ['request'], timeouts.message)
    const { equipmentId, address, port } = request
    emit({ event: 'request-received', equipmentId, reachedAt: { address, port }, ...channel.peer })
    const verdict = this.level < 3 ? await this.#settle(request, channel) : await this.#settleInTurn(request, channel)
    if (!verdict) {
      emit({ event: 'request-ended', equipmentId, outcome: 'withdrawn', message: 'the issuer closed the first connection' })
      return
    }
    emit({ event: 'request-ended', equipmentId, outcome: verdict.reason, message: describe(verdict) })
    await channel.send(answer(verdict), timeouts.message)
  }

  /**
   * Makes an address wait from which wrong passwords have come. A request that was withdrawn counts as one: who guesses right sees the
   * acceptor connect, and needs no answer. The address is a TCP peer's, so nobody can have another one slowed.
   */
  async #settleInTurn(request: Request, issuer: Channel): Promise<Verdict | null> {
    const { clock, stopping } = this.rendezvous
    const { peer: { address } } = issuer
    const turn = this.#guesses.turn(address, clock())
    if (turn === null) return { reason: 'slowed', detail: '' }
    if (turn.wait > 0) await pause(turn.wait, stopping)
    const verdict = await this.#settle(request, issuer)
    turn.settle(verdict === null || verdict.reason === 'wrong-password', clock())
    return verdict
  }

  /** The outcome of a request, or null when the issuer went away before there was one. */
  async #settle(request: Request, issuer: Channel): Promise<Verdict | null> {
    const { equipmentId } = request
    if (!this.rendezvous.lookUp(equipmentId)) return { reason: 'unknown-equipment', detail: equipmentId }
    if (this.level === 3 && request.password === undefined) return { reason: 'password-required', detail: '' }
    const pending = this.rendezvous.pending.add(request)
    if (!pending) return { reason: 'busy', detail: '' }
    return await this.rendezvous.unlessGone(pending, issuer, this.level === 1 ? this.#forwardByUdp(pending) : this.#forwardByTcp(pending))
  }

  // --- to the acceptor ----------------------------------------------------------------------------------------------

  /** Levels 2 and 3: 205, and 226 on the connection that the acceptor then makes. */
  async #forwardByTcp(pending: PendingRequest<Request>): Promise<Verdict | null> {
    const { emit, timeouts } = this.rendezvous
    const { equipmentId, token, address, port, password, connectionKey, transport } = pending.request
    const second = await this.rendezvous.repeat(pending, { name: 'notification', notification: true, token }, pending.second.promise, (to, attempt) =>
      emit({ event: 'notified', step: '205', equipmentId, attempt, ...to }))
    if (typeof second === 'number') return pending.cancelled ? null : silence(second)
    try {
      const secret = this.level === 3 && password !== undefined ? { password } : {}
      const data = { ...(connectionKey === undefined ? {} : { connectionKey }), ...(transport === undefined ? {} : { transport }) }
      await second.send({ name: 'forwardedRequest', ...secret, address, port, token, ...data }, timeouts.message)
      emit({ event: 'request-forwarded', transport: 'tcp', equipmentId, attempt: 1, ...second.peer })
      return verdictOf(await second.receive(['answer'], timeouts.report))
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error
      if (!pending.cancelled) this.rendezvous.reject(reasonOfFault(error.fault), error.message, second.peer)
      return { reason: error.fault === 'timed-out' ? 'timed-out' : 'gone-silent', detail: error.message }
    } finally {
      // Not awaited: the issuer need not wait until the acceptor has closed its side too.
      this.rendezvous.track(second.close())
    }
  }

  /** Level 1: 226 itself goes to the registered address, in the clear and without a password. */
  #forwardByUdp(pending: PendingRequest<Request>): Promise<Verdict | null> {
    const { equipmentId, token, address, port, transport } = pending.request
    const request = { name: 'forwardedRequest', address, port, token, ...(transport === undefined ? {} : { transport }) } as const
    return this.rendezvous.forwardByUdp(pending, request, (to, attempt) =>
      // Only the first of the repeats is the step.
      this.rendezvous.emit({ event: 'request-forwarded', ...(attempt === 1 ? { step: 'S206' } : {}), transport: 'udp', equipmentId, attempt, ...to }))
  }
}
