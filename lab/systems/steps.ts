// Which of the documents' steps the endpoints' events are, and what stands beside them in the ladder.
import type { LadderStep } from '../../captures/ladder/ladder.js'
import type { EndpointEvent } from '../../endpoints/events.js'

/** The step at the lane of the host that does it; null for an event that is none, or is a packet of its own in the ladder. */
export function stepOf(event: EndpointEvent, host: string): LadderStep | null {
  if (!('step' in event) || event.event === 'notified') return null
  const note = noteOf(event)
  if (note === null) return null
  return { kind: 'step', time: BigInt(Math.round(event.time * 1000)) * 1000n, lane: host, name: event.step, note }
}

function noteOf(event: EndpointEvent): string | null {
  switch (event.event) {
    case 'registered': return `${event.equipmentId} = ${event.address}:${event.port}${event.outcome === 'moved' ? ' (moved)' : ''}`
    case 'first-connection': return 'first connection request sequence (Fig. 3)'
    case 'looked-up': return `${event.equipmentId} ${event.outcome}${event.path === undefined || event.path === '' ? '' : `; ${event.path}`}`
    case 'request-forwarded': return 'request sent to the registered address'
    case 'second-connection': return 'second connection request sequence (Fig. 4)'
    case 'password-checked': return event.outcome === 'absent' ? null : `password ${event.outcome}`
    case 'certificate-issued': return `signed for ${event.names.join(', ')}`
    case 'certificate-obtained': return 'certificate stored'
    case 'authority-obtained': return 'CA public key stored'
    case 'keys-made': return event.step === '52/53' ? 'key pair of the CA' : 'key pair of the server'
    case 'responded': return 'predetermined response processing'
    case 'connected': return 'data communication, without the server'
    default: return null
  }
}
