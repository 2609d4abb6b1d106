// The table of messages: for each its type number, the documents' number and name, and its fields in the figures' order.
// The codec, docs/protocol.md and the packet checks are all derived from this table. Where the documents number a packet,
// the type byte is that number, so that a hexadecimal dump of a 201 begins with 01 c9 (version 1, type 201).
import { FIELDS } from './fields.js'
import type { FieldKey, ValueOf } from './fields.js'

export const VERSION = 1
/** version (1 byte), type (1), length of what follows (2) */
export const HEADER = 4
/** id (1 byte), length of the value (2) */
export const FIELD_HEAD = 3
/** Room in every message for fields that this version does not know, bytes and count. */
export const EXTRA_ROOM = 256
export const EXTRA_COUNT = 16

/** A field of a message; '?' marks one that may be absent. */
type FieldUse = FieldKey | `${FieldKey}?`
type Transport = 'UDP' | 'TCP' | 'TCP or UDP'

function message<const F extends readonly FieldUse[]>(type: number, document: string | null, title: string, over: Transport, fields: F) {
  return { type, document, title, over, fields }
}

export const MESSAGES = {
  registration: message(201, '201', 'equipment registration', 'UDP', ['equipmentId', 'time?', 'authenticator?', 'padding?']),
  notification: message(205, '205', 'connection request notification', 'UDP', ['notification', 'token', 'authenticator?']),
  request: message(217, '217', 'connection request', 'TCP', ['equipmentId', 'password?', 'address', 'port', 'token', 'connectionKey?', 'transport?']),
  forwardedRequest: message(226, '226', 'connection request', 'TCP or UDP', ['password?', 'address', 'port', 'token', 'connectionKey?', 'transport?', 'authenticator?']),
  relayRegistration: message(31, '31', 'equipment registration', 'UDP', ['equipmentId', 'address?', 'padding?']),
  relayRequest: message(34, '34', 'connection request', 'TCP', ['equipmentId', 'address?', 'port?', 'token']),
  relayNotification: message(36, '36', 'connection request notification', 'UDP', ['notification', 'address?', 'port?', 'token']),
  command: message(38, '38', 'command signal', 'TCP', ['text']),
  direct: message(3, null, 'direct connection', 'TCP', ['address', 'token']),
  greeting: message(1, null, 'greeting', 'TCP', ['token', 'authenticator?']),
  answer: message(2, null, 'answer', 'TCP or UDP', ['reason', 'sentence?', 'token?', 'time?', 'authenticator?']),
  line: message(10, null, 'line of text', 'TCP', ['text']),
  fileStart: message(11, null, 'file start', 'TCP', ['fileName', 'size']),
  fileData: message(12, null, 'file data', 'TCP', ['data']),
  fileEnd: message(13, null, 'file end', 'TCP', ['sha256?']),
  fileReceipt: message(14, null, 'file receipt', 'TCP', ['ok', 'sha256?', 'sentence?']),
  goodbye: message(15, null, 'goodbye', 'TCP', ['sentence?']),
  // 63, 54 and 55 pass between the CA (51) and the others (Fig. 5).
  certificateRequest: message(63, '63', 'certificate request', 'TCP', ['certificateRequest', 'proof?']),
  certificateIssuance: message(54, '54', 'certificate issuance', 'TCP', ['certificate', 'proof?']),
  authorityRequest: message(4, null, 'CA certificate request', 'TCP', []),
  authorityCertificate: message(55, '55', 'CA certificate', 'TCP', ['authority']),
  // The log-in relay numbers its steps from 1 and would meet the types above, so the type is the number and 100. One message
  // does for several steps; endpoints/login-relay/steps.ts lists them.
  login: message(102, '(2)', 'user ID and password', 'TCP', ['userId', 'password', 'token']),
  loginAnswer: message(103, '(3)', 'log-in answer', 'TCP', ['reason', 'sentence?']),
  hold: message(104, '(4)', 'connection holding', 'TCP', []),
  holdAnswer: message(105, '(5)', 'holding answer', 'TCP', []),
  demand: message(106, '(6)', 'connection demand', 'TCP', ['userId']),
  demandNotification: message(107, '(7)', 'connection demand notification', 'TCP', ['userId']),
  demandAnswer: message(108, '(8)', 'demand answer', 'TCP', ['reason', 'sentence?']),
  demandResult: message(109, '(9)', 'demand answer passed on', 'TCP', ['reason', 'sentence?']),
  relayData: message(115, '(15)', 'relayed data', 'TCP', ['relayed']),
  relayEnd: message(116, null, 'end of relayed data', 'TCP', []),
  termination: message(119, '(19)', 'termination notice', 'TCP', ['sentence?']),
  release: message(121, '(21)', 'release notice', 'TCP', []),
  logout: message(122, '(22)', 'log-out', 'TCP', []),
  userListRequest: message(125, null, 'user list request', 'TCP', []),
  userListEntry: message(126, null, 'user list entry', 'TCP', ['userId', 'connections']),
  userListEnd: message(127, null, 'user list end', 'TCP', []),
} as const

export type MessageName = keyof typeof MESSAGES

type UsesOf<N extends MessageName> = (typeof MESSAGES)[N]['fields'][number]
type Needed<U> = Extract<U, FieldKey>
type Optional<U> = U extends `${infer K extends FieldKey}?` ? K : never

/** A field that this version does not know, kept as it came. */
export interface ExtraField { readonly id: number, readonly bytes: Uint8Array }

/** A message by its name, with its fields as properties. */
export type MessageOf<N extends MessageName> = {
  [M in N]: { readonly name: M, readonly extra?: readonly ExtraField[] }
    & { readonly [K in Needed<UsesOf<M>>]: ValueOf<K> }
    & { readonly [K in Optional<UsesOf<M>>]?: ValueOf<K> }
}[N]
export type Message = MessageOf<MessageName>

export interface FieldPlace { readonly key: FieldKey, readonly optional: boolean }

export interface MessageDefinition {
  readonly name: MessageName
  readonly type: number
  /** The documents' number, or null for a message that they do not number. */
  readonly document: string | null
  readonly title: string
  readonly over: Transport
  readonly fields: readonly FieldPlace[]
  /** The largest length that the header may announce, bytes. */
  readonly limit: number
}

function define(name: MessageName): MessageDefinition {
  const { type, document, title, over, fields } = MESSAGES[name]
  const uses: readonly FieldUse[] = fields
  const places = uses.map(use => ({ key: use.replace('?', '') as FieldKey, optional: use.endsWith('?') }))
  const limit = places.reduce((sum, { key }) => sum + FIELD_HEAD + FIELDS[key].max, EXTRA_ROOM)
  return { name, type, document, title, over, fields: places, limit }
}

/** Every message, in the order of the table. */
export const DEFINITIONS: readonly MessageDefinition[] = (Object.keys(MESSAGES) as MessageName[]).map(define)

const byName = new Map(DEFINITIONS.map(definition => [definition.name, definition]))
const byType = new Map(DEFINITIONS.map(definition => [definition.type, definition]))

export function definitionOf(name: MessageName): MessageDefinition {
  return byName.get(name) ?? define(name)
}

export const definitionOfType = (type: number): MessageDefinition | undefined => byType.get(type)

/** `217 connection request`; the title alone for a message without a number. */
export const labelOf = (name: MessageName): string => [MESSAGES[name].document, MESSAGES[name].title].filter(Boolean).join(' ')
