// How a NAT behaves, as independent choices in the words of RFC 4787, 5382, 5508, 7857 and 6888. Times are in seconds here, as
// in the RFCs; the tables work in milliseconds. read-behaviour.ts turns untrusted data into it; presets.ts has known sets.
import type { Ipv4Address, Port } from '../wire/address.js'

/** RFC 4787 §4.1 and §5: on how much of the remote endpoint a mapping or a filter depends. */
export const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const
export type Dependence = typeof DEPENDENCES[number]

/**
 * RFC 2663 §4.1. `ports`: NAPT, hosts share WAN addresses. `addresses`: basic NAT, each host that speaks has a WAN address of
 * its own while it does, and ports stay as they are.
 */
export const TRANSLATIONS = ['ports', 'addresses'] as const
export type Translation = typeof TRANSLATIONS[number]

/** RFC 4787 §4.1 (REQ-2). `paired`: one host, one WAN address. `arbitrary`: each mapping takes the next address in turn. */
export const POOLINGS = ['paired', 'arbitrary'] as const
export type Pooling = typeof POOLINGS[number]

/** RFC 4787 §4.2.1. `preserve`: the LAN port where it is free. `sequential`: from the protocol's first port upwards. */
export const PORT_ALLOCATIONS = ['preserve', 'sequential', 'random'] as const
export type PortAllocation = typeof PORT_ALLOCATIONS[number]

/** What `preserve` does when the port is taken; `refuse`: the flow is refused. */
export const PORT_COLLISIONS = ['sequential', 'random', 'refuse'] as const
export type PortCollision = typeof PORT_COLLISIONS[number]

/**
 * RFC 4787 §6: what a host of the LAN that sends to a WAN endpoint of another meets. `external-source` (REQ-9a): it is
 * seen with its own WAN endpoint. `internal-source`: with its LAN address, so that answers do not pass the router.
 */
export const HAIRPINNINGS = ['external-source', 'internal-source', 'off'] as const
export type Hairpinning = typeof HAIRPINNINGS[number]

/** RFC 4787 §4.3: packets of which direction keep a session. */
export const REFRESHES = ['both', 'outbound', 'inbound'] as const
export type Refresh = typeof REFRESHES[number]

/** RFC 5382 §4.3 (REQ-4): what an inbound SYN that nobody asked for meets, after the time it is held. */
export const UNSOLICITED_SYN_ANSWERS = ['unreachable', 'reset', 'none'] as const
export type UnsolicitedSynAnswer = typeof UNSOLICITED_SYN_ANSWERS[number]

/** RFC 4787 §11. `in-order`: only behind the first fragment. */
export const FRAGMENT_HANDLINGS = ['any-order', 'in-order', 'drop'] as const
export type FragmentHandling = typeof FRAGMENT_HANDLINGS[number]

/** Protocols other than TCP, UDP and ICMP. `by-address`: one LAN host for each remote address and protocol. */
export const OTHER_PROTOCOL_HANDLINGS = ['drop', 'by-address'] as const
export type OtherProtocolHandling = typeof OTHER_PROTOCOL_HANDLINGS[number]

export const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const
export type Protocol = typeof PROTOCOLS[number]
export type PerProtocol<T> = Readonly<Record<Protocol, T>>

/** A WAN port that leads to a LAN endpoint, always. */
export interface StaticMapping {
  readonly protocol: 'tcp' | 'udp'
  /** One of the router's WAN addresses; its first one unless given. */
  readonly wanAddress?: Ipv4Address
  readonly wanPort: Port
  readonly address: Ipv4Address
  readonly port: Port
}

/** One-to-one NAT: a WAN address that belongs to one host of the LAN, in both directions and for every port. */
export interface OneToOne {
  readonly wanAddress: Ipv4Address
  readonly address: Ipv4Address
}

/** Seconds without a packet. */
export interface Timeouts {
  /** RFC 4787 REQ-5: at least 120, 300 recommended. */
  readonly udp: number
  /** RFC 5508 REQ-2: at least 60. */
  readonly icmp: number
  /** A connection of which only one side has sent SYN. RFC 5382 REQ-5: at least 240. */
  readonly tcpOpening: number
  /** RFC 5382 REQ-5: at least 7440. */
  readonly tcpEstablished: number
  /** Once both sides have sent FIN. RFC 5382 REQ-5: at least 240. */
  readonly tcpClosing: number
  /** After a RST. RFC 7857 §2.2: 240. */
  readonly tcpReset: number
  /** Protocols passed by address. */
  readonly other: number
}

