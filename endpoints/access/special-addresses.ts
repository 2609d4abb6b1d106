// The IPv4 addresses that are nobody's on the Internet, or not one host's: the special-purpose registry with the names of RFC 6890
// (as IANA keeps it up), and multicast (RFC 5771), which is not in it.

export interface SpecialAddresses {
  /** ADDRESS/LENGTH. */
  readonly prefix: string
  readonly name: string
  readonly rfc: string
  /** True where a TCP connection leads to this machine or to no one host, whatever anybody allows. */
  readonly never?: true
}

export const SPECIAL_ADDRESSES: readonly SpecialAddresses[] = [
  { prefix: '0.0.0.0/8', name: 'This host on this network', rfc: 'RFC 1122', never: true },
  { prefix: '10.0.0.0/8', name: 'Private-Use', rfc: 'RFC 1918' },
  { prefix: '100.64.0.0/10', name: 'Shared Address Space', rfc: 'RFC 6598' },
  { prefix: '127.0.0.0/8', name: 'Loopback', rfc: 'RFC 1122' },
  { prefix: '169.254.0.0/16', name: 'Link Local', rfc: 'RFC 3927' },
  { prefix: '172.16.0.0/12', name: 'Private-Use', rfc: 'RFC 1918' },
  { prefix: '192.0.0.0/24', name: 'IETF Protocol Assignments', rfc: 'RFC 6890' },
  { prefix: '192.0.2.0/24', name: 'Documentation (TEST-NET-1)', rfc: 'RFC 5737' },
  { prefix: '192.88.99.0/24', name: '6to4 Relay Anycast', rfc: 'RFC 3068' },
  { prefix: '192.168.0.0/16', name: 'Private-Use', rfc: 'RFC 1918' },
  { prefix: '198.18.0.0/15', name: 'Benchmarking', rfc: 'RFC 2544' },
  { prefix: '198.51.100.0/24', name: 'Documentation (TEST-NET-2)', rfc: 'RFC 5737' },
  { prefix: '203.0.113.0/24', name: 'Documentation (TEST-NET-3)', rfc: 'RFC 5737' },
  { prefix: '224.0.0.0/4', name: 'Multicast', rfc: 'RFC 5771', never: true },
  { prefix: '240.0.0.0/4', name: 'Reserved', rfc: 'RFC 1112' },
  { prefix: '255.255.255.255/32', name: 'Limited Broadcast', rfc: 'RFC 919', never: true },
]
