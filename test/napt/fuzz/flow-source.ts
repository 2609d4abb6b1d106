// Packets of few flows, again and again in both directions, as a router's fast path sees them: most of them good, and some with
// one thing about them that makes them a case of their own.
import { IP, TRANSPORT, withOptions, withTrailer } from '../frames.js'
import { MACS } from '../router-bench.js'
import type { Random } from '../random.js'
import type { Side } from '../../../napt/verdict.js'
import { parseIpv4, type Endpoint, type MacAddress, type Port } from '../../../napt/wire/address.js'
import { read16, readInt32, write16 } from '../../../napt/wire/bytes.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import { tcpFrame, udpFrame } from '../../../napt/wire/frame.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'
import * as tcp from '../../../napt/wire/tcp.js'

export interface FlowFrame { readonly from: Side, readonly bytes: Uint8Array, readonly partial: boolean, readonly segment: number }

interface Flow {
  readonly isTcp: boolean
  readonly host: Endpoint
  readonly remote: Endpoint
  /** Where the flow's packets seem to come from beyond the router; null until one has left. */
  outside: Endpoint | null
  sent: number
  /** By the side that a datagram comes from: the checksum that its translation turns into zero. */
  readonly zero: Record<Side, number>
}

const HOSTS = [2, 3, 4, 11].map(host => parseIpv4(`192.168.1.${host}`))
/** One of them becomes the router's own when it is renumbered. */
const REMOTES = ['130.74.23.6', '8.117.12.109', '202.204.16.77'].map(parseIpv4)
/** To which nothing goes out: nobody's, the LAN's, the router's own. */
const NOT_OUT = ['127.0.0.1', '240.1.2.3', '192.168.1.4', '192.168.1.1', '202.204.16.13', '224.0.0.1'].map(parseIpv4)
const SENDER = Uint8Array.of(2, 1, 1, 1, 1, 1) as MacAddress
const { syn, ack, fin, rst, psh } = tcp.FLAG
const FLAGS = [ack, ack, ack, psh | ack, psh | ack, 0, 0xd0, syn, syn | ack, fin | ack, rst]
const PAYLOADS = [0, 1, 18, 19, 400, 548, 549, 1452, 1460, 1461, 1472, 1473]
const MOST = 2000

export class FlowSource {
  readonly #random: Random
  readonly #flows: Flow[]
  readonly #frames: number
  readonly #noise: Uint8Array
  #last: Flow
  #lastFrame: FlowFrame | undefined

  /** @param frames that a flow has before another one takes its place, on average */
  constructor(random: Random, frames = Infinity) {
    this.#random = random
    this.#frames = frames
    this.#noise = random.bytes(2 * MOST)
    this.#flows = Array.from({ length: 48 }, (_, i) => this.#flow(i, 2000 + i))
    this.#last = this.#flows[0]
  }

