// How a trace record lies in the memory of a ring: a header of numbers, then frames. Written by trace-ring.ts, read by
// trace-reader.ts, perhaps in another thread.
//
//   header          numbers: see WORD
//   sent head       where the frame went on: its first bytes, at most HEAD, as they were sent
//   received        the frame as it came in
//   sent            a frame of the router's own, where it sent one
//
// Each part begins at a multiple of eight. What goes on is rewritten in its headers alone, so the bytes behind HEAD are kept once.
import { EXPLANATION_WORDS } from './explanation-numbers.js'
import type { TraceAction } from './trace.js'
import type { Side } from '../verdict.js'

/** Positions and lengths in a ring count in eights of bytes. */
export const UNIT = 8
/** In front of the records: the ring's control words. */
export const CONTROL_BYTES = 128
/** Far apart, so that the two threads do not take a cache line from each other. Positions count on and on, modulo 2^32. */
export const CONTROL = { written: 0, isAsleep: 1, read: 16 } as const

/** Bytes of a frame that a router may rewrite: Ethernet, and the headers of IP and transport with options, within an ICMP error twice. */
export const HEAD = 192

/** In words from the record's beginning. A record of no units says that the next one is at the memory's beginning. */
export const WORD = { units: 0, facts: 1, receivedLength: 2, sentLength: 3, time: 4, explanation: 6 } as const
export const HEADER_BYTES = (WORD.explanation + EXPLANATION_WORDS) * 4

/** Bits of `facts`, and how far up its small numbers begin. A side is 1 for the LAN, 2 for the WAN, 0 for none. */
export const TRACE_FACT = { waited: 8, isPartial: 16, wentOn: 32 } as const
export const TRACE_SHIFT = { action: 0, received: 6, sent: 8, reason: 10 } as const
export const ACTION_BITS = 7, SIDE_BITS = 3, NO_REASON = 255

export const ACTIONS: readonly TraceAction[] = ['forward', 'answer', 'drop', 'originate', 'hold', 'split']
export const SIDES: readonly (Side | null)[] = [null, 'lan', 'wan']

/** Bytes up to the next multiple of eight. */
export const aligned = (bytes: number): number => bytes + UNIT - 1 & -UNIT
