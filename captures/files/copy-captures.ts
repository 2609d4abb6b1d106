// Several capture files as one of pcapng: their packets in order of time, with interfaces, directions, comments and numbers of
// packets, names, losses, and the keys that open what they hold.
import { readFileSync } from 'node:fs'
import { CaptureStream } from './capture-stream.js'
import type { CaptureInterface, InterfacePacket } from './pcapng/format.js'
import { PcapngWriter } from './pcapng/writer.js'

export interface CopyOptions {
  /** What the interfaces of each file are called in the copy, by path and number of the interface. */
  readonly names: ReadonlyMap<string, readonly string[]>
  /** Key logs that open what the files do not open themselves. */
  readonly keyLogs: readonly string[]
  /** Called now and then with the share of all bytes that was copied, from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

interface Source { readonly path: string, readonly stream: CaptureStream, readonly interfaces: Map<CaptureInterface, number>, keyLog: number, names: number }
interface Picked { readonly source: Source, readonly packet: InterfacePacket }

/**
 * The copy gets its name when the caller closes it; it can be discarded instead.
 * @throws CaptureFileError when a file cannot be read; the system's error when the copy cannot be written
 */
export async function copyCaptures(paths: readonly string[], to: string, { names, keyLogs, onProgress }: CopyOptions): Promise<PcapngWriter> {
  const copy = new PcapngWriter(to)
  try {
    for (const file of keyLogs) copy.secrets(readFileSync(file, 'latin1'))
    const sources = await Promise.all(paths.map(async (path): Promise<Source> => ({ path, stream: await CaptureStream.open(path), interfaces: new Map(), keyLog: 0, names: 0 })))
    const ids = new Map<string, number>()
    let last = 0n
    for await (const batch of inOrderOfTime(sources)) {
      for (const source of sources) copyFacts(source, copy)
      for (const { source, packet } of batch) copyPacket(packet, idOf(source, packet.interface, names, ids, copy), copy)
      last = batch.at(-1)?.packet.time ?? last
      onProgress?.(sources.reduce((sum, { stream }) => sum + (stream.size === null ? 0 : stream.bytesRead / stream.size), 0) / sources.length)
    }
    for (const source of sources) {
      for (const [each, statistics] of source.stream.statistics) copy.statistics(idOf(source, each, names, ids, copy), last, statistics)
    }
    return copy
  } catch (error) {
    copy.discard()
    throw error
  }
}

/** Keys and names that were read since: they hold for what is behind them. */
function copyFacts(source: Source, copy: PcapngWriter): void {
  const { keyLog, names } = source.stream
  if (keyLog.length > source.keyLog) copy.secrets(keyLog.slice(source.keyLog))
  if (names.size > source.names) copy.names(names)
  source.keyLog = keyLog.length
  source.names = names.size
}

/** Interfaces of one name are one, if their packets begin alike. */
function idOf({ path, interfaces }: Source, each: CaptureInterface, names: CopyOptions['names'], ids: Map<string, number>, copy: PcapngWriter): number {
  const known = interfaces.get(each)
  if (known !== undefined) return known
  const name = names.get(path)?.[each.id] ?? each.name, key = `${each.linkType} ${name}`
  const id = ids.get(key) ?? copy.interface({ name, description: each.description, linkType: each.linkType, snapLength: each.snapLength })
  ids.set(key, id)
  interfaces.set(each, id)
  return id
}

function copyPacket({ bytes, time, originalLength, direction, packetId, comment }: InterfacePacket, interfaceId: number, copy: PcapngWriter): void {
  copy.packet(bytes, {
    interfaceId, time, originalLength, comment,
    ...(direction === null ? {} : { direction }), ...(packetId === null ? {} : { packetId }),
  })
}

/** The packets of all, each file's in its own order. */
async function * inOrderOfTime(sources: readonly Source[]): AsyncGenerator<readonly Picked[]> {
  let heads = sources.map(source => ({ source, batches: source.stream.batches(), batch: [] as readonly InterfacePacket[], at: 0 }))
  for (;;) {
    for (const head of heads) {
      while (head.at === head.batch.length) {
        const next = await head.batches.next()
        if (next.done === true) break
        Object.assign(head, { batch: next.value, at: 0 })
      }
    }
    heads = heads.filter(head => head.at < head.batch.length)
    if (heads.length === 0) return
    const picked: Picked[] = []
    for (let head = heads[0]; head.at < head.batch.length;) {
      head = heads.reduce((first, each) => each.batch[each.at].time < first.batch[first.at].time ? each : first)
      picked.push({ source: head.source, packet: head.batch[head.at++] })
    }
    yield picked
  }
}
