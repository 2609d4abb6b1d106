// Sessions: a mapping and one remote endpoint (RFC 2663 §2.3). What a filter knows, what TCP state belongs to, what times out.
//
// A packet of a known session costs one look-up in one of two indexes, by the packet's own addresses and ports: outbound
// (LAN endpoint, remote endpoint) or inbound (WAN endpoint, remote endpoint). Deadlines are exact on look-up; the wheel
// removes what nobody asks for.
//
// Where mappings depend on the remote endpoint, and the filter is wider, one remote endpoint can reach a host through several
// WAN ports. All of those sessions stand in the inbound index; the host's answers leave by the one in the outbound index.
//
// What a known flow's packets touch is one row of 32 bytes, half a cache line: both directions' keys, what each is translated to,
// TCP's state and the deadline. Links, which only making and removing touch, have rows of their own with the same numbers.
import type { Ipv4Address, Port } from '../wire/address.js'
import * as layout from '../assembly/layout.js'
import type { RouterMemory } from '../router-memory.js'
import { ExpiryWheel } from './expiry.js'
import { CODE_SHIFT, FlowIndex, portPair, type ProtocolCode } from './flow-index.js'
import type { Mappings } from './mappings.js'
import { Rows } from './rows.js'

const NONE = -1
/** What there is room for at first. */
const FIRST_ROWS = 64, FIRST_SLOTS = 64

// Fields of a row. `lanPorts` and `wanPorts` are the host's port and the remote one as either side sees them; `state` has the
// protocol's code (0 in a free row), flags, and TCP's state. The deadline is the row's last 64-bit number.
const SESSION = {
  lanAddress: layout.LAN_ADDRESS >> 2, wanAddress: layout.WAN_ADDRESS >> 2, remoteAddress: layout.REMOTE_ADDRESS >> 2, lanPorts: layout.LAN_PORTS >> 2,
  wanPorts: layout.WAN_PORTS >> 2, state: layout.STATE >> 2, width: 1 << layout.ROW_SHIFT - 2,
} as const
const DEADLINE = layout.DEADLINE >> 3
/** In `state`: whether packets of a direction have passed, and nothing about the next one is to be decided. */
const SETTLED = { outbound: layout.SETTLED_OUTBOUND, inbound: layout.SETTLED_INBOUND } as const
/** In `state`: the host's packets to the remote endpoint leave by this session. */
const IS_WAY_OUT = 0x400
const TCP_STATE = layout.TCP_STATE
const L = { mapping: 0, next: 1, previous: 2, wheelNext: 3, wheelPrevious: 4, width: 5 } as const

export class Sessions {
  readonly #mappings: Mappings
  /** In the router's memory, as both indexes: the fast path reads them, and writes deadlines. */
  readonly #rows: Rows
  readonly #links = new Rows(L.width)
  readonly #outbound: FlowIndex
  readonly #inbound: FlowIndex
  readonly #wheel: ExpiryWheel
  /** `now` in milliseconds on the router's clock. */
  constructor(mappings: Mappings, now: number, memory: RouterMemory) {
    this.#mappings = mappings
    const rows = this.#rows = new Rows(SESSION.width, FIRST_ROWS, memory, memory.words(layout.CHUNKS, layout.CHUNK_COUNT))
    const indexAt = (direction: number): Int32Array => memory.words(direction + layout.SLOTS, layout.INDEX_WORDS)
    const outbound = { a: SESSION.lanAddress, b: SESSION.remoteAddress, ports: SESSION.lanPorts, code: SESSION.state }
    const inbound = { a: SESSION.wanAddress, b: SESSION.remoteAddress, ports: SESSION.wanPorts, code: SESSION.state }
    this.#outbound = new FlowIndex(rows, outbound, session => (rows.get(session, SESSION.state) & IS_WAY_OUT) !== 0, FIRST_SLOTS, memory, indexAt(layout.LAN_DIRECTION))
    this.#inbound = new FlowIndex(rows, inbound, () => true, FIRST_SLOTS, memory, indexAt(layout.WAN_DIRECTION))
    this.#wheel = new ExpiryWheel(this.#links, { next: L.wheelNext, previous: L.wheelPrevious }, now)
  }

