// One fuzzed behaviour: two routers see the same frames between different guard bytes, so that whatever one of them reads or writes
// outside a frame makes them differ; and every verdict and every frame that comes out is judged.
import { FrameSource } from './frame-source.js'
import { LONG } from './room.js'
import { configOf, Subject, type FuzzOptions, type Treatment } from './subject.js'
import { transportHolds, wrongInOwnMessage, wrongInPieces, wrongInQuote } from './judge.js'
import type { Random } from '../random.js'
import { DROP_REASON_NAMES, type Action, type DropReason, type Side } from '../../../napt/verdict.js'
import { IP } from '../frames.js'
import * as ethernet from '../../../napt/wire/ethernet.js'
import * as ipv4 from '../../../napt/wire/ipv4.js'

const ACTIONS: readonly Action[] = ['forward', 'split', 'answer', 'drop', 'hold']
/** Frames that may wait: for ARP on either side, and for first fragments. */
const MOST_WAITING = 3 * 256
const TIMES = [1, 1, 300, 1000, 1000, 7000, 20_000, 31_000, 400_000]

export type Change = (subject: Subject, now: number) => void

export class FuzzRun {
  readonly subjects: readonly [Subject, Subject]
  readonly actions: Record<Action, number> = { forward: 0, split: 0, answer: 0, drop: 0, hold: 0 }
  readonly reasons = new Set<DropReason>()
  /** What was found wrong, and the first frames that show it. */
  readonly wrong: string[] = []
  now = 0
  readonly #options: FuzzOptions
  readonly #random: Random
  readonly #source: FrameSource

  constructor(options: FuzzOptions, random: Random) {
    this.#options = options
    this.#random = random
    this.#source = new FrameSource(random)
    this.subjects = [new Subject(options, 0x00, 0), new Subject(options, 0xff, 0)]
  }

  /** Damaged frames, and time; `change` is asked now and then for something to be done to both routers. */
  run(frames: number, sessions: number, change?: () => Change): void {
    const random = this.#random
    for (let i = 0; i < frames; i++) {
      const { from, bytes } = this.#source.next(), isLarge = random.oneIn(200)
      this.#submit(bytes, from, random.oneIn(20) || isLarge, isLarge ? 200 + random.below(1200) : 0)
      if (random.oneIn(100)) this.pass(random.pick(TIMES))
      if (change !== undefined && random.oneIn(1000)) this.#apply(change())
      if (i % 2000 === 0) this.#checkBounds(sessions)
    }
  }

  pass(milliseconds: number): void {
    this.now += milliseconds
    for (const subject of this.subjects) {
      subject.said = []
      subject.router.tick(this.now)
    }
    this.#hear()
  }

  /** Everything lapses: gives what is left. */
  lapse(): { rows: string[], waiting: number, untilTick: number } {
    // The wheel takes a bounded number of sessions a turn, and neighbours are asked for thrice.
    for (let turn = 0; turn < 20; turn++) this.pass(turn === 0 ? LONG : 1000)
    const { router, waiting } = this.subjects[0]
    return { rows: router.table(this.now).map(({ kind, wanPort, sessions }) => `${kind} ${wanPort} ${sessions.length}`), waiting, untilTick: router.untilTick(this.now) }
  }

