// What stands in front of the network's packet: Ethernet with its VLAN tags, and what captures hold in place of Ethernet: Linux's
// cooked headers, BSD's loopback family, or nothing. Numbers are libpcap's link types (https://www.tcpdump.org/linktypes.html).
import * as ethernet from '../../napt/wire/ethernet.js'
import { formatMac } from '../../napt/wire/address.js'
import { read16, read32 } from '../../napt/wire/bytes.js'
import { layer, type Layer } from './layer.js'

export const LINK_TYPE = { null: 0, ethernet: 1, rawDlt12: 12, rawDlt14: 14, raw: 101, loop: 108, cooked: 113, ipv4: 228, ipv6: 229, cooked2: 276 } as const

/** Tags of IEEE 802.1Q and 802.1ad, and the one that came before the latter. */
const VLAN_TYPES: readonly number[] = [ethernet.TYPE.vlan, 0x88a8, 0x9100]
const VLAN_TAG = 4, COOKED = 16, COOKED2 = 20, FAMILY = 4, AF_INET = 2
/** Of Linux, the BSDs, and Darwin. */
const AF_INET6: readonly number[] = [10, 24, 28, 30]

export interface LinkLayer {
  readonly layers: readonly Layer[]
  /** The EtherType of what follows; null where it has none. */
  readonly type: number | null
  /** Where that begins. */
  readonly at: number
  readonly defect: string | null
}

/** @param linkType as the capture file says of the frame's interface */
export function decodeLink(bytes: Uint8Array, linkType: number): LinkLayer {
  switch (linkType) {
    case LINK_TYPE.ethernet: return ethernetLink(bytes)
    case LINK_TYPE.cooked: return cookedLink(bytes)
    case LINK_TYPE.cooked2: return cooked2Link(bytes)
    case LINK_TYPE.null: case LINK_TYPE.loop: return familyLink(bytes, linkType)
    case LINK_TYPE.ipv4: return { layers: [], type: ethernet.TYPE.ipv4, at: 0, defect: null }
    case LINK_TYPE.ipv6: return { layers: [], type: ethernet.TYPE.ipv6, at: 0, defect: null }
    case LINK_TYPE.raw: case LINK_TYPE.rawDlt12: case LINK_TYPE.rawDlt14: return rawLink(bytes)
    default: return broken(`link type ${linkType} is not decoded`)
  }
}

const broken = (defect: string): LinkLayer => ({ layers: [], type: null, at: 0, defect })
const tooShort = (bytes: Uint8Array, name: string, length: number): LinkLayer => broken(`the frame has ${bytes.length} bytes, ${name} header ${length}`)

function ethernetLink(bytes: Uint8Array): LinkLayer {
  if (ethernet.check(0, bytes.length) !== null) return tooShort(bytes, 'an Ethernet', ethernet.HEADER)
  const type = ethernet.type(bytes, 0)
  return withTags(bytes, type, ethernet.HEADER, layer('ethernet', 0, ethernet.HEADER, [
    ['destination', formatMac(ethernet.destination(bytes, 0)), 0, 6],
    ['source', formatMac(ethernet.source(bytes, 0)), 6, 6],
    ['type', type, 12, 2],
  ]))
}

/** LINKTYPE_LINUX_SLL: what an interface without an Ethernet header, or several at once ("any"), gives. */
function cookedLink(bytes: Uint8Array): LinkLayer {
  if (bytes.length < COOKED) return tooShort(bytes, 'a Linux cooked', COOKED)
  const type = read16(bytes, 14)
  return withTags(bytes, type, COOKED, layer('cooked', 0, COOKED, [
    ['packet type', read16(bytes, 0), 0, 2], ['hardware type', read16(bytes, 2), 2, 2],
    ...sender(bytes, 6, read16(bytes, 4)), ['type', type, 14, 2],
  ]))
}

/** LINKTYPE_LINUX_SLL2: the same with the number of the interface. */
function cooked2Link(bytes: Uint8Array): LinkLayer {
  if (bytes.length < COOKED2) return tooShort(bytes, 'a Linux cooked', COOKED2)
  const type = read16(bytes, 0)
  return withTags(bytes, type, COOKED2, layer('cooked', 0, COOKED2, [
    ['type', type, 0, 2], ['interface index', read32(bytes, 4), 4, 4], ['hardware type', read16(bytes, 8), 8, 2],
    ['packet type', bytes[10], 10, 1], ...sender(bytes, 12, bytes[11]),
  ]))
}

/** A link-layer address in a field of eight bytes; some interfaces have none. */
const sender = (bytes: Uint8Array, at: number, length: number) =>
  length === 0 || length > 8 ? [] : [['source', formatMac(bytes.subarray(at, at + length)), at, length] as const]

function withTags(bytes: Uint8Array, type: number, at: number, first: Layer): LinkLayer {
  const layers = [first]
  let inner = type, from = at
  for (; VLAN_TYPES.includes(inner); from += VLAN_TAG) {
    if (bytes.length - from < VLAN_TAG) return { layers, type: null, at: from, defect: 'the VLAN tag is truncated' }
    const tag = read16(bytes, from)
    inner = read16(bytes, from + 2)
    layers.push(layer('vlan', from, VLAN_TAG, [['priority', tag >>> 13, 0, 1], ['drop eligible', tag >>> 12 & 1, 0, 1], ['VLAN', tag & 0xfff, 0, 2], ['type', inner, 2, 2]]))
  }
  return { layers, type: inner, at: from, defect: null }
}

/** The address family: of LINKTYPE_NULL in the byte order of the machine that captured, whichever that was. */
function familyLink(bytes: Uint8Array, linkType: number): LinkLayer {
  if (bytes.length < FAMILY) return tooShort(bytes, 'a loopback', FAMILY)
  const view = new DataView(bytes.buffer, bytes.byteOffset), big = view.getUint32(0)
  const family = linkType === LINK_TYPE.null && big > 0xffff ? view.getUint32(0, true) : big
  const type = family === AF_INET ? ethernet.TYPE.ipv4 : AF_INET6.includes(family) ? ethernet.TYPE.ipv6 : null
  return { layers: [layer('loopback', 0, FAMILY, [['family', family, 0, 4]])], type, at: FAMILY, defect: null }
}

function rawLink(bytes: Uint8Array): LinkLayer {
  if (bytes.length === 0) return broken('the frame is empty')
  const version = bytes[0] >>> 4
  if (version !== 4 && version !== 6) return broken(`the packet is of IP version ${version}`)
  return { layers: [], type: version === 4 ? ethernet.TYPE.ipv4 : ethernet.TYPE.ipv6, at: 0, defect: null }
}
