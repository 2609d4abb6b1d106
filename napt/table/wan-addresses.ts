// The WAN addresses of a router, the ports of each, and which of them a host's next mapping gets (RFC 4787 §4.1 and §4.2;
// RFC 2663 §4.1; RFC 7422).
//
//   one-to-one    the host's own address, always
//   addresses     basic NAT: an address of the pool that is the host's alone while it has mappings
//   port block    deterministic NAT: address and ports follow from the host's number
//   paired        the address that the host's first mapping got
//   arbitrary     the next address of the pool, mapping by mapping
import type { Behaviour, Protocol } from '../behaviour/behaviour.js'
import { blocksPerAddress, firstBlockPort } from '../behaviour/port-blocks.js'
import type { Random } from '../random.js'
import { wanAddressesOf } from '../router-config.js'
import type { DropReason } from '../verdict.js'
import { prefixMask, type Ipv4Address, type Prefix } from '../wire/address.js'
import { PROTOCOL_CODE, type ProtocolCode } from './flow-index.js'
import type { Hosts } from './hosts.js'
import { PortPool, type PortRequest, type PortRules } from './ports.js'

const NONE = -1

export interface AddressConfig {
  readonly nat: Behaviour
  readonly wan: { readonly address: Ipv4Address }
  readonly lan: { readonly prefix: Prefix }
}

/** Whether a WAN endpoint that others hold may be had as well. */
export type Sharable = (wanAddress: number, wanPort: number) => boolean

type Pools = Readonly<Record<Protocol, PortPool>>

export class WanAddresses {
  #config: AddressConfig
  readonly #random: Random
  readonly #hosts: Hosts
  readonly #pools = new Map<number, Pools>()
  /** What mappings are made on, unless the host has an address of its own. */
  #shared: readonly Ipv4Address[] = []
  #isShared: ReadonlySet<number> = new Set()
  /** One-to-one: by LAN address the WAN address, and the other way round. */
  #ownAddress = new Map<number, Ipv4Address>()
  #ownHost = new Map<number, Ipv4Address>()
  /** Basic NAT: which host has which address of the pool now. */
  readonly #boundHost = new Map<number, number>()
  #turn = 0
  /** The address of the last `allocate`, and why it gave -1. */
  address = 0
  failure: DropReason = 'no-free-port'

  constructor(config: AddressConfig, hosts: Hosts, random: Random) {
    this.#config = config
    this.#hosts = hosts
    this.#random = random
    this.change(config)
  }

