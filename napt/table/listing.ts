// The table for people: mappings with their sessions as rows, and what a look-up rested on.
import { PROTOCOLS, type Behaviour, type Dependence, type Protocol } from '../behaviour/behaviour.js'
import { COUNTED_SESSIONS } from '../trace/explanation.js'
import { FACT, NAMED_SESSIONS, PLACE, SHIFT, statePair, type NumberMemory } from '../trace/explanation-numbers.js'
import type { Ipv4Address, Port } from '../wire/address.js'
import { PROTOCOL_CODE } from './flow-index.js'
import { KIND, MAPPING_KINDS, type MappingKind } from './mappings.js'
import type { Sessions } from './sessions.js'
import type { TableStore } from './store.js'
import { phase, type TcpPhase } from './tcp-state.js'

const NONE = -1
const KIND_BITS = 3
// V8 folds a module's own constants into the code, and loads those of other modules anew each time: what every packet needs.
const DYNAMIC = KIND.dynamic, TCP = PROTOCOL_CODE.tcp
const FACTS = PLACE.facts, STATES = PLACE.states, TIME_LEFT_BEFORE = PLACE.timeLeftBefore, TIME_LEFT = PLACE.timeLeft
const PROTOCOL_SHIFT = SHIFT.protocol, KIND_SHIFT = SHIFT.kind, FILTER_SHIFT = SHIFT.filter
const PASS_FACTS = FACT.isMade | FACT.hasMapping | FACT.hasSession | FACT.hasTimeLeft

/** `ip`: another protocol, whose number stands in the place of the ports. */
export type MappedProtocol = Protocol | 'ip'
const CODE_TO_PROTOCOL: readonly (MappedProtocol | undefined)[] = [undefined, 'tcp', 'udp', 'icmp', 'ip']
const PROTOCOL_ORDER: readonly MappedProtocol[] = [...PROTOCOLS, 'ip']

export interface SessionRow {
  readonly remoteAddress: Ipv4Address
  readonly remotePort: Port
  /** Milliseconds. */
  readonly timeLeft: number
  readonly tcp?: TcpPhase
}

export interface MappingRow {
  readonly protocol: MappedProtocol
  readonly kind: MappingKind
  readonly lanAddress: Ipv4Address
  readonly lanPort: Port
  readonly wanAddress: Ipv4Address
  readonly wanPort: Port
  readonly sessions: readonly SessionRow[]
}

/** What the last look-up was about, and found. */
export interface Lookup {
  /** False where the frame did not come as far as a look-up. */
  readonly isMade: boolean
  readonly mapping: number
  readonly session: number
  /** TCP's, before the packet; -1 where there was no session. */
  readonly state: number
  readonly timeLeft: number
  readonly isNew: boolean
  readonly remoteAddress: number
  readonly remotePort: number
}

/** Every mapping with its sessions, in the order of protocol, WAN address and WAN port. */
export function listMappings(store: TableStore, now: number): MappingRow[] {
  const rows: MappingRow[] = []
  for (let mapping = 0; mapping < store.mappings.limit; mapping++) {
    if (store.mappings.isUsed(mapping) && store.isAlive(mapping, now)) rows.push(mappingRow(store, mapping, now))
  }
  return rows.sort((a, b) => PROTOCOL_ORDER.indexOf(a.protocol) - PROTOCOL_ORDER.indexOf(b.protocol) || (a.wanAddress >>> 0) - (b.wanAddress >>> 0) || a.wanPort - b.wanPort)
}

