// The relay server of Fig. 13 (11): an acceptor registers with it (31), an issuer names that acceptor (34), the server notifies it
// (36), and when the acceptor connects (37) both TCP connections become one, through the server, for as long as it lasts.
//
// The hybrid system (JP 2003-203023) is the same server with clients that say which address they have: where both are seen at
// just that address, so that no router translates either, the server makes them known to each other and they connect directly.
// Every other pair goes through the server.
import { answer, describe } from '../answers.js'
import { receiveFirst } from '../channel/first-message.js'
import { TIMEOUTS } from '../defaults.js'
import { Rendezvous, silence } from '../rendezvous.js'
import { splice } from './splice.js'
import type { Verdict } from '../answers.js'
import type { Channel } from '../channel/channel.js'
import type { Peer } from '../peer.js'
import type { Message, MessageOf } from '../message/index.js'
import type { PendingRequest } from '../pending.js'
import type { EquipmentRow } from '../registry.js'
import type { Numbering, RendezvousOptions, Service } from '../rendezvous.js'

export interface RelayServerOptions extends RendezvousOptions {
  /** Milliseconds for which an end may take nothing while something waits for it; then both connections are reset. */
  readonly stall?: number
}

export interface RelayServer {
  /** Where registrations go, by UDP. */
  readonly registrations: Peer
  /** Where issuers connect. */
  readonly issuers: Peer
  /** Where acceptors connect. */
  readonly acceptors: Peer | null
  list(): EquipmentRow[]
  /** Ends every connection, relayed ones too, and frees the ports. */
  close(): Promise<void>
}

const NUMBERING: Numbering = { apparatus: '11', registered: { first: 'S32', again: 'S32A' }, lookedUp: 'S35' }

type Request = MessageOf<'relayRequest'>

/** @throws EndpointError when one of the ports cannot be bound; none is then left open */
export async function startRelayServer(options: RelayServerOptions = {}): Promise<RelayServer> {
  const rendezvous = await Rendezvous.open<Request>(options, NUMBERING, true)
  rendezvous.serve(new Relay(rendezvous, options.stall ?? TIMEOUTS.relay))
  return rendezvous
}

class Relay implements Service {
  constructor(private readonly rendezvous: Rendezvous<Request>, private readonly stall: number) {}

  /** 31, and the report of an acceptor that was to connect directly. */
  onDatagram(message: Message, from: Peer, bytes: number): boolean {
    if (message.name === 'relayRegistration') this.rendezvous.register(message.equipmentId, from, bytes, message.address)
    else if (message.name === 'answer') this.rendezvous.onReport(message, from)
    else return false
    return true
  }

  async serveIssuer(issuer: Channel): Promise<void> {
    const { emit, timeouts } = this.rendezvous
    const request = await receiveFirst(issuer, ['relayRequest'], timeouts.message)
    const { equipmentId } = request
    const own = ownPlace(request)
    emit({ event: 'request-received', equipmentId, ...(own ? { reachedAt: own } : {}), ...issuer.peer })
    const outcome = await this.#settle(request, issuer)
    if (outcome === null) {
      emit({ event: 'request-ended', equipmentId, outcome: 'withdrawn', message: 'the issuer closed the first connection' })
    } else if ('reason' in outcome) {
      emit({ event: 'request-ended', equipmentId, outcome: outcome.reason, message: describe(outcome) })
      await issuer.send(answer(outcome), timeouts.message)
    } else {
      await this.#relay(equipmentId, issuer, outcome)
    }
  }

  /** The acceptor's connection, or how else the request ended; null when the issuer went away before. */
  async #settle(request: Request, issuer: Channel): Promise<Channel | Verdict | null> {
    const { equipmentId } = request
    const own = ownPlace(request)
    const obstacle = (found: EquipmentRow): string | null => obstacleOf('the issuer', own?.address, issuer.peer.address) ?? obstacleOf('the acceptor', found.own, found.address)
    const says = (found: EquipmentRow): boolean => own !== null || found.own !== undefined
    const found = this.rendezvous.lookUp(equipmentId, row => says(row) ? pathOf(obstacle(row)) : '')
    if (!found) return { reason: 'unknown-equipment', detail: equipmentId }
    const pending = this.rendezvous.pending.add(request)
    if (!pending) return { reason: 'busy', detail: '' }
    if (own === null || obstacle(found) !== null) return await this.rendezvous.unlessGone(pending, issuer, this.#callIn(pending))
    await issuer.send({ name: 'direct', address: found.address, token: request.token }, this.rendezvous.timeouts.message)
    return await this.rendezvous.unlessGone(pending, issuer, this.#introduce(pending, own))
  }

  /** 36, until the acceptor connects (37). */
  async #callIn(pending: PendingRequest<Request>): Promise<Channel | Verdict | null> {
    const { token } = pending.request
    const second = await this.rendezvous.repeat(pending, { name: 'relayNotification', notification: true, token }, pending.second.promise, this.#notified(pending))
    return typeof second !== 'number' ? second : pending.cancelled ? null : silence(second)
  }

  /** 36 with the issuer's address, until the acceptor reports how its connection with the issuer went. */
  #introduce(pending: PendingRequest<Request>, { address, port }: Peer): Promise<Verdict | null> {
    const { token } = pending.request
    return this.rendezvous.forwardByUdp(pending, { name: 'relayNotification', notification: true, address, port, token }, this.#notified(pending))
  }

  #notified({ request: { equipmentId } }: PendingRequest<Request>): (to: Peer, attempt: number) => void {
    return (to, attempt) => this.rendezvous.emit({ event: 'notified', step: '36', equipmentId, attempt, ...to })
  }

  /** Both ends are told, and from then on theirs are the only words on either connection. */
  async #relay(equipmentId: string, issuer: Channel, acceptor: Channel): Promise<void> {
    const { emit, timeouts } = this.rendezvous
    try {
      const accepted = answer({ reason: 'accepted', detail: '' })
      await acceptor.send(accepted, timeouts.message)
      await issuer.send(accepted, timeouts.message)
    } catch (error) {
      acceptor.reset()
      throw error
    }
    const [first, second] = [issuer.release(), acceptor.release()]
    emit({ event: 'relay-started', equipmentId, issuer: first.peer, acceptor: second.peer })
    const relay = splice(first, second, { stall: this.stall })
    const { outcome, side, message } = await relay.ended
    const where = side === null ? '' : side === 'first' ? 'issuer: ' : 'acceptor: '
    emit({ event: 'relay-ended', equipmentId, outcome, fromIssuer: relay.bytes.first, fromAcceptor: relay.bytes.second, message: outcome === 'ended' ? '' : where + message })
    first.destroy()
    second.destroy()
  }
}

/** Where the issuer can be reached by its own word, if it says so. */
const ownPlace = ({ address, port }: Request): Peer | null => address === undefined || port === undefined ? null : { address, port }

/** Why an end cannot be met directly; null when it can. `own`: the address that it has by its own word; `seen`: the one that the server sees. */
function obstacleOf(who: 'the issuer' | 'the acceptor', own: string | undefined, seen: string): string | null {
  if (own === seen) return null
  return own === undefined ? `${who} names no address of its own` : `${who} is ${own} behind ${seen}`
}

const pathOf = (obstacle: string | null): string =>
  obstacle === null ? 'direct: both have global addresses' : `through the server: ${obstacle}`
