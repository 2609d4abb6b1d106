// Which steps of Fig. 2 the endpoints' events are, and what stands beside them in the ladder.
import type { LadderStep, Lane } from '../captures/ladder.js'
import type { EndpointEvent } from '../endpoints/events.js'

/** The step at the lane of the apparatus that does it; null for an event that is none, or is a packet of its own in the ladder. */
export function stepOf(event: EndpointEvent): LadderStep | null {
  if (!('step' in event) || event.step === '205') return null
  const note = noteOf(event)
  if (note === null) return null
  return { kind: 'step', time: BigInt(Math.round(event.time * 1000)) * 1000n, lane: event.apparatus, name: event.step, note }
}

function noteOf(event: EndpointEvent): string | null {
  switch (event.event) {
    case 'registered': return `${event.equipmentId} = ${event.address}:${event.port}${event.outcome === 'moved' ? ' (moved)' : ''}`
    case 'first-connection': return 'first connection request sequence (Fig. 3)'
    case 'looked-up': return `${event.equipmentId} ${event.outcome}`
    case 'request-forwarded': return 'request sent to the registered address'
    case 'second-connection': return 'second connection request sequence (Fig. 4)'
    case 'password-checked': return event.outcome === 'absent' ? null : `password ${event.outcome}`
    case 'connected': return 'data communication, without the server'
    default: return null
  }
}

/** The lanes of the ladder, from left to right. */
export const FIG2_LANES: readonly Lane[] = [
  { name: '102', address: '192.168.1.11' },
  { name: '104a', address: '4.17.168.2' },
  { name: '101', address: '130.74.23.6' },
  { name: '104b', address: '202.204.16.13' },
  { name: '103', address: '192.168.1.3' },
]
