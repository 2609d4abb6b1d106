// What either end can be told.
import { randomBytes } from 'node:crypto'
import type { RandomSource } from './rsa-transport.js'
import type { KeyExchange } from './suites.js'

export interface Ssl3Options {
  readonly keyExchange: KeyExchange
  /** Milliseconds for the handshake. */
  readonly within: number
  /** All that this end draws by lot; the system's own unless given. */
  readonly random?: RandomSource | undefined
  /** Gets the line of a key log (SSLKEYLOGFILE), with its line feed. It opens what the connection carries: keep it safe. */
  readonly onKeys?: ((line: string) => void) | undefined
}

export const systemRandom: RandomSource = size => randomBytes(size)
