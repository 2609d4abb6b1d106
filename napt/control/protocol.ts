// What is said over a router's control socket: one JSON object a line. A request has an id, which its answer repeats.
// After a `trace` request, `{"event":"frame", …}` lines follow as frames are processed.
import { ConfigError, parseStaticMapping, PROTOCOLS, type Behaviour, type Protocol } from '../behaviour.js'
import type { DeviceCounters } from '../device/device.js'
import type { Counters } from '../router.js'
import type { MappingRow } from '../table/napt-table.js'
import type { TcpPhase } from '../table/tcp-state.js'
import type { TraceAction, TraceRecord } from '../trace.js'
import { formatIpv4 } from '../wire/address.js'
import type { DropReason, Side } from '../verdict.js'

export interface MappingJson {
  readonly protocol: Protocol
  readonly kind: 'dynamic' | 'static'
  readonly lanAddress: string
  readonly lanPort: number
  readonly wanAddress: string
  readonly wanPort: number
  readonly sessions: readonly { readonly remoteAddress: string, readonly remotePort: number, readonly secondsLeft: number, readonly tcp?: TcpPhase }[]
}

export interface InfoJson {
  readonly name: string
  readonly pid: number
  readonly device: string
  readonly lan: { readonly interface: string, readonly address: string }
  readonly wan: { readonly interface: string, readonly address: string }
  readonly mapping: Behaviour['mapping']
  readonly filtering: Behaviour['filtering']
  readonly portAllocation: Behaviour['portAllocation']
}

export interface CountersJson extends Counters {
  readonly devices: Readonly<Record<Side, DeviceCounters>>
  /** Frames that tracing had no room for. */
  readonly untraced: number
  /** Resident memory of the router process, bytes. */
  readonly memory: number
}

export interface FrameEvent {
  readonly event: 'frame'
  /** Nanoseconds since 1970, as text: a JSON number cannot hold them. */
  readonly time: string
  readonly action: TraceAction
  readonly reason?: DropReason
  readonly waited?: true
  readonly received?: { readonly side: Side, readonly frame: string }
  readonly sent?: { readonly side: Side, readonly frame: string }
}

export type ControlRequest =
  | { readonly op: 'info' | 'table' | 'counters' | 'trace' | 'endCaptures' }
  | { readonly op: 'map', readonly protocol: string, readonly wanPort: number, readonly address: string, readonly port: number }
  | { readonly op: 'unmap', readonly protocol: string, readonly wanPort: number }
  | { readonly op: 'advance', readonly seconds: number }
  | { readonly op: 'nextPort', readonly protocol: string, readonly port: number }

/** The result of each request. */
export interface ControlResults {
  info: InfoJson
  table: readonly MappingJson[]
  counters: CountersJson
  trace: null
  endCaptures: readonly string[]
  map: null
  unmap: null
  advance: null
  nextPort: null
}

const ADVANCE_LIMIT = 86400 * 365

/** @throws ConfigError naming what is wrong */
export function parseRequest(value: unknown): ControlRequest {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  const { op, protocol, wanPort, address, port, seconds } = fields
  switch (op) {
    case 'info': case 'table': case 'counters': case 'trace': case 'endCaptures': return { op }
    case 'map': {
      const mapping = parseStaticMapping({ protocol, wanPort, address, port })
      return { op, protocol: mapping.protocol, wanPort: mapping.wanPort, address: formatIpv4(mapping.address), port: mapping.port }
    }
    case 'unmap': return { op, protocol: protocolOf(protocol, ['tcp', 'udp']), wanPort: portOf(wanPort, 'wanPort') }
    case 'advance': return { op, seconds: numberOf(seconds, 'seconds', 0, ADVANCE_LIMIT) }
    case 'nextPort': return { op, protocol: protocolOf(protocol, PROTOCOLS), port: portOf(port, 'port') }
    default: throw new ConfigError(`no such request: ${JSON.stringify(op)}; known are info, table, counters, trace, map, unmap, advance, nextPort, endCaptures`)
  }
}

function protocolOf(value: unknown, choices: readonly string[]): string {
  if (typeof value !== 'string' || !choices.includes(value)) throw new ConfigError(`protocol ${JSON.stringify(value)} is not one of ${choices.join(', ')}`)
  return value
}

function numberOf(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw new ConfigError(`${name} ${JSON.stringify(value)} is not a number from ${least} to ${most}`)
  return value
}

function portOf(value: unknown, name: string): number {
  const port = numberOf(value, name, 1, 65535)
  if (!Number.isInteger(port)) throw new ConfigError(`${name} ${JSON.stringify(value)} is not a whole number`)
  return port
}

export const mappingToJson = (row: MappingRow): MappingJson => ({
  protocol: row.protocol, kind: row.kind,
  lanAddress: formatIpv4(row.lanAddress), lanPort: row.lanPort, wanAddress: formatIpv4(row.wanAddress), wanPort: row.wanPort,
  sessions: row.sessions.map(({ remoteAddress, remotePort, timeLeft, tcp }) => ({
    remoteAddress: formatIpv4(remoteAddress), remotePort, secondsLeft: Math.round(timeLeft) / 1000, ...(tcp === undefined ? {} : { tcp }),
  })),
})

const base64 = (frame: Uint8Array): string => Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('base64')

export const recordToEvent = ({ time, action, reason, waited, received, sent }: TraceRecord): FrameEvent => ({
  event: 'frame', time: String(time), action,
  ...(reason === undefined ? {} : { reason }),
  ...(waited === undefined ? {} : { waited }),
  ...(received === undefined ? {} : { received: { side: received.side, frame: base64(received.frame) } }),
  ...(sent === undefined ? {} : { sent: { side: sent.side, frame: base64(sent.frame) } }),
})

export const eventToRecord = ({ time, action, reason, waited, received, sent }: FrameEvent): TraceRecord => ({
  time: BigInt(time), action,
  ...(reason === undefined ? {} : { reason }),
  ...(waited === undefined ? {} : { waited }),
  ...(received === undefined ? {} : { received: { side: received.side, frame: Buffer.from(received.frame, 'base64') } }),
  ...(sent === undefined ? {} : { sent: { side: sent.side, frame: Buffer.from(sent.frame, 'base64') } }),
})

