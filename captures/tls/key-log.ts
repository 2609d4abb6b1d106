// Key logs (NSS Key Log Format): the secrets of TLS connections, a line each, found by the random of their client hello. What a
// line holds is a secret, so no error shows it.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { basename } from 'node:path'
import { readSmallFile } from '../files/small-file.js'

export type SecretLabel =
  | 'CLIENT_RANDOM' // the master secret, up to TLS 1.2
  | 'CLIENT_HANDSHAKE_TRAFFIC_SECRET' | 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
  | 'CLIENT_TRAFFIC_SECRET_0' | 'SERVER_TRAFFIC_SECRET_0'

/** Where a decoder gets secrets from. */
export interface KeySource {
  /** The secret, or undefined while it is not there. */
  secret(label: SecretLabel, clientRandom: Uint8Array): Uint8Array | undefined
  /** What to tell people where a secret is wanting, as in `no key in keys.log`. */
  readonly lack: string
}

/** A key log that is none; the message has the file and the line. */
export class KeyLogError extends Error { override readonly name = 'KeyLogError' }

export const KEY_LOG_FILE = 'keys.log'

/** For who has no key log: the handshakes that are visible are read all the same. */
export const NO_KEYS: KeySource = { secret: () => undefined, lack: `no ${KEY_LOG_FILE}` }

/** Several as one. */
export const allOf = (sources: readonly KeySource[]): KeySource => ({
  secret: (label, clientRandom) => sources.map(source => source.secret(label, clientRandom)).find(secret => secret !== undefined),
  lack: sources.map(source => source.lack).join('; '),
})

/** Bytes; secrets: about that many connections, of five lines each. */
const LARGEST_FILE = 16 << 20, LARGEST_LINE = 512, MOST_SECRETS = 100_000

/** Bytes of each; other labels of the format are known and skipped. */
const SECRETS: Readonly<Record<string, readonly number[]>> = {
  CLIENT_RANDOM: [48],
  CLIENT_HANDSHAKE_TRAFFIC_SECRET: [32, 48], SERVER_HANDSHAKE_TRAFFIC_SECRET: [32, 48],
  CLIENT_TRAFFIC_SECRET_0: [32, 48], SERVER_TRAFFIC_SECRET_0: [32, 48],
} satisfies Record<SecretLabel, readonly number[]>

/** What was read so far of a key log. */
export class KeyLog implements KeySource {
  readonly #secrets = new Map<string, Uint8Array>()
  #lines = 0

  /** `file` is for people. */
  constructor(readonly file: string) {}

  get lack(): string { return `no key in ${basename(this.file)}` }

  secret(label: SecretLabel, clientRandom: Uint8Array): Uint8Array | undefined {
    return this.#secrets.get(keyOf(label, Buffer.from(clientRandom).toString('hex')))
  }

  /**
   * Takes whole lines.
   * @throws KeyLogError at a line that is none of a key log
   */
  add(text: string): void {
    for (const line of text.replace(/\n$/, '').split('\n')) this.#addLine(line.replace(/\r$/, ''), ++this.#lines)
  }

  #addLine(line: string, number: number): void {
    if (line === '' || line.startsWith('#')) return
    const fail = (what: string): KeyLogError => new KeyLogError(`${this.file}, line ${number}: ${what}. A line of a key log is LABEL CLIENT-RANDOM SECRET, the last two in hexadecimal.`)
    if (line.length > LARGEST_LINE) throw fail(`it has ${line.length} characters, a key log at most ${LARGEST_LINE}`)
    const [label, random, secret, ...more] = line.split(' ')
    if (!/^[A-Z][A-Z0-9_]*$/.test(label)) throw fail('it begins with no label')
    if (more.length > 0 || !isHex(random) || !isHex(secret)) throw fail(`behind ${label} there are not two numbers in hexadecimal`)
    const lengths = SECRETS[label] as readonly number[] | undefined
    if (lengths === undefined) return
    if (random.length !== 64) throw fail(`the client random has ${random.length / 2} bytes, not 32`)
    if (!lengths.includes(secret.length / 2)) throw fail(`the secret has ${secret.length / 2} bytes, not ${lengths.join(' or ')}`)
    if (this.#secrets.size >= MOST_SECRETS) throw fail(`there are more than ${MOST_SECRETS} secrets. Give a log of this capture alone`)
    this.#secrets.set(keyOf(label, random.toLowerCase()), Buffer.from(secret, 'hex'))
  }
}

const keyOf = (label: string, random: string): string => `${label} ${random}`
const isHex = (text: string | undefined): text is string => text !== undefined && text.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(text)

/** @throws KeyLogError for a file that cannot be read or is no key log */
export function readKeyLog(file: string): KeyLog {
  const log = new KeyLog(file)
  let text: Buffer
  try {
    text = readSmallFile(file, LARGEST_FILE)
  } catch (error) {
    throw new KeyLogError(`${file}: the key log cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
  log.add(text.toString('latin1'))
  return log
}

/**
 * A key log that somebody is still writing: what it has gained is read whenever a secret is asked for that was not there yet. So
 * a secret that is written before the packet that needs it leaves is found by whoever sees the packet. The file need not be there
 * yet. A line that is none ends the reading, and `lack` says so from then on.
 */
export class GrowingKeyLog implements KeySource {
  readonly #log: KeyLog
  #read = 0
  #trouble: string | null = null

  constructor(readonly file: string) { this.#log = new KeyLog(file) }

  get lack(): string { return this.#trouble ?? this.#log.lack }

  secret(label: SecretLabel, clientRandom: Uint8Array): Uint8Array | undefined {
    const known = this.#log.secret(label, clientRandom)
    if (known !== undefined || this.#trouble !== null || !this.#readOn()) return known
    return this.#log.secret(label, clientRandom)
  }

  /** Whether there was more. A line without its end is left for later. */
  #readOn(): boolean {
    let file: number
    try {
      file = openSync(this.file, 'r')
    } catch {
      return false // not there yet
    }
    try {
      const { size } = fstatSync(file)
      if (size > LARGEST_FILE) throw new KeyLogError(`${this.file} has ${size} bytes, at most ${LARGEST_FILE} are read`)
      const more = Buffer.alloc(Math.max(0, size - this.#read))
      const end = more.subarray(0, readSync(file, more, 0, more.length, this.#read)).lastIndexOf('\n') + 1
      this.#read += end
      if (end > 0) this.#log.add(more.toString('latin1', 0, end))
      return end > 0
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error)
      return false
    } finally {
      closeSync(file)
    }
  }
}
