// The router: what happens to one frame that came in on one side. Pure: the time is an argument, and what the router says of
// its own accord goes through `RouterOutput`. The same code runs live, over a capture file and in tests.
//
//   Ethernet → ARP | IPv4 → for the router itself? → time to live → translation: decide → next hop (ARP) → translation: rewrite
import { ConfigError, type RouterConfig, type StaticMapping, type Protocol } from './behaviour.js'
import { IcmpErrorTranslator, mustStaySilentAbout, writeIcmpError } from './icmp-errors.js'
import { Neighbours } from './neighbours.js'
import { completeChecksum, Packet } from './packet.js'
import { NaptTable, type MappingRow } from './table/napt-table.js'
import { Translator } from './translator.js'
import { DROP_REASON_NAMES, otherSide, type DropReason, type Side, type Verdict } from './verdict.js'
import * as arp from './wire/arp.js'
import * as ethernet from './wire/ethernet.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import { formatEndpoint, formatIpv4, isHostAddress, isInPrefix, LIMITED_BROADCAST, prefixMask, type Ipv4Address, type MacAddress } from './wire/address.js'

export interface RouterOutput {
  /** A frame of the router's own: an ARP message, an ICMP error or answer. Valid during the call only. */
  originate(side: Side, frame: Uint8Array): void
  /** A frame that waited for ARP, to be processed anew as if it came in now. */
  redeliver(from: Side, frame: Uint8Array): void
  /** A frame that waited for ARP in vain. */
  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void
}

export interface Counters {
  readonly forwarded: Readonly<Record<Side, number>>
  readonly answered: number
  readonly held: number
  readonly dropped: Readonly<Record<DropReason, number>>
}

/** Room for the largest frame that the router writes itself: an ICMP answer to a large echo request. */
const SCRATCH = 65536 + ethernet.HEADER

export class Router {
  readonly config: RouterConfig
  readonly #macs: Readonly<Record<Side, MacAddress>>
  readonly #output: RouterOutput
  readonly #table: NaptTable
  readonly #translator: Translator
  readonly #errors: IcmpErrorTranslator
  readonly #neighbours: Readonly<Record<Side, Neighbours>>
  readonly #packet = new Packet()
  readonly #verdict: Verdict = { action: 'drop', reason: null }
  readonly #scratch = new Uint8Array(SCRATCH)
  readonly #forwarded = { lan: 0, wan: 0 }
  #answered = 0
  #held = 0
  readonly #dropped: Record<DropReason, number>
  /** The directed broadcast address of the LAN. */
  readonly #lanBroadcast: number

  /** `now` in milliseconds on the router's clock. @throws ConfigError when static mappings contradict each other or the LAN */
  constructor(config: RouterConfig, macs: Readonly<Record<Side, MacAddress>>, output: RouterOutput, now: number) {
    this.config = config
    this.#macs = macs
    this.#output = output
    this.#neighbours = { lan: this.#neighboursOf('lan'), wan: this.#neighboursOf('wan') }
    this.#dropped = Object.fromEntries(DROP_REASON_NAMES.map(reason => [reason, 0])) as Record<DropReason, number>
    const { address, length } = config.lan.prefix
    // A network of one or two addresses has no broadcast address (RFC 3021 §2.2).
    this.#lanBroadcast = length >= 31 ? LIMITED_BROADCAST : address | ~prefixMask(length)
    for (const mapping of config.nat.staticMappings) this.#checkTarget(mapping)
    this.#table = new NaptTable(config.nat, config.wan.address, now)
    this.#translator = new Translator(this.#table)
    this.#errors = new IcmpErrorTranslator(this.#table)
  }

