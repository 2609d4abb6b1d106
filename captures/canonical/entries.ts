// The entries of a canonical form (canonical.ts): what a check compares of a packet, chosen by the class of each field.
import { hash } from 'node:crypto'
import { toHex, type Decoded } from '../decode/decode.js'
import { formatValue, isSecret, labelOf, type Message, type MessageField } from '../decode/payload.js'

/** A value that differs from run to run; that it recurs in the same places is what is compared (see bindings.ts). */
export interface Any { readonly any: string | number }
export type Value = string | number | Any

export interface Entry {
  /** → as the flow's first packet, ← against it. */
  readonly way: '→' | '←'
  /** As in `SYN`, `201 equipment registration`, `data`, `echo request`. */
  readonly packet: string
  /** Header fields of class `compared`; one that is not there is 0. */
  readonly header: Readonly<Record<string, Value>>
  /** The fields of a message. Secrets are masked. */
  readonly payload: Readonly<Record<string, Value>>
  /** See `canonicalBytes`; empty for none. */
  readonly bytes: string
  /** The frame that completes it; 0 in a golden. */
  readonly frame: number
}

/** Entries as their count and their hash (flow-digest.ts). */
export interface FlowDigest {
  /** Packets and messages. */
  readonly packets: number
  readonly blake2b: string
}

/** What stands in the flow's own fields belongs to → packets; ← packets have it the other way round. */
export interface Flow {
  readonly protocol: string
  readonly SA: string
  readonly SP: Value
  readonly DA: string
  readonly DP: Value
  /** Across what the order of entries is compared: the whole flow, or each direction by itself. */
  readonly order: 'flow' | 'direction'
  readonly entries: readonly Entry[]
  /** Stands for the entries where these are too many to be kept; then there are none. */
  readonly digest?: FlowDigest
}

/**
 * compared: must be equal · flow: is compared as the flow's own · port: a port in a quoted packet · verified: a checksum, judged before anything is left out ·
 * derived: follows from what is compared · kernel: free · random: drawn by a program, compared by where it recurs.
 */
export type FieldClass = 'compared' | 'flow' | 'port' | 'verified' | 'derived' | 'kernel' | 'random'

export const FIELD_CLASSES: Readonly<Record<string, FieldClass>> = {
  'ethernet.destination': 'kernel', // veth makes addresses up
  'ethernet.source': 'kernel',
  'ethernet.type': 'derived',
  'ipv4.header length': 'derived',
  'ipv4.TOS': 'compared',
  'ipv4.total length': 'derived',
  'ipv4.identification': 'kernel', // RFC 6864: means nothing in a packet that is no fragment
  'ipv4.DF': 'compared',
  'ipv4.MF': 'compared',
  'ipv4.fragment offset': 'compared',
  'ipv4.TTL': 'compared',
  'ipv4.protocol': 'flow',
  'ipv4.checksum': 'verified',
  'ipv4.SA': 'flow',
  'ipv4.DA': 'flow',
  'ipv4.options': 'compared',
  'udp.SP': 'flow',
  'udp.DP': 'flow',
  'udp.length': 'derived',
  'udp.checksum': 'verified',
  'tcp.SP': 'flow',
  'tcp.DP': 'flow',
  'tcp.sequence number': 'kernel', // its order is kept: tcp-stream.ts
  'tcp.acknowledgement number': 'kernel',
  'tcp.header length': 'derived',
  'tcp.flags': 'derived', // SYN, FIN and RST are entries of their own; PSH and ACK follow the segmentation
  'tcp.window': 'kernel',
  'tcp.checksum': 'verified',
  'tcp.urgent pointer': 'compared',
  'tcp.options': 'kernel',
  'icmp.type': 'compared',
  'icmp.code': 'compared',
  'icmp.checksum': 'verified',
  'icmp.identifier': 'random',
  'icmp.sequence number': 'compared',
  'quoted.protocol': 'compared',
  'quoted.SA': 'compared',
  'quoted.DA': 'compared',
  'quoted.SP': 'port',
  'quoted.DP': 'port',
}

/** Linux's default for ports that the kernel chooses (net.ipv4.ip_local_port_range). */
const CHOSEN_PORTS = { first: 32768, last: 60999 }

/** A port as a check compares it: one that a kernel chose differs from run to run, unless the check names it. */
export const portValue = (port: number, named: readonly number[] = []): Value =>
  port >= CHOSEN_PORTS.first && port <= CHOSEN_PORTS.last && !named.includes(port) ? { any: port } : port

/** The packet of an entry that stands for encrypted records that could not be opened, and of one for records that TLS does not have. */
export const SEALED = 'encrypted', TLS_DEFECT = 'TLS defect'

/** Payloads above this are kept as their hash. Bytes. */
const READABLE = 128

