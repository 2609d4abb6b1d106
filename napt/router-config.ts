// A router as data: its name, its two sides, its behaviour.
import type { Behaviour, StaticMapping } from './behaviour/behaviour.js'
import { ConfigError, parsed, record, text, wholeNumber } from './fields.js'
import { blocksPerAddress } from './behaviour/port-blocks.js'
import { parseBehaviour } from './behaviour/read-behaviour.js'
import { formatEndpoint, formatIpv4, isInPrefix, parseIpv4, parsePrefix, prefixMask, type Ipv4Address, type Prefix } from './wire/address.js'

export interface RouterConfig {
  readonly name: string
  /** The LAN address of the router, with its network: 192.168.1.1/24. */
  readonly lan: { readonly interface: string, readonly prefix: Prefix }
  /** Without a gateway, every WAN address is on the cable. */
  readonly wan: { readonly interface: string, readonly address: Ipv4Address, readonly gateway?: Ipv4Address }
  readonly nat: Behaviour
  /** Where random choices begin: the same seed, the same ports. */
  readonly seed: number
}

/**
 * Reads a router's description as a file or a bench holds it: addresses as text, everything under `nat` optional.
 * @throws ConfigError naming the field
 */
export function parseRouterConfig(value: unknown, at = 'router'): RouterConfig {
  const fields = record(value, at, ['name', 'lan', 'wan', 'nat', 'seed'])
  const lan = record(fields.lan, `${at}.lan`, ['interface', 'address'])
  const wan = record(fields.wan, `${at}.wan`, ['interface', 'address', 'gateway'])
  const config: RouterConfig = {
    name: text(fields.name, `${at}.name`),
    lan: { interface: text(lan.interface, `${at}.lan.interface`), prefix: parsed(lan.address, `${at}.lan.address`, parsePrefix) },
    wan: {
      interface: text(wan.interface, `${at}.wan.interface`),
      address: parsed(wan.address, `${at}.wan.address`, parseIpv4),
      ...(wan.gateway === undefined ? {} : { gateway: parsed(wan.gateway, `${at}.wan.gateway`, parseIpv4) }),
    },
    nat: parseBehaviour(fields.nat ?? {}, `${at}.nat`),
    seed: wholeNumber(fields.seed ?? 1, `${at}.seed`, 0, 2 ** 32 - 1),
  }
  if (config.lan.interface === config.wan.interface) throw new ConfigError(`${at}: lan and wan are the same interface '${config.lan.interface}'; a router needs two`)
  checkRouterConfig(config, at)
  return config
}

/**
 * What of a router's addresses, networks and behaviour contradicts each other.
 * @throws ConfigError naming the field
 */
export function checkRouterConfig(config: RouterConfig, at = 'router'): void {
  const { prefix } = config.lan, { address, gateway } = config.wan
  if (isInPrefix(address, prefix)) throw new ConfigError(`${at}.wan.address ${formatIpv4(address)} lies in the LAN's network ${formatIpv4(prefix.address)}/${prefix.length}; a router's two sides need networks of their own`)
  for (const mapping of config.nat.staticMappings) checkStaticTarget(mapping, prefix)
  if (gateway === address) throw new ConfigError(`${at}.wan.gateway is the router's own WAN address ${formatIpv4(address)}; it has to be another router's`)
  checkAddresses(config, `${at}.nat`)
}

/** @throws ConfigError when a static mapping leads to no host of the LAN */
export function checkStaticTarget({ protocol, wanPort, address, port }: StaticMapping, lan: Prefix): void {
  if (isLanHost(address, lan)) return
  throw new ConfigError(`WAN port ${wanPort}/${protocol} cannot be mapped to ${formatEndpoint(address, port)}: that is no host of the LAN ${formatIpv4(lan.address)}/${lan.length}`)
}

/** Every WAN address that the router answers for: its own first, the pool, those of one-to-one NAT; none twice. */
export function wanAddressesOf({ wan, nat }: { readonly wan: { readonly address: Ipv4Address }, readonly nat: Behaviour }): Ipv4Address[] {
  return [...new Set([wan.address, ...nat.pool, ...nat.oneToOne.map(({ wanAddress }) => wanAddress)])]
}

