// A router with its surroundings: hosts that answer ARP, a clock that stands still until told, and what comes out as text.
// Every frame lies between guard bytes, which must stay as they are.
import { parseRouterConfig } from '../../napt/router-config.js'
import type { RouterOutput } from '../../napt/router-output.js'
import { RouterMemory } from '../../napt/router-memory.js'
import { Router } from '../../napt/router.js'
import type { SideFacts } from '../../napt/side-facts.js'
import type { Action, DropReason, Side } from '../../napt/verdict.js'
import * as arp from '../../napt/wire/arp.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import { formatIpv4, type Ipv4Address, type MacAddress } from '../../napt/wire/address.js'
import { arpReply } from './frames.js'
import { show } from './show.js'

export const MACS = { lan: Uint8Array.of(2, 0, 0, 0, 4, 1) as MacAddress, wan: Uint8Array.of(2, 0, 0, 0, 4, 2) as MacAddress }

/** The MAC address of the host that has an address. */
export const macOf = (address: Ipv4Address): MacAddress =>
  Uint8Array.of(2, 1, address >>> 24, address >>> 16, address >>> 8, address) as MacAddress
/** Where frames seem to come from. */
const SENDER = Uint8Array.of(2, 9, 9, 9, 9, 9) as MacAddress

/** Router 104b of Fig. 1, with the ports of spec.md. */
export const CONFIG_104B = {
  name: '104b',
  lan: { interface: 'lan', address: '192.168.1.1/24' },
  wan: { interface: 'wan', address: '202.204.16.13' },
  nat: { portAllocation: 'sequential', firstPort: { udp: 3400, tcp: 2401, icmp: 500 } },
}

export interface Outcome {
  readonly action: Action
  readonly reason: DropReason | null
  /** Everything that the router sent because of the frame, one line each: `wan udp 202.204.16.13:3400 > …`. */
  readonly sent: string
  readonly frames: readonly Uint8Array[]
}

export interface BenchOptions {
  /** Fields that replace or add to those of `nat`. */
  readonly nat?: Readonly<Record<string, unknown>>
  readonly lanAddress?: string
  readonly gateway?: string
  /** Nobody answers ARP unless the test does. */
  readonly silent?: boolean
  readonly guard?: number
  /** Bytes of IP that each side's cable takes; 1500 unless given. */
  readonly mtu?: Partial<Readonly<Record<Side, number>>>
}

export const sidesOf = ({ lan = 1500, wan = 1500 }: Partial<Readonly<Record<Side, number>>> = {}): Record<Side, SideFacts> =>
  ({ lan: { mac: MACS.lan, mtu: lan }, wan: { mac: MACS.wan, mtu: wan } })

const MARGIN = 32

/** The frame, if it is IPv4, as somebody on that side sends it to the router. */
export function addressed(from: Side, frame: Uint8Array): Uint8Array {
  const copy = frame.slice()
  if (copy.length >= ethernet.HEADER && ethernet.type(copy, 0) === ethernet.TYPE.ipv4) ethernet.setAddresses(copy, 0, MACS[from], SENDER)
  return copy
}

export class RouterBench implements RouterOutput {
  readonly memory = new RouterMemory()
  readonly router: Router
  now = 1000
  readonly #silent: boolean
  readonly #guard: number
  readonly abandonedFrames: { from: Side, reason: DropReason, text: string }[] = []
  #redelivered: { from: Side, frame: Uint8Array }[] = []
  #sent: { side: Side, frame: Uint8Array }[] = []
  #questions: { side: Side, frame: Uint8Array }[] = []
  #outcomes: { action: Action, reason: DropReason | null }[] = []

  constructor({ nat = {}, lanAddress, gateway, silent = false, guard = 0xa5, mtu = {} }: BenchOptions = {}) {
    const config = {
      ...CONFIG_104B,
      lan: { ...CONFIG_104B.lan, ...(lanAddress === undefined ? {} : { address: lanAddress }) },
      wan: { ...CONFIG_104B.wan, ...(gateway === undefined ? {} : { gateway }) },
      nat: { ...CONFIG_104B.nat, ...nat },
    }
    this.#silent = silent
    this.#guard = guard
    this.router = new Router(parseRouterConfig(config), sidesOf(mtu), this, this.now, { memory: this.memory })
  }

