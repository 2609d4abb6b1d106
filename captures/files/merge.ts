// One capture file out of several that were recorded at the same time: packets in order of time, every interface once, names and
// keys in front, what was lost at the end, and one number for the copies of one packet. Works in bounded memory however long the
// files are.
import type { Ipv4Address } from '../../napt/wire/address.js'
import { CaptureStream } from './capture-stream.js'
import { PacketIds, type RecordedPacket } from './packet-ids.js'
import type { CaptureFileError } from './pcap.js'
import type { CaptureInterface, InterfacePacket } from './pcapng/format.js'
import { PcapngWriter } from './pcapng/writer.js'

export interface MergeOptions {
  /** What addresses are called. */
  readonly names?: ReadonlyMap<Ipv4Address, string>
  /** Lines of a key log. With it, only the file's owner may read it. */
  readonly keyLog?: string
  /** Of the file as a whole. */
  readonly comment?: string
}

export interface MergeReport {
  readonly packets: number
  /** Parts that end before their end; what came before is in the file. */
  readonly damages: readonly CaptureFileError[]
}

/**
 * Writes `path` whole or not at all. The parts are to be in order of time, each by itself, and stay as they are.
 * @throws CaptureFileError when a part is no capture; the system's error when the folder cannot be written
 */
export async function mergeCaptures(parts: readonly string[], path: string, { names = new Map(), keyLog = '', comment = '' }: MergeOptions = {}): Promise<MergeReport> {
  const cursors: Cursor[] = []
  for (const [nth, part] of parts.entries()) cursors.push(new Cursor(await CaptureStream.open(part), nth))
  const writer = new PcapngWriter(path, 'naptlab', comment, keyLog === '' ? 0o666 : 0o600)
  try {
    await new Merge(writer, cursors).run(names, keyLog)
    writer.close()
  } finally {
    writer.discard()
  }
  return { packets: writer.packets, damages: cursors.flatMap(({ stream }) => stream.damage ?? []) }
}

interface Merged extends RecordedPacket { readonly packet: InterfacePacket }

class Merge {
  readonly #ids = new PacketIds<Merged>()
  readonly #numbers = new Map<CaptureInterface, number>()
  #time = 0n

  constructor(private readonly writer: PcapngWriter, private readonly cursors: readonly Cursor[]) {}

  async run(names: ReadonlyMap<Ipv4Address, string>, keyLog: string): Promise<void> {
    for (const cursor of this.cursors) await cursor.advance()
    // What a part describes before its first packets stands in front, packets or not.
    for (const { stream } of this.cursors) for (const each of stream.interfaces) this.#numberOf(each)
    if (names.size > 0) this.writer.names(names)
    if (keyLog !== '') this.writer.secrets(keyLog)
    for (let from = this.#oldest(); from !== null; from = this.#oldest()) {
      const { packet } = from
      if (packet !== null) this.#write(this.#ids.push(asRecorded(packet, from)))
      await from.advance()
    }
    this.#write(this.#ids.release())
    this.#writeStatistics()
  }

  /** Whose packet comes next; null when there are none left. */
  #oldest(): Cursor | null {
    let oldest: Cursor | null = null, time = 0n
    for (const cursor of this.cursors) {
      const { packet } = cursor
      if (packet === null || (oldest !== null && packet.time >= time)) continue
      oldest = cursor
      time = packet.time
    }
    return oldest
  }

  #write(due: readonly (readonly [Merged, bigint])[]): void {
    for (const [{ packet: { interface: at, time, bytes, originalLength, direction, comment } }, packetId] of due) {
      this.writer.packet(bytes, { interfaceId: this.#numberOf(at), time, originalLength, packetId, comment, ...(direction === null ? {} : { direction }) })
      this.#time = time
    }
  }

  #writeStatistics(): void {
    for (const { stream } of this.cursors) {
      for (const [at, statistics] of stream.statistics) this.writer.statistics(this.#numberOf(at), this.#time, statistics)
    }
  }

  #numberOf(described: CaptureInterface): number {
    const known = this.#numbers.get(described)
    if (known !== undefined) return known
    const number = this.writer.interface(described)
    this.#numbers.set(described, number)
    return number
  }
}

const asRecorded = (packet: InterfacePacket, { nth }: Cursor): Merged => ({
  packet, place: `${nth} ${packet.interface.id}`, time: packet.time, bytes: packet.bytes, copyOf: packet.packetId === null ? null : `${nth} ${packet.packetId}`,
})

/** Where the reading of one part is. */
class Cursor {
  /** Null at the end, and before the first `advance`. */
  packet: InterfacePacket | null = null
  readonly #batches: AsyncGenerator<readonly InterfacePacket[]>
  #batch: readonly InterfacePacket[] = []
  #at = 0

  /** @param nth of the parts */
  constructor(readonly stream: CaptureStream, readonly nth: number) { this.#batches = stream.batches() }

  async advance(): Promise<void> {
    while (this.#at >= this.#batch.length) {
      const next = await this.#batches.next()
      if (next.done === true) {
        this.packet = null
        return
      }
      this.#batch = next.value
      this.#at = 0
    }
    this.packet = this.#batch[this.#at++]
  }
}
