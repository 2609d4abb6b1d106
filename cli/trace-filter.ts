// Which frames of a trace are meant, by the same filter as the table's: their own ends on either side, and those of the mapping
// that they went through or failed at.
import { decode, fieldOf } from '../captures/decode/decode.js'
import { matchesEndpoint, type EndpointFilter, type FlowFilter } from '../napt/control/flow-filter.js'
import type { TraceRecord } from '../napt/trace/trace.js'
import type { Side } from '../napt/verdict.js'
import { parseIpv4, type Ipv4Address } from '../napt/wire/address.js'
import { PROTOCOL } from '../napt/wire/ipv4.js'

interface End { readonly address: Ipv4Address, readonly port: number }
interface Flow { readonly protocol: string, readonly source: End, readonly destination: End }

/** True when each part of the filter fits one of the record's ends of that kind. */
export function isMeant({ explanation, received, sent }: TraceRecord, filter: FlowFilter): boolean {
  const protocols: string[] = []
  const ends: Readonly<Record<Side | 'remote', End[]>> = { lan: [], wan: [], remote: [] }
  const add = (side: Side, frame: Uint8Array, isHostSource: boolean): void => {
    const flow = flowOf(frame)
    if (flow === null) return
    protocols.push(flow.protocol)
    ends[side].push(isHostSource ? flow.source : flow.destination)
    ends.remote.push(isHostSource ? flow.destination : flow.source)
  }
  if (received !== undefined) add(received.side, received.frame, received.side === 'lan')
  if (sent !== undefined) add(sent.side, sent.frame, sent.side === 'wan')
  if (explanation?.mapping !== undefined) {
    protocols.push(explanation.mapping.protocol)
    ends.lan.push(explanation.mapping.lan)
    ends.wan.push(explanation.mapping.wan)
  }
  if (explanation?.filter !== undefined) ends.remote.push(explanation.filter.remote)
  return (filter.protocol === undefined || protocols.includes(filter.protocol)) &&
    fitsOne(filter.lan, ends.lan) && fitsOne(filter.wan, ends.wan) && fitsOne(filter.remote, ends.remote)
}

const fitsOne = (filter: EndpointFilter | undefined, ends: readonly End[]): boolean =>
  filter === undefined || ends.some(end => matchesEndpoint(filter, end))

const NAMES = new Map<unknown, string>(Object.entries(PROTOCOL).map(([name, number]) => [number, name]))

/** Null for what is not IPv4. A fragment, whose ports may be in another one, has ports of 0, as has a protocol without any. */
function flowOf(frame: Uint8Array): Flow | null {
  const decoded = decode(frame), { transport } = decoded
  if (transport !== null) return { protocol: transport.protocol, source: transport.source, destination: transport.destination }
  const value = (name: string): string | number | undefined => fieldOf(decoded, 'ipv4', name)?.value
  const source = value('SA'), destination = value('DA'), protocol = value('protocol')
  if (source === undefined || destination === undefined) return null
  return { protocol: NAMES.get(protocol) ?? String(protocol), source: hostAt(source), destination: hostAt(destination) }
}

const hostAt = (address: string | number): End => ({ address: parseIpv4(String(address)), port: 0 })
