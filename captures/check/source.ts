// The capture files of one run, as one capture whose packets name their interfaces.
import { basename } from 'node:path'
import { CaptureStream } from '../files/capture-stream.js'
import type { InputFile } from '../files/input-files.js'
import type { CaptureInterface, InterfacePacket } from '../files/pcapng/format.js'
import { CheckFileError } from './read.js'
import { formatIpv4 } from '../../napt/wire/address.js'

export type OnPacket = (interfaceName: string, packet: InterfacePacket) => void

/** A capture that can be read from its beginning again. */
export class CaptureSource {
  readonly #files: readonly InputFile[]
  readonly #interfaces = new Set<string>()
  #isRead = false
  readonly #onProgress: (share: number) => void

  /** @param onProgress called now and then with the share of a reading that is done, from 0 to 1; never for a pipe */
  constructor(files: readonly InputFile[], onProgress: (share: number) => void = () => undefined) {
    this.#files = files
    this.#onProgress = onProgress
  }

  /** Those of the files that were read so far. */
  get interfaces(): readonly string[] { return [...this.#interfaces] }

  /**
   * Gives each packet to `onPacket` and each name that the files have for an address to `onName`.
   * @returns what ended files before their end
   * @throws CaptureFileError when a file cannot be read or is no capture at all; CheckFileError when standard input is to be read again
   */
  async read(onPacket: OnPacket, onName?: (name: string, address: string) => void): Promise<string[]> {
    const damage: string[] = []
    for (const [at, { as, path }] of this.#files.entries()) {
      if (path === '-' && this.#isRead) throw new CheckFileError('Packets are looked for on both sides of a router, so the capture is read twice, and standard input can be read once. Give a file.')
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
        if (stream.size !== null) this.#onProgress((at + stream.bytesRead / stream.size) / this.#files.length)
      }
      tellNames()
      for (const each of stream.interfaces) this.#interfaces.add(nameOf(each))
      if (stream.damage !== null) damage.push(stream.damage.message)
    }
    this.#isRead = true
    return damage
  }
}
