// The CA (51) of Fig. 5: its key pair 52/53 and its own certificate, and the certificates 65 that it issues. What a certificate
// allows is decided here (RFC 5280, 4.2), whatever a request may have asked for.
import { createPublicKey, randomBytes } from 'node:crypto'
import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Extension, KeyUsageFlags } from '@peculiar/x509'
import { EncodeError } from '../message/index.js'
import { lapse } from '../channel/certificate-check.js'
import { readCertificate } from './certificate.js'
import { SIGNATURE, importPrivateKey, importPublicKey } from './der.js'
import type { KeyPair } from './keys.js'
import { commonName, generalName, namesFlaw } from './names.js'
import type { CertificateRequest } from './request.js'
import { loadX509 } from './x509.js'

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
  const x509 = await loadX509()
  const signed = await importPublicKey(publicKey)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: new x509.Name([{ CN: [{ utf8String: name }] }]), signingAlgorithm: SIGNATURE,
    keys: { privateKey: await importPrivateKey(privateKey), publicKey: signed },
    serialNumber: serialNumber(), notBefore: new Date(now - BACKDATING), notAfter: new Date(now + lifetime),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true), // it certifies servers, no other CA
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(signed),
      await x509.AuthorityKeyIdentifierExtension.create(signed),
    ],
  })
  return { certificate: readCertificate(new Uint8Array(certificate.rawData)), privateKey }
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
  const x509 = await loadX509()
  const own = new x509.X509Certificate(new Uint8Array(authority.certificate.raw))
  const key = new x509.PublicKey(new Uint8Array(spki))
  const certificate = await x509.X509CertificateGenerator.create({
    subject: new x509.Name([{ CN: [{ utf8String: commonName(names) }] }]), issuer: own.subjectName, publicKey: key,
    signingKey: await importPrivateKey(authority.privateKey), signingAlgorithm: SIGNATURE,
    serialNumber: serialNumber(), notBefore: new Date(Math.max(own.notBefore.getTime(), now - BACKDATING)), notAfter: new Date(Math.min(own.notAfter.getTime(), now + lifetime)),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usageOf(spki, x509.KeyUsageFlags), true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map(generalName)),
      await x509.SubjectKeyIdentifierExtension.create(key),
      await authorityKeyIdentifier(own, x509),
    ],
  })
  return readCertificate(new Uint8Array(certificate.rawData))
}

/**
 * 126 random bits (RFC 5280, 4.1.2.2). The first two, 01, keep the number positive and its encoding of one length, so that the
 * packets of two runs are equally long.
 */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = bytes[0] & 0x3f | 0x40
  return bytes.toString('hex')
}

/** What the kind of key can do in a handshake: RSA signs (1.3, DHE) and transports the secret; EC signs; DH agrees on it. */
function usageOf(spki: Uint8Array, flags: typeof KeyUsageFlags): KeyUsageFlags {
  const { asymmetricKeyType: type } = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  if (type === 'rsa') return flags.digitalSignature | flags.keyEncipherment
  return type === 'ec' ? flags.digitalSignature : flags.keyAgreement
}

/** The CA's own identifier, also where another program has made its certificate and chosen it by another rule. */
async function authorityKeyIdentifier(own: import('@peculiar/x509').X509Certificate, x509: typeof import('@peculiar/x509')): Promise<Extension> {
  const identifier = own.getExtension(x509.SubjectKeyIdentifierExtension)
  return identifier === null ? await x509.AuthorityKeyIdentifierExtension.create(own.publicKey) : new x509.AuthorityKeyIdentifierExtension(identifier.keyId)
}
