// A capture file read from its beginning to its end, in bounded memory, whichever its format: packets in batches, as columns or as
// objects, and beside them what the file says of interfaces, names, keys and losses. What is damaged ends the stream; what came
// before was given by then.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Ipv4Address } from '../../napt/wire/address.js'
import type { CaptureDecoder } from './capture-decoder.js'
import { CHUNK, fileChunks } from './file-chunks.js'
import type { PacketBatch } from './packet-batch.js'
import { CaptureFileError } from './pcap.js'
import { PcapDecoder } from './pcap-decoder.js'
import { PcapngDecoder } from './pcapng/decoder.js'
import { BLOCK, type CaptureInterface, type InterfacePacket, type InterfaceStatistics } from './pcapng/format.js'

/** As many bytes tell the format. */
const MAGIC_LENGTH = 4

export class CaptureStream {
  /** Bytes in all, where that is known beforehand. */
  readonly size: number | null
  #read: number
  /** Packets of what `open` has read. */
  #first: readonly PacketBatch[]
  readonly #decoder: CaptureDecoder
  readonly #rest: AsyncIterator<Uint8Array>

  private constructor(size: number | null, decoder: CaptureDecoder, first: Uint8Array, rest: AsyncIterator<Uint8Array>) {
    this.size = size
    this.#decoder = decoder
    this.#rest = rest
    this.#read = first.length
    this.#first = decoder.decode(first)
  }

  /**
   * @param path `-` for standard input. @param memory pieces that a regular file is read into in turn (file-chunks.ts): only for who
   * takes `columns`. @throws CaptureFileError when it cannot be read or is no capture at all
   */
  static async open(path: string, memory: readonly Uint8Array[] | null = null): Promise<CaptureStream> {
    if (path === '-') return CaptureStream.of(process.stdin as AsyncIterable<Buffer>, '-')
    const { size, isFile } = await stat(path).then(found => ({ size: found.size, isFile: found.isFile() }), (error: unknown) => { throw unreadable(path, 0, error) })
    return isFile ? CaptureStream.of(fileChunks(path, memory), path, size) : CaptureStream.of(createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>, path)
  }

  /**
   * As `open`, of bytes from anywhere, which are the stream's from there on.
   * @param file for messages. @param size bytes in all, if known
   */
  static async of(source: AsyncIterable<Uint8Array>, file: string, size: number | null = null): Promise<CaptureStream> {
    const chunks = readable(source, file)
    let head: Uint8Array = new Uint8Array(0)
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      head = head.length === 0 ? next.value : new Uint8Array(Buffer.concat([head, next.value]))
      if (head.length >= MAGIC_LENGTH) break
    }
    const isPcapng = head.length >= MAGIC_LENGTH && new DataView(head.buffer, head.byteOffset).getUint32(0) === BLOCK.sectionHeader
    const stream = new CaptureStream(size, isPcapng ? new PcapngDecoder(file) : new PcapDecoder(file), head, chunks)
    if (head.length < MAGIC_LENGTH) stream.#decoder.end()
    await stream.#check()
    return stream
  }

  /** As the caller named it. */
  get file(): string { return this.#decoder.file }
  get format(): 'pcap' | 'pcapng' { return this.#decoder.format }
  /** What was read so far; grows as `batches` goes on. */
  get interfaces(): readonly CaptureInterface[] { return this.#decoder.interfaces }
  get names(): ReadonlyMap<Ipv4Address, string> { return this.#decoder.names }
  /** Lines of an NSS key log; empty when the file has none. */
  get keyLog(): string { return this.#decoder.keyLog }
  get statistics(): ReadonlyMap<CaptureInterface, InterfaceStatistics> { return this.#decoder.statistics }
  get bytesRead(): number { return this.#read }
  /** What ended the stream before the file's end; null until then. */
  get damage(): CaptureFileError | null { return this.#decoder.damage }

  /** The packets in the order of the file, once; each batch is valid until the next is asked for. @throws CaptureFileError when it is no capture at all */
  async * columns(): AsyncGenerator<PacketBatch, undefined> {
    try {
      const first = this.#first
      this.#first = []
      yield * first
      while (this.damage === null) {
        const next = await this.#rest.next()
        if (next.done === true) break
        this.#read += next.value.length
        yield * this.#decoder.decode(next.value)
      }
      this.#decoder.end()
      await this.#check()
    } finally {
      await this.close()
    }
  }

  /** The same with an object a packet; each batch and its bytes stay as they are. */
  async * batches(): AsyncGenerator<readonly InterfacePacket[]> {
    for await (const batch of this.columns()) yield batch.packets()
  }

  /** Lets go of the file; needed only where `batches` was not begun. */
  async close(): Promise<void> {
    await this.#rest.return?.()
  }

  async #check(): Promise<void> {
    const { damage } = this
    if (damage === null || this.#decoder.isBegun) return
    await this.close()
    throw damage
  }
}

/** Failures of the source as what is wrong with the file. */
async function * readable(source: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array, undefined> {
  let offset = 0
  try {
    for await (const chunk of source) {
      yield chunk
      offset += chunk.length
    }
  } catch (error) {
    throw unreadable(file, offset, error)
  }
}

const unreadable = (file: string, offset: number, error: unknown): CaptureFileError =>
  new CaptureFileError(file, offset, `the file cannot be read (${error instanceof Error ? error.message : String(error)})`, 'Give the path of a capture file that you may read.')
