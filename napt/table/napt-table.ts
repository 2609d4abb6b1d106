// The NAPT table (Figs. 6 and 12): which session a packet belongs to, and whether one may be made for it.
//
// A mapping ties a LAN endpoint to a WAN endpoint. With endpoint-independent behaviour there is one a LAN endpoint; otherwise
// one for each remote address, or address and port, that the host sends to (RFC 4787 §4.1). A session is a mapping and one
// remote endpoint. A dynamic mapping lives as long as it has sessions; a static one stays, with or without.
//
// Only the first packet of a session asks the mappings, the filter, the host's limits and the port pools. What the last
// look-up found is kept as a few numbers, from which `explain` says why.
import type { Behaviour, Dependence, Protocol, StaticMapping } from '../behaviour/behaviour.js'
import type { Explanation, KnownSession } from '../trace/explanation.js'
import { EXPLANATION_WORDS, FACT, numberMemory, PLACE, readExplanation, type NumberMemory } from '../trace/explanation-numbers.js'
import { seededRandom } from '../random.js'
import { RouterMemory } from '../router-memory.js'
import type { Endpoint, Ipv4Address, Port } from '../wire/address.js'
import type { DropReason } from '../verdict.js'
import { portPair, PROTOCOL_CODE, type ProtocolCode } from './flow-index.js'
import type { Hosts } from './hosts.js'
import { LastLookup } from './last-lookup.js'
import { listMappings, mappingRow, writeLookup, type MappingRow } from './listing.js'
import { KIND, type Mappings } from './mappings.js'
import type { Sessions } from './sessions.js'
import { addStaticMapping, ensureStaticMapping, keepStaticMappings, removeStaticMapping } from './static-mappings.js'
import { TableStore } from './store.js'
import { opensConnection } from './tcp-state.js'
import { protocolOf, Timers } from './timers.js'
import type { AddressConfig, WanAddresses } from './wan-addresses.js'

const NONE = -1
/** In place of a mapping: the WAN address is one host's own, and lets the packet in to any of its ports. */
const OPEN_HOST = -2

export interface TableConfig extends AddressConfig { readonly seed: number }

export class NaptTable {
  #config: TableConfig
  #behaviour: Behaviour
  readonly #store: TableStore
  readonly #mappings: Mappings
  readonly #sessions: Sessions
  readonly #hosts: Hosts
  readonly #addresses: WanAddresses
  readonly #timers: Timers
  readonly #last: LastLookup
  readonly #explained = numberMemory(EXPLANATION_WORDS)
  /** Dynamic mappings made since the beginning. */
  made = 0
  /** Why the last `outbound` or `inbound` gave -1. */
  failure: DropReason = 'no-mapping'

  /** `now` in milliseconds on the router's clock. @throws ConfigError when static mappings contradict each other */
  constructor(config: TableConfig, now: number, memory = new RouterMemory()) {
    this.#config = config
    this.#behaviour = config.nat
    this.#store = new TableStore(config, seededRandom(config.seed), now, memory)
    this.#mappings = this.#store.mappings
    this.#sessions = this.#store.sessions
    this.#hosts = this.#store.hosts
    this.#addresses = this.#store.addresses
    this.#last = new LastLookup(this.#sessions)
    this.#timers = new Timers(this.#mappings, this.#sessions, config.nat, memory)
    for (const mapping of config.nat.staticMappings) this.addStatic(mapping, now)
  }

