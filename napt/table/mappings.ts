// Mappings: which LAN endpoint has which WAN endpoint, found from either side (Figs. 6 and 12).
//
// On the LAN side a mapping stands under its endpoint and as much of a remote endpoint as it depends on (0 for what it does not).
// On the WAN side those that share a WAN endpoint (port overloading, RFC 7857 §3; protocols without ports) form a chain,
// whose head stands under it; mostly the chain has one member.
import type { Ipv4Address, Port } from '../wire/address.js'
import { CODE_SHIFT, FlowIndex, portPair, type ProtocolCode } from './flow-index.js'
import { Rows } from './rows.js'
import { WanEndpoints } from './wan-endpoints.js'

const NONE = -1

/** `one-to-one`: on a WAN address that is one host's alone. */
export const MAPPING_KINDS = ['dynamic', 'static', 'one-to-one'] as const
export type MappingKind = typeof MAPPING_KINDS[number]
export const KIND: Readonly<Record<'dynamic' | 'static' | 'oneToOne', number>> = { dynamic: 0, static: 1, oneToOne: 2 }

// Fields of a row: 36 bytes. `lanPorts` is the LAN port and that of the key; `code` the protocol's code (0 in a free row), the kind
// and the host's row.
export const MAPPING = { lanAddress: 0, wanAddress: 1, lanPorts: 2, wanPort: 3, keyAddress: 4, code: 5, firstSession: 6, next: 7, previous: 8, width: 9 } as const
const KIND_SHIFT = 27, KIND_BITS = 3, HOST = (1 << KIND_SHIFT) - 1

export class Mappings {
  /** Read by the sessions, which copy what a mapping has. */
  readonly rows = new Rows(MAPPING.width)
  readonly #byLan = new FlowIndex(this.rows, { a: MAPPING.lanAddress, b: MAPPING.keyAddress, ports: MAPPING.lanPorts, code: MAPPING.code })
  readonly #byWan = new WanEndpoints()

  get count(): number { return this.rows.count }
  /** One above the highest row in use. */
  get limit(): number { return this.rows.limit }

  /** The mapping of a LAN endpoint under a key, or -1. */
  ofLan(code: ProtocolCode, lanAddress: number, lanPort: number, keyAddress: number, keyPort: number): number {
    return this.#byLan.find(lanAddress, keyAddress, portPair(lanPort, keyPort), code)
  }

  /** The first mapping on a WAN endpoint, or -1; `next` gives the others. */
  ofWan(code: ProtocolCode, wanAddress: number, wanPort: number): number {
    return this.#byWan.first(code, wanAddress, wanPort)
  }

  add(code: ProtocolCode, kind: number, host: number, lanAddress: number, lanPort: number, wanAddress: number, wanPort: number, keyAddress: number, keyPort: number): number {
    const rows = this.rows, mapping = rows.add(), chunk = rows.chunkOf(mapping), at = rows.placeOf(mapping)
    const head = this.#byWan.take(code, wanAddress, wanPort, mapping)
    chunk[at + MAPPING.lanAddress] = lanAddress
    chunk[at + MAPPING.wanAddress] = wanAddress
    chunk[at + MAPPING.lanPorts] = portPair(lanPort, keyPort)
    chunk[at + MAPPING.wanPort] = wanPort
    chunk[at + MAPPING.keyAddress] = keyAddress
    chunk[at + MAPPING.code] = code << CODE_SHIFT | kind << KIND_SHIFT | host
    chunk[at + MAPPING.firstSession] = NONE
    chunk[at + MAPPING.next] = NONE
    chunk[at + MAPPING.previous] = head === mapping ? NONE : head
    this.#byLan.insert(mapping)
    if (head !== mapping) {
      // Behind the head, which stays.
      const second = rows.get(head, MAPPING.next)
      rows.set(mapping, MAPPING.next, second)
      rows.set(head, MAPPING.next, mapping)
      if (second !== NONE) rows.set(second, MAPPING.previous, mapping)
    }
    return mapping
  }

  /** Its sessions have to be gone already. */
  remove(mapping: number): void {
    const rows = this.rows, next = this.next(mapping), previous = rows.get(mapping, MAPPING.previous)
    this.#byLan.remove(mapping)
    if (previous === NONE) this.#byWan.set(this.code(mapping), this.wanAddress(mapping), this.wanPort(mapping), next)
    else rows.set(previous, MAPPING.next, next)
    if (next !== NONE) rows.set(next, MAPPING.previous, previous)
    rows.set(mapping, MAPPING.code, 0)
    rows.remove(mapping)
  }

  /** Addresses that are not wanted are the router's no more; no mapping may be left on them. */
  keepAddresses(isWanted: (address: number) => boolean): void { this.#byWan.keep(isWanted) }

  /** False for a row that is free. */
  isUsed(mapping: number): boolean { return this.rows.get(mapping, MAPPING.code) !== 0 }
  code(mapping: number): ProtocolCode { return this.rows.get(mapping, MAPPING.code) >>> CODE_SHIFT as ProtocolCode }
  kind(mapping: number): number { return this.rows.get(mapping, MAPPING.code) >>> KIND_SHIFT & KIND_BITS }
  isStatic(mapping: number): boolean { return this.kind(mapping) === KIND.static }
  host(mapping: number): number { return this.rows.get(mapping, MAPPING.code) & HOST }
  lanAddress(mapping: number): Ipv4Address { return this.rows.get(mapping, MAPPING.lanAddress) as Ipv4Address }
  lanPort(mapping: number): Port { return this.rows.get(mapping, MAPPING.lanPorts) >>> 16 as Port }
  wanAddress(mapping: number): Ipv4Address { return this.rows.get(mapping, MAPPING.wanAddress) as Ipv4Address }
  wanPort(mapping: number): Port { return this.rows.get(mapping, MAPPING.wanPort) as Port }
  /** The remote address and port that the mapping depends on; 0 where it does not. */
  keyAddress(mapping: number): number { return this.rows.get(mapping, MAPPING.keyAddress) }
  keyPort(mapping: number): number { return this.rows.get(mapping, MAPPING.lanPorts) & 0xffff }
  /** How much of the remote endpoint that is, as a number of DEPENDENCES. */
  dependence(mapping: number): number { return this.keyPort(mapping) !== 0 ? 2 : this.keyAddress(mapping) !== 0 ? 1 : 0 }
  /** The next mapping on the same WAN endpoint, or -1. */
  next(mapping: number): number { return this.rows.get(mapping, MAPPING.next) }
  /** The head of the mapping's list of sessions, or -1. */
  firstSession(mapping: number): number { return this.rows.get(mapping, MAPPING.firstSession) }
  setFirstSession(mapping: number, session: number): void { this.rows.set(mapping, MAPPING.firstSession, session) }
}
