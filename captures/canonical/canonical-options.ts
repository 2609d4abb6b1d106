// What may be said of a capture that is brought to canonical form (canonical.ts).
import type { PayloadDecoder } from '../decode/payload.js'
import type { KeySource } from '../tls/key-log.js'

export interface CanonicalOptions {
  readonly decoder: PayloadDecoder
  /** Open the records of TLS connections. */
  readonly keys?: KeySource
  /** Ports that are compared although they lie where kernels choose theirs. */
  readonly ports?: readonly number[]
  /** Messages that a timer repeats, by number: how often is not compared. */
  readonly periodic?: readonly string[]
  /** Ports of TCP connections on which both ends speak when they like: no order is compared between the directions. */
  readonly bothWays?: readonly number[]
  /** Give the digests of flows in place of their entries (see flow-digest.ts). */
  readonly digests?: boolean
  /** Flows to look at, by `endsTexts`; all of them when not given. */
  readonly only?: ReadonlySet<string>
}
