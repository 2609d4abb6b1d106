// What an endpoint's process on a bench (endpoint-process.ts) is told on its standard input: one JSON line. It may hold a password,
// which is why it is not a command line.
import type { Data } from '../../endpoints/connection.js'
import type { Level } from '../../endpoints/defaults.js'
import type { Apparatus } from '../../endpoints/events.js'
import type { Peer } from '../../endpoints/peer.js'
import type { Transport } from '../../endpoints/plain.js'
import type { AuthorityTask } from './authority-task.js'
import type { ClientSecurity, ServerSecurity } from './encryption.js'
import type { EnrolTask, FetchAuthorityTask } from './enrol-tasks.js'
import type { LoginRelayTask, TerminalTask } from './login-relay-tasks.js'
import type { MoverTask } from '../systems/mover.js'

export interface ServerTask {
  readonly role: 'server'
  readonly level: Level
  /** Milliseconds for an acceptor to answer 205; as in TIMEOUTS unless given. */
  readonly notify?: number
  /** In the clear without it. */
  readonly security?: ServerSecurity
}

/** Each further line on standard input makes it register out of turn. */
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
  /** In the clear without it. */
  readonly security?: ClientSecurity
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
  /** What S209 runs on. */
  readonly data: Data
  /** True: while it listens, and before 211, it waits for another line on standard input. */
  readonly holds: boolean
  readonly lines: readonly string[]
  readonly files: readonly string[]
  /** In the clear without it. */
  readonly security?: ClientSecurity
  /** File that the keys of the direct connection go to, where that is under TLS. */
  readonly dataKeyLog?: string
}

/** Responds to what it is asked by UDP and TCP (Fig. 11), until it is stopped. */
export interface ResponderTask { readonly role: 'responder', readonly apparatus: Apparatus, readonly port: number }

/** Asks once. The connection stays open until another line comes on standard input. */
export interface AskerTask {
  readonly role: 'asker'
  readonly apparatus: Apparatus
  readonly transport: Transport
  readonly localPort: number
  readonly to: Peer
  readonly text: string
  /** Milliseconds. */
  readonly within: number
}

/** 11 of Fig. 13. */
export interface RelayServerTask { readonly role: 'relay-server' }

/** 13 of Fig. 13: serves every session until it is stopped. */
export interface RelayAcceptorTask {
  readonly role: 'relay-acceptor'
  readonly equipmentId: string
  readonly server: string
  readonly localPort: number
  /** Milliseconds between registrations. */
  readonly interval: number
  /** Hybrid: registrations say which address it has. */
  readonly isDirect: boolean
  /** Folder for the files that come. */
  readonly receive: string
  /** Sent to each issuer. */
  readonly lines: readonly string[]
  readonly files: readonly string[]
}

/** 12 of Fig. 13. */
export interface RelayIssuerTask {
  readonly role: 'relay-issuer'
  readonly equipmentId: string
  readonly server: string
  readonly localPort: number
  /** Hybrid: the port where a direct connection is awaited. */
  readonly listen?: number
  readonly command: string
  /** True: after the command it waits for another line on standard input. */
  readonly holds: boolean
  readonly lines: readonly string[]
  readonly files: readonly string[]
  /** Folder for the files that come. */
  readonly receive: string
}

export type EndpointTask =
  | ServerTask | AcceptorTask | IssuerTask | ResponderTask | AskerTask | RelayServerTask | RelayAcceptorTask | RelayIssuerTask
  | LoginRelayTask | TerminalTask | MoverTask | AuthorityTask | EnrolTask | FetchAuthorityTask

export type Role = EndpointTask['role']
