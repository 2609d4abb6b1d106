// Writes a pcapng file of millions of packets: blocks are put together in chunks of memory, with no object a packet, and chunks
// go to the file while the next ones fill. The file is under a temporary name until it is whole.
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { interfaceDescription, interfaceStatistics, nameResolution, sectionHeader, tlsSecrets } from './blocks.js'
import { BLOCK, DIRECTION, OPTION, padding, type CaptureInterface, type Direction, type InterfaceStatistics } from './format.js'
import type { Ipv4Address } from '../../napt/wire/address.js'

/** Bytes of a chunk; a longer block has one of its own. */
const CHUNK = 1 << 20
/** Chunks that are kept for use again. */
const SPARE = 4
/** Interface, time, captured length, original length; in front of them the block's type and length. */
const PACKET_HEAD = 8 + 20
/** Flags, packet ID, end of options, the block's length. */
const PACKET_TAIL = 8 + 12 + 4 + 4
/** opt_comment's length has 16 bits. */
const LONGEST_COMMENT = 0xffff


export class BulkPcapngWriter {
  readonly path: string
  readonly #temporary: string
  readonly #file: FileHandle
  #chunk: Buffer = Buffer.allocUnsafeSlow(CHUNK)
  #view = viewOf(this.#chunk)
  #used = 0
  readonly #spare: Buffer[] = []
  /** Full chunks on their way, one behind the other. */
  #writing: Promise<void> = Promise.resolve()
  #waiting = 0
  #failure: Error | null = null
  #interfaces = 0
  /** Where the open packet's block begins; its data end at `#used`. */
  #block = 0

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.path = path
    this.#temporary = temporary
    this.#file = file
  }

  /** @throws the system's error (`EACCES`, `ENOENT` …) when the folder cannot be written */
  static async open(path: string, application = 'naptlab', comment = ''): Promise<BulkPcapngWriter> {
    const temporary = `${path}.part`, writer = new BulkPcapngWriter(path, temporary, await open(temporary, 'w'))
    writer.#put(sectionHeader(application, comment))
    return writer
  }

  /** Gives the number by which packets name it. */
  interface(description: Omit<CaptureInterface, 'id'>): number {
    this.#put(interfaceDescription(description))
    return this.#interfaces++
  }

  names(names: ReadonlyMap<Ipv4Address, string>): void { this.#put(nameResolution(names)) }

  /** Lines of a key log: they open what is behind them in the file. */
  secrets(keyLog: string): void { this.#put(tlsSecrets(keyLog)) }

  /** `time` in nanoseconds since 1970. */
  statistics(interfaceId: number, time: bigint, statistics: InterfaceStatistics): void { this.#put(interfaceStatistics(interfaceId, time, statistics)) }

  /**
   * Copies a packet into the file; `end` finishes it. `high` and `low` are the halves of its time, nanoseconds since 1970.
   * Gives where its bytes are in `memory` until then.
   */
  begin(interfaceId: number, high: number, low: number, bytes: Uint8Array, start: number, end: number, originalLength: number): number {
    const length = end - start, padded = length + padding(length)
    this.#makeRoom(PACKET_HEAD + padded + LONGEST_COMMENT + 8 + PACKET_TAIL)
    const chunk = this.#chunk, view = this.#view, at = this.#used
    this.#block = at
    view.setInt32(at, BLOCK.enhancedPacket, true)
    view.setInt32(at + 8, interfaceId, true)
    view.setUint32(at + 12, high, true)
    view.setUint32(at + 16, low, true)
    view.setInt32(at + 20, length, true)
    view.setInt32(at + 24, originalLength, true)
    copy(bytes, start, end, chunk, at + PACKET_HEAD)
    for (let i = length; i < padded; i++) chunk[at + PACKET_HEAD + i] = 0
    this.#used = at + PACKET_HEAD + padded
    return at + PACKET_HEAD
  }

  /** Where the bytes of the open packet are. */
  get memory(): Uint8Array { return this.#chunk }

  /** Finishes the open packet. `packetId` 0 for none; `comment` as UTF-8, at most 64 KB of it. */
  end(direction: Direction, packetId: number, comment: Uint8Array | null): void {
    const chunk = this.#chunk, view = this.#view
    let at = this.#used
    if (comment !== null) {
      const length = Math.min(comment.length, LONGEST_COMMENT)
      view.setInt32(at, OPTION.comment | length << 16, true)
      copy(comment, 0, length, chunk, at + 4)
      at += 4 + length
      for (let i = padding(length); i > 0; i--) chunk[at++] = 0
    }
    view.setInt32(at, OPTION.packet.flags | 4 << 16, true)
    view.setInt32(at + 4, DIRECTION[direction], true)
    at += 8
    if (packetId > 0) {
      view.setInt32(at, OPTION.packet.id | 8 << 16, true)
      view.setInt32(at + 4, packetId | 0, true)
      view.setInt32(at + 8, Math.floor(packetId / 0x1_0000_0000), true)
      at += 12
    }
    view.setInt32(at, OPTION.end, true)
    const length = at + 8 - this.#block
    view.setInt32(at + 4, length, true)
    view.setInt32(this.#block + 4, length, true)
    this.#used = at + 8
  }

  /** Hands what is in memory to the system, which then has a file that ends with a block. Not while a packet is open. */
  flush(): void { if (this.#used > 0) this.#hand() }

  /** Resolves when there is room again: memory stays bounded where this is awaited now and then. @throws the system's error for the file */
  async ready(): Promise<void> {
    if (this.#waiting >= SPARE) await this.#writing
    if (this.#failure !== null) throw this.#failure
  }

  /** Writes the rest and gives the file its name. @throws the system's error for the file; nothing is left behind then */
  async close(): Promise<void> {
    this.#hand()
    try {
      await this.#writing
      await this.ready()
    } catch (error) {
      await this.discard()
      throw error
    }
    await this.#file.close()
    await rename(this.#temporary, this.path)
  }

  /** Gives up: nothing is left behind. */
  async discard(): Promise<void> {
    await this.#writing
    await this.#file.close()
    await rm(this.#temporary, { force: true })
  }

  #put(block: Uint8Array): void {
    this.#makeRoom(block.length)
    this.#chunk.set(block, this.#used)
    this.#used += block.length
  }

  #makeRoom(length: number): void {
    if (this.#used + length <= this.#chunk.length) return
    this.#hand()
    if (length > this.#chunk.length) this.#take(Buffer.allocUnsafeSlow(length))
  }

  #take(chunk: Buffer): void {
    this.#chunk = chunk
    this.#view = viewOf(chunk)
  }

  /** The chunk goes to the file, behind those before it. */
  #hand(): void {
    const full = this.#chunk, length = this.#used
    this.#take(this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK))
    this.#used = 0
    this.#waiting++
    this.#writing = this.#writing.then(async () => {
      if (this.#failure === null) await writeAll(this.#file, full, length)
      if (full.length === CHUNK && this.#spare.length < SPARE) this.#spare.push(full)
    }).catch((error: unknown) => { this.#failure = error instanceof Error ? error : new Error(String(error)) }).finally(() => { this.#waiting-- })
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, length: number): Promise<void> {
  for (let at = 0; at < length;) at += (await file.write(bytes, at, length - at)).bytesWritten
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** A loop is faster than a call for what is as short as a header. */
const SHORT = 64

function copy(from: Uint8Array, start: number, end: number, to: Buffer, at: number): void {
  if (end - start <= SHORT) for (let i = start, j = at; i < end; i++, j++) to[j] = from[i]
  else if (start === 0 && end === from.length) to.set(from, at)
  else to.set(from.subarray(start, end), at)
}
