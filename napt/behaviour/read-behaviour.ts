// Turns what a file, a bench or a request says of a NAT into a Behaviour. Everything is optional; what is not said is as in
// the preset that is named, or else as in the base, DEFAULT_BEHAVIOUR.
import {
  DEFAULT_BEHAVIOUR, DEPENDENCES, FRAGMENT_HANDLINGS, HAIRPINNINGS, OTHER_PROTOCOL_HANDLINGS, POOLINGS, PORT_ALLOCATIONS, PORT_COLLISIONS,
  PROTOCOLS, REFRESHES, TRANSLATIONS, UNSOLICITED_SYN_ANSWERS, type Behaviour, type Limits, type OneToOne, type PerProtocol, type StaticMapping, type Timeouts,
} from './behaviour.js'
import { firstPortsWithin, refuseContradictions } from './contradictions.js'
import { ConfigError, flag, list, number, oneOf, parsed, record, wholeNumber, type Fields } from '../fields.js'
import { PRESET_NAMES, presetNamed } from './presets.js'
import { formatEndpoint, formatIpv4, isHostAddress, parseIpv4, type Ipv4Address, type Port } from '../wire/address.js'

const FIELDS = ['preset', ...Object.keys(DEFAULT_BEHAVIOUR)]
const MAPPING_EXAMPLE = '{ protocol: tcp, wanPort: 5000, address: 192.168.1.11, port: 1600 }'
const LONGEST_TIMEOUT = 86400 * 30
/** RFC 9293 §3.7.1, RFC 879: every host takes segments of 536 bytes. */
const LEAST_SEGMENT = 536
const MOST_SESSIONS = 1 << 24

/**
 * Reads `symmetric`, `{ mapping: address-dependent, timeouts: { udp: 30 } }`, or `{ preset: symmetric, timeouts: { udp: 30 } }`:
 * a preset with what differs from it. A preset stands in place of `base`.
 * @throws ConfigError naming the field, or the fields that contradict each other
 */
export function parseBehaviour(value: unknown, at = 'nat', base: Behaviour = DEFAULT_BEHAVIOUR): Behaviour {
  if (typeof value === 'string') return parsePreset(value, at)
  const fields = record(value, at, FIELDS)
  const behaviour = readFields(fields, at, fields.preset === undefined ? base : parsePreset(fields.preset, `${at}.preset`))
  refuseContradictions(behaviour, fields, at)
  return behaviour
}

function parsePreset(name: unknown, at: string): Behaviour {
  const preset = presetNamed(oneOf(name, at, PRESET_NAMES))
  return preset === undefined ? DEFAULT_BEHAVIOUR : parseBehaviour(preset.nat, `preset ${preset.name}`)
}

function readFields(fields: Fields, at: string, base: Behaviour): Behaviour {
  const choice = <T extends string>(name: keyof Behaviour, choices: readonly T[], otherwise: T): T => oneOf(fields[name] ?? otherwise, `${at}.${name}`, choices)
  const isOn = (name: keyof Behaviour, otherwise: boolean): boolean => flag(fields[name] ?? otherwise, `${at}.${name}`)
  const portRange = parsePortRange(fields.portRange ?? {}, `${at}.portRange`, base.portRange)
  const syn = record(fields.unsolicitedSyn ?? {}, `${at}.unsolicitedSyn`, Object.keys(base.unsolicitedSyn))
  return {
    translation: choice('translation', TRANSLATIONS, base.translation),
    mapping: perProtocol(fields.mapping, `${at}.mapping`, base.mapping, (item, path) => oneOf(item, path, DEPENDENCES)),
    filtering: perProtocol(fields.filtering, `${at}.filtering`, base.filtering, (item, path) => oneOf(item, path, DEPENDENCES)),
    pool: list(fields.pool ?? base.pool.map(formatIpv4), `${at}.pool`, '202.204.16.13, 202.204.16.14', hostAddress),
    pooling: choice('pooling', POOLINGS, base.pooling),
    portAllocation: choice('portAllocation', PORT_ALLOCATIONS, base.portAllocation),
    portCollision: choice('portCollision', PORT_COLLISIONS, base.portCollision),
    firstPort: parseFirstPort(fields.firstPort ?? {}, `${at}.firstPort`, base.firstPort, portRange),
    portRange,
    keepWellKnownPorts: isOn('keepWellKnownPorts', base.keepWellKnownPorts),
    portParity: isOn('portParity', base.portParity),
    portContiguity: isOn('portContiguity', base.portContiguity),
    portOverloading: isOn('portOverloading', base.portOverloading),
    portBlock: wholeNumber(fields.portBlock ?? base.portBlock, `${at}.portBlock`, 0, 65535),
    portReuseDelay: number(fields.portReuseDelay ?? base.portReuseDelay, `${at}.portReuseDelay`, 0, 86400),
    hairpinning: choice('hairpinning', HAIRPINNINGS, base.hairpinning),
    filterHairpinned: isOn('filterHairpinned', base.filterHairpinned),
    timeouts: numbers(fields.timeouts, `${at}.timeouts`, base.timeouts, (item, path) => number(item, path, 0.001, LONGEST_TIMEOUT)) satisfies Timeouts,
    refresh: perProtocol(fields.refresh, `${at}.refresh`, base.refresh, (item, path) => oneOf(item, path, REFRESHES)),
    unsolicitedSyn: {
      hold: number(syn.hold ?? base.unsolicitedSyn.hold, `${at}.unsolicitedSyn.hold`, 0, 600),
      answer: oneOf(syn.answer ?? base.unsolicitedSyn.answer, `${at}.unsolicitedSyn.answer`, UNSOLICITED_SYN_ANSWERS),
    },
    maximumSegment: parseMaximumSegment(fields.maximumSegment ?? base.maximumSegment, `${at}.maximumSegment`),
    otherProtocols: choice('otherProtocols', OTHER_PROTOCOL_HANDLINGS, base.otherProtocols),
    fragments: choice('fragments', FRAGMENT_HANDLINGS, base.fragments),
    limits: numbers(fields.limits, `${at}.limits`, base.limits, (item, path, name) => wholeNumber(item, path, name === 'sessions' ? 1 : 0, MOST_SESSIONS)) satisfies Limits,
    staticMappings: fields.staticMappings === undefined ? base.staticMappings : parseStaticMappings(fields.staticMappings, `${at}.staticMappings`),
    oneToOne: fields.oneToOne === undefined ? base.oneToOne : list(fields.oneToOne, `${at}.oneToOne`, '{ wanAddress: 202.204.16.14, address: 192.168.1.3 }', parseOneToOne),
  }
}

