// Real TLS connections of node:tls on loopback, through a proxy that keeps every byte in the order in which it passed: what a
// bystander sees, with the key log and what was really said.
import 'reflect-metadata'
import { once } from 'node:events'
import { webcrypto } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import * as x509 from '@peculiar/x509'
import type { Way } from '../../../captures/tls/connection.js'

export interface Overheard {
  /** → from the client. */
  readonly chunks: readonly { readonly way: Way, readonly bytes: Uint8Array }[]
  readonly keyLog: string
  /** Bytes as latin1. */
  readonly said: { readonly client: string, readonly server: string }
  readonly suite: string
  readonly version: string
}

export interface Talk {
  readonly version: 'TLSv1.2' | 'TLSv1.3'
  /** OpenSSL's name. */
  readonly cipher: string
  /** RFC 7366 is left out. */
  readonly macThenEncrypt?: boolean
  /** What each end says, in this order: client first, then server, then client … */
  readonly lines?: readonly (string | Uint8Array)[]
}

const LINES = ['hello from the client', 'hello from the server', 'x'.repeat(40_000), 'y'.repeat(20_000)]

/** OpenSSL's SSL_OP_NO_ENCRYPT_THEN_MAC, which Node has no name for. */
const NO_ENCRYPT_THEN_MAC = 0x80000

let made: Promise<{ key: string, cert: string }> | undefined

function identity(): Promise<{ key: string, cert: string }> {
  return made ??= (async () => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1), modulusLength: 2048 }
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=loopback', keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) })
    const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
    return { key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`, cert: certificate.toString('pem') }
  })()
}

/** One connection from the first byte to the last. */
export async function overhear({ version, cipher, lines = LINES, macThenEncrypt = false }: Talk): Promise<Overheard> {
  const chunks: { way: Way, bytes: Uint8Array }[] = []
  let keyLog = ''
  const settings = { minVersion: version, maxVersion: version, ciphers: version === 'TLSv1.3' ? cipher : `${cipher}:@SECLEVEL=0`, secureOptions: macThenEncrypt ? NO_ENCRYPT_THEN_MAC : 0 }
  const server = tls.createServer({ ...await identity(), ...settings, dhparam: 'auto' })
  server.on('keylog', line => { keyLog += line.toString('latin1') })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const proxy = net.createServer({ allowHalfOpen: true }, inner => {
    const outer = net.connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true })
    const pass = (from: net.Socket, to: net.Socket, way: Way): void => {
      from.on('data', bytes => {
        chunks.push({ way, bytes: Uint8Array.from(bytes) })
        to.write(bytes)
      }).on('end', () => to.end())
    }
    pass(inner, outer, '→')
    pass(outer, inner, '←')
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const said = { client: '', server: '' }
  const answered = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>
  const client = tls.connect({ port: portOf(proxy), host: '127.0.0.1', rejectUnauthorized: false, ...settings })
  await once(client, 'secureConnect')
  const [peer] = await answered
  for (const [at, text] of lines.entries()) {
    const line = Buffer.from(text)
    const [speaker, hearer, who] = at % 2 === 0 ? [client, peer, 'client'] as const : [peer, client, 'server'] as const
    said[who] += line.toString('latin1')
    speaker.write(line)
    for (let heard = 0; heard < line.length;) heard += (await once(hearer, 'data') as [Buffer])[0].length
  }
  const suite = client.getCipher().standardName
  const ended = Promise.all([once(client, 'close'), once(peer, 'close')])
  client.end()
  peer.end()
  await ended
  await Promise.all([server, proxy].map(each => new Promise(resolve => each.close(resolve))))
  return { chunks, keyLog, said, suite, version: version === 'TLSv1.2' ? 'TLS 1.2' : 'TLS 1.3' }
}

const portOf = (server: net.Server): number => (server.address() as net.AddressInfo).port