  get count(): number { return this.#rows.count }

  /** The session by which a LAN endpoint's packets to a remote endpoint leave, or -1. It may be over. */
  findOutbound(code: ProtocolCode, lanAddress: number, remoteAddress: number, ports: number): number {
    return this.#outbound.find(lanAddress, remoteAddress, ports, code)
  }

  /** The session by which a remote endpoint's packets to a WAN endpoint come in, or -1. It may be over. */
  findInbound(code: ProtocolCode, wanAddress: number, remoteAddress: number, ports: number): number {
    return this.#inbound.find(wanAddress, remoteAddress, ports, code)
  }

  /** A session that is in neither index yet on this mapping; its deadline has to be set at once. */
  add(mapping: number, remoteAddress: number, remotePort: number, now: number): number {
    const of = this.#mappings, code = of.code(mapping), lanAddress = of.lanAddress(mapping), lanPorts = portPair(of.lanPort(mapping), remotePort)
    const isWayOut = this.findOutbound(code, lanAddress, remoteAddress, lanPorts) === NONE
    const session = this.#rows.add(), links = this.#links, first = of.firstSession(mapping)
    const chunk = this.#rows.chunkOf(session), at = this.#rows.placeOf(session)
    chunk[at + SESSION.lanAddress] = lanAddress
    chunk[at + SESSION.wanAddress] = of.wanAddress(mapping)
    chunk[at + SESSION.remoteAddress] = remoteAddress
    chunk[at + SESSION.lanPorts] = lanPorts
    chunk[at + SESSION.wanPorts] = portPair(of.wanPort(mapping), remotePort)
    chunk[at + SESSION.state] = code << CODE_SHIFT
    // Both kinds of row come and go together, so that they have the same numbers.
    links.add()
    links.set(session, L.mapping, mapping)
    links.set(session, L.next, first)
    links.set(session, L.previous, NONE)
    if (first !== NONE) links.set(first, L.previous, session)
    of.setFirstSession(mapping, session)
    if (isWayOut) this.makeWayOut(session)
    this.#inbound.insert(session)
    // The deadline proper is written right after; until then any slot will do.
    this.#wheel.add(session, now)
    return session
  }

  /** The session becomes the one by which its host's packets leave; there must be no other. */
  makeWayOut(session: number): void {
    this.#rows.set(session, SESSION.state, this.#rows.get(session, SESSION.state) | IS_WAY_OUT)
    this.#outbound.insert(session)
  }

  remove(session: number): void {
    this.#wheel.remove(session)
    this.#forget(session)
  }

  /** Asks `isOver` about sessions whose slot has come, at most `budget` of them; false when some are left. */
  advance(now: number, budget: number, over: (mapping: number) => void): boolean {
    return this.#wheel.advance(now, budget, session => {
      const deadline = this.deadline(session)
      if (deadline > now) {
        this.#wheel.add(session, deadline)
        return
      }
      const mapping = this.mapping(session)
      this.#forget(session)
      over(mapping)
    })
  }

  /** Milliseconds until `advance` may find something, or Infinity. */
  untilNext(now: number): number { return this.#wheel.untilNext(now) }

  mapping(session: number): number { return this.#links.get(session, L.mapping) }
  lanAddress(session: number): Ipv4Address { return this.#rows.get(session, SESSION.lanAddress) as Ipv4Address }
  lanPort(session: number): Port { return this.#rows.get(session, SESSION.lanPorts) >>> 16 as Port }
  wanAddress(session: number): Ipv4Address { return this.#rows.get(session, SESSION.wanAddress) as Ipv4Address }
  wanPort(session: number): Port { return this.#rows.get(session, SESSION.wanPorts) >>> 16 as Port }
  remoteAddress(session: number): Ipv4Address { return this.#rows.get(session, SESSION.remoteAddress) as Ipv4Address }
  remotePort(session: number): Port { return (this.#rows.get(session, SESSION.lanPorts) & 0xffff) as Port }
  /** The next session of the same mapping, or -1. */
  next(session: number): number { return this.#links.get(session, L.next) }
  /** TCP's (tcp-state.ts); 0 for other protocols. */
  state(session: number): number { return this.#rows.get(session, SESSION.state) & TCP_STATE }
  setState(session: number, state: number): void { this.#rows.set(session, SESSION.state, this.#rows.get(session, SESSION.state) & ~TCP_STATE | state) }
  settle(session: number, outbound: boolean): void { this.#rows.set(session, SESSION.state, this.#rows.get(session, SESSION.state) | (outbound ? SETTLED.outbound : SETTLED.inbound)) }

  /** No session is settled any more: what was decided may be decided otherwise now. */
  unsettleAll(): void {
    for (let session = 0; session < this.#rows.limit; session++) this.#rows.set(session, SESSION.state, this.#rows.get(session, SESSION.state) & ~(SETTLED.outbound | SETTLED.inbound))
  }

  /** Milliseconds on the router's clock at which the session is over. */
  deadline(session: number): number { return this.#rows.getWide(session, DEADLINE) }
  /** A later deadline costs nothing more; an earlier one is noticed by look-ups, and by the wheel in the old one's turn. */
  setDeadline(session: number, deadline: number): void { this.#rows.setWide(session, DEADLINE, deadline) }

  /** All of a session but its place in the wheel. */
  #forget(session: number): void {
    const links = this.#links, next = links.get(session, L.next), previous = links.get(session, L.previous)
    if (previous === NONE) this.#mappings.setFirstSession(links.get(session, L.mapping), next)
    else links.set(previous, L.next, next)
    if (next !== NONE) links.set(next, L.previous, previous)
    if ((this.#rows.get(session, SESSION.state) & IS_WAY_OUT) !== 0) this.#outbound.remove(session)
    this.#inbound.remove(session)
    this.#rows.set(session, SESSION.state, 0)
    this.#rows.remove(session)
    links.remove(session)
  }
}
