// What the table's last look-up was about, and found: a few numbers, from which `explain` and `known` make what others read.
import type { KnownSession } from '../trace/explanation.js'
import type { Lookup } from './listing.js'
import type { Sessions } from './sessions.js'

const NONE = -1
/** In place of a mapping: that of the session, and its remote endpoint. A packet of a known flow does not ask for them. */
const OF_SESSION = -2

export class LastLookup implements Lookup {
  /** False where the frame did not come as far as a look-up. */
  isMade = false
  session = NONE
  /** TCP's, before the packet; -1 where there was no session. */
  state = NONE
  timeLeft = 0
  isNew = false
  #remoteAddress = 0
  #remotePort = 0
  readonly #sessions: Sessions
  #mapping = NONE
  readonly #known: KnownSession = { before: 0, after: 0, timeLeftBefore: 0, timeLeft: 0 }

  constructor(sessions: Sessions) {
    this.#sessions = sessions
  }

  get mapping(): number { return this.#mapping === OF_SESSION ? this.#sessions.mapping(this.session) : this.#mapping }
  set mapping(mapping: number) { this.#mapping = mapping }
  get remoteAddress(): number { return this.#mapping === OF_SESSION ? this.#sessions.remoteAddress(this.session) : this.#remoteAddress }
  get remotePort(): number { return this.#mapping === OF_SESSION ? this.#sessions.remotePort(this.session) : this.#remotePort }

  /** It was about a packet that took the fast path. */
  get isPass(): boolean { return this.isMade && this.#mapping === OF_SESSION }

  /** Of a packet from or to a remote endpoint; `session` is what it belongs to, or -1, and may be over. Gives it back. */
  note(session: number, remoteAddress: number, remotePort: number, now: number): number {
    this.isMade = true
    this.session = NONE
    this.isNew = false
    this.#remoteAddress = remoteAddress
    this.#remotePort = remotePort
    this.#mapping = session === NONE ? NONE : this.#sessions.mapping(session)
    this.state = session === NONE ? NONE : this.#sessions.state(session)
    if (session !== NONE) this.timeLeft = this.#sessions.deadline(session) - now
    return session
  }

  /** Of a packet that goes by a session which is alive, with its state and time left before the packet. */
  notePass(session: number, state: number, timeLeft: number): void {
    this.isMade = true
    this.session = session
    this.isNew = false
    this.#mapping = OF_SESSION
    this.state = state
    this.timeLeft = timeLeft
  }

  /** The session was over, and is gone. */
  noteLapse(): void {
    this.#mapping = NONE
    this.state = NONE
  }

  /** The session that was found, if it was there before; the same object every time. */
  known(now: number): KnownSession | null {
    const known = this.#known
    if (!this.isMade || this.session === NONE || this.state < 0) return null
    known.before = this.state
    known.after = this.#sessions.state(this.session)
    known.timeLeftBefore = this.timeLeft
    known.timeLeft = this.#sessions.deadline(this.session) - now
    return known
  }
}
