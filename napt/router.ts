// The router: what happens to one frame that came in on one side. Pure: the time is an argument, and what the router says of
// its own accord goes through `RouterOutput`. The same code runs live, over a capture file and in tests.
//
// A packet of a known flow mostly takes the fast path (fast-path.ts). All others, and what a flow is at first:
//
//   Ethernet → ARP | IPv4 → for the router itself? → fragments → time to live → translation: decide → length → next hop (ARP) → rewrite
import { Addressing } from './addressing.js'
import type { Behaviour, Protocol, StaticMapping } from './behaviour/behaviour.js'
import type { Explanation, KnownSession } from './trace/explanation.js'
import type { FrameBatch } from './device/device.js'
import { FastPath } from './fast-path.js'
import { FirstPackets } from './first-packets.js'
import type { NumberMemory } from './trace/explanation-numbers.js'
import { fragment } from './translation/fragmentation.js'
import { FragmentTable, type FragmentPath } from './translation/fragments.js'
import { IdentificationCounter } from './translation/identification.js'
import { IcmpErrorTranslator } from './translation/icmp-errors.js'
import { clampMaximumSegment } from './translation/maximum-segment.js'
import { NextHops } from './next-hops.js'
import { OwnMessages } from './answers/own-messages.js'
import { completeChecksum, Packet } from './packet.js'
import type { RouterOutput } from './router-output.js'
import { checkRouterConfig, checkStaticTarget, type RouterConfig } from './router-config.js'
import { RouterMemory } from './router-memory.js'
import type { SideFacts } from './side-facts.js'
import type { MappingRow } from './table/listing.js'
import { NaptTable } from './table/napt-table.js'
import { Translator } from './translation/translator.js'
import { TurnBack } from './translation/turn-back.js'
import { UnsolicitedSyns } from './answers/unsolicited-syn.js'
import { otherSide, type DropReason, type Side, type Verdict } from './verdict.js'
import { Verdicts, type Counters } from './verdicts.js'
import * as ethernet from './wire/ethernet.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import * as tcp from './wire/tcp.js'
import type { Ipv4Address, MacAddress } from './wire/address.js'

export interface RouterOptions {
  readonly fastPath?: boolean
  readonly memory?: RouterMemory
}

/** A new flow that there is no room for is refused in the open (RFC 5508 REQ-8). */
const REFUSED_IN_THE_OPEN: ReadonlySet<DropReason> =
  new Set(['no-free-port', 'port-taken', 'peer-taken', 'no-free-address', 'no-port-block', 'host-limit', 'host-rate', 'table-full'] as const)
const UNREACHABLE = icmp.TYPE.unreachable

export class Router {
  #config: RouterConfig
  readonly #sides: Readonly<Record<Side, SideFacts>>
  readonly #output: RouterOutput
  readonly #table: NaptTable
  readonly #addressing: Addressing
  readonly #translator: Translator
  readonly #errors: IcmpErrorTranslator
  readonly #turnBack: TurnBack
  readonly #nextHops: NextHops
  /** By the side they come from, so that a flood on one leaves the other alone. */
  readonly #fragments: Readonly<Record<Side, FragmentTable>>
  readonly #syns: UnsolicitedSyns
  readonly #own: OwnMessages
  readonly #packet = new Packet()
  /** For frames that waited: `#packet` may be in use. */
  readonly #late = new Packet()
  readonly #verdicts = new Verdicts()
  readonly #identifications: IdentificationCounter
  /** null: every frame goes the whole way. */
  readonly #fastPath: FastPath | null
  #now: number

