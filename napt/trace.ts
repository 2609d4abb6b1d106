// What a router did, frame by frame: the record that captures, ladders, `trace` and tests read, and its compact form, in which
// the thread that forwards hands records to the one that writes them.
import type { Explanation } from './explanation.js'
import { DROP_REASON_NAMES, type Action, type DropReason, type Side } from './verdict.js'

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

const ACTIONS: readonly TraceAction[] = ['forward', 'answer', 'drop', 'originate', 'hold', 'split']
const SIDES: readonly Side[] = ['lan', 'wan']
const NONE = 255
/** In a record's action byte. */
const WAITED = 0x80
/** time 8, action 1, reason 1, received side 1, sent side 1, lengths 4 + 4 */
const HEADER = 20

/** Records in the order they were made: their frames in one piece of memory, and what each rests on. */
export interface TraceBlock {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly explanations: readonly (Explanation | undefined)[]
}

/** Collects records in one block of memory until it is taken. */
export class TraceBuffer {
  readonly #capacity: number
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #used = 0
  #explanations: (Explanation | undefined)[] = []
  /** Records that did not fit, and by side the frames in them. */
  lost = 0
  readonly lostFrames: Record<Side, number> = { lan: 0, wan: 0 }

  /** The default holds a whole batch of 64 GSO frames, before and after; memory is used only as far as it is filled. */
  constructor(capacity = 1 << 24) {
    this.#capacity = capacity
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get isEmpty(): boolean { return this.#used === 0 }

  /** Sides and frames are null where there is no such frame. `time` in nanoseconds since 1970. */
  add(time: bigint, action: TraceAction, reason: DropReason | null, waited: boolean, receivedSide: Side | null, received: Uint8Array | null, sentSide: Side | null, sent: Uint8Array | null, explanation?: Explanation): void {
    const receivedLength = received?.length ?? 0, sentLength = sent?.length ?? 0
    if (this.#used + HEADER + receivedLength + sentLength > this.#capacity) {
      this.lost++
      if (receivedSide !== null) this.lostFrames[receivedSide]++
      if (sentSide !== null) this.lostFrames[sentSide]++
      return
    }
    const at = this.#used, view = this.#view
    view.setBigUint64(at, time)
    view.setUint8(at + 8, ACTIONS.indexOf(action) | (waited ? WAITED : 0))
    view.setUint8(at + 9, reason === null ? NONE : DROP_REASON_NAMES.indexOf(reason))
    view.setUint8(at + 10, receivedSide === null ? NONE : SIDES.indexOf(receivedSide))
    view.setUint8(at + 11, sentSide === null ? NONE : SIDES.indexOf(sentSide))
    view.setUint32(at + 12, receivedLength)
    view.setUint32(at + 16, sentLength)
    if (received !== null) this.#bytes.set(received, at + HEADER)
    if (sent !== null) this.#bytes.set(sent, at + HEADER + receivedLength)
    this.#used = at + HEADER + receivedLength + sentLength
    this.#explanations.push(explanation)
  }

  /** What was collected, for `readTrace`; the buffer begins anew. */
  take(): TraceBlock {
    const block = { bytes: this.#bytes.slice(0, this.#used), explanations: this.#explanations }
    this.#used = 0
    this.#explanations = []
    return block
  }
}

/** The records of a block that `TraceBuffer.take` gave. Their frames are views into it. */
export function * readTrace({ bytes: block, explanations }: TraceBlock): Generator<TraceRecord> {
  let nth = 0
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  for (let at = 0; at < block.length;) {
    const receivedLength = view.getUint32(at + 12), sentLength = view.getUint32(at + 16)
    const reason = view.getUint8(at + 9), receivedSide = view.getUint8(at + 10), sentSide = view.getUint8(at + 11)
    const action = view.getUint8(at + 8), body = at + HEADER, explanation = explanations[nth++]
    yield {
      time: view.getBigUint64(at),
      action: ACTIONS[action & ~WAITED],
      ...((action & WAITED) === 0 ? {} : { waited: true as const }),
      ...(reason === NONE ? {} : { reason: DROP_REASON_NAMES[reason] }),
      ...(explanation === undefined ? {} : { explanation }),
      ...(receivedSide === NONE ? {} : { received: { side: SIDES[receivedSide], frame: block.subarray(body, body + receivedLength) } }),
      ...(sentSide === NONE ? {} : { sent: { side: SIDES[sentSide], frame: block.subarray(body + receivedLength, body + receivedLength + sentLength) } }),
    }
    at = body + receivedLength + sentLength
  }
}
