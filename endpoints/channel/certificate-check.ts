// What a client demands of the server's certificate (65): signed by its CA (55), valid now, and issued for the server that it
// meant to reach. Whatever it says is believed only once its signature is.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { EndpointError, messageOf } from '../errors.js'

/** Whom a client trusts, and for what. */
export interface Trust {
  /** The CA's certificate, PEM; several are alternatives. */
  readonly ca: string
  /** The server's address or name, which its certificate must name. */
  readonly serverName: string
  /** Milliseconds since the epoch; the system's clock when absent. */
  readonly now?: (() => number) | undefined
}

/** @throws EndpointError when there is none, or one is no certificate */
export function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  try {
    if (blocks.length > 0) return blocks.map(block => new X509Certificate(block))
    throw new Error('it holds no PEM certificate')
  } catch (error) {
    throw new EndpointError('certificate-unusable', `the certificate cannot be read: ${messageOf(error)}`, 'give an X.509 certificate in PEM', { cause: error })
  }
}

/** What is wrong with the certificate, or null. */
export function objectionTo(certificate: X509Certificate, { ca, serverName, now = Date.now }: Trust): EndpointError | null {
  const whose = `the server's certificate (${subjectOf(certificate)})`
  const issuer = readCertificates(ca).find(authority => authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
  if (!issuer) {
    return new EndpointError('certificate-untrusted', `${whose} is not signed by this CA`,
      "check that this is the certificate of the CA which issued the server's; if it is, somebody stands between")
  }
  const names = isIP(serverName) ? certificate.checkIP(serverName) : certificate.checkHost(serverName)
  return lapse(certificate, whose, now()) ?? lapse(issuer, "the CA's certificate", now()) ?? (names === undefined
    ? new EndpointError('certificate-other-name', `${whose} is for ${namesOf(certificate)}, not for ${serverName}`,
      'name the server as its certificate does; if that is right, another server answers in its place')
    : null)
}

/** What is wrong with a certificate at a time (milliseconds since the epoch), or null. `whose` begins the sentence. */
export function lapse({ validFrom, validTo }: X509Certificate, whose: string, now: number): EndpointError | null {
  if (now < Date.parse(validFrom)) {
    return new EndpointError('certificate-not-yet-valid', `${whose} is not valid before ${validFrom}`, "check this machine's clock, or have the certificate issued anew")
  }
  return now > Date.parse(validTo)
    ? new EndpointError('certificate-expired', `${whose} has expired on ${validTo}`, "have it issued anew; if it should be valid, check this machine's clock")
    : null
}

const subjectOf = ({ subject }: X509Certificate): string => subject.replaceAll('\n', ', ') || 'without a subject'

const namesOf = ({ subjectAltName }: X509Certificate): string => subjectAltName?.replaceAll('IP Address:', '').replaceAll('DNS:', '') ?? 'nobody (it has no subjectAltName)'
