// A ladder from capture files: from one read to its end in bounded memory, or from several in memory, an interface each.
import type { CaptureStream } from '../capture-stream.js'
import { LINK_TYPE } from '../link-layer.js'
import { LONGEST_RECORD, type CapturedPacket } from '../pcap.js'
import type { InterfacePacket } from '../pcapng/format.js'
import { KeyLog, type KeySource, type SecretLabel } from '../tls/key-log.js'
import { LadderOfPackets, type PacketsLadderOptions } from './from-packets.js'
import type { Ladder } from './ladder.js'

/**
 * Reads the stream to its end. What is damaged ends it (`stream.damage`); the ladder is of what came before.
 * @param options names and keys come from the file too
 * @throws CaptureFileError when it is no capture at all; KeyLogError when the keys in it are no key log
 */
export async function ladderOfStream(stream: CaptureStream, options: PacketsLadderOptions): Promise<Ladder> {
  const { keys } = options
  const ladder = new LadderOfPackets(stream.interfaces, { names: stream.names, ...options, keys: new KeysOf(stream, keys) })
  for await (const batch of stream.batches()) for (const packet of batch) ladder.add(packet)
  return ladder.finish()
}

/**
 * From packets that are in memory, by the name of the interface that saw them: `104a-lan`, `101`, or what the file was called.
 * They have no frame numbers in common, so the ladder has none.
 */
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

/** What a file holds of keys by the time that they are asked for, and other keys beside. */
class KeysOf implements KeySource {
  readonly #log: KeyLog
  #read = 0

  constructor(private readonly stream: CaptureStream, private readonly more: KeySource | undefined) { this.#log = new KeyLog(stream.file) }

  get lack(): string { return this.more?.lack ?? this.#log.lack }

  secret(label: SecretLabel, clientRandom: Uint8Array): Uint8Array | undefined {
    const { keyLog } = this.stream
    const end = keyLog.lastIndexOf('\n') + 1
    if (end > this.#read) this.#log.add(keyLog.slice(this.#read, end))
    this.#read = Math.max(this.#read, end)
    return this.#log.secret(label, clientRandom) ?? this.more?.secret(label, clientRandom)
  }
}
