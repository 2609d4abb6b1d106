// How long a session may be idle, and which packets keep it (RFC 4787 §4.3, RFC 5382 §5, RFC 7857 §2 and §7): what a packet does to
// its session's deadline and to TCP's state.
import * as layout from '../assembly/layout.js'
import type { RouterMemory } from '../router-memory.js'
import type { Behaviour, Protocol } from '../behaviour/behaviour.js'
import { FLAG } from '../wire/tcp.js'
import { PROTOCOL_CODE, type ProtocolCode } from './flow-index.js'
import { KIND, type Mappings } from './mappings.js'
import type { Sessions } from './sessions.js'
import { idleTime, nextState, TCP_STATES } from './tcp-state.js'

const NONE = -1
const TCP = PROTOCOL_CODE.tcp

/** Whose mapping, filter and refresh hold for a protocol; one without ports goes with UDP. */
export const protocolOf = (code: ProtocolCode): Protocol => code === PROTOCOL_CODE.tcp ? 'tcp' : code === PROTOCOL_CODE.icmp ? 'icmp' : 'udp'

export class Timers {
  readonly #mappings: Mappings
  readonly #sessions: Sessions
  /** Milliseconds of idleness by protocol code, and TCP's by its state. */
  readonly #idle: Float64Array
  readonly #tcpIdle: Float64Array
  /** By protocol code: 1 where a direction's packets keep a session. */
  readonly #keptByOutbound: Uint8Array
  readonly #keptByInbound: Uint8Array

  /** All of it in the router's memory: the fast path knows the times, too. */
  constructor(mappings: Mappings, sessions: Sessions, behaviour: Behaviour, memory: RouterMemory) {
    this.#idle = memory.numbers(layout.IDLE, layout.CODES)
    this.#tcpIdle = memory.numbers(layout.TCP_IDLE, TCP_STATES)
    this.#keptByOutbound = memory.bytes(layout.KEPT_OUTBOUND, layout.CODES)
    this.#keptByInbound = memory.bytes(layout.KEPT_INBOUND, layout.CODES)
    this.#mappings = mappings
    this.#sessions = sessions
    this.change(behaviour)
  }

  change({ timeouts, refresh }: Behaviour): void {
    this.#idle.set([0, 0, timeouts.udp * 1000, timeouts.icmp * 1000, timeouts.other * 1000])
    for (let state = 0; state < TCP_STATES; state++) this.#tcpIdle[state] = idleTime(state, timeouts) * 1000
    for (const code of Object.values(PROTOCOL_CODE)) {
      this.#keptByOutbound[code] = refresh[protocolOf(code)] === 'inbound' ? 0 : 1
      this.#keptByInbound[code] = refresh[protocolOf(code)] === 'outbound' ? 0 : 1
    }
  }

  /** A packet of a session that is new or was there; `tcpFlags` is 0 for other protocols. */
  packet(session: number, code: ProtocolCode, tcpFlags: number, outbound: boolean, isNew: boolean, now: number): void {
    if (code === PROTOCOL_CODE.tcp) this.#sessions.setState(session, nextState(this.#sessions.state(session), tcpFlags, outbound))
    // A RST of the host's says that it wants none of this (RFC 7857 §7.1).
    const refusal = outbound && code === PROTOCOL_CODE.tcp && (tcpFlags & FLAG.rst) !== 0
    const keeps = !refusal && this.keeps(code, outbound)
    const state = this.#sessions.state(session)
    if (!isNew || keeps || outbound) {
      this.#refresh(session, code, state, keeps || isNew, now)
    } else {
      const deadline = now + this.idleTime(code, state)
      this.#sessions.setDeadline(session, Math.min(deadline, this.#longestDeadline(session, deadline)))
    }
  }

  /** Milliseconds for which a session may be idle; `state` is TCP's. */
  idleTime(code: ProtocolCode, state: number): number { return code === TCP ? this.#tcpIdle[state] : this.#idle[code] }

  /** Whether a direction's packets keep a session. */
  keeps(code: ProtocolCode, outbound: boolean): boolean { return (outbound ? this.#keptByOutbound : this.#keptByInbound)[code] === 1 }

  #refresh(session: number, code: ProtocolCode, state: number, keeps: boolean, now: number): void {
    const deadline = now + this.idleTime(code, state)
    // What refreshes nothing can still end a connection earlier.
    if (keeps || deadline < this.#sessions.deadline(session)) this.#sessions.setDeadline(session, deadline)
  }

  /** How long the other sessions of a session's mapping keep it, where packets from the WAN keep nothing (RFC 4787 REQ-6); else `otherwise`. */
  #longestDeadline(session: number, otherwise: number): number {
    const mapping = this.#sessions.mapping(session)
    if (this.#mappings.kind(mapping) !== KIND.dynamic) return otherwise
    let longest = -Infinity
    for (let other = this.#mappings.firstSession(mapping); other !== NONE; other = this.#sessions.next(other)) {
      if (other !== session) longest = Math.max(longest, this.#sessions.deadline(other))
    }
    return longest === -Infinity ? otherwise : longest
  }
}
