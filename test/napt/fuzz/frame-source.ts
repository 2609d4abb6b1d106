// Frames for a fuzzed router: good ones of every kind, answers to what the router itself has sent, errors about it, packets that
// turn back into the LAN, fragments in any order; most of them damaged.
import { arpReply, arpRequest, icmpError, IP, TRANSPORT, withOptions, withTrailer } from '../frames.js'
import { piece } from '../translation/fragment-frames.js'
import { MACS } from '../router-bench.js'
import type { Random } from '../random.js'
import type { Side } from '../../../napt/verdict.js'
import { formatIpv4, parseIpv4, type Ipv4Address, type MacAddress, type Port } from '../../../napt/wire/address.js'
import * as arp from '../../../napt/wire/arp.js'
import { read16, write16 } from '../../../napt/wire/bytes.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import { icmpFrame, tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import * as icmp from '../../../napt/wire/icmp.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import * as tcp from '../../../napt/wire/tcp.js'

const HOSTS = ['192.168.1.2', '192.168.1.3', '192.168.1.4', '192.168.1.11', '192.168.1.200', '192.168.1.201'].map(parseIpv4)
const REMOTES = ['130.74.23.6', '8.117.12.109', '4.17.168.2'].map(parseIpv4)
/** The router's own ones, those of its pools, and one that is nobody's. */
const WAN_ADDRESSES = ['202.204.16.13', '202.204.16.13', '202.204.16.14', '202.204.16.15', '202.204.16.16', '202.204.16.99'].map(parseIpv4)
const LAN_ADDRESS = parseIpv4('192.168.1.1')
const { syn, ack, fin, rst, psh } = tcp.FLAG
const FLAGS = [syn, syn, syn | ack, syn | ack, ack, psh | ack, fin | ack, rst]
const OTHER_PROTOCOLS = [47, 47, 50, 33, 136, 255]
const QUERIES = [icmp.TYPE.echo, icmp.TYPE.echo, icmp.TYPE.echo, icmp.TYPE.timestamp, icmp.TYPE.echoReply, 9]
const ERRORS = [3, 3, 11, 12, 4, 5]
const SPOILERS = [0, 1, 0x7f, 0x80, 0xff]
const OPTIONS = [1, 7, 68, 131, 137, 148]
/** Frames that are remembered of each side. */
const REMEMBERED = 64
/** More than may wait at a time: for ARP, or for first fragments. */
const FLOOD = 700
const LONGEST_PAYLOAD = 1400

export interface FuzzFrame { readonly from: Side, readonly bytes: Uint8Array }

export class FrameSource {
  readonly #random: Random
  readonly #recent: Readonly<Record<Side, Uint8Array[]>> = { lan: [], wan: [] }
  /** Parts of what has begun: the other fragments, answers to ARP. */
  readonly #begun: FuzzFrame[] = []
  /** What payloads are cut out of. */
  readonly #noise: Uint8Array
  #flood: { left: number, readonly ofFragments: boolean } = { left: 0, ofFragments: false }

  constructor(random: Random) {
    this.#random = random
    this.#noise = random.bytes(2 * LONGEST_PAYLOAD)
  }

