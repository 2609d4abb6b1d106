// The capture files of one run, as one capture whose packets name their interfaces.
import { basename } from 'node:path'
import { CaptureStream } from '../capture-stream.js'
import type { CaptureInterface, InterfacePacket } from '../pcapng/format.js'
import { formatIpv4 } from '../../napt/wire/address.js'

/** A capture file; `as` is the interface that it shows, null where the file says so itself. */
export interface SourceFile { readonly path: string, readonly as: string | null }

export type OnPacket = (interfaceName: string, packet: InterfacePacket) => void

/** A capture that can be read from its beginning again. */
export class CaptureSource {
  readonly #files: readonly SourceFile[]
  readonly #interfaces = new Set<string>()

  constructor(files: readonly SourceFile[]) { this.#files = files }

  /** Those of the files that were read so far. */
  get interfaces(): readonly string[] { return [...this.#interfaces] }

  /**
   * Gives each packet to `onPacket` and each name that the files have for an address to `onName`.
   * @returns what ended files before their end
   * @throws CaptureFileError when a file cannot be read or is no capture at all
   */
  async read(onPacket: OnPacket, onName?: (name: string, address: string) => void): Promise<string[]> {
    const damage: string[] = []
    for (const { as, path } of this.#files) {
      const stream = await CaptureStream.open(path)
      const nameOf = (each: CaptureInterface): string => as ?? (each.name || basename(path).replace(/\.(pcap|pcapng)$/, ''))
      let named = 0
      const tellNames = (): void => {
        const fresh = [...stream.names].slice(named)
        named += fresh.length
        for (const [address, known] of fresh) onName?.(known, formatIpv4(address))
      }
      for await (const batch of stream.batches()) {
        tellNames()
        for (const packet of batch) onPacket(nameOf(packet.interface), packet)
      }
      tellNames()
      for (const each of stream.interfaces) this.#interfaces.add(nameOf(each))
      if (stream.damage !== null) damage.push(stream.damage.message)
    }
    return damage
  }
}