/** One value for all protocols, or a set of values with a protocol each. */
function perProtocol<T extends string>(value: unknown, at: string, base: PerProtocol<T>, read: (item: unknown, at: string) => T): PerProtocol<T> {
  if (value === undefined) return base
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const one = read(value, at)
    return { tcp: one, udp: one, icmp: one }
  }
  const fields = record(value, at, PROTOCOLS)
  return { tcp: read(fields.tcp ?? base.tcp, `${at}.tcp`), udp: read(fields.udp ?? base.udp, `${at}.udp`), icmp: read(fields.icmp ?? base.icmp, `${at}.icmp`) }
}

/** Fields that are numbers all of them. */
function numbers<T extends { readonly [K in keyof T]: number }>(value: unknown, at: string, base: T, read: (item: unknown, at: string, name: string) => number): T {
  const fields = record(value ?? {}, at, Object.keys(base))
  return Object.fromEntries(Object.entries<number>(base).map(([name, otherwise]) => [name, read(fields[name] ?? otherwise, `${at}.${name}`, name)])) as T
}

function parseFirstPort(value: unknown, at: string, base: Behaviour['firstPort'], range: Behaviour['portRange']): Behaviour['firstPort'] {
  const fields = record(value, at, PROTOCOLS)
  const port = (name: keyof Behaviour['firstPort']): number => wholeNumber(fields[name] ?? base[name], `${at}.${name}`, name === 'icmp' ? 0 : 1, 65535)
  return firstPortsWithin({ tcp: port('tcp'), udp: port('udp'), icmp: port('icmp') }, fields, range)
}

function parsePortRange(value: unknown, at: string, base: Behaviour['portRange']): Behaviour['portRange'] {
  const fields = record(value, at, ['from', 'to'])
  const from = wholeNumber(fields.from ?? base.from, `${at}.from`, 1, 65535), to = wholeNumber(fields.to ?? base.to, `${at}.to`, 1, 65535)
  if (from > to) throw new ConfigError(`${at} ends (${to}) before it begins (${from})`)
  return { from, to }
}

function parseMaximumSegment(value: unknown, at: string): number {
  const bytes = wholeNumber(value, at, 0, 65535)
  if (bytes > 0 && bytes < LEAST_SEGMENT) throw new ConfigError(`${at} is ${bytes}; wanted is 0, or at least ${LEAST_SEGMENT} bytes, which every host takes (RFC 9293 §3.7.1)`)
  return bytes
}

function parseStaticMappings(value: unknown, at: string): StaticMapping[] {
  const mappings = list(value, at, MAPPING_EXAMPLE, parseStaticMapping)
  const seen = new Set<string>()
  for (const { protocol, wanAddress, wanPort, address, port } of mappings) {
    const key = `${protocol} ${wanAddress ?? ''} ${wanPort}`
    if (seen.has(key)) throw new ConfigError(`${at}: WAN port ${wanPort}/${protocol} is mapped twice; the second time to ${formatEndpoint(address, port)}`)
    seen.add(key)
  }
  return mappings
}

/** @throws ConfigError naming the field */
export function parseStaticMapping(value: unknown, at = 'mapping'): StaticMapping {
  const fields = record(value, at, ['protocol', 'wanAddress', 'wanPort', 'address', 'port'])
  return {
    protocol: oneOf(fields.protocol, `${at}.protocol`, ['tcp', 'udp'] as const),
    ...(fields.wanAddress === undefined ? {} : { wanAddress: hostAddress(fields.wanAddress, `${at}.wanAddress`) }),
    wanPort: portField(fields.wanPort, `${at}.wanPort`),
    address: parsed(fields.address, `${at}.address`, parseIpv4),
    port: portField(fields.port, `${at}.port`),
  }
}

function parseOneToOne(value: unknown, at: string): OneToOne {
  const fields = record(value, at, ['wanAddress', 'address'])
  return { wanAddress: hostAddress(fields.wanAddress, `${at}.wanAddress`), address: hostAddress(fields.address, `${at}.address`) }
}

/** @throws ConfigError for addresses that no host can have */
function hostAddress(value: unknown, at: string): Ipv4Address {
  const address = parsed(value, at, parseIpv4)
  if (!isHostAddress(address)) throw new ConfigError(`${at}: ${formatIpv4(address)} is no address that a host can have (RFC 1122 §3.2.1.3)`)
  return address
}

const portField = (value: unknown, at: string): Port => wholeNumber(value, at, 1, 65535) as Port
