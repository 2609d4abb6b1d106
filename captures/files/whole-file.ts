// A file that is written bit by bit under a temporary name beside it, and gets its own name when it is whole. Writes are
// synchronous: they land in the page cache, and the file can be closed from wherever a run ends.
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

/** Bytes kept in memory before they go to the file. */
const BUFFERED = 64 * 1024

export class WholeFile {
  readonly path: string
  readonly #temporary: string
  #file: number | null
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #written = 0

  /**
   * @param mode who may read it, as chmod has it; 0o600 for a file with secrets
   * @throws the system's error (`EACCES`, `ENOENT` …) when the folder cannot be written
   */
  constructor(path: string, mode = 0o666) {
    this.path = path
    this.#temporary = `${path}.part`
    // What an interrupted run left there may be readable for others.
    rmSync(this.#temporary, { force: true })
    this.#file = openSync(this.#temporary, 'w', mode)
  }

  /** False once it has its name, or is given up. */
  get isOpen(): boolean { return this.#file !== null }

  /** Bytes so far. */
  get size(): number { return this.#written + this.#pendingBytes }

  /** Adds bytes, which are not to change any more; they go out together with others, never in part before a flush. */
  write(bytes: Uint8Array): void {
    if (this.#file === null) throw new Error(`${this.path} is closed already; something came too late`)
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes >= BUFFERED) this.flush()
  }

  /** Hands what is in memory to the file. */
  flush(): void {
    if (this.#file === null) return
    const bytes = Buffer.concat(this.#pending)
    for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
    this.#written += this.#pendingBytes
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
