// Writes a capture file of Ethernet frames bit by bit; see whole-file.ts.
import { encodeFileHeader, encodeRecord } from './pcap.js'
import { WholeFile } from './whole-file.js'

export class PcapWriter {
  readonly #file: WholeFile
  #packets = 0

  /** @throws the system's error (`EACCES`, `ENOENT` …) when the folder cannot be written */
  constructor(path: string) {
    this.#file = new WholeFile(path)
    this.#file.write(encodeFileHeader())
  }

  get path(): string { return this.#file.path }
  /** Packets written so far. */
  get packets(): number { return this.#packets }

  /**
   * Adds a packet; its bytes are copied. `time` in nanoseconds since 1970, `originalLength` its length on the wire.
   * @throws RangeError for a frame or a time that the format cannot hold
   */
  write(time: bigint, bytes: Uint8Array, originalLength: number = bytes.length): void {
    this.#file.write(encodeRecord(time, bytes, originalLength))
    this.#packets++
  }

  /** Hands what is in memory to the file. */
  flush(): void { this.#file.flush() }
  /** Flushes and gives the file its name. Closing twice does nothing. */
  close(): void { this.#file.close() }
  /** Gives up: nothing is left behind. */
  discard(): void { this.#file.discard() }
}
