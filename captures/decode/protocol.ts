// The payload decoder for the endpoints' protocol, on their own codec.
import { createHash } from 'node:crypto'
import { ANY_FIELD, Defect, dissect, readHeader, type FieldKey, type FieldSpan, type FieldValue } from '../../endpoints/message/index.js'
import type { MessageField, PayloadDecoder } from './payload.js'

/** A datagram is one message; a TCP stream begins with one. */
export const decodePayload: PayloadDecoder = (protocol, _ports, bytes) => {
  const head = readHeader(bytes)
  if (head instanceof Defect || head.length > bytes.length) return null
  const message = dissect(protocol === 'tcp' ? bytes.subarray(0, head.length) : bytes)
  if (message instanceof Defect) return null
  const { document, title } = message.definition
  return { number: document, name: title, fields: message.fields.map(fieldOf), length: message.length }
}

const fieldOf = ({ key, title, value, offset, length }: FieldSpan): MessageField => ({
  name: title, value: valueOf(value, key), offset, length,
  // A field that this version does not know might be a secret of another one.
  secret: key === null || ANY_FIELD[key].secret,
  random: key !== null && RANDOM.includes(key),
})

/** Drawn for a run, or made with keys that are: that a certificate recurs can be compared. */
const RANDOM: readonly FieldKey[] = ['token', 'certificateRequest', 'certificate', 'authority', 'proof']

const valueOf = (value: FieldValue, key: FieldKey | null): string | number =>
  typeof value === 'boolean' ? (value ? 'set' : 'not set')
  : !(value instanceof Uint8Array) ? value
  // As the certificates of a handshake (tls-entries.ts): so it shows that 54 brought what 214 carries.
  : key !== null && RANDOM.includes(key) ? createHash('sha256').update(value).digest('hex') : Buffer.from(value).toString('hex')
