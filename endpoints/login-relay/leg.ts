// One logged-in connection at the relay server, and the demand that two of them may be in. Sends that are not awaited by their
// caller are kept here, so that a terminal that does not read cannot make the server hold more and more for it.
import type { Channel } from '../channel/channel.js'
import type { Message } from '../message/index.js'

/**
 * vacant: may be demanded, and may demand · demanding: (6) came, (9) has not gone · asked: (7) went, (8) has not come ·
 * joined: data is relayed to and from `peer` · ending: the communication is over, (21) has not come · gone: logged out or lost
 */
export type LegState =
  | { readonly kind: 'vacant' | 'ending' | 'gone' }
  | { readonly kind: 'demanding' | 'asked', readonly demand: Demand }
  | { readonly kind: 'joined', readonly peer: Leg }

export class Leg {
  state: LegState = { kind: 'vacant' }
  /** Relayed data that came from this terminal, bytes, since the legs were joined. */
  sent = 0
  #told: Promise<void> = Promise.resolve()
  #isConfirming = false
  #farewell: NodeJS.Timeout | undefined

  /** @param number counts connections at this server, from 1 */
  constructor(readonly channel: Channel, readonly userId: string, readonly number: number) {}

  /** Sends without making the caller wait; `told` does. A terminal that takes nothing for `within` ms is cut off. */
  tell(message: Message, within?: number): void {
    const sent = this.channel.send(message, within).catch(() => this.channel.reset())
    if (within !== undefined) this.#told = sent
  }

  /** Until what was told with a limit is on its way. */
  get told(): Promise<void> {
    return this.#told
  }

  /** Gives the terminal `within` ms to close the connection, and cuts it off then; without a time, nothing more is waited for. */
  dismiss(within?: number): void {
    clearTimeout(this.#farewell)
    if (within !== undefined) this.#farewell = setTimeout(() => this.channel.reset(), within)
  }

  /**
   * (5). One at a time, and whoever does not read it is told less often: were it waited for, a terminal that does not read
   * could not send either.
   */
  confirmHold(): void {
    if (this.#isConfirming) return
    this.#isConfirming = true
    void this.channel.send({ name: 'holdAnswer' }).catch(() => this.channel.reset()).finally(() => { this.#isConfirming = false })
  }
}

/** From (6) to (9). */
export class Demand {
  /** The leg that (7) went to; null while none is vacant. */
  asked: Leg | null = null
  isOver = false
  timer: NodeJS.Timeout | undefined

  constructor(readonly demander: Leg, readonly to: string) {}
}
