// A router over frames from files, one after the other, at the frames' own times: the core of the live router without devices, event
// loop or ARP. The same frames at the same times with the same seed give the same bytes.
import type { Counters } from './verdicts.js'
import { Router } from './router.js'
import type { SideFacts } from './side-facts.js'
import type { RouterConfig } from './router-config.js'
import type { Explanation, KnownSession } from './trace/explanation.js'
import type { DropReason, Side, Verdict } from './verdict.js'
import type { Ipv4Address, MacAddress } from './wire/address.js'

/** What comes about beside the verdict of the frame itself. All frames are valid during the call only. */
export interface OfflineOutput {
  /** The router speaks of its own accord: an answer, an ICMP error, a piece of the packet. */
  originated(side: Side, frame: Uint8Array): void
  /** A frame that was held goes on now; `received` is how it came in, `frame` how it is after the verdict. */
  released(from: Side, received: Uint8Array, frame: Uint8Array, verdict: Verdict): void
  /** A frame that was held has waited in vain. */
  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void
  /** Who is reached at an address of a side: a file has nobody to ask. */
  neighbour(side: Side, address: Ipv4Address): MacAddress
}

/** Milliseconds for which the router is not asked whether time brings anything about. */
const INTERVAL = 100

export class OfflineRouter {
  readonly #router: Router
  readonly #output: OfflineOutput
  readonly #redelivered: { readonly from: Side, readonly frame: Uint8Array }[] = []
  #now: number
  /** When time may bring something about. */
  #due = -Infinity

  /** `now`: when the first frame comes, milliseconds since 1970. @throws ConfigError when the configuration contradicts itself */
  constructor(config: RouterConfig, sides: Readonly<Record<Side, SideFacts>>, output: OfflineOutput, now: number) {
    this.#output = output
    this.#now = now
    this.#router = new Router(config, sides, {
      originate: (side, frame) => output.originated(side, frame),
      redeliver: (from, frame) => this.#redelivered.push({ from, frame }),
      abandoned: (from, frame, reason) => output.abandoned(from, frame, reason),
      neighbour: (side, address) => output.neighbour(side, address),
    }, now)
  }

  get counters(): Counters { return this.#router.counters }
  get mappingsMade(): number { return this.#router.mappingsMade }
  /** Milliseconds since 1970: the latest frame's time, or in between, that of what time brings about. */
  get now(): number { return this.#now }

  /** What the last verdict rests on; only right after it. */
  explain(): Explanation | undefined { return this.#router.explain(this.#now) }

  /** The session of the last packet, if it was there before it; likewise. The same object every time. */
  known(): KnownSession | null { return this.#router.known(this.#now) }

  /** Time passes until `now`, milliseconds since 1970; what it brings about happens at its own time. An earlier time than before is the same moment. */
  advance(now: number): void {
    while (this.#due <= now) {
      const due = this.#now + this.#router.untilTick(this.#now)
      if (due > now) {
        // New sessions are not asked for one by one: what lapses is found a little later, and no look-up takes it for alive.
        this.#due = Math.min(due, now + INTERVAL)
        break
      }
      this.#now = due
      this.#router.tick(due)
      this.#release()
    }
    if (now > this.#now) this.#now = now
  }

  /** The frame `bytes[start, end)` comes in; on `forward` it has been rewritten in place. The verdict is the same object every time. Call `release` when it has been read. */
  process(bytes: Uint8Array, start: number, end: number, partial: boolean, from: Side): Verdict {
    const verdict = this.#router.process(bytes, start, end, partial, from, this.#now)
    // What is held or refused may wait for its time.
    if (verdict.action !== 'forward') this.#due = this.#now
    return verdict
  }

  /** Lets go what the last frame has freed. */
  release(): void { if (this.#redelivered.length > 0) this.#release() }

  /** See Router.turnBack. */
  turnBack(bytes: Uint8Array, start: number, end: number, partial: boolean): void { this.#router.turnBack(bytes, start, end, partial) }

  #release(): void {
    for (const { from, frame } of this.#redelivered.splice(0)) {
      const received = frame.slice()
      this.#output.released(from, received, frame, this.process(frame, 0, frame.length, false, from))
    }
  }
}
