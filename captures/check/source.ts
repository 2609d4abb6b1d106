// The capture files of one run, as one capture whose packets name their interfaces.
import { basename } from 'node:path'
import { CaptureStream } from '../capture-stream.js'
import type { CaptureInterface, InterfacePacket } from '../pcapng/format.js'
import { formatIpv4 } from '../../napt/wire/address.js'

/** A file, or the files of several interfaces by the interfaces' names. */
export type CaptureFiles = string | Readonly<Record<string, string>>

export type OnPacket = (interfaceName: string, packet: InterfacePacket) => void

/** A capture that can be read from its beginning again. */
export class CaptureSource {
  readonly #files: readonly { readonly name: string | null, readonly path: string }[]
  readonly #interfaces = new Set<string>()

  constructor(files: CaptureFiles) {
    this.#files = typeof files === 'string' ? [{ name: null, path: files }] : Object.entries(files).map(([name, path]) => ({ name, path }))
  }

  /** Those of the files that were read so far. */
  get interfaces(): readonly string[] { return [...this.#interfaces] }

  /**
   * Gives each packet to `onPacket` and each name that the files have for an address to `onName`.
   * @returns what ended files before their end
   * @throws CaptureFileError when a file cannot be read or is no capture at all
   */
  async read(onPacket: OnPacket, onName?: (name: string, address: string) => void): Promise<string[]> {
    const damage: string[] = []
    for (const { name, path } of this.#files) {
      const stream = await CaptureStream.open(path)
      const nameOf = (each: CaptureInterface): string => name ?? (each.name || basename(path).replace(/\.(pcap|pcapng)$/, ''))
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
