// What a channel needs of a connection below it: a socket of node:net has it all, and so has a stream over datagrams.
import type { Duplex } from 'node:stream'

export interface ConnectedSocket extends Duplex {
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  /** Absent where small writes are never held back. */
  setNoDelay?(noDelay: boolean): unknown
  /** Absent where a connection shows by itself that it is alive. */
  setKeepAlive?(enable: boolean, delay: number): unknown
  /** Ends the connection at once; the other end learns that it was not in order. */
  resetAndDestroy(): unknown
}
