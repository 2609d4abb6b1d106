// How the content of records is protected (RFC 6101 5.2.3.2): a MAC, then padding, then encryption in CBC mode. The initialization
// vector of a record is the last block of the one before, so one cipher runs through each direction.
//
// The MAC is under the encryption and covers no padding, of which only the last byte means anything. That is how POODLE reads
// SSL 3.0 byte by byte, and nothing at this end can help it. A bad padding and a bad MAC are at least answered alike.
import { createCipheriv, createDecipheriv, timingSafeEqual, type Cipher, type Decipher } from 'node:crypto'
import { Ssl3Error } from './fault.js'
import { MAC_LENGTH, recordMac, type DirectionKeys } from './key-derivation.js'
import type { Suite } from './suites.js'

/** What the MAC covers besides the content. The sequence number counts the records under the same keys. */
function macHead(sequence: number, type: number, length: number): Buffer {
  const head = Buffer.alloc(11)
  head.writeBigUInt64BE(BigInt(sequence))
  head.writeUInt8(type, 8)
  head.writeUInt16BE(length, 9)
  return head
}

/** Protects what one direction writes. */
export class Sealer {
  readonly #cipher: Cipher
  readonly #macSecret: Buffer
  #sequence = 0

  constructor(private readonly suite: Suite, { macSecret, key, iv }: DirectionKeys) {
    this.#cipher = createCipheriv(suite.cipher, key, iv).setAutoPadding(false)
    this.#macSecret = macSecret
  }

  seal(type: number, content: Uint8Array): Buffer {
    const mac = recordMac(this.#macSecret, macHead(this.#sequence++, type, content.length), content)
    const { blockLength } = this.suite
    const fill = blockLength - (content.length + MAC_LENGTH) % blockLength
    return this.#cipher.update(Buffer.concat([content, mac, Buffer.alloc(fill, fill - 1)]))
  }
}

/** Checks and opens what one direction reads. */
export class Opener {
  readonly #decipher: Decipher
  readonly #macSecret: Buffer
  #sequence = 0

  constructor(private readonly suite: Suite, { macSecret, key, iv }: DirectionKeys) {
    this.#decipher = createDecipheriv(suite.cipher, key, iv).setAutoPadding(false)
    this.#macSecret = macSecret
  }

  /** @throws Ssl3Error, after which nothing more can be opened */
  open(type: number, sealed: Uint8Array): Buffer {
    const { blockLength } = this.suite
    if (sealed.length % blockLength !== 0 || sealed.length <= MAC_LENGTH) throw forged()
    const opened = this.#decipher.update(sealed)
    const fill = opened[opened.length - 1] + 1
    const isPadded = fill <= blockLength && fill + MAC_LENGTH <= opened.length
    const end = opened.length - MAC_LENGTH - (isPadded ? fill : 0)
    const content = opened.subarray(0, end)
    const mac = recordMac(this.#macSecret, macHead(this.#sequence++, type, end), content)
    const isGenuine = timingSafeEqual(mac, opened.subarray(end, end + MAC_LENGTH))
    if (!isPadded || !isGenuine) throw forged()
    return content
  }
}

const forged = (): Ssl3Error => new Ssl3Error('badRecordMac', 'a record is not as the other end sent it: it does not decrypt to what its MAC covers')