  /** The router has sent this frame on a side: somebody there may answer it. Only packets without IP options are. */
  sent(side: Side, frame: Uint8Array): void {
    const isQuestion = ethernet.type(frame, 0) === ethernet.TYPE.arp && arp.operation(frame, ethernet.HEADER) === arp.OPERATION.request
    if (isQuestion && !this.#random.oneIn(5)) this.#begun.push({ from: side, bytes: answerToArp(frame, side) })
    if (ethernet.type(frame, 0) !== ethernet.TYPE.ipv4 || frame.length < TRANSPORT + icmp.HEADER || ipv4.headerLength(frame, IP) !== ipv4.MINIMUM_HEADER) return
    const recent = this.#recent[side]
    recent[recent.length < REMEMBERED ? recent.length : this.#random.below(REMEMBERED)] = frame.slice()
  }

  next(): FuzzFrame {
    const random = this.#random
    if (random.oneIn(15_000)) this.#flood = { left: FLOOD, ofFragments: random.oneIn(2) }
    if (this.#flood.left > 0) return this.#flooding()
    if (this.#begun.length > 0 && (this.#begun.length > 40 || random.oneIn(2))) {
      const [one] = this.#begun.splice(random.below(Math.min(this.#begun.length, 8)), 1)
      return { from: one.from, bytes: random.oneIn(4) ? this.#damaged(one.bytes, one.from) : addressed(one.bytes, one.from) }
    }
    const from: Side = random.oneIn(2) ? 'lan' : 'wan'
    const bytes = this.#good(from)
    if (random.oneIn(16) && bytes.length > TRANSPORT + 60) this.#cut(bytes, from)
    return { from, bytes: this.#damaged(bytes, from) }
  }

  /** Lone fragments, or packets to hosts that nobody knows. */
  #flooding(): FuzzFrame {
    const random = this.#random, { ofFragments } = this.#flood, number = this.#flood.left--
    const destination = random.pick(REMOTES) + (ofFragments ? 0 : (1 + number % 8) << 8) as Ipv4Address
    const frame = udpFrame({ address: random.pick(HOSTS), port: 2000 + random.below(24) as Port }, { address: destination, port: 80 as Port }, this.#noise.subarray(0, 16))
    const bytes = ofFragments ? piece(frame, 8) : frame
    write16(bytes, IP + 4, random.below(65536))
    ipv4.writeChecksum(bytes, IP)
    return { from: 'lan', bytes: addressed(bytes, 'lan') }
  }

  /** A frame as it should be. */
  #good(from: Side): Uint8Array {
    const random = this.#random, seen = this.#recent[from], choice = random.below(20)
    if (choice < 7 && seen.length > 0) return this.#answer(random.pick(seen))
    if (choice < 9 && seen.length > 0) return this.#error(random.pick(seen), from)
    if (choice === 9) return this.#arp(from)
    return this.#fresh(from)
  }

  #fresh(from: Side): Uint8Array {
    const random = this.#random, outbound = from === 'lan'
    const source = random.pick(outbound ? HOSTS : REMOTES), ownPort = outbound ? 2000 + random.below(24) : 1 + random.below(20)
    let destination = random.pick(outbound ? REMOTES : WAN_ADDRESSES), port = outbound ? 1 + random.below(20) : 4990 + random.below(30)
    if (outbound && random.oneIn(50)) destination = LAN_ADDRESS
    // Somebody's WAN endpoint: the source of what the router has sent there.
    else if (random.oneIn(6) && this.#recent.wan.length > 0) {
      const known = random.pick(this.#recent.wan)
      destination = ipv4.source(known, IP)
      port = read16(known, TRANSPORT)
    } else if (outbound && random.oneIn(12)) destination = random.pick(WAN_ADDRESSES)
    return this.#packet(source, (random.oneIn(20) ? random.below(1100) : ownPort) as Port, destination, port as Port)
  }

  #packet(source: Ipv4Address, sourcePort: Port, destination: Ipv4Address, destinationPort: Port): Uint8Array {
    const random = this.#random, length = random.oneIn(12) ? 500 + random.below(LONGEST_PAYLOAD - 500) : random.below(50)
    const begin = random.below(LONGEST_PAYLOAD), payload = this.#noise.subarray(begin, begin + length)
    const from = { address: source, port: sourcePort }, to = { address: destination, port: destinationPort }
    const options = { identification: random.below(64), dontFragment: random.oneIn(4), timeToLive: random.oneIn(40) ? random.below(3) : 64 }
    switch (random.below(16)) {
      case 0: case 1: case 2: return icmpFrame(source, destination, { type: random.pick(QUERIES), identifier: sourcePort }, payload, options)
      case 3: return withProtocol(udpFrame(from, to, payload, options), random.pick(OTHER_PROTOCOLS))
      case 4: case 5: return withMaximumSegment(tcpFrame(from, to, random.pick([syn, syn | ack]), payload, options), random.below(2000), random.below(4))
      case 6: case 7: case 8: case 9: return tcpFrame(from, to, random.pick(FLAGS), payload, options)
      case 10: return withoutChecksum(udpFrame(from, to, payload, options))
      default: return udpFrame(from, to, payload, options)
    }
  }

  /** The same the other way: its checksums hold as they did. */
  #answer(frame: Uint8Array): Uint8Array {
    const bytes = frame.slice(), source = ipv4.source(bytes, IP), port = read16(bytes, TRANSPORT)
    ipv4.setSource(bytes, IP, ipv4.destination(bytes, IP))
    ipv4.setDestination(bytes, IP, source)
    const protocol = ipv4.protocol(bytes, IP)
    if (protocol === ipv4.PROTOCOL.icmp) {
      bytes[TRANSPORT] = icmp.type(bytes, TRANSPORT) === icmp.TYPE.echo ? icmp.TYPE.echoReply : icmp.TYPE.echo
    } else {
      write16(bytes, TRANSPORT, read16(bytes, TRANSPORT + 2))
      write16(bytes, TRANSPORT + 2, port)
    }
    if (protocol === ipv4.PROTOCOL.tcp) bytes[TRANSPORT + 13] = this.#random.pick(FLAGS)
    repairChecksums(bytes)
    return bytes
  }

  #error(about: Uint8Array, from: Side): Uint8Array {
    const random = this.#random, length = about.length - IP, quote = random.oneIn(3) ? random.below(length) : length
    const sender = random.oneIn(2) ? ipv4.destination(about, IP) : random.pick(from === 'lan' ? HOSTS : REMOTES)
    return icmpError(formatIpv4(sender), formatIpv4(ipv4.source(about, IP)), random.pick(ERRORS), random.below(5), about, quote)
  }

  #arp(from: Side): Uint8Array {
    const random = this.#random, own = from === 'lan' ? LAN_ADDRESS : random.pick(WAN_ADDRESSES)
    const sender = { mac: MACS.lan, address: formatIpv4(random.pick(from === 'lan' ? HOSTS : REMOTES)) }
    return random.oneIn(2) ? arpRequest(sender, formatIpv4(own)) : arpReply(sender, { mac: MACS[from], address: formatIpv4(own) })
  }

