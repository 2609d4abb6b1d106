// An explanation as numbers in a stretch of memory: the thread that forwards writes it there without allocating anything, and
// whoever reads the record, in this thread or another, makes the explanation of it. Words come from explain.ts alone.
//
// Of a packet that took the fast path it is a pass's, the first few numbers: the ends are those of the packet as it came in and as it
// went on, and nobody asks whom else the host has sent to.
import { DEPENDENCES } from '../behaviour/behaviour.js'
import type { Explanation, KnownSession, SessionPhase } from './explanation.js'
import { PROTOCOL_CODE } from '../table/flow-index.js'
import { MAPPING_KINDS } from '../table/mappings.js'
import { phase } from '../table/tcp-state.js'
import type { Endpoint, Ipv4Address, Port } from '../wire/address.js'
import * as ethernet from '../wire/ethernet.js'
import * as ipv4 from '../wire/ipv4.js'
import * as udp from '../wire/udp.js'

/** The same bytes as words and as doubles. */
export interface NumberMemory { readonly words: Int32Array, readonly doubles: Float64Array }

/** Of an explanation, and of a pass's; it begins at an even one. */
export const EXPLANATION_WORDS = 20, PASS_WORDS = 6
/** Remote endpoints that an explanation names. */
export const NAMED_SESSIONS = 4

/** Where things are, in words from the explanation's beginning. `states` has that before in its lower half, that after in its upper one; -1 for none. */
export const PLACE = {
  facts: 0, states: 1, timeLeftBefore: 2, timeLeft: 4, lanAddress: 6, wanAddress: 7, ports: 8, remoteAddress: 9, remotePort: 10, sessions: 11, sentTo: 12,
} as const
/** Bits of `facts`, and how far up its small numbers begin. */
export const FACT = { isMade: 1, hasMapping: 2, isNew: 4, hasSession: 8, hasTimeLeft: 16 } as const
export const SHIFT = { protocol: 5, kind: 8, dependence: 10, filter: 12, named: 14 } as const
const PROTOCOL_BITS = 7, CHOICE_BITS = 3, CHOICES = (1 << SHIFT.named) - (1 << SHIFT.kind)

export function numberMemory(words: number): NumberMemory {
  const buffer = new ArrayBuffer(words * 4)
  return { words: new Int32Array(buffer), doubles: new Float64Array(buffer) }
}

/** The ends of a session. */
interface Ends { readonly lan: Endpoint, readonly wan: Endpoint, readonly remote: Endpoint }

/** The ends of the session by which a packet of TCP or UDP took the fast path, from its first bytes as it came in and as it went on. */
export function passEnds(received: Uint8Array, sent: Uint8Array, outbound: boolean): Ends {
  return outbound ? { lan: source(received), wan: source(sent), remote: destination(sent) } : { lan: destination(sent), wan: destination(received), remote: source(received) }
}

/** The explanation that begins at word `at`; undefined where no look-up was made. `pass`: the ends, where it is a pass's. */
export function readExplanation({ words, doubles }: NumberMemory, at: number, pass: Ends | null = null): Explanation | undefined {
  const facts = words[at + PLACE.facts]
  if ((facts & FACT.isMade) === 0) return undefined
  if ((facts & FACT.hasMapping) === 0) return { before: 'none', after: 'none' }
  const code = (facts >>> SHIFT.protocol) & PROTOCOL_BITS, before = stateBefore(words[at + PLACE.states]), { lan, wan, remote } = pass ?? endsAt(words, at)
  return {
    mapping: {
      protocol: PROTOCOL_NAMES[code] ?? String(lan.port), kind: MAPPING_KINDS[choice(facts, SHIFT.kind)], isNew: (facts & FACT.isNew) !== 0,
      lan, wan, dependence: DEPENDENCES[choice(facts, SHIFT.dependence)],
    },
    filter: {
      dependence: DEPENDENCES[choice(facts, SHIFT.filter)], remote,
      sentTo: Array.from({ length: facts >>> SHIFT.named }, (_, nth) => endpoint(words[at + PLACE.sentTo + 2 * nth], words[at + PLACE.sentTo + 2 * nth + 1])),
      sessions: pass === null ? words[at + PLACE.sessions] : 0,
    },
    before: phaseOf(code, before), ...(before < 0 ? {} : { timeLeftBefore: doubles[(at + PLACE.timeLeftBefore) >> 1] }),
    after: phaseOf(code, stateAfter(words[at + PLACE.states])), ...((facts & FACT.hasTimeLeft) === 0 ? {} : { timeLeft: doubles[(at + PLACE.timeLeft) >> 1] }),
  }
}

/** The mapping's kind and dependence and the filter's, as one number: where it differs, an explanation does. */
export const choicesOf = ({ words }: NumberMemory, at: number): number => words[at + PLACE.facts] & CHOICES

/** The session that was there before the packet, written into `known`; false when there was none. */
export function readKnown({ words, doubles }: NumberMemory, at: number, known: KnownSession): boolean {
  const facts = words[at + PLACE.facts], states = words[at + PLACE.states]
  if ((facts & FACT.isMade) === 0 || (facts & FACT.hasSession) === 0 || stateBefore(states) < 0) return false
  known.before = stateBefore(states)
  known.after = stateAfter(states)
  known.timeLeftBefore = doubles[(at + PLACE.timeLeftBefore) >> 1]
  known.timeLeft = doubles[(at + PLACE.timeLeft) >> 1]
  return true
}

/** By code; another protocol has its number for a name. */
const PROTOCOL_NAMES: readonly (string | undefined)[] = [undefined, 'tcp', 'udp', 'icmp']

/** States as one number; each is -1 or below 2^15. */
export const statePair = (before: number, after: number): number => after << 16 | before & 0xffff
const stateBefore = (pair: number): number => pair << 16 >> 16
const stateAfter = (pair: number): number => pair >> 16

const endsAt = (words: Int32Array, at: number): Ends => ({
  lan: endpoint(words[at + PLACE.lanAddress], words[at + PLACE.ports] >>> 16), wan: endpoint(words[at + PLACE.wanAddress], words[at + PLACE.ports] & 0xffff),
  remote: endpoint(words[at + PLACE.remoteAddress], words[at + PLACE.remotePort]),
})

// The fast path takes no header of IP with options, and TCP has its ports where UDP has them.
const IP = ethernet.HEADER, TRANSPORT = IP + ipv4.MINIMUM_HEADER
const source = (frame: Uint8Array): Endpoint => ({ address: ipv4.source(frame, IP), port: udp.sourcePort(frame, TRANSPORT) })
const destination = (frame: Uint8Array): Endpoint => ({ address: ipv4.destination(frame, IP), port: udp.destinationPort(frame, TRANSPORT) })

const choice = (facts: number, shift: number): number => (facts >>> shift) & CHOICE_BITS
const endpoint = (address: number, port: number): Endpoint => ({ address: address as Ipv4Address, port: port as Port })
const phaseOf = (code: number, state: number): SessionPhase => state < 0 ? 'none' : code === PROTOCOL_CODE.tcp ? phase(state) : 'open'