  get mappingCount(): number { return this.#mappings.count }
  get sessionCount(): number { return this.#sessions.count }
  /** Whether mappings can be on this WAN address. */
  hasAddress(address: number): boolean { return this.#addresses.has(address) }
  /**
   * The WAN address that an ICMP error of a LAN host seems to come from (RFC 5508 REQ-5c), when what it is about was for a host
   * on `mapped`: where hosts have addresses of their own, the sender's, or the router's if it has none.
   */
  errorSource(lanAddress: number, mapped: Ipv4Address): Ipv4Address {
    if (this.hostOf(mapped) === 0 || this.hostOf(mapped) === lanAddress) return mapped
    return this.#addresses.ownAddress(lanAddress, this.#hosts.find(lanAddress)) ?? this.#config.wan.address
  }

  /** The LAN host that has this WAN address for itself, or 0. */
  hostOf(wanAddress: number): number { return this.#addresses.hostOf(wanAddress) }

  /**
   * The session of a packet from the LAN, made if need be; -1 with `failure` if it may not pass. `tcpFlags` is 0 for other
   * protocols. For ICMP queries the identifier is the LAN port and the remote port is 0; for protocols without ports, the
   * protocol's number is.
   */
  outbound(code: ProtocolCode, lanAddress: number, lanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, now: number): number {
    let session = this.#last.note(this.#sessions.findOutbound(code, lanAddress, remoteAddress, portPair(lanPort, remotePort)), remoteAddress, remotePort, now)
    if (session !== NONE && this.#sessions.deadline(session) <= now) session = this.#lapsed(session, now)
    const isNew = session === NONE
    if (isNew) {
      if (code === PROTOCOL_CODE.tcp && !opensConnection(tcpFlags)) return this.#fail('no-session')
      session = this.#open(code, lanAddress, lanPort, remoteAddress, remotePort, now)
      if (session === NONE) return NONE
      this.#last.mapping = this.#sessions.mapping(session)
    }
    this.#last.session = session
    this.#timers.packet(session, code, tcpFlags, true, isNew, now)
    return session
  }

  /**
   * The session of a packet from the WAN, made if the mapping's filter lets it in; -1 with `failure` if it may not pass.
   * `isExempt` lets a packet in that no session or filter admits, if there is a mapping.
   */
  inbound(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, isExempt: boolean, now: number): number {
    let session = this.#last.note(this.#sessions.findInbound(code, wanAddress, remoteAddress, portPair(wanPort, remotePort)), remoteAddress, remotePort, now)
    if (session !== NONE && this.#sessions.deadline(session) <= now) session = this.#lapsed(session, now)
    const isNew = session === NONE
    if (isNew) {
      session = this.#admit(code, wanAddress, wanPort, remoteAddress, remotePort, tcpFlags, isExempt, now)
      if (session === NONE) return NONE
    }
    this.#last.session = session
    this.#timers.packet(session, code, tcpFlags, false, isNew, now)
    return session
  }

  /** What the last look-up found: for the fast path, whose look-ups are told of here. */
  get last(): LastLookup { return this.#last }

  /** The packet of the last `outbound` or `inbound` has left by the other side: the fast path takes the session's from now on. */
  settle(outbound: boolean): void { this.#sessions.settle(this.#last.session, outbound) }

  /** Whether `inbound` would let the packet in, with `failure` if not. Changes nothing: for a packet whose time to live ends here. */
  admits(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, now: number): boolean {
    return this.peek('wan', code, wanAddress, wanPort, remoteAddress, remotePort, now) !== NONE ||
      this.#mappingInto(code, wanAddress, wanPort, remoteAddress, tcpFlags, false, now) !== NONE
  }

  /** The session of a packet that an ICMP error quotes, by the addresses as they are on the given side; -1 if there is none. Changes nothing. */
  peek(side: 'lan' | 'wan', code: ProtocolCode, ownAddress: number, ownPort: number, remoteAddress: number, remotePort: number, now: number): number {
    const session = side === 'lan' ? this.#sessions.findOutbound(code, ownAddress, remoteAddress, portPair(ownPort, remotePort))
      : this.#sessions.findInbound(code, ownAddress, remoteAddress, portPair(ownPort, remotePort))
    this.#last.note(session, remoteAddress, remotePort, now)
    if (session === NONE || this.#sessions.deadline(session) <= now) return NONE
    this.#last.session = session
    return session
  }

  /** The WAN end by which a LAN endpoint hears from a remote one: of their session, else of the mapping for everybody; null when there is neither. */
  wayIn(code: ProtocolCode, lanAddress: number, lanPort: number, remoteAddress: number, remotePort: number): Endpoint | null {
    const session = this.#sessions.findOutbound(code, lanAddress, remoteAddress, portPair(lanPort, remotePort))
    const mapping = session === NONE ? this.#mappings.ofLan(code, lanAddress, lanPort, 0, 0) : this.#sessions.mapping(session)
    return mapping === NONE ? null : { address: this.#mappings.wanAddress(mapping), port: this.#mappings.wanPort(mapping) }
  }

  /** The session by which a LAN endpoint's packets to a remote one leave, or -1. It may be over. Notes nothing. `ports`: the host's and the remote one, as `portPair` has them. */
  wayOut(code: ProtocolCode, lanAddress: number, remoteAddress: number, ports: number): number {
    return this.#sessions.findOutbound(code, lanAddress, remoteAddress, ports)
  }

  lanAddress(session: number): Ipv4Address { return this.#sessions.lanAddress(session) }
  lanPort(session: number): Port { return this.#sessions.lanPort(session) }
  wanAddress(session: number): Ipv4Address { return this.#sessions.wanAddress(session) }
  wanPort(session: number): Port { return this.#sessions.wanPort(session) }

  /** @throws ConfigError when the WAN port is in use, saying by whom, or the address is none of the router's */
  addStatic(mapping: StaticMapping, now: number): void { addStaticMapping(this.#store, mapping, this.#config.wan.address, now) }

  /** Removes a static mapping with its sessions. @throws ConfigError when there is none on that port */
  removeStatic(protocol: 'tcp' | 'udp', wanPort: number, now: number): void {
    removeStaticMapping(this.#store, protocol, wanPort, this.#config.wan.address, now)
  }

  /** The WAN port that the next sequential allocation of a protocol tries first. */
  setNextPort(protocol: Protocol, port: number): void { this.#addresses.setNextPort(protocol, port) }

  /**
   * Behaves as `config` says from now on. Sessions go on, unless their WAN address is gone or another host's; new ones are
   * made by the new rules. Static mappings become those of `config`. Gives how many dynamic mappings went.
   */
  change(config: TableConfig, now: number): number {
    const primary = config.wan.address, statics = config.nat.staticMappings
    keepStaticMappings(this.#store, statics, primary, now)
    this.#config = config
    this.#behaviour = config.nat
    const fits = (mapping: number): boolean => {
      const lanAddress = this.#mappings.lanAddress(mapping), wanAddress = this.#mappings.wanAddress(mapping), host = this.#addresses.hostOf(wanAddress)
      return this.#addresses.has(wanAddress) && (host === 0 || host === lanAddress) && (!this.#addresses.hasOwnAddress(lanAddress) || host === lanAddress)
    }
    this.#sessions.unsettleAll()
    this.#addresses.change(config)
    this.#hosts.change(config.nat.limits)
    this.#timers.change(config.nat)
    let removed = this.#store.removeAll(mapping => !this.#mappings.isStatic(mapping) && !fits(mapping), now)
    for (const mapping of statics) removed += ensureStaticMapping(this.#store, mapping, primary, now)
    return removed
  }

  /** Removes the dynamic mappings that match, with their sessions, and gives their number. */
  flush(now: number, matches: (row: MappingRow) => boolean = () => true): number {
    return this.#store.removeAll(mapping => !this.#mappings.isStatic(mapping) && matches(mappingRow(this.#store, mapping, now)), now)
  }

  /** Removes sessions whose time is over, a bounded number a call; false when some are left for the next one. */
  expire(now: number): boolean { return this.#store.expire(now) }

  /** Milliseconds until `expire` may find something, or Infinity. */
  untilExpiry(now: number): number { return this.#sessions.untilNext(now) }

  /** Every mapping with its sessions, in the order of protocol, WAN address and WAN port. */
  list(now: number): MappingRow[] { return listMappings(this.#store, now) }

  /** What the last look-up rested on. Only right after it: the numbers are of that moment. */
  explain(now: number): Explanation | undefined {
    this.writeExplanation(this.#explained, 0, now)
    return readExplanation(this.#explained, 0)
  }

  /** The same as numbers, from word `at` on (explanation-numbers.ts). Allocates nothing. */
  writeExplanation(memory: NumberMemory, at: number, now: number): void {
    const { mapping, isMade } = this.#last
    if (mapping !== NONE && isMade) writeLookup(memory, at, this.#store, this.#last, this.#filterOf(mapping), now)
    else memory.words[at + PLACE.facts] = isMade ? FACT.isMade : 0
  }

  /** The session that the last look-up found, if it was there before; null otherwise. Right after it, as `explain`; the same object every time. */
  known(now: number): KnownSession | null { return this.#last.known(now) }

  /** Before a frame that may not come to a look-up. */
  forgetLookup(): void { this.#last.isMade = false }

  #open(code: ProtocolCode, lanAddress: number, lanPort: number, remoteAddress: number, remotePort: number, now: number): number {
    // Before a port is taken: a mapping that got no session would never be released.
    if (this.#isFull) return this.#fail('table-full')
    const dependence = this.#dependence(code, lanAddress)
    const keyAddress = dependence === 'endpoint-independent' ? 0 : remoteAddress
    const keyPort = dependence === 'address-and-port-dependent' ? remotePort : 0
    const known = this.#knownMapping(code, lanAddress, lanPort, keyAddress, keyPort, now)
    const host = this.#hosts.obtain(lanAddress)
    const refusal = (known === NONE ? this.#hosts.admitMapping(host) : null) ?? this.#hosts.admitSession(host, now)
    const mapping = refusal !== null ? this.#fail(refusal)
      : known !== NONE ? known
      : this.#newMapping(code, host, lanAddress, lanPort, keyAddress, keyPort, remoteAddress, remotePort, now)
    if (mapping !== NONE) return this.#wayOut(mapping, code, remoteAddress, remotePort, now)
    this.#hosts.releaseIfEmpty(host)
    return NONE
  }

  /** The mapping that a LAN endpoint's packet to a remote endpoint uses, or -1; one that has lapsed goes. */
  #knownMapping(code: ProtocolCode, lanAddress: number, lanPort: number, keyAddress: number, keyPort: number, now: number): number {
    // A static mapping serves every remote endpoint, whatever dynamic mappings depend on.
    const general = this.#mappings.ofLan(code, lanAddress, lanPort, 0, 0)
    if (general !== NONE && this.#mappings.isStatic(general)) return general
    const mapping = keyAddress === 0 ? general : this.#mappings.ofLan(code, lanAddress, lanPort, keyAddress, keyPort)
    if (mapping !== NONE && this.#store.isAlive(mapping, now)) return mapping
    this.#store.dropLapsed(mapping, now)
    return NONE
  }

  /** A mapping on a WAN endpoint of its own, or shared where it can be; -1 with `failure`. */
  #newMapping(code: ProtocolCode, host: number, lanAddress: number, lanPort: number, keyAddress: number, keyPort: number, remoteAddress: number, remotePort: number, now: number): number {
    const wanPort = this.#addresses.allocate({
      code, lanAddress, lanPort, preferredPort: this.#contiguousPort(code, lanAddress, lanPort, keyAddress, keyPort),
      sharable: (address, port) => this.#isSharable(code, address, port, remoteAddress, remotePort, now),
    }, host, now)
    if (wanPort === NONE) return this.#fail(this.#addresses.failure)
    const { address } = this.#addresses
    const mapping = this.#store.addMapping(code, this.#addresses.isOneToOne(address) ? KIND.oneToOne : KIND.dynamic, host, lanAddress, lanPort, address, wanPort, keyAddress, keyPort)
    // Whoever shared the WAN endpoint and spoke to the same remote one is long silent, or it would not have been sharable.
    const lapsed = this.#sessions.findInbound(code, address, remoteAddress, portPair(wanPort, remotePort))
    if (lapsed !== NONE) this.#store.removeSession(lapsed, now)
    this.#last.isNew = true
    this.made++
    return mapping
  }

  #dependence(code: ProtocolCode, lanAddress: number): Dependence {
    // An address of one's own leaves ports as they are, whoever they are used with.
    if (this.#addresses.hasOwnAddress(lanAddress)) return 'endpoint-independent'
    return code === PROTOCOL_CODE.other ? 'address-dependent' : this.#behaviour.mapping[protocolOf(code)]
  }

  /** RFC 4787 §4.2.3: the WAN port behind that of the host's port before this one; 0 when there is none. */
  #contiguousPort(code: ProtocolCode, lanAddress: number, lanPort: number, keyAddress: number, keyPort: number): number {
    if (!this.#behaviour.portContiguity || code === PROTOCOL_CODE.icmp || lanPort === 0) return 0
    const sibling = this.#mappings.ofLan(code, lanAddress, lanPort - 1, keyAddress, keyPort)
    return sibling === NONE ? 0 : (this.#mappings.wanPort(sibling) + 1) & 0xffff
  }

  /** RFC 7857 §3: a WAN endpoint can be several mappings' as long as no two of them speak to the same remote endpoint. */
  #isSharable(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, remotePort: number, now: number): boolean {
    const head = this.#mappings.ofWan(code, wanAddress, wanPort)
    if (head !== NONE && this.#mappings.isStatic(head)) return false
    const session = this.#sessions.findInbound(code, wanAddress, remoteAddress, portPair(wanPort, remotePort))
    return session === NONE || this.#sessions.deadline(session) <= now
  }

  /** A session for a packet from the WAN, or -1 with `failure`. */
  #admit(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, remotePort: number, tcpFlags: number, isExempt: boolean, now: number): number {
    const into = this.#mappingInto(code, wanAddress, wanPort, remoteAddress, tcpFlags, isExempt, now)
    if (into === NONE) return NONE
    if (this.#isFull) return this.#fail('table-full')
    if (into === OPEN_HOST) this.#store.dropLapsedOn(code, wanAddress, wanPort, now)
    const lanAddress = into === OPEN_HOST ? this.#addresses.hostOf(wanAddress) : this.#mappings.lanAddress(into)
    // What has lapsed may have been all that gave the host its address.
    if (lanAddress === 0) return this.#fail('no-mapping')
    const host = this.#hosts.obtain(lanAddress)
    const refusal = this.#hosts.admitSession(host, now) ?? (into === OPEN_HOST ? this.#hosts.admitMapping(host) : null)
    if (refusal !== null) {
      this.#hosts.releaseIfEmpty(host)
      return this.#fail(refusal)
    }
    const mapping = into === OPEN_HOST ? this.#mappingOnOwnAddress(code, host, lanAddress, wanAddress, wanPort) : into
    this.#last.mapping = mapping
    return this.#store.addSession(mapping, remoteAddress, remotePort, now)
  }

  #mappingOnOwnAddress(code: ProtocolCode, host: number, lanAddress: number, wanAddress: number, port: number): number {
    this.#addresses.take(code, wanAddress, port)
    this.#last.isNew = true
    this.made++
    return this.#store.addMapping(code, this.#addresses.isOneToOne(wanAddress) ? KIND.oneToOne : KIND.dynamic, host, lanAddress, port, wanAddress, port, 0, 0)
  }

  /** The mapping by which a packet without a session may come in, or OPEN_HOST; -1 with `failure`. */
  #mappingInto(code: ProtocolCode, wanAddress: number, wanPort: number, remoteAddress: number, tcpFlags: number, isExempt: boolean, now: number): number {
    let into = NONE, isMapped = false
    for (let mapping = this.#mappings.ofWan(code, wanAddress, wanPort); mapping !== NONE && into === NONE; mapping = this.#mappings.next(mapping)) {
      if (!this.#store.isAlive(mapping, now)) continue
      isMapped = true
      this.#last.mapping = mapping
      if (this.#letsIn(mapping, remoteAddress, isExempt, now)) into = mapping
    }
    if (!isMapped && this.#isOpenHost(code, wanAddress, wanPort, isExempt)) into = OPEN_HOST
    if (into === NONE) return this.#fail(isMapped ? 'filtered' : 'no-mapping')
    return code === PROTOCOL_CODE.tcp && !opensConnection(tcpFlags) ? this.#fail('no-session') : into
  }

  #letsIn(mapping: number, remoteAddress: number, isExempt: boolean, now: number): boolean {
    // Where several hosts share the WAN endpoint, only the session tells whose a packet is.
    if (isExempt && !this.#behaviour.portOverloading) return true
    const filter = this.#filterOf(mapping)
    if (filter === 'endpoint-independent') return true
    // The session itself was not found, so address and port do not match.
    if (filter === 'address-and-port-dependent') return false
    for (let session = this.#mappings.firstSession(mapping); session !== NONE; session = this.#sessions.next(session)) {
      if (this.#sessions.remoteAddress(session) === remoteAddress && this.#sessions.deadline(session) > now) return true
    }
    return false
  }

  /** A static mapping is there to be reached by anybody (spec: static NAPT), and so is a host with an address of its own for good. */
  #filterOf(mapping: number): Dependence {
    return this.#mappings.kind(mapping) === KIND.dynamic ? this.#behaviour.filtering[protocolOf(this.#mappings.code(mapping))] : 'endpoint-independent'
  }

  #isOpenHost(code: ProtocolCode, wanAddress: number, port: number, isExempt: boolean): boolean {
    const host = this.#addresses.hostOf(wanAddress)
    if (host === 0) return false
    // A port with a static mapping answers by that one's WAN address.
    const mapping = this.#mappings.ofLan(code, host, port, 0, 0)
    if (mapping !== NONE && this.#mappings.wanAddress(mapping) !== wanAddress) return false
    return isExempt || this.#addresses.isOneToOne(wanAddress) || this.#behaviour.filtering[protocolOf(code)] === 'endpoint-independent'
  }

  /** The session by which a host's packets leave through `mapping`: new, or one that came in while another was the way out. */
  #wayOut(mapping: number, code: ProtocolCode, remoteAddress: number, remotePort: number, now: number): number {
    const known = this.#sessions.findInbound(code, this.#mappings.wanAddress(mapping), remoteAddress, portPair(this.#mappings.wanPort(mapping), remotePort))
    if (known === NONE) return this.#store.addSession(mapping, remoteAddress, remotePort, now)
    if (this.#sessions.deadline(known) <= now) {
      // The mapping stays: it has just been found alive.
      this.#store.unlinkSession(known)
      return this.#store.addSession(mapping, remoteAddress, remotePort, now)
    }
    this.#sessions.makeWayOut(known)
    return known
  }

  /** Removes a session that was found, and was over; what is known of the last look-up goes with it. */
  #lapsed(session: number, now: number): -1 {
    this.#store.removeSession(session, now)
    this.#last.noteLapse()
    return NONE
  }

  get #isFull(): boolean { return this.#sessions.count >= this.#behaviour.limits.sessions }

  #fail(reason: DropReason): -1 { this.failure = reason; return NONE }
}
