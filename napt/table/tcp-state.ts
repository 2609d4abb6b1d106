// What a NAT has to know of a TCP connection: which SYN, FIN and RST it has seen, from which side. Enough to tell an opening,
// an established and a closing connection apart (RFC 5382 §5, RFC 7857 §2), and no more: sequence numbers are the ends' affair.
import { FLAG } from '../wire/tcp.js'

/** Bits of a session's state. "Out" is from the LAN. */
export const SEEN = { synOut: 1, synIn: 2, finOut: 4, finIn: 8, reset: 16 } as const

export type TcpPhase = 'opening' | 'established' | 'closing' | 'closed'

/** The state after a segment with `flags`, sent from the LAN if `outbound`. A SYN after the end begins anew. */
export function nextState(state: number, flags: number, outbound: boolean): number {
  if ((flags & FLAG.rst) !== 0) return state | SEEN.reset
  if ((flags & FLAG.syn) !== 0) {
    const over = (state & SEEN.reset) !== 0 || (state & (SEEN.finOut | SEEN.finIn)) === (SEEN.finOut | SEEN.finIn)
    return (over ? 0 : state) | (outbound ? SEEN.synOut : SEEN.synIn)
  }
  if ((flags & FLAG.fin) !== 0) return state | (outbound ? SEEN.finOut : SEEN.finIn)
  return state
}

export function phase(state: number): TcpPhase {
  if ((state & SEEN.reset) !== 0 || (state & (SEEN.finOut | SEEN.finIn)) === (SEEN.finOut | SEEN.finIn)) return 'closed'
  if ((state & (SEEN.finOut | SEEN.finIn)) !== 0) return 'closing'
  return (state & (SEEN.synOut | SEEN.synIn)) === (SEEN.synOut | SEEN.synIn) ? 'established' : 'opening'
}
