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
  time: field(24, 'time', kind.size, 8),
  authenticator: field(25, 'authenticator', kind.hex, AUTHENTICATOR_LENGTH),
  userId: field(30, 'user ID', kind.name, 1, 64),
  connections: field(31, 'connections', kind.size, 8),
  relayed: field(32, 'relayed data', kind.bytes, 1, 32768),
} as const

export type FieldKey = keyof typeof FIELDS
export type ValueOf<K extends FieldKey> = (typeof FIELDS)[K] extends FieldDefinition<infer T> ? T : never
export type FieldValue = ValueOf<FieldKey>

/** The same table with the value's type forgotten, for code that walks over fields of any kind. */
export const ANY_FIELD: Readonly<Record<FieldKey, FieldDefinition<FieldValue>>> = FIELDS
