// Printing the events of the endpoints: one JSON object a line, or one readable line each. With JSON nothing else goes to
// standard output.
import { labelOf } from '../endpoints/message/index.js'
import { EndpointError, wallClock } from '../endpoints/index.js'
import type { Apparatus, EndpointEvent, OnEvent } from '../endpoints/index.js'

export function printer(json: boolean): OnEvent {
  if (json) return event => void process.stdout.write(JSON.stringify(event) + '\n')
  return event => void (event.event === 'error' ? process.stderr : process.stdout).write(toLine(event) + '\n')
}

/** Prints an error that ended what was asked for, and sets the exit code to 1. @throws what is not such an error */
export function printFailure(print: OnEvent, apparatus: Apparatus, error: unknown): void {
  if (!(error instanceof EndpointError)) throw error
  printTrouble(print, apparatus, error)
  process.exitCode = 1
}

/** Prints an error with which it goes on. */
export const printTrouble = (print: OnEvent, apparatus: Apparatus, { reason, message }: EndpointError): void =>
  print({ time: wallClock(), apparatus, event: 'error', reason, message })

export function toLine(event: EndpointEvent): string {
  const step = 'step' in event ? event.step : ''
  return `${clockTime(event.time)}  ${event.apparatus}  ${step.padEnd(5)}  ${printable(sentence(event))}`
}

function clockTime(time: number): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Text that came from afar does not steer the terminal. */
const printable = (text: string): string => text.replaceAll(/[^\P{Cc}\t]/gu, '\ufffd')

function sentence(event: EndpointEvent): string {
  const place = 'address' in event && event.port !== undefined ? `${event.address}:${event.port}` : ''
  switch (event.event) {
    case 'listening': return `listening for ${event.purpose} at ${place} (${event.transport.toUpperCase()})`
    case 'stopped': return 'stopped'
    case 'error': return `error: ${event.message}`
    case 'registered': return `${event.equipmentId} = ${place} (${event.outcome})`
    case 'claimed': return `${event.equipmentId} is claimed by two acceptors: registrations come from ${place} and from ${event.rival.address}:${event.rival.port}; give each an ID of its own`
    case 'lapsed': return `${event.equipmentId} has lapsed: no registration for ${(event.age / 1000).toFixed(1)} s`
    case 'request-received': return `${labelOf('request')} from ${place}: ${event.equipmentId}, ${event.reachedAt === undefined ? 'through the server' : `to connect to ${event.reachedAt.address}:${event.reachedAt.port}`}`
    case 'looked-up': return event.outcome === 'found' ? `${event.equipmentId} found at ${place}` : `${event.equipmentId} is not in the list`
    case 'notified': return `${labelOf('notification')} to ${place}${repeated(event.attempt)}`
    case 'second-connection-accepted': return `second connection of ${event.equipmentId} from ${place}`
    case 'request-forwarded': return `${labelOf('forwardedRequest')} to ${place}${repeated(event.attempt)}`
    case 'request-ended': return `request for ${event.equipmentId} ended: ${event.message}`
    case 'relay-started': return `relaying between ${event.issuer.address}:${event.issuer.port} and ${event.acceptor.address}:${event.acceptor.port}, request for ${event.equipmentId}`
    case 'relay-ended': return `relayed ${event.fromIssuer} bytes to ${event.equipmentId} and ${event.fromAcceptor} back${event.outcome === 'ended' ? '' : `: ${event.message}`}`
    case 'first-connection': return `first connection to ${place}, request for ${event.equipmentId}`
    case 'introduced': return `the server has told ${event.equipmentId}, at ${event.acceptor}, to connect directly`
    case 'answered': return `the server's answer: ${event.message}`
    case 'registration-sent': return `${labelOf('registration')} of ${event.equipmentId} to ${place}`
    case 'notification-received': return `notified of a connection request by ${place}`
    case 'second-connection': return `second connection to ${place}`
    case 'password-checked': return `the password is ${event.outcome}`
    case 'connecting': return `${event.apparatus === '103' ? '208 ' : ''}connection to ${place}${event.transport === 'udp' ? ' over UDP' : ''}`
    case 'request-handled': return `request handled: ${event.message}`
    case 'keys-made': return `key pair ${event.step} made`
    case 'certificate-requested': return `${labelOf('certificateRequest')} from ${place}: ${event.names.join(', ')}`
    case 'certificate-issued': return `certificate 65 signed (64) for ${event.names.join(', ')}, serial number ${event.serialNumber.toLowerCase()}, valid until ${event.validTo}`
    case 'authority-handed-out': return `${labelOf('authorityCertificate')} handed out to ${place}`
    case 'authority-obtained': return `${labelOf('authorityCertificate')} of ${event.subject}, SHA-256 ${event.fingerprint} (${HOW_TRUSTED[event.outcome]})`
    case 'certificate-obtained': return `certificate 65 for ${event.names.join(', ')}, serial number ${event.serialNumber.toLowerCase()}, valid until ${event.validTo}`
    case 'credentials-stored': return `written: ${event.paths.join(', ')}`
    case 'asked': return `asks ${place}: ${event.text}`
    case 'responded': return `answers ${place}: ${event.text}`
    case 'response-received': return `${place} answers: ${event.text}`
    case 'connected': return `connected with ${place}`
    case 'line-received': return `line: ${event.text}`
    case 'command-received': return `${labelOf('command')}: ${event.text}`
    case 'file-sent': return `${event.name} sent and received whole: ${event.bytes} bytes, SHA-256 ${event.sha256}`
    case 'file-received': return `${event.path} received: ${event.bytes} bytes, SHA-256 ${event.sha256}`
    case 'logged-in': return `${event.userId} logged in: connection ${event.connection}, ${place}`
    case 'users-listed': return `logged in: ${event.users.join(', ')}`
    case 'held': return `connection ${event.connection} of ${event.userId} is held`
    case 'demanded': return `${event.userId} demands a connection with ${event.to}, on connection ${event.connection}`
    case 'demand-ended': return `${event.userId} and ${event.to}: ${event.message}${event.connections ? `, on connection ${event.connections.join(' and ')}` : ''}`
    case 'communication-ended': return `${event.userId} and ${event.to} are apart (${event.message}): ${event.sent} bytes sent, ${event.received} received`
    case 'released': return `connection ${event.connection} of ${event.userId} is vacant`
    case 'logged-out': return `${event.userId} logs out; connections: ${event.connections}`
    case 'disconnected': return `connection ${event.connection} of ${event.userId} has ended: ${event.message}`
    case 'moving': return `${event.bytes} bytes so far`
    case 'moved': return `${event.bytes} bytes, SHA-256 ${event.sha256}`
    case 'session-ended': return event.outcome === 'goodbye' ? 'the session ended' : `the session was lost: ${event.message}`
  }
}

const HOW_TRUSTED = { 'pinned': 'as pinned', 'proved': 'proved by the enrolment secret', 'trusted-on-first-use': 'not checked: compare it with what the CA shows' }

const repeated = (attempt: number): string => attempt > 1 ? ` (repeat ${attempt - 1})` : ''
