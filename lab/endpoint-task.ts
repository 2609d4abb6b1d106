// What an endpoint's process on a bench (endpoint-process.ts) is told on its standard input: one JSON line. It holds the password,
// which is why it is not a command line.
import type { Level } from '../endpoints/defaults.js'
import type { Peer } from '../endpoints/peer.js'

export interface ServerTask { readonly role: 'server', readonly level: Level }

export interface AcceptorTask {
  readonly role: 'acceptor'
  readonly level: Level
  readonly equipmentId: string
  /** Empty below level 3. */
  readonly password: string
  readonly server: string
  readonly localPort: number
  readonly connectPort: number
  /** Milliseconds between registrations. */
  readonly interval: number
  /** Folder for the files that come. */
  readonly receive: string
}

export interface IssuerTask {
  readonly role: 'issuer'
  readonly level: Level
  readonly equipmentId: string
  /** Empty below level 3. */
  readonly password: string
  readonly server: string
  readonly localPort: number
  readonly listen: number
  readonly reachedAt: Peer
  readonly lines: readonly string[]
  readonly files: readonly string[]
}

export type EndpointTask = ServerTask | AcceptorTask | IssuerTask
export type Role = EndpointTask['role']
