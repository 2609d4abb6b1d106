// A ladder from capture files: from one or several read to their ends in bounded memory, or from packets in memory.
import { basename } from 'node:path'
import type { CaptureStream } from '../files/capture-stream.js'
import { LINK_TYPE } from '../decode/link-layer.js'
import { LONGEST_RECORD, type CapturedPacket } from '../files/pcap.js'
import type { CaptureInterface, InterfacePacket } from '../files/pcapng/format.js'
import { StreamKeys } from '../show/stream-keys.js'
import { allOf } from '../tls/key-log.js'
import { LadderOfPackets, type PacketsLadderOptions } from './from-packets.js'
import type { Ladder } from './ladder.js'

export interface StreamLadderOptions extends Omit<PacketsLadderOptions, 'names'> {
  /** Called now and then, for who shows how far it is. */
  readonly onProgress?: () => void
}

/**
 * Reads the stream to its end. What is damaged ends it (`stream.damage`); the ladder is of what came before.
 * @param options keys beside those that the file itself brings
 * @throws CaptureFileError when it is no capture at all
 */
export async function ladderOfStream(stream: CaptureStream, options: StreamLadderOptions): Promise<Ladder> {
  const ladder = new LadderOfPackets(stream.interfaces, { ...options, names: stream.names, keys: new StreamKeys(stream, options.keys) })
  for await (const batch of stream.batches()) {
    for (const packet of batch) ladder.add(packet)
    options.onProgress?.()
  }
  return ladder.finish()
}

/**
 * Captures of the same time, such as of the two sides of a NAT, as one. An interface without a name is called as its file; frames have
 * no numbers in common, so the ladder has none. Otherwise as ladderOfStream.
 */
export async function ladderOfStreams(streams: readonly CaptureStream[], options: StreamLadderOptions): Promise<Ladder> {
  const interfaces: CaptureInterface[] = [], known = new Map<CaptureInterface, CaptureInterface>()
  const keys = allOf(streams.map(stream => new StreamKeys(stream, options.keys)))
  const readers = streams.map(stream => new Reader(stream, known, interfaces))
  for (const reader of readers) await reader.next()
  const ladder = new LadderOfPackets(interfaces, { ...options, names: new Map(streams.flatMap(stream => [...stream.names])), keys })
  for (let first = oldest(readers); first !== null; first = oldest(readers)) {
    if (first.packet !== null) ladder.add(first.packet)
    if (await first.next()) options.onProgress?.()
  }
  return ladder.finish()
}

/** Whose packet comes next; null when there are none left. */
function oldest(readers: readonly Reader[]): Reader | null {
  let found: Reader | null = null, time = 0n
  for (const reader of readers) {
    if (reader.packet === null || (found !== null && reader.packet.time >= time)) continue
    found = reader
    time = reader.packet.time
  }
  return found
}

/** Where the reading of one of several streams is. */
class Reader {
  packet: InterfacePacket | null = null
  readonly #batches: AsyncGenerator<readonly InterfacePacket[]>
  #batch: readonly InterfacePacket[] = []
  #at = 0

  constructor(private readonly stream: CaptureStream, private readonly known: Map<CaptureInterface, CaptureInterface>, private readonly interfaces: CaptureInterface[]) {
    this.#batches = stream.batches()
  }

  /** @returns true when more of the file was read */
  async next(): Promise<boolean> {
    let isRead = false
    while (this.#at >= this.#batch.length) {
      const more = await this.#batches.next()
      isRead = true
      if (more.done === true) {
        this.packet = null
        return isRead
      }
      this.#batch = more.value
      this.#at = 0
    }
    const packet = this.#batch[this.#at++]
    this.packet = { ...packet, number: 0, interface: this.#renumbered(packet.interface) }
    return isRead
  }

  #renumbered(from: CaptureInterface): CaptureInterface {
    const known = this.known.get(from)
    if (known !== undefined) return known
    const made = { ...from, id: this.interfaces.length, name: from.name || basename(this.stream.file).replace(/\.(pcap|pcapng|cap)$/, '') }
    this.known.set(from, made)
    this.interfaces.push(made)
    return made
  }
}

/** From packets that are in memory, by the name of the interface that saw them: `104a-lan`, `101`, or what the file was called. Otherwise as ladderOfStreams. */
export function ladderOfCaptures(captures: ReadonlyMap<string, readonly (CapturedPacket & Partial<InterfacePacket>)[]>, options: PacketsLadderOptions): Ladder {
  const lists = [...captures].map(([name, packets], id): InterfacePacket[] => {
    const { linkType = LINK_TYPE.ethernet, snapLength = LONGEST_RECORD, description = '' } = packets.at(0)?.interface ?? {}
    const only = { id, name, description, linkType, snapLength }
    return packets.map(packet => ({ direction: null, packetId: null, comment: '', ...packet, interface: only, number: 0 }))
  })
  const packets = lists.flat().sort((a, b) => a.time < b.time ? -1 : Number(a.time > b.time))
  const ladder = new LadderOfPackets([...new Set(packets.map(packet => packet.interface))], options)
  for (const packet of packets) ladder.add(packet)
  return ladder.finish()
}
