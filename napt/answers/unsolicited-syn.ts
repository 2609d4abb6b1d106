// Inbound SYNs that no session or filter admitted. The router answers them only after a while (RFC 5382 §4.3, REQ-4), for the host
// may be about to open the same connection from its side (simultaneous open): an answer at once would end the other side's attempt.
import type { Behaviour, UnsolicitedSynAnswer } from '../behaviour/behaviour.js'
import { completeChecksum, type Packet } from '../packet.js'
import * as ipv4 from '../wire/ipv4.js'
import * as tcp from '../wire/tcp.js'
import type { Ipv4Address, Port } from '../wire/address.js'

export const MAXIMUM_SYNS = 1024
/** Bytes of IP. A SYN may carry data (RFC 7413), but one longer than Ethernet's MTU gets no answer. With MAXIMUM_SYNS: 1.5 MiB. */
export const LONGEST_SYN = 1500

export interface UnsolicitedSynActions {
  /** A SYN whose time is over is to be answered so; `frame` is its copy, whole but for an Ethernet trailer. */
  answer(kind: Exclude<UnsolicitedSynAnswer, 'none'>, frame: Uint8Array): void
}

interface HeldSyn {
  readonly since: number
  readonly frame: Uint8Array
}

export class UnsolicitedSyns {
  #rule: Behaviour['unsolicitedSyn']
  readonly #actions: UnsolicitedSynActions
  /** By connection, the oldest first. */
  readonly #held = new Map<string, HeldSyn>()
  /** None of them is older than this. */
  #oldest = Infinity

  constructor(rule: Behaviour['unsolicitedSyn'], actions: UnsolicitedSynActions) {
    this.#rule = rule
    this.#actions = actions
  }

  get held(): number { return this.#held.size }

  /**
   * Notes the SYN in `packet`, whose header has been checked. The same connection again changes nothing: SYNs are repeated. Nothing
   * is kept when none is answered, nor beyond 1024.
   */
  note(packet: Packet, now: number): void {
    const { bytes, frame, ip, ipEnd, transport, partial } = packet
    if (this.#rule.answer === 'none' || this.#held.size >= MAXIMUM_SYNS || ipEnd - ip > LONGEST_SYN) return
    const key = keyOf(ipv4.destination(bytes, ip), tcp.destinationPort(bytes, transport), ipv4.source(bytes, ip), tcp.sourcePort(bytes, transport))
    if (this.#held.has(key)) return
    const copy = bytes.slice(frame, ipEnd)
    if (partial) completeChecksum(copy, 0, copy.length)
    this.#held.set(key, { since: now, frame: copy })
    this.#oldest = Math.min(this.#oldest, now)
  }

  /** The host opens this connection itself: its SYN is the answer. */
  withdraw(wanAddress: Ipv4Address, wanPort: Port, remoteAddress: Ipv4Address, remotePort: Port): void {
    if (this.#held.size > 0) this.#held.delete(keyOf(wanAddress, wanPort, remoteAddress, remotePort))
  }

  /** Answers those whose time is over. Cheap when nothing is due. */
  tick(now: number): void {
    if (this.untilTick(now) > 0) return
    const { answer } = this.#rule, due = now - this.#rule.hold * 1000
    this.#oldest = Infinity
    for (const [key, { since, frame }] of this.#held) {
      if (since > due) {
        this.#oldest = since
        return
      }
      this.#held.delete(key)
      if (answer !== 'none') this.#actions.answer(answer, frame)
    }
  }

  /** Milliseconds until `tick` may have something to do, or Infinity. */
  untilTick(now: number): number { return Math.max(this.#oldest + this.#rule.hold * 1000 - now, 0) }

  /** From now on this rule holds, for those that wait as well. */
  change(rule: Behaviour['unsolicitedSyn']): void {
    this.#rule = rule
    if (rule.answer !== 'none') return
    this.#held.clear()
    this.#oldest = Infinity
  }
}

/** The addresses and ports of a connection, as six 16-bit characters. */
const keyOf = (wanAddress: Ipv4Address, wanPort: Port, remoteAddress: Ipv4Address, remotePort: Port): string =>
  String.fromCharCode(wanAddress >>> 16, wanAddress & 0xffff, wanPort, remoteAddress >>> 16, remoteAddress & 0xffff, remotePort)