/** An address of the LAN that a host can have: neither the router's, nor the network's, nor everybody's (RFC 3021 §2.2). */
function isLanHost(address: Ipv4Address, { address: router, length }: Prefix): boolean {
  const hostBits = ~prefixMask(length)
  const isEdge = length < 31 && ((address & hostBits) === 0 || (address & hostBits) === hostBits)
  return isInPrefix(address, { address: router, length }) && address !== router && !isEdge
}

/** What of the behaviour depends on the router's own addresses and networks. */
function checkAddresses(config: RouterConfig, at: string): void {
  const { lan: { prefix }, wan, nat } = config
  const lan = `${formatIpv4(prefix.address)}/${prefix.length}`
  const refuse = (field: string, why: string): never => { throw new ConfigError(`${at}.${field}${why}`) }
  const checkWan = (address: Ipv4Address, field: string): void => {
    if (isInPrefix(address, prefix)) refuse(field, ` ${formatIpv4(address)} lies in the LAN's network ${lan}; it has to be a WAN address`)
    if (address === wan.gateway) refuse(field, ` ${formatIpv4(address)} is the gateway's address`)
  }
  nat.pool.forEach((address, i) => checkWan(address, `pool[${i}]`))
  nat.oneToOne.forEach(({ wanAddress, address }, i) => {
    checkWan(wanAddress, `oneToOne[${i}].wanAddress`)
    if (wanAddress === wan.address) refuse(`oneToOne[${i}].wanAddress`, ` ${formatIpv4(wanAddress)} is the router's own address, which it cannot give to one host`)
    if (!isLanHost(address, prefix)) refuse(`oneToOne[${i}].address`, ` ${formatIpv4(address)} is no host of the LAN ${lan}`)
  })
  checkStaticMappings(config, at)
  checkPortBlocks(config, at)
}

function checkStaticMappings(config: RouterConfig, at: string): void {
  const own = wanAddressesOf(config), seen = new Set<string>(), targets = new Set<string>()
  config.nat.staticMappings.forEach(({ protocol, wanAddress = config.wan.address, wanPort, address, port }, i) => {
    if (!own.includes(wanAddress)) {
      throw new ConfigError(`${at}.staticMappings[${i}].wanAddress ${formatIpv4(wanAddress)} is not the router's; it has ${own.map(formatIpv4).join(', ')}`)
    }
    const key = `${protocol} ${wanAddress} ${wanPort}`
    if (seen.has(key)) throw new ConfigError(`${at}.staticMappings[${i}]: WAN port ${wanPort}/${protocol} of ${formatIpv4(wanAddress)} is mapped already`)
    seen.add(key)
    const target = `${protocol} ${formatEndpoint(address, port)}`
    if (targets.has(target)) throw new ConfigError(`${at}.staticMappings[${i}]: ${formatEndpoint(address, port)}/${protocol} has a static mapping already`)
    targets.add(target)
  })
}

/** A host's number in the LAN says which block it has; where none is left for the first host, the NAT serves nobody. */
function checkPortBlocks({ lan: { prefix }, nat }: RouterConfig, at: string): void {
  if (nat.portBlock === 0) return
  const lan = `${formatIpv4(prefix.address)}/${prefix.length}`, network = prefix.address & prefixMask(prefix.length)
  const host = [0, 1, 2].map(number => (network | number) as Ipv4Address).find(address => isLanHost(address, prefix))
  if (host === undefined) throw new ConfigError(`${at}.portBlock: the LAN ${lan} has no room for hosts, so that no block of ports would have a holder`)
  const blocks = blocksPerAddress(nat) * Math.max(1, nat.pool.length)
  if (host - network < blocks) return
  throw new ConfigError(`${at}.portBlock: the WAN addresses have ${blocks} blocks of ${nat.portBlock} ports, counted from 0, and the LAN's first host ${formatIpv4(host)} would have number ${host - network}: no host could be served`)
}
