// One file as it comes in: written under a temporary name beside its place and put there only when it is whole and its hash
// is the sender's. The sender chooses only a name, never a folder, and never replaces a file that is there.
import { createHash, randomBytes } from 'node:crypto'
import { link, lstat, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, systemCode } from './errors.js'
import type { FileHandle } from 'node:fs/promises'

export interface ReceiveOptions {
  readonly directory: string
  /** Larger files are refused, bytes. */
  readonly maxBytes?: number
}

export interface ReceivedFile { readonly name: string, readonly path: string, readonly bytes: number, readonly sha256: string }

/** Why a file is not taken; the sentence goes to the sender too and names no folder of this machine. */
export class FileRefused extends Error {}

const DEFAULT_MAX = 16 * 2 ** 30

export class FileReceiver {
  readonly #name: string
  readonly #size: number
  readonly #path: string
  readonly #temporary: string
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #bytes = 0

  private constructor(name: string, size: number, path: string, temporary: string, file: FileHandle) {
    this.#name = name
    this.#size = size
    this.#path = path
    this.#temporary = temporary
    this.#file = file
  }

  /** @throws FileRefused */
  static async begin(sentName: string, size: number, { directory, maxBytes = DEFAULT_MAX }: ReceiveOptions): Promise<FileReceiver> {
    const name = safeName(sentName)
    if (size > maxBytes) throw new FileRefused(`${name} has ${size} bytes; at most ${maxBytes} are taken`)
    const path = join(directory, name)
    const there = await lstat(path).then(() => true, (error: unknown) => systemCode(error) !== 'ENOENT')
    if (there) throw new FileRefused(`there is a file named ${name} already, or its folder cannot be used`)
    const temporary = join(directory, `.${randomBytes(8).toString('hex')}.part`)
    try {
      return new FileReceiver(name, size, path, temporary, await open(temporary, 'wx', 0o644))
    } catch (error) {
      throw new FileRefused(`${name} cannot be stored here: ${systemCode(error)}`)
    }
  }

  /** @throws FileRefused */
  async add(data: Uint8Array): Promise<void> {
    this.#bytes += data.length
    if (this.#bytes > this.#size) throw new FileRefused(`${this.#name} has more bytes than the ${this.#size} announced`)
    this.#hash.update(data)
    try {
      await this.#file.writeFile(data)
    } catch (error) {
      throw new FileRefused(`${this.#name} cannot be written: ${systemCode(error)}`)
    }
  }

  /** Puts the file in its place if it is whole. `sha256` is the sender's, or undefined when the sender gave up. */
  async end(sha256: string | undefined): Promise<ReceivedFile> {
    const own = this.#hash.digest('hex')
    try {
      if (sha256 === undefined) throw new FileRefused(`the sender gave up after ${this.#bytes} of ${this.#size} bytes`)
      if (this.#bytes < this.#size) throw new FileRefused(`${this.#name} ended after ${this.#bytes} of ${this.#size} bytes`)
      if (sha256 !== own) throw new HashDiffers(`${this.#name} was damaged on the way: its SHA-256 is not the sender's`, own)
      await this.#file.sync()
      // A link, since a rename would replace a file that came to be there meanwhile.
      await link(this.#temporary, this.#path)
      return { name: this.#name, path: this.#path, bytes: this.#bytes, sha256: own }
    } catch (error) {
      throw error instanceof FileRefused ? error : new FileRefused(`${this.#name} cannot be stored here: ${systemCode(error) || messageOf(error)}`)
    } finally {
      await this.discard()
    }
  }

  /** Removes the temporary file; what was put in place stays. */
  async discard(): Promise<void> {
    await this.#file.close()
    await unlink(this.#temporary).catch(() => undefined) // gone is what is wanted
  }
}

export class HashDiffers extends FileRefused {
  constructor(sentence: string, readonly sha256: string) {
    super(sentence)
  }
}

/** The last part of the name, whichever slash the sender's system uses. A hidden file could change how programs behave. */
function safeName(sent: string): string {
  const name = sent.split(/[/\\]/).at(-1) ?? ''
  if (name === '' || name.startsWith('.')) throw new FileRefused(`'${sent}' is not a file name that is taken here`)
  return name
}
