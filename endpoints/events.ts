// What the apparatuses tell about themselves while they run: one typed union. A step is the documents' own name for what
// happens ('S204'); it is given once, by the apparatus that does it, at the moment it does it. No event holds a password.
import type { Reason } from './message/index.js'
import type { FailureReason } from './errors.js'
import type { Peer } from './peer.js'

/**
 * 101 rendezvous server, 102 request issuer, 103 request acceptor; 11, 12 and 13 are the same of the prior art (Fig. 10). Of the
 * log-in relay (JP 2002-217942): 4 relay server, 11 and 21 its terminals, one in each local system. 51 is the CA of Fig. 5.
 */
export type Apparatus = '51' | '101' | '102' | '103' | '4' | '11' | '12' | '13' | '21'

type Purpose =
  | 'registrations' // 101, UDP
  | 'first connections' // 101, TCP, from issuers
  | 'second connections' // 101, TCP, from acceptors
  | 'direct connection' // 102, TCP or UDP, from the acceptor
  | 'notifications' // 103, UDP, from the server
  | 'questions' // a responder, from anybody
  | 'certificate requests' // 51, TCP, from servers, and from whoever wants the CA certificate
  | 'log-ins' // 4, TCP, from terminals
  | 'applications' // 11, TCP, from programs beside the terminal

type Body =
  // any apparatus
  | Peer & { event: 'listening', transport: 'udp' | 'tcp', purpose: Purpose }
  | { event: 'stopped' }
  /** Something was wrong and was dealt with; the apparatus goes on. The peer is given where there is one. */
  | Partial<Peer> & { event: 'error', reason: FailureReason, message: string }
  // 101
  | Peer & { event: 'registered', step: RegistrationStep, equipmentId: string, outcome: 'added' | 'refreshed' | 'moved' }
  /** Two acceptors take turns under one ID: registrations come from both addresses (claims.ts). */
  | Peer & { event: 'claimed', equipmentId: string, rival: Peer }
  | Peer & { event: 'lapsed', equipmentId: string, age: number }
  | Peer & { event: 'request-received', equipmentId: string, reachedAt?: Peer }
  | { event: 'looked-up', step: LookUpStep, equipmentId: string, outcome: 'found' | 'unknown', address?: string, port?: number, path?: string }
  | Peer & { event: 'notified', step: '205' | '36', equipmentId: string, attempt: number }
  | Peer & { event: 'second-connection-accepted', equipmentId: string }
  /** At level 1 this is the whole of S206; at the others the acceptor began it. */
  | Peer & { event: 'request-forwarded', step?: 'S206', transport: 'udp' | 'tcp', equipmentId: string, attempt: number }
  | { event: 'request-ended', equipmentId: string, outcome: Reason | 'withdrawn', message: string }
  // 11
  | { event: 'relay-started', equipmentId: string, issuer: Peer, acceptor: Peer }
  /** Bytes that the server passed on, from the issuer and from the acceptor. */
  | { event: 'relay-ended', equipmentId: string, outcome: 'ended' | 'aborted', fromIssuer: number, fromAcceptor: number, message: string }
  // 102
  | Peer & { event: 'first-connection', step?: 'S203', equipmentId: string }
  /** The server told of the acceptor's address, which is going to connect. */
  | { event: 'introduced', equipmentId: string, acceptor: string }
  | { event: 'answered', equipmentId: string, outcome: Reason, message: string }
  // 103
  | Peer & { event: 'registration-sent', equipmentId: string }
  | Peer & { event: 'notification-received', equipmentId: string }
  | Peer & { event: 'second-connection', step?: 'S206', equipmentId: string }
  | { event: 'password-checked', step: 'S207', equipmentId: string, outcome: 'right' | 'wrong' | 'absent' }
  | Peer & { event: 'connecting', equipmentId: string, transport: 'udp' | 'tcp' }
  | { event: 'request-handled', equipmentId: string, outcome: Reason, message: string }
  // Fig. 5: 51, and whoever asks it. A step is the number of what comes to be there
  | { event: 'keys-made', step: '52/53' | '61/62' }
  | Peer & { event: 'certificate-requested', names: readonly string[] }
  | { event: 'certificate-issued', step: '64', names: readonly string[], serialNumber: string, validTo: string }
  | Peer & { event: 'authority-handed-out' }
  /** `fingerprint` is that of the CA certificate, SHA-256; how it was checked. */
  | { event: 'authority-obtained', step: '52', subject: string, fingerprint: string, outcome: 'pinned' | 'proved' | 'trusted-on-first-use' }
  | { event: 'certificate-obtained', step: '65', names: readonly string[], serialNumber: string, validTo: string }
  | { event: 'credentials-stored', paths: readonly string[] }
  // plain talk (Fig. 11)
  | Peer & { event: 'asked', text: string }
  | Peer & { event: 'responded', step: 'S24', text: string }
  | Peer & { event: 'response-received', text: string }
  // 102 and 103
  | Peer & { event: 'connected', step?: 'S209', equipmentId: string }
  | { event: 'line-received', text: string }
  | { event: 'command-received', text: string }
  | { event: 'file-sent', name: string, bytes: number, sha256: string }
  | { event: 'file-received', name: string, path: string, bytes: number, sha256: string }
  /** Bytes of a bulk transfer that this end has sent or received so far, and when it is over. */
  | { event: 'moving', bytes: number }
  | { event: 'moved', bytes: number, sha256: string }
  | { event: 'session-ended', outcome: 'goodbye' | 'lost', message: string }
  // 4 and its terminals; `connection` counts from 1 at each of them
  | Peer & { event: 'logged-in', step: '(3)' | '(12)', userId: string, connection: number }
  | { event: 'users-listed', users: readonly string[] }
  /** At the terminal: the relay server has answered a hold message. */
  | { event: 'held', step: '(5)' | '(14)', userId: string, connection: number }
  | { event: 'demanded', step: '(6)', userId: string, to: string, connection: number }
  /** (8) at the demanded terminal. `connections` are those that are used from here on. */
  | { event: 'demand-ended', step: '(8)' | '(9)', userId: string, to: string, outcome: Reason, message: string, connections?: readonly number[] }
  | { event: 'communication-ended', step: '(19)' | '(20)', userId: string, to: string, sent: number, received: number, message: string }
  | { event: 'released', step: '(21)', userId: string, connection: number }
  | { event: 'logged-out', step: '(22)', userId: string, connections: number }
  | { event: 'disconnected', userId: string, connection: number, message: string }

/** The steps that mean the same in Fig. 2 and in Fig. 13. */
export type RegistrationStep = 'S202' | 'S202A' | 'S32' | 'S32A'
export type LookUpStep = 'S204' | 'S35'

/** `time` is in milliseconds since the epoch, with fractions. */
type Stamped<B> = B extends unknown ? { readonly time: number, readonly apparatus: Apparatus } & Readonly<B> : never
export type EndpointEvent = Stamped<Body>
export type EventName = Body['event']
export type EventBody = Body
export type OnEvent = (event: EndpointEvent) => void
export type Emit = (body: EventBody) => void

/** Milliseconds since the epoch, with fractions; it never runs backwards within one process. */
export type Clock = () => number
export const wallClock: Clock = () => performance.timeOrigin + performance.now()

export function emitter(apparatus: Apparatus, onEvent: OnEvent | undefined, clock: Clock): Emit {
  return body => onEvent?.({ time: clock(), apparatus, ...body })
}
