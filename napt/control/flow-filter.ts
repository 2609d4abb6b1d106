// Which mappings and sessions are meant: the filter of `table`, `flush` and `trace`, in the manner of conntrack's. As text on the
// command line and in requests, as numbers where it is asked about each row.
import { ConfigError, oneOf, parsed, record, text } from '../fields.js'
import type { MappingRow, SessionRow } from '../table/listing.js'
import { MAPPING_KINDS, type MappingKind } from '../table/mappings.js'
import { AddressError, parseIpv4, parsePort, type Endpoint } from '../wire/address.js'

/** `open`: a session of a protocol that knows no connections. */
const STATES = ['open', 'opening', 'established', 'closing', 'closed', 'reset'] as const

/** Address, port, or both. */
export interface EndpointFilter { readonly address?: number, readonly port?: number }

/** What is not named is not looked at. */
export interface FlowFilter {
  /** `tcp`, `udp`, `icmp`, or the number of another protocol. */
  readonly protocol?: string
  readonly lan?: EndpointFilter
  readonly wan?: EndpointFilter
  readonly remote?: EndpointFilter
  readonly kind?: MappingKind
  readonly state?: typeof STATES[number]
}

/** A filter as it is written: endpoints as ADDRESS, ADDRESS:PORT or PORT. */
export type FlowFilterText = Readonly<Partial<Record<keyof FlowFilter, string>>>

export const FILTER_FIELDS = ['protocol', 'lan', 'wan', 'remote', 'kind', 'state'] as const satisfies readonly (keyof FlowFilter)[]

/** `at` stands in front of a field's name where an error names it. @throws ConfigError naming the field */
export function parseFlowFilter(value: unknown, at = 'filter.'): FlowFilter {
  const fields = record(value, 'filter', FILTER_FIELDS)
  const { protocol, lan, wan, remote, kind, state } = fields
  return {
    ...(protocol === undefined ? {} : { protocol: protocolField(protocol, `${at}protocol`) }),
    ...(lan === undefined ? {} : { lan: endpointField(lan, `${at}lan`) }),
    ...(wan === undefined ? {} : { wan: endpointField(wan, `${at}wan`) }),
    ...(remote === undefined ? {} : { remote: endpointField(remote, `${at}remote`) }),
    ...(kind === undefined ? {} : { kind: oneOf(kind, `${at}kind`, MAPPING_KINDS) }),
    ...(state === undefined ? {} : { state: oneOf(state, `${at}state`, STATES) }),
  }
}

function protocolField(value: unknown, at: string): string {
  const name = text(value, at)
  if (!/^(tcp|udp|icmp|\d{1,3})$/.test(name)) throw new ConfigError(`${at} is '${name}'; wanted is tcp, udp, icmp, or the number of another protocol`)
  return name
}

const endpointField = (value: unknown, at: string): EndpointFilter => parsed(value, at, endpoint => {
  if (/^\d+$/.test(endpoint)) return { port: parsePort(endpoint) }
  const [address, ...ports] = endpoint.split(':')
  if (ports.length > 1 || !address.includes('.')) throw new AddressError(`'${endpoint}' is not ADDRESS, ADDRESS:PORT or PORT (such as 192.168.1.3:2000)`)
  return { address: parseIpv4(address), ...(ports.length === 0 ? {} : { port: parsePort(ports[0]) }) }
})

/** True for every endpoint when there is no filter. */
export const matchesEndpoint = (filter: EndpointFilter | undefined, { address, port }: Readonly<Record<keyof Endpoint, number>>): boolean =>
  (filter?.address ?? address) === address && (filter?.port ?? port) === port

/** The mapping with those of its sessions that are meant, or null if it is not meant itself. */
export function selectMapping(row: MappingRow, filter: FlowFilter): MappingRow | null {
  // A protocol without ports has its number in their place.
  const protocol = row.protocol === 'ip' ? String(row.lanPort) : row.protocol
  const isMeant = (filter.protocol ?? protocol) === protocol && (filter.kind ?? row.kind) === row.kind &&
    matchesEndpoint(filter.lan, { address: row.lanAddress, port: row.lanPort }) && matchesEndpoint(filter.wan, { address: row.wanAddress, port: row.wanPort })
  if (!isMeant) return null
  if (filter.remote === undefined && filter.state === undefined) return row
  const sessions = row.sessions.filter(session => matchesSession(session, filter))
  return sessions.length === 0 ? null : { ...row, sessions }
}

function matchesSession({ remoteAddress, remotePort, tcp }: SessionRow, { remote, state }: FlowFilter): boolean {
  const found: string = tcp ?? 'open'
  return (state ?? found) === found && matchesEndpoint(remote, { address: remoteAddress, port: remotePort })
}
