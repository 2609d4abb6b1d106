// Certificate request 63: PKCS#10 (RFC 2986) with the server's public key 62 and, as its details, the names that it is reached by
// (subjectAltName in an extensionRequest, RFC 2985). Made at the server; read and judged at the CA, where it comes from anybody.
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Pkcs10CertificateRequest } from '@peculiar/x509'
import { describe } from '../answers.js'
import { EncodeError, FIELDS, REASONS } from '../message/index.js'
import type { Reason } from '../message/index.js'
import { keyFlaw } from './keys.js'
import type { KeyPair } from './keys.js'
import { commonName, generalName, namesFlaw } from './names.js'
import { SIGNATURE, derFlaw, importPrivateKey, importPublicKey } from './der.js'
import { loadX509 } from './x509.js'

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

const SAN = '2.5.29.17'
/** Signatures with a hash that somebody may find a second message for prove nothing. */
const HASHES: readonly unknown[] = ['SHA-256', 'SHA-384', 'SHA-512']

/** @returns DER. @throws EncodeError when a name is none */
export async function createRequest(keys: KeyPair, names: readonly string[]): Promise<Uint8Array> {
  const known = names.map(name => name.toLowerCase()), flaw = namesFlaw(known)
  if (flaw !== null) throw new EncodeError(`the certificate request cannot be made: ${flaw}`)
  const x509 = await loadX509()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([{ CN: [{ utf8String: commonName(known) }] }]), signingAlgorithm: SIGNATURE,
    keys: { privateKey: await importPrivateKey(keys.privateKey), publicKey: await importPublicKey(keys.publicKey) },
    extensions: [new x509.SubjectAlternativeNameExtension(known.map(generalName))],
  })
  return new Uint8Array(request.rawData)
}

/** Bytes from anywhere. Of what a request may ask for, the names are all that is read; what a certificate allows the CA decides. */
export async function readRequest(der: Uint8Array): Promise<CertificateRequest | Objection> {
  const { max } = FIELDS.certificateRequest
  const flaw = der.length > max ? `it is ${der.length} bytes long; at most ${max} are allowed` : derFlaw(der)
  if (flaw !== null) return new Objection('unreadable-request', flaw)
  const x509 = await loadX509()
  try {
    const request = new x509.Pkcs10CertificateRequest(new Uint8Array(der))
    const publicKey = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
    const extension = request.getExtension(SAN)
    const names = extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items.map(({ type, value }) => type === 'dns' ? value.toLowerCase() : value) : []
    return await objection(request, publicKey, names) ?? { publicKey, names }
  } catch (error) {
    // The library's and OpenSSL's words are about ASN.1, and theirs.
    return new Objection('unreadable-request', `it is no PKCS#10 request that this CA understands (${error instanceof Error ? error.message : 'unknown'})`)
  }
}

async function objection(request: Pkcs10CertificateRequest, publicKey: KeyObject, names: readonly string[]): Promise<Objection | null> {
  const weakness = keyFlaw(publicKey), misnamed = namesFlaw(names), { hash } = request.signatureAlgorithm as { hash?: { name: string } }
  if (weakness !== null) return new Objection('weak-key', weakness)
  if (!HASHES.includes(hash?.name)) return new Objection('request-signature', `it is signed with ${hash?.name ?? 'an unknown hash'}, not ${HASHES.join(', ')}`)
  if (!await request.verify()) return new Objection('request-signature', '')
  return misnamed === null ? null : new Objection('name-not-allowed', misnamed)
}

/** For people at this end. */
export const describeObjection = (objection: Objection): string => `${describe(objection)}; ${REASONS[objection.reason].advice}`
