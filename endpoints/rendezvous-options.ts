// What a server of any kind is told, and what one kind makes of the others' common part (rendezvous.ts).
import type { Channel, OpenChannel } from './channel/channel.js'
import type { Apparatus, Clock, LookUpStep, OnEvent, RegistrationStep } from './events.js'
import type { Message } from './message/index.js'
import type { Peer } from './peer.js'

export interface ServerTimeouts {
  readonly message: number
  readonly repeat: number
  readonly notify: number
  readonly report: number
}

/** What a server of any kind can be told. */
export interface RendezvousOptions {
  /** Of this machine; all of its addresses when absent. */
  readonly address?: string
  /** Ports; 0 lets the system choose. */
  readonly udpPort?: number
  readonly issuerPort?: number
  readonly acceptorPort?: number
  /** Milliseconds without a registration after which an entry of the equipment list lapses. */
  readonly lifetime?: number
  readonly maxEquipment?: number
  /** TCP connections at one port; more are closed at once. */
  readonly maxConnections?: number
  /** Requests for one equipment that may be under way at the same time. */
  readonly maxRequests?: number
  /** Milliseconds; see TIMEOUTS. */
  readonly timeouts?: Partial<ServerTimeouts>
  readonly onEvent?: OnEvent
  readonly clock?: Clock
  readonly openChannel?: OpenChannel
}

/** How the documents number what a server does. */
export interface Numbering {
  readonly apparatus: Apparatus
  readonly registered: Readonly<Record<'first' | 'again', RegistrationStep>>
  readonly lookedUp: LookUpStep
}

/** What is a server's own. `Request` is whatever it keeps of a request while its outcome is awaited. */
export interface Service {
  /** A datagram that is a message. False when it has no place here. */
  onDatagram(message: Message, from: Peer, bytes: number): boolean
  /** A connection of an issuer; it is closed when this returns. @throws ChannelError when the issuer breaks the protocol */
  serveIssuer(channel: Channel): Promise<void>
}
