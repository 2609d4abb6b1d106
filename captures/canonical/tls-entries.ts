// TLS connections as entries of the canonical form: the handshake's messages by name, with what the two ends agreed on, and the
// data that was opened as messages of the endpoints. What is drawn at random, or depends on the version of a library rather than on
// the run, is compared by where it recurs (randoms, the certificate), by its presence (key shares), or not at all (what a client offers).
import { createHash } from 'node:crypto'
import { SEALED, TLS_DEFECT, type Entry, type Value } from './entries.js'
import { toHex } from '../decode/decode.js'
import { cipherSuite } from '../tls/cipher-suites.js'
import type { TlsItem } from '../tls/connection.js'
import { VERSIONS, type HandshakeMessage } from '../tls/handshake.js'
import type { KeySource } from '../tls/key-log.js'
import { whyUnopened } from '../decode/tls-naming.js'

/** An entry for whatever is no data. */
export function tlsEntry(item: Exclude<TlsItem, { kind: 'data' }>, keys: KeySource, header: Entry['header'], frame: number): Entry {
  const entry = (packet: string, payload: Entry['payload'] = {}): Entry => ({ way: item.way, packet, header, payload, bytes: '', frame })
  switch (item.kind) {
    case 'handshake': return entry(item.message.name, handshakeFields(item.message))
    case 'change cipher spec': return entry(item.kind)
    case 'alert': return entry(`alert: ${item.description}`)
    case 'sealed': return item.why === 'tag' ? entry(TLS_DEFECT, { defect: whyUnopened(item.why, '') }) : entry(SEALED, { why: whyUnopened(item.why, keys.lack) })
    case 'defect': return entry(TLS_DEFECT, { defect: item.defect })
  }
}

function handshakeFields(message: HandshakeMessage): Record<string, Value> {
  switch (message.name) {
    case 'client hello': return {
      version: versionName(message.version), random: { any: toHex(message.random) },
      ...message.serverName === null ? {} : { 'server name': message.serverName }, ...presence(message.hasKeyShare),
    }
    case 'server hello': return {
      version: versionName(message.version), 'cipher suite': cipherSuite(message.cipherSuite).name, random: { any: toHex(message.random) }, ...presence(message.hasKeyShare),
    }
    case 'certificate': return { certificates: message.chain.length, ...message.chain.length === 0 ? {} : { certificate: { any: digest(message.chain[0]) } } }
    default: return {}
  }
}

const versionName = (version: number): string => VERSIONS[version] ?? `0x${version.toString(16)}`
const presence = (hasKeyShare: boolean): Record<string, Value> => hasKeyShare ? { 'key share': 'present' } : {}
const digest = (certificate: Uint8Array): string => createHash('sha256').update(certificate).digest('hex')
