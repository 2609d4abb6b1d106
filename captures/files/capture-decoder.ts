// What the decoders of both formats share: bytes come in chunks of any size, packets go out, and what else the file says is kept.
// Only a record that two chunks share is copied, once or twice however many chunks it is spread over; memory is bounded by a chunk
// and the longest record.
import type { Ipv4Address } from '../../napt/wire/address.js'
import { PacketBatch } from './packet-batch.js'
import { CaptureFileError } from './pcap.js'
import type { CaptureInterface, InterfacePacket, InterfaceStatistics } from './pcapng/format.js'

export const CUT_SHORT = 'What came before was read; the file was cut short, so capture again or ask for the whole file.'
export const DAMAGED = 'What came before was read; the file is damaged from here on.'

export abstract class CaptureDecoder {
  abstract readonly format: 'pcap' | 'pcapng'
  /** As the caller named it; for messages. */
  readonly file: string
  readonly interfaces: CaptureInterface[] = []
  readonly names = new Map<Ipv4Address, string>()
  readonly statistics = new Map<CaptureInterface, InterfaceStatistics>()
  /** Lines of an NSS key log. */
  keyLog = ''
  /** For the packets of the bytes in hand. */
  protected batch = new PacketBatch(this.interfaces)
  /** Of the chunk in hand; used again with the next one. */
  readonly #batches: PacketBatch[] = [this.batch]
  #used = 0
  #packets = 0
  #memory: Uint8Array = new Uint8Array(0)
  /** Of the bytes that `take` has in hand, in the file. */
  #offset = 0
  #isBegun = false
  #damage: CaptureFileError | null = null
  /** Room for the record that goes on in the next chunk, and how much of it is there. */
  #shared = new Uint8Array(0)
  #filled = 0

  constructor(file: string) {
    this.file = file
  }

  /** False until the bytes have turned out to be a capture file at all. */
  get isBegun(): boolean { return this.#isBegun }
  /** What ended the decoding; nothing is taken after it. */
  get damage(): CaptureFileError | null { return this.#damage }

  /** The packets that are whole by now. Batches are valid until the next call; packets lie in the bytes of the chunk, or in memory of their own. */
  decode(chunk: Uint8Array): readonly PacketBatch[] {
    this.#used = 0
    if (this.#damage === null) {
      try {
        this.#split(chunk)
      } catch (error) {
        if (!(error instanceof CaptureFileError)) throw error
        this.#damage = error
      }
    }
    return this.#batches.slice(0, this.#used)
  }

  /** As `decode`, each packet as an object. */
  push(chunk: Uint8Array): readonly InterfacePacket[] { return this.decode(chunk).flatMap(batch => batch.packets()) }

  /** No more bytes come: what is left is damage. */
  end(): void {
    this.#damage ??= this.cut(this.#shared.subarray(0, this.#filled))
  }

  /** Takes apart the whole records that `bytes` begins with, into `batch`. @returns their bytes. @throws CaptureFileError where one cannot be */
  protected abstract take(bytes: Uint8Array): number
  /** Bytes of the record that is there in part; where that is not known yet, those with which it is. Always more than are there. */
  protected abstract sizeOf(part: Uint8Array): number
  /** What it means that the file ends with a part of a record, which may be nothing. */
  protected abstract cut(part: Uint8Array): CaptureFileError | null

  protected begin(): void { this.#isBegun = true }
  /** @param at of the bytes that `take` has in hand */
  protected damageAt(at: number, found: string, advice = DAMAGED): CaptureFileError {
    return new CaptureFileError(this.file, this.#offset + at, found, advice)
  }

  #split(chunk: Uint8Array): void {
    let rest = chunk
    while (this.#shared.length > 0) {
      const more = rest.subarray(0, this.#shared.length - this.#filled)
      this.#shared.set(more, this.#filled)
      this.#filled += more.length
      if (this.#filled < this.#shared.length) return
      rest = rest.subarray(more.length)
      this.#give(this.#shared)
    }
    this.#give(rest)
  }

  #give(bytes: Uint8Array): void {
    const batch = this.batch = this.#batches[this.#used] ??= new PacketBatch(this.interfaces)
    batch.reset(this.#memoryOf(bytes), this.#packets + 1)
    try {
      this.#takeAll(bytes)
    } finally {
      this.#packets += batch.count
      if (batch.count > 0) this.#used++
    }
  }

  /** All that `bytes` lie in, so that there is one view of each piece of memory however many chunks are in it. */
  #memoryOf({ buffer }: Uint8Array): Uint8Array {
    if (this.#memory.buffer !== buffer) this.#memory = new Uint8Array(buffer)
    return this.#memory
  }

  #takeAll(bytes: Uint8Array): void {
    const taken = this.take(bytes), left = bytes.subarray(taken)
    this.#offset += taken
    this.#shared = new Uint8Array(left.length === 0 ? 0 : this.sizeOf(left))
    this.#shared.set(left)
    this.#filled = left.length
  }
}
