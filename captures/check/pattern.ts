// What a check wants of one packet, and where a packet is otherwise.
import { formatIpv4, isInPrefix, parseIpv4, type Prefix } from '../../napt/wire/address.js'
import { fieldOf, toHex, type Decoded } from '../decode/decode.js'
import type { Protocol } from '../decode/layer.js'
import { labelOf, messageOf, type PayloadDecoder } from '../decode/payload.js'
import type { PacketKind } from './format.js'
import { fieldText } from './fields.js'

/** What a value must be. A symbol is bound by the first packet that matches, and is the same from then on. */
export type Wanted =
  | { readonly kind: 'value', readonly of: readonly (string | number)[] }
  | { readonly kind: 'range' } & Range
  | { readonly kind: 'prefix', readonly prefix: Prefix }
  /** Of the names that the capture holds. */
  | { readonly kind: 'name', readonly name: string }
  | { readonly kind: 'symbol', readonly name: string }

/** Both ends belong to it; `most` may be Infinity. */
export interface Range { readonly least: number, readonly most: number }

export type PayloadPart =
  /** `null` for a byte that does not matter. */
  | { readonly kind: 'bytes', readonly bytes: readonly (number | null)[], readonly at: number | 'anywhere', readonly text: string }
  | { readonly kind: 'symbol', readonly name: string, readonly at: number, readonly bytes: number }
  | { readonly kind: 'length', readonly range: Range }

/** `field` by the name of decode.ts. */
export interface FieldPattern { readonly field: string, readonly wanted: Wanted }

export interface Pattern {
  /** As in `expect[1]`. */
  readonly label: string
  /** As in `nat.yaml:14`. */
  readonly place: string
  /** For people. */
  readonly about: string
  readonly packet: PacketKind
  /** The interface's name in the capture; null for any. */
  readonly at: string | null
  readonly message: string | null
  readonly payload: readonly PayloadPart[]
  readonly fields: readonly FieldPattern[]
}

export interface Expectation extends Pattern {
  readonly count: Range
  /** Nanoseconds. */
  readonly within: bigint | null
  readonly translated: (Pattern & { readonly within: bigint | null }) | null
}

export interface Check {
  readonly name: string
  readonly verifiesChecksums: boolean
  readonly ordered: boolean
  readonly expect: readonly Expectation[]
  readonly never: readonly Pattern[]
}

/** What symbols stand for. */
export type Bindings = Map<string, string | number>

export interface Mismatch { readonly field: string, readonly wanted: string, readonly got: string }

export interface Surroundings {
  readonly decoder: PayloadDecoder
  /** The addresses that the capture has a name for. */
  readonly names: ReadonlyMap<string, readonly string[]>
}

/** How many things a pattern says of a packet beside its kind. */
export const conditionsOf = ({ at, message, payload, fields }: Pattern): number => (at === null ? 0 : 1) + (message === null ? 0 : 1) + payload.length + fields.length

export const isOfKind = ({ packet }: Pattern, { layers }: Decoded): boolean => layers.some(({ protocol }) => protocol === packet)

/**
 * Where a packet of the pattern's kind is not as it says, up to `most` places. Symbols that are not bound yet are bound by it, in
 * `bindings`; null: any value will do for them, and for names that are not known yet.
 */
export function mismatches(pattern: Pattern, packet: { readonly interface: string, readonly decoded: Decoded }, bindings: Bindings | null, { decoder, names }: Surroundings, most = Infinity): Mismatch[] {
  const found: Mismatch[] = []
  const compare = (field: string, wanted: Wanted, got: string | number | undefined): void => {
    if (got !== undefined && holds(wanted, got, bindings, names)) return
    found.push({ field, wanted: wantedText(field, wanted, bindings), got: got === undefined ? 'no such field' : fieldText(field, got) })
  }
  const { decoded } = packet
  if (pattern.at !== null && pattern.at !== packet.interface) found.push({ field: 'interface', wanted: pattern.at, got: packet.interface })
  for (const { field, wanted } of pattern.fields) {
    if (found.length >= most) return found
    const dot = field.indexOf('.')
    compare(field, wanted, fieldOf(decoded, field.slice(0, dot) as Protocol, field.slice(dot + 1))?.value)
  }
  if (pattern.message !== null) {
    const message = messageOf(decoded.transport, decoder)
    const isIt = message !== null && [message.number, message.name, labelOf(message)].includes(pattern.message)
    if (!isIt) found.push({ field: 'message', wanted: pattern.message, got: message === null ? 'no message' : labelOf(message) })
  }
  const payload = decoded.transport?.payload ?? restOf(decoded)
  for (const part of pattern.payload) {
    if (found.length >= most) return found
    const mismatch = partMismatch(part, payload, bindings)
    if (mismatch !== null) found.push(mismatch)
  }
  return found
}

