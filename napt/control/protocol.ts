// What is said over a router's control socket: one JSON object a line. A request has an id, which its answer repeats.
// After a `trace` request, `{"event":"frame", …}` lines follow as frames are processed (frame-event.ts).
import { PROTOCOLS, type Protocol } from '../behaviour/behaviour.js'
import type { BehaviourData } from '../behaviour/describe-behaviour.js'
import { CLOCK_RATES } from '../clock.js'
import type { DeviceCounters } from '../device/device.js'
import { ConfigError, flag, number, oneOf, parsed, wholeNumber, type Fields } from '../fields.js'
import { parseStaticMapping } from '../behaviour/read-behaviour.js'
import type { Counters } from '../verdicts.js'
import type { MappingRow, SessionRow } from '../table/listing.js'
import type { Side } from '../verdict.js'
import { formatIpv4, parseIpv4 } from '../wire/address.js'
import { parseFlowFilter, type FlowFilterText } from './flow-filter.js'
import { toSeconds } from './frame-event.js'

export interface SessionJson {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly secondsLeft: number
  readonly tcp?: NonNullable<SessionRow['tcp']>
}

export interface MappingJson {
  readonly protocol: MappingRow['protocol']
  readonly kind: MappingRow['kind']
  readonly lanAddress: string
  readonly lanPort: number
  readonly wanAddress: string
  readonly wanPort: number
  readonly sessions: readonly SessionJson[]
}

export interface InfoJson {
  readonly name: string
  readonly pid: number
  readonly device: string
  readonly lan: { readonly interface: string, readonly address: string }
  readonly wan: { readonly interface: string, readonly address: string }
  /** Everything that was chosen, as `behave` takes it. */
  readonly nat: BehaviourData
}

export interface CountersJson extends Counters {
  readonly devices: Readonly<Record<Side, DeviceCounters>>
  /** Frames that tracing had no room for. */
  readonly untraced: number
  /** Resident memory of the router process, bytes. */
  readonly memory: number
}

export interface ClockJson {
  /** Seconds since the router began, on its own clock. */
  readonly seconds: number
  /** Seconds that pass on it in one of the machine's; 0 while it is frozen. */
  readonly rate: number
}

/** How many mappings went. */
export interface RemovedJson { readonly mappings: number }

export type ControlRequest =
  | { readonly op: 'info' | 'counters' | 'endCaptures' }
  | { readonly op: 'clock' | 'freeze' }
  | { readonly op: 'table', readonly filter?: FlowFilterText }
  /** `drops`: only dropped frames. */
  | { readonly op: 'trace', readonly drops?: boolean }
  | { readonly op: 'map', readonly protocol: 'tcp' | 'udp', readonly wanPort: number, readonly address: string, readonly port: number }
  | { readonly op: 'unmap', readonly protocol: 'tcp' | 'udp', readonly wanPort: number }
  | { readonly op: 'nextPort', readonly protocol: Protocol, readonly port: number }
  | { readonly op: 'advance', readonly seconds: number }
  /** The clock goes on, `rate` times as fast as the machine's, or as fast as it. */
  | { readonly op: 'run', readonly rate?: number }
  /** From now on the NAT behaves as `nat` says, which parseBehaviour reads. */
  | { readonly op: 'behave', readonly nat: unknown }
  /** Removes dynamic mappings with all their sessions: those that are meant, or have a session that is. */
  | { readonly op: 'flush', readonly filter?: FlowFilterText }
  /** The router has another WAN address, as PPP or DHCP may give it. */
  | { readonly op: 'renumber', readonly address: string }

/** The result of each request. */
export interface ControlResults {
  info: InfoJson
  table: readonly MappingJson[]
  counters: CountersJson
  trace: null
  endCaptures: readonly string[]
  map: null
  unmap: null
  nextPort: null
  clock: ClockJson
  freeze: ClockJson
  advance: ClockJson
  run: ClockJson
  behave: RemovedJson
  flush: RemovedJson
  renumber: RemovedJson
}

const ADVANCE_LIMIT = 86400 * 365
const WITH_PORTS = ['tcp', 'udp'] as const

const OPERATIONS = [
  'info', 'table', 'counters', 'trace', 'map', 'unmap', 'nextPort', 'behave', 'flush', 'renumber', 'clock', 'freeze', 'run', 'advance', 'endCaptures',
] as const satisfies readonly ControlRequest['op'][]

/** @throws ConfigError naming what is wrong */
export function parseRequest(value: unknown): ControlRequest {
  const { op: name, ...fields } = (typeof value === 'object' && value !== null ? value : {}) as Fields
  const op = OPERATIONS.find(known => known === name)
  switch (op) {
    case 'info': case 'counters': case 'endCaptures': case 'clock': case 'freeze': return { op }
    case 'table': case 'flush': return { op, ...(fields.filter === undefined ? {} : { filter: filterField(fields.filter) }) }
    case 'trace': return { op, drops: flag(fields.drops ?? false, 'drops') }
    case 'map': {
      const { protocol, wanPort, address, port } = parseStaticMapping({ protocol: fields.protocol, wanPort: fields.wanPort, address: fields.address, port: fields.port })
      return { op, protocol, wanPort, address: formatIpv4(address), port }
    }
    case 'unmap': return { op, protocol: oneOf(fields.protocol, 'protocol', WITH_PORTS), wanPort: wholeNumber(fields.wanPort, 'wanPort', 1, 65535) }
    case 'nextPort': return { op, protocol: oneOf(fields.protocol, 'protocol', PROTOCOLS), port: wholeNumber(fields.port, 'port', 1, 65535) }
    case 'behave': return { op, nat: fields.nat }
    case 'renumber': return { op, address: formatIpv4(parsed(fields.address, 'address', parseIpv4)) }
    case 'run': return { op, rate: number(fields.rate ?? 1, 'rate', CLOCK_RATES.least, CLOCK_RATES.most) }
    case 'advance': return { op, seconds: number(fields.seconds, 'seconds', 0, ADVANCE_LIMIT) }
    case undefined: throw new ConfigError(`no such request: ${JSON.stringify(name)}; known are ${OPERATIONS.join(', ')}`)
  }
}

function filterField(value: unknown): FlowFilterText {
  parseFlowFilter(value)
  return value as FlowFilterText
}

export const mappingToJson = (row: MappingRow): MappingJson => ({
  protocol: row.protocol, kind: row.kind,
  lanAddress: formatIpv4(row.lanAddress), lanPort: row.lanPort, wanAddress: formatIpv4(row.wanAddress), wanPort: row.wanPort,
  sessions: row.sessions.map(({ remoteAddress, remotePort, timeLeft, tcp }) => ({
    remoteAddress: formatIpv4(remoteAddress), remotePort, secondsLeft: toSeconds(timeLeft), ...(tcp === undefined ? {} : { tcp }),
  })),
})
