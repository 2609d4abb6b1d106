// Messages to bytes and back. Bytes come from the network: no decoder here throws, and none allocates by a length that it
// has not checked against the limits of the table. What is accepted encodes to the same bytes again.
import { ANY_FIELD } from './fields.js'
import { EncodeError, Flaw } from './kinds.js'
import {
  DEFINITIONS, EXTRA_COUNT, EXTRA_ROOM, FIELD_HEAD, HEADER, VERSION, definitionOf, definitionOfType, labelOf,
} from './messages.js'
import type { FieldKey, FieldValue } from './fields.js'
import type { ExtraField, Message, MessageDefinition, MessageName } from './messages.js'

export type DefectKind = 'truncated' | 'version' | 'type' | 'unexpected' | 'length' | 'field' | 'missing' | 'trailing'

/** Why bytes are not a message: `offset` counts from the message's first byte. */
export class Defect {
  constructor(readonly kind: DefectKind, readonly offset: number, readonly sentence: string) {}

  toString(): string {
    return `${this.sentence} (byte ${this.offset})`
  }
}

/** Where one field stands in a message. `key` is null for a field that this version does not know. */
export interface FieldSpan {
  readonly id: number
  readonly key: FieldKey | null
  readonly title: string
  /** Of the value, from the message's first byte; the id and the length stand in the FIELD_HEAD bytes before it. */
  readonly offset: number
  readonly length: number
  readonly value: FieldValue
}

/** A message taken apart, for those who show or check bytes. */
export interface Dissection {
  readonly definition: MessageDefinition
  readonly version: number
  /** Header and fields, bytes. */
  readonly length: number
  readonly fields: readonly FieldSpan[]
}

/** @throws EncodeError when a value does not fit its field */
export function encode(message: Message): Uint8Array {
  const definition = definitionOf(message.name)
  const values: { readonly name: MessageName } & Partial<Record<FieldKey, FieldValue>> = message
  const fields: { id: number, bytes: Uint8Array }[] = []
  for (const { key } of definition.fields) {
    const value = values[key]
    if (value !== undefined) fields.push({ id: ANY_FIELD[key].id, bytes: encodeField(key, value) })
  }
  for (const extra of message.extra ?? []) fields.push(checkedExtra(extra, definition))
  if ((message.extra ?? []).length > EXTRA_COUNT) throw new EncodeError(`at most ${EXTRA_COUNT} further fields fit a message`)
  const length = fields.reduce((sum, { bytes }) => sum + FIELD_HEAD + bytes.length, 0)
  if (length > definition.limit) throw new EncodeError(`at most ${EXTRA_ROOM} bytes of further fields fit a message`)
  const out = new Uint8Array(HEADER + length)
  out.set([VERSION, definition.type, length >> 8, length & 255])
  let at = HEADER
  for (const { id, bytes } of fields) {
    out.set([id, bytes.length >> 8, bytes.length & 255], at)
    out.set(bytes, at + FIELD_HEAD)
    at += FIELD_HEAD + bytes.length
  }
  return out
}

function encodeField(key: FieldKey, value: FieldValue): Uint8Array {
  const { title, kind, min, max } = ANY_FIELD[key]
  let bytes: Uint8Array
  try {
    bytes = kind.encode(value)
  } catch (error) {
    throw error instanceof EncodeError ? new EncodeError(`the ${title} ${error.message}`) : error
  }
  if (bytes.length < min || bytes.length > max) throw new EncodeError(`the ${title} is ${lengthFlaw(bytes.length, min, max)}`)
  return bytes
}

function checkedExtra({ id, bytes }: ExtraField, definition: MessageDefinition): ExtraField {
  if (id < 0 || id > 255 || definition.fields.some(({ key }) => ANY_FIELD[key].id === id)) {
    throw new EncodeError(`a further field of ${labelOf(definition.name)} cannot have the number ${id}`)
  }
  return { id, bytes }
}

const lengthFlaw = (length: number, min: number, max: number): string =>
  `${length} bytes long, not ${min === max ? min : `${min} to ${max}`}`

/** `bytes` hold exactly one message, as a datagram does. */
export function decode(bytes: Uint8Array): Message | Defect {
  const dissection = dissect(bytes)
  return dissection instanceof Defect ? dissection : toMessage(dissection)
}

function toMessage({ definition, fields }: Dissection): Message {
  const known = fields.flatMap(({ key, value }) => key === null ? [] : [[key, value] as const])
  const extra = fields.flatMap(({ key, id, value }) => key === null && value instanceof Uint8Array ? [{ id, bytes: value }] : [])
  // The dissection has checked that every needed field of this name is there and of its kind, which the type cannot see.
  return { name: definition.name, ...Object.fromEntries(known), ...(extra.length > 0 ? { extra } : {}) } as unknown as Message
}

