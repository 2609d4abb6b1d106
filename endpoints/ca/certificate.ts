// Certificates as they are read: their form, what is wrong with one, and what people see of it. Node's own X509Certificate does it.
import { X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { lapse, objectionTo } from '../channel/certificate-check.js'
import { EndpointError } from '../errors.js'
import { keyFlaw } from './keys.js'

/** @param bytes PEM or DER. @throws EndpointError when they are no certificate */
export function readCertificate(bytes: Uint8Array | string, what = 'the certificate'): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch (error) {
    throw new EndpointError('certificate-unusable', `${what} cannot be read`, 'give a file that begins with -----BEGIN CERTIFICATE-----', { cause: error })
  }
}

/** Colon-separated, as `openssl x509 -fingerprint -sha256` prints it. */
export const fingerprintOf = (certificate: X509Certificate): string => certificate.fingerprint256

/** Whether `fingerprint`, with or without colons, is that of the certificate. */
export const hasFingerprint = (certificate: X509Certificate, fingerprint: string): boolean => bare(certificate.fingerprint256) === bare(fingerprint)

const bare = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase()

const OF_CA = "the CA's certificate"

/** Why a certificate cannot be the CA's, or null. `now` in milliseconds since the epoch. */
export function authorityFlaw(certificate: X509Certificate, now: number): EndpointError | null {
  const weakness = keyFlaw(certificate.publicKey)
  const flaw = !certificate.ca ? 'is not that of a CA'
    : !certificate.checkIssued(certificate) || !certificate.verify(certificate.publicKey) ? 'is not signed with its own key'
    : weakness === null ? null : `has a key that is not strong enough: ${weakness}`
  return flaw === null ? lapse(certificate, OF_CA, now) : new EndpointError('certificate-untrusted', `${OF_CA} ${flaw}`, 'have the CA made anew, with `naptlab ca init`')
}

export interface Expected {
  readonly authority: X509Certificate
  readonly names: readonly string[]
  /** 62. */
  readonly publicKey: KeyObject
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Why certificate 65 is not what the server asked for, or null. Clients look at it as closely (channel/certificate-check.ts). */
export function issuedFlaw(certificate: X509Certificate, { authority, names, publicKey, now }: Expected): EndpointError | null {
  const ca = authority.toString()
  const objection = names.map(serverName => objectionTo(certificate, { ca, serverName, now: () => now })).find(each => each !== null)
  if (objection !== undefined) return objection
  return certificate.publicKey.equals(publicKey) ? null
    : new EndpointError('certificate-unusable', 'the certificate is for another public key than that of the request', 'enrol anew; if that happens again, the CA is not one')
}

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
