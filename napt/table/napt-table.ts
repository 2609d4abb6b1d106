// The NAPT table (Figs. 6 and 12): mappings, and the sessions that keep them.
//
// A mapping ties a LAN endpoint to a WAN port. With endpoint-independent behaviour there is one a LAN endpoint; otherwise one
// for each remote address, or address and port, that the host sends to (RFC 4787 §4.1). A session is a mapping and one remote
// endpoint; it is what the filter knows, what TCP state belongs to, and what times out (RFC 2663 §2.3). A dynamic mapping
// lives as long as it has sessions; a static one stays, with or without.
//
// A packet of a known session costs one look-up, in one of two indexes by the packet's own addresses and ports: outbound
// (LAN endpoint, remote endpoint) or inbound (WAN endpoint, remote endpoint). Only the first packet of a session asks the
// mappings. Deadlines are exact on look-up; the wheel removes what nobody asks for.
//
// Where mappings depend on the remote endpoint, and the filter is wider, one remote endpoint can reach a host through several
// WAN ports. All of those sessions stand in the inbound index; the host's answers leave by the one in the outbound index, the
// first one.
import type { Behaviour, Protocol, StaticMapping } from '../behaviour.js'
import { ConfigError, PROTOCOLS } from '../behaviour.js'
import { formatEndpoint, type Ipv4Address, type Port } from '../wire/address.js'
import { FLAG } from '../wire/tcp.js'
import type { DropReason } from '../verdict.js'
import { ExpiryWheel } from './expiry.js'
import { FlowIndex, portPair, PROTOCOL_CODE, type ProtocolCode } from './flow-index.js'
import { PortPool } from './ports.js'
import { Rows } from './rows.js'
import { nextState, phase, type TcpPhase } from './tcp-state.js'

const NONE = -1
/** Well-known ports are not given to hosts (RFC 4787 §4.2.1 asks that they stay apart); ICMP identifiers have no such range. */
const LOWEST_PORT: Readonly<Record<Protocol, number>> = { tcp: 1024, udp: 1024, icmp: 0 }
/** Expired sessions that one turn of the loop removes at most. */
const EXPIRY_BUDGET = 512

// Fields of a mapping's row.
const M = { lanAddress: 0, wanAddress: 1, lanPort: 2, wanPort: 3, code: 4, firstSession: 5, keyAddress: 6, keyPort: 7, isStatic: 8, width: 9 } as const
// Fields of a session's row.
const S = { mapping: 0, remoteAddress: 1, remotePort: 2, state: 3, next: 4, previous: 5, wheelNext: 6, wheelPrevious: 7, wheelSlot: 8, width: 9 } as const

const CODE_TO_PROTOCOL: readonly (Protocol | undefined)[] = [undefined, 'tcp', 'udp', 'icmp']

export interface SessionRow {
  readonly remoteAddress: Ipv4Address
  readonly remotePort: Port
  /** Milliseconds. */
  readonly timeLeft: number
  readonly tcp?: TcpPhase
}

export interface MappingRow {
  readonly protocol: Protocol
  readonly kind: 'dynamic' | 'static'
  readonly lanAddress: Ipv4Address
  readonly lanPort: Port
  readonly wanAddress: Ipv4Address
  readonly wanPort: Port
  readonly sessions: readonly SessionRow[]
}

export class NaptTable {
  readonly #behaviour: Behaviour
  readonly #mappings = new Rows(M.width)
  readonly #sessions = new Rows(S.width)
  #deadlines = new Float64Array(64)
  readonly #outbound = new FlowIndex()
  readonly #inbound = new FlowIndex()
  readonly #byLan = new FlowIndex()
  readonly #byWan = new FlowIndex()
  readonly #wheel: ExpiryWheel
  readonly #ports: Readonly<Record<Protocol, PortPool>>
  readonly #wanAddress: number
  #now: number
  /** Why the last `outbound` or `inbound` gave -1. */
  failure: DropReason = 'no-mapping'

  /** `now` in milliseconds on the router's clock. @throws ConfigError when static mappings contradict each other */
  constructor(behaviour: Behaviour, wanAddress: Ipv4Address, now: number) {
    this.#behaviour = behaviour
    this.#wanAddress = wanAddress
    this.#now = now
    this.#wheel = new ExpiryWheel(this.#sessions, { next: S.wheelNext, previous: S.wheelPrevious, slot: S.wheelSlot }, now)
    const pool = (protocol: Protocol): PortPool => new PortPool(behaviour.firstPort[protocol], LOWEST_PORT[protocol])
    this.#ports = { tcp: pool('tcp'), udp: pool('udp'), icmp: pool('icmp') }
    for (const mapping of behaviour.staticMappings) this.addStatic(mapping, now)
  }

