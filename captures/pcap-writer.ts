// Writes a capture file bit by bit, under a temporary name beside it; `close` gives it its own name. So a file with the
// right name is always whole. Writes are synchronous: they land in the page cache, and the file can be closed from
// wherever a run ends.
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { encodeFileHeader, encodeRecord } from './pcap.js'

/** Bytes kept in memory before they go to the file. */
const BUFFERED = 64 * 1024

export class PcapWriter {
  readonly path: string
  readonly #temporary: string
  #file: number | null
  #pending: Uint8Array[]
  #pendingBytes = 0
  #packets = 0

  /** @throws the system's error (`EACCES`, `ENOENT` …) when the folder cannot be written */
  constructor(path: string) {
    this.path = path
    this.#temporary = `${path}.part`
    this.#file = openSync(this.#temporary, 'w')
    this.#pending = [encodeFileHeader()]
  }

  /** Packets written so far. */
  get packets(): number { return this.#packets }

  /**
   * Adds a packet; its bytes are copied. `time` in nanoseconds since 1970, `originalLength` its length on the wire.
   * @throws RangeError for a frame or a time that the format cannot hold
   */
  write(time: bigint, bytes: Uint8Array, originalLength: number = bytes.length): void {
    if (this.#file === null) throw new Error(`${this.path} is closed already; a packet came too late`)
    const record = encodeRecord(time, bytes, originalLength)
    this.#pending.push(record)
    this.#pendingBytes += record.length
    this.#packets++
    if (this.#pendingBytes >= BUFFERED) this.flush()
  }

  /** Hands what is in memory to the file. */
  flush(): void {
    if (this.#file === null) return
    const bytes = Buffer.concat(this.#pending)
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
    this.#pending = []
    this.#pendingBytes = 0
  }

  /** Flushes and gives the file its name. Closing twice does nothing. */
  close(): void {
    if (this.#file === null) return
    this.flush()
    closeSync(this.#file)
    this.#file = null
    renameSync(this.#temporary, this.path)
  }

  /** Gives up: nothing is left behind. */
  discard(): void {
    if (this.#file === null) return
    closeSync(this.#file)
    this.#file = null
    rmSync(this.#temporary, { force: true })
  }
}
