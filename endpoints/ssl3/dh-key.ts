// Diffie–Hellman keys as certificates and key files hold them (PKCS #3 inside X.509 and PKCS #8), read as far as the key exchange
// needs their numbers, which node:crypto does not give away.
import type { KeyObject } from 'node:crypto'
import type { Group } from './diffie-hellman.js'

/** ASN.1, as DER has it. */
const TAG = { integer: 0x02, bitString: 0x03, octetString: 0x04, sequence: 0x30 } as const

export interface DhKey extends Group {
  /** The public value, or the secret exponent of a private key. */
  readonly value: Buffer
}

/** @param key of type `dh`. @throws Error for any other */
export function readDhKey(key: KeyObject): DhKey {
  const type: string | undefined = key.asymmetricKeyType // Node's types do not know this kind
  if (type !== 'dh') throw new Error(`a Diffie–Hellman key is needed, and this is one of type ${type ?? 'unknown'}`)
  const isPrivate = key.type === 'private'
  const der = isPrivate ? key.export({ type: 'pkcs8', format: 'der' }) : key.export({ type: 'spki', format: 'der' })
  const info = new Elements(new Elements(der).take(TAG.sequence))
  if (isPrivate) info.take(TAG.integer) // the version
  const algorithm = new Elements(info.take(TAG.sequence))
  algorithm.skip() // dhKeyAgreement
  const group = new Elements(algorithm.take(TAG.sequence))
  const prime = unsigned(group.take(TAG.integer)), generator = unsigned(group.take(TAG.integer))
  // The number is an INTEGER of its own inside; a bit string says first how many of its last bits are unused.
  const inner = isPrivate ? info.take(TAG.octetString) : info.take(TAG.bitString).subarray(1)
  return { prime, generator, value: unsigned(new Elements(inner).take(TAG.integer)) }
}

/** What stands one after another in a DER value that OpenSSL has written. */
class Elements {
  #at = 0
  constructor(private readonly der: Buffer) {}

  take(tag: number): Buffer {
    if (this.der[this.#at] !== tag) throw new Error(`byte ${this.#at} of a Diffie–Hellman key is ${this.der[this.#at]}, where ASN.1 tag ${tag} is due`)
    return this.skip()
  }

  skip(): Buffer {
    let length = this.der[this.#at + 1], start = this.#at + 2
    if (length >= 0x80) { // the length has a length
      const size = length - 0x80
      length = this.der.readUIntBE(start, size)
      start += size
    }
    this.#at = start + length
    return this.der.subarray(start, this.#at)
  }
}

/** Without the zero byte that keeps a number positive. */
const unsigned = (integer: Buffer): Buffer => integer[0] === 0 ? integer.subarray(1) : integer
