// How the content of records is protected (RFC 6101 5.2.3.2): a MAC, then padding, then encryption in CBC mode. The initialization
// vector of a record is the last block of the one before, so one cipher runs through each direction.
//
// The MAC is under the encryption and covers no padding, of which only the last byte means anything. That is how POODLE reads
// SSL 3.0 byte by byte, and nothing at this end can help it. A bad padding and a bad MAC are at least answered alike.
import { createCipheriv, createDecipheriv, timingSafeEqual, type Cipher, type Decipher } from 'node:crypto'
import { Ssl3Error } from './fault.js'
import { MAC_LENGTH, recordMac, type DirectionKeys } from './key-derivation.js'
import type { Suite } from './suites.js'

/** The MACs of one direction, record by record. */
class Macs {
  #sequence = 0
  constructor(private readonly secret: Buffer) {}

  /** Of the next record. Besides the content it covers how many came before under the same keys, the type and the length. */
  next(type: number, content: Uint8Array): Buffer {
    const head = Buffer.alloc(11)
    head.writeBigUInt64BE(BigInt(this.#sequence++))
    head.writeUInt8(type, 8)
    head.writeUInt16BE(content.length, 9)
    return recordMac(this.secret, head, content)
  }
}

/** Protects what one direction writes. */
export class Sealer {
  readonly #cipher: Cipher
  readonly #macs: Macs

  constructor(private readonly suite: Suite, { macSecret, key, iv }: DirectionKeys) {
    this.#cipher = createCipheriv(suite.cipher, key, iv).setAutoPadding(false)
    this.#macs = new Macs(macSecret)
  }

  seal(type: number, content: Uint8Array): Buffer {
    const { blockLength } = this.suite
    const fill = blockLength - (content.length + MAC_LENGTH) % blockLength
    return this.#cipher.update(Buffer.concat([content, this.#macs.next(type, content), Buffer.alloc(fill, fill - 1)]))
  }
}

/** Checks and opens what one direction reads. */
export class Opener {
  readonly #decipher: Decipher
  readonly #macs: Macs

  constructor(private readonly suite: Suite, { macSecret, key, iv }: DirectionKeys) {
    this.#decipher = createDecipheriv(suite.cipher, key, iv).setAutoPadding(false)
    this.#macs = new Macs(macSecret)
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
    const isGenuine = timingSafeEqual(this.#macs.next(type, content), opened.subarray(end, end + MAC_LENGTH))
    if (!isPadded || !isGenuine) throw forged()
    return content
  }
}

const forged = (): Ssl3Error => new Ssl3Error('badRecordMac', 'a record is not as the other end sent it: it does not decrypt to what its MAC covers')