  /** The addresses are others now, or the rules of their ports. No mapping may be left on an address that is gone. */
  change(config: AddressConfig): void {
    this.#config = config
    const { pool, oneToOne } = config.nat
    this.#shared = pool.length === 0 ? [config.wan.address] : pool
    this.#isShared = new Set(this.#shared)
    this.#ownAddress = new Map(oneToOne.map(({ address, wanAddress }) => [address, wanAddress]))
    this.#ownHost = new Map(oneToOne.map(({ address, wanAddress }) => [wanAddress, address]))
    const all = new Set<number>(wanAddressesOf(config))
    for (const address of this.#pools.keys()) if (!all.has(address)) this.#pools.delete(address)
    for (const address of all) {
      const pools = this.#pools.get(address)
      if (pools === undefined) this.#pools.set(address, this.#newPools())
      else for (const protocol of ['tcp', 'udp', 'icmp'] as const) pools[protocol].change(rulesOf(config.nat, protocol))
    }
  }

  /** Whether a mapping can be on this address. */
  has(address: number): boolean { return this.#pools.has(address) }

  /** The host that has this WAN address for itself, or 0. `isAlways` is false for one that has it only now. */
  hostOf(wanAddress: number): number { return this.#ownHost.get(wanAddress) ?? this.#boundHost.get(wanAddress) ?? 0 }
  isOneToOne(wanAddress: number): boolean { return this.#ownHost.size > 0 && this.#ownHost.has(wanAddress) }
  /** The WAN address that a host has for itself now, if it has one; `host` is its row, or -1. */
  ownAddress(lanAddress: number, host: number): Ipv4Address | undefined {
    const always = this.#ownAddress.get(lanAddress)
    if (always !== undefined || host === NONE || this.#config.nat.translation !== 'addresses') return always
    const bound = this.#hosts.wanAddress(host) as Ipv4Address
    return bound === 0 ? undefined : bound
  }

  /** Whether this host's mappings are on an address of its own. */
  hasOwnAddress(lanAddress: number): boolean { return this.#config.nat.translation === 'addresses' || this.#ownAddress.size > 0 && this.#ownAddress.has(lanAddress) }

  setNextPort(protocol: Protocol, port: number): void {
    for (const pools of this.#pools.values()) pools[protocol].setNext(port)
  }

  /** Takes one given port; false when it is taken. Protocols without ports always have it. */
  take(code: ProtocolCode, address: number, port: number): boolean {
    return this.#pool(code, address)?.take(port) ?? true
  }

  /**
   * A WAN port for a new mapping of a LAN endpoint, with the address in `address`; -1 with `failure`. `host`: the host's row.
   * `preferredPort` is tried first, if not 0 (contiguity); `sharable` is null where no WAN endpoint is shared.
   */
  allocate(code: ProtocolCode, host: number, lanAddress: number, lanPort: number, preferredPort: number, sharable: Sharable | null, now: number): number {
    const { nat } = this.#config, own = this.#ownAddress.get(lanAddress)
    if (own !== undefined) return this.#takeOwn(code, lanPort, own)
    if (nat.translation === 'addresses') return this.#allocateAddress(code, host, lanAddress, lanPort)
    if (nat.portBlock > 0) return this.#allocateInBlock(code, lanAddress, lanPort, preferredPort, sharable, now)
    if (nat.pooling === 'paired') {
      const paired = this.#hosts.wanAddress(host)
      return this.#allocateOn(code, this.#isShared.has(paired) ? paired as Ipv4Address : this.#nextShared(), host, lanPort, preferredPort, sharable, now)
    }
    for (let tries = this.#shared.length; tries > 0; tries--) {
      const port = this.#allocateOn(code, this.#nextShared(), host, lanPort, preferredPort, sharable, now)
      if (port !== NONE) return port
    }
    return NONE
  }

  release(code: ProtocolCode, address: number, port: number, now: number): void {
    this.#pool(code, address)?.release(port, now)
  }

  /** The host has no mapping any more: an address that was its own for the time is free. */
  hostLeft(wanAddress: number): void { this.#boundHost.delete(wanAddress) }

  #allocateOn(code: ProtocolCode, address: Ipv4Address, host: number, lanPort: number, preferredPort: number, sharable: Sharable | null, now: number, block?: PortRequest): number {
    this.address = address
    this.failure = this.#config.nat.portAllocation === 'preserve' && this.#config.nat.portCollision === 'refuse' ? 'port-taken' : 'no-free-port'
    const pool = this.#pool(code, address)
    // Without ports, the remote address alone tells two hosts apart.
    if (pool === undefined) return sharable?.(address, lanPort) === true ? lanPort : this.#fail('peer-taken')
    // Mostly there is nothing to ask for but a port.
    const port = preferredPort === 0 && sharable === null && block === undefined ? pool.allocate(lanPort, now) : pool.allocate(lanPort, now, {
      ...block,
      ...(preferredPort === 0 ? {} : { preferred: preferredPort }),
      ...(sharable === null ? {} : { sharable: candidate => sharable(address, candidate) }),
    })
    if (port !== NONE && host !== NONE) this.#hosts.setWanAddress(host, address)
    return port
  }

  #allocateAddress(code: ProtocolCode, host: number, lanAddress: number, lanPort: number): number {
    const bound = this.#hosts.wanAddress(host) as Ipv4Address
    if (bound !== 0) return this.#takeOwn(code, lanPort, bound)
    const address = this.#shared.find(candidate => !this.#boundHost.has(candidate))
    if (address === undefined) return this.#fail('no-free-address')
    const port = this.#takeOwn(code, lanPort, address)
    if (port !== NONE) {
      this.#boundHost.set(address, lanAddress)
      this.#hosts.setWanAddress(host, address)
    }
    return port
  }

  /** The host's own address: the port stays as it is. */
  #takeOwn(code: ProtocolCode, lanPort: number, address: Ipv4Address): number {
    this.address = address
    return this.take(code, address, lanPort) ? lanPort : this.#fail('port-taken')
  }

  /** RFC 7422 §2: which ports a host has follows from its number in the LAN, so that nobody has to log them. */
  #allocateInBlock(code: ProtocolCode, lanAddress: number, lanPort: number, preferredPort: number, sharable: Sharable | null, now: number): number {
    const { nat, lan } = this.#config
    const blocks = blocksPerAddress(nat)
    const hostNumber = (lanAddress & ~prefixMask(lan.prefix.length)) >>> 0
    const nth = Math.floor(hostNumber / blocks)
    if (nth >= this.#shared.length) return this.#fail('no-port-block')
    const from = firstBlockPort(nat.portRange) + (hostNumber % blocks) * nat.portBlock
    return this.#allocateOn(code, this.#shared[nth], NONE, lanPort, preferredPort, sharable, now, { from, to: from + nat.portBlock - 1 })
  }

  #nextShared(): Ipv4Address {
    const address = this.#shared[this.#turn % this.#shared.length]
    this.#turn = (this.#turn + 1) % this.#shared.length
    return address
  }

  #pool(code: ProtocolCode, address: number): PortPool | undefined {
    const pools = this.#pools.get(address)
    return code === PROTOCOL_CODE.tcp ? pools?.tcp : code === PROTOCOL_CODE.udp ? pools?.udp : code === PROTOCOL_CODE.icmp ? pools?.icmp : undefined
  }

  #newPools(): Pools {
    const pool = (protocol: Protocol): PortPool => new PortPool(rulesOf(this.#config.nat, protocol), this.#random)
    return { tcp: pool('tcp'), udp: pool('udp'), icmp: pool('icmp') }
  }

  #fail(reason: DropReason): -1 {
    this.failure = reason
    return NONE
  }
}

/** Identifiers of ICMP queries have no well-known ones, no parity and no range (RFC 5508 §3.1). */
function rulesOf(nat: Behaviour, protocol: Protocol): PortRules {
  const isIcmp = protocol === 'icmp', { from, to } = isIcmp ? { from: 0, to: 65535 } : nat.portRange
  // All fields in one place: objects that are put together from others differ in their shape, and what reads them is compiled for one.
  return {
    allocation: nat.portAllocation, collision: nat.portCollision, parity: !isIcmp && nat.portParity, keepWellKnown: !isIcmp && nat.keepWellKnownPorts,
    first: nat.firstPort[protocol], from, to, reuseDelay: nat.portReuseDelay * 1000,
  }
}
