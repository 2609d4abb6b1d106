// The RFCs, with all of their requirements in order.
import type { Rfc } from './requirement.js'
import { FILTERING } from './rfc4787-filtering.js'
import { MAPPING } from './rfc4787-mapping.js'
import { PACKETS } from './rfc4787-packets.js'
import { CONNECTIONS } from './rfc5382-connections.js'
import { SESSIONS } from './rfc5382-sessions.js'
import { OWN } from './rfc5508-own.js'
import { TRANSLATED } from './rfc5508-queries.js'
import { CARRIER_GRADE } from './rfc6888.js'
import { MAPPING as UPDATED_MAPPING } from './rfc7857-mapping.js'
import { PORTS } from './rfc7857-ports.js'
import { TCP_TRACKING } from './rfc7857-tcp.js'

export const RFCS: readonly Rfc[] = [
  { number: 4787, title: 'NAT behavioral requirements for unicast UDP', requirements: [...MAPPING, ...FILTERING, ...PACKETS] },
  { number: 5382, title: 'NAT behavioral requirements for TCP', requirements: [...CONNECTIONS, ...SESSIONS] },
  { number: 5508, title: 'NAT behavioral requirements for ICMP', requirements: [...TRANSLATED, ...OWN] },
  { number: 7857, title: 'Updates to NAT behavioral requirements', requirements: [...TCP_TRACKING, ...UPDATED_MAPPING, ...PORTS] },
  { number: 6888, title: 'Common requirements for carrier-grade NATs', requirements: CARRIER_GRADE },
]
