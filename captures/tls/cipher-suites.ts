// Cipher suites by number (IANA, "TLS Cipher Suites"): the name, and what the name says about keys and records.

/** What protects a record. Lengths in bytes. */
export type RecordProtection =
  /** RFC 5246 §6.2.3.3, RFC 8446 §5.2. `explicitNonce` is what TLS 1.2 puts in front of a record (RFC 5288, RFC 7905). */
  | { readonly kind: 'aead', readonly algorithm: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305', readonly key: number, readonly explicitNonce: number }
  /** RFC 6101 §5.2.3.2, RFC 5246 §6.2.3.2. */
  | { readonly kind: 'cbc', readonly algorithm: 'aes-128-cbc' | 'aes-256-cbc' | 'des-ede3-cbc', readonly key: number, readonly block: number, readonly mac: Hash }

export type Hash = 'md5' | 'sha1' | 'sha256' | 'sha384'

export interface CipherSuite {
  readonly name: string
  /** As in `DHE_RSA`; empty in TLS 1.3, where it is negotiated apart. */
  readonly keyExchange: string
  /** Null for one that is not read here. */
  readonly protection: RecordProtection | null
  /** Of the key schedule: HKDF in TLS 1.3, the PRF in TLS 1.2. */
  readonly hash: Hash
}

/** RFC 8446 §B.4, RFC 5246 §A.5, RFC 5288, RFC 5289, RFC 7905, RFC 6101 §A.6. */
const NAMES: Readonly<Record<number, string>> = {
  0x0004: 'RSA_WITH_RC4_128_MD5',
  0x0005: 'RSA_WITH_RC4_128_SHA',
  0x000a: 'RSA_WITH_3DES_EDE_CBC_SHA',
  0x000d: 'DH_DSS_WITH_3DES_EDE_CBC_SHA',
  0x0010: 'DH_RSA_WITH_3DES_EDE_CBC_SHA',
  0x0013: 'DHE_DSS_WITH_3DES_EDE_CBC_SHA',
  0x0016: 'DHE_RSA_WITH_3DES_EDE_CBC_SHA',
  0x002f: 'RSA_WITH_AES_128_CBC_SHA',
  0x0030: 'DH_DSS_WITH_AES_128_CBC_SHA',
  0x0031: 'DH_RSA_WITH_AES_128_CBC_SHA',
  0x0033: 'DHE_RSA_WITH_AES_128_CBC_SHA',
  0x0035: 'RSA_WITH_AES_256_CBC_SHA',
  0x0036: 'DH_DSS_WITH_AES_256_CBC_SHA',
  0x0037: 'DH_RSA_WITH_AES_256_CBC_SHA',
  0x0039: 'DHE_RSA_WITH_AES_256_CBC_SHA',
  0x003c: 'RSA_WITH_AES_128_CBC_SHA256',
  0x003d: 'RSA_WITH_AES_256_CBC_SHA256',
  0x0067: 'DHE_RSA_WITH_AES_128_CBC_SHA256',
  0x006b: 'DHE_RSA_WITH_AES_256_CBC_SHA256',
  0x009c: 'RSA_WITH_AES_128_GCM_SHA256',
  0x009d: 'RSA_WITH_AES_256_GCM_SHA384',
  0x009e: 'DHE_RSA_WITH_AES_128_GCM_SHA256',
  0x009f: 'DHE_RSA_WITH_AES_256_GCM_SHA384',
  0x1301: 'AES_128_GCM_SHA256',
  0x1302: 'AES_256_GCM_SHA384',
  0x1303: 'CHACHA20_POLY1305_SHA256',
  0xc009: 'ECDHE_ECDSA_WITH_AES_128_CBC_SHA',
  0xc00a: 'ECDHE_ECDSA_WITH_AES_256_CBC_SHA',
  0xc013: 'ECDHE_RSA_WITH_AES_128_CBC_SHA',
  0xc014: 'ECDHE_RSA_WITH_AES_256_CBC_SHA',
  0xc023: 'ECDHE_ECDSA_WITH_AES_128_CBC_SHA256',
  0xc024: 'ECDHE_ECDSA_WITH_AES_256_CBC_SHA384',
  0xc027: 'ECDHE_RSA_WITH_AES_128_CBC_SHA256',
  0xc028: 'ECDHE_RSA_WITH_AES_256_CBC_SHA384',
  0xc02b: 'ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  0xc02c: 'ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  0xc02f: 'ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  0xc030: 'ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  0xcca8: 'ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  0xcca9: 'ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  0xccaa: 'DHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
}

const HASHES: Readonly<Record<string, Hash | undefined>> = { MD5: 'md5', SHA: 'sha1', SHA256: 'sha256', SHA384: 'sha384' }

/** One that the table does not know has its number for a name, and is not read. */
export function cipherSuite(number: number): CipherSuite {
  const known = NAMES[number] as string | undefined
  if (known === undefined) return { name: `0x${number.toString(16).padStart(4, '0')}`, keyExchange: '', protection: null, hash: 'sha256' }
  const at = known.indexOf('_WITH_')
  const keyExchange = known.slice(0, Math.max(0, at)), cipher = at < 0 ? known : known.slice(at + '_WITH_'.length)
  const last = HASHES[cipher.slice(cipher.lastIndexOf('_') + 1)] ?? 'sha256'
  // A suite that names no more than a MAC uses TLS 1.2's own hash (RFC 5246 §5).
  return { name: `TLS_${known}`, keyExchange, protection: protectionOf(cipher, last), hash: last === 'sha384' ? last : 'sha256' }
}

function protectionOf(cipher: string, mac: Hash): RecordProtection | null {
  const bits = cipher.startsWith('AES_256') ? 256 : 128
  if (cipher.includes('_GCM_')) return { kind: 'aead', algorithm: `aes-${bits}-gcm`, key: bits / 8, explicitNonce: 8 }
  if (cipher.startsWith('CHACHA20_POLY1305')) return { kind: 'aead', algorithm: 'chacha20-poly1305', key: 32, explicitNonce: 0 }
  if (cipher.startsWith('AES_')) return { kind: 'cbc', algorithm: `aes-${bits}-cbc`, key: bits / 8, block: 16, mac }
  if (cipher.startsWith('3DES_EDE_CBC')) return { kind: 'cbc', algorithm: 'des-ede3-cbc', key: 24, block: 8, mac }
  return null
}
