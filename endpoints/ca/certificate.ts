// Certificates as they are read: their form, what is wrong with one, and what people see of it. Node's own X509Certificate does it.
import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { EndpointError } from '../errors.js'
import { keyFlaw } from './keys.js'

/** @param bytes PEM or DER. @throws EndpointError 'certificate' when they are no certificate */
export function readCertificate(bytes: Uint8Array | string, what = 'the certificate'): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch (error) {
    throw new EndpointError('certificate', `${what} cannot be read`, 'give a file that begins with -----BEGIN CERTIFICATE-----', { cause: error })
  }
}

/** Colon-separated, as `openssl x509 -fingerprint -sha256` prints it. */
export const fingerprintOf = (certificate: X509Certificate): string => certificate.fingerprint256

/** Whether `fingerprint`, with or without colons, is that of the certificate. */
export const hasFingerprint = (certificate: X509Certificate, fingerprint: string): boolean => bare(certificate.fingerprint256) === bare(fingerprint)

const bare = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()

/** Why a certificate is not valid at a time (milliseconds since the epoch), as in `certificate expired on …`; else null. */
export function validityFlaw({ validFrom, validTo }: X509Certificate, now: number): string | null {
  if (now < Date.parse(validFrom)) return `certificate is not valid before ${isoTime(validFrom)}`
  return now > Date.parse(validTo) ? `certificate expired on ${isoTime(validTo)}` : null
}

/** Why a certificate cannot be a CA's, or null. */
export function authorityFlaw(certificate: X509Certificate, now: number): string | null {
  if (!certificate.ca) return 'it is not the certificate of a CA'
  if (!certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey)) return 'it is not signed with its own key'
  const weakness = keyFlaw(certificate.publicKey)
  return weakness === null ? validityFlaw(certificate, now) : `its key is not strong enough: ${weakness}`
}

export interface Expected {
  readonly authority: X509Certificate
  readonly names: readonly string[]
  /** 62. */
  readonly publicKey: KeyObject
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Why certificate 65 is not what the server asked for, or null. */
export function certificateFlaw(certificate: X509Certificate, { authority, names, publicKey, now }: Expected): string | null {
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey)) return 'it is not signed by this CA'
  if (!certificate.publicKey.equals(publicKey)) return 'it is for another public key'
  const missing = names.find(name => !isFor(certificate, name))
  return missing === undefined ? validityFlaw(certificate, now) : `it is not for ${missing}`
}

export const isFor = (certificate: X509Certificate, name: string): boolean =>
  (isIPv4(name) ? certificate.checkIP(name) : certificate.checkHost(name, { subject: 'never' })) !== undefined

/** Names in the subjectAltName extension; those of kinds that nothing here uses as OpenSSL writes them. */
export function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return subjectAltName.split(', ').filter(Boolean).map(name => name.replace(/^(DNS|IP Address):/, ''))
}

/** For people: a title and a value a line. */
export function describeCertificate(certificate: X509Certificate): [title: string, value: string][] {
  const { subject, issuer, serialNumber, validFrom, validTo, publicKey, ca } = certificate
  const names = namesOf(certificate)
  return [
    ['certificate of', oneLine(subject)],
    ['issued by', oneLine(issuer)],
    ['kind', ca ? 'CA certificate' : 'server certificate'],
    ...names.length > 0 ? [['names', names.join(', ')] as [string, string]] : [],
    ['valid', `${isoTime(validFrom)} to ${isoTime(validTo)}`],
    ['public key', describeKey(publicKey)],
    ['serial number', serialNumber.toLowerCase()],
    ['SHA-256', fingerprintOf(certificate)],
  ]
}

export function describeKey({ asymmetricKeyType, asymmetricKeyDetails: { modulusLength, namedCurve } = {} }: KeyObject): string {
  const size = modulusLength === undefined ? namedCurve : `${modulusLength} bits`
  return [asymmetricKeyType?.toUpperCase() ?? 'unknown', ...size === undefined ? [] : [size]].join(', ')
}

const isoTime = (text: string): string => new Date(text).toISOString().replace('.000Z', 'Z')

/** OpenSSL puts each part of a name on a line of its own. */
const oneLine = (name: string): string => name.split('\n').join(', ')
