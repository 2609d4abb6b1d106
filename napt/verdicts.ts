// The verdicts that a router gives, each counted: how many frames it has forwarded, answered, held back and dropped, and why.
import { DROP_REASON_NAMES, type DropReason, type Side, type Verdict } from './verdict.js'

export interface Counters {
  /** By the side that they came from. */
  readonly forwarded: Readonly<Record<Side, number>>
  readonly answered: number
  readonly held: number
  readonly dropped: Readonly<Record<DropReason, number>>
}

/** Whatever gives a verdict gives the same object every time. */
export class Verdicts {
  readonly #verdict: Verdict = { action: 'drop', to: 'wan', reason: null }
  #fromLan = 0
  #fromWan = 0
  #answered = 0
  #held = 0
  readonly #dropped = Object.fromEntries(DROP_REASON_NAMES.map(reason => [reason, 0])) as Record<DropReason, number>

  /** As they are now. */
  get counters(): Counters {
    return { forwarded: { lan: this.#fromLan, wan: this.#fromWan }, answered: this.#answered, held: this.#held, dropped: { ...this.#dropped } }
  }

  forward(from: Side, to: Side, frames = 1): Verdict {
    if (from === 'lan') this.#fromLan += frames
    else this.#fromWan += frames
    this.#verdict.to = to
    return this.#give('forward', null)
  }

  /** A frame that has been counted as forwarded leaves in pieces. */
  split(): Verdict { return this.#give('split', null) }

  answer(): Verdict {
    this.#answered++
    return this.#give('answer', null)
  }

  /** The router has heard what the frame says, which asks for no answer. */
  told(): Verdict { return this.#give('answer', null) }

  /** `refusal` says why the frame cannot wait. */
  hold(refusal: DropReason | null): Verdict {
    if (refusal !== null) return this.drop(refusal)
    this.#held++
    return this.#give('hold', null)
  }

  drop(reason: DropReason): Verdict {
    this.#dropped[reason]++
    return this.#give('drop', reason)
  }

  /** A frame that was held is given up: a verdict on no frame. */
  abandon(reason: DropReason): void { this.#dropped[reason]++ }

  #give(action: Verdict['action'], reason: DropReason | null): Verdict {
    this.#verdict.action = action
    this.#verdict.reason = reason
    return this.#verdict
  }
}
