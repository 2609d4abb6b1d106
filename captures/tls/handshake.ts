// Handshake messages: what they are called, and of hellos and certificates what they say (RFC 8446 §4, RFC 5246 §7.4, RFC 6101 §5.6).
import { Reader } from './reader.js'

const NAMES = {
  0: 'hello request',
  1: 'client hello',
  2: 'server hello',
  4: 'new session ticket',
  5: 'end of early data',
  8: 'encrypted extensions',
  11: 'certificate',
  12: 'server key exchange',
  13: 'certificate request',
  14: 'server hello done',
  15: 'certificate verify',
  16: 'client key exchange',
  20: 'finished',
  22: 'certificate status',
  24: 'key update',
} as const

export type HandshakeName = typeof NAMES[keyof typeof NAMES] | 'hello retry request'

export interface ClientHello {
  readonly name: 'client hello'
  /** The highest that is offered. */
  readonly version: number
  readonly random: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly serverName: string | null
  /** TLS 1.3: a half of the Diffie–Hellman exchange. */
  readonly hasKeyShare: boolean
}

export interface ServerHello {
  readonly name: 'server hello' | 'hello retry request'
  /** The one that is chosen. */
  readonly version: number
  readonly random: Uint8Array
  readonly cipherSuite: number
  /** TLS 1.3: a half of the Diffie–Hellman exchange. */
  readonly hasKeyShare: boolean
  /** RFC 7366. */
  readonly encryptThenMac: boolean
}

export interface CertificateMessage {
  readonly name: 'certificate'
  /** DER, the sender's own first. */
  readonly chain: readonly Uint8Array[]
}

export type HandshakeMessage = ClientHello | ServerHello | CertificateMessage | { readonly name: Exclude<HandshakeName, (ClientHello | ServerHello | CertificateMessage)['name']> }

/** A message that says what it cannot: of no known type, or not what its type wants. */
export interface MalformedMessage { readonly defect: string }

/** The version numbers of records and hellos; null for one that there is not. */
export const VERSIONS: Readonly<Record<number, string | undefined>> = { 0x0300: 'SSL 3.0', 0x0301: 'TLS 1.0', 0x0302: 'TLS 1.1', 0x0303: 'TLS 1.2', 0x0304: 'TLS 1.3' }
const TLS13 = 0x0304

/** The random of a server hello that asks for another client hello, RFC 8446 §4.1.3. */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex')

const EXTENSION = { serverName: 0, encryptThenMac: 22, supportedVersions: 43, keyShare: 51 } as const

/** `body` is what stands behind type and length; `version` the one that was negotiated, which the form of a certificate depends on. */
export function readHandshake(type: number, body: Uint8Array, version: number): HandshakeMessage | MalformedMessage {
  const name = (NAMES as Readonly<Record<number, HandshakeName | undefined>>)[type]
  if (name === undefined) return { defect: `handshake message of type ${type}` }
  const reader = new Reader(body)
  const message = name === 'client hello' ? clientHello(reader) : name === 'server hello' ? serverHello(reader)
    : name === 'certificate' ? certificate(reader, version) : { name } as HandshakeMessage
  return reader.isWhole && message !== null ? message : { defect: `${name} that is cut short or malformed` }
}

function clientHello(reader: Reader): ClientHello | null {
  const legacy = reader.uint16(), random = reader.bytes(32)
  reader.vector(1) // session ID
  const cipherSuites = numbers(reader.vector(2))
  reader.vector(1) // compression methods
  const extensions = readExtensions(reader)
  if (extensions === null) return null
  const versions = extensions.get(EXTENSION.supportedVersions), share = extensions.get(EXTENSION.keyShare)
  const offered = versions === undefined ? [] : numbers(new Reader(versions).vector(1)).filter(each => VERSIONS[each] !== undefined)
  return {
    name: 'client hello', version: Math.max(legacy, ...offered), random, cipherSuites,
    serverName: serverName(extensions.get(EXTENSION.serverName)),
    hasKeyShare: share !== undefined && share.length > 2, // an empty list asks for a retry
  }
}

function serverHello(reader: Reader): ServerHello | null {
  const legacy = reader.uint16(), random = reader.bytes(32)
  reader.vector(1) // session ID
  const cipherSuite = reader.uint16()
  reader.uint8() // compression method
  const extensions = readExtensions(reader)
  if (extensions === null) return null
  const version = extensions.get(EXTENSION.supportedVersions), share = extensions.get(EXTENSION.keyShare)
  return {
    name: Buffer.compare(random, RETRY) === 0 ? 'hello retry request' : 'server hello',
    version: version === undefined ? legacy : new Reader(version).uint16(), random, cipherSuite,
    hasKeyShare: share !== undefined && share.length > 2, // a retry names a group alone
    encryptThenMac: extensions.has(EXTENSION.encryptThenMac),
  }
}

function certificate(reader: Reader, version: number): CertificateMessage | null {
  if (version >= TLS13) reader.vector(1) // request context
  const list = new Reader(reader.vector(3))
  const chain: Uint8Array[] = []
  while (list.left > 0 && list.isWhole) {
    chain.push(list.vector(3))
    if (version >= TLS13) list.vector(2) // extensions
  }
  return list.isWhole ? { name: 'certificate', chain } : null
}

/** By type; empty where a hello has none, null where they are malformed. */
function readExtensions(reader: Reader): Map<number, Uint8Array> | null {
  const extensions = new Map<number, Uint8Array>()
  if (reader.left === 0) return extensions
  const list = new Reader(reader.vector(2))
  while (list.left > 0 && list.isWhole) extensions.set(list.uint16(), list.vector(2))
  return list.isWhole ? extensions : null
}

/** RFC 6066 §3: the first name, if it is one of a host. */
function serverName(extension: Uint8Array | undefined): string | null {
  if (extension === undefined) return null
  const list = new Reader(new Reader(extension).vector(2))
  const isHost = list.uint8() === 0, name = list.vector(2)
  return isHost && list.isWhole && name.length > 0 ? Buffer.from(name).toString('latin1') : null
}

function numbers(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes), found: number[] = []
  while (reader.left >= 2) found.push(reader.uint16())
  return found
}