  /** Both routers behave as in the beginning, and everything that was dynamic is gone. */
  reset(): void {
    const { nat, wan } = configOf(this.#options.nat)
    this.#apply(({ router }, now) => {
      router.setBehaviour({ ...nat, staticMappings: [], pool: [], oneToOne: [] }, now)
      router.renumber(wan.address, now)
      router.setBehaviour(nat, now)
    })
  }

  #apply(change: Change): void {
    for (const subject of this.subjects) {
      subject.said = []
      change(subject, this.now)
    }
    this.#hear()
  }

  #submit(frame: Uint8Array, from: Side, partial: boolean, segment: number): void {
    this.#process(frame, from, partial, segment)
    for (;;) {
      const [held, same] = this.subjects.map(({ redelivered }) => redelivered.shift())
      if (held === undefined || same === undefined) break
      if (Buffer.compare(held.frame, same.frame) !== 0) this.#note('different redelivered frames', frame)
      this.#process(held.frame, held.from, false, 0)
    }
  }

  #process(frame: Uint8Array, from: Side, partial: boolean, segment: number): void {
    const first = this.subjects[0].process(frame, from, partial, segment, this.now), second = this.subjects[1].process(frame, from, partial, segment, this.now)
    const { action, reason, to, after } = first
    this.actions[action]++
    if (reason !== null) this.reasons.add(reason)
    if (!ACTIONS.includes(action) || (action === 'drop') !== (reason !== null) || (reason !== null && !DROP_REASON_NAMES.includes(reason))) this.#note(`verdict ${action} ${reason ?? ''}`, frame)
    if (action !== second.action || reason !== second.reason || to !== second.to || Buffer.compare(after, second.after) !== 0) this.#note(`different: ${action} ${reason ?? ''}, ${second.action} ${second.reason ?? ''}`, frame)
    if (action === 'forward' || action === 'split') this.#judgeSent(frame, from, partial, segment, first)
    else if (Buffer.compare(after, frame) !== 0) this.#note('changed, though it goes no further', frame)
    this.#judgeOwn(frame, action)
    if (this.#random.oneIn(50)) this.#compareExplanations(frame)
    this.#hear()
  }

  #judgeSent(frame: Uint8Array, from: Side, partial: boolean, segment: number, { action, to, after }: Treatment): void {
    if (action === 'forward') this.#source.sent(to, after)
    if (from === 'wan' && to === 'wan') this.#note('turned back into the WAN', frame)
    if (ipv4.check(after, IP, after.length) !== null) {
      this.#note('the header does not hold', frame)
      return
    }
    const mtu = this.#options.mtu?.[to] ?? 1500
    if (action === 'forward' && segment === 0 && ipv4.totalLength(after, IP) > mtu) this.#note('longer than the cable takes', frame)
    if (ipv4.isFragment(frame, IP)) return
    // Right stays right, and wrong stays wrong for the host to find. A partial one is completed before a packet is split.
    const isPartial = partial && ipv4.protocol(frame, IP) !== ipv4.PROTOCOL.icmp
    if (isPartial ? action === 'split' && !transportHolds(after) : transportHolds(after) !== transportHolds(frame)) this.#note('transport checksum', frame)
    const quote = wrongInQuote(frame, after)
    if (quote !== null) this.#note(quote, frame)
  }

  #judgeOwn(frame: Uint8Array, action: Action): void {
    const [{ said }, { said: alsoSaid }] = this.subjects
    if (said.length !== alsoSaid.length || said.some(({ side, frame: bytes }, i) => side !== alsoSaid[i].side || Buffer.compare(bytes, alsoSaid[i].frame) !== 0)) this.#note('said something different', frame)
    if (said.length === 0) return
    const own = said.filter(one => action !== 'split' || ethernet.type(one.frame, 0) === ethernet.TYPE.arp)
    if (own.length > 1) this.#note(`${own.length} messages of its own`, frame)
    for (const one of own) this.#noteIf(wrongInOwnMessage(one.frame), frame)
    if (action !== 'split') return
    const pieces = said.filter(one => !own.includes(one)), side = pieces[0]?.side ?? 'wan'
    this.#noteIf(wrongInPieces(pieces.map(one => one.frame), this.#options.mtu?.[side] ?? 1500), frame)
  }

  #compareExplanations(frame: Uint8Array): void {
    const [first, second] = this.subjects.map(({ router }) => JSON.stringify(router.explain(this.now)))
    if (first !== second) this.#note('different explanations', frame)
  }

  #checkBounds(limit: number): void {
    const [first, second] = this.subjects.map(({ router }) => router.table(this.now))
    if (JSON.stringify(first) !== JSON.stringify(second)) this.wrong.push('different tables')
    const sessions = first.reduce((sum, mapping) => sum + mapping.sessions.length, 0)
    if (sessions > limit) this.wrong.push(`${sessions} sessions`)
    if (this.subjects[0].waiting > MOST_WAITING) this.wrong.push(`${this.subjects[0].waiting} frames wait`)
  }

  /** What the router said of its own accord reaches its surroundings. */
  #hear(): void {
    for (const { side, frame } of this.subjects[0].said) this.#source.sent(side, frame)
  }

  #noteIf(what: string | null, frame: Uint8Array): void { if (what !== null) this.#note(what, frame) }

  #note(what: string, frame: Uint8Array): void {
    if (this.wrong.length < 20) this.wrong.push(`${what}: ${Buffer.from(frame).toString('hex')}`)
  }
}