  lan(frame: Uint8Array, partial = false, segment = 0): Outcome { return this.send('lan', frame, partial, segment) }
  wan(frame: Uint8Array, partial = false, segment = 0): Outcome { return this.send('wan', frame, partial, segment) }

  /** Sends an IPv4 frame to the router's MAC address, any other frame as it is. ARP is answered on the way, unless silent. `segment` as for `Router.process`. */
  send(from: Side, frame: Uint8Array, partial = false, segment = 0): Outcome {
    return this.raw(from, addressed(from, frame), partial, segment)
  }

  /** Sends a frame with the MAC addresses that it has. */
  raw(from: Side, frame: Uint8Array, partial = false, segment = 0): Outcome {
    this.#sent = []
    this.#outcomes = []
    this.#process(from, frame, partial, segment)
    this.#answerQuestions()
    const { action, reason } = this.#outcomes[this.#outcomes.length - 1]
    return { action, reason, sent: this.#sentText(), frames: this.#sent.map(({ frame: bytes }) => bytes) }
  }

  /** Does something to the router; what it sends because of it, one line each, requests for its own address too. */
  change(act: (router: Router, now: number) => unknown): string {
    this.#sent = []
    this.#questions = []
    act(this.router, this.now)
    this.#sent.push(...this.#questions.splice(0))
    return this.#sentText()
  }

  /** Lets time pass; what the router sends by itself meanwhile, one line each. */
  pass(milliseconds: number): string {
    this.#sent = []
    this.now += milliseconds
    this.router.tick(this.now)
    this.#answerQuestions()
    return this.#sentText()
  }

  /** What the router sent because of the last frame, or while time passed. */
  get sentFrames(): readonly { readonly side: Side, readonly frame: Uint8Array }[] { return this.#sent }

  originate(side: Side, frame: Uint8Array): void {
    const copy = { side, frame: frame.slice() }
    const isQuestion = ethernet.type(frame, 0) === ethernet.TYPE.arp && arp.operation(frame, ethernet.HEADER) === arp.OPERATION.request
    if (isQuestion && !this.#silent) this.#questions.push(copy)
    else this.#sent.push(copy)
  }

  redeliver(from: Side, frame: Uint8Array): void { this.#redelivered.push({ from, frame }) }
  abandoned(from: Side, frame: Uint8Array, reason: DropReason): void { this.abandonedFrames.push({ from, reason, text: show(frame) }) }

  #process(from: Side, frame: Uint8Array, partial: boolean, segment = 0): void {
    const buffer = new Uint8Array(frame.length + 2 * MARGIN).fill(this.#guard)
    buffer.set(frame, MARGIN)
    const end = MARGIN + frame.length
    const { action, reason, to } = this.router.process(buffer, MARGIN, end, partial, from, this.now, segment)
    if (buffer.subarray(0, MARGIN).some(byte => byte !== this.#guard)) throw new Error('the router wrote before the frame')
    if (buffer.subarray(end).some(byte => byte !== this.#guard)) throw new Error('the router wrote behind the frame')
    if (action === 'forward') this.#sent.push({ side: to, frame: buffer.slice(MARGIN, end) })
    this.#outcomes.push({ action, reason })
    for (const held of this.#redelivered.splice(0)) this.#process(held.from, held.frame, false)
  }

  #answerQuestions(): void {
    for (const { side, frame } of this.#questions.splice(0)) {
      const at = ethernet.HEADER, asked = arp.targetAddress(frame, at), own = arp.senderAddress(frame, at)
      const before = this.#outcomes.length
      this.#process(side, arpReply({ mac: macOf(asked), address: formatIpv4(asked) }, { mac: MACS[side], address: formatIpv4(own) }), false)
      // The reply's own verdict is not the test's concern.
      this.#outcomes.splice(before, 1)
    }
  }

  #sentText(): string { return this.#sent.map(({ side, frame }) => `${side} ${show(frame)}`).join('\n') }
}
