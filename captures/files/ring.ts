// A capture written into one file, or into one after another: a new one is begun when the last has its size or its time, and of a
// ring only the newest stay. Every file is whole by itself: interfaces, names and keys in front, what was lost at its end.
import { rmSync } from 'node:fs'
import { join, parse } from 'node:path'
import type { Ipv4Address } from '../../napt/wire/address.js'
import type { PacketFacts } from './pcapng/blocks.js'
import type { CaptureInterface } from './pcapng/format.js'
import { PcapngWriter } from './pcapng/writer.js'

export interface RingOptions {
  readonly interfaces: readonly Omit<CaptureInterface, 'id'>[]
  readonly names?: ReadonlyMap<Ipv4Address, string>
  /** Of every file. */
  readonly comment?: string
  /** Files that stay; all of them unless given. */
  readonly files?: number
  /** Bytes, about: a file ends before the packet that would exceed it. */
  readonly fileSize?: number
  /** Milliseconds, of the packets' own time. */
  readonly fileTime?: number
  /** Only the owner may read the files: keys go into them. */
  readonly isSecret?: boolean
}

/** Bytes of a packet's block beside its bytes and its comment, at most; and of the statistics of an interface at the end. */
const PACKET_OVERHEAD = 80, STATISTICS = 52

export class CaptureRing {
  readonly #path: string
  readonly #options: RingOptions
  #writer: PcapngWriter
  /** Of the file, nanoseconds since 1970; null before its first packet. */
  #begin: bigint | null = null
  #last = 0n
  /** By interface: packets in this file, and what was lost in all when it began. */
  readonly #counts: { written: number, lostBefore: number }[]
  readonly #paths: string[] = []
  #keyLog = ''
  #number = 0

  /**
   * @param path of the only file; of several it gets a number: `a.pcapng` is `a-00001.pcapng`, `a-00002.pcapng` …
   * @param lost packets of an interface that could not be kept, from the beginning; null where that is not known
   * @throws the system's error when the folder cannot be written
   */
  constructor(path: string, options: RingOptions, private readonly lost: (interfaceId: number) => number | null) {
    this.#path = path
    this.#options = options
    this.#counts = options.interfaces.map(() => ({ written: 0, lostBefore: 0 }))
    this.#writer = this.#open()
  }

  /** Files that are there, the one that is being written among them, oldest first. */
  get paths(): readonly string[] { return this.#paths }
  get isOpen(): boolean { return this.#writer.isOpen }

  packet(bytes: Uint8Array, facts: PacketFacts): void {
    const { fileSize = Infinity, fileTime = Infinity } = this.#options
    const length = bytes.length + Buffer.byteLength(facts.comment ?? '') + PACKET_OVERHEAD + STATISTICS * this.#counts.length
    const isFull = this.#writer.size + length > fileSize
    if (this.#begin !== null && (isFull || Number(facts.time - this.#begin) >= fileTime * 1e6)) this.#turn()
    this.#begin ??= facts.time
    this.#last = facts.time
    this.#writer.packet(bytes, facts)
    this.#counts[facts.interfaceId].written++
  }

  /** Lines of a key log: they open what is behind them. */
  secrets(keyLog: string): void {
    this.#keyLog += keyLog
    this.#writer.secrets(keyLog)
  }

  /** Hands what is in memory to the system. */
  flush(): void { this.#writer.flush() }

  /** The last file gets its name. Closing twice does nothing. */
  close(): void {
    if (!this.#writer.isOpen) return
    for (const [id, counts] of this.#counts.entries()) {
      const lost = this.lost(id), here = lost === null ? null : lost - counts.lostBefore
      this.#writer.statistics(id, this.#last, { received: BigInt(counts.written + (here ?? 0)), dropped: here === null ? null : BigInt(here) })
      this.#counts[id] = { written: 0, lostBefore: lost ?? 0 }
    }
    this.#writer.close()
  }

  /** Gives up: nothing of the last file is left behind. */
  discard(): void { this.#writer.discard() }

  #turn(): void {
    this.close()
    this.#begin = null
    this.#writer = this.#open()
  }

  #open(): PcapngWriter {
    const { interfaces, names = new Map(), comment = '', files = Infinity, isSecret = false } = this.#options
    const path = this.#nextPath()
    const writer = new PcapngWriter(path, 'naptlab', comment, isSecret ? 0o600 : 0o666)
    this.#paths.push(path)
    while (this.#paths.length > files) rmSync(this.#paths.shift() ?? '', { force: true })
    for (const each of interfaces) writer.interface(each)
    if (names.size > 0) writer.names(names)
    if (this.#keyLog !== '') writer.secrets(this.#keyLog)
    writer.flush()
    return writer
  }

  #nextPath(): string {
    const { files, fileSize, fileTime } = this.#options
    if (files === undefined && fileSize === undefined && fileTime === undefined) return this.#path
    const { dir, name, ext } = parse(this.#path)
    return join(dir, `${name}-${String(++this.#number).padStart(5, '0')}${ext}`)
  }
}