  /**
   * `now` in milliseconds on the router's clock. `memory`: this router's alone, in which devices may have put their frames.
   * `fastPath: false` is for those who compare: what comes out is the same.
   * @throws ConfigError when static mappings contradict each other or the LAN
   */
  constructor(config: RouterConfig, sides: Readonly<Record<Side, SideFacts>>, output: RouterOutput, now: number, { fastPath = true, memory = new RouterMemory() }: RouterOptions = {}) {
    checkRouterConfig(config)
    this.#config = config
    this.#sides = sides
    this.#output = output
    this.#now = now
    this.#identifications = new IdentificationCounter(config.seed & 0xffff, memory)
    this.#own = new OwnMessages(config, { lan: sides.lan.mac, wan: sides.wan.mac }, (side, frame) => output.originate(side, frame), now)
    const fragmentTable = (): FragmentTable => new FragmentTable(config.nat.fragments, {
      ready: (from, frame) => output.redeliver(from, frame),
      lapsed: (from, frame, reason) => this.#abandon(from, frame, reason),
    })
    this.#fragments = { lan: fragmentTable(), wan: fragmentTable() }
    this.#syns = new UnsolicitedSyns(config.nat.unsolicitedSyn, { answer: (kind, frame) => this.#answerSyn(kind, frame) })
    this.#table = new NaptTable(config, now, memory)
    this.#addressing = new Addressing(config, this.#table)
    this.#translator = new Translator(this.#table)
    this.#errors = new IcmpErrorTranslator(this.#table)
    this.#turnBack = new TurnBack(this.#table, fastPath)
    this.#nextHops = new NextHops(config, this.#addressing, this.#own, {
      redeliver: (from, frame) => output.redeliver(from, frame),
      abandoned: (from, frame, reason) => this.#abandon(from, frame, reason),
      neighbour: output.neighbour?.bind(output),
    }, memory)
    this.#fastPath = fastPath ? new FastPath(memory, sides, config.wan.gateway ?? 0, this.#table, this.#nextHops, new FirstPackets(this.#table, this.#addressing, this.#nextHops, this.#syns)) : null
  }

  /** As it is now: changes while it runs are in it. */
  get config(): RouterConfig { return this.#config }

  get counters(): Counters { return this.#verdicts.counters }

  /** Forwarded frames that took the fast path. */
  get fastForwarded(): number { return this.#fastPath?.forwarded ?? 0 }

  /** Dynamic mappings made since the beginning. */
  get mappingsMade(): number { return this.#table.made }

  table(now: number): MappingRow[] { return this.#table.list(now) }

  /** What the verdict of the last `process` rests on; undefined when no mapping had a part in it. */
  explain(now: number): Explanation | undefined { return this.#table.explain(now) }

  /** The same as numbers, from word `at` on (explanation-numbers.ts). Allocates nothing. */
  writeExplanation(memory: NumberMemory, at: number, now: number): void { this.#table.writeExplanation(memory, at, now) }

  /** See NaptTable.writePass. */
  writePass(memory: NumberMemory, at: number, now: number): boolean { return this.#table.writePass(memory, at, now) }

  /** See NaptTable.known. */
  known(now: number): KnownSession | null { return this.#table.known(now) }

  /** @throws ConfigError when the WAN port is in use, or the target is no host of the LAN */
  addStatic(mapping: StaticMapping, now: number): void {
    checkStaticTarget(mapping, this.#config.lan.prefix)
    this.#table.addStatic(mapping, now)
    this.#config = this.#withStatics([...this.#config.nat.staticMappings, mapping])
  }

  /** @throws ConfigError when there is no such mapping */
  removeStatic(protocol: 'tcp' | 'udp', wanPort: number, now: number): void {
    this.#table.removeStatic(protocol, wanPort, now)
    this.#config = this.#withStatics(this.#config.nat.staticMappings.filter(one => one.protocol !== protocol || one.wanPort !== wanPort || (one.wanAddress ?? this.#config.wan.address) !== this.#config.wan.address))
  }

  setNextPort(protocol: Protocol, port: number): void { this.#table.setNextPort(protocol, port) }

  /**
   * Behaves as `nat` says from now on; sessions go on unless their WAN address went. Gives the number of dynamic mappings that
   * went. @throws ConfigError when it contradicts the router's addresses
   */
  setBehaviour(nat: Behaviour, now: number): number { return this.#change({ ...this.#config, nat }, now) }

  /** Removes the dynamic mappings that match, all of them unless told otherwise, and gives their number. */
  flush(now: number, matches?: (row: MappingRow) => boolean): number { return this.#table.flush(now, matches) }

  /**
   * The router's own WAN address is another one now: mappings on the old one go, static ones move. Gives how many went.
   * @throws ConfigError when the address cannot be
   */
  renumber(address: Ipv4Address, now: number): number {
    const removed = this.#change({ ...this.#config, wan: { ...this.#config.wan, address } }, now)
    this.#own.announce('wan', address)
    return removed
  }

  /**
   * Processes the frame `bytes[start, end)` that came in on side `from`. On `forward` it has been rewritten in place and is
   * to go out on side `to`. `segment` is the payload of each packet that a GSO frame stands for, bytes; 0 for one packet.
   * The verdict is the same object every time.
   */
  process(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, now: number, segment = 0): Verdict {
    this.#now = now
    if (this.#fastPath?.forward(bytes, start, end, partial, from, now, segment) === true) return this.#verdicts.forward(from, otherSide(from))
    if (this.#fastPath?.takeRefusal() === true && this.#packet.parse(bytes, start, end, partial) === null) return this.#refuse(this.#packet, from, this.#table.failure, now)
    this.#table.forgetLookup()
    if (ethernet.check(start, end) !== null) return this.#verdicts.drop('truncated')
    if (!ethernet.isMulticast(bytes, start) && !ethernet.isFor(bytes, start, this.#sides[from].mac)) return this.#verdicts.drop('not-for-router')
    switch (ethernet.type(bytes, start)) {
      case ethernet.TYPE.ipv4: return this.#processIpv4(bytes, start, end, partial, from, segment, now)
      case ethernet.TYPE.arp: return this.#processArp(bytes, start, end, from, now)
      default: return this.#verdicts.drop('not-ipv4')
    }
  }

  /** Optional, before frames [first, end) of a batch are processed, FORESEEN at most (fast-path.ts): with very many flows it is faster so. */
  foresee(batch: FrameBatch, first: number, end: number, from: Side): void { this.#fastPath?.foresee(batch, first, end, from) }

  /**
   * Does what `process` does for frames of a batch one behind the other, from frame `first` on, as long as they are forwarded and nothing is to be decided
   * about them; gives the first of the others, or `end`. All before it are to go out on the other side. It is the quickest way; it may give `first`.
   */
  forwardRun(batch: FrameBatch, first: number, end: number, from: Side, now: number): number {
    this.#now = now
    const next = this.#fastPath?.forwardRun(batch, first, end, from, now) ?? first
    if (next > first) this.#verdicts.forward(from, otherSide(from), next - first)
    return next
  }

  /** Turns the frame `bytes[start, end)`, as a LAN host received it, back into what must have come from the WAN for it (turn-back.ts). */
  turnBack(bytes: Uint8Array, start: number, end: number, partial: boolean): void {
    this.#turnBack.turn(bytes, start, end, partial, this.#config.wan.address)
  }

  /** Does what time alone brings about: expiry, ARP retries, answers that were put off. Cheap when nothing is due. */
  tick(now: number): void {
    this.#now = now
    this.#table.expire(now)
    this.#nextHops.tick(now)
    this.#fragments.lan.tick(now)
    this.#fragments.wan.tick(now)
    this.#syns.tick(now)
  }

  /** Milliseconds until `tick` has something to do, or Infinity. */
  untilTick(now: number): number {
    const { lan, wan } = this.#fragments
    return Math.min(this.#table.untilExpiry(now), this.#syns.untilTick(now), this.#nextHops.untilTick(now), lan.untilTick(now), wan.untilTick(now))
  }

  #processIpv4(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, segment: number, now: number): Verdict {
    const packet = this.#packet
    const defect = packet.parse(bytes, start, end, partial)
    if (defect !== null) return this.#verdicts.drop(defect)
    const misrouted = ethernet.isMulticast(bytes, start) ? 'broadcast' : this.#addressing.check(packet, from)
    if (misrouted !== null) return this.#verdicts.drop(misrouted)
    if (ipv4.isFragment(bytes, packet.ip)) return this.#processFragment(packet, from, now)
    const transportDefect = this.#checkTransport(packet, false)
    if (transportDefect !== null) return this.#verdicts.drop(transportDefect)
    if (this.#addressing.isEchoForRouter(packet, from)) return this.#answerEcho(packet, from)
    return this.#route(packet, from, segment, false, now)
  }

  /** The first fragment of a datagram decides; the others go its way, or wait for it (RFC 4787 REQ-14). */
  #processFragment(packet: Packet, from: Side, now: number): Verdict {
    const fragments = this.#fragments[from], refusal = fragments.arrive(packet, from, now)
    if (refusal !== null) return this.#verdicts.drop(refusal)
    if (ipv4.fragmentOffset(packet.bytes, packet.ip) !== 0) {
      const { path } = fragments
      return path === null ? this.#verdicts.hold(fragments.hold(packet)) : this.#follow(packet, path, from, now)
    }
    const defect = this.#addressing.isEchoForRouter(packet, from) ? 'no-service' : this.#checkTransport(packet, true)
    const verdict = defect === null ? this.#route(packet, from, 0, true, now) : this.#verdicts.drop(defect)
    if (verdict.action === 'drop') fragments.refuse()
    return verdict
  }

  #checkTransport(packet: Packet, isFirstFragment: boolean): DropReason | null {
    if (ipv4.hasSourceRoute(packet.bytes, packet.ip)) return 'source-route'
    if (!packet.hasPorts && packet.protocol !== ipv4.PROTOCOL.icmp && this.#config.nat.otherProtocols === 'drop') return 'protocol'
    return packet.checkTransport(isFirstFragment)
  }

  #route(packet: Packet, from: Side, segment: number, isFirstFragment: boolean, now: number): Verdict {
    const { bytes, ip } = packet, outbound = from === 'lan', isOver = ipv4.timeToLive(bytes, ip) <= 1
    if (outbound && isOver) return this.#timeExceeded(packet, from, now)
    const isError = packet.isIcmpError, turnsBack = outbound && this.#table.hasAddress(ipv4.destination(bytes, ip))
    const refusal = isError ? this.#decideError(packet, outbound, turnsBack, now) : this.#decide(packet, outbound, turnsBack, isOver, now)
    if (refusal !== null) return this.#refuse(packet, from, refusal, now)
    // From the WAN, whether the packet would have passed at all comes first: a closed port answers nobody.
    if (isOver) return this.#timeExceeded(packet, from, now)

    const to: Side = outbound && !turnsBack ? 'wan' : 'lan'
    const nextHop = to === 'wan' ? ipv4.destination(bytes, ip) : (isError ? this.#errors : this.#translator).lanAddress
    const isTooLong = packet.wireLength(segment) > this.#sides[to].mtu
    if (isTooLong && ipv4.dontFragment(bytes, ip)) return this.#tooBig(packet, from, to, now)
    const mac = this.#nextHops.find(to, nextHop, now)
    if (mac === null) return this.#verdicts.hold(this.#nextHops.hold(packet, to, nextHop, now) ? null : 'queue-full')

    if (isError) this.#errors.rewrite(packet)
    else this.#translator.rewrite(packet)
    if (packet.protocol === ipv4.PROTOCOL.tcp) this.#adaptTcp(packet, outbound)
    if (outbound && (isFirstFragment || isTooLong || !ipv4.dontFragment(bytes, ip))) ipv4.setIdentification(bytes, ip, this.#identifications.next(packet.ipEnd - packet.transport, segment))
    if (isFirstFragment) {
      this.#fragments[from].settle({ source: ipv4.source(bytes, ip), destination: ipv4.destination(bytes, ip), to, nextHop, identification: ipv4.identification(bytes, ip) })
    }
    if (packet.hasPorts && !turnsBack) this.#table.settle(outbound)
    return this.#forward(packet, from, to, mac, isTooLong)
  }

  #decide(packet: Packet, outbound: boolean, turnsBack: boolean, isOver: boolean, now: number): DropReason | null {
    if (!outbound) return isOver ? this.#translator.admitsInbound(packet, now) : this.#translator.decideInbound(packet, now)
    const { hairpinning, filterHairpinned } = this.#config.nat
    if (!turnsBack) return this.#translator.decideOutbound(packet, now)
    return hairpinning === 'off' ? 'hairpinning-off' : this.#translator.decideHairpin(packet, hairpinning, !filterHairpinned, now)
  }

  #decideError(packet: Packet, outbound: boolean, turnsBack: boolean, now: number): DropReason | null {
    if (!outbound) return this.#errors.decideInbound(packet, now)
    return turnsBack ? this.#errors.decideHairpin(packet, now) : this.#errors.decideOutbound(packet, now)
  }

  /** A fragment whose first one has been settled. */
  #follow(packet: Packet, path: FragmentPath, from: Side, now: number): Verdict {
    const { bytes, ip } = packet
    if (ipv4.timeToLive(bytes, ip) <= 1) return this.#verdicts.drop('ttl-expired')
    const isTooLong = packet.ipEnd - ip > this.#sides[path.to].mtu
    if (isTooLong && ipv4.dontFragment(bytes, ip)) return this.#verdicts.drop('too-big')
    const mac = this.#nextHops.find(path.to, path.nextHop, now)
    if (mac === null) return this.#verdicts.hold(this.#nextHops.hold(packet, path.to, path.nextHop, now) ? null : 'queue-full')
    ipv4.setSource(bytes, ip, path.source)
    ipv4.setDestination(bytes, ip, path.destination)
    ipv4.setIdentification(bytes, ip, path.identification)
    return this.#forward(packet, from, path.to, mac, isTooLong)
  }

  /** The rewritten packet leaves, in pieces if it has to. */
  #forward(packet: Packet, from: Side, to: Side, mac: MacAddress, inPieces: boolean): Verdict {
    ipv4.decrementTimeToLive(packet.bytes, packet.ip)
    ethernet.setAddresses(packet.bytes, packet.frame, mac, this.#sides[to].mac)
    const verdict = this.#verdicts.forward(from, to)
    if (!inPieces) return verdict
    if (packet.partial) completeChecksum(packet.bytes, packet.frame, packet.end)
    fragment(packet.bytes, packet.frame, packet.end, this.#sides[to].mtu, this.#own.scratch, piece => this.#output.originate(to, piece))
    return this.#verdicts.split()
  }

  #adaptTcp(packet: Packet, outbound: boolean): void {
    const { bytes, ip, transport } = packet
    if ((tcp.flags(bytes, transport) & tcp.FLAG.syn) === 0) return
    const { maximumSegment } = this.#config.nat
    if (maximumSegment > 0) clampMaximumSegment(packet, maximumSegment)
    if (outbound) this.#syns.withdraw(ipv4.source(bytes, ip), tcp.sourcePort(bytes, transport), ipv4.destination(bytes, ip), tcp.destinationPort(bytes, transport))
  }

  #refuse(packet: Packet, from: Side, reason: DropReason, now: number): Verdict {
    if (from === 'lan' && REFUSED_IN_THE_OPEN.has(reason)) this.#own.error(packet, from, { type: UNREACHABLE, code: icmp.UNREACHABLE.prohibited }, now)
    const isSyn = packet.protocol === ipv4.PROTOCOL.tcp && (tcp.flags(packet.bytes, packet.transport) & (tcp.FLAG.syn | tcp.FLAG.ack | tcp.FLAG.rst)) === tcp.FLAG.syn
    if (from === 'wan' && isSyn && (reason === 'no-mapping' || reason === 'filtered')) this.#syns.note(packet, now)
    return this.#verdicts.drop(reason)
  }

  #timeExceeded(packet: Packet, from: Side, now: number): Verdict {
    this.#own.error(packet, from, { type: icmp.TYPE.timeExceeded, code: 0 }, now)
    return this.#verdicts.drop('ttl-expired')
  }

  #tooBig(packet: Packet, from: Side, to: Side, now: number): Verdict {
    this.#own.error(packet, from, { type: UNREACHABLE, code: icmp.UNREACHABLE.fragmentationNeeded, nextHopMtu: this.#sides[to].mtu }, now)
    return this.#verdicts.drop('too-big')
  }

  #answerSyn(kind: 'unreachable' | 'reset', frame: Uint8Array): void {
    if (this.#late.parse(frame, 0, frame.length, false) !== null) return
    if (kind === 'reset') this.#own.reset(this.#late, 'wan')
    else this.#own.error(this.#late, 'wan', { type: UNREACHABLE, code: icmp.UNREACHABLE.port }, this.#now)
  }

  #answerEcho(packet: Packet, from: Side): Verdict {
    if (!icmp.checksumHolds(packet.bytes, packet.transport, packet.ipEnd)) return this.#verdicts.drop('checksum')
    this.#own.echoReply(packet, from)
    return this.#verdicts.answer()
  }

  #processArp(bytes: Uint8Array, start: number, end: number, from: Side, now: number): Verdict {
    const outcome = this.#nextHops.arrive(bytes, start + ethernet.HEADER, end, from, now)
    return outcome === 'asked' ? this.#verdicts.answer() : outcome === 'told' ? this.#verdicts.told() : this.#verdicts.drop(outcome)
  }

  #abandon(from: Side, frame: Uint8Array, reason: DropReason): void {
    this.#verdicts.abandon(reason)
    this.#output.abandoned(from, frame, reason)
  }

  #withStatics(staticMappings: readonly StaticMapping[]): RouterConfig {
    return { ...this.#config, nat: { ...this.#config.nat, staticMappings } }
  }

  #change(config: RouterConfig, now: number): number {
    checkRouterConfig(config)
    const removed = this.#table.change(config, now)
    this.#config = config
    this.#addressing.config = config
    this.#nextHops.config = config
    this.#own.change(config)
    this.#fragments.lan.change(config.nat.fragments)
    this.#fragments.wan.change(config.nat.fragments)
    this.#syns.change(config.nat.unsolicitedSyn)
    return removed
  }
}
