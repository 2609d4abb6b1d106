// A file of secrets that only its owner can read: a list as JSON, so that names may hold any character. It is changed whole or not
// at all, by one writer at a time, and is refused when others can read it.
import { link, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { readFileSync, statSync } from 'node:fs'
import { EndpointError, messageOf, systemCode } from './errors.js'
import type { FileHandle } from 'node:fs/promises'
import type { LocalReason } from './errors.js'

const MAX_FILE = 8 * 2 ** 20

/** What is in a file, and what people call it. */
export interface SecretFileKind<T> {
  readonly reason: LocalReason
  /** As in `the user file`. */
  readonly title: string
  /** Of the list in the file, and of its entries: `users`. */
  readonly key: string
  /** The command that makes one, without its arguments. */
  readonly command: string
  /** One entry; throws `flaw(why, advice)` for what is none. */
  readonly parse: (value: unknown, where: string, flaw: (why: string, advice: string) => EndpointError) => T
  /** What tells entries apart. */
  readonly nameOf: (entry: T) => string
  /** Of one: `user`. */
  readonly entry: string
}

export class SecretFile<T> {
  constructor(readonly kind: SecretFileKind<T>) {}

  /** @throws EndpointError when the file is not there, can be read by others, or is not such a file */
  async read(path: string): Promise<readonly T[]> {
    try {
      this.#check(path, await stat(path))
      return this.#parse(path, await readFile(path, 'utf8'))
    } catch (error) {
      throw this.#failure(path, error)
    }
  }

  /** As `read`, for who cannot wait. */
  readSync(path: string): readonly T[] {
    try {
      this.#check(path, statSync(path))
      return this.#parse(path, readFileSync(path, 'utf8'))
    } catch (error) {
      throw this.#failure(path, error)
    }
  }

  /** Another whenever the file has changed. @throws EndpointError */
  async version(path: string): Promise<string> {
    try {
      return versionOf(await stat(path, { bigint: true }))
    } catch (error) {
      throw this.unusable(path, messageOf(error), 'put it back')
    }
  }

  /** As `version`, for who cannot wait. */
  versionSync(path: string): string {
    try {
      return versionOf(statSync(path, { bigint: true }))
    } catch (error) {
      throw this.unusable(path, messageOf(error), 'put it back')
    }
  }

  /**
   * The new file takes the old one's place in one step; while it is being made, its name keeps a second writer out.
   * @param whenAbsent what is edited when there is no file yet; without it, that is an error
   * @throws EndpointError
   */
  async change(path: string, edit: (entries: readonly T[]) => readonly T[], whenAbsent?: readonly T[]): Promise<void> {
    const temporary = `${path}.new`
    const file = await this.#begin(temporary, path)
    let hasMoved = false
    try {
      const isAbsent = whenAbsent !== undefined && await stat(path).then(() => false, (error: unknown) => systemCode(error) === 'ENOENT')
      const entries = edit(isAbsent ? whenAbsent : await this.read(path))
      await file.writeFile(`${JSON.stringify({ [this.kind.key]: entries }, null, 2)}\n`)
      await file.sync()
      // A link refuses to replace a file that came to be there meanwhile.
      if (isAbsent) {
        await link(temporary, path)
      } else {
        await rename(temporary, path)
        hasMoved = true
      }
    } catch (error) {
      throw error instanceof EndpointError ? error : this.unusable(path, `it cannot be written: ${messageOf(error)}`, 'check that you may write there')
    } finally {
      await file.close()
      if (!hasMoved) await unlink(temporary) // after a rename the name may be another writer's already
    }
  }

  unusable(path: string, why: string, advice: string): EndpointError {
    return new EndpointError(this.kind.reason, `the ${this.kind.title} ${path} cannot be used: ${why}`, advice)
  }

  async #begin(temporary: string, path: string): Promise<FileHandle> {
    try {
      return await open(temporary, 'wx', 0o600)
    } catch (error) {
      throw systemCode(error) === 'EEXIST'
        ? this.unusable(path, 'somebody else is changing it', `if nobody is, remove ${temporary}`)
        : this.unusable(path, `it cannot be written: ${messageOf(error)}`, 'check that you may write there')
    }
  }

  #check(path: string, { mode, size }: { readonly mode: number, readonly size: number }): void {
    if ((mode & 0o077) !== 0) throw this.unusable(path, 'other users of this machine can read or change it', `chmod 600 ${path}`)
    if (size > MAX_FILE) throw this.unusable(path, `it is larger than ${MAX_FILE} bytes`, `give the file that \`${this.kind.command} add\` made`)
  }

  #failure(path: string, error: unknown): EndpointError {
    if (error instanceof EndpointError) return error
    const { command, entry } = this.kind
    return this.unusable(path, systemCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error), `make it with: ${command} add ${path} ${entry.toUpperCase()}`)
  }

  #parse(path: string, text: string): T[] {
    const { key, command, entry, parse, nameOf } = this.kind
    const flaw = (why: string, advice: string): EndpointError => this.unusable(path, why, advice)
    let content: unknown
    try {
      content = JSON.parse(text)
    } catch {
      // The system's own sentence quotes the text, and so a secret.
      throw flaw('it is not JSON', `it is not a file that \`${command} add\` made`)
    }
    const list: unknown = content !== null && typeof content === 'object' && key in content ? (content as Readonly<Record<string, unknown>>)[key] : null
    if (!Array.isArray(list)) throw flaw(`it has no list of ${key}`, `give the file that \`${command} add\` made`)
    const entries = list.map((each: unknown, at) => parse(each, `${key}[${at}]`, flaw))
    const names = new Set<string>()
    for (const name of entries.map(nameOf)) {
      if (names.has(name)) throw flaw(`${entry} '${name}' is in it twice`, 'remove one of them')
      names.add(name)
    }
    return entries
  }
}

const versionOf = ({ ino, size, mtimeNs }: { readonly ino: bigint, readonly size: bigint, readonly mtimeNs: bigint }): string => `${ino} ${size} ${mtimeNs}`