/** What is behind the last layer that could be decoded. */
function restOf({ bytes, layers }: Decoded): Uint8Array {
  const last = layers.at(-1)
  return last === undefined ? bytes : bytes.subarray(last.offset + last.length)
}

function holds(wanted: Wanted, got: string | number, bindings: Bindings | null, names: Surroundings['names']): boolean {
  switch (wanted.kind) {
    case 'value': return wanted.of.includes(got)
    case 'range': return typeof got === 'number' && got >= wanted.least && got <= wanted.most
    case 'prefix': return isInPrefix(parseIpv4(String(got)), wanted.prefix)
    case 'name': return names.get(wanted.name)?.includes(String(got)) ?? bindings === null // the capture may say it later
    case 'symbol': return isBoundTo(wanted.name, got, bindings)
  }
}

/** A symbol that is not bound yet is bound. */
function isBoundTo(symbol: string, value: string | number, bindings: Bindings | null): boolean {
  if (bindings === null) return true
  const bound = bindings.get(symbol)
  if (bound === undefined) bindings.set(symbol, value)
  return bound === undefined || bound === value
}

function wantedText(field: string, wanted: Wanted, bindings: Bindings | null): string {
  switch (wanted.kind) {
    case 'value': return wanted.of.map(each => fieldText(field, each)).join(' or ')
    case 'range': return rangeText(wanted)
    case 'prefix': return `${formatIpv4(wanted.prefix.address)}/${wanted.prefix.length}`
    case 'name': return wanted.name
    case 'symbol': return symbolText(wanted.name, bindings)
  }
}

const symbolText = (name: string, bindings: Bindings | null): string => {
  const bound = bindings?.get(name)
  return bound === undefined ? name : `${bound} (${name})`
}

/** As in `3`, `at least 1`, `1 to 4`. */
export const rangeText = ({ least, most }: Range): string =>
  least === most ? String(least) : most === Infinity ? `at least ${least}` : least === 0 ? `at most ${most}` : `${least} to ${most}`

function partMismatch(part: PayloadPart, payload: Uint8Array, bindings: Bindings | null): Mismatch | null {
  switch (part.kind) {
    case 'length':
      return payload.length >= part.range.least && payload.length <= part.range.most ? null
        : { field: 'payload length', wanted: `${rangeText(part.range)} bytes`, got: `${payload.length} bytes` }
    case 'symbol': {
      const isThere = payload.length >= part.at + part.bytes
      const got = toHex(payload.subarray(part.at, part.at + part.bytes))
      return isThere && isBoundTo(part.name, got, bindings) ? null
        : { field: `payload at byte ${part.at}`, wanted: symbolText(part.name, bindings), got: isThere ? got : `${payload.length} bytes in all` }
    }
    case 'bytes': {
      const { bytes, at, text } = part
      const isAt = (from: number): boolean => from + bytes.length <= payload.length && bytes.every((byte, index) => byte === null || byte === payload[from + index])
      if (at !== 'anywhere') return isAt(at) ? null : { field: `payload at byte ${at}`, wanted: text, got: bytesText(payload.subarray(at, at + bytes.length), text) }
      for (let from = 0; from + bytes.length <= payload.length; from++) if (isAt(from)) return null
      return { field: 'payload', wanted: `${text} anywhere`, got: payload.length === 0 ? 'nothing' : `${payload.length} bytes without it` }
    }
  }
}

/** As the check wrote what it wanted: text or hexadecimal. */
const bytesText = (bytes: Uint8Array, like: string): string =>
  bytes.length === 0 ? 'nothing' : like.startsWith('"') ? JSON.stringify(Buffer.from(bytes).toString()) : toHex(bytes).replace(/..(?!$)/g, '$& ')
