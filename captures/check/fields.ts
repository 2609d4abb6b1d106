// The header fields that a check can name, as decode.ts calls them (`tcp.SP`), and by the names that Wireshark gives them.
import { FLAG, formatFlags } from '../../napt/wire/tcp.js'

/** What a field's value is: a number up to `most`, an address, or text of another kind. */
export type FieldKind = { readonly kind: 'number', readonly most: number } | { readonly kind: 'address' | 'mac' | 'flags' | 'hex' }

const BYTE: FieldKind = { kind: 'number', most: 0xff }
const SHORT: FieldKind = { kind: 'number', most: 0xffff }
const LONG: FieldKind = { kind: 'number', most: 0xffff_ffff }
const BIT: FieldKind = { kind: 'number', most: 1 }
const ADDRESS: FieldKind = { kind: 'address' }
const MAC: FieldKind = { kind: 'mac' }
const HEX: FieldKind = { kind: 'hex' }

interface Named { readonly is: FieldKind, readonly also?: readonly string[] }

/** By the name of decode.ts; `also` are names of Wireshark's display filters for the same field. */
const FIELDS: Readonly<Record<string, Named>> = {
  'ethernet.destination': { is: MAC, also: ['eth.dst'] },
  'ethernet.source': { is: MAC, also: ['eth.src'] },
  'ethernet.type': { is: SHORT, also: ['eth.type'] },
  'vlan.VLAN': { is: { kind: 'number', most: 0xfff }, also: ['vlan.id'] },
  'arp.operation': { is: SHORT, also: ['arp.opcode'] },
  'arp.sender MAC': { is: MAC, also: ['arp.src.hw_mac'] },
  'arp.sender IP': { is: ADDRESS, also: ['arp.src.proto_ipv4'] },
  'arp.target MAC': { is: MAC, also: ['arp.dst.hw_mac'] },
  'arp.target IP': { is: ADDRESS, also: ['arp.dst.proto_ipv4'] },
  'ipv4.header length': { is: BYTE, also: ['ip.hdr_len'] },
  'ipv4.TOS': { is: BYTE, also: ['ip.dsfield'] },
  'ipv4.total length': { is: SHORT, also: ['ip.len'] },
  'ipv4.identification': { is: SHORT, also: ['ip.id'] },
  'ipv4.DF': { is: BIT, also: ['ip.flags.df'] },
  'ipv4.MF': { is: BIT, also: ['ip.flags.mf'] },
  'ipv4.fragment offset': { is: SHORT, also: ['ip.frag_offset'] },
  'ipv4.TTL': { is: BYTE, also: ['ip.ttl'] },
  'ipv4.protocol': { is: BYTE, also: ['ip.proto'] },
  'ipv4.checksum': { is: SHORT, also: ['ip.checksum'] },
  'ipv4.SA': { is: ADDRESS, also: ['ip.src'] },
  'ipv4.DA': { is: ADDRESS, also: ['ip.dst'] },
  'ipv4.options': { is: HEX },
  'udp.SP': { is: SHORT, also: ['udp.srcport'] },
  'udp.DP': { is: SHORT, also: ['udp.dstport'] },
  'udp.length': { is: SHORT },
  'udp.checksum': { is: SHORT },
  'tcp.SP': { is: SHORT, also: ['tcp.srcport'] },
  'tcp.DP': { is: SHORT, also: ['tcp.dstport'] },
  'tcp.sequence number': { is: LONG, also: ['tcp.seq_raw'] },
  'tcp.acknowledgement number': { is: LONG, also: ['tcp.ack_raw'] },
  'tcp.header length': { is: BYTE, also: ['tcp.hdr_len'] },
  'tcp.flags': { is: { kind: 'flags' } },
  'tcp.window': { is: SHORT, also: ['tcp.window_size_value'] },
  'tcp.checksum': { is: SHORT },
  'tcp.urgent pointer': { is: SHORT, also: ['tcp.urgent_pointer'] },
  'tcp.options': { is: HEX },
  'icmp.type': { is: BYTE },
  'icmp.code': { is: BYTE },
  'icmp.checksum': { is: SHORT },
  'icmp.identifier': { is: SHORT, also: ['icmp.ident'] },
  'icmp.sequence number': { is: SHORT, also: ['icmp.seq'] },
  'quoted.protocol': { is: BYTE },
  'quoted.SA': { is: ADDRESS },
  'quoted.DA': { is: ADDRESS },
  'quoted.SP': { is: SHORT },
  'quoted.DP': { is: SHORT },
}

/** Every name that a check may use, with what it means: the name of decode.ts and the kind of value. */
export const CHECK_FIELDS: ReadonlyMap<string, { readonly field: string, readonly is: FieldKind }> = new Map(
  Object.entries(FIELDS).flatMap(([field, { is, also = [] }]) => [field, ...also].map(name => [name, { field, is }] as const)),
)

/** Words for TCP's flags, in any order, as a number; `none` for none of them. Null for what are no flags. */
export function parseFlags(words: string): number | null {
  if (words === formatFlags(0)) return 0
  const bits = words.split(' ').map(word => Object.entries(FLAG).find(([name]) => name.toUpperCase() === word)?.[1])
  return bits.every(bit => bit !== undefined) ? bits.reduce((all, bit) => all | bit, 0) : null
}

/** A field's value in a check's words. */
export const fieldText = (field: string, value: string | number): string => field === 'tcp.flags' ? formatFlags(Number(value)) : String(value)