  /** Two to five fragments of a packet without options, for later. */
  #cut(bytes: Uint8Array, from: Side): void {
    if (ethernet.type(bytes, 0) !== ethernet.TYPE.ipv4 || ipv4.isFragment(bytes, IP) || ipv4.headerLength(bytes, IP) !== ipv4.MINIMUM_HEADER) return
    const random = this.#random, length = bytes.length - TRANSPORT, step = 8 * Math.ceil(length / 8 / (2 + random.below(4)))
    const parts: Uint8Array[] = []
    for (let at = 0; at < length; at += step) if (!random.oneIn(25)) parts.push(piece(bytes, at, Math.min(at + step, length)))
    if (parts.length > 1 && random.oneIn(2)) parts.reverse()
    if (parts.length > 1 && random.oneIn(10)) parts.push(random.pick(parts))
    for (const part of parts) this.#begun.push({ from, bytes: part })
  }

  /** Some of its bytes, its length or its checksums changed; checksums mostly made right again, so that deeper layers are reached. */
  #damaged(frame: Uint8Array, from: Side): Uint8Array {
    const random = this.#random
    let bytes = frame
    if (random.oneIn(8) && ethernet.type(bytes, 0) === ethernet.TYPE.ipv4) bytes = this.#withSomeOptions(bytes)
    if (random.oneIn(8)) bytes = withTrailer(bytes, random.below(40))
    for (let changes = random.pick([0, 0, 0, 1, 1, 2, 4]); changes > 0; changes--) {
      const at = random.below(random.pick([14, 34, 54, 70, bytes.length]))
      if (at < bytes.length) bytes[at] = random.oneIn(2) ? random.pick(SPOILERS) : random.oneIn(2) ? random.below(256) : bytes[at] ^ (1 << random.below(8))
    }
    if (random.oneIn(16)) bytes = bytes.slice(0, random.below(bytes.length + 1))
    if (random.oneIn(200)) bytes = random.bytes(random.below(100))
    if (!random.oneIn(25)) addressed(bytes, from)
    if (!random.oneIn(10)) repairChecksums(bytes)
    return bytes
  }

  #withSomeOptions(frame: Uint8Array): Uint8Array {
    const random = this.#random
    if (ipv4.headerLength(frame, IP) !== ipv4.MINIMUM_HEADER) return frame
    const bytes = withOptions(frame, 4 * (1 + random.below(10)))
    if (random.oneIn(2)) bytes.set([random.pick(OPTIONS), random.below(12)], TRANSPORT + random.below(3))
    return bytes
  }
}

