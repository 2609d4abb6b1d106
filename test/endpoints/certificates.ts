// Certificates for tests: authorities, and what they issue. Made when they are asked for, with one key pair for all servers, since
// making one takes a while.
import { webcrypto } from 'node:crypto'
import type { Identity } from '../../endpoints/channel/tls-channel.js'

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 }
const DAY = 86_400_000

export interface Issue {
  /** IP addresses that the certificate names; 127.0.0.1 when absent. */
  readonly addresses?: readonly string[]
  /** DNS names. */
  readonly names?: readonly string[]
  /** Days from now. */
  readonly from?: number
  readonly to?: number
}

export interface Authority {
  /** Its certificate, PEM. */
  readonly ca: string
  issue(options?: Issue): Promise<Identity>
}

let serverKeys: Promise<webcrypto.CryptoKeyPair> | undefined

const keyPair = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify'])

/** A CA with a key pair of its own. */
export async function authority(name = 'CN=test CA', { from = -1, to = 30 }: Pick<Issue, 'from' | 'to'> = {}): Promise<Authority> {
  await import('reflect-metadata') // has to be there first
  const x509 = await import('@peculiar/x509')
  const keys = await keyPair()
  const period = (first: number, last: number) => ({ notBefore: new Date(Date.now() + first * DAY), notAfter: new Date(Date.now() + last * DAY) })
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01', name, ...period(from, to), signingAlgorithm: RSA, keys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
  })
  const issue = async ({ addresses = ['127.0.0.1'], names = [], from = -1, to = 10 }: Issue = {}): Promise<Identity> => {
    const { publicKey, privateKey } = await (serverKeys ??= keyPair())
    const alternatives = [...addresses.map(value => ({ type: 'ip' as const, value })), ...names.map(value => ({ type: 'dns' as const, value }))]
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: '02', subject: 'CN=101', issuer: name, ...period(from, to), signingAlgorithm: RSA, publicKey, signingKey: keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.1']),
      ],
    })
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64')
    return { certificate: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` }
  }
  return { ca: ca.toString('pem'), issue }
}
