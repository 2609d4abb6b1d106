// What several cases have to find.
import type { NatFields } from './requirement.js'

/** The router gives these ports, and no others. */
export const onlyPorts = (from: number, to: number): NatFields => ({ portRange: { from, to }, firstPort: { tcp: from, udp: from } })

/** Two and three WAN addresses. */
export const TWO_ADDRESSES: NatFields = { pool: ['202.204.16.13', '202.204.16.20'] }
export const THREE_ADDRESSES: NatFields = { pool: ['202.204.16.13', '202.204.16.20', '202.204.16.99'] }
/** Basic NAT (RFC 2663 §4.1.1) with two addresses. */
export const BASIC_NAT: NatFields = { translation: 'addresses', pool: ['202.204.16.20', '202.204.16.99'] }
