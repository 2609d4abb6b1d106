// The table for people: mappings with their sessions as rows, and what a look-up rested on.
import { PROTOCOLS, type Dependence, type Protocol } from '../behaviour/behaviour.js'
import type { Explanation, SessionPhase } from '../explanation.js'
import type { Ipv4Address, Port } from '../wire/address.js'
import { PROTOCOL_CODE, type ProtocolCode } from './flow-index.js'
import { MAPPING_KINDS, type MappingKind } from './mappings.js'
import type { TableStore } from './store.js'
import { phase, type TcpPhase } from './tcp-state.js'

const NONE = -1
/** Remote endpoints that an explanation names. */
const NAMED_SESSIONS = 4

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

/** A look-up that came upon a mapping, in words of the RFCs. `filter` is the mapping's. */
export function explainLookup({ mappings: of, sessions }: TableStore, lookup: Lookup, filter: Dependence, now: number): Explanation {
  const { mapping, session, state, isNew } = lookup, code = of.code(mapping), protocol = CODE_TO_PROTOCOL[code] ?? 'ip'
  const sentTo: { address: Ipv4Address, port: Port }[] = []
  let count = 0, longest = 0
  for (let each = of.firstSession(mapping); each !== NONE; each = sessions.next(each)) {
    if (sessions.deadline(each) <= now) continue
    longest = Math.max(longest, sessions.deadline(each) - now)
    if (count++ < NAMED_SESSIONS) sentTo.push({ address: sessions.remoteAddress(each), port: sessions.remotePort(each) })
  }
  return {
    mapping: {
      protocol: protocol === 'ip' ? String(of.lanPort(mapping)) : protocol, kind: MAPPING_KINDS[of.kind(mapping)], isNew,
      lan: { address: of.lanAddress(mapping), port: of.lanPort(mapping) }, wan: { address: of.wanAddress(mapping), port: of.wanPort(mapping) },
      dependence: of.keyPort(mapping) !== 0 ? 'address-and-port-dependent' : of.keyAddress(mapping) !== 0 ? 'address-dependent' : 'endpoint-independent',
    },
    filter: { dependence: filter, remote: { address: lookup.remoteAddress as Ipv4Address, port: lookup.remotePort as Port }, sentTo, sessions: count },
    before: phaseOf(code, state), ...(state < 0 ? {} : { timeLeftBefore: lookup.timeLeft }),
    after: phaseOf(code, session === NONE ? -1 : sessions.state(session)), ...(session !== NONE ? { timeLeft: sessions.deadline(session) - now } : count > 0 ? { timeLeft: longest } : {}),
  }
}

const phaseOf = (code: ProtocolCode, state: number): SessionPhase => state < 0 ? 'none' : code === PROTOCOL_CODE.tcp ? phase(state) : 'open'
