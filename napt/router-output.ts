// What a router says of its own accord, and what it asks for: its surroundings, live, over a file or in a test.
import type { DropReason, Side } from './verdict.js'
import type { Ipv4Address, MacAddress } from './wire/address.js'

export interface RouterOutput {
  /** A frame of the router's own: an ARP message, an ICMP error or answer, a piece of a packet. Valid during the call only. */
  originate(side: Side, frame: Uint8Array): void
  /** A frame that waited, to be processed anew as if it came in now. */
  redeliver(from: Side, frame: Uint8Array): void
  /** A frame that waited in vain. */
  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void
  /** The MAC address of a next hop; where there is this, ARP is not asked. */
  readonly neighbour?: (side: Side, address: Ipv4Address) => MacAddress
}