/** Takes apart `bytes`, which hold exactly one message. */
export function dissect(bytes: Uint8Array): Dissection | Defect {
  const head = readHeader(bytes)
  if (head instanceof Defect) return head
  if (bytes.length < head.length) {
    return new Defect('truncated', bytes.length, `the message is cut short: ${bytes.length} of ${head.length} bytes`)
  }
  if (bytes.length > head.length) {
    return new Defect('trailing', head.length, `${bytes.length - head.length} bytes follow the message`)
  }
  const fields = readFields(bytes, head.definition)
  return fields instanceof Defect ? fields : { ...head, version: VERSION, fields }
}

/** A record of a handshake or an alert, of SSL 3.0 or any TLS. A defect either way; who meets it wants to know. */
const isTls = ([type, version]: Uint8Array): boolean => (type === 21 || type === 22) && version === 3

export interface Header { readonly definition: MessageDefinition, readonly length: number }

/** Reads the header alone, and refuses a length above the limit before any of it has come. `length` counts the header too. */
export function readHeader(bytes: Uint8Array, accepts?: readonly MessageName[]): Header | Defect {
  if (bytes.length > 0 && bytes[0] !== VERSION) {
    if (isTls(bytes)) return new Defect('version', 0, 'the other end speaks TLS, and this end does not')
    return new Defect('version', 0, `version ${bytes[0]} is not known; this side speaks version ${VERSION}`)
  }
  const definition = bytes.length > 1 ? definitionOfType(bytes[1]) : undefined
  if (bytes.length > 1 && !definition) return new Defect('type', 1, `there is no message of type ${bytes[1]}`)
  if (definition && accepts && !accepts.includes(definition.name)) {
    return new Defect('unexpected', 1, `${labelOf(definition.name)} has no place here; wanted: ${accepts.map(labelOf).join(', ') || 'nothing'}`)
  }
  if (bytes.length < HEADER || !definition) return new Defect('truncated', bytes.length, `the header is cut short: ${bytes.length} of ${HEADER} bytes`)
  const length = (bytes[2] << 8) | bytes[3]
  if (length > definition.limit) {
    return new Defect('length', 2, `${labelOf(definition.name)} announces ${length} bytes; at most ${definition.limit} are allowed`)
  }
  return { definition, length: HEADER + length }
}

/** The fields of the table come first and in its order; then fields that this version does not know. */
function readFields(bytes: Uint8Array, definition: MessageDefinition): FieldSpan[] | Defect {
  const spans: FieldSpan[] = []
  let place = 0, extras = 0
  for (let at = HEADER; at < bytes.length;) {
    if (bytes.length - at < FIELD_HEAD) return new Defect('field', at, 'a field is cut short')
    const id = bytes[at], length = (bytes[at + 1] << 8) | bytes[at + 2], offset = at + FIELD_HEAD
    if (length > bytes.length - offset) return new Defect('field', at + 1, `field ${id} announces ${length} bytes; ${bytes.length - offset} are left`)
    const value = bytes.subarray(offset, offset + length)
    const found = definition.fields.findIndex(({ key }) => ANY_FIELD[key].id === id)
    if (found >= 0 && found < place) return new Defect('field', at, `the ${ANY_FIELD[definition.fields[found].key].title} is repeated or out of order`)
    const next = found >= 0 ? found : definition.fields.length
    const missing = missingField(definition, place, next, at)
    if (missing) return missing
    if (found >= 0) {
      const span = readField(definition.fields[found].key, value, offset)
      if (span instanceof Defect) return span
      spans.push(span)
    } else {
      if (++extras > EXTRA_COUNT) return new Defect('field', at, `more than ${EXTRA_COUNT} further fields`)
      spans.push({ id, key: null, title: `field ${id}`, offset, length, value })
    }
    place = found >= 0 ? found + 1 : next
    at = offset + length
  }
  return missingField(definition, place, definition.fields.length, bytes.length) ?? spans
}

function readField(key: FieldKey, bytes: Uint8Array, offset: number): FieldSpan | Defect {
  const { id, title, min, max, kind } = ANY_FIELD[key]
  if (bytes.length < min || bytes.length > max) return new Defect('field', offset - 2, `the ${title} is ${lengthFlaw(bytes.length, min, max)}`)
  const value = kind.decode(bytes)
  return value instanceof Flaw
    ? new Defect('field', offset, `the ${title} ${value.sentence}`)
    : { id, key, title, offset, length: bytes.length, value }
}

function missingField({ name, fields }: MessageDefinition, from: number, to: number, at: number): Defect | null {
  const missing = fields.slice(from, to).find(({ optional }) => !optional)
  return missing ? new Defect('missing', at, `${labelOf(name)} lacks the ${ANY_FIELD[missing.key].title}`) : null
}

/** The largest message of all, header included, bytes. */
export const MAX_MESSAGE = HEADER + Math.max(...DEFINITIONS.map(({ limit }) => limit))
