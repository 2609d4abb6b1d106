// Where a packet goes next on the cable of a side, and by which MAC address: the gateway or the destination itself, ARP both ways,
// and the frames that wait for an answer.
import type { Addressing } from './addressing.js'
import { LAN_HAND, WAN_HAND } from './assembly/layout.js'
import type { OwnMessages } from './answers/own-messages.js'
import { Neighbours } from './neighbours.js'
import { completeChecksum, Packet } from './packet.js'
import type { RouterConfig } from './router-config.js'
import type { RouterMemory } from './router-memory.js'
import { otherSide, type DropReason, type Side } from './verdict.js'
import * as arp from './wire/arp.js'
import * as ethernet from './wire/ethernet.js'
import * as icmp from './wire/icmp.js'
import * as ipv4 from './wire/ipv4.js'
import { isInPrefix, type Ipv4Address, type MacAddress } from './wire/address.js'

export interface NextHopActions {
  /** A frame that waited, to be processed anew as if it came in now. */
  redeliver(from: Side, frame: Uint8Array): void
  /** A frame that waited in vain; its sender has been told. */
  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void
  /** The MAC address of a next hop; where there is this, ARP is not asked. */
  readonly neighbour?: ((side: Side, address: Ipv4Address) => MacAddress) | undefined
}

export class NextHops {
  /** The router's, as it is now. */
  config: RouterConfig
  readonly #addressing: Addressing
  readonly #own: OwnMessages
  readonly #actions: NextHopActions
  readonly #lan: Neighbours
  readonly #wan: Neighbours
  /** For frames that waited: the router's may be in use. */
  readonly #late = new Packet()
  #now = 0

  constructor(config: RouterConfig, addressing: Addressing, own: OwnMessages, actions: NextHopActions, memory: RouterMemory) {
    this.config = config
    this.#addressing = addressing
    this.#own = own
    this.#actions = actions
    this.#lan = this.#neighboursOf('lan', memory)
    this.#wan = this.#neighboursOf('wan', memory)
  }

  /** The MAC address for a packet that leaves by side `to`, or null when it has to be asked for. Allocates nothing. */
  find(to: Side, destination: Ipv4Address, now: number): MacAddress | null {
    return this.neighbours(to).find(this.#nextHop(to, destination), now)
  }

  /** Who is on the cable of a side. */
  neighbours(side: Side): Neighbours { return side === 'lan' ? this.#lan : this.#wan }
  #nextHop(to: Side, destination: Ipv4Address): Ipv4Address { return to === 'lan' ? destination : this.config.wan.gateway ?? destination }

  /** Keeps a copy of the packet until its next hop answers; false when too many wait already. */
  hold(packet: Packet, to: Side, destination: Ipv4Address, now: number): boolean {
    const frame = packet.bytes.slice(packet.frame, packet.end)
    if (packet.partial) completeChecksum(frame, 0, frame.length)
    return this.neighbours(to).hold(this.#nextHop(to, destination), frame, now)
  }

  /** An ARP message `bytes[at, end)` came in on a side: `asked` for an address of the router, and answered; `told` it something; or why it is dropped. */
  arrive(bytes: Uint8Array, at: number, end: number, from: Side, now: number): 'asked' | 'told' | DropReason {
    const defect = arp.check(bytes, at, end)
    if (defect !== null) return defect
    const sender = arp.senderAddress(bytes, at), target = arp.targetAddress(bytes, at)
    const forUs = this.#addressing.isAnsweredFor(from, target)
    if (sender !== 0 && !this.#addressing.isAnsweredFor(from, sender)) this.neighbours(from).learn(sender, arp.senderMac(bytes, at), now, forUs)
    if (!forUs) return 'not-for-router'
    if (arp.operation(bytes, at) !== arp.OPERATION.request) return 'told'
    this.#own.arpReply(from, target, { mac: arp.senderMac(bytes, at), address: sender })
    return 'asked'
  }

  tick(now: number): void {
    this.#now = now
    this.#lan.tick(now)
    this.#wan.tick(now)
  }

  /** Milliseconds until `tick` has something to do, or Infinity. */
  untilTick(now: number): number { return Math.min(this.#lan.untilTick(now), this.#wan.untilTick(now)) }

  /** The neighbours beyond one side: frames that wait for them came in on either. */
  #neighboursOf(side: Side, memory: RouterMemory): Neighbours {
    const { neighbour } = this.#actions
    return new Neighbours({
      ask: address => this.#own.arpRequest(side, address),
      ready: frame => this.#actions.redeliver(this.#cameFrom(side, frame), frame),
      failed: frame => {
        const from = this.#cameFrom(side, frame)
        if (this.#late.parse(frame, 0, frame.length, false) === null) this.#own.error(this.#late, from, { type: icmp.TYPE.unreachable, code: icmp.UNREACHABLE.host }, this.#now)
        this.#actions.abandoned(from, frame, 'neighbour-unreachable')
      },
      ...(neighbour === undefined ? {} : { known: address => neighbour(side, address) }),
    }, memory, side === 'lan' ? LAN_HAND : WAN_HAND)
  }

  /** The side of a frame that waits to leave by side `to`: the other one, unless it turns back into the LAN. */
  #cameFrom(to: Side, frame: Uint8Array): Side {
    return to === 'lan' && isInPrefix(ipv4.source(frame, ethernet.HEADER), this.config.lan.prefix) ? 'lan' : otherSide(to)
  }
}
