// The acceptor's side of authenticated registrations: each 201 has a time later than the one before, and nothing that comes by
// UDP is taken unless the server authenticated it with the time of one of the last few. See server-guard.ts for the reasons.
import { isGenuine, isSealable, seal } from './authenticator.js'
import { CLOCK_TOLERANCE, spell } from './server-guard.js'
import { AUTHENTICATOR_LENGTH, REASONS, encode, reasonOf } from '../message/index.js'
import { padded } from '../registrar.js'
import type { Message, MessageOf } from '../message/index.js'
import type { Complaint, Registering } from '../registrar.js'

/** Registrations that the server may not have had yet when it sends: a few may be lost in a row. */
const REMEMBERED = 8

/** Room for three 205, or two 226 at level 1, each with its authenticator (see registry.ts). */
const REGISTRATION_LENGTH = 120

export class AcceptorGuard implements Registering {
  readonly #equipmentId: string
  readonly #key: Uint8Array
  readonly #now: () => number
  /** Times of the last registrations, the latest first. */
  #times: readonly number[] = []

  /** @param now the time of day, milliseconds since the epoch */
  constructor(equipmentId: string, key: Uint8Array, now: () => number = Date.now) {
    this.#equipmentId = equipmentId
    this.#key = key
    this.#now = now
  }

  next(): Uint8Array {
    // A clock that was set back a little must not use a time twice; after a big step the server will say what is wrong.
    const now = Math.floor(this.#now()), last = this.#times.at(0) ?? 0
    const time = last - now > CLOCK_TOLERANCE ? now : Math.max(now, last + 1)
    this.#times = [time, ...this.#times.slice(0, REMEMBERED - 1)]
    const registration = padded({ name: 'registration', equipmentId: this.#equipmentId, time, authenticator: '00'.repeat(AUTHENTICATOR_LENGTH) }, REGISTRATION_LENGTH)
    return encode(seal(registration, this.#key, 'acceptor'))
  }

  complaint(message: Message): Complaint | null {
    if (!isSealable(message) || !this.#times.some(time => isGenuine(message, this.#key, 'server', time))) {
      return { reason: 'not-authenticated', message: `a ${message.name} does not come from the server, or is an old one: it is not authenticated with this equipment's key` }
    }
    return message.name === 'answer' ? this.#refusal(message) : null
  }

  /** A greeting or a report. */
  seal<M extends MessageOf<'greeting' | 'answer'>>(message: M): M { return seal(message, this.#key, 'acceptor') }

  /** The server's word on a registration. */
  #refusal({ reason: code, time = 0 }: MessageOf<'answer'>): Complaint {
    const reason = reasonOf(code) === 'clock-differs' ? 'clock-differs' : 'replayed'
    const why = reason === 'clock-differs' ? `the clock here is ${spell(this.#now() - time)} the server's` : REASONS.replayed.sentence
    return { reason, message: `the registration was refused: ${why}; ${REASONS[reason].advice}` }
  }
}
