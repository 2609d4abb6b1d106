// A packet field by field, each with its bytes and where they stand, and what it says in the endpoints' protocol. A secret's bytes
// are masked as its value is. Payloads that are no message are not shown: a part of one may hold a secret.
import { fieldOf, toHex, type Decoded } from '../decode/decode.js'
import type { Layer } from '../decode/layer.js'
import { formatValue, isSecret, labelOf, type Message, type MessageField } from '../decode/payload.js'
import type { Hosts } from './hosts.js'
import type { ShownName } from './naming.js'

export interface DetailField {
  readonly name: string
  readonly value: string | number
  /** Bytes from the packet's beginning; null where the bytes do not stand in the packet as they are: of decrypted records. */
  readonly offset: number | null
  readonly length: number
  /** Hexadecimal, the beginning of a long field; null where they are secret, or do not stand in the packet. */
  readonly bytes: string | null
}

export interface DetailLayer {
  readonly name: string
  /** As in `checksum right`, `decrypted`; or empty. */
  readonly note: string
  readonly fields: readonly DetailField[]
}

/** Bytes of a field that are shown. */
const SHOWN = 8
/** Fields that hold an IPv4 address. */
const ADDRESSES: ReadonlySet<string> = new Set(['SA', 'DA', 'sender IP', 'target IP'])

/** The layers from the outermost in, then the messages. `hosts`: names that stand behind addresses. */
export function detailsOf(decoded: Decoded, name: ShownName | null, hosts: Hosts): DetailLayer[] {
  const layers = decoded.layers.map(layer => layerDetails(layer, decoded.bytes, hosts))
  const messages = (name?.messages ?? []).map(message => messageDetails(message, decoded, name?.messageOffset ?? null))
  return [...layers, ...messages]
}

const layerDetails = ({ protocol, checksum, fields }: Layer, bytes: Uint8Array, hosts: Hosts): DetailLayer => ({
  name: protocol, note: checksum === undefined ? '' : `checksum ${checksum}`,
  fields: fields.map(({ name, value, offset, length }) => ({
    name, value: ADDRESSES.has(name) ? hosts.addressWithName(String(value)) : value, offset, length, bytes: hexOf(bytes, offset, length),
  })),
})

function messageDetails(message: Message, { bytes, transport }: Decoded, within: number | null): DetailLayer {
  const start = within === null || transport === null ? null : transport.payloadOffset + within
  const details = (field: MessageField): DetailField => {
    const offset = start === null ? null : start + field.offset
    return { name: field.name, value: formatValue(field), offset, length: field.length, bytes: offset === null || isSecret(field) ? null : hexOf(bytes, offset, field.length) }
  }
  return { name: labelOf(message), note: start === null ? 'decrypted' : '', fields: message.fields.map(details) }
}

const hexOf = (bytes: Uint8Array, offset: number, length: number): string =>
  toHex(bytes.subarray(offset, offset + Math.min(length, SHOWN))) + (length > SHOWN ? '…' : '')

/** The two ends of a packet as data; ports are left out where there are none. Null for what is not IPv4. */
export function endsOf(decoded: Decoded): { source: { address: string, port?: number }, destination: { address: string, port?: number } } | null {
  const from = fieldOf(decoded, 'ipv4', 'SA')?.value, to = fieldOf(decoded, 'ipv4', 'DA')?.value, { transport } = decoded
  if (from === undefined || to === undefined) return null
  const hasPorts = transport !== null && transport.protocol !== 'icmp'
  return {
    source: { address: String(from), ...(hasPorts ? { port: transport.source.port } : {}) },
    destination: { address: String(to), ...(hasPorts ? { port: transport.destination.port } : {}) },
  }
}
