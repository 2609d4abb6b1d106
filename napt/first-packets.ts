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
  /** Of the last packet that got a session, as `Neighbours.reach` has it. */
  neighbour = NONE
  #isRefused = false

  constructor(table: NaptTable, addressing: Addressing, nextHops: NextHops, syns: UnsolicitedSyns) {
    this.#table = table
    this.#addressing = addressing
    this.#nextHops = nextHops
    this.#syns = syns
  }

  /**
   * The session of a packet whose headers have been checked, and that belongs to none: made, and settled outbound. -1 when it goes
   * the whole way, with nothing changed, or is refused.
   */
  open(code: ProtocolCode, source: Ipv4Address, sourcePort: number, destination: Ipv4Address, destinationPort: number, tcpFlags: number, now: number): number {
    if (destinationPort === 0 || !this.#addressing.leaves(source, destination)) return NONE
    if (code === PROTOCOL_CODE.tcp && (!opensConnection(tcpFlags) || this.#addressing.config.nat.maximumSegment > 0 || this.#syns.held > 0)) return NONE
    const neighbours = this.#nextHops.neighbours('wan'), nextHop = this.#nextHops.nextHop('wan', destination)
    if (!neighbours.isKnown(nextHop, now)) return NONE
    const session = this.#table.open(code, source, sourcePort, destination, destinationPort, tcpFlags, now)
    this.#isRefused = session === NONE
    if (session === NONE) return NONE
    this.#table.settle(true)
    this.neighbour = neighbours.reach(nextHop, now)
    return session
  }

  /** Whether the last packet may not pass, for the table's `failure`: nothing else is to be decided about it. True once for each. */
  takeRefusal(): boolean {
    const isRefused = this.#isRefused
    this.#isRefused = false
    return isRefused
  }
}
