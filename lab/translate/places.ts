// Where the packets of a capture stand to the router that they are put through: which side each came in on, or why it is set aside.
import type { Side } from '../../napt/verdict.js'
import * as arp from '../../napt/wire/arp.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { isInPrefix, type Ipv4Address, type Prefix } from '../../napt/wire/address.js'
import type { Frame } from './frame.js'

/** Why a packet does not come to the router. */
export const ASIDE = {
  'sent-by-router': 'sent by the router of that time',
  'within-lan': 'between hosts of the LAN',
  'neither-side': 'neither from the LAN nor to the WAN address',
  'not-ipv4': 'not IPv4',
  'other-interface': 'on other interfaces',
} as const
export type Aside = keyof typeof ASIDE

/** `answer`: as a host of the LAN received it; it came from the WAN in another form. */
export type Place = Side | 'answer' | Aside

export interface Addresses {
  readonly lan: Prefix
  readonly wanAddress: Ipv4Address
  /** Whether packets to LAN hosts, as they were seen there, are turned back into what came from the WAN. */
  readonly answers: boolean
}

export const isSide = (place: Place): place is Side => place === 'lan' || place === 'wan'

/** By addresses alone, in a capture of one cable. */
export function placeByAddress({ isIpv4, source, destination }: Frame, { lan, wanAddress, answers }: Addresses): Place {
  if (!isIpv4) return 'not-ipv4'
  const isToLan = isInPrefix(destination, lan)
  if (isInPrefix(source, lan)) return isToLan ? 'within-lan' : 'lan'
  if (destination === wanAddress) return 'wan'
  if (source === wanAddress) return 'sent-by-router'
  return isToLan ? answers ? 'answer' : 'sent-by-router' : 'neither-side'
}

/** On a side that is known: what the router of that time sent there does not come in again. */
export function placeOnSide(frame: Frame, side: Side, addresses: Addresses): Place {
  if (!isFromRouter(frame, side, addresses)) return side
  return side === 'lan' && addresses.answers && frame.isIpv4 ? 'answer' : 'sent-by-router'
}

function isFromRouter(frame: Frame, side: Side, { lan, wanAddress }: Addresses): boolean {
  if (frame.direction !== null) return frame.direction === 'outbound'
  const source = senderOf(frame)
  if (source === null) return false
  return side === 'lan' ? !isInPrefix(source, lan) || source === lan.address : source === wanAddress
}

/** Of an IPv4 or ARP packet. */
function senderOf({ isIpv4, source, bytes, start, end }: Frame): Ipv4Address | null {
  if (isIpv4) return source
  const at = start + ethernet.HEADER
  const isArp = end >= at + arp.LENGTH && ethernet.type(bytes, start) === ethernet.TYPE.arp
  return isArp ? arp.senderAddress(bytes, at) : null
}

/** The side that an interface's name says, and of which router: `104a-lan` is 104a's LAN. */
export function sideOfInterface(name: string): { readonly router: string, readonly side: Side } | null {
  const found = /^(?<router>.*?)(?:^|-)(?<side>lan|wan)$/i.exec(name)?.groups
  return found === undefined ? null : { router: found.router, side: found.side.toLowerCase() as Side }
}
