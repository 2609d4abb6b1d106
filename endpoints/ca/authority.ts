// The CA (51) of Fig. 5: its key pair 52/53 and its own certificate, and the certificates 65 that it issues. What a certificate
// allows is decided here (RFC 5280, 4.2), whatever a request may have asked for.
import { createPublicKey, randomBytes } from 'node:crypto'
import type { KeyObject, X509Certificate } from 'node:crypto'
import { EncodeError } from '../message/index.js'
import { lapse } from '../channel/certificate-check.js'
import { DerReader } from '../der/reader.js'
import { contextTag, TAG } from '../der/tags.js'
import { integer, sequence, time, value } from '../der/writer.js'
import { readCertificate } from './certificate.js'
import {
  alternativeNames, authorityConstraints, authorityKeyIdentifier, keyIdentifier, keyUsage, ownKeyIdentifier, serverAuthentication, serverConstraints,
  subjectKeyIdentifier, type KeyUsage,
} from './extensions.js'
import type { KeyPair } from './keys.js'
import { commonName, distinguishedName, namesFlaw } from './names.js'
import type { CertificateRequest } from './request.js'
import { signatureAlgorithm, signed } from './signing.js'

export interface Authority {
  /** The CA certificate, which carries 52. */
  readonly certificate: X509Certificate
  /** 53. */
  readonly privateKey: KeyObject
}

export interface ValidityOptions {
  /** Milliseconds since the epoch; the machine's clock when absent. */
  readonly now?: number
  /** Milliseconds. */
  readonly lifetime?: number
}

const DAY = 86_400_000
export const AUTHORITY_LIFETIME = 3650 * DAY
export const CERTIFICATE_LIFETIME = 365 * DAY
/** Certificates are valid from a little before they are made, for machines whose clocks are behind. */
const BACKDATING = 300_000
/** Subject of a CA that was given no name. */
export const AUTHORITY_NAME = 'naptlab CA'

/** @throws EncodeError when the name does not fit a certificate */
export async function createAuthority({ publicKey, privateKey }: KeyPair, options: ValidityOptions & { readonly name?: string } = {}): Promise<Authority> {
  const { name = AUTHORITY_NAME, now = Date.now(), lifetime = AUTHORITY_LIFETIME } = options
  if (name.length === 0 || name.length > 64 || /\p{Cc}/u.test(name)) throw new EncodeError('the name of a CA has 1 to 64 characters, none of them a control character')
  const subject = distinguishedName(name), spki = publicKey.export({ type: 'spki', format: 'der' }), identifier = keyIdentifier(spki)
  const certificate = await certify(privateKey, {
    subject, issuer: subject, spki, from: now - BACKDATING, to: now + lifetime,
    extensions: [authorityConstraints(), keyUsage('keyCertSign', 'cRLSign'), subjectKeyIdentifier(identifier), authorityKeyIdentifier(identifier)],
  })
  return { certificate, privateKey }
}

/**
 * Signs (64) and issues certificate 65. It is never valid when the CA's own is not.
 * @throws EndpointError when the CA's own certificate is not valid now
 */
export function issueCertificate(authority: Authority, { publicKey, names }: CertificateRequest, options: ValidityOptions = {}): Promise<X509Certificate> {
  return certifyKey(authority, publicKey.export({ type: 'spki', format: 'der' }), names, options)
}

/**
 * Certifies a bare SubjectPublicKeyInfo (DER). For keys that cannot sign a request, such as those of fixed Diffie–Hellman: nobody
 * has shown that they hold the private key, so this is for the lab, never for the network.
 * @throws EncodeError when a name is none; EndpointError as `issueCertificate`
 */
export async function certifyKey(authority: Authority, spki: Uint8Array, names: readonly string[], options: ValidityOptions = {}): Promise<X509Certificate> {
  const { now = Date.now(), lifetime = CERTIFICATE_LIFETIME } = options
  const misnamed = namesFlaw(names), invalid = lapse(authority.certificate, "the CA's own certificate", now)
  if (misnamed !== null) throw new EncodeError(`the certificate cannot be made: ${misnamed}`)
  if (invalid !== null) throw invalid
  const own = readOwn(authority.certificate)
  return await certify(authority.privateKey, {
    subject: distinguishedName(commonName(names)), issuer: own.name, spki,
    from: Math.max(Date.parse(authority.certificate.validFrom), now - BACKDATING), to: Math.min(Date.parse(authority.certificate.validTo), now + lifetime),
    extensions: [
      serverConstraints(), keyUsage(...usageOf(spki)), serverAuthentication(), alternativeNames(names), subjectKeyIdentifier(keyIdentifier(spki)),
      authorityKeyIdentifier(own.keyIdentifier),
    ],
  })
}

interface Contents {
  /** Distinguished names, DER. */
  readonly subject: Uint8Array
  readonly issuer: Uint8Array
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Milliseconds since the epoch; the second counts. */
  readonly from: number
  readonly to: number
  readonly extensions: readonly Uint8Array[]
}

/** RFC 5280, 4.1. */
async function certify(key: KeyObject, { subject, issuer, spki, from, to, extensions }: Contents): Promise<X509Certificate> {
  const version3 = value(contextTag(0, 'constructed'), integer(Buffer.of(2)))
  const content = sequence(
    version3, integer(serialNumber()), signatureAlgorithm(key), issuer, sequence(time(from), time(to)), subject, spki,
    value(contextTag(3, 'constructed'), sequence(...extensions)),
  )
  return readCertificate(await signed(content, key))
}

/** What stands in the CA's certificate for those it issues, also where another program has made it and chosen the identifier by another rule. */
function readOwn({ raw }: X509Certificate): { name: Uint8Array, keyIdentifier: Uint8Array } {
  const content = new DerReader(raw).enter(TAG.sequence).enter(TAG.sequence), version = contextTag(0, 'constructed'), extensions = contextTag(3, 'constructed')
  if (content.tag === version) content.take(version)
  content.take(TAG.integer)
  for (let before = 0; before < 3; before++) content.take(TAG.sequence) // algorithm, issuer, validity
  const name = content.takeWhole(TAG.sequence), spki = content.takeWhole(TAG.sequence)
  const given = content.tag === extensions ? ownKeyIdentifier(content.enter(extensions).enter(TAG.sequence)) : null
  return { name, keyIdentifier: given ?? keyIdentifier(spki) }
}

/**
 * 126 random bits (RFC 5280, 4.1.2.2). The first two, 01, keep the number positive and its encoding of one length, so that the
 * packets of two runs are equally long.
 */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = bytes[0] & 0x3f | 0x40
  return bytes
}

/** What the kind of key can do in a handshake: RSA signs (1.3, DHE) and transports the secret; EC signs; DH agrees on it. */
function usageOf(spki: Uint8Array): readonly KeyUsage[] {
  const { asymmetricKeyType: type } = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return type === 'rsa' ? ['digitalSignature', 'keyEncipherment'] : type === 'ec' ? ['digitalSignature'] : ['keyAgreement']
}