export interface Limits {
  /** Sessions that the table may hold. */
  readonly sessions: number
  /** Mappings of one LAN host, 0 for any number (RFC 6888 REQ-4). */
  readonly mappingsPerHost: number
  /** Sessions of one LAN host, 0 for any number (RFC 6888 REQ-5). */
  readonly sessionsPerHost: number
  /** New sessions of one LAN host a second, 0 for any number (RFC 6888 REQ-5). */
  readonly newSessionsPerSecond: number
  /** ICMP errors that the router sends a second, of its own (RFC 1812 §4.3.2.8). */
  readonly icmpErrorsPerSecond: number
}

export interface Behaviour {
  readonly translation: Translation
  readonly mapping: PerProtocol<Dependence>
  readonly filtering: PerProtocol<Dependence>
  /** WAN addresses that mappings are made on; the router's own alone when empty. */
  readonly pool: readonly Ipv4Address[]
  readonly pooling: Pooling
  readonly portAllocation: PortAllocation
  readonly portCollision: PortCollision
  /** The first WAN port that a sequential allocation tries; for ICMP the first query identifier. */
  readonly firstPort: PerProtocol<number>
  /** Ports that hosts are given, both ends included (RFC 6888 REQ-4); ICMP identifiers know no range. */
  readonly portRange: { readonly from: number, readonly to: number }
  /** A LAN port below 1024 gets a WAN port below 1024, and no other does (RFC 4787 REQ-3a). */
  readonly keepWellKnownPorts: boolean
  /** An even port for an even one, an odd one for an odd one (RFC 4787 REQ-4). */
  readonly portParity: boolean
  /** Port p+1 of a host gets the WAN port behind that of port p, where it is free (RFC 4787 §4.2.3). */
  readonly portContiguity: boolean
  /** The same WAN port for several hosts as long as they speak to different endpoints (RFC 7857 §3). */
  readonly portOverloading: boolean
  /** Ports of one host's fixed block, 0 for none: deterministic NAT (RFC 7422; RFC 6888 REQ-14). */
  readonly portBlock: number
  /** Seconds for which a port rests before another mapping gets it (RFC 6888 REQ-8). */
  readonly portReuseDelay: number
  readonly hairpinning: Hairpinning
  /** Whether filters hold for packets from the LAN as well. */
  readonly filterHairpinned: boolean
  readonly timeouts: Timeouts
  readonly refresh: PerProtocol<Refresh>
  /** `hold` in seconds (RFC 5382 REQ-4: 6). */
  readonly unsolicitedSyn: { readonly hold: number, readonly answer: UnsolicitedSynAnswer }
  /** The largest segment that a TCP SYN may announce, bytes; 0 leaves it as it is. */
  readonly maximumSegment: number
  readonly otherProtocols: OtherProtocolHandling
  readonly fragments: FragmentHandling
  readonly limits: Limits
  readonly staticMappings: readonly StaticMapping[]
  readonly oneToOne: readonly OneToOne[]
}

const all = <T>(value: T): PerProtocol<T> => ({ tcp: value, udp: value, icmp: value })

/** What RFC 4787, 5382, 5508 and 7857 recommend where they do. */
export const DEFAULT_BEHAVIOUR: Behaviour = {
  translation: 'ports',
  mapping: all('endpoint-independent'),
  filtering: all('address-and-port-dependent'),
  pool: [],
  pooling: 'paired',
  portAllocation: 'preserve',
  portCollision: 'sequential',
  firstPort: { tcp: 1024, udp: 1024, icmp: 0 },
  portRange: { from: 1, to: 65535 },
  keepWellKnownPorts: true,
  portParity: false,
  portContiguity: false,
  portOverloading: false,
  portBlock: 0,
  portReuseDelay: 0,
  hairpinning: 'external-source',
  filterHairpinned: false,
  timeouts: { udp: 300, icmp: 60, tcpOpening: 240, tcpEstablished: 7440, tcpClosing: 240, tcpReset: 240, other: 300 },
  refresh: all('both'),
  unsolicitedSyn: { hold: 6, answer: 'unreachable' },
  maximumSegment: 0,
  otherProtocols: 'drop',
  fragments: 'any-order',
  limits: { sessions: 1 << 20, mappingsPerHost: 0, sessionsPerHost: 0, newSessionsPerSecond: 0, icmpErrorsPerSecond: 1000 },
  staticMappings: [],
  oneToOne: [],
}
