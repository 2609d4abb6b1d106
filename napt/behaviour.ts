// How a NAT behaves, as independent choices in the words of RFC 4787, and their check. Times are in seconds here, as in the
// RFCs; the tables work in milliseconds.
import { AddressError, formatEndpoint, formatIpv4, isInPrefix, parseIpv4, parsePrefix, type Ipv4Address, type Port, type Prefix } from './wire/address.js'

/** RFC 4787 §4.1 and §5: on how much of the remote endpoint a mapping or a filter depends. */
export const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const
export type Dependence = typeof DEPENDENCES[number]

/** `sequential`: from the protocol's first port upwards. `preserve`: the LAN port where it is free, else sequential (RFC 4787 §4.2.1). */
export const PORT_POLICIES = ['sequential', 'preserve'] as const
export type PortPolicy = typeof PORT_POLICIES[number]

export const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const
export type Protocol = typeof PROTOCOLS[number]

export interface StaticMapping {
  readonly protocol: 'tcp' | 'udp'
  readonly wanPort: Port
  readonly address: Ipv4Address
  readonly port: Port
}

export interface Timeouts {
  /** RFC 4787 REQ-5: at least 120, 300 recommended. */
  readonly udp: number
  /** RFC 5508 REQ-2: at least 60. */
  readonly icmp: number
  /** RFC 5382 REQ-5: at least 240, for opening and closing connections. */
  readonly tcpTransitory: number
  /** RFC 5382 REQ-5: at least 7440. */
  readonly tcpEstablished: number
}

export interface Behaviour {
  readonly mapping: Dependence
  readonly filtering: Dependence
  readonly portAllocation: PortPolicy
  /** The first WAN port of each protocol; for ICMP the first query identifier. */
  readonly firstPort: Readonly<Record<Protocol, number>>
  readonly timeouts: Timeouts
  readonly staticMappings: readonly StaticMapping[]
  /** Sessions that the table may hold. */
  readonly maximumSessions: number
}

export const DEFAULT_BEHAVIOUR: Behaviour = {
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
  portAllocation: 'preserve',
  firstPort: { tcp: 1024, udp: 1024, icmp: 0 },
  timeouts: { udp: 300, icmp: 60, tcpTransitory: 240, tcpEstablished: 7440 },
  staticMappings: [],
  maximumSessions: 1 << 20,
}

export interface RouterConfig {
  readonly name: string
  /** The LAN address of the router, with its network: 192.168.1.1/24. */
  readonly lan: { readonly interface: string, readonly prefix: Prefix }
  /** Without a gateway, every WAN address is on the cable. */
  readonly wan: { readonly interface: string, readonly address: Ipv4Address, readonly gateway?: Ipv4Address }
  readonly nat: Behaviour
}

/** A configuration that cannot be. The message names the field, what it holds and what it may hold. */
export class ConfigError extends Error {}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a router's description as a file or a bench holds it: addresses as text, everything under `nat` optional.
 * @throws ConfigError naming the field
 */
export function parseRouterConfig(value: unknown, at = 'router'): RouterConfig {
  const fields = record(value, at, ['name', 'lan', 'wan', 'nat'])
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
  }
  if (config.lan.interface === config.wan.interface) throw new ConfigError(`${at}: lan and wan are the same interface '${config.lan.interface}'; a router needs two`)
  const { prefix } = config.lan, { address, gateway } = config.wan
  if (isInPrefix(address, prefix)) throw new ConfigError(`${at}.wan.address ${formatIpv4(address)} lies in the LAN's network ${formatIpv4(prefix.address)}/${prefix.length}; a router's two sides need networks of their own`)
  if (gateway === address) throw new ConfigError(`${at}.wan.gateway is the router's own WAN address ${formatIpv4(address)}; it has to be another router's`)
  return config
}