  get mappingCount(): number { return this.#mappings.count }
  get sessionCount(): number { return this.#sessions.count }

  /**
   * The session of a packet from the LAN, made if need be; -1 with `failure` if it may not pass. `tcpFlags` is 0 for other
   * protocols. For ICMP queries the identifier is the LAN port and the remote port is 0.
   */
  outbound(code: ProtocolCode, lanAddress: number, lanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, now: number): number {
    this.#now = now
    let session = this.#outbound.find(lanAddress, remoteAddress, portPair(lanPort, remotePort), code)
    if (session !== NONE && this.#deadlines[session] <= now) {
      this.#removeSession(session)
      session = NONE
    }
    if (session === NONE) {
      if (code === PROTOCOL_CODE.tcp && !opensConnection(tcpFlags)) return this.#fail('no-session')
      // Before a port is taken: a mapping that got no session would never be released.
      if (this.#isFull) return this.#fail('table-full')
      const mapping = this.#mappingFor(code, lanAddress, lanPort, remoteAddress, remotePort)
      if (mapping === NONE) return NONE
      session = this.#wayOut(mapping, code, remoteAddress, remotePort, now)
    }
    this.#touch(session, code, tcpFlags, true, now)
    return session
  }

  /** The session of a packet from the WAN, made if the mapping's filter lets it in; -1 with `failure` if it may not pass. */
  inbound(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, now: number): number {
    this.#now = now
    let session = this.#inbound.find(wanAddress, remoteAddress, portPair(wanPort, remotePort), code)
    if (session !== NONE && this.#deadlines[session] <= now) {
      this.#removeSession(session)
      session = NONE
    }
    if (session === NONE) {
      const mapping = this.#mappingInto(code, wanAddress, wanPort, remoteAddress, tcpFlags, now)
      if (mapping === NONE) return NONE
      if (this.#isFull) return this.#fail('table-full')
      session = this.#addSession(mapping, remoteAddress, remotePort)
    }
    this.#touch(session, code, tcpFlags, false, now)
    return session
  }

  /** Whether `inbound` would let the packet in, with `failure` if not. Changes nothing: for a packet whose time to live ends here. */
  admits(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, now: number): boolean {
    return this.peek('wan', code, wanAddress, wanPort, remoteAddress, remotePort, now) !== NONE ||
      this.#mappingInto(code, wanAddress, wanPort, remoteAddress, tcpFlags, now) !== NONE
  }

  /** The session of a packet that an ICMP error quotes, by the addresses as they are on the given side; -1 if there is none. Changes nothing. */
  peek(side: 'lan' | 'wan', code: ProtocolCode, ownAddress: number, ownPort: number, remoteAddress: number, remotePort: number, now: number): number {
    const index = side === 'lan' ? this.#outbound : this.#inbound
    const session = index.find(ownAddress, remoteAddress, portPair(ownPort, remotePort), code)
    return session !== NONE && this.#deadlines[session] > now ? session : NONE
  }

  lanAddress(session: number): Ipv4Address { return this.#mapping(session, M.lanAddress) as Ipv4Address }
  lanPort(session: number): Port { return this.#mapping(session, M.lanPort) as Port }
  wanAddress(session: number): Ipv4Address { return this.#mapping(session, M.wanAddress) as Ipv4Address }
  wanPort(session: number): Port { return this.#mapping(session, M.wanPort) as Port }

  /** @throws ConfigError when the WAN port is in use, saying by whom */
  addStatic({ protocol, wanPort, address, port }: StaticMapping, now: number): void {
    this.#now = now
    const code = PROTOCOL_CODE[protocol]
    this.#dropExpired(this.#byWan.find(this.#wanAddress, 0, wanPort, code))
    const holder = this.#byWan.find(this.#wanAddress, 0, wanPort, code)
    if (holder !== NONE) throw new ConfigError(`WAN port ${wanPort}/${protocol} is in use: ${this.#describe(holder)}. Choose another port, or remove that mapping first.`)
    const other = this.#byLan.find(address, 0, port << 16, code)
    if (other !== NONE) {
      if (this.#field(other, M.isStatic) === 1) throw new ConfigError(`${formatEndpoint(address, port)}/${protocol} has a static mapping already: ${this.#describe(other)}`)
      this.#removeMapping(other)
    }
    this.#ports[protocol].take(wanPort)
    this.#addMapping(code, address, port, wanPort, 0, 0, true)
  }

  /** Removes a static mapping with its sessions. @throws ConfigError when there is none on that port */
  removeStatic(protocol: 'tcp' | 'udp', wanPort: number): void {
    const mapping = this.#byWan.find(this.#wanAddress, 0, wanPort, PROTOCOL_CODE[protocol])
    if (mapping === NONE || this.#field(mapping, M.isStatic) === 0) throw new ConfigError(`WAN port ${wanPort}/${protocol} has no static mapping`)
    this.#removeMapping(mapping)
  }

  /** The WAN port that the next sequential allocation of a protocol tries first. */
  setNextPort(protocol: Protocol, port: number): void { this.#ports[protocol].setNext(port) }

  /** Removes sessions whose time is over, a bounded number a call; false when some are left for the next one. */
  expire(now: number): boolean {
    this.#now = now
    return this.#wheel.advance(now, EXPIRY_BUDGET, this.#due)
  }

  /** Milliseconds until `expire` may find something, or Infinity. */
  untilExpiry(now: number): number { return this.#wheel.untilNext(now) }

  /** Every mapping with its sessions, in the order of protocol and WAN port. */
  list(now: number): MappingRow[] {
    const rows: MappingRow[] = []
    for (let mapping = 0; mapping < this.#mappings.limit; mapping++) {
      const at = mapping * M.width, fields = this.#mappings.fields
      const protocol = CODE_TO_PROTOCOL[fields[at + M.code]]
      // A free row has been overwritten with a code of 0.
      if (protocol === undefined || !this.#isAlive(mapping, now)) continue
      rows.push({
        protocol, kind: fields[at + M.isStatic] === 1 ? 'static' : 'dynamic',
        lanAddress: fields[at + M.lanAddress] as Ipv4Address, lanPort: fields[at + M.lanPort] as Port,
        wanAddress: fields[at + M.wanAddress] as Ipv4Address, wanPort: fields[at + M.wanPort] as Port,
        sessions: this.#sessionsOf(mapping, protocol, now),
      })
    }
    return rows.sort((a, b) => PROTOCOLS.indexOf(a.protocol) - PROTOCOLS.indexOf(b.protocol) || a.wanPort - b.wanPort)
  }

  #sessionsOf(mapping: number, protocol: Protocol, now: number): SessionRow[] {
    const rows: SessionRow[] = []
    for (let session = this.#field(mapping, M.firstSession); session !== NONE; session = this.#sessions.fields[session * S.width + S.next]) {
      const at = session * S.width, fields = this.#sessions.fields
      const timeLeft = this.#deadlines[session] - now
      if (timeLeft <= 0) continue
      rows.push({
        remoteAddress: fields[at + S.remoteAddress] as Ipv4Address, remotePort: fields[at + S.remotePort] as Port, timeLeft,
        ...(protocol === 'tcp' ? { tcp: phase(fields[at + S.state]) } : {}),
      })
    }
    return rows
  }

  /** The mapping that a LAN endpoint's packet to a remote endpoint uses, made if need be; -1 with `failure`. */
  #mappingFor(code: ProtocolCode, lanAddress: number, lanPort: number, remoteAddress: number, remotePort: number): number {
    // A static mapping serves every remote endpoint, whatever dynamic mappings depend on.
    let mapping = this.#byLan.find(lanAddress, 0, portPair(lanPort, 0), code)
    const dependence = this.#behaviour.mapping
    const keyAddress = dependence === 'endpoint-independent' ? 0 : remoteAddress
    const keyPort = dependence === 'address-and-port-dependent' ? remotePort : 0
    if (mapping === NONE && keyAddress !== 0) mapping = this.#byLan.find(lanAddress, keyAddress, portPair(lanPort, keyPort), code)
    if (mapping !== NONE && this.#isAlive(mapping, this.#now)) return mapping
    this.#dropExpired(mapping)
    const protocol = CODE_TO_PROTOCOL[code] ?? 'udp'
    const wanPort = this.#ports[protocol].allocate(this.#behaviour.portAllocation, lanPort)
    if (wanPort === NONE) return this.#fail('no-free-port')
    return this.#addMapping(code, lanAddress, lanPort, wanPort, keyAddress, keyPort, false)
  }

  /** The mapping by which a packet without a session may come in; -1 with `failure`. */
  #mappingInto(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, tcpFlags: number, now: number): number {
    const mapping = this.#byWan.find(wanAddress, 0, wanPort, code)
    if (mapping === NONE || !this.#isAlive(mapping, now)) return this.#fail('no-mapping')
    if (!this.#letsIn(mapping, remoteAddress, now)) return this.#fail('filtered')
    return code === PROTOCOL_CODE.tcp && !opensConnection(tcpFlags) ? this.#fail('no-session') : mapping
  }

  #letsIn(mapping: number, remoteAddress: number, now: number): boolean {
    // A static mapping is there to be reached by anybody (spec: static NAPT).
    if (this.#field(mapping, M.isStatic) === 1 || this.#behaviour.filtering === 'endpoint-independent') return true
    // The session itself was not found, so address and port do not match.
    if (this.#behaviour.filtering === 'address-and-port-dependent') return false
    for (let session = this.#field(mapping, M.firstSession); session !== NONE; session = this.#sessions.fields[session * S.width + S.next]) {
      if (this.#sessions.fields[session * S.width + S.remoteAddress] === remoteAddress && this.#deadlines[session] > now) return true
    }
    return false
  }

  #touch(session: number, code: ProtocolCode, tcpFlags: number, outbound: boolean, now: number): void {
    const { timeouts } = this.#behaviour
    let seconds = code === PROTOCOL_CODE.udp ? timeouts.udp : timeouts.icmp
    if (code === PROTOCOL_CODE.tcp) {
      const fields = this.#sessions.fields, at = session * S.width + S.state
      const state = nextState(fields[at], tcpFlags, outbound)
      fields[at] = state
      seconds = phase(state) === 'established' ? timeouts.tcpEstablished : timeouts.tcpTransitory
    }
    this.#deadlines[session] = now + seconds * 1000
  }

  #addMapping(code: ProtocolCode, lanAddress: number, lanPort: number, wanPort: number, keyAddress: number, keyPort: number, isStatic: boolean): number {
    const mapping = this.#mappings.add()
    const fields = this.#mappings.fields, at = mapping * M.width
    fields[at + M.lanAddress] = lanAddress
    fields[at + M.wanAddress] = this.#wanAddress
    fields[at + M.lanPort] = lanPort
    fields[at + M.wanPort] = wanPort
    fields[at + M.code] = code
    fields[at + M.firstSession] = NONE
    fields[at + M.keyAddress] = keyAddress
    fields[at + M.keyPort] = keyPort
    fields[at + M.isStatic] = isStatic ? 1 : 0
    this.#byLan.insert(lanAddress, keyAddress, portPair(lanPort, keyPort), code, mapping)
    this.#byWan.insert(this.#wanAddress, 0, wanPort, code, mapping)
    return mapping
  }

  #removeMapping(mapping: number): void {
    for (let session = this.#field(mapping, M.firstSession); session !== NONE; session = this.#field(mapping, M.firstSession)) {
      this.#unlinkSession(session, mapping)
    }
    const fields = this.#mappings.fields, at = mapping * M.width
    const code = fields[at + M.code] as ProtocolCode
    this.#byLan.remove(fields[at + M.lanAddress], fields[at + M.keyAddress], portPair(fields[at + M.lanPort], fields[at + M.keyPort]), code)
    this.#byWan.remove(fields[at + M.wanAddress], 0, fields[at + M.wanPort], code)
    this.#ports[CODE_TO_PROTOCOL[code] ?? 'udp'].release(fields[at + M.wanPort])
    fields[at + M.code] = 0
    this.#mappings.remove(mapping)
  }

  /** The session by which a host's packets leave through `mapping`: new, or one that came in while another was the way out. */
  #wayOut(mapping: number, code: ProtocolCode, remoteAddress: number, remotePort: number, now: number): number {
    const known = this.#inbound.find(this.#wanAddress, remoteAddress, portPair(this.#field(mapping, M.wanPort), remotePort), code)
    if (known === NONE) return this.#addSession(mapping, remoteAddress, remotePort)
    if (this.#deadlines[known] <= now) {
      // The mapping stays: it has just been found alive.
      this.#removeSession(known)
      return this.#addSession(mapping, remoteAddress, remotePort)
    }
    this.#outbound.insert(this.#field(mapping, M.lanAddress), remoteAddress, portPair(this.#field(mapping, M.lanPort), remotePort), code, known)
    return known
  }

  get #isFull(): boolean { return this.#sessions.count >= this.#behaviour.maximumSessions }

  #addSession(mapping: number, remoteAddress: number, remotePort: number): number {
    const of = this.#mappings.fields, m = mapping * M.width, code = of[m + M.code] as ProtocolCode
    const lanAddress = of[m + M.lanAddress], lanPorts = portPair(of[m + M.lanPort], remotePort)
    let wayOut = this.#outbound.find(lanAddress, remoteAddress, lanPorts, code)
    if (wayOut !== NONE && this.#deadlines[wayOut] <= this.#now) {
      // It belongs to another mapping: on this one, the caller would have found it.
      this.#removeSession(wayOut)
      wayOut = NONE
    }
    const session = this.#sessions.add()
    if (session >= this.#deadlines.length) {
      const grown = new Float64Array(this.#deadlines.length * 2)
      grown.set(this.#deadlines)
      this.#deadlines = grown
    }
    const fields = this.#sessions.fields, at = session * S.width
    const first = of[m + M.firstSession]
    fields[at + S.mapping] = mapping
    fields[at + S.remoteAddress] = remoteAddress
    fields[at + S.remotePort] = remotePort
    fields[at + S.state] = 0
    fields[at + S.next] = first
    fields[at + S.previous] = NONE
    if (first !== NONE) fields[first * S.width + S.previous] = session
    of[m + M.firstSession] = session
    if (wayOut === NONE) this.#outbound.insert(lanAddress, remoteAddress, lanPorts, code, session)
    this.#inbound.insert(of[m + M.wanAddress], remoteAddress, portPair(of[m + M.wanPort], remotePort), code, session)
    // The deadline proper is written right after, by #touch; until then any slot will do.
    this.#wheel.add(session, this.#now)
    return session
  }

  /** Removes a session, and its mapping when that was the last one and the mapping is dynamic. */
  #removeSession(session: number): void {
    const mapping = this.#sessions.fields[session * S.width + S.mapping]
    this.#unlinkSession(session, mapping)
    if (this.#field(mapping, M.firstSession) === NONE && this.#field(mapping, M.isStatic) === 0) this.#removeMapping(mapping)
  }

  #unlinkSession(session: number, mapping: number): void {
    this.#wheel.remove(session)
    this.#forgetSession(session, mapping)
  }

  /** All of a session but its place in the wheel. */
  #forgetSession(session: number, mapping: number): void {
    const fields = this.#sessions.fields, at = session * S.width, of = this.#mappings.fields, m = mapping * M.width
    const next = fields[at + S.next], previous = fields[at + S.previous], code = of[m + M.code] as ProtocolCode
    if (previous === NONE) of[m + M.firstSession] = next
    else fields[previous * S.width + S.next] = next
    if (next !== NONE) fields[next * S.width + S.previous] = previous
    const lanAddress = of[m + M.lanAddress], remoteAddress = fields[at + S.remoteAddress], lanPorts = portPair(of[m + M.lanPort], fields[at + S.remotePort])
    if (this.#outbound.find(lanAddress, remoteAddress, lanPorts, code) === session) this.#outbound.remove(lanAddress, remoteAddress, lanPorts, code)
    this.#inbound.remove(of[m + M.wanAddress], remoteAddress, portPair(of[m + M.wanPort], fields[at + S.remotePort]), code)
    this.#sessions.remove(session)
  }

  /** The wheel has taken the session out; it goes, or goes back in with its present deadline. */
  readonly #due = (session: number): void => {
    if (this.#deadlines[session] > this.#now) {
      this.#wheel.add(session, this.#deadlines[session])
      return
    }
    const mapping = this.#sessions.fields[session * S.width + S.mapping]
    this.#forgetSession(session, mapping)
    if (this.#field(mapping, M.firstSession) === NONE && this.#field(mapping, M.isStatic) === 0) this.#removeMapping(mapping)
  }

  #isAlive(mapping: number, now: number): boolean {
    if (this.#field(mapping, M.isStatic) === 1) return true
    for (let session = this.#field(mapping, M.firstSession); session !== NONE; session = this.#sessions.fields[session * S.width + S.next]) {
      if (this.#deadlines[session] > now) return true
    }
    return false
  }

  #dropExpired(mapping: number): void {
    if (mapping !== NONE && !this.#isAlive(mapping, this.#now)) this.#removeMapping(mapping)
  }

  #describe(mapping: number): string {
    const lan = formatEndpoint(this.#field(mapping, M.lanAddress) as Ipv4Address, this.#field(mapping, M.lanPort))
    return `${lan} = WAN port ${this.#field(mapping, M.wanPort)} (${this.#field(mapping, M.isStatic) === 1 ? 'static' : 'dynamic'})`
  }

  #field(mapping: number, field: number): number { return this.#mappings.fields[mapping * M.width + field] }
  #mapping(session: number, field: number): number { return this.#field(this.#sessions.fields[session * S.width + S.mapping], field) }
  #fail(reason: DropReason): -1 { this.failure = reason; return NONE }
}

/** RFC 5382 REQ-2: a SYN, with or without ACK (simultaneous open), and nothing else. */
const opensConnection = (flags: number): boolean => (flags & FLAG.syn) !== 0 && (flags & FLAG.rst) === 0
