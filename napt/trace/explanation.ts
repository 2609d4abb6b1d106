// Why a router did with a frame what it did: the mapping, the filter, the state before and after, and the time that is left.
import type { Dependence } from '../behaviour/behaviour.js'
import type { TcpPhase } from '../table/tcp-state.js'
import type { Endpoint } from '../wire/address.js'

/** `none`: there was no session. `open`: there is one, of a protocol that knows no connections. */
export type SessionPhase = 'none' | 'open' | TcpPhase

/** A session that was there before the packet, in numbers: where the words about it are at hand already, these tell them apart. */
export interface KnownSession {
  /** TCP's (table/tcp-state.ts); 0 for other protocols. */
  before: number
  after: number
  /** Milliseconds. */
  timeLeftBefore: number
  timeLeft: number
}

/** Sessions of a mapping are counted no further: it may have a million. */
export const COUNTED_SESSIONS = 1000

export interface Explanation {
  readonly mapping?: {
    /** `tcp`, `udp`, `icmp`, or the number of another protocol. */
    readonly protocol: string
    readonly kind: 'dynamic' | 'static' | 'one-to-one'
    readonly lan: Endpoint
    readonly wan: Endpoint
    readonly dependence: Dependence
    /** True when this frame made it. */
    readonly isNew: boolean
  }
  readonly filter?: {
    readonly dependence: Dependence
    /** Whom the packet is from, seen from the LAN host, or to. */
    readonly remote: Endpoint
    /** Where the packet had no session yet: some of the remote endpoints that the mapping has sessions with, and how many of them there are, up to COUNTED_SESSIONS. */
    readonly sentTo: readonly Endpoint[]
    readonly sessions: number
  }
  readonly before: SessionPhase
  readonly after: SessionPhase
  /**
   * Milliseconds on the router's clock until the session lapses, before this frame and after it; where the frame has none, until
   * the mapping does.
   */
  readonly timeLeftBefore?: number
  readonly timeLeft?: number
}
