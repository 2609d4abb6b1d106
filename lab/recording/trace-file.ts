// The capture file of a router, NAME.pcapng, made of its trace: both sides, every frame that it handled, with the verdict in words.
// Most records are of packets that were forwarded in a session that was known: they go from the ring's memory into the file's with no
// object between, and their words are mostly at hand (comment-cache.ts). All others are taken as TraceRecords.
import { LINK_TYPE } from '../../captures/decode/link-layer.js'
import { BulkPcapngWriter } from '../../captures/files/pcapng/bulk-writer.js'
import type { Direction } from '../../captures/index.js'
import { wallTime } from '../../napt/clock.js'
import type { KnownSession } from '../../napt/trace/explanation.js'
import { completeChecksum } from '../../napt/packet.js'
import type { TraceView } from '../../napt/trace/trace-view.js'
import type { Side } from '../../napt/verdict.js'
import type { Ipv4Address } from '../../napt/wire/address.js'
import { MOST_HELD, RouterPackets, type LateVerdict } from './router-packets.js'
import { CommentCache } from '../translate/comment-cache.js'
import { verdictComment } from './verdict-comment.js'

const SIDES: readonly Side[] = ['lan', 'wan']
const encoder = new TextEncoder()
/** Bytes that the comment on a held packet has, so that any later one fits; a longer one is cut. */
const HELD_COMMENT = 1024

/** What of a router is in its file. */
export interface RecordedRouter { readonly name: string, readonly lan: Ipv4Address, readonly wan: Ipv4Address }

export class TraceFile {
  readonly #writer: BulkPcapngWriter
  readonly #name: string
  readonly #packets: RouterPackets
  readonly #interfaces: Readonly<Record<Side, number>>
  readonly #written: Record<Side, number> = { lan: 0, wan: 0 }
  readonly #comments = new CommentCache()
  readonly #session: KnownSession = { before: 0, after: 0, timeLeftBefore: 0, timeLeft: 0 }
  /** Where in the file the comments of held packets are, by packet ID. */
  readonly #held = new Map<number, number>()
  readonly #time = new BigUint64Array(1)
  /** Low and high. */
  readonly #timeHalves = new Uint32Array(this.#time.buffer)
  /** The same as a clock stamps it: that of a batch of packets is made a 64-bit number once. */
  #seconds = 0
  #nanoseconds = 0

  private constructor(writer: BulkPcapngWriter, { name, lan, wan }: RecordedRouter) {
    this.#writer = writer
    this.#name = name
    this.#packets = new RouterPackets(name)
    const describe = (side: Side): number => writer.interface({ name: `${name}-${side}`, description: `${side.toUpperCase()} side of router ${name}`, linkType: LINK_TYPE.ethernet, snapLength: 0 })
    this.#interfaces = { lan: describe('lan'), wan: describe('wan') }
    writer.names(new Map([[wan, name], [lan, name]]))
    writer.flush()
  }

  /** @throws the system's error when the folder cannot be written */
  static async open(path: string, router: RecordedRouter): Promise<TraceFile> { return new TraceFile(await BulkPcapngWriter.open(path), router) }

  /** Adds what the router received and sent. */
  write(record: TraceView): void {
    const { receivedSide, sentSide, seconds, nanoseconds } = record
    if (seconds !== this.#seconds || nanoseconds !== this.#nanoseconds) {
      this.#seconds = seconds
      this.#nanoseconds = nanoseconds
      this.#time[0] = record.time
    }
    if (record.action === 'forward' && receivedSide !== null && sentSide !== null && !record.waited) {
      this.#writeForwarded(record, receivedSide, sentSide)
      return
    }
    const { packets, late } = this.#packets.of(record.record())
    for (const { side, bytes, direction, packetId, comment, isHeld } of packets) {
      const words = comment === '' ? null : encoder.encode(comment)
      this.#begin(side, bytes, 0, bytes.length)
      this.#end(direction, packetId, isHeld && words !== null ? padded(words) : words)
      if (isHeld) this.#expectLate(packetId)
      else this.#held.delete(packetId)
    }
    if (late !== null) this.#amend(late)
  }

  /** A packet's comment stands in the file while nobody knows yet what becomes of it; then that is written over it. */
  #expectLate(packetId: number): void {
    for (const oldest of this.#held.keys()) {
      if (this.#held.size < MOST_HELD) break
      this.#held.delete(oldest)
    }
    this.#held.set(packetId, this.#writer.commentAt)
  }

  #amend({ packetId, comment }: LateVerdict): void {
    const at = this.#held.get(packetId)
    if (at !== undefined) this.#writer.amend(at, padded(encoder.encode(comment)))
    this.#held.delete(packetId)
  }

  /** Hands what was written so far to the system, to the end of a block. */
  flush(): void { this.#writer.flush() }
  /** Resolves when there is room for more. @throws the system's error for the file */
  ready(): Promise<void> { return this.#writer.ready() }

  /** The file is finished under its name. @param dropped frames of each side that could not be kept */
  async close(dropped: Readonly<Record<Side, number>>): Promise<void> {
    for (const side of SIDES) {
      this.#writer.statistics(this.#interfaces[side], wallTime(), { received: BigInt(this.#written[side] + dropped[side]), dropped: BigInt(dropped[side]) })
    }
    await this.#writer.close()
  }

  #writeForwarded(record: TraceView, from: Side, to: Side): void {
    const { bytes, receivedAt: start, receivedLength: length, sentHeadAt } = record, end = start + length, id = this.#packets.newId()
    const received = this.#begin(from, bytes, start, end)
    if (record.isPartial) completeChecksum(this.#writer.memory, received, received + length)
    this.#end('inbound', id, this.#commentOn(record, received, length, from, to))
    const sent = this.#begin(to, bytes, start, end)
    this.#writer.overwrite(bytes, sentHeadAt, sentHeadAt + record.sentHeadLength)
    if (record.isPartial) completeChecksum(this.#writer.memory, sent, sent + length)
    this.#end('outbound', id, null)
  }

  /** `at` is where the received frame is in the writer's memory. */
  #commentOn(record: TraceView, at: number, length: number, from: Side, to: Side): Uint8Array {
    if (from === to || !record.known(this.#session)) return this.#wordsFor(record)
    const found = this.#comments.find(this.#writer.memory, at, at + length, record.sentHead, from, this.#session, record.choices)
    if (found !== null) return found
    const words = this.#wordsFor(record)
    if (this.#comments.isKeepable) this.#comments.keep(words)
    return words
  }

  #wordsFor(record: TraceView): Uint8Array { return encoder.encode(verdictComment(record.record(), this.#name)) }

  /** Gives where the frame is in the writer's memory. */
  #begin(side: Side, bytes: Uint8Array, start: number, end: number): number {
    this.#written[side]++
    return this.#writer.begin(this.#interfaces[side], this.#timeHalves[1], this.#timeHalves[0], bytes, start, end, end - start)
  }

  #end(direction: Direction, packetId: number, comment: Uint8Array | null): void { this.#writer.end(direction, packetId, comment) }
}

/** A text of HELD_COMMENT bytes: behind its end are zeros, which readers pass over. */
function padded(text: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HELD_COMMENT)
  bytes.set(text.subarray(0, HELD_COMMENT))
  return bytes
}
