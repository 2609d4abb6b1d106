// Writes a pcapng file of millions of packets: blocks are put together in chunks of memory, with no object a packet, and chunks
// go to the file while the next ones fill, in a thread of libuv's. The file is under a temporary name until it is whole.
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { Arena } from '../arena.js'
import { interfaceDescription, interfaceStatistics, nameResolution, sectionHeader, tlsSecrets } from './blocks.js'
import { BLOCK, DIRECTION, OPTION, padding, type CaptureInterface, type Direction, type InterfaceStatistics } from './format.js'
import type { Ipv4Address } from '../../../napt/wire/address.js'

/** Bytes of a chunk; a longer block has one of its own. */
const CHUNK = 1 << 20
/**
 * Chunks in the arena, and how many of them may be on their way before `ready` waits: a file system that stops for a moment is not to
 * stop the work as well. With 8 and 4, a seventh of `translate` was waiting; memory that is not needed is not touched.
 */
const CHUNKS = 32, MOST_WAITING = 24
/** Bytes of the arena that are there to be lent. */
const LENT = 4 << 20
/** Interface, time, captured length, original length; in front of them the block's type and length. */
const PACKET_HEAD = 8 + 20
/** Flags, packet ID, end of options, the block's length. */
const PACKET_TAIL = 8 + 12 + 4 + 4
/** opt_comment's length has 16 bits. */
const LONGEST_COMMENT = 0xffff
/** Bytes of a packet's block beside its bytes. */
const MOST_BESIDE = PACKET_HEAD + LONGEST_COMMENT + 8 + PACKET_TAIL
// V8 folds a module's own constants into the code, and loads those of other modules anew each time.
const ENHANCED_PACKET = BLOCK.enhancedPacket, FLAGS = OPTION.packet.flags | 4 << 16, PACKET_ID = OPTION.packet.id | 8 << 16, END_OF_OPTIONS = OPTION.end
const INBOUND = DIRECTION.inbound, OUTBOUND = DIRECTION.outbound

/** Memory that blocks are put together in: `memory[start, end)`, of which `view` and `words` are views of all. */
interface Chunk { readonly memory: Uint8Array, readonly view: DataView, readonly words: Int32Array, readonly start: number, readonly end: number }

export class BulkPcapngWriter {
  readonly path: string
  readonly #temporary: string
  readonly #file: FileHandle
  readonly #arena = new Arena(CHUNKS * CHUNK + LENT)
  readonly #spare: Chunk[]
  #chunk: Chunk
  /** Of the chunk: each packet asks for them. */
  memory: Uint8Array
  #view: DataView
  #words: Int32Array
  #end: number
  #isInArena = true
  /** Where the next block goes; before it everything is written. */
  #used: number
  /** Memory that a packet came from last, the same as words, and whether it is the arena's. */
  #from: Uint8Array = new Uint8Array(0)
  #fromWords: Int32Array = NO_WORDS
  #isOwn = false
  /** Chunks that no write has begun with. */
  readonly #full: { readonly chunk: Chunk, readonly end: number }[] = []
  /** Full chunks on their way, one behind the other. */
  #writing: Promise<void> = Promise.resolve()
  #waiting = 0
  /** Where in the file the chunk begins. */
  #offset = 0
  #failure: Error | null = null
  #interfaces = 0
  /** Where in the file the comment of the last finished packet is. */
  commentAt = 0
  /** Where the open packet's block begins; its data end at `#used`. */
  #block = 0

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.path = path
    this.#temporary = temporary
    this.#file = file
    const { memory, view, words, start, end } = this.#chunk = this.#chunkOf(this.#arena.take(CHUNK))
    this.memory = memory
    this.#view = view
    this.#words = words
    this.#end = end
    this.#used = start
    this.#spare = Array.from({ length: CHUNKS - 1 }, () => this.#chunkOf(this.#arena.take(CHUNK)))
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