  get counters(): Counters {
    return { forwarded: { ...this.#forwarded }, answered: this.#answered, held: this.#held, dropped: { ...this.#dropped } }
  }

  table(now: number): MappingRow[] { return this.#table.list(now) }
  /** @throws ConfigError when the WAN port is in use, or the target is no host of the LAN */
  addStatic(mapping: StaticMapping, now: number): void {
    this.#checkTarget(mapping)
    this.#table.addStatic(mapping, now)
  }

  /** @throws ConfigError when there is no such mapping */
  removeStatic(protocol: 'tcp' | 'udp', wanPort: number): void { this.#table.removeStatic(protocol, wanPort) }
  setNextPort(protocol: Protocol, port: number): void { this.#table.setNextPort(protocol, port) }

  /**
   * Processes the frame `bytes[start, end)` that came in on side `from`. On `forward` it has been rewritten in place and is
   * to go out on the other side. The verdict is the same object every time.
   */
  process(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, now: number): Verdict {
    if (ethernet.check(start, end) !== null) return this.#drop('truncated')
    if (!ethernet.isMulticast(bytes, start) && !ethernet.isFor(bytes, start, this.#macs[from])) return this.#drop('not-for-router')
    switch (ethernet.type(bytes, start)) {
      case ethernet.TYPE.ipv4: return this.#processIpv4(bytes, start, end, partial, from, now)
      case ethernet.TYPE.arp: return this.#processArp(bytes, start, end, from, now)
      default: return this.#drop('not-ipv4')
    }
  }

  /** Does what time alone brings about: expiry and ARP retries. Cheap when nothing is due. */
  tick(now: number): void {
    this.#table.expire(now)
    this.#neighbours.lan.tick(now)
    this.#neighbours.wan.tick(now)
  }

  /** Milliseconds until `tick` has something to do, or Infinity. */
  untilTick(now: number): number {
    return Math.min(this.#table.untilExpiry(now), this.#neighbours.lan.untilTick(now), this.#neighbours.wan.untilTick(now))
  }

  #processIpv4(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side, now: number): Verdict {
    const packet = this.#packet
    const defect = packet.parse(bytes, start, end, partial)
    if (defect !== null) return this.#drop(defect)
    if (ethernet.isMulticast(bytes, start) || this.#isBroadcast(ipv4.destination(bytes, packet.ip))) return this.#drop('broadcast')
    const misrouted = from === 'lan' ? this.#checkFromLan(packet) : this.#checkFromWan(packet)
    const transportDefect = misrouted ?? packet.checkTransport()
    if (transportDefect !== null) return this.#drop(transportDefect)
    if (this.#isOwn(from, ipv4.destination(bytes, packet.ip))) {
      const answer = this.#answerEcho(packet, from)
      if (answer !== null) return answer
    }
    return this.#route(packet, from, now)
  }

  #route(packet: Packet, from: Side, now: number): Verdict {
    const outbound = from === 'lan', isOver = ipv4.timeToLive(packet.bytes, packet.ip) <= 1
    if (outbound && isOver) return this.#timeExceeded(packet, from)
    const isError = packet.protocol === ipv4.PROTOCOL.icmp && icmp.isError(icmp.type(packet.bytes, packet.transport))
    const refusal = isError ? this.#errors.decide(packet, outbound, now)
      : outbound ? this.#translator.decideOutbound(packet, now)
      : isOver ? this.#translator.admitsInbound(packet, now) : this.#translator.decideInbound(packet, now)
    if (refusal !== null) return this.#drop(refusal)
    // From the WAN, whether the packet would have passed at all comes first: a closed port answers nobody.
    if (isOver) return this.#timeExceeded(packet, from)

    const to = otherSide(from)
    const nextHop = outbound ? this.#wanNextHop(ipv4.destination(packet.bytes, packet.ip)) : (isError ? this.#errors : this.#translator).lanAddress
    const mac = this.#neighbours[to].find(nextHop, now)
    if (mac === null) return this.#hold(packet, to, nextHop, now)

    if (isError) this.#errors.rewrite(packet, outbound)
    else if (outbound) this.#translator.rewriteOutbound(packet)
    else this.#translator.rewriteInbound(packet)
    ipv4.decrementTimeToLive(packet.bytes, packet.ip)
    ethernet.setAddresses(packet.bytes, packet.frame, mac, this.#macs[to])
    this.#forwarded[from]++
    return this.#done('forward', null)
  }

  #checkFromLan(packet: Packet): DropReason | null {
    const { prefix } = this.config.lan, { bytes, ip } = packet
    const destination = ipv4.destination(bytes, ip)
    if (!this.#isLanHost(ipv4.source(bytes, ip))) return 'not-routed'
    if (destination === prefix.address) return this.#isEchoRequest(packet) ? null : 'no-service'
    if (destination === this.config.wan.address) return this.#isEchoRequest(packet) ? null : 'hairpinning-off'
    return isInPrefix(destination, prefix) || !isHostAddress(destination) ? 'not-routed' : null
  }

  #checkFromWan(packet: Packet): DropReason | null {
    const { bytes, ip } = packet
    const source = ipv4.source(bytes, ip), { address } = this.config.wan
    const isFromOutside = isHostAddress(source) && source !== address && !isInPrefix(source, this.config.lan.prefix)
    return ipv4.destination(bytes, ip) === address && isFromOutside ? null : 'not-routed'
  }

  #checkTarget({ protocol, wanPort, address, port }: StaticMapping): void {
    if (this.#isLanHost(address)) return
    const { prefix } = this.config.lan
    throw new ConfigError(`WAN port ${wanPort}/${protocol} cannot be mapped to ${formatEndpoint(address, port)}: that is no host of the LAN ${formatIpv4(prefix.address)}/${prefix.length}`)
  }

  /** An address of the LAN that is neither the router's nor everybody's. */
  #isLanHost(address: Ipv4Address): boolean {
    const { prefix } = this.config.lan
    return isInPrefix(address, prefix) && address !== prefix.address && address !== this.#lanBroadcast
  }

  #isBroadcast(destination: Ipv4Address): boolean {
    return destination === LIMITED_BROADCAST || destination >>> 28 === 0xe || destination === this.#lanBroadcast
  }

  /** An address at which the router itself answers a side: both from the LAN, the WAN address from the WAN. */
  #isOwn(from: Side, address: Ipv4Address): boolean {
    return address === this.config.wan.address || (from === 'lan' && address === this.config.lan.prefix.address)
  }

  #isEchoRequest({ bytes, ip, transport, ipEnd, protocol }: Packet): boolean {
    return protocol === ipv4.PROTOCOL.icmp && !ipv4.isFragment(bytes, ip) && icmp.check(transport, ipEnd) === null && icmp.type(bytes, transport) === icmp.TYPE.echo
  }

  #answerEcho(packet: Packet, from: Side): Verdict | null {
    if (!this.#isEchoRequest(packet)) return null
    const { bytes, ip, transport, ipEnd } = packet
    if (!icmp.checksumHolds(bytes, transport, ipEnd)) return this.#drop('checksum')
    const header = ethernet.HEADER + ipv4.MINIMUM_HEADER, end = header + ipEnd - transport
    const reply = this.#scratch
    reply.set(bytes.subarray(transport, ipEnd), header)
    icmp.writeHeader(reply, header, end, { type: icmp.TYPE.echoReply, identifier: icmp.identifier(bytes, transport), sequence: icmp.sequence(bytes, transport) })
    ipv4.writeHeader(reply, ethernet.HEADER, {
      source: ipv4.destination(bytes, ip), destination: ipv4.source(bytes, ip), protocol: ipv4.PROTOCOL.icmp,
      totalLength: end - ethernet.HEADER, identification: ipv4.identification(bytes, ip), typeOfService: ipv4.typeOfService(bytes, ip),
    })
    ethernet.setAddresses(reply, 0, ethernet.source(bytes, packet.frame), this.#macs[from])
    ethernet.setType(reply, 0, ethernet.TYPE.ipv4)
    return this.#answer(from, end)
  }

  #timeExceeded(packet: Packet, from: Side): Verdict {
    if (!mustStaySilentAbout(packet)) {
      const address = from === 'lan' ? this.config.lan.prefix.address : this.config.wan.address
      const length = writeIcmpError(this.#scratch, packet, { type: icmp.TYPE.timeExceeded, code: 0 }, { mac: this.#macs[from], address })
      this.#output.originate(from, this.#scratch.subarray(0, length))
    }
    return this.#drop('ttl-expired')
  }

  #processArp(bytes: Uint8Array, start: number, end: number, from: Side, now: number): Verdict {
    const at = start + ethernet.HEADER
    const defect = arp.check(bytes, at, end)
    if (defect !== null) return this.#drop(defect)
    const own = from === 'lan' ? this.config.lan.prefix.address : this.config.wan.address
    const sender = arp.senderAddress(bytes, at), forUs = arp.targetAddress(bytes, at) === own
    if (sender !== 0 && sender !== own) this.#neighbours[from].learn(sender, arp.senderMac(bytes, at), now, forUs)
    if (!forUs) return this.#drop('not-for-router')
    if (arp.operation(bytes, at) !== arp.OPERATION.request) return this.#done('answer', null)
    const length = arp.writeFrame(this.#scratch, 0, 'reply', { mac: this.#macs[from], address: own }, { mac: arp.senderMac(bytes, at), address: sender })
    return this.#answer(from, length)
  }

  #wanNextHop(destination: Ipv4Address): Ipv4Address {
    return this.config.wan.gateway ?? destination
  }

  #hold(packet: Packet, to: Side, nextHop: Ipv4Address, now: number): Verdict {
    const frame = packet.bytes.slice(packet.frame, packet.end)
    if (packet.partial) completeChecksum(frame, 0, frame.length)
    if (!this.#neighbours[to].hold(nextHop, frame, now)) return this.#drop('queue-full')
    this.#held++
    return this.#done('hold', null)
  }

  #neighboursOf(side: Side): Neighbours {
    return new Neighbours({
      ask: address => {
        const sender = { mac: this.#macs[side], address: side === 'lan' ? this.config.lan.prefix.address : this.config.wan.address }
        const length = arp.writeFrame(this.#scratch, 0, 'request', sender, { mac: sender.mac, address })
        this.#output.originate(side, this.#scratch.subarray(0, length))
      },
      ready: frame => this.#output.redeliver(otherSide(side), frame),
      failed: frame => {
        this.#dropped['neighbour-unreachable']++
        this.#output.abandoned(otherSide(side), frame, 'neighbour-unreachable')
      },
    })
  }

  #answer(side: Side, length: number): Verdict {
    this.#answered++
    this.#output.originate(side, this.#scratch.subarray(0, length))
    return this.#done('answer', null)
  }

  #drop(reason: DropReason): Verdict {
    this.#dropped[reason]++
    return this.#done('drop', reason)
  }

  #done(action: Verdict['action'], reason: DropReason | null): Verdict {
    this.#verdict.action = action
    this.#verdict.reason = reason
    return this.#verdict
  }
}
