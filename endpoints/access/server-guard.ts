// The server's side of authenticated registrations. A 201 is taken when its authenticator is right, its time is within the
// tolerance of this machine's, and later than that of every 201 taken from the same equipment before.
//
// Why that, and no challenge and no source address: the source address is the router's and changes, so the equipment cannot
// vouch for it. A challenge would cost a round trip, put a packet into Fig. 2 that it does not have, and make the server
// answer addresses that have proved nothing; and it would not stop more: who can pass a 201 on from elsewhere before the
// server has it can pass on a challenge too. The time makes each 201 good for one use. What a capture is good for after that:
//
// - the server has taken it, or a later one: nothing, however soon it comes and wherever from;
// - the server has never had it (it was held back on its way): one use within the tolerance, until the equipment's next;
// - the server has been restarted, and has forgotten the times: what was made before its start is refused, so again nothing,
//   unless the equipment's clock is ahead of the server's: then for as long as it is ahead, until the equipment's next.
//
// Where that moves an equipment's entry to a stranger's address, the stranger still gets no 226: at levels 2 and 3 the
// greeting on the second connection has to be authenticated as well.
//
// Every message to the equipment that goes by UDP is authenticated with the time of the last 201 taken, which thus serves
// the equipment as a challenge: it knows its own last 201s, and takes nothing that was made before them.
import { isGenuine, seal } from './authenticator.js'
import { REASONS } from '../message/index.js'
import type { Sealed } from './authenticator.js'
import type { MessageOf } from '../message/index.js'

/** Whose registrations are taken. */
export interface EquipmentKeys {
  /** The key of an equipment, or null when it is not known. */
  keyOf(equipmentId: string): Uint8Array | null
}

export interface GuardOptions {
  readonly keys: EquipmentKeys
  /** Milliseconds by which a registration's time may differ from this machine's. */
  readonly tolerance?: number
  /** The time of day, milliseconds since the epoch, which steps when the machine's clock is set. */
  readonly now?: () => number
}

/** Two machines whose clocks nobody sets are within a minute of each other for some weeks. */
export const CLOCK_TOLERANCE = 60_000

export interface Objection {
  readonly reason: 'not-authenticated' | 'clock-differs' | 'replayed'
  readonly sentence: string
  /** What the equipment is told; null when nothing shows that it is the equipment. Shorter than its registration. */
  readonly answer: MessageOf<'answer'> | null
}

export class ServerGuard {
  readonly #keys: EquipmentKeys
  readonly #tolerance: number
  readonly #now: () => number
  readonly #started: number
  /** The time of the last registration taken; no more entries than there are keys. */
  readonly #last = new Map<string, number>()

  constructor({ keys, tolerance = CLOCK_TOLERANCE, now = Date.now }: GuardOptions) {
    this.#keys = keys
    this.#tolerance = tolerance
    this.#now = now
    this.#started = now()
  }

  /** Null when the registration is taken, which uses up its time. */
  objection(registration: MessageOf<'registration'>): Objection | null {
    const { equipmentId, time, authenticator } = registration
    const no = (sentence: string): Objection => ({ reason: 'not-authenticated', sentence: `${equipmentId} was not registered: ${sentence}`, answer: null })
    if (time === undefined || authenticator === undefined) return no('the registration has no authenticator; give the acceptor its key (--equipment-key)')
    const key = this.#keys.keyOf(equipmentId)
    if (key === null) return no('no key of this equipment is known here; `naptlab equipment add` makes one')
    if (!isGenuine(registration, key, 'acceptor')) return no('the authenticator is wrong; check that the acceptor has the key that is known here')
    const flaw = this.#flawOf(equipmentId, time)
    if (flaw !== null) return { ...flaw, sentence: `${equipmentId} was not registered: ${flaw.sentence}`, answer: this.#answer(flaw.reason, key, time) }
    this.#last.set(equipmentId, time)
    return null
  }

  /** What is wrong with the time of a registration whose authenticator is right. */
  #flawOf(equipmentId: string, time: number): { reason: 'clock-differs' | 'replayed', sentence: string } | null {
    const now = this.#now(), ahead = time - now, last = this.#last.get(equipmentId)
    if (Math.abs(ahead) > this.#tolerance) {
      return { reason: 'clock-differs', sentence: `its clock is ${spell(ahead)} this machine's, and ${this.#tolerance / 1000} s are tolerated; set both clocks` }
    }
    if (last !== undefined && time <= last) {
      const what = time === last ? 'this registration was taken already' : `one that is ${((last - time) / 1000).toFixed(1)} s younger was taken already`
      return { reason: 'replayed', sentence: `${what}: it was sent again, its clock was set back, or two machines have one key` }
    }
    // A clock that was set back since says nothing about what was before.
    if (now >= this.#started && time < this.#started) {
      return { reason: 'replayed', sentence: 'it was made before this server started; one that is made now is taken' }
    }
    return null
  }

  #answer(reason: 'clock-differs' | 'replayed', key: Uint8Array, time: number): MessageOf<'answer'> {
    return seal({ name: 'answer', reason: REASONS[reason].code, time: Math.floor(this.#now()) }, key, 'server', time)
  }

  /** A message to the equipment by UDP. As it is for an equipment whose key is no longer known, which will not take it. */
  seal<M extends MessageOf<Sealed>>(message: M, equipmentId: string): M {
    const key = this.#keys.keyOf(equipmentId)
    return key === null ? message : seal(message, key, 'server', this.#last.get(equipmentId) ?? 0)
  }

  /** Whether a greeting or a report comes from the equipment. */
  isFrom(equipmentId: string, message: MessageOf<'greeting' | 'answer'>): boolean {
    const key = this.#keys.keyOf(equipmentId)
    return key !== null && isGenuine(message, key, 'acceptor')
  }
}

/** As in `95.0 s ahead of`. */
export const spell = (ms: number): string => `${(Math.abs(ms) / 1000).toFixed(1)} s ${ms > 0 ? 'ahead of' : 'behind'}`
