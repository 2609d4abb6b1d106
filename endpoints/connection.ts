// The connection between issuer and acceptor on which S209 runs. The direct one the acceptor makes (208) and greets with the
// request's token; the issuer answers, so that both know that they have met the right one before any data travels.
import type { Channel } from './channel/channel.js'
import type { Apparatus } from './events.js'

/** How S209 runs: over TCP or over datagrams, in the clear or under TLS with a key that the issuer has made for this connection. */
export type Data = 'tcp' | 'tls' | 'udp' | 'udp-tls'

export const DATA: readonly Data[] = ['tcp', 'tls', 'udp', 'udp-tls']

export const isOverUdp = (data: Data): boolean => data === 'udp' || data === 'udp-tls'
export const isUnderTls = (data: Data): boolean => data === 'tls' || data === 'udp-tls'

export interface Connection {
  readonly channel: Channel
  /** This end. */
  readonly apparatus: Extract<Apparatus, '102' | '103' | '12' | '13'>
  readonly equipmentId: string
}
