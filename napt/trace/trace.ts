// What a router did, frame by frame: the record that captures, ladders, `trace` and tests read. trace-layout.ts has its compact
// form, in which the thread that forwards hands it on.
import type { Explanation } from './explanation.js'
import type { Action, DropReason, Side } from '../verdict.js'

/**
 * `originate`: nothing came in; the router spoke of its own accord (ARP request, ICMP error), or this is a piece of the packet
 * in the `split` record before it. A frame that waits has two
 * records: `hold` when it comes in, and what became of it when the wait is over, with `waited`.
 */
export type TraceAction = Action | 'originate'

export interface TraceRecord {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly action: TraceAction
  readonly reason?: DropReason
  /** True: the frame came in earlier, at the time of its `hold` record. */
  readonly waited?: true
  /** What it rests on, where a mapping, a filter or a session had a part in it. */
  readonly explanation?: Explanation
  /** The frame as it came in; absent for `originate`. */
  readonly received?: { readonly side: Side, readonly frame: Uint8Array }
  /** The frame as it went out, if one did. */
  readonly sent?: { readonly side: Side, readonly frame: Uint8Array }
}
