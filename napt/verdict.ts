// What a router did with a frame, as data. Tracing, recording and explaining read it; nothing computes it again.

export type Side = 'lan' | 'wan'
export const otherSide = (side: Side): Side => side === 'lan' ? 'wan' : 'lan'

export interface DropExplanation {
  /** For people: why, and what to look at. */
  readonly sentence: string
  /** The clause behind it, if there is one. */
  readonly clause?: string
}

/** Every reason for which a frame can be dropped. */
export const DROP_REASONS = {
  'truncated': { sentence: 'the frame ends before the header or the length it announces' },
  'malformed': { sentence: 'a header holds a version, length or type that cannot be', clause: 'RFC 1812 §5.2.2' },
  'checksum': { sentence: 'the IPv4 header or ICMP checksum is wrong', clause: 'RFC 1812 §5.2.2, RFC 5508 REQ-3' },
  'not-for-router': { sentence: 'the frame is addressed to another station on the cable' },
  'not-ipv4': { sentence: 'only IPv4 and ARP are routed here' },
  'broadcast': { sentence: 'broadcast and multicast packets are not forwarded', clause: 'RFC 1812 §5.3.5' },
  'no-service': { sentence: 'the packet is for the router itself, which offers nothing on that protocol or port' },
  'not-routed': { sentence: 'source or destination does not belong on the side that the packet came from or would go to', clause: 'RFC 1812 §5.3.7, §5.3.8' },
  'hairpinning-off': { sentence: 'a host of the LAN sent to the router\'s own WAN address, and hairpinning is off', clause: 'RFC 4787 REQ-9' },
  'ttl-expired': { sentence: 'the time to live ran out here; the sender was told with ICMP time exceeded', clause: 'RFC 1812 §5.3.1' },
  'too-big': { sentence: 'the packet is longer than the next cable takes and may not be fragmented; the sender was told with ICMP fragmentation needed', clause: 'RFC 1191 §3, RFC 4787 REQ-13' },
  'protocol': { sentence: 'this protocol has no ports, and the router passes only TCP, UDP and ICMP', clause: 'RFC 2663 §5.0' },
  'port-zero': { sentence: 'port 0 is nobody\'s: nothing can be sent to it', clause: 'RFC 6335 §6' },
  'icmp-type': { sentence: 'this ICMP message is neither a query nor an error that quotes a packet', clause: 'RFC 5508 §7' },
  'source-route': { sentence: 'the packet says itself which way it takes, and so would go round the translation', clause: 'RFC 7126 §4.3, §4.4' },
  'fragment': { sentence: 'fragments are not translated here: without the first one there is no port to look at', clause: 'RFC 4787 REQ-14' },
  'fragment-out-of-order': { sentence: 'a fragment came before the first one of its datagram, and this NAT keeps none back', clause: 'RFC 4787 REQ-14' },
  'fragment-overlap': { sentence: 'a fragment covers bytes that another one of its datagram brought, or is none that a datagram can have', clause: 'RFC 1858 §3, RFC 5722 §3' },
  'fragment-tiny': { sentence: 'the first fragment ends before the ports or flags that it has to bring', clause: 'RFC 1858 §2' },
  'fragment-refused': { sentence: 'the first fragment of this datagram was dropped, and the others go with it', clause: 'RFC 4787 REQ-14' },
  'fragment-lapsed': { sentence: 'the first fragment of this datagram did not come in time', clause: 'RFC 1122 §3.3.2' },
  'fragments-full': { sentence: 'the router keeps back as many fragments as it may', clause: 'RFC 4787 REQ-14a' },
  'no-mapping': { sentence: 'nothing is mapped to this WAN port: no host of the LAN has sent from it, and no static mapping is set', clause: 'RFC 4787 REQ-8' },
  'filtered': { sentence: 'the WAN port is mapped, but its filter does not let this sender in: the host has sent nothing to it', clause: 'RFC 4787 REQ-8' },
  'no-session': { sentence: 'a TCP segment other than SYN belongs to no connection that the router knows', clause: 'RFC 5382 §4.3' },
  'port-taken': { sentence: 'the host\'s own port is taken on the WAN, and this NAT gives no other', clause: 'RFC 4787 §4.2.1' },
  'peer-taken': { sentence: 'another host of the LAN speaks this protocol with that address, and without ports the two could not be told apart', clause: 'RFC 2663 §5.0' },
  'no-free-address': { sentence: 'every WAN address belongs to another host of the LAN', clause: 'RFC 2663 §4.1.1' },
  'no-port-block': { sentence: 'the WAN addresses have no block of ports for this host', clause: 'RFC 7422 §2' },
  'host-limit': { sentence: 'this host has as many mappings or sessions as one host may', clause: 'RFC 6888 REQ-4, REQ-5' },
  'host-rate': { sentence: 'this host opens sessions faster than one host may', clause: 'RFC 6888 REQ-5' },
  'no-free-port': { sentence: 'every WAN port of this protocol is in use', clause: 'RFC 4787 REQ-3' },
  'table-full': { sentence: 'the table holds as many sessions as it may' },
  'neighbour-unreachable': { sentence: 'nobody answered ARP for the next hop', clause: 'RFC 1122 §2.3.2' },
  'queue-full': { sentence: 'too many packets already wait for ARP answers', clause: 'RFC 1122 §2.3.2.2' },
} as const satisfies Record<string, DropExplanation>

export type DropReason = keyof typeof DROP_REASONS
export const DROP_REASON_NAMES = Object.keys(DROP_REASONS) as readonly DropReason[]

/**
 * `forward`: rewritten in place, to go out on side `to`. `split`: the same, and sent already, as fragments. `answer`: the router
 * replied on the same side. `hold`: waits, for ARP or for the first fragment of its datagram.
 */
export type Action = 'forward' | 'split' | 'answer' | 'drop' | 'hold'

/** One object is used again for every frame: copy what has to outlive the next one. */
export interface Verdict {
  action: Action
  /** Where a frame goes that is forwarded: the other side, or the one it came from (hairpinning). */
  to: Side
  /** Why, when the action is `drop`. */
  reason: DropReason | null
}
