// Sessions: a mapping and one remote endpoint (RFC 2663 §2.3). What a filter knows, what TCP state belongs to, what times out.
//
// A packet of a known session costs one look-up in one of two indexes, by the packet's own addresses and ports: outbound
// (LAN endpoint, remote endpoint) or inbound (WAN endpoint, remote endpoint). Deadlines are exact on look-up; the wheel
// removes what nobody asks for.
//
// Where mappings depend on the remote endpoint, and the filter is wider, one remote endpoint can reach a host through several
// WAN ports. All of those sessions stand in the inbound index; the host's answers leave by the one in the outbound index.
import type { Ipv4Address, Port } from '../wire/address.js'
import { ExpiryWheel } from './expiry.js'
import { FlowIndex, portPair, type ProtocolCode } from './flow-index.js'
import type { Mappings } from './mappings.js'
import { Rows } from './rows.js'

const NONE = -1

/** Beside TCP's state (tcp-state.ts): packets of this direction have passed, and nothing about the next one is to be decided. */
const SETTLED = { outbound: 0x100, inbound: 0x200 } as const
const TCP_STATE = 0xff

// Fields of a row.
const S = { mapping: 0, remoteAddress: 1, remotePort: 2, state: 3, next: 4, previous: 5, wheelNext: 6, wheelPrevious: 7, wheelSlot: 8, width: 9 } as const

export class Sessions {
  readonly #mappings: Mappings
  readonly #rows = new Rows(S.width)
  #deadlines = new Float64Array(64)
  readonly #outbound = new FlowIndex()
  readonly #inbound = new FlowIndex()
  readonly #wheel: ExpiryWheel

  /** `now` in milliseconds on the router's clock. */
  constructor(mappings: Mappings, now: number) {
    this.#mappings = mappings
    this.#wheel = new ExpiryWheel(this.#rows, { next: S.wheelNext, previous: S.wheelPrevious, slot: S.wheelSlot }, now)
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
    const of = this.#mappings, code = of.code(mapping)
    const session = this.#rows.add()
    this.#makeRoomFor(session)
    const fields = this.#rows.fields, at = session * S.width
    const first = of.firstSession(mapping)
    fields[at + S.mapping] = mapping
    fields[at + S.remoteAddress] = remoteAddress
    fields[at + S.remotePort] = remotePort
    fields[at + S.state] = 0
    fields[at + S.next] = first
    fields[at + S.previous] = NONE
    if (first !== NONE) fields[first * S.width + S.previous] = session
    of.setFirstSession(mapping, session)
    if (this.findOutbound(code, of.lanAddress(mapping), remoteAddress, portPair(of.lanPort(mapping), remotePort)) === NONE) this.makeWayOut(session)
    this.#inbound.insert(of.wanAddress(mapping), remoteAddress, portPair(of.wanPort(mapping), remotePort), code, session)
    // The deadline proper is written right after; until then any slot will do.
    this.#wheel.add(session, now)
    return session
  }

  /** The session becomes the one by which its host's packets leave; there must be no other. */
  makeWayOut(session: number): void {
    const of = this.#mappings, mapping = this.mapping(session)
    this.#outbound.insert(of.lanAddress(mapping), this.remoteAddress(session), portPair(of.lanPort(mapping), this.remotePort(session)), of.code(mapping), session)
  }

  remove(session: number): void {
    this.#wheel.remove(session)
    this.#forget(session)
  }

  /** Asks `isOver` about sessions whose slot has come, at most `budget` of them; false when some are left. */
  advance(now: number, budget: number, over: (mapping: number) => void): boolean {
    return this.#wheel.advance(now, budget, session => {
      if (this.#deadlines[session] > now) {
        this.#wheel.add(session, this.#deadlines[session])
        return
      }
      const mapping = this.mapping(session)
      this.#forget(session)
      over(mapping)
    })
  }

  /** Milliseconds until `advance` may find something, or Infinity. */
  untilNext(now: number): number { return this.#wheel.untilNext(now) }

  mapping(session: number): number { return this.#rows.fields[session * S.width + S.mapping] }
  remoteAddress(session: number): Ipv4Address { return this.#rows.fields[session * S.width + S.remoteAddress] as Ipv4Address }
  remotePort(session: number): Port { return this.#rows.fields[session * S.width + S.remotePort] as Port }
  /** The next session of the same mapping, or -1. */
  next(session: number): number { return this.#rows.fields[session * S.width + S.next] }
  /** TCP's (tcp-state.ts); 0 for other protocols. */
  state(session: number): number { return this.#rows.fields[session * S.width + S.state] & TCP_STATE }
  setState(session: number, state: number): void {
    const fields = this.#rows.fields, at = session * S.width + S.state
    fields[at] = fields[at] & ~TCP_STATE | state
  }

  isSettled(session: number, outbound: boolean): boolean {
    return (this.#rows.fields[session * S.width + S.state] & (outbound ? SETTLED.outbound : SETTLED.inbound)) !== 0
  }

  settle(session: number, outbound: boolean): void { this.#rows.fields[session * S.width + S.state] |= outbound ? SETTLED.outbound : SETTLED.inbound }

  /** No session is settled any more: what was decided may be decided otherwise now. */
  unsettleAll(): void {
    for (let session = 0; session < this.#rows.limit; session++) this.#rows.fields[session * S.width + S.state] &= TCP_STATE
  }

  /** Milliseconds on the router's clock at which the session is over. */
  deadline(session: number): number { return this.#deadlines[session] }
  /** A later deadline costs nothing more; an earlier one is noticed by look-ups, and by the wheel in the old one's turn. */
  setDeadline(session: number, deadline: number): void { this.#deadlines[session] = deadline }

  #makeRoomFor(session: number): void {
    if (session < this.#deadlines.length) return
    const grown = new Float64Array(this.#deadlines.length * 2)
    grown.set(this.#deadlines)
    this.#deadlines = grown
  }

  /** All of a session but its place in the wheel. */
  #forget(session: number): void {
    const fields = this.#rows.fields, at = session * S.width, of = this.#mappings, mapping = fields[at + S.mapping]
    const next = fields[at + S.next], previous = fields[at + S.previous], code = of.code(mapping)
    const remoteAddress = fields[at + S.remoteAddress], remotePort = fields[at + S.remotePort]
    if (previous === NONE) of.setFirstSession(mapping, next)
    else fields[previous * S.width + S.next] = next
    if (next !== NONE) fields[next * S.width + S.previous] = previous
    const lanAddress = of.lanAddress(mapping), lanPort = of.lanPort(mapping)
    if (this.findOutbound(code, lanAddress, remoteAddress, portPair(lanPort, remotePort)) === session) this.#outbound.remove(lanAddress, remoteAddress, portPair(lanPort, remotePort), code)
    this.#inbound.remove(of.wanAddress(mapping), remoteAddress, portPair(of.wanPort(mapping), remotePort), code)
    this.#rows.remove(session)
  }
}
