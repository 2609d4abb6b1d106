// Authenticators: HMAC-SHA-256 (RFC 2104) cut to 16 bytes (HMAC-SHA-256-128, RFC 4868) over a whole message, in which the
// authenticator's own bytes count as zeros, so that every field is covered, padding and unknown ones too.
//
// The key is one equipment's and known to that equipment and the server alone. Who speaks goes into the hash, so that nothing
// can be sent back to where it came from; and a time, for what answers a registration: that registration's own (see
// server-guard.ts).
import { createHmac, timingSafeEqual } from 'node:crypto'
import { AUTHENTICATOR_LENGTH, encode } from '../message/index.js'
import type { MessageName, MessageOf } from '../message/index.js'

/** Of a key, bytes: as many as SHA-256 gives, as RFC 2104 §3 asks for. */
export const KEY_LENGTH = 32

export type Speaker = 'server' | 'acceptor'

/** The messages that have room for an authenticator. */
export type Sealed = Extract<MessageName, 'registration' | 'notification' | 'forwardedRequest' | 'greeting' | 'answer'>

const ZEROS = '00'.repeat(AUTHENTICATOR_LENGTH)

/** @param time of the registration that this answers, milliseconds; 0 when it answers none */
export const seal = <M extends MessageOf<Sealed>>(message: M, key: Uint8Array, speaker: Speaker, time = 0): M =>
  ({ ...message, authenticator: authenticatorOf(message, key, speaker, time).toString('hex') })

/** Whether the message comes from `speaker` as it is. The comparison takes the same time wherever two authenticators differ. */
export function isGenuine(message: MessageOf<Sealed>, key: Uint8Array, speaker: Speaker, time = 0): boolean {
  const { authenticator } = message
  return authenticator !== undefined && timingSafeEqual(Buffer.from(authenticator, 'hex'), authenticatorOf(message, key, speaker, time))
}

function authenticatorOf(message: MessageOf<Sealed>, key: Uint8Array, speaker: Speaker, time: number): Buffer {
  const hash = createHmac('sha256', key).update(`naptlab ${speaker} ${time}\0`).update(encode({ ...message, authenticator: ZEROS }))
  return hash.digest().subarray(0, AUTHENTICATOR_LENGTH)
}

/** True for a message that has room for an authenticator. */
export const isSealable = (message: { readonly name: MessageName }): message is MessageOf<Sealed> =>
  ['registration', 'notification', 'forwardedRequest', 'greeting', 'answer'].includes(message.name)