  /** Gives memory from which packets are copied fastest, to read them into: up to 4 MB of it in all. */
  lend(length: number): Uint8Array { return this.#arena.take(length) }

  /**
   * Copies the packet `bytes[start, end)` into the file; `end` finishes it. `high` and `low` are the halves of its time, nanoseconds
   * since 1970, signed or not. Gives where its bytes are in `memory` until then.
   */
  begin(interfaceId: number, high: number, low: number, bytes: Uint8Array, start: number, end: number, originalLength: number): number {
    const length = end - start, padded = length + padding(length)
    if (this.#used + padded + MOST_BESIDE > this.#end) this.#turn(padded + MOST_BESIDE)
    const view = this.#view, at = this.#used, data = at + PACKET_HEAD
    this.#block = at
    view.setInt32(at, ENHANCED_PACKET, true)
    view.setInt32(at + 8, interfaceId, true)
    view.setInt32(at + 12, high, true)
    view.setInt32(at + 16, low, true)
    view.setInt32(at + 20, length, true)
    view.setUint32(at + 24, originalLength, true)
    this.#copy(bytes, start, length, data)
    // Up to three zeros behind the packet's bytes; what follows is written over the others.
    view.setInt32(data + length, 0, true)
    this.#used = data + padded
    return data
  }

  /** Writes `bytes[start, end)` over the first bytes of the open packet. */
  overwrite(bytes: Uint8Array, start: number, end: number): void {
    const data = this.#block + PACKET_HEAD, whole = end & ~3
    this.#copy(bytes, start, Math.max(whole - start, 0), data)
    for (let i = Math.max(whole, start); i < end; i++) this.memory[data + i - start] = bytes[i]
  }

  /** Finishes the open packet. `packetId` 0 for none; `comment` as UTF-8, at most 64 KB of it. */
  end(direction: Direction, packetId: number, comment: Uint8Array | null): void {
    const view = this.#view
    let at = this.#used
    if (comment !== null) at = this.#comment(at, comment)
    view.setInt32(at, FLAGS, true)
    view.setInt32(at + 4, direction === 'inbound' ? INBOUND : OUTBOUND, true)
    at += 8
    if (packetId > 0) {
      view.setInt32(at, PACKET_ID, true)
      view.setInt32(at + 4, packetId | 0, true)
      view.setInt32(at + 8, packetId > 0xffff_ffff ? Math.floor(packetId / 0x1_0000_0000) : 0, true)
      at += 12
    }
    view.setInt32(at, END_OF_OPTIONS, true)
    const length = at + 8 - this.#block
    view.setInt32(at + 4, length, true)
    view.setInt32(this.#block + 4, length, true)
    this.#used = at + 8
  }

  /** Gives where the next option goes. */
  #comment(at: number, comment: Uint8Array): number {
    const { memory } = this, length = Math.min(comment.length, LONGEST_COMMENT), end = at + 4 + length
    this.#view.setInt32(at, OPTION.comment | length << 16, true)
    copy(comment, 0, length, memory, at + 4)
    this.commentAt = this.#offset + at + 4 - this.#chunk.start
    this.#view.setInt32(end, 0, true)
    return end + padding(length)
  }

  /** Writes over bytes that are there already, from `commentAt` of some packet on. Not while a packet is open. */
  amend(position: number, bytes: Uint8Array): void {
    const { memory, start } = this.#chunk
    if (position >= this.#offset) memory.set(bytes, start + position - this.#offset)
    else this.#enqueue(async () => { await this.#file.write(bytes, 0, bytes.length, position) })
  }

  /** Hands what is in memory to the system, which then has a file that ends with a block. Not while a packet is open. */
  flush(): void { if (this.#used > this.#chunk.start) this.#turn(0) }

  /** Resolves when there is room again: memory stays bounded where this is awaited now and then. @throws the system's error for the file */
  async ready(): Promise<void> {
    if (this.#waiting >= MOST_WAITING) await this.#writing
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
    this.#chunk.memory.set(block, this.#used)
    this.#used += block.length
  }

  #makeRoom(length: number): void {
    if (this.#used + length > this.#end) this.#turn(length)
  }

  /** Hands the chunk over and goes on in another, with room for so many bytes. */
  #turn(length: number): void {
    this.#hand()
    this.#take((length > CHUNK ? undefined : this.#spare.pop()) ?? this.#chunkOf(new Uint8Array(Math.max(length, CHUNK))))
  }

  #take(chunk: Chunk): void {
    this.#chunk = chunk
    this.memory = chunk.memory
    this.#view = chunk.view
    this.#words = chunk.words
    this.#end = chunk.end
    this.#isInArena = chunk.memory === this.#arena.bytes
    this.#used = chunk.start
  }

  /** The chunk goes to the file, behind those before it. */
  #hand(): void {
    this.#full.push({ chunk: this.#chunk, end: this.#used })
    this.#offset += this.#used - this.#chunk.start
    this.#enqueue(() => this.#writeFull())
  }

  /** All that are full by now, in one call: the event loop may turn less often than chunks fill, and writing must not fall behind. */
  async #writeFull(): Promise<void> {
    const full = this.#full.splice(0)
    if (this.#failure === null) await writeAll(this.#file, full.map(({ chunk: { memory, start }, end }) => memory.subarray(start, end)))
    for (const { chunk } of full) if (chunk.memory === this.#arena.bytes) this.#spare.push(chunk)
  }

  #enqueue(work: () => Promise<void>): void {
    this.#waiting++
    this.#writing = this.#writing.then(work).catch((error: unknown) => { this.#failure = error instanceof Error ? error : new Error(String(error)) }).finally(() => { this.#waiting-- })
  }

  /** Copies so many bytes of a packet to `data`, perhaps with up to three more behind them. */
  #copy(bytes: Uint8Array, start: number, length: number, data: number): void {
    if (bytes !== this.#from) this.#look(bytes)
    if (this.#isInArena && this.#isOwn) this.#arena.copy(data, start, length)
    else if (length <= FEW_WORDS && (start & 3) === 0 && this.#fromWords.length > 0) {
      const from = this.#fromWords, words = this.#words, first = start >> 2, to = data >> 2, count = length + 3 >> 2
      for (let i = 0; i < count; i++) words[to + i] = from[first + i]
    } else copy(bytes, start, start + length, this.memory, data)
  }

  /** Offsets in the arena are those of all its memory. */
  #chunkOf(piece: Uint8Array): Chunk {
    const isOwn = piece.buffer === this.#arena.bytes.buffer, memory = isOwn ? this.#arena.bytes : piece, start = isOwn ? piece.byteOffset : 0
    return { memory, view: new DataView(memory.buffer), words: new Int32Array(memory.buffer, 0, memory.buffer.byteLength >> 2), start, end: start + piece.length }
  }

  /** What is the same for all of a file's packets, or of a ring's: whether their memory is the arena's, and its words. */
  #look(bytes: Uint8Array): void {
    this.#from = bytes
    this.#isOwn = bytes.buffer === this.#arena.bytes.buffer && bytes.byteOffset === 0
    // The last word has to be whole: three bytes behind a packet are copied with it.
    this.#fromWords = bytes.byteOffset % 4 === 0 && bytes.length % 4 === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) : NO_WORDS
  }
}

async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  for (let rest = behind(pieces, 0); rest.length > 0;) rest = behind(rest, (await file.writev(rest)).bytesWritten)
}

/** What is left of pieces of memory after so many bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let done = bytes
  return pieces.flatMap(piece => {
    const rest = piece.subarray(Math.min(done, piece.length))
    done -= piece.length - rest.length
    return rest.length === 0 ? [] : [rest]
  })
}

/** A loop is faster than a call for what is as short as a header; by words, for three times as much. */
const SHORT = 64, FEW_WORDS = 192
const NO_WORDS: Int32Array = new Int32Array(0)

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start <= SHORT) for (let i = start, j = at; i < end; i++, j++) to[j] = from[i]
  else if (start === 0 && end === from.length) to.set(from, at)
  else to.set(from.subarray(start, end), at)
}
