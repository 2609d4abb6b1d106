// The first packet of a flow from the LAN, for the fast path: UDP, or a TCP SYN, about whose headers nothing is unusual. By numbers
// alone it is held against what the router's whole way looks at, and its session is made. Whatever needs more than a session goes the
// whole way: what turns back or is for the router, what waits for its next hop, a SYN that is clamped or answers one that waits.
import type { Addressing } from './addressing.js'
import type { UnsolicitedSyns } from './answers/unsolicited-syn.js'
import type { NextHops } from './next-hops.js'
import { PROTOCOL_CODE, type ProtocolCode } from './table/flow-index.js'
import type { NaptTable } from './table/napt-table.js'
import { opensConnection } from './table/tcp-state.js'
import type { Ipv4Address } from './wire/address.js'

const NONE = -1

export class FirstPackets {
  readonly #table: NaptTable
  readonly #addressing: Addressing
  readonly #nextHops: NextHops
  readonly #syns: UnsolicitedSyns
  #isRefused = false

  constructor(table: NaptTable, addressing: Addressing, nextHops: NextHops, syns: UnsolicitedSyns) {
    this.#table = table
    this.#addressing = addressing
    this.#nextHops = nextHops
    this.#syns = syns
  }

  /**
   * Makes the session of a packet whose headers have been checked, and that belongs to none, and settles it outbound. False when it
   * goes the whole way, with nothing changed, or is refused.
   */
  open(code: ProtocolCode, source: Ipv4Address, sourcePort: number, destination: Ipv4Address, destinationPort: number, tcpFlags: number, now: number): boolean {
    if (destinationPort === 0 || !this.#addressing.leaves(source, destination)) return false
    if (code === PROTOCOL_CODE.tcp && (!opensConnection(tcpFlags) || this.#addressing.config.nat.maximumSegment > 0 || this.#syns.held > 0)) return false
    if (!this.#nextHops.isKnown('wan', destination, now)) return false
    const session = this.#table.open(code, source, sourcePort, destination, destinationPort, tcpFlags, now)
    this.#isRefused = session === NONE
    if (session !== NONE) this.#table.settle(true)
    return session !== NONE
  }

  /** Whether the last packet may not pass, for the table's `failure`: nothing else is to be decided about it. True once for each. */
  takeRefusal(): boolean {
    const isRefused = this.#isRefused
    this.#isRefused = false
    return isRefused
  }
}
