// Capture files brought to canonical form while they are read, interface by interface, so that a file need not fit into memory.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { unnamed } from '../files/by-interface.js'
import { Canonicalizer, type CanonicalInterface, type CanonicalOptions } from './canonical.js'
import { CaptureStream } from '../files/capture-stream.js'
import { CheckUsageError, type InputFile } from '../files/input-files.js'
import type { CaptureFileError } from '../files/pcap.js'
import type { CaptureInterface } from '../files/pcapng/format.js'
import { allOf, KEY_LOG_FILE, KeyLog, NO_KEYS, readKeyLog, type KeySource } from '../tls/key-log.js'

export interface ReadingOptions {
  /** A key log; without one, what the files themselves hold, and each `keys.log` beside them. */
  readonly keyLog?: string
  /** Called now and then with the share of all bytes that was read, from 0 to 1; never for a pipe. */
  readonly onProgress?: (share: number) => void
}

export interface CanonicalFiles {
  /** By name; what has none is called as its file. */
  readonly interfaces: ReadonlyMap<string, CanonicalInterface>
  readonly keys: KeySource
  /** The names of each file's interfaces, by path and number. */
  readonly names: ReadonlyMap<string, readonly string[]>
}

/**
 * @throws CaptureFileError when a file is no capture at all (one that breaks off gives its packets, and `damage`); KeyLogError for
 *   a key log that is none; CheckUsageError when two files show one interface, or one given as one interface shows several
 */
export async function canonicalizeFiles(files: readonly InputFile[], options: Omit<CanonicalOptions, 'keys'>, { keyLog, onProgress }: ReadingOptions = {}): Promise<CanonicalFiles> {
  const sources: KeySource[] = keyLogsFor(files, keyLog).map(readKeyLog)
  const keys = allOf(sources) // connections are opened behind the last packet: what the files hold comes in time
  const shown = new Map<string, { readonly file: InputFile, readonly canonicalizer: Canonicalizer, readonly damage: CaptureFileError | null }>()
  const names = new Map<string, string[]>()
  for (const [at, file] of files.entries()) {
    const stream = await CaptureStream.open(file.path)
    const canonicalizers = new Canonicalizers({ ...options, keys })
    for await (const batch of stream.columns()) {
      for (let i = 0; i < batch.count; i++) canonicalizers.of(batch.interface(i)).addFrom(batch, i)
      if (stream.size !== null) onProgress?.((at + stream.bytesRead / stream.size) / files.length)
    }
    const { damage, interfaces } = stream
    if (damage !== null && interfaces.length === 0) throw damage
    if (keyLog === undefined && stream.keyLog !== '') sources.push(keysIn(stream))
    const nameOf = (each: CaptureInterface): string => file.as ?? (each.name || unnamed(file.path, each, interfaces.length))
    const byName = new Map(interfaces.map(each => [nameOf(each), canonicalizers.of(each)]))
    names.set(file.path, interfaces.map(nameOf))
    if (file.as !== null && new Set(interfaces.map(each => canonicalizers.of(each))).size > 1) throw new CheckUsageError(`--as ${file.as}=${file.path}: this file shows several interfaces. Give it without --as.`)
    for (const [name, canonicalizer] of byName) {
      const other = shown.get(name)
      if (other !== undefined) throw new CheckUsageError(`${other.file.path} and ${file.path} both show ${name}. Give one file an interface, with --as INTERFACE=FILE where its name is another's.`)
      shown.set(name, { file, canonicalizer, damage })
    }
  }
  if (sources.length === 0) sources.push(NO_KEYS)
  return { keys, names, interfaces: new Map([...shown].map(([name, { canonicalizer, damage }]) => [name, { ...canonicalizer.finish(), packets: canonicalizer.packets, damage }])) }
}

/** Those of a file; its interfaces of one name, such as one has in each section, are one. */
class Canonicalizers {
  readonly #options: CanonicalOptions
  readonly #known = new Map<CaptureInterface, Canonicalizer>()
  readonly #byName = new Map<string, Canonicalizer>()
  /** What was asked for last, as it is for nearly every packet of a large file. */
  #last: { readonly of: CaptureInterface, readonly is: Canonicalizer } | null = null

  constructor(options: CanonicalOptions) { this.#options = options }

  of(each: CaptureInterface): Canonicalizer {
    if (this.#last?.of !== each) this.#last = { of: each, is: this.#find(each) }
    return this.#last.is
  }

  #find(each: CaptureInterface): Canonicalizer {
    const known = this.#known.get(each)
    if (known !== undefined) return known
    const found = this.#byName.get(each.name) ?? new Canonicalizer(this.#options)
    this.#known.set(each, found)
    if (each.name !== '') this.#byName.set(each.name, found)
    return found
  }
}

function keysIn({ file, keyLog }: CaptureStream): KeyLog {
  const keys = new KeyLog(file)
  keys.add(keyLog)
  return keys
}

/** The key logs of files: the one that was given, or else each beside them. */
export const keyLogsFor = (files: readonly { readonly path: string }[], keyLog: string | undefined): string[] =>
  keyLog !== undefined ? [keyLog] : [...new Set(files.map(({ path }) => join(dirname(path), KEY_LOG_FILE)))].filter(each => existsSync(each))