export function mappingRow({ mappings: of, sessions }: TableStore, mapping: number, now: number): MappingRow {
  const protocol = CODE_TO_PROTOCOL[of.code(mapping)] ?? 'ip', rows: SessionRow[] = []
  for (let session = of.firstSession(mapping); session !== NONE; session = sessions.next(session)) {
    const timeLeft = sessions.deadline(session) - now
    if (timeLeft <= 0) continue
    rows.push({
      remoteAddress: sessions.remoteAddress(session), remotePort: sessions.remotePort(session), timeLeft,
      ...(protocol === 'tcp' ? { tcp: phase(sessions.state(session)) } : {}),
    })
  }
  return {
    protocol, kind: MAPPING_KINDS[of.kind(mapping)], sessions: rows,
    lanAddress: of.lanAddress(mapping), lanPort: of.lanPort(mapping), wanAddress: of.wanAddress(mapping), wanPort: of.wanPort(mapping),
  }
}

/** A look-up that came upon a mapping, as numbers from word `at` on (explanation-numbers.ts). `filter` is the mapping's. Allocates nothing. */
export function writeLookup({ words, doubles }: NumberMemory, at: number, { mappings: of, sessions }: TableStore, lookup: Lookup, filter: Dependence, now: number): void {
  const { mapping, session, state } = lookup
  let count = 0, longest = 0
  // Nobody asks whom else the host has sent to where the packet's own session was known.
  for (let each = state < 0 ? of.firstSession(mapping) : NONE; each !== NONE && count < COUNTED_SESSIONS; each = sessions.next(each)) {
    if (sessions.deadline(each) <= now) continue
    longest = Math.max(longest, sessions.deadline(each) - now)
    if (count < NAMED_SESSIONS) {
      words[at + PLACE.sentTo + 2 * count] = sessions.remoteAddress(each)
      words[at + PLACE.sentTo + 2 * count + 1] = sessions.remotePort(each)
    }
    count++
  }
  words[at + PLACE.facts] = FACT.isMade | FACT.hasMapping | (lookup.isNew ? FACT.isNew : 0) | (session === NONE ? 0 : FACT.hasSession) | (session === NONE && count === 0 ? 0 : FACT.hasTimeLeft) |
    of.code(mapping) << SHIFT.protocol | of.kind(mapping) << SHIFT.kind | of.dependence(mapping) << SHIFT.dependence | dependenceCode(filter) << SHIFT.filter | Math.min(count, NAMED_SESSIONS) << SHIFT.named
  words[at + PLACE.states] = statePair(state, session === NONE ? -1 : sessions.state(session))
  words[at + PLACE.lanAddress] = of.lanAddress(mapping)
  words[at + PLACE.wanAddress] = of.wanAddress(mapping)
  words[at + PLACE.ports] = of.lanPort(mapping) << 16 | of.wanPort(mapping)
  words[at + PLACE.remoteAddress] = lookup.remoteAddress
  words[at + PLACE.remotePort] = lookup.remotePort
  words[at + PLACE.sessions] = count
  doubles[(at + PLACE.timeLeftBefore) >> 1] = lookup.timeLeft
  doubles[(at + PLACE.timeLeft) >> 1] = session === NONE ? longest : sessions.deadline(session) - now
}

/** The same of a packet that took the fast path, as a pass's explanation: what its frame says besides is left out. */
export function writePass({ words, doubles }: NumberMemory, at: number, sessions: Sessions, { session, state, timeLeft }: Lookup, { filtering }: Behaviour, now: number): void {
  const code = sessions.code(session), ofMapping = sessions.mappingFacts(session)
  const filter = (ofMapping & KIND_BITS) === DYNAMIC ? dependenceCode(code === TCP ? filtering.tcp : filtering.udp) : 0
  words[at + FACTS] = PASS_FACTS | code << PROTOCOL_SHIFT | ofMapping << KIND_SHIFT | filter << FILTER_SHIFT
  words[at + STATES] = statePair(state, sessions.state(session))
  doubles[(at + TIME_LEFT_BEFORE) >> 1] = timeLeft
  doubles[(at + TIME_LEFT) >> 1] = sessions.deadline(session) - now
}

/** As a number of DEPENDENCES, without a search. */
const dependenceCode = (dependence: Dependence): number => dependence === 'endpoint-independent' ? 0 : dependence === 'address-dependent' ? 1 : 2
