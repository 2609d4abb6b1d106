// Reads payloads with the codec of the endpoints' protocol, which is a pure description of bytes.
import { ANY_FIELD, Defect, dissect, readHeader, type FieldSpan } from '../endpoints/message/index.js'
import type { MessageField, PayloadDecoder } from './payload.js'

/** Drawn at random by the sender: only where it recurs can be compared. */
const RANDOM = new Set(['token'])

export const endpointPayload: PayloadDecoder = (_protocol, _ports, bytes) => {
  const header = readHeader(bytes)
  if (header instanceof Defect || header.length > bytes.length) return null
  const dissection = dissect(bytes.subarray(0, header.length))
  if (dissection instanceof Defect) return null
  const { definition, length, fields } = dissection
  return { number: definition.document, name: definition.title, length, fields: fields.map(toField) }
}

function toField({ key, title, offset, length, value }: FieldSpan): MessageField {
  const secret = key !== null && ANY_FIELD[key].secret
  return {
    name: title, offset, length, value: textOf(value),
    ...(secret ? { secret } : {}), ...(key !== null && RANDOM.has(key) ? { random: true } : {}),
  }
}

function textOf(value: FieldSpan['value']): string | number {
  if (typeof value === 'boolean') return value ? 'set' : 'not set'
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
