// Opens the records of one direction, one after another: each has its number, which goes into the nonce or the MAC, so a
// record that is left out spoils nothing as long as it is counted.
import { createDecipheriv, createHash, createHmac } from 'node:crypto'
import { hashLength, type RecordKeys } from './key-schedule.js'
import type { Hash, RecordProtection } from './cipher-suites.js'

export type Version = 'SSL 3.0' | 'TLS 1.2' | 'TLS 1.3'

/** A record as it stands in the stream. */
export interface SealedRecord { readonly type: number, readonly version: number, readonly body: Uint8Array }

export interface OpenedRecord { readonly type: number, readonly body: Uint8Array }

/** Null: its authentication tag, or its MAC or padding, is not what the keys make of it. */
export interface RecordCipher { open(record: SealedRecord): OpenedRecord | null }

const TAG = 16

/** `encryptThenMac` as in RFC 7366; `first` is the number of the record that will be opened first, which in SSL 3.0 has to be 0. */
export function recordCipher(version: Version, protection: RecordProtection, keys: RecordKeys, encryptThenMac: boolean, first = 0n): RecordCipher {
  if (protection.kind === 'aead') return version === 'TLS 1.3' ? new Tls13(protection, keys, first) : new Tls12Aead(protection, keys, first)
  return version === 'SSL 3.0' ? new Ssl3Cbc(protection, keys) : new Tls12Cbc(protection, keys, encryptThenMac, first)
}

type Aead = Extract<RecordProtection, { kind: 'aead' }>
type Cbc = Extract<RecordProtection, { kind: 'cbc' }>

/** RFC 8446 §5.2. */
class Tls13 implements RecordCipher {
  constructor(private readonly protection: Aead, private readonly keys: RecordKeys, private sequence: bigint) {}

  open({ type, version, body }: SealedRecord): OpenedRecord | null {
    const nonce = xorNonce(this.keys.iv, this.sequence++)
    const inner = openAead(this.protection, this.keys.key, nonce, header(type, version, body.length), body)
    if (inner === null) return null
    const end = inner.findLastIndex(byte => byte !== 0) // the type stands behind the content, and zeros behind it
    return end < 0 ? null : { type: inner[end], body: inner.subarray(0, end) }
  }
}

/** RFC 5246 §6.2.3.3 with the nonces of RFC 5288 (8 bytes in each record) or RFC 7905 (none). */
class Tls12Aead implements RecordCipher {
  constructor(private readonly protection: Aead, private readonly keys: RecordKeys, private sequence: bigint) {}

  open({ type, version, body }: SealedRecord): OpenedRecord | null {
    const { explicitNonce } = this.protection
    const sequence = this.sequence++
    const length = body.length - explicitNonce - TAG
    if (length < 0) return null
    const nonce = explicitNonce > 0 ? Buffer.concat([this.keys.iv, body.subarray(0, explicitNonce)]) : xorNonce(this.keys.iv, sequence)
    const opened = openAead(this.protection, this.keys.key, nonce, Buffer.concat([number64(sequence), header(type, version, length)]), body.subarray(explicitNonce))
    return opened === null ? null : { type, body: opened }
  }
}

/** RFC 5246 §6.2.3.2: each record brings its IV. */
class Tls12Cbc implements RecordCipher {
  constructor(private readonly protection: Cbc, private readonly keys: RecordKeys, private readonly encryptThenMac: boolean, private sequence: bigint) {}

  open({ type, version, body }: SealedRecord): OpenedRecord | null {
    const { block, mac } = this.protection
    const sequence = number64(this.sequence++)
    const macLength = hashLength(mac)
    const macOf = (content: Uint8Array): Uint8Array => createHmac(mac, this.keys.macKey).update(sequence).update(header(type, version, content.length)).update(content).digest()
    const sealed = this.encryptThenMac ? splitMac(body, macLength, macOf) : body
    if (sealed === null || sealed.length < 2 * block || sealed.length % block !== 0) return null
    const padded = openCbc(this.protection, this.keys.key, sealed.subarray(0, block), sealed.subarray(block))
    const padding = padded[padded.length - 1] + 1
    if (padding > padded.length || padded.subarray(-padding).some(byte => byte !== padding - 1)) return null
    const content = padded.subarray(0, padded.length - padding)
    const plain = this.encryptThenMac ? content : splitMac(content, macLength, macOf)
    return plain === null ? null : { type, body: plain }
  }
}

/** RFC 6101 §5.2.3.2: the IV is the last block of the record before; what the padding consists of is left open. */
class Ssl3Cbc implements RecordCipher {
  #sequence = 0n
  #iv: Uint8Array
  constructor(private readonly protection: Cbc, private readonly keys: RecordKeys) { this.#iv = keys.iv }

  open({ type, body }: SealedRecord): OpenedRecord | null {
    const { block, mac } = this.protection
    const sequence = number64(this.#sequence++)
    if (body.length < block || body.length % block !== 0) return null
    const padded = openCbc(this.protection, this.keys.key, this.#iv, body)
    this.#iv = body.slice(-block)
    const padding = padded[padded.length - 1] + 1
    if (padding > padded.length || padding > block) return null
    const plain = splitMac(padded.subarray(0, padded.length - padding), hashLength(mac), content => ssl3Mac(mac, this.keys.macKey, sequence, type, content))
    return plain === null ? null : { type, body: plain }
  }
}

/** hash(secret ‖ pad 2 ‖ hash(secret ‖ pad 1 ‖ number ‖ type ‖ length ‖ content)), RFC 6101 §5.2.3.1. */
export function ssl3Mac(hash: Hash, secret: Uint8Array, sequence: Uint8Array, type: number, content: Uint8Array): Uint8Array {
  const pad = hash === 'md5' ? 48 : 40
  const inner = createHash(hash).update(secret).update(Buffer.alloc(pad, 0x36)).update(sequence)
    .update(Uint8Array.of(type, content.length >>> 8, content.length)).update(content).digest()
  return createHash(hash).update(secret).update(Buffer.alloc(pad, 0x5c)).update(inner).digest()
}

/** The content without the MAC behind it; null when that is another. */
function splitMac(bytes: Uint8Array, length: number, macOf: (content: Uint8Array) => Uint8Array): Uint8Array | null {
  if (bytes.length < length) return null
  const content = bytes.subarray(0, bytes.length - length)
  return Buffer.compare(macOf(content), bytes.subarray(bytes.length - length)) === 0 ? content : null
}

function openAead({ algorithm }: Aead, key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < TAG) return null
  const text = sealed.subarray(0, sealed.length - TAG)
  const decipher = algorithm === 'chacha20-poly1305' ? createDecipheriv(algorithm, key, nonce, { authTagLength: TAG }) : createDecipheriv(algorithm, key, nonce)
  decipher.setAuthTag(sealed.subarray(-TAG))
  decipher.setAAD(additional, { plaintextLength: text.length })
  const opened = decipher.update(text)
  try {
    decipher.final()
    return opened
  } catch {
    return null // the tag
  }
}

/** `sealed` is whole blocks. */
const openCbc = ({ algorithm }: Cbc, key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): Uint8Array =>
  createDecipheriv(algorithm, key, iv).setAutoPadding(false).update(sealed)

const header = (type: number, version: number, length: number): Uint8Array => Uint8Array.of(type, version >>> 8, version, length >>> 8, length)

function number64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

function xorNonce(iv: Uint8Array, sequence: bigint): Uint8Array {
  const number = number64(sequence)
  return iv.map((byte, at) => at < iv.length - 8 ? byte : byte ^ number[at - iv.length + 8])
}
