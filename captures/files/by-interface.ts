// A capture file in memory, its packets by the interface that saw them: `104a-lan`, `101` … For checks and comparisons, which
// look at one interface after another; what reads a file from end to end takes CaptureStream.
import { basename } from 'node:path'
import { CaptureStream } from './capture-stream.js'
import type { Capture } from './read-capture.js'
import type { CaptureInterface, InterfacePacket } from './pcapng/format.js'
import { KeyLog, NO_KEYS, type KeySource } from '../tls/key-log.js'

export interface InterfaceCaptures {
  /** In the order of the file. Packets keep their numbers in the file, by which Wireshark knows them. Damage ends them all. */
  readonly captures: ReadonlyMap<string, Capture>
  /** What opens the TLS connections: the secrets that the file itself holds. */
  readonly keys: KeySource
}

/**
 * An interface without a name is called as the file, and one of several as the file with its number. A pcap file has one such.
 * @throws CaptureFileError when the file is no capture at all, or cannot be read. KeyLogError when its secrets are no key log.
 *   A file that is one as far as it goes gives its packets, and `damage`.
 */
export async function readByInterface(path: string): Promise<InterfaceCaptures> {
  const stream = await CaptureStream.open(path)
  const packets = new Map<CaptureInterface, InterfacePacket[]>()
  for await (const batch of stream.batches()) {
    for (const packet of batch) listOf(packets, packet.interface).push(packet)
  }
  const { format, damage, interfaces, names, keyLog } = stream
  if (damage !== null && interfaces.length === 0) throw damage
  const byName = new Map<string, InterfacePacket[]>()
  for (const each of interfaces) {
    const list = listOf(byName, each.name || unnamed(path, each, interfaces.length))
    for (const packet of packets.get(each) ?? []) list.push(packet)
  }
  return {
    captures: new Map([...byName].map(([name, list]) => [name, { file: path, format, packets: list, interfaces, names, keyLog, damage }])),
    keys: keyLog === '' ? NO_KEYS : keysIn(path, keyLog),
  }
}

/** The captures of a file by interface name. @throws as readByInterface */
export const readCaptures = async (path: string): Promise<ReadonlyMap<string, Capture>> => (await readByInterface(path)).captures

function keysIn(path: string, keyLog: string): KeyLog {
  const keys = new KeyLog(path)
  keys.add(keyLog)
  return keys
}

/** What an interface without a name is called. */
export const unnamed = (path: string, { id }: CaptureInterface, interfaces: number): string =>
  basename(path).replace(/\.(pcap|pcapng)$/, '') + (interfaces === 1 ? '' : `-${id}`)

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const known = lists.get(key)
  if (known !== undefined) return known
  const made: V[] = []
  lists.set(key, made)
  return made
}
