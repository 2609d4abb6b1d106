// A trace record as a line of JSON, and back: frames in base64, addresses and times as text.
import type { Explanation } from '../trace/explanation.js'
import type { TraceAction, TraceRecord } from '../trace/trace.js'
import { formatIpv4, parseIpv4, type Endpoint, type Port } from '../wire/address.js'
import type { DropReason, Side } from '../verdict.js'

/** An address as text, and a port or an ICMP query identifier. */
export interface EndpointJson { readonly address: string, readonly port: number }

/** An Explanation; seconds in place of milliseconds, as in the table. */
export interface ExplanationJson {
  readonly mapping?: Omit<NonNullable<Explanation['mapping']>, 'lan' | 'wan'> & { readonly lan: EndpointJson, readonly wan: EndpointJson }
  readonly filter?: Omit<NonNullable<Explanation['filter']>, 'remote' | 'sentTo'> & { readonly remote: EndpointJson, readonly sentTo: readonly EndpointJson[] }
  readonly before: Explanation['before']
  readonly after: Explanation['after']
  readonly secondsLeftBefore?: number
  readonly secondsLeft?: number
}

export interface FrameEvent {
  readonly event: 'frame'
  /** Nanoseconds since 1970, as text: a JSON number cannot hold them. */
  readonly time: string
  readonly action: TraceAction
  readonly reason?: DropReason
  readonly waited?: true
  readonly explanation?: ExplanationJson
  readonly received?: { readonly side: Side, readonly frame: string }
  readonly sent?: { readonly side: Side, readonly frame: string }
}

export const recordToEvent = ({ time, action, reason, waited, explanation, received, sent }: TraceRecord): FrameEvent => ({
  event: 'frame', time: String(time), action,
  ...(reason === undefined ? {} : { reason }),
  ...(waited === undefined ? {} : { waited }),
  ...(explanation === undefined ? {} : { explanation: explanationToJson(explanation) }),
  ...(received === undefined ? {} : { received: { side: received.side, frame: base64(received.frame) } }),
  ...(sent === undefined ? {} : { sent: { side: sent.side, frame: base64(sent.frame) } }),
})

export const eventToRecord = ({ time, action, reason, waited, explanation, received, sent }: FrameEvent): TraceRecord => ({
  time: BigInt(time), action,
  ...(reason === undefined ? {} : { reason }),
  ...(waited === undefined ? {} : { waited }),
  ...(explanation === undefined ? {} : { explanation: explanationFromJson(explanation) }),
  ...(received === undefined ? {} : { received: { side: received.side, frame: Buffer.from(received.frame, 'base64') } }),
  ...(sent === undefined ? {} : { sent: { side: sent.side, frame: Buffer.from(sent.frame, 'base64') } }),
})

const explanationToJson = ({ mapping, filter, before, after, timeLeftBefore, timeLeft }: Explanation): ExplanationJson => ({
  ...(mapping === undefined ? {} : { mapping: { ...mapping, lan: endpointToJson(mapping.lan), wan: endpointToJson(mapping.wan) } }),
  ...(filter === undefined ? {} : { filter: { ...filter, remote: endpointToJson(filter.remote), sentTo: filter.sentTo.map(endpointToJson) } }),
  before, after,
  ...(timeLeftBefore === undefined ? {} : { secondsLeftBefore: toSeconds(timeLeftBefore) }),
  ...(timeLeft === undefined ? {} : { secondsLeft: toSeconds(timeLeft) }),
})

const explanationFromJson = ({ mapping, filter, before, after, secondsLeftBefore, secondsLeft }: ExplanationJson): Explanation => ({
  ...(mapping === undefined ? {} : { mapping: { ...mapping, lan: endpointFromJson(mapping.lan), wan: endpointFromJson(mapping.wan) } }),
  ...(filter === undefined ? {} : { filter: { ...filter, remote: endpointFromJson(filter.remote), sentTo: filter.sentTo.map(endpointFromJson) } }),
  before, after,
  ...(secondsLeftBefore === undefined ? {} : { timeLeftBefore: toMilliseconds(secondsLeftBefore) }),
  ...(secondsLeft === undefined ? {} : { timeLeft: toMilliseconds(secondsLeft) }),
})

const endpointToJson = ({ address, port }: Endpoint): EndpointJson => ({ address: formatIpv4(address), port })
const endpointFromJson = ({ address, port }: EndpointJson): Endpoint => ({ address: parseIpv4(address), port: port as Port })

/** Milliseconds as seconds, to the millisecond. */
export const toSeconds = (milliseconds: number): number => Math.round(milliseconds) / 1000
const toMilliseconds = (seconds: number): number => Math.round(seconds * 1000)

const base64 = (frame: Uint8Array): string => Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('base64')
