// The fields that messages are made of. The number of a field never changes its meaning; new fields get new numbers.
import * as kind from './kinds.js'
import type { Kind } from './kinds.js'

interface FieldDefinition<T> {
  readonly id: number
  readonly title: string
  /** Hard limits on the length of the value, bytes. */
  readonly min: number
  readonly max: number
  readonly kind: Kind<T>
  /** True when the value must never be shown. */
  readonly secret: boolean
}

function field<T>(id: number, title: string, kind: Kind<T>, min: number, max = min, secret = false): FieldDefinition<T> {
  return { id, title, min, max, kind, secret }
}

/** Bytes of a token: enough that nobody guesses a pending one, few enough that 205 stays smaller than a 201. */
export const TOKEN_LENGTH = 8

/** Bytes of the key for a direct connection: as many as SHA-256, the hash of its cipher suite, can make use of. */
export const CONNECTION_KEY_LENGTH = 32

/** The value of `transport`: UDP's number among the protocols of IP. TCP is meant where the field is absent. */
export const UDP_TRANSPORT = 17

/** HMAC-SHA-256, cut to half its length as RFC 4868 does. */
export const AUTHENTICATOR_LENGTH = 16

export const FIELDS = {
  equipmentId: field(1, 'equipment ID', kind.name, 1, 64),
  password: field(2, 'password', kind.line, 1, 128, true),
  address: field(3, 'IP address', kind.ipv4, 4),
  port: field(4, 'port', kind.port, 2),
  notification: field(5, 'connection request notification flag', kind.flag, 1),
  token: field(6, 'request token', kind.hex, TOKEN_LENGTH),
  padding: field(7, 'padding', kind.bytes, 0, 128),
  reason: field(8, 'reason code', kind.code, 1),
  sentence: field(9, 'sentence', kind.name, 0, 512),
  text: field(10, 'line of text', kind.line, 0, 16384),
  fileName: field(11, 'file name', kind.name, 1, 255),
  size: field(12, 'file size', kind.size, 8),
  data: field(13, 'file data', kind.bytes, 1, 32768),
  sha256: field(14, 'SHA-256', kind.hex, 32),
  ok: field(15, 'file is whole', kind.flag, 1),
  connectionKey: field(25, 'connection key', kind.hex, CONNECTION_KEY_LENGTH, CONNECTION_KEY_LENGTH, true),
  transport: field(26, 'transport', kind.code, 1),
  time: field(27, 'time', kind.size, 8),
  authenticator: field(28, 'authenticator', kind.hex, AUTHENTICATOR_LENGTH),
  userId: field(30, 'user ID', kind.name, 1, 64),
  connections: field(31, 'connections', kind.size, 8),
  relayed: field(32, 'relayed data', kind.bytes, 1, 32768),
  certificateRequest: field(40, 'certificate request', kind.bytes, 1, 16384),
  certificate: field(41, 'certificate', kind.bytes, 1, 16384),
  authority: field(42, 'CA certificate', kind.bytes, 1, 16384),
  proof: field(43, 'proof', kind.hex, 32),
} as const

export type FieldKey = keyof typeof FIELDS
export type ValueOf<K extends FieldKey> = (typeof FIELDS)[K] extends FieldDefinition<infer T> ? T : never
export type FieldValue = ValueOf<FieldKey>

/** The same table with the value's type forgotten, for code that walks over fields of any kind. */
export const ANY_FIELD: Readonly<Record<FieldKey, FieldDefinition<FieldValue>>> = FIELDS
