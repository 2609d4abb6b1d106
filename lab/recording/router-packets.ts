// A router's trace as packets of a capture file: what it received and what it sent, at which side, tied together by a number,
// with the verdict in words beside the packet that it is about.
import type { Direction } from '../../captures/files/pcapng/format.js'
import type { TraceRecord } from '../../napt/trace/trace.js'
import type { Side } from '../../napt/verdict.js'
import { verdictComment } from './verdict-comment.js'

export interface RouterPacket {
  readonly side: Side
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly bytes: Uint8Array
  /** As the router's interface saw it. */
  readonly direction: Direction
  /** Of this router: the same for a packet as it came in and as it went out. */
  readonly packetId: number
  readonly comment: string
  /** What becomes of it is told later, by a LateVerdict. */
  readonly isHeld: boolean
}

/** The last word on a packet that was held, and did not go on as it was. */
export interface LateVerdict { readonly packetId: number, readonly comment: string }

/** Frames that wait for ARP whose number is remembered; the router itself keeps fewer. */
export const MOST_HELD = 1024

export class RouterPackets {
  #lastId: number
  /** Numbers of frames that wait, by their bytes: the same ones may wait more than once, and go on in their order. */
  readonly #held = new Map<string, number[]>()

  /** @param router its name; numbers of routers of different names differ (21 bits of the name's hash are in front of 32 that count) */
  constructor(private readonly router: string) { this.#lastId = (hash(router) >>> 11) * 2 ** 32 }

  /**
   * None to two. The verdict stands beside the packet as it was received; beside the sent one where none was, or where it had
   * to wait for ARP, so that its own was written before there was a verdict.
   */
  of(record: TraceRecord): { readonly packets: readonly RouterPacket[], readonly late: LateVerdict | null } {
    const { time, action, waited = false, received, sent } = record
    const packetId = waited && received !== undefined ? this.#takeHeld(received.frame) : this.newId()
    const isFirstSight = received !== undefined && !waited
    if (received !== undefined && action === 'hold') this.#hold(received.frame, packetId)
    const comment = verdictComment(record, this.router)
    const packets: RouterPacket[] = []
    if (isFirstSight) packets.push({ side: received.side, time, bytes: received.frame, direction: 'inbound', packetId, comment, isHeld: action === 'hold' })
    if (sent === undefined) return { packets, late: waited && action !== 'hold' ? { packetId, comment } : null }
    // An answer is a packet of the router's own; what it answers is another.
    const isAnswer = action === 'answer'
    const beside = isAnswer ? verdictComment({ time, action: 'originate', sent }, this.router) : isFirstSight ? '' : comment
    packets.push({ side: sent.side, time, bytes: sent.frame, direction: 'outbound', packetId: isAnswer ? this.newId() : packetId, comment: beside, isHeld: false })
    return { packets, late: null }
  }

  /** For a packet that is written without `of`. */
  newId(): number { return ++this.#lastId }

  #hold(frame: Uint8Array, id: number): void {
    for (const oldest of this.#held.keys()) {
      if (this.#held.size < MOST_HELD) break
      this.#held.delete(oldest)
    }
    const key = keyOf(frame), same = this.#held.get(key)
    if (same === undefined) this.#held.set(key, [id])
    else if (same.length < MOST_HELD) same.push(id)
  }

  #takeHeld(frame: Uint8Array): number {
    const key = keyOf(frame), same = this.#held.get(key), id = same?.shift()
    if (same?.length === 0) this.#held.delete(key)
    return id ?? this.newId()
  }
}

const keyOf = (frame: Uint8Array): string => Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('latin1')

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}