/** @throws ConfigError naming the field */
export function parseBehaviour(value: unknown, at = 'nat'): Behaviour {
  const base = DEFAULT_BEHAVIOUR
  const fields = record(value, at, ['mapping', 'filtering', 'portAllocation', 'firstPort', 'timeouts', 'staticMappings', 'maximumSessions'])
  const firstPort = record(fields.firstPort ?? {}, `${at}.firstPort`, [...PROTOCOLS])
  const timeouts = record(fields.timeouts ?? {}, `${at}.timeouts`, Object.keys(base.timeouts))
  const seconds = (name: keyof Timeouts): number => number(timeouts[name] ?? base.timeouts[name], `${at}.timeouts.${name}`, 0.001, 86400 * 30)
  const whole = (name: Protocol): number => wholeNumber(firstPort[name] ?? base.firstPort[name], `${at}.firstPort.${name}`, name === 'icmp' ? 0 : 1, 65535)
  return {
    mapping: oneOf(fields.mapping ?? base.mapping, `${at}.mapping`, DEPENDENCES),
    filtering: oneOf(fields.filtering ?? base.filtering, `${at}.filtering`, DEPENDENCES),
    portAllocation: oneOf(fields.portAllocation ?? base.portAllocation, `${at}.portAllocation`, PORT_POLICIES),
    firstPort: { tcp: whole('tcp'), udp: whole('udp'), icmp: whole('icmp') },
    timeouts: { udp: seconds('udp'), icmp: seconds('icmp'), tcpTransitory: seconds('tcpTransitory'), tcpEstablished: seconds('tcpEstablished') },
    staticMappings: parseStaticMappings(fields.staticMappings ?? [], `${at}.staticMappings`),
    maximumSessions: wholeNumber(fields.maximumSessions ?? base.maximumSessions, `${at}.maximumSessions`, 1, 1 << 24),
  }
}

function parseStaticMappings(value: unknown, at: string): StaticMapping[] {
  if (!Array.isArray(value)) throw new ConfigError(`${at}: a list is wanted, such as [{ protocol: tcp, wanPort: 5000, address: 192.168.1.11, port: 1600 }]`)
  const mappings = value.map((item, i) => parseStaticMapping(item, `${at}[${i}]`))
  const seen = new Set<string>()
  for (const { protocol, wanPort, address, port } of mappings) {
    const key = `${protocol} ${wanPort}`
    if (seen.has(key)) throw new ConfigError(`${at}: WAN port ${wanPort}/${protocol} is mapped twice; the second time to ${formatEndpoint(address, port)}`)
    seen.add(key)
  }
  return mappings
}

/** @throws ConfigError naming the field */
export function parseStaticMapping(value: unknown, at = 'mapping'): StaticMapping {
  const fields = record(value, at, ['protocol', 'wanPort', 'address', 'port'])
  return {
    protocol: oneOf(fields.protocol, `${at}.protocol`, ['tcp', 'udp'] as const),
    wanPort: parsePortField(fields.wanPort, `${at}.wanPort`),
    address: parsed(fields.address, `${at}.address`, parseIpv4),
    port: parsePortField(fields.port, `${at}.port`),
  }
}

const shown = (value: unknown): string => value === undefined ? 'missing' : `is ${JSON.stringify(value)}`

function record(value: unknown, at: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ConfigError(`${at} ${shown(value)}; wanted are the fields ${known.join(', ')}`)
  const unknownField = Object.keys(value).find(key => !known.includes(key))
  if (unknownField !== undefined) throw new ConfigError(`${at}.${unknownField} is not known here; known are ${known.join(', ')}`)
  return value as Fields
}

function oneOf<T extends string>(value: unknown, at: string, choices: readonly T[]): T {
  const choice = choices.find(candidate => candidate === value)
  if (choice === undefined) throw new ConfigError(`${at} ${shown(value)}; wanted is one of ${choices.join(', ')}`)
  return choice
}

function text(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') throw new ConfigError(`${at} ${shown(value)}; a text is wanted`)
  return value
}

function number(value: unknown, at: string, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw new ConfigError(`${at} ${shown(value)}; a number from ${least} to ${most} is wanted`)
  return value
}

function wholeNumber(value: unknown, at: string, least: number, most: number): number {
  const result = number(value, at, least, most)
  if (!Number.isInteger(result)) throw new ConfigError(`${at} ${shown(value)}; a whole number is wanted`)
  return result
}

const parsePortField = (value: unknown, at: string): Port => wholeNumber(value, at, 1, 65535) as Port

function parsed<T>(value: unknown, at: string, parse: (text: string) => T): T {
  try {
    return parse(text(value, at))
  } catch (error) {
    if (error instanceof AddressError) throw new ConfigError(`${at}: ${error.message}`)
    throw error
  }
}

