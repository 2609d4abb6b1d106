// What the relay server does with connections that are logged in: demands from (6) to (9), the data of (15) to (18), the end of
// a communication, (19) to (21). Every move of a connection from one state (leg.ts) to another is here.
//
// A demand is kept until somebody knows how it ends: the demanded terminal by (8), a timer, or the loss of either connection.
// Data goes from one terminal's reader straight to the other's connection, which is waited for while it has no room: so order
// is kept, and a terminal that reads slowly holds back the one that sends, not the server's memory.
import { ChannelError } from '../channel/channel.js'
import { coded, describe, sentenceOf } from '../answers.js'
import { Demand } from './leg.js'
import type { Verdict } from '../answers.js'
import type { Emit } from '../events.js'
import type { MessageOf } from '../message/index.js'
import type { Directory } from './directory.js'
import type { Leg } from './leg.js'

export interface SwitchboardTimeouts {
  readonly message: number
  readonly vacancy: number
  readonly decision: number
}

export class Switchboard {
  readonly #directory: Directory
  readonly #timeouts: SwitchboardTimeouts
  readonly #emit: Emit
  #relayed = 0

  constructor(directory: Directory, timeouts: SwitchboardTimeouts, emit: Emit) {
    this.#directory = directory
    this.#timeouts = timeouts
    this.#emit = emit
  }

  /** Data that was relayed since the start, bytes, both ways. */
  get relayed(): number {
    return this.#relayed
  }

  /** (6). Asks the user's terminal as soon as one of its connections is vacant. */
  demand(leg: Leg, to: string): void {
    // It cannot be used for two at once; the notification came first, and the terminal demands again on another connection.
    if (leg.state.kind === 'asked') {
      leg.tell({ name: 'demandResult', ...coded({ reason: 'crossed', detail: '' }) }, this.#timeouts.message)
      return
    }
    const demand = new Demand(leg, to)
    this.#emit({ event: 'demanded', step: '(6)', userId: leg.userId, to, connection: leg.number })
    leg.state = { kind: 'demanding', demand }
    if (to === leg.userId) this.#conclude(demand, { reason: 'own-user', detail: '' })
    else this.#seek(demand)
  }

  /** For a vacant connection of the user, now or soon. */
  #seek(demand: Demand): void {
    const { to } = demand
    clearTimeout(demand.timer)
    if (!this.#directory.has(to)) {
      this.#conclude(demand, { reason: 'user-offline', detail: to })
      return
    }
    const target = this.#directory.vacantLeg(to)
    if (target) {
      this.#ask(demand, target)
      return
    }
    this.#directory.wait(demand)
    demand.timer = setTimeout(() => this.#conclude(demand, { reason: 'no-vacant-connection', detail: to }), this.#timeouts.vacancy)
  }

  /** (8). False when nothing was asked on this connection. */
  answer(leg: Leg, verdict: Verdict): boolean {
    if (leg.state.kind !== 'asked') return false
    const { demand } = leg.state
    if (verdict.reason === 'accepted' && !demand.isOver) {
      this.#join(demand, leg)
    } else if (verdict.reason === 'accepted') {
      // Whoever demanded has gone or been told of a time-out: the connection is ended as one that was used.
      leg.state = { kind: 'ending' }
      leg.tell({ name: 'termination', sentence: 'the demand is over' })
    } else {
      this.#conclude(demand, verdict)
      this.vacate(leg)
    }
    return true
  }

  /** (15) to (18). False when the connection is in no communication. */
  async pass(leg: Leg, message: MessageOf<'relayData' | 'relayEnd'>): Promise<boolean> {
    if (leg.state.kind === 'ending') return true // it was on its way when the other terminal ended
    if (leg.state.kind !== 'joined') return false
    const bytes = message.name === 'relayData' ? message.relayed.length : 0
    leg.sent += bytes
    this.#relayed += bytes
    try {
      await leg.state.peer.channel.send(message)
    } catch (error) {
      if (!(error instanceof ChannelError)) throw error // the peer's own reader finds out, and ends the communication
    }
    return true
  }

  /** (19). False when the connection is in no communication. */
  terminate(leg: Leg, sentence = ''): boolean {
    if (leg.state.kind === 'ending') return true // both ended at the same time
    if (leg.state.kind !== 'joined') return false
    const { peer } = leg.state
    leg.state = peer.state = { kind: 'ending' }
    // No limit: a terminal that reads slowly may have much before it.
    peer.tell({ name: 'termination', ...sentenceOf(sentence) })
    this.#emit({
      event: 'communication-ended', step: '(19)', userId: leg.userId, to: peer.userId, sent: leg.sent, received: peer.sent, message: sentence || `ended by ${leg.userId}`,
    })
    return true
  }

  /** (21). False when the connection is not one that waits to be released. */
  release(leg: Leg): boolean {
    if (leg.state.kind !== 'ending') return false
    this.#emit({ event: 'released', step: '(21)', userId: leg.userId, connection: leg.number })
    this.vacate(leg)
    return true
  }

  /** The connection is free: for the demand that has waited longest, if one does. */
  vacate(leg: Leg): void {
    leg.state = { kind: 'vacant' }
    const demand = this.#directory.nextWaiting(leg.userId)
    if (demand) this.#ask(demand, leg)
  }

  /** The connection is lost or logged out: it is in no list any more, and what still comes on it means nothing. */
  drop(leg: Leg, why: string): void {
    const { state } = leg
    if (state.kind === 'gone') return
    const disappointed = this.#directory.remove(leg)
    if (state.kind === 'joined') this.terminate(leg, `the connection of ${leg.userId} ended: ${why}`)
    else if (state.kind === 'demanding') this.#forget(state.demand)
    leg.state = { kind: 'gone' }
    // It may have been closed as one too many, just when (7) went.
    if (state.kind === 'asked' && !state.demand.isOver) this.#seek(state.demand)
    for (const demand of disappointed) this.#conclude(demand, { reason: 'user-offline', detail: demand.to })
  }

  /** (7). */
  #ask(demand: Demand, target: Leg): void {
    this.#directory.stopWaiting(demand)
    clearTimeout(demand.timer)
    demand.asked = target
    target.state = { kind: 'asked', demand }
    target.tell({ name: 'demandNotification', userId: demand.demander.userId }, this.#timeouts.message)
    demand.timer = setTimeout(() => this.#conclude(demand, { reason: 'user-silent', detail: demand.to }), this.#timeouts.decision)
  }

  #join(demand: Demand, target: Leg): void {
    const { demander } = demand
    this.#forget(demand)
    target.state = { kind: 'joined', peer: demander }
    demander.state = { kind: 'joined', peer: target }
    demander.sent = target.sent = 0
    this.#finish(demand, { reason: 'accepted', detail: '' }, [demander.number, target.number])
  }

  /** Ends a demand that did not come to a communication; nothing when it has ended. */
  #conclude(demand: Demand, verdict: Verdict): void {
    if (demand.isOver) return
    this.#forget(demand)
    this.#finish(demand, verdict)
    this.vacate(demand.demander)
  }

  /** (9). */
  #finish({ demander, to }: Demand, verdict: Verdict, connections?: readonly number[]): void {
    this.#emit({
      event: 'demand-ended', step: '(9)', userId: demander.userId, to, outcome: verdict.reason, message: describe(verdict),
      ...(connections ? { connections } : {}),
    })
    demander.tell({ name: 'demandResult', ...coded(verdict) }, this.#timeouts.message)
  }

  #forget(demand: Demand): void {
    demand.isOver = true
    clearTimeout(demand.timer)
    this.#directory.stopWaiting(demand)
  }
}
