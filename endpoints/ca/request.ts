// Certificate request 63: PKCS#10 (RFC 2986) with the server's public key 62 and, as its details, the names that it is reached by
// (subjectAltName in an extensionRequest, RFC 2985). Made at the server; read and judged at the CA, where it comes from anybody.
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { describe } from '../answers.js'
import { DerReader, derFlaw, objectIdentifier as readObjectIdentifier, wholeBytes } from '../der/reader.js'
import { contextTag, TAG } from '../der/tags.js'
import { integer, objectIdentifier, sequence, set, value } from '../der/writer.js'
import { EncodeError, FIELDS, REASONS } from '../message/index.js'
import type { Reason } from '../message/index.js'
import { alternativeNames, alternativeNamesIn } from './extensions.js'
import { keyFlaw } from './keys.js'
import type { KeyPair } from './keys.js'
import { commonName, distinguishedName, namesFlaw } from './names.js'
import { algorithmFlaw, isSignedWith, signed } from './signing.js'

/** A request whose signature is made with the private key (61) of the public key in it. */
export interface CertificateRequest {
  readonly publicKey: KeyObject
  /** IPv4 addresses, and DNS names in lower case. */
  readonly names: readonly string[]
}

type Refused = Extract<Reason, 'unreadable-request' | 'request-signature' | 'weak-key' | 'name-not-allowed' | 'wrong-proof' | 'authority-invalid'>

/** Why a request is refused. */
export class Objection {
  constructor(readonly reason: Refused, readonly detail: string) {}
}

/** RFC 2985, 5.4.2: the extensions that the certificate is to have. */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'
const ATTRIBUTES = contextTag(0, 'constructed')

/** @returns DER. @throws EncodeError when a name is none */
export async function createRequest(keys: KeyPair, names: readonly string[]): Promise<Uint8Array> {
  const known = names.map(name => name.toLowerCase()), flaw = namesFlaw(known)
  if (flaw !== null) throw new EncodeError(`the certificate request cannot be made: ${flaw}`)
  const extensions = sequence(alternativeNames(known))
  const content = sequence(
    integer(Buffer.of(0)), distinguishedName(commonName(known)), keys.publicKey.export({ type: 'spki', format: 'der' }),
    value(ATTRIBUTES, sequence(objectIdentifier(EXTENSION_REQUEST), set(extensions))),
  )
  return await signed(content, keys.privateKey)
}

/** Bytes from anywhere. Of what a request may ask for, the names are all that is read; what a certificate allows the CA decides. */
export async function readRequest(der: Uint8Array): Promise<CertificateRequest | Objection> {
  const { max } = FIELDS.certificateRequest
  const flaw = der.length > max ? `it is ${der.length} bytes long; at most ${max} are allowed` : derFlaw(der)
  if (flaw !== null) return new Objection('unreadable-request', flaw)
  try {
    const request = parse(der)
    return await objection(request) ?? { publicKey: request.publicKey, names: request.names }
  } catch (error) {
    // OpenSSL's words are about ASN.1, and its own.
    return new Objection('unreadable-request', `it is no PKCS#10 request that this CA understands (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

interface Parsed extends CertificateRequest {
  /** What is signed. */
  readonly content: Uint8Array
  /** Its object identifier. */
  readonly algorithm: string
  readonly signature: Uint8Array
}

/** RFC 2986, 4. @throws DerError, or an error of OpenSSL about the key */
function parse(der: Uint8Array): Parsed {
  const whole = new DerReader(der).enter(TAG.sequence)
  const content = whole.takeWhole(TAG.sequence)
  const algorithm = readObjectIdentifier(whole.enter(TAG.sequence).take(TAG.objectIdentifier))
  const signature = wholeBytes(whole.take(TAG.bitString))
  whole.end()
  const info = new DerReader(content).enter(TAG.sequence)
  info.take(TAG.integer) // the version
  info.take(TAG.sequence) // the subject, which certificates do not go by
  const publicKey = createPublicKey({ key: Buffer.from(info.takeWhole(TAG.sequence)), format: 'der', type: 'spki' })
  const names = info.tag === ATTRIBUTES ? namesIn(info.enter(ATTRIBUTES)) : []
  info.end()
  return { content, algorithm, signature, publicKey, names }
}

function namesIn(attributes: DerReader): string[] {
  const names: string[] = []
  while (attributes.tag !== null) {
    const attribute = attributes.enter(TAG.sequence), id = readObjectIdentifier(attribute.take(TAG.objectIdentifier)), values = attribute.enter(TAG.set)
    attribute.end()
    if (id === EXTENSION_REQUEST) names.push(...alternativeNamesIn(values.enter(TAG.sequence)))
  }
  return names
}

async function objection({ content, algorithm, signature, publicKey, names }: Parsed): Promise<Objection | null> {
  const weakness = keyFlaw(publicKey), unproven = algorithmFlaw(algorithm), misnamed = namesFlaw(names)
  if (weakness !== null) return new Objection('weak-key', weakness)
  if (unproven !== null) return new Objection('request-signature', unproven)
  if (!await isSignedWith(publicKey, algorithm, content, signature)) return new Objection('request-signature', '')
  return misnamed === null ? null : new Objection('name-not-allowed', misnamed)
}

/** For people at this end. */
export const describeObjection = (objection: Objection): string => `${describe(objection)}; ${REASONS[objection.reason].advice}`
