// The cipher suites that are spoken here: for each way of key exchange of the documents one with the strongest cipher of RFC 6101
// itself, and one with AES, which came with RFC 3268. RC4 and single DES are left out: OpenSSL 3 has them no more.

/** RSA key transport; ephemeral Diffie–Hellman, signed with the server's RSA key; fixed Diffie–Hellman, by the server's certificate. */
export type KeyExchange = 'rsa' | 'dhe' | 'dh'

export interface Suite {
  readonly id: number
  readonly name: string
  readonly keyExchange: KeyExchange
  /** As node:crypto calls it; in CBC mode. The MAC is SHA-1 throughout. */
  readonly cipher: string
  /** Bytes. */
  readonly keyLength: number
  /** Bytes; also of the initialization vector. */
  readonly blockLength: number
}

const DES = { cipher: 'des-ede3-cbc', keyLength: 24, blockLength: 8 } as const
const AES = { cipher: 'aes-128-cbc', keyLength: 16, blockLength: 16 } as const

/** The preferred ones first. */
export const SUITES: readonly Suite[] = [
  { id: 0x000a, name: 'SSL_RSA_WITH_3DES_EDE_CBC_SHA', keyExchange: 'rsa', ...DES },
  { id: 0x002f, name: 'TLS_RSA_WITH_AES_128_CBC_SHA', keyExchange: 'rsa', ...AES },
  { id: 0x0016, name: 'SSL_DHE_RSA_WITH_3DES_EDE_CBC_SHA', keyExchange: 'dhe', ...DES },
  { id: 0x0033, name: 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA', keyExchange: 'dhe', ...AES },
  { id: 0x0010, name: 'SSL_DH_RSA_WITH_3DES_EDE_CBC_SHA', keyExchange: 'dh', ...DES },
  { id: 0x0031, name: 'TLS_DH_RSA_WITH_AES_128_CBC_SHA', keyExchange: 'dh', ...AES },
]

export const suitesOf = (keyExchange: KeyExchange): readonly Suite[] => SUITES.filter(suite => suite.keyExchange === keyExchange)
