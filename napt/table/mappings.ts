// Mappings: which LAN endpoint has which WAN endpoint, found from either side (Figs. 6 and 12).
//
// On the LAN side a mapping stands under its endpoint and as much of a remote endpoint as it depends on (0 for what it does not).
// On the WAN side those that share a WAN endpoint (port overloading, RFC 7857 §3; protocols without ports) form a chain,
// whose head the index knows; mostly the chain has one member.
import type { Ipv4Address, Port } from '../wire/address.js'
import { FlowIndex, portPair, type ProtocolCode } from './flow-index.js'
import { Rows } from './rows.js'

const NONE = -1

/** `one-to-one`: on a WAN address that is one host's alone. */
export const MAPPING_KINDS = ['dynamic', 'static', 'one-to-one'] as const
export type MappingKind = typeof MAPPING_KINDS[number]
export const KIND: Readonly<Record<'dynamic' | 'static' | 'oneToOne', number>> = { dynamic: 0, static: 1, oneToOne: 2 }

// Fields of a row. `code` is 0 in a free one.
const M = { lanAddress: 0, wanAddress: 1, lanPort: 2, wanPort: 3, code: 4, kind: 5, keyAddress: 6, keyPort: 7, firstSession: 8, next: 9, previous: 10, host: 11, width: 12 } as const

export class Mappings {
  readonly #rows = new Rows(M.width)
  readonly #byLan = new FlowIndex()
  readonly #byWan = new FlowIndex()

  get count(): number { return this.#rows.count }
  /** One above the highest row in use. */
  get limit(): number { return this.#rows.limit }

  /** The mapping of a LAN endpoint under a key, or -1. */
  ofLan(code: ProtocolCode, lanAddress: number, lanPort: number, keyAddress: number, keyPort: number): number {
    return this.#byLan.find(lanAddress, keyAddress, portPair(lanPort, keyPort), code)
  }

  /** The first mapping on a WAN endpoint, or -1; `next` gives the others. */
  ofWan(code: ProtocolCode, wanAddress: number, wanPort: number): number {
    return this.#byWan.find(wanAddress, 0, wanPort, code)
  }

  add(code: ProtocolCode, kind: number, host: number, lanAddress: number, lanPort: number, wanAddress: number, wanPort: number, keyAddress: number, keyPort: number): number {
    const mapping = this.#rows.add()
    const fields = this.#rows.fields, at = mapping * M.width
    const head = this.ofWan(code, wanAddress, wanPort)
    fields[at + M.lanAddress] = lanAddress
    fields[at + M.wanAddress] = wanAddress
    fields[at + M.lanPort] = lanPort
    fields[at + M.wanPort] = wanPort
    fields[at + M.code] = code
    fields[at + M.kind] = kind
    fields[at + M.keyAddress] = keyAddress
    fields[at + M.keyPort] = keyPort
    fields[at + M.firstSession] = NONE
    fields[at + M.host] = host
    fields[at + M.next] = NONE
    fields[at + M.previous] = NONE
    this.#byLan.insert(lanAddress, keyAddress, portPair(lanPort, keyPort), code, mapping)
    if (head === NONE) {
      this.#byWan.insert(wanAddress, 0, wanPort, code, mapping)
    } else {
      // Behind the head, so that the index need not change.
      const second = fields[head * M.width + M.next]
      fields[at + M.next] = second
      fields[at + M.previous] = head
      fields[head * M.width + M.next] = mapping
      if (second !== NONE) fields[second * M.width + M.previous] = mapping
    }
    return mapping
  }

  /** Its sessions have to be gone already. */
  remove(mapping: number): void {
    const fields = this.#rows.fields, at = mapping * M.width
    const code = fields[at + M.code] as ProtocolCode, wanAddress = fields[at + M.wanAddress], wanPort = fields[at + M.wanPort]
    const next = fields[at + M.next], previous = fields[at + M.previous]
    this.#byLan.remove(fields[at + M.lanAddress], fields[at + M.keyAddress], portPair(fields[at + M.lanPort], fields[at + M.keyPort]), code)
    if (next !== NONE) fields[next * M.width + M.previous] = previous
    if (previous !== NONE) {
      fields[previous * M.width + M.next] = next
    } else {
      this.#byWan.remove(wanAddress, 0, wanPort, code)
      if (next !== NONE) this.#byWan.insert(wanAddress, 0, wanPort, code, next)
    }
    fields[at + M.code] = 0
    this.#rows.remove(mapping)
  }

  /** False for a row that is free. */
  isUsed(mapping: number): boolean { return this.#field(mapping, M.code) !== 0 }
  code(mapping: number): ProtocolCode { return this.#field(mapping, M.code) as ProtocolCode }
  kind(mapping: number): number { return this.#field(mapping, M.kind) }
  isStatic(mapping: number): boolean { return this.#field(mapping, M.kind) === KIND.static }
  host(mapping: number): number { return this.#field(mapping, M.host) }
  lanAddress(mapping: number): Ipv4Address { return this.#field(mapping, M.lanAddress) as Ipv4Address }
  lanPort(mapping: number): Port { return this.#field(mapping, M.lanPort) as Port }
  wanAddress(mapping: number): Ipv4Address { return this.#field(mapping, M.wanAddress) as Ipv4Address }
  wanPort(mapping: number): Port { return this.#field(mapping, M.wanPort) as Port }
  /** The remote address and port that the mapping depends on; 0 where it does not. */
  keyAddress(mapping: number): number { return this.#field(mapping, M.keyAddress) }
  keyPort(mapping: number): number { return this.#field(mapping, M.keyPort) }
  /** The next mapping on the same WAN endpoint, or -1. */
  next(mapping: number): number { return this.#field(mapping, M.next) }
  /** The head of the mapping's list of sessions, or -1. */
  firstSession(mapping: number): number { return this.#field(mapping, M.firstSession) }
  setFirstSession(mapping: number, session: number): void { this.#rows.fields[mapping * M.width + M.firstSession] = session }

  #field(mapping: number, field: number): number { return this.#rows.fields[mapping * M.width + field] }
}
