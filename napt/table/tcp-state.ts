// What a NAT has to know of a TCP connection: which SYN, FIN and RST it has seen, from which side. Enough to tell an opening,
// an established and a closing connection apart (RFC 5382 §5, RFC 7857 §2), and no more: sequence numbers are the ends' affair.
import { TCP_RESET, TCP_STATE_COUNT } from '../assembly/layout.js'
import type { Timeouts } from '../behaviour/behaviour.js'
import { FLAG } from '../wire/tcp.js'

/** Bits of a session's state. "Out" is from the LAN. */
export const SEEN = { synOut: 1, synIn: 2, finOut: 4, finIn: 8, reset: TCP_RESET } as const
const BOTH_SYNS = SEEN.synOut | SEEN.synIn, BOTH_FINS = SEEN.finOut | SEEN.finIn

/** States are 0 … 31. */
export const TCP_STATES = TCP_STATE_COUNT

export type TcpPhase = 'opening' | 'established' | 'closing' | 'closed' | 'reset'

/** The state after a segment with `flags`, sent from the LAN if `outbound`. A SYN after the end begins anew. */
export function nextState(state: number, flags: number, outbound: boolean): number {
  if ((flags & FLAG.rst) !== 0) return state | SEEN.reset
  if ((flags & FLAG.syn) !== 0) {
    const over = (state & SEEN.reset) !== 0 || (state & BOTH_FINS) === BOTH_FINS
    return (over ? 0 : state) | (outbound ? SEEN.synOut : SEEN.synIn)
  }
  // Only an end that did not get, or did not believe, the RST goes on: the connection lives (RFC 7857 §2.2, as RFC 6146 §3.5.2.2).
  const alive = state & ~SEEN.reset
  return (flags & FLAG.fin) === 0 ? alive : alive | (outbound ? SEEN.finOut : SEEN.finIn)
}

export function phase(state: number): TcpPhase {
  if ((state & SEEN.reset) !== 0) return 'reset'
  if ((state & BOTH_FINS) === BOTH_FINS) return 'closed'
  if ((state & BOTH_FINS) !== 0) return 'closing'
  return (state & BOTH_SYNS) === BOTH_SYNS ? 'established' : 'opening'
}

/** Seconds for which a connection in this state may be idle (RFC 5382 REQ-5, RFC 7857 §2). */
export function idleTime(state: number, timeouts: Timeouts): number {
  if ((state & SEEN.reset) !== 0) return timeouts.tcpReset
  // Closed by one side is established still: data goes on the other way (RFC 5382 §5, RFC 7857 Fig. 1).
  if ((state & BOTH_FINS) === BOTH_FINS) return timeouts.tcpClosing
  return (state & BOTH_SYNS) === BOTH_SYNS ? timeouts.tcpEstablished : timeouts.tcpOpening
}

/** RFC 5382 REQ-2: a SYN, with or without ACK (simultaneous open), and nothing else. */
export const opensConnection = (flags: number): boolean => (flags & FLAG.syn) !== 0 && (flags & FLAG.rst) === 0