  /** Flow `i`, from a port of its host. */
  #flow(i: number, port: number): Flow {
    const random = this.#random
    return {
      isTcp: i % 2 === 0, host: { address: random.pick(HOSTS), port: port as Port }, outside: null, sent: 0, zero: { lan: 0, wan: 0 },
      remote: { address: random.pick(this.#frames < Infinity && random.oneIn(12) ? NOT_OUT : REMOTES), port: (random.oneIn(8) ? random.pick([0, 0xffff]) : 80 + i % 3) as Port },
    }
  }

  /** The last frame left the router as `after`. */
  forwarded(to: Side, after: Uint8Array): void {
    const flow = this.#last, before = this.#lastFrame
    if (before !== undefined && !before.partial) flow.zero[before.from] = sum(read16(before.bytes, TRANSPORT + 6), ~read16(after, TRANSPORT + 6) & 0xffff)
    if (to === 'wan') flow.outside = { address: ipv4.source(after, IP), port: read16(after, TRANSPORT) as Port }
  }

  next(): FlowFrame {
    const random = this.#random, i = random.below(this.#flows.length)
    if (this.#frames < Infinity && random.oneIn(this.#frames)) this.#flows[i] = this.#flow(i, random.oneIn(4) ? 1 + random.below(65535) : 2000 + random.below(200))
    const flow = this.#flows[i]
    this.#last = flow
    const from: Side = flow.outside !== null && random.oneIn(2) ? 'wan' : 'lan', { outside } = flow
    const [source, destination] = from === 'lan' || outside === null ? [flow.host, flow.remote] : [flow.remote, outside]
    const begin = random.below(MOST), payload = this.#noise.subarray(begin, begin + (random.oneIn(3) ? random.pick(PAYLOADS) : random.below(60)))
    const options = { identification: random.below(65536), dontFragment: random.oneIn(3), timeToLive: random.oneIn(20) ? random.below(3) : 1 + random.below(255), sourceMac: SENDER, destinationMac: MACS[from] }
    const flags = flow.sent++ < 2 || random.oneIn(30) ? syn : random.oneIn(4) ? random.pick(FLAGS) : ack
    const frame = flow.isTcp && flags === syn && random.oneIn(2) ? withMaximumSegment(source, destination, options)
      : flow.isTcp ? tcpFrame(source, destination, flags, payload, options) : udpFrame(source, destination, payload, options)
    if (!flow.isTcp && random.oneIn(6)) write16(frame, TRANSPORT + 6, random.pick([0, 0, 0xffff, 1, flow.zero[from], flow.zero[from]]))
    const bytes = random.oneIn(4) ? this.#special(frame) : frame
    const segment = random.oneIn(6) ? 1 + random.below(1500) : 0
    this.#lastFrame = { from, bytes, partial: random.oneIn(5), segment }
    return this.#lastFrame
  }

  #special(frame: Uint8Array): Uint8Array {
    const random = this.#random
    switch (random.below(8)) {
      case 0: return withTrailer(frame, random.below(40))
      case 1: return withOptions(frame, 4 * (1 + random.below(10)))
      case 2: return frame.slice(0, random.below(frame.length + 1))
      case 3: return spoilt(frame, random.below(6), random)
      case 4: return spoilt(frame, random.below(14), random)
      case 5: return spoilt(frame, IP + random.below(20), random)
      case 6: {
        const bytes = spoilt(frame, IP + random.below(20), random)
        if (bytes[IP] >>> 4 === 4 && ipv4.headerLength(bytes, IP) <= bytes.length - IP) ipv4.writeChecksum(bytes, IP)
        return bytes
      }
      default: return spoilt(frame, TRANSPORT + random.below(20), random)
    }
  }
}

/** A SYN with its one option. */
function withMaximumSegment(source: Endpoint, destination: Endpoint, options: Parameters<typeof tcpFrame>[4]): Uint8Array {
  const frame = tcpFrame(source, destination, syn, Uint8Array.of(2, 4, 1460 >> 8, 1460 & 255), options)
  frame[TRANSPORT + 12] = 0x60
  tcp.writeChecksum(frame, IP, TRANSPORT, frame.length)
  return frame
}

/** In one's complement. */
const sum = (a: number, b: number): number => (a + b & 0xffff) + (a + b >>> 16)

function spoilt(frame: Uint8Array, at: number, random: Random): Uint8Array {
  const bytes = frame.slice()
  if (at < bytes.length) bytes[at] = random.oneIn(2) ? random.below(256) : bytes[at] ^ (1 << random.below(8))
  return bytes
}

/** An answer to the ARP request `frame`, or null when it is none. */
export function arpAnswer(frame: Uint8Array): Uint8Array | null {
  const at = ethernet.HEADER
  if (ethernet.type(frame, 0) !== ethernet.TYPE.arp || read16(frame, at + 6) !== 1) return null
  const answer = frame.slice(), asked = readInt32(frame, at + 24)
  answer.set(frame.subarray(6, 12), 0)
  answer.set(SENDER, 6)
  answer[at + 7] = 2
  answer.set(frame.subarray(at + 8, at + 18), at + 18)
  answer.set(SENDER, at + 8)
  answer.set([asked >>> 24, asked >>> 16, asked >>> 8, asked], at + 14)
  return answer
}
