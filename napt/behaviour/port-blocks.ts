// The fixed blocks of ports that a deterministic NAT gives to hosts (RFC 7422 §2), by the host's number in the LAN.
import type { Behaviour } from './behaviour.js'

/** Well-known ports are nobody's block, unless the range has no others. */
const FIRST_REGISTERED_PORT = 1024

/** The port at which the first block begins. */
export const firstBlockPort = ({ from, to }: Behaviour['portRange']): number => to < FIRST_REGISTERED_PORT ? from : Math.max(from, FIRST_REGISTERED_PORT)

/** How many hosts one WAN address serves. */
export const blocksPerAddress = ({ portRange, portBlock }: Pick<Behaviour, 'portRange' | 'portBlock'>): number =>
  Math.floor((portRange.to - firstBlockPort(portRange) + 1) / portBlock)
