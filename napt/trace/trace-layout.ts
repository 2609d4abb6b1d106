// How trace records lie in the memory between the thread that forwards and one that reads. Written by trace-ring.ts, read by
// trace-view.ts. The memory is control words, then segments; a record lies within one. When one is full, what is written goes on in
// the lowest segment that is free: as long as the reader keeps up that is one of the first few, whose memory is in the processor's
// caches, and what is never needed is never touched. A record:
//
//   header          numbers: see WORD
//   received        the frame as it came in
//   explanation     numbers (explanation-numbers.ts): all, the first few, or none; see explanationBytes
//   sent            where the frame went on, its first bytes as they were sent; where the router sent one of its own, all of that
//
// Each part begins at a multiple of eight. What goes on is rewritten in its headers alone, so the bytes behind are kept once.
import { EXPLANATION_WORDS, FACT, PASS_WORDS } from './explanation-numbers.js'
import type { TraceAction } from './trace.js'
import type { Side } from '../verdict.js'

/** Positions and lengths count in eights of bytes; a position is an offset behind the control words. */
export const UNIT = 8, UNIT_WORDS = UNIT / 4

/** Segments are as long as they can be two of; in larger memory of 256 KiB, which the second cache of a processor has room for several of. */
const SEGMENT = 1 << 18, LEAST_SEGMENTS = 2, MOST_SEGMENTS = 256
/**
 * In words. `written` is the position behind the last published record, `freed` counts the segments that the reader has left. Each
 * thread writes to a cache line of its own; behind them there is a word for each segment, 1 while it is in use.
 */
export const CONTROL = { written: 0, isAsleep: 1, freed: 16, segments: 32 } as const
/** In front of the segments. */
export const CONTROL_BYTES = (CONTROL.segments + MOST_SEGMENTS) * 4

/** Units of a segment, of which the last is kept for the filler; `capacity` in bytes, a power of two. */
export const segmentUnits = (capacity: number): number => Math.max(capacity / MOST_SEGMENTS, Math.min(SEGMENT, capacity / LEAST_SEGMENTS)) / UNIT

/** Bytes of a frame that a router may rewrite: Ethernet, and the headers of IP and transport with options, within an ICMP error twice. */
export const HEAD = 192
/** The same of a packet that took the fast path: up to TCP's checksum behind a header of IP without options. */
export const PASS_HEAD = 56

/** In words from the record's beginning. A record of no units is a filler: the next one is at the position in `facts`. */
export const WORD = { units: 0, facts: 1, receivedLength: 2, sentLength: 3, time: 4 } as const
export const HEADER_BYTES = 24

/** Bits of `facts`, and how far up its small numbers begin. A side is 1 for the LAN, 2 for the WAN, 0 for none. */
export const TRACE_FACT = { waited: 8, isPartial: 16, wentOn: 32, isPass: 1 << 18 } as const
export const TRACE_SHIFT = { action: 0, received: 6, sent: 8, reason: 10 } as const
export const ACTION_BITS = 7, SIDE_BITS = 3, NO_REASON = 255

export const ACTIONS: readonly TraceAction[] = ['forward', 'answer', 'drop', 'originate', 'hold', 'split']
export const SIDES: readonly (Side | null)[] = [null, 'lan', 'wan']

/** Bytes up to the next multiple of eight. */
export const aligned = (bytes: number): number => bytes + UNIT - 1 & -UNIT

export const PASS_BYTES = PASS_WORDS * 4, EXPLANATION_BYTES = EXPLANATION_WORDS * 4
/** What an explanation with these facts takes that is not a pass's. */
export const explanationBytes = (facts: number): number => (facts & FACT.hasMapping) === 0 ? UNIT : EXPLANATION_BYTES
