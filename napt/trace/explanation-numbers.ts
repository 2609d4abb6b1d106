// An explanation as numbers in a stretch of memory: the thread that forwards writes it there without allocating anything, and
// whoever reads the record, in this thread or another, makes the explanation of it. Words come from explain.ts alone.
import { DEPENDENCES } from '../behaviour/behaviour.js'
import type { Explanation, KnownSession, SessionPhase } from './explanation.js'
import { PROTOCOL_CODE } from '../table/flow-index.js'
import { MAPPING_KINDS } from '../table/mappings.js'
import { phase } from '../table/tcp-state.js'
import type { Endpoint, Ipv4Address, Port } from '../wire/address.js'

/** The same bytes as words and as doubles. */
export interface NumberMemory { readonly words: Int32Array, readonly doubles: Float64Array }

/** Of an explanation; it begins at an even one. */
export const EXPLANATION_WORDS = 22
/** Remote endpoints that an explanation names. */
export const NAMED_SESSIONS = 4

/** Where things are, in words from the explanation's beginning. */
export const PLACE = {
  facts: 0, before: 1, after: 2, lanAddress: 3, wanAddress: 4, ports: 5, remoteAddress: 6, remotePort: 7, sessions: 8, timeLeftBefore: 10, timeLeft: 12, sentTo: 14,
} as const
/** Bits of `facts`, and how far up its small numbers begin. */
export const FACT = { isMade: 1, hasMapping: 2, isNew: 4, hasSession: 8, hasTimeLeft: 16 } as const
export const SHIFT = { protocol: 5, kind: 8, dependence: 10, filter: 12, named: 14 } as const
const PROTOCOL_BITS = 7, CHOICE_BITS = 3

export function numberMemory(words: number): NumberMemory {
  const buffer = new ArrayBuffer(words * 4)
  return { words: new Int32Array(buffer), doubles: new Float64Array(buffer) }
}

/** The explanation that begins at word `at`; undefined where no look-up was made. */
export function readExplanation({ words, doubles }: NumberMemory, at: number): Explanation | undefined {
  const facts = words[at + PLACE.facts]
  if ((facts & FACT.isMade) === 0) return undefined
  if ((facts & FACT.hasMapping) === 0) return { before: 'none', after: 'none' }
  const code = (facts >>> SHIFT.protocol) & PROTOCOL_BITS, before = words[at + PLACE.before]
  const lanPort = words[at + PLACE.ports] >>> 16, wanPort = words[at + PLACE.ports] & 0xffff
  return {
    mapping: {
      protocol: PROTOCOL_NAMES[code] ?? String(lanPort), kind: MAPPING_KINDS[choice(facts, SHIFT.kind)], isNew: (facts & FACT.isNew) !== 0,
      lan: endpoint(words[at + PLACE.lanAddress], lanPort), wan: endpoint(words[at + PLACE.wanAddress], wanPort),
      dependence: DEPENDENCES[choice(facts, SHIFT.dependence)],
    },
    filter: {
      dependence: DEPENDENCES[choice(facts, SHIFT.filter)], remote: endpoint(words[at + PLACE.remoteAddress], words[at + PLACE.remotePort]),
      sentTo: Array.from({ length: facts >>> SHIFT.named }, (_, nth) => endpoint(words[at + PLACE.sentTo + 2 * nth], words[at + PLACE.sentTo + 2 * nth + 1])),
      sessions: words[at + PLACE.sessions],
    },
    before: phaseOf(code, before), ...(before < 0 ? {} : { timeLeftBefore: doubles[(at + PLACE.timeLeftBefore) >> 1] }),
    after: phaseOf(code, words[at + PLACE.after]), ...((facts & FACT.hasTimeLeft) === 0 ? {} : { timeLeft: doubles[(at + PLACE.timeLeft) >> 1] }),
  }
}

/** The session that was there before the packet, written into `known`; false when there was none. */
export function readKnown({ words, doubles }: NumberMemory, at: number, known: KnownSession): boolean {
  const facts = words[at + PLACE.facts]
  if ((facts & FACT.isMade) === 0 || (facts & FACT.hasSession) === 0 || words[at + PLACE.before] < 0) return false
  known.before = words[at + PLACE.before]
  known.after = words[at + PLACE.after]
  known.timeLeftBefore = doubles[(at + PLACE.timeLeftBefore) >> 1]
  known.timeLeft = doubles[(at + PLACE.timeLeft) >> 1]
  return true
}

/** By code; another protocol has its number for a name. */
const PROTOCOL_NAMES: readonly (string | undefined)[] = [undefined, 'tcp', 'udp', 'icmp']

const choice = (facts: number, shift: number): number => (facts >>> shift) & CHOICE_BITS
const endpoint = (address: number, port: number): Endpoint => ({ address: address as Ipv4Address, port: port as Port })
const phaseOf = (code: number, state: number): SessionPhase => state < 0 ? 'none' : code === PROTOCOL_CODE.tcp ? phase(state) : 'open'
