// The keys that open the TLS connections of a file: those that it brings itself, as far as it is read, and those of a key log beside.
import type { CaptureStream } from '../files/capture-stream.js'
import { KeyLog, KEY_LOG_FILE, type KeySource, type SecretLabel } from '../tls/key-log.js'
import type { ShownKeys } from './naming.js'

export class StreamKeys implements ShownKeys {
  readonly #stream: Pick<CaptureStream, 'file' | 'keyLog'>
  readonly #beside: KeySource | null
  readonly #own: KeyLog
  #read = 0
  #trouble: string | null = null

  constructor(stream: Pick<CaptureStream, 'file' | 'keyLog'>, beside: KeySource | null = null) {
    this.#stream = stream
    this.#beside = beside
    this.#own = new KeyLog(stream.file)
  }

  get hasSecrets(): boolean { return this.#beside !== null || this.#stream.keyLog !== '' }

  get lack(): string {
    if (this.#trouble !== null) return this.#trouble
    return this.#beside?.lack ?? (this.#read > 0 ? this.#own.lack : `no ${KEY_LOG_FILE}`)
  }

  secret(label: SecretLabel, clientRandom: Uint8Array): Uint8Array | undefined {
    this.#readOn()
    return this.#own.secret(label, clientRandom) ?? this.#beside?.secret(label, clientRandom)
  }

  /** Keys that are none open nothing, which is no reason to show nothing of the file. */
  #readOn(): void {
    const more = this.#stream.keyLog.slice(this.#read)
    if (more === '' || this.#trouble !== null) return
    this.#read += more.length
    try {
      this.#own.add(more)
    } catch (error) {
      this.#trouble = `the file's keys cannot be read: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}
