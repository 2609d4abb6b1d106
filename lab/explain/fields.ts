// A packet before a router and after it, field by field.
import { decode, type Decoded } from '../../captures/decode/decode.js'
import type { Layer } from '../../captures/decode/layer.js'

export interface FieldChange {
  /** As in `ipv4 SA`; the fields of a packet that an ICMP error quotes begin with `quoted`. */
  readonly field: string
  readonly before: string
  /** Null where nothing left the router. */
  readonly after: string | null
  readonly isChanged: boolean
}

/** Every field of either frame, in the order of the frame. Payloads are not shown. */
export function compareFields(before: Uint8Array, after: Uint8Array | null): FieldChange[] {
  const left = rowsOf(decode(before)), right = after === null ? null : rowsOf(decode(after))
  const names = new Set([...left.keys(), ...right?.keys() ?? []])
  return [...names].map(field => {
    const was = left.get(field) ?? '', is = right === null ? null : right.get(field) ?? ''
    return { field, before: was, after: is, isChanged: is !== null && is !== was }
  })
}

function rowsOf({ layers }: Decoded): Map<string, string> {
  return new Map(layers.flatMap(layer => layer.fields.map(({ name, value }) => [`${layer.protocol} ${name}`, valueText(layer, name, value)] as const)))
}

/** Checksums with the verdict on them. */
function valueText({ protocol, checksum }: Layer, name: string, value: string | number): string {
  if (typeof value === 'string') return value
  if (name === 'checksum') return `0x${value.toString(16).padStart(4, '0')}${checksum === undefined ? '' : ` ${checksum}`}`
  return protocol === 'ethernet' || name === 'identification' ? `0x${value.toString(16).padStart(4, '0')}` : String(value)
}
