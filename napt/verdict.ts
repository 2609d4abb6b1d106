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
  'protocol': { sentence: 'only TCP, UDP and ICMP can be translated' },
  'icmp-type': { sentence: 'this ICMP message is neither a query nor an error that quotes a packet', clause: 'RFC 5508 §7' },
  'fragment': { sentence: 'fragments are not translated: without the first one there is no port to look at', clause: 'RFC 4787 REQ-14' },
  'no-mapping': { sentence: 'nothing is mapped to this WAN port: no host of the LAN has sent from it, and no static mapping is set', clause: 'RFC 4787 REQ-8' },
  'filtered': { sentence: 'the WAN port is mapped, but its filter does not let this sender in: the host has sent nothing to it', clause: 'RFC 4787 REQ-8' },
  'no-session': { sentence: 'a TCP segment other than SYN belongs to no connection that the router knows', clause: 'RFC 5382 §4.3' },
  'no-free-port': { sentence: 'every WAN port of this protocol is in use', clause: 'RFC 4787 REQ-3' },
  'table-full': { sentence: 'the table holds as many sessions as it may' },
  'neighbour-unreachable': { sentence: 'nobody answered ARP for the next hop', clause: 'RFC 1122 §2.3.2' },
  'queue-full': { sentence: 'too many packets already wait for ARP answers', clause: 'RFC 1122 §2.3.2.2' },
} as const satisfies Record<string, DropExplanation>

export type DropReason = keyof typeof DROP_REASONS
export const DROP_REASON_NAMES = Object.keys(DROP_REASONS) as readonly DropReason[]

/** `forward`: rewritten in place, to go out on the other side. `answer`: the router replied on the same side. `hold`: waits for ARP. */
export type Action = 'forward' | 'answer' | 'drop' | 'hold'

/** One object is used again for every frame: copy what has to outlive the next one. */
export interface Verdict {
  action: Action
  /** Why, when the action is `drop`. */
  reason: DropReason | null
}
