// What a payload says. The codec of the endpoints' protocol is not known here: whoever asks brings a decoder.
import type { Ends, Transport } from './decode.js'

export interface MessageField {
  readonly name: string
  readonly value: string | number
  /** Bytes from the beginning of the payload. */
  readonly offset: number
  readonly length: number
  /** True for a password: its value goes into no text, file or error. A field named `password` is one without saying so. */
  readonly secret?: boolean
  /** True for a value that the sender drew at random: only that it recurs where it did before can be compared. */
  readonly random?: boolean
}

/** One message of the endpoints' protocol, such as 201. */
export interface Message {
  /** The document's number, '201'; null for a message that it does not number. */
  readonly number: string | null
  /** The document's name, 'equipment registration'. */
  readonly name: string
  readonly fields: readonly MessageField[]
  /** Bytes of the payload that it takes; all of them when not given. */
  readonly length?: number
}

/** The message at the beginning of `bytes`, or null when there is none, or only a part of one. Must not throw. */
export type PayloadDecoder = (protocol: 'udp' | 'tcp', ports: { readonly source: number, readonly destination: number }, bytes: Uint8Array) => Message | null

/** As in `201 equipment registration`. */
export const labelOf = ({ number, name }: Pick<Message, 'number' | 'name'>): string => number === null ? name : `${number} ${name}`

export const decodeNothing: PayloadDecoder = () => null

/** The message in a packet's payload, or null. */
export function messageOf(transport: Transport | null, decoder: PayloadDecoder): Message | null {
  if (transport === null || transport.protocol === 'icmp' || transport.payload.length === 0) return null
  return decoder(transport.protocol, portsOf(transport), transport.payload)
}

export const portsOf = (ends: Ends): { source: number, destination: number } => ({ source: ends.source.port, destination: ends.destination.port })

export const isSecret = (field: MessageField): boolean => field.secret === true || /password/i.test(field.name)

/** A field's value for people; a secret's length is all that shows. */
export const formatValue = (field: MessageField): string => isSecret(field) ? formatSecret(field.length) : String(field.value)

export const formatSecret = (length: number): string => `•••• (${length} bytes)`
