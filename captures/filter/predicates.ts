// What a packet filter asks of a packet, question by question. Ends are those of IPv4; `host` and `net` know ARP's too, as in
// pcap-filter(7). A port is one of TCP or UDP; of fragments only the first has any.
import { isInPrefix, type Ipv4Address, type Prefix } from '../../napt/wire/address.js'
import { PROTOCOL } from '../../napt/wire/ipv4.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { interfaceName } from '../show/columns.js'
import type { PacketLook } from '../show/packet-look.js'

export type Predicate = (look: PacketLook) => boolean
/** Which end is asked about; `either` where the filter does not say. */
export type EndWord = 'src' | 'dst' | 'either'

export const PROTOCOLS = ['ip', 'arp', 'tcp', 'udp', 'icmp'] as const
export type ProtocolWord = typeof PROTOCOLS[number]

/** What routers do, as a filter and the comments of a capture have it. */
export const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  dropped: ['dropped'], forwarded: ['forwarded', 'forwarded in pieces'], answered: ['answered'], held: ['held'],
}

export const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b,
  '=': (a, b) => a === b, '==': (a, b) => a === b, '!=': (a, b) => a !== b,
}

export const FLAG_BITS: ReadonlyMap<string, number> = new Map(Object.entries(FLAG))

export const both = (a: Predicate, b: Predicate): Predicate => look => a(look) && b(look)
export const any = (a: Predicate, b: Predicate): Predicate => look => a(look) || b(look)
export const not = (a: Predicate): Predicate => look => !a(look)

export function ofProtocol(word: ProtocolWord): Predicate {
  if (word === 'arp') return ({ headers }) => headers.network === 'arp'
  if (word === 'ip') return ({ headers }) => headers.network === 'ipv4'
  const number = PROTOCOL[word]
  return ({ headers }) => headers.protocol === number
}

function ofAddress(end: EndWord, fits: (address: Ipv4Address) => boolean): Predicate {
  return ({ headers: { network, source, destination } }) => network !== 'other'
    && ((end !== 'dst' && fits(source as Ipv4Address)) || (end !== 'src' && fits(destination as Ipv4Address)))
}

export const ofHost = (end: EndWord, address: Ipv4Address): Predicate => ofAddress(end, each => each === address)
export const ofNet = (end: EndWord, prefix: Prefix): Predicate => ofAddress(end, each => isInPrefix(each, prefix))
/** `names`: as the file has them, growing as it is read. */
export const ofName = (end: EndWord, name: string, names: ReadonlyMap<Ipv4Address, string>): Predicate => ofAddress(end, each => names.get(each) === name)

export const ofPorts = (end: EndWord, first: number, last: number): Predicate => ({ headers: { sourcePort, destinationPort } }) =>
  (end !== 'dst' && sourcePort >= first && sourcePort <= last) || (end !== 'src' && destinationPort >= first && destinationPort <= last)

export const ofFlags = (bits: number): Predicate => ({ headers }) => headers.protocol === PROTOCOL.tcp && (headers.flags & bits) === bits

/** Length on the wire, bytes. */
export const ofLength = (compare: (a: number, b: number) => boolean, length: number): Predicate => ({ packet }) => compare(packet.originalLength, length)

export const ofInterface = (name: string): Predicate => ({ packet }) => interfaceName(packet.interface) === name

/** Seen at an interface of the router, or judged by it. */
export const ofRouter = (name: string): Predicate => look =>
  look.packet.interface.name === `${name}-lan` || look.packet.interface.name === `${name}-wan` || look.verdict?.router === name

export const ofDirection = (direction: 'inbound' | 'outbound'): Predicate => ({ packet }) => packet.direction === direction

export const ofOutcome = (outcomes: readonly string[], reason: string | null): Predicate => ({ verdict }) =>
  verdict !== null && outcomes.includes(verdict.outcome) && (reason === null || verdict.reason === reason)

/** By the documents' number; the log-in relay's are given without their parentheses. */
export const ofNumber = (number: string): Predicate => ({ name }) =>
  name?.title.split(', ').some(part => part.startsWith(`${number} `) || part.startsWith(`(${number}) `)) === true
