// A router under test: its frames lie between guard bytes, and what it says and keeps is recorded.
import { parseRouterConfig, type RouterConfig } from '../../../napt/router-config.js'
import type { RouterOutput } from '../../../napt/router-output.js'
import { batchIn } from '../../../napt/device/batch.js'
import { RouterMemory } from '../../../napt/router-memory.js'
import { Router } from '../../../napt/router.js'
import { otherSide, type Action, type DropReason, type Side } from '../../../napt/verdict.js'
import { CONFIG_104B, sidesOf } from '../router-bench.js'

const MARGIN = 64
const ROOM = 8192

export interface Treatment { readonly action: Action, readonly reason: DropReason | null, readonly to: Side, readonly after: Uint8Array }
/** Where a frame lies when the router gets it: in memory of any kind, in the router's own, or there as a batch. */
export const PLACES = ['anywhere', 'router', 'batch'] as const
export type Place = typeof PLACES[number]
export interface FuzzOptions { readonly nat: Readonly<Record<string, unknown>>, readonly mtu?: Partial<Readonly<Record<Side, number>>> }

export const configOf = (nat: FuzzOptions['nat']): RouterConfig => parseRouterConfig({ ...CONFIG_104B, nat })

export class Subject implements RouterOutput {
  readonly router: Router
  readonly #memory = new RouterMemory()
  readonly #batch = batchIn(this.#memory, 1, ROOM)
  readonly #buffer = new Uint8Array(ROOM)
  readonly #guard: number
  /** Where the last frame ended, and in which memory. */
  #end = 0
  #last: Uint8Array = this.#buffer
  redelivered: { from: Side, frame: Uint8Array }[] = []
  /** Frames that are held now. */
  waiting = 0
  /** Why frames that were held were given up. */
  readonly abandonedFor: DropReason[] = []
  /** What the router said of its own accord while it processed the last frame, or since. */
  said: { side: Side, frame: Uint8Array }[] = []

  constructor({ nat, mtu }: FuzzOptions, guard: number, now: number, options: { readonly fastPath?: boolean } = {}) {
    this.router = new Router(configOf(nat), sidesOf(mtu), this, now, { ...options, memory: this.#memory })
    this.#guard = guard
    this.#buffer.fill(guard)
    this.#batch.bytes.fill(guard)
  }

  originate(side: Side, frame: Uint8Array): void { this.said.push({ side, frame: frame.slice() }) }
  redeliver(from: Side, frame: Uint8Array): void { this.waiting--; this.redelivered.push({ from, frame }) }
  abandoned(_from: Side, _frame: Uint8Array, reason: DropReason): void {
    this.waiting--
    this.abandonedFor.push(reason)
  }

  /** The verdict and a view of the frame as it is afterwards. @throws Error when a guard byte has changed */
  process(frame: Uint8Array, from: Side, partial: boolean, segment: number, now: number, place: Place = 'anywhere'): Treatment {
    const buffer = place === 'anywhere' ? this.#buffer : this.#batch.bytes, guard = this.#guard, end = MARGIN + frame.length
    // Guard bytes all the way, so that nothing of an earlier frame, which both subjects had, lies behind this one.
    this.#last.fill(guard, MARGIN, this.#end)
    this.#end = end
    this.#last = buffer
    buffer.set(frame, MARGIN)
    this.said = []
    const { action, reason, to } = place === 'batch' && this.#runs(end, partial, from, now, segment) ? { action: 'forward', reason: null, to: otherSide(from) } as const
      : this.router.process(buffer, MARGIN, end, partial, from, now, segment)
    for (let i = 0; i < MARGIN; i++) if (buffer[i] !== guard || buffer[end + i] !== guard) throw new Error(`written outside the frame ${Buffer.from(frame).toString('hex')}`)
    if (action === 'hold') this.waiting++
    return { action, reason, to, after: buffer.subarray(MARGIN, end) }
  }

  /** Whether the frame goes as a batch of one. */
  #runs(end: number, partial: boolean, from: Side, now: number, segment: number): boolean {
    const batch = this.#batch
    batch.starts[0] = MARGIN
    batch.ends[0] = end
    batch.partial[0] = partial ? 1 : 0
    batch.segments[0] = segment
    return this.router.forwardRun(batch, 0, 1, from, now) === 1
  }
}
