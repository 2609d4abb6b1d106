// A capture file read from its beginning to its end, in bounded memory, whichever its format: packets in batches, and beside them
// what the file says of interfaces, names, keys and losses. What is damaged ends the stream; what came before was given by then.
import { createReadStream, type ReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Ipv4Address } from '../napt/wire/address.js'
import { CaptureFileError, LINK_TYPE_ETHERNET, LONGEST_RECORD, MAGIC } from './pcap.js'
import { readPcap } from './pcap-reader.js'
import { PcapngDecoder } from './pcapng/decoder.js'
import type { CaptureInterface, InterfacePacket, InterfaceStatistics } from './pcapng/format.js'

const CHUNK = 1 << 20

export class CaptureStream {
  /** As the caller named it. */
  readonly file: string
  readonly format: 'pcap' | 'pcapng'
  /** Bytes in all, where that is known beforehand. */
  readonly size: number | null
  #read = 0
  #damage: CaptureFileError | null = null
  #keyLog = ''
  readonly #source: AsyncIterable<Uint8Array>
  readonly #interfaces: CaptureInterface[] = []
  readonly #names = new Map<Ipv4Address, string>()
  readonly #statistics = new Map<CaptureInterface, InterfaceStatistics>()

  private constructor(file: string, format: 'pcap' | 'pcapng', size: number | null, source: AsyncIterable<Uint8Array>) {
    this.file = file
    this.format = format
    this.size = size
    this.#source = source
  }

  /** @param path `-` for standard input. @throws CaptureFileError when it cannot be read or is no capture at all */
  static async open(path: string): Promise<CaptureStream> {
    try {
      const size = path === '-' ? null : (await stat(path)).size
      const source = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK })
      const chunks = (source as ReadStream)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
      const first = await chunks.next()
      const head = first.done === true ? new Uint8Array(0) : first.value
      const isPcapng = head.length >= 4 && new DataView(head.buffer, head.byteOffset).getUint32(0) === MAGIC.pcapng
      return new CaptureStream(path, isPcapng ? 'pcapng' : 'pcap', size, rest(head, chunks))
    } catch (error) {
      if (error instanceof CaptureFileError) throw error
      throw new CaptureFileError(path, 0, `the file cannot be read (${error instanceof Error ? error.message : String(error)})`, 'Give the path of a capture file that you may read.')
    }
  }

  /** What was read so far; grows as `batches` goes on. */
  get interfaces(): readonly CaptureInterface[] { return this.#interfaces }
  get names(): ReadonlyMap<Ipv4Address, string> { return this.#names }
  /** Lines of an NSS key log; empty when the file has none. */
  get keyLog(): string { return this.#keyLog }
  get statistics(): ReadonlyMap<CaptureInterface, InterfaceStatistics> { return this.#statistics }
  get bytesRead(): number { return this.#read }
  /** What ended the stream before the file's end; null until then. */
  get damage(): CaptureFileError | null { return this.#damage }

  /** The packets in the order of the file; each batch and its bytes stay as they are. @throws CaptureFileError when it is no capture at all */
  async * batches(): AsyncGenerator<readonly InterfacePacket[]> {
    yield* this.format === 'pcapng' ? this.#pcapng() : this.#pcap()
  }

  async * #pcapng(): AsyncGenerator<readonly InterfacePacket[]> {
    const decoder = new PcapngDecoder(this.file)
    try {
      for await (const chunk of this.#source) {
        this.#read += chunk.length
        decoder.push(chunk)
        const batch: InterfacePacket[] = []
        try {
          for (let item = decoder.next(); item !== null; item = decoder.next()) {
            switch (item.kind) {
              case 'packet': batch.push(item.packet); break
              case 'interface': this.#interfaces.push(item.interface); break
              case 'name': this.#names.set(item.address, item.name); break
              case 'secrets': this.#keyLog += item.keyLog; break
              case 'statistics': this.#statistics.set(item.interface, item.statistics); break
            }
          }
        } finally {
          if (batch.length > 0) yield batch
        }
      }
      decoder.end()
    } catch (error) {
      if (!(error instanceof CaptureFileError)) throw error
      this.#damage = error
    }
  }

  async * #pcap(): AsyncGenerator<readonly InterfacePacket[]> {
    const parts: Uint8Array[] = []
    for await (const chunk of this.#source) {
      this.#read += chunk.length
      parts.push(chunk)
    }
    const capture = await readPcap(new Uint8Array(Buffer.concat(parts)), this.file)
    const only: CaptureInterface = { id: 0, name: '', description: '', linkType: LINK_TYPE_ETHERNET, snapLength: LONGEST_RECORD }
    this.#interfaces.push(only)
    this.#damage = capture.damage
    yield capture.packets.map(packet => ({ ...packet, interface: only, direction: null, packetId: null, comment: '' }))
  }
}

async function * rest(head: Uint8Array, chunks: AsyncIterator<Uint8Array, undefined>): AsyncGenerator<Uint8Array> {
  yield head
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value
}
