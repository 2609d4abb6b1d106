// The errors of the endpoints: a reason for programs, and a message for people that says what was wrong, where, and what to
// do next.
import { REASONS } from './message/index.js'
import { ChannelError } from './channel/channel.js'
import { formatPeer } from './peer.js'
import type { Reason } from './message/index.js'
import type { ChannelFault } from './channel/channel.js'
import type { Peer } from './peer.js'

/** Reasons that arise at this end and never travel in a message. */
export type LocalReason =
  | 'address-in-use'
  | 'listen-failed'
  | 'connect-failed'
  | 'connection-lost'
  | 'no-answer'
  | 'no-direct-connection'
  | 'send-failed'
  | 'too-many-connections'
  | 'registry-full'
  | 'cancelled'
  | 'file-unreadable'
  | 'file-refused'
  | 'encryption-failed'
  | 'certificate-untrusted'
  | 'certificate-expired'
  | 'certificate-not-yet-valid'
  | 'certificate-other-name'
  | 'certificate-unusable'
  | 'user-file'
  | 'equipment-file'
  | 'lapsed'

export type FailureReason = Exclude<Reason, 'accepted'> | LocalReason

export class EndpointError extends Error {
  constructor(readonly reason: FailureReason, sentence: string, advice: string, options?: ErrorOptions) {
    super(advice ? `${sentence}; ${advice}` : sentence, options)
    this.name = 'EndpointError'
  }
}

/** The error for a reason that came in an answer; `where` says at which end, `detail` is that end's own sentence. */
export function refusal(reason: Exclude<Reason, 'accepted'>, where: string, detail = ''): EndpointError {
  const { sentence, advice } = REASONS[reason]
  return new EndpointError(reason, `${where}: ${sentence}${detail ? ` (${detail})` : ''}`, advice)
}

const REASON_OF_FAULT: Record<ChannelFault, FailureReason> = {
  'closed': 'connection-lost', 'lost': 'connection-lost', 'timed-out': 'no-answer', 'malformed': 'malformed', 'refused': 'certificate-refused',
}

export const reasonOfFault = (fault: ChannelFault): FailureReason => REASON_OF_FAULT[fault]

/** The reason of whatever a channel or its opening throws. @throws `error` itself when it is anything else */
export function reasonOfError(error: unknown): FailureReason {
  if (error instanceof EndpointError) return error.reason
  if (error instanceof ChannelError) return reasonOfFault(error.fault)
  throw error
}

export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** The system's name of what went wrong (ECONNREFUSED), or ''. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** An error that a system call gave while binding a socket of ours. */
export function bindFailure(error: unknown, what: string, where: Peer): EndpointError {
  const place = `${what} at ${formatPeer(where)}`
  switch (systemCode(error)) {
    case 'EADDRINUSE':
      return new EndpointError('address-in-use', `${place} is in use by another socket`, 'end that program or choose another port', { cause: error })
    case 'EACCES':
      return new EndpointError('listen-failed', `${place} is not allowed to this user`, 'choose a port of 1024 or above', { cause: error })
    case 'EADDRNOTAVAIL':
      return new EndpointError('listen-failed', `${place}: this machine does not have that address`, 'give an address of this machine or leave it out', { cause: error })
    default:
      return new EndpointError('listen-failed', `${place} could not be opened: ${messageOf(error)}`, '', { cause: error })
  }
}

/** An error that a system call gave while connecting to `to`. */
export function connectFailure(error: unknown, what: string, to: Peer): EndpointError {
  const place = `${what} to ${formatPeer(to)}`
  const known: Record<string, [string, string] | undefined> = {
    ECONNREFUSED: ['was refused: nothing listens there', 'check the address and port, and that the other end runs'],
    ECONNRESET: ['was reset by the other end', 'check that the other end runs and speaks this protocol'],
    ETIMEDOUT: ['got no answer', 'check the address, and that no firewall or router drops the packets'],
    EHOSTUNREACH: ['failed: no route leads there', 'check the address and the routing table'],
    ENETUNREACH: ['failed: no route leads there', 'check the address and the routing table'],
    EADDRINUSE: ['failed: the local port is in use', 'wait for the other connection to end or choose another local port'],
    EADDRNOTAVAIL: ['failed: the local address and port cannot be used', 'choose another local port, or wait until the last connection has left TIME_WAIT'],
    ENOTFOUND: ['failed: the name is not known', 'check the name of the server'],
  }
  const [sentence, advice] = known[systemCode(error)] ?? [`failed: ${messageOf(error)}`, '']
  const reason = systemCode(error) === 'EADDRINUSE' ? 'address-in-use' : 'connect-failed'
  return new EndpointError(reason, `${place} ${sentence}`, advice, { cause: error })
}
