// The messages of the handshake (RFC 6101 5.6): their numbers, how they travel in records, and the hellos. What certificates and
// keys look like is the affair of the files that deal in them.
import { ByteReader, uint, vector } from './bytes.js'
import { Ssl3Error } from './fault.js'
import { RANDOM_LENGTH } from './key-derivation.js'
import { SSL3 } from './records.js'

export const HANDSHAKE = {
  helloRequest: 0, clientHello: 1, serverHello: 2, certificate: 11, serverKeyExchange: 12, certificateRequest: 13, serverHelloDone: 14,
  certificateVerify: 15, clientKeyExchange: 16, finished: 20,
} as const
export type HandshakeName = keyof typeof HANDSHAKE

const HEADER_LENGTH = 4
/** Bytes of one message; a certificate chain needs a few thousand. */
const MAX_MESSAGE = 2 ** 16
const MAX_SESSION_ID = 32
const NO_COMPRESSION = 0

/** As RFC 6101 writes it, in words: `server key exchange`. */
export const handshakeText = (name: HandshakeName): string => name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)

export const encodeHandshake = (name: HandshakeName, body: Uint8Array): Buffer => Buffer.concat([uint(HANDSHAKE[name], 1), vector(body, 3)])

export interface HandshakeMessage {
  readonly name: HandshakeName
  readonly body: Buffer
  /** With its header, as the transcript has it. */
  readonly bytes: Buffer
}

/** Messages out of records: one record may hold half a message or several. */
export class HandshakeReader {
  #held: Buffer = Buffer.alloc(0)

  push(content: Uint8Array): void { this.#held = Buffer.concat([this.#held, content]) }

  /** Bytes that are not yet part of a message that was taken. */
  get held(): number { return this.#held.length }

  /** The next whole message, null while more is needed. @throws Ssl3Error */
  next(): HandshakeMessage | null {
    if (this.#held.length < HEADER_LENGTH) return null
    const type = this.#held[0], length = this.#held.readUIntBE(1, 3)
    const name = (Object.keys(HANDSHAKE) as HandshakeName[]).find(name => HANDSHAKE[name] === type)
    if (name === undefined) throw new Ssl3Error('unexpectedMessage', `the other end sent a handshake message of type ${type}, which SSL 3.0 does not know`)
    if (length > MAX_MESSAGE) throw new Ssl3Error('illegalParameter', `the other end announced a ${handshakeText(name)} of ${length} bytes, above the limit of ${MAX_MESSAGE}`)
    const end = HEADER_LENGTH + length
    if (this.#held.length < end) return null
    const bytes = this.#held.subarray(0, end)
    this.#held = this.#held.subarray(end)
    return { name, body: bytes.subarray(HEADER_LENGTH), bytes }
  }
}

// --- the hellos -----------------------------------------------------------------------------------------------------

export interface ClientHello { readonly version: number, readonly random: Buffer, readonly suites: readonly number[] }
export interface ServerHello { readonly random: Buffer, readonly suite: number }

/** 212, 222. No session is ever resumed: the figures show the whole handshake each time. */
export function encodeClientHello({ version, random, suites }: { version: number, random: Uint8Array, suites: readonly number[] }): Buffer {
  const noSession = Buffer.alloc(0)
  return Buffer.concat([
    uint(version, 2), random, vector(noSession, 1), vector(Buffer.concat(suites.map(id => uint(id, 2))), 2), vector(uint(NO_COMPRESSION, 1), 1),
  ])
}

/** @throws Ssl3Error */
export function decodeClientHello(body: Buffer): ClientHello {
  const reader = new ByteReader(body, 'client hello')
  const version = reader.uint(2), random = reader.take(RANDOM_LENGTH)
  if (version < SSL3) throw new Ssl3Error('handshakeFailure', `the client speaks no version above ${versionText(version)}; this server speaks SSL 3.0`)
  checkSessionId(reader.vector(1), 'client hello')
  const suites = reader.vector(2), compressions = reader.vector(1)
  if (suites.length === 0 || suites.length % 2 !== 0) throw new Ssl3Error('illegalParameter', `the client hello lists cipher suites in ${suites.length} bytes, which is no list of two-byte numbers`)
  if (!compressions.includes(NO_COMPRESSION)) throw new Ssl3Error('handshakeFailure', 'the client hello does not offer to go without compression')
  // What comes after is for later versions and ignored (RFC 6101 5.6.1.2).
  return { version, random, suites: Array.from({ length: suites.length / 2 }, (_, index) => suites.readUInt16BE(2 * index)) }
}

/** 213, 223. */
export function encodeServerHello({ random, suite }: { random: Uint8Array, suite: number }): Buffer {
  return Buffer.concat([uint(SSL3, 2), random, vector(Buffer.alloc(0), 1), uint(suite, 2), uint(NO_COMPRESSION, 1)])
}

/** @throws Ssl3Error */
export function decodeServerHello(body: Buffer): ServerHello {
  const reader = new ByteReader(body, 'server hello')
  const version = reader.uint(2)
  if (version !== SSL3) throw new Ssl3Error('illegalParameter', `the server chose ${versionText(version)}, and was offered SSL 3.0 alone`)
  const random = reader.take(RANDOM_LENGTH)
  checkSessionId(reader.vector(1), 'server hello')
  const suite = reader.uint(2), compression = reader.uint(1)
  if (compression !== NO_COMPRESSION) throw new Ssl3Error('illegalParameter', `the server chose compression ${compression}, which was not offered`)
  reader.end()
  return { random, suite }
}

function checkSessionId(id: Buffer, what: string): void {
  if (id.length > MAX_SESSION_ID) throw new Ssl3Error('illegalParameter', `the other end's ${what} has a session ID of ${id.length} bytes, above the limit of ${MAX_SESSION_ID}`)
}

const versionText = (version: number): string => version > SSL3 && version < 0x0400 ? `TLS 1.${(version & 0xff) - 1}` : `SSL ${version >> 8}.${version & 0xff}`

// --- 214 ------------------------------------------------------------------------------------------------------------

/** The server's certificate first, each DER. */
export const encodeCertificates = (certificates: readonly Uint8Array[]): Buffer => vector(Buffer.concat(certificates.map(der => vector(der, 3))), 3)

/** @throws Ssl3Error */
export function decodeCertificates(body: Buffer): Buffer[] {
  const outer = new ByteReader(body, 'certificate')
  const list = new ByteReader(outer.vector(3), 'certificate')
  outer.end()
  const certificates: Buffer[] = []
  while (list.left > 0) certificates.push(list.vector(3))
  return certificates
}