/** The fields of an entry that a check compares, with its direction and ends: what two entries differ in. */
export function comparedFields(flow: Flow, entry: Entry): Map<string, Value> {
  const [SA, SP, DA, DP] = entry.way === '→' ? [flow.SA, flow.SP, flow.DA, flow.DP] : [flow.DA, flow.DP, flow.SA, flow.SP]
  return new Map<string, Value>([
    ['packet', entry.packet], ['protocol', flow.protocol], ['SA', SA], ['DA', DA], ['SP', SP], ['DP', DP],
    ...Object.entries(entry.header), ...Object.entries(entry.payload), ['bytes', entry.bytes],
  ])
}

/**
 * The order in which a TCP flow's entries are listed and compared. Undecoded data and the closing of the two directions are
 * independent of each other (RFC 9293 §3.6), so those of → stand before those of ←, behind everything else; where the directions
 * run independently from the start, so do messages. So does the session ticket, which a server of TLS sends when it likes
 * (RFC 8446 §4.6.1). Within a direction all stand as sent.
 */
export function arrange(entries: readonly Entry[], order: Flow['order']): Entry[] {
  const rank = ({ packet, way }: Entry): number => {
    if (packet === 'new session ticket') return 1
    const step = packet === 'FIN' || packet === 'RST' || packet.startsWith('alert') ? 4 : packet === 'data' || packet === SEALED || (order === 'direction' && !packet.startsWith('SYN')) ? 2 : 0
    return step === 0 ? 0 : step + (way === '→' ? 0 : 1)
  }
  return [...entries].sort((a, b) => rank(a) - rank(b))
}

/** The same flow as if its other end had sent the first packet. */
export function turn({ SA, SP, DA, DP, entries, ...rest }: Flow): Flow {
  const turned = entries.map((entry): Entry => ({ ...entry, way: entry.way === '→' ? '←' : '→' }))
  return { ...rest, SA: DA, SP: DP, DA: SA, DP: SP, entries: rest.protocol === 'tcp' ? arrange(turned, rest.order) : turned }
}

/** Whether the directions of a flow with these ports run independently. */
export const orderOf = (ports: readonly Value[], bothWays: readonly number[] = []): Flow['order'] =>
  ports.some(port => typeof port === 'number' && bothWays.includes(port)) ? 'direction' : 'flow'

/**
 * Bytes as text: hexadecimal, with `..` for a byte of a masked range; above 128 bytes their count and a hash in which masked
 * bytes count as zero. Readable text stands as itself, in quotes.
 */
export function canonicalBytes(bytes: Uint8Array, masked: readonly MessageField[] = []): string {
  if (bytes.length === 0) return ''
  const isMasked = (at: number): boolean => masked.some(field => at >= field.offset && at < field.offset + field.length)
  if (bytes.length > READABLE) {
    return `${bytes.length} bytes, sha256 ${hash('sha256', masked.length === 0 ? bytes : bytes.map((byte, at) => isMasked(at) ? 0 : byte))}`
  }
  if (masked.length === 0 && bytes.every(byte => byte === 10 || (byte >= 32 && byte < 127))) return JSON.stringify(Buffer.from(bytes).toString('latin1'))
  return masked.length === 0 ? toHex(bytes) : Array.from(bytes, (byte, at) => isMasked(at) ? '..' : byte.toString(16).padStart(2, '0')).join('')
}

/** An entry for a message of the endpoints' protocol, or for bytes that are none. */
export function payloadEntry(way: Entry['way'], bytes: Uint8Array, message: Message | null, header: Entry['header'], frame: number): Entry {
  if (message === null) return { way, packet: 'data', header, payload: {}, bytes: canonicalBytes(bytes), frame }
  const payload = Object.fromEntries(message.fields.map(field => [field.name, payloadValue(field)]))
  const masked = message.fields.filter(field => isSecret(field) || field.random === true)
  return { way, packet: labelOf(message), header, payload, bytes: canonicalBytes(bytes, masked), frame }
}

// A long value stands in `bytes` already, as a hash; and a secret is always masked, however long.
const payloadValue = (field: MessageField): Value =>
  field.random === true && !isSecret(field) ? { any: field.value } : field.length > READABLE && !isSecret(field) ? `${field.length} bytes` : formatValue(field)

/** The header fields that a check compares; those that are 0 are left out. */
export function comparedHeader(decoded: Decoded, namedPorts: readonly number[] = []): Record<string, Value> {
  const header: Record<string, Value> = {}
  for (const layer of decoded.layers) {
    for (const field of layer.fields) {
      const fieldClass = FIELD_CLASSES[`${layer.protocol}.${field.name}`] ?? 'compared'
      const name = layer.protocol === 'quoted' ? `quoted ${field.name}` : layer.protocol === 'icmp' ? `ICMP ${field.name}` : field.name
      if (fieldClass === 'random') header[name] = { any: field.value }
      else if (fieldClass === 'port') header[name] = portValue(Number(field.value), namedPorts)
      else if (fieldClass === 'compared' && field.value !== 0) header[name] = field.value
    }
    if (layer.checksum === 'absent') header.checksum = 'absent'
  }
  return header
}

