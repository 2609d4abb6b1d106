// What one direction's records are under, and what opens them:
//   up to TLS 1.2   from its change cipher spec on, the keys of the hellos before (RFC 5246 §7.1)
//   TLS 1.3         records of type "data", from the server hello on: first the handshake's keys, behind its finished message those
//                   of the data, behind a key update the next ones (RFC 8446 §4.6.3, §5, §7.2)
import type { CipherSuite } from './cipher-suites.js'
import { VERSIONS, type ServerHello } from './handshake.js'
import type { KeySource } from './key-log.js'
import { keysBeforeTls13, nextSecret, trafficKeys } from './key-schedule.js'
import { recordCipher, type OpenedRecord, type RecordCipher, type SealedRecord, type Version } from './record-cipher.js'
import { CONTENT } from './records.js'

export type Role = 'client' | 'server'

/** What the hellos settled. */
export interface Settled { readonly hello: ServerHello, readonly suite: CipherSuite, readonly clientRandom: Uint8Array }

/** `tag`: its authentication tag or MAC is wrong · `key`: there is none · `suite`: version or cipher suite are not read here · `beginning`: its hellos were not seen. */
export type Unopened = 'tag' | 'key' | 'suite' | 'beginning'

type Epoch = 'clear' | 'before TLS 1.3' | 'handshake' | 'data'

export class Protection {
  readonly #keys: KeySource
  #epoch: Epoch = 'clear'
  #role: Role = 'client'
  #settled: Settled | null = null
  #cipher: RecordCipher | null = null
  /** TLS 1.3: what the cipher was made of. */
  #secret: Uint8Array | null = null
  /** Records of the epoch that passed before there was a key. */
  #passed = 0n

  constructor(keys: KeySource) { this.#keys = keys }

  /** Whether a record of this type is encrypted. */
  covers(type: number): boolean {
    return this.#epoch === 'before TLS 1.3' || (this.#epoch !== 'clear' && type === CONTENT.data)
  }

  /** A server hello passed, in whichever direction. */
  onServerHello(settled: Settled | null, role: Role): void {
    if (settled !== null && VERSIONS[settled.hello.version] === 'TLS 1.3') this.#enter('handshake', settled, role)
  }

  /** Up to TLS 1.2 the keys change here; TLS 1.3 sends it for the sake of boxes on the way (RFC 8446 §D.4). */
  onChangeCipher(settled: Settled | null, role: Role): void {
    if (this.#epoch === 'clear' || this.#epoch === 'before TLS 1.3') this.#enter('before TLS 1.3', settled, role)
  }

  onFinished(): void {
    if (this.#epoch === 'handshake') this.#enter('data', this.#settled, this.#role)
  }

  onKeyUpdate(): void {
    if (this.#epoch !== 'data' || this.#secret === null || this.#settled === null) return
    this.#passed = 0n
    this.#cipher = this.#fromSecret(this.#settled, nextSecret(this.#settled.suite.hash, this.#secret))
  }

  open(record: SealedRecord): OpenedRecord | Unopened {
    const cipher = this.#cipher ??= this.#makeCipher()
    if (cipher !== null) return cipher.open(record) ?? 'tag'
    this.#passed++
    return this.#settled === null ? 'beginning' : versionOf(this.#settled) === null || this.#settled.suite.protection === null ? 'suite' : 'key'
  }

  #enter(epoch: Epoch, settled: Settled | null, role: Role): void {
    this.#epoch = epoch
    this.#settled = settled
    this.#role = role
    this.#cipher = null
    this.#secret = null
    this.#passed = 0n
  }

  /** Null while there is no key. */
  #makeCipher(): RecordCipher | null {
    const settled = this.#settled
    const version = settled === null ? null : versionOf(settled)
    if (settled === null || version === null) return null
    const { suite: { protection, hash }, hello, clientRandom } = settled
    if (protection === null) return null
    if (version === 'TLS 1.3') {
      const side = this.#role === 'client' ? 'CLIENT' : 'SERVER'
      const secret = this.#keys.secret(this.#epoch === 'data' ? `${side}_TRAFFIC_SECRET_0` : `${side}_HANDSHAKE_TRAFFIC_SECRET`, clientRandom)
      return secret === undefined ? null : this.#fromSecret(settled, secret)
    }
    const masterSecret = this.#keys.secret('CLIENT_RANDOM', clientRandom)
    if (masterSecret === undefined || (version === 'SSL 3.0' && this.#passed > 0n)) return null // each record of SSL 3.0 needs the one before
    const keys = keysBeforeTls13(version, hash, protection, masterSecret, { client: clientRandom, server: hello.random })[this.#role]
    return recordCipher(version, protection, keys, hello.encryptThenMac, this.#passed)
  }

  #fromSecret({ suite: { protection, hash } }: Settled, secret: Uint8Array): RecordCipher | null {
    if (protection === null) return null
    this.#secret = secret
    return recordCipher('TLS 1.3', protection, trafficKeys(hash, secret, protection.key), false, this.#passed)
  }
}

/** Null for one whose records are not read here: TLS 1.0 and 1.1. */
function versionOf({ hello }: Settled): Version | null {
  const version = VERSIONS[hello.version]
  return version === 'TLS 1.3' || version === 'TLS 1.2' || version === 'SSL 3.0' ? version : null
}
