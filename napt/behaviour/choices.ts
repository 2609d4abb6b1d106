// Each choice in words: what it means, what may be chosen, and where an RFC speaks of it. `naptlab nat show` and the table in
// docs/nat.md say this.
import {
  DEPENDENCES, FRAGMENT_HANDLINGS, HAIRPINNINGS, OTHER_PROTOCOL_HANDLINGS, POOLINGS, PORT_ALLOCATIONS, PORT_COLLISIONS, REFRESHES, TRANSLATIONS,
  UNSOLICITED_SYN_ANSWERS, type Behaviour,
} from './behaviour.js'

export interface Choice {
  readonly meaning: string
  readonly values: string
  readonly rfc: string
}

const oneOf = (values: readonly string[]): string => values.join(', ')
const perProtocol = (values: readonly string[]): string => `${oneOf(values)}; or one for each of tcp, udp, icmp`

export const CHOICES: Readonly<Record<keyof Behaviour, Choice>> = {
  translation: { meaning: 'ports: hosts share WAN addresses (NAPT); addresses: each host has one of its own while it speaks, and ports stay (basic NAT)', values: oneOf(TRANSLATIONS), rfc: 'RFC 2663 §4.1' },
  mapping: { meaning: 'on how much of the remote endpoint the WAN port of a LAN endpoint depends', values: perProtocol(DEPENDENCES), rfc: 'RFC 4787 REQ-1, RFC 5382 REQ-1, RFC 5508 REQ-1' },
  filtering: { meaning: 'from whom a mapping lets packets in: anybody, addresses that the host has sent to, or only endpoints', values: perProtocol(DEPENDENCES), rfc: 'RFC 4787 REQ-8, RFC 5382 REQ-3' },
  pool: { meaning: 'WAN addresses that mappings are made on; none: the router\'s own', values: 'list of addresses', rfc: 'RFC 4787 §4.1' },
  pooling: { meaning: 'paired: a host has all its mappings on one WAN address; arbitrary: each takes the next one', values: oneOf(POOLINGS), rfc: 'RFC 4787 REQ-2, RFC 6888 REQ-2' },
  portAllocation: { meaning: 'which WAN port a mapping gets: the LAN port where it is free, the next one, or any', values: oneOf(PORT_ALLOCATIONS), rfc: 'RFC 4787 §4.2.1, RFC 7857 §10' },
  portCollision: { meaning: 'what preserve does when the port is taken', values: oneOf(PORT_COLLISIONS), rfc: 'RFC 4787 §4.2.1' },
  firstPort: { meaning: 'where a sequential allocation begins; for icmp the query identifier', values: 'tcp, udp: 1 to 65535; icmp: 0 to 65535', rfc: '—' },
  portRange: { meaning: 'the ports that hosts are given, both ends included; ICMP identifiers know no range', values: 'from, to: 1 to 65535', rfc: 'RFC 6888 REQ-4' },
  keepWellKnownPorts: { meaning: 'LAN ports below 1024 get WAN ports below 1024, and others do not', values: 'true, false', rfc: 'RFC 4787 REQ-3a' },
  portParity: { meaning: 'an even port for an even one, an odd one for an odd one', values: 'true, false', rfc: 'RFC 4787 REQ-4, RFC 7857 §9' },
  portContiguity: { meaning: 'port p+1 of a host gets the WAN port behind that of port p, where it is free', values: 'true, false', rfc: 'RFC 4787 §4.2.3' },
  portOverloading: { meaning: 'one WAN port serves several hosts as long as they speak to different endpoints', values: 'true, false', rfc: 'RFC 4787 REQ-3, RFC 7857 §3' },
  portBlock: { meaning: 'ports of the fixed block that each host has; 0: no blocks', values: '0 to 65535', rfc: 'RFC 7422 §2, RFC 6888 REQ-14' },
  portReuseDelay: { meaning: 'seconds for which a port rests before another mapping gets it', values: '0 to 86400', rfc: 'RFC 6888 REQ-8' },
  hairpinning: { meaning: 'what a host meets that sends to the WAN endpoint of another: it is seen with its own WAN endpoint, with its LAN address, or not at all', values: oneOf(HAIRPINNINGS), rfc: 'RFC 4787 REQ-9, RFC 5382 REQ-8' },
  filterHairpinned: { meaning: 'filters hold for packets from the LAN as well', values: 'true, false', rfc: 'RFC 4787 §6' },
  timeouts: { meaning: 'seconds without a packet after which a session ends, by protocol and state', values: 'udp, icmp, tcpOpening, tcpEstablished, tcpClosing, tcpReset, other: 0.001 to 2592000', rfc: 'RFC 4787 REQ-5, RFC 5382 REQ-5, RFC 5508 REQ-2, RFC 7857 §2' },
  refresh: { meaning: 'packets of which direction keep a session', values: perProtocol(REFRESHES), rfc: 'RFC 4787 REQ-6' },
  unsolicitedSyn: { meaning: 'a SYN from the WAN that nobody asked for is held for that many seconds, then answered', values: `hold: 0 to 600; answer: ${oneOf(UNSOLICITED_SYN_ANSWERS)}`, rfc: 'RFC 5382 REQ-4' },
  maximumSegment: { meaning: 'the largest segment that a SYN may announce, bytes; 0: as it is', values: '0, 536 to 65535', rfc: 'RFC 9293 §3.7.1' },
  otherProtocols: { meaning: 'protocols without ports: dropped, or passed by address to one host for each remote address and protocol', values: oneOf(OTHER_PROTOCOL_HANDLINGS), rfc: 'RFC 2663 §5.0' },
  fragments: { meaning: 'fragments pass in any order, only behind the first one, or not at all', values: oneOf(FRAGMENT_HANDLINGS), rfc: 'RFC 4787 REQ-14' },
  limits: { meaning: 'bounds; those for a host are off at 0', values: 'sessions, mappingsPerHost, sessionsPerHost, newSessionsPerSecond, icmpErrorsPerSecond: up to 16777216', rfc: 'RFC 6888 REQ-4, REQ-5' },
  staticMappings: { meaning: 'WAN ports that lead to a LAN endpoint, always', values: 'list of protocol, wanPort, address, port and, if need be, wanAddress', rfc: 'RFC 2663 §4.1' },
  oneToOne: { meaning: 'WAN addresses that belong to one host each, in both directions and for every port', values: 'list of wanAddress, address', rfc: 'RFC 2663 §4.1.1' },
}