function addressed(bytes: Uint8Array, to: Side): Uint8Array {
  if (bytes.length >= ethernet.HEADER) ethernet.setAddresses(bytes, 0, MACS[to], MACS.lan)
  return bytes
}

function answerToArp(question: Uint8Array, side: Side): Uint8Array {
  const at = ethernet.HEADER
  return arpReply({ mac: Uint8Array.of(2, 1, 1, 1, 1, 1) as MacAddress, address: formatIpv4(arp.targetAddress(question, at)) }, { mac: MACS[side], address: formatIpv4(arp.senderAddress(question, at)) })
}

function withProtocol(frame: Uint8Array, protocol: number): Uint8Array {
  frame[IP + 9] = protocol
  ipv4.writeChecksum(frame, IP)
  return frame
}

function withoutChecksum(frame: Uint8Array): Uint8Array {
  write16(frame, TRANSPORT + 6, 0)
  return frame
}

/** A copy of a TCP frame that announces a maximum segment size, between options of one byte; none ends the list, so that only its length does. */
function withMaximumSegment(frame: Uint8Array, size: number, before: number): Uint8Array {
  const options = TRANSPORT + tcp.MINIMUM_HEADER, longer = new Uint8Array(frame.length + 8).fill(1, options, options + 8)
  longer.set(frame.subarray(0, options))
  longer.set([2, 4, size >>> 8, size & 255], options + before)
  longer.set(frame.subarray(options), options + 8)
  longer[TRANSPORT + 12] = 0x70
  write16(longer, IP + 2, longer.length - IP)
  repairChecksums(longer)
  return longer
}

/** Those of the IPv4 header, of ICMP and of TCP, as far as the frame has them. */
function repairChecksums(bytes: Uint8Array): void {
  if (bytes.length < IP + ipv4.MINIMUM_HEADER || ethernet.type(bytes, 0) !== ethernet.TYPE.ipv4) return
  const header = ipv4.headerLength(bytes, IP), transport = IP + header, end = Math.min(IP + ipv4.totalLength(bytes, IP), bytes.length)
  if (header < ipv4.MINIMUM_HEADER || transport > bytes.length) return
  ipv4.writeChecksum(bytes, IP)
  if (ipv4.isFragment(bytes, IP)) return
  if (ipv4.protocol(bytes, IP) === ipv4.PROTOCOL.icmp && end - transport >= icmp.HEADER) icmp.writeChecksum(bytes, transport, end)
  if (ipv4.protocol(bytes, IP) === ipv4.PROTOCOL.tcp && end - transport >= tcp.MINIMUM_HEADER) tcp.writeChecksum(bytes, IP, transport, end)
}
