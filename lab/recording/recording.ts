// What `naptlab record` writes, whoever sees the packets: they are put in order of time, filtered, cut, numbered from host to host,
// and written into a file or a ring of them, a moment after they were seen.
import { readFileSync } from 'node:fs'
import { LINK_TYPE } from '../../captures/decode/link-layer.js'
import { CaptureRing } from '../../captures/files/ring.js'
import { PacketIds, type RecordedPacket } from '../../captures/files/packet-ids.js'
import { KeyLog } from '../../captures/tls/key-log.js'
import type { Direction } from '../../captures/files/pcapng/format.js'
import { PcapFilter } from '../../napt/system/pcap-filter.js'
import type { Ipv4Address } from '../../napt/wire/address.js'

export interface RecordingOptions {
  readonly path: string
  /** By name, in the order of the file. */
  readonly interfaces: readonly { readonly name: string, readonly description: string }[]
  readonly names?: ReadonlyMap<Ipv4Address, string>
  readonly comment?: string
  /** In libpcap's language; for packets that no kernel has filtered. */
  readonly filter?: string | undefined
  /** Bytes of a packet that are kept. */
  readonly snapLength?: number | undefined
  /** Of all interfaces together; the recording is full then. */
  readonly packets?: number | undefined
  readonly files?: number | undefined
  readonly fileSize?: number | undefined
  /** Milliseconds. */
  readonly fileTime?: number | undefined
  /** A key log, which may still be growing: its lines go in front of the packets that came behind them. */
  readonly keys?: string | undefined
}

export interface SeenPacket {
  readonly interface: string
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly bytes: Uint8Array
  readonly direction: Direction
  /** What its recorder knows it by, or null. */
  readonly copyOf: string | null
  readonly comment: string
}

interface Held extends RecordedPacket { readonly seen: SeenPacket }

/** Nanoseconds that a packet is held for others that were seen before it and are reported later. */
const WINDOW = 200_000_000n

export class Recording {
  readonly #options: RecordingOptions
  readonly #ring: CaptureRing
  readonly #filter: PcapFilter | null
  readonly #numbers: ReadonlyMap<string, number>
  readonly #lost = new Map<string, number>()
  readonly #ids = new PacketIds<Held>(WINDOW)
  #keyLogRead = 0
  #packets = 0
  #bytes = 0

  /** @throws PcapFilterError; KeyLogError; the system's error when the folder cannot be written */
  constructor(options: RecordingOptions) {
    const { path, interfaces, names, comment, filter = '', snapLength = 0, files, fileSize, fileTime, keys } = options
    this.#options = options
    this.#filter = filter === '' ? null : new PcapFilter(filter)
    this.#numbers = new Map(interfaces.map(({ name }, id) => [name, id]))
    this.#ring = new CaptureRing(path, {
      interfaces: interfaces.map(each => ({ ...each, linkType: LINK_TYPE.ethernet, snapLength })),
      ...(names === undefined ? {} : { names }), ...(comment === undefined ? {} : { comment }), isSecret: keys !== undefined,
      ...(files === undefined ? {} : { files }), ...(fileSize === undefined ? {} : { fileSize }), ...(fileTime === undefined ? {} : { fileTime }),
    }, id => this.#lost.get(interfaces[id].name) ?? null)
    this.#ring.flush()
  }

  /** Written so far. */
  get packets(): number { return this.#packets }
  /** Of those, as they were on the wire. */
  get bytes(): number { return this.#bytes }
  get paths(): readonly string[] { return this.#ring.paths }
  get isFull(): boolean { return this.#packets >= (this.#options.packets ?? Infinity) }

  /** A packet that the kernel has let through the filter already. */
  take(seen: SeenPacket): void {
    this.#write(this.#ids.push({ seen, place: seen.interface, time: seen.time, bytes: seen.bytes, copyOf: seen.copyOf }))
  }

  /** The copies of one packet that a router's trace has, each filtered by itself. What is said of the packet stays with the first that is meant. */
  takeCopies(copies: readonly SeenPacket[]): void {
    const meant = copies.filter(({ bytes }) => this.#filter === null || this.#filter.matches(bytes))
    const [first] = copies
    for (const [at, seen] of meant.entries()) this.take(at === 0 && seen.comment === '' && seen.copyOf === first.copyOf ? { ...seen, comment: first.comment } : seen)
  }

  /** Packets of an interface that could not be kept, from the beginning. An interface of which this is never said may have lost some. */
  lost(name: string, packets: number): void { this.#lost.set(name, packets) }

  /** Writes what is old enough at `now`, nanoseconds since 1970, and hands it to the system. @throws the system's error, KeyLogError */
  flush(now: bigint): void {
    this.#write(this.#ids.release(now - WINDOW))
    this.#ring.flush()
  }

  /** Writes everything, and the last file gets its name. */
  close(): void {
    this.#write(this.#ids.release())
    this.#readKeys()
    this.#ring.close()
  }

  /** Gives up before anything was recorded: no file is left behind. */
  discard(): void { this.#ring.discard() }

  #write(due: readonly (readonly [Held, bigint])[]): void {
    if (due.length > 0) this.#readKeys()
    for (const [{ seen: { interface: name, time, bytes, direction, comment } }, packetId] of due) {
      if (this.isFull) return
      const kept = bytes.subarray(0, this.#options.snapLength ?? bytes.length)
      this.#ring.packet(kept, { interfaceId: this.#numbers.get(name) ?? 0, time, originalLength: bytes.length, direction, packetId, comment })
      this.#packets++
      this.#bytes += bytes.length
    }
  }

  /** Whole lines that the key log has gained. */
  #readKeys(): void {
    const { keys } = this.#options
    if (keys === undefined) return
    const text = readIfThere(keys), end = text.lastIndexOf('\n') + 1
    if (end <= this.#keyLogRead) return
    const lines = text.slice(this.#keyLogRead, end)
    new KeyLog(keys).add(lines) // a line that is none would make the file unreadable
    this.#keyLogRead = end
    this.#ring.secrets(lines)
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
