// Frames from one line of text, and one line of text from frames, in the same words:
//
//   udp A:2000 > S:1200 'text'             tcp A:2600 > S:1300 SYN ACK         echo A > S id 7    (also echo-reply, timestamp, …)
//   icmp 3/3 M > R [udp R:2000 > S:1200]   the packet that the error quotes stands in brackets
//   protocol 47 A > S 'text'               any other protocol
//
// and behind it what else matters, in any order:
//
//   ttl 1 · tos 184 · ident 7 · df · length 1400 (bytes of payload) · mtu 1300 (of icmp 3/4) · fragment 0-1480 (that part of the IP
//   payload alone) · options 8 (bytes of IP options that do nothing) · source-route · extension (RFC 4884) · quoting 28 (bytes) ·
//   bad-checksum (TCP, UDP or ICMP) · bad-header-checksum
import * as ethernet from '../../napt/wire/ethernet.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import * as tcp from '../../napt/wire/tcp.js'
import * as udp from '../../napt/wire/udp.js'
import { formatIpv4, parseEndpoint, parseIpv4 } from '../../napt/wire/address.js'
import { write16 } from '../../napt/wire/bytes.js'
import { icmpFrame, tcpFrame, udpFrame, type FrameOptions } from '../../napt/wire/frame.js'
import { alteredHeader, altered, IP, TRANSPORT, withOptions } from '../napt/frames.js'
import { show } from '../napt/show.js'
import { addressOf, named } from './names.js'

const QUERIES: Readonly<Record<string, number>> = { 'echo': icmp.TYPE.echo, 'echo-reply': icmp.TYPE.echoReply, 'timestamp': icmp.TYPE.timestamp, 'timestamp-reply': icmp.TYPE.timestampReply }
const FLAG_NAMES = Object.keys(tcp.FLAG).map(name => name.toUpperCase())

/** RFC 4884 §7: version 2, its checksum, and an object of class 1 that holds nothing. */
const EXTENSION = Uint8Array.of(0x20, 0, 0xde, 0xfa, 0, 4, 1, 1)
/** RFC 4884 §5.3: a quote with an extension behind it is padded to 128 bytes, and its length told in 32-bit words. */
const PADDED_QUOTE = 128, QUOTE_LENGTH_AT = TRANSPORT + 5
/** RFC 791 §3.1: loose source and record route with room for one address, and one option of nothing. */
const SOURCE_ROUTE = Uint8Array.of(131, 7, 4, 9, 9, 9, 9, 1)

const WORDS = ['ttl', 'tos', 'ident', 'df', 'length', 'mtu', 'fragment', 'options', 'source-route', 'extension', 'quoting', 'bad-checksum', 'bad-header-checksum', 'id'] as const
type Word = typeof WORDS[number]
const WITHOUT_VALUE: ReadonlySet<string> = new Set<Word>(['df', 'source-route', 'extension', 'bad-checksum', 'bad-header-checksum'])

type Details = ReadonlyMap<Word, string>

/** @throws Error that says which part of the text is no frame */
export function parseFrame(text: string): Uint8Array {
  const { head, quote, payload, details } = takeApart(text)
  const [kind, ...rest] = head.split(' ')
  const fields = kind === 'icmp' || kind === 'protocol' ? rest.slice(1) : rest
  const [from, arrow, to = '', ...flags] = fields
  if (arrow !== '>' || to === '') throw new Error(`'${text}' is no frame: wanted is FROM > TO behind ${kind}`)
  const bytes = detailed(whole(kind, rest[0], from, to, flags, payload, quote, details), details)
  return details.has('fragment') ? cut(bytes, ...range(details.get('fragment') ?? '')) : bytes
}

/** The frame with those of its details that `wanted` names, in that order. */
export function formatFrame(frame: Uint8Array, wanted: readonly string[]): string {
  if (ethernet.type(frame, 0) !== ethernet.TYPE.ipv4) return named(show(frame))
  const details = wanted.flatMap(word => detailText(frame, word)).map(text => ` ${text}`).join('')
  const text = ipv4.isFragment(frame, IP) ? fragmentText(frame) : show(frame)
  // The payload that `length` makes is all of one letter, and says nothing.
  return named(text.replace(/ 'x{40}'/, '')) + details
}

/** The details that a line names, so that the frame compared with it says as much. */
export const detailsIn = (text: string): string[] =>
  text.replace(/\[.*\]|'.*'/g, '').split(' ').filter(word => ['ttl', 'tos', 'ident', 'df', 'no-df', 'length', 'mtu', 'extension'].includes(word))

function takeApart(text: string): { head: string, quote: string | null, payload: string, details: Details } {
  const quote = /\[(.*)\]/.exec(text)?.[1] ?? null
  const unquoted = text.replace(/ ?\[.*\]/, '')
  const payload = /'(.*)'/.exec(unquoted)?.[1]
  const words = unquoted.replace(/ ?'.*'/, '').split(' ')
  const first = words.findIndex((word, i) => i > 0 && (WORDS as readonly string[]).includes(word))
  const details = new Map<Word, string>()
  for (let i = first; i >= 0 && i < words.length; i++) {
    const word = WORDS.find(known => known === words[i])
    if (word === undefined) throw new Error(`'${words[i]}' in '${text}' is no detail; there are ${WORDS.join(', ')}`)
    details.set(word, WITHOUT_VALUE.has(word) ? '' : words[++i])
  }
  return { head: words.slice(0, first < 0 ? words.length : first).join(' '), quote, payload: payload ?? 'x'.repeat(number(details, 'length', 0)), details }
}

function whole(kind: string, subkind: string, from: string, to: string, flags: readonly string[], payload: string, quote: string | null, details: Details): Uint8Array {
  const body = Buffer.from(payload, 'latin1')
  const options: FrameOptions = { timeToLive: number(details, 'ttl', 64), identification: number(details, 'ident', 0), dontFragment: details.has('df') }
  const source = (): ReturnType<typeof parseIpv4> => parseIpv4(addressOf(from)), destination = (): ReturnType<typeof parseIpv4> => parseIpv4(addressOf(to))
  if (kind === 'udp') return udpFrame(endpoint(from), endpoint(to), body, options)
  if (kind === 'tcp') return tcpFrame(endpoint(from), endpoint(to), flags.reduce((bits, name) => bits | flag(name), 0), body, options)
  if (kind in QUERIES) return icmpFrame(source(), destination(), { type: QUERIES[kind], identifier: number(details, 'id', 0), sequence: 1 }, body, options)
  if (kind === 'icmp') {
    const [type, code] = subkind.split('/').map(Number)
    return icmpFrame(source(), destination(), { type, code, sequence: number(details, 'mtu', 0) }, quote === null ? body : quoted(quote, details), options)
  }
  if (kind !== 'protocol') throw new Error(`'${kind}' is no kind of frame`)
  // An ICMP frame with another protocol number: nothing looks into the rest.
  return alteredHeader(icmpFrame(source(), destination(), { type: 0 }, body, options), 9, Number(subkind))
}

function quoted(text: string, details: Details): Uint8Array {
  const packet = parseFrame(text).subarray(IP)
  return details.has('quoting') ? packet.subarray(0, number(details, 'quoting', 0)) : packet
}

function detailed(frame: Uint8Array, details: Details): Uint8Array {
  let result = frame
  if (details.has('extension')) result = withExtension(result)
  if (details.has('tos')) result = alteredHeader(result, 1, number(details, 'tos', 0))
  if (details.has('options')) result = withOptions(result, number(details, 'options', 0))
  if (details.has('source-route')) {
    result = altered(withOptions(result, SOURCE_ROUTE.length), TRANSPORT, ...SOURCE_ROUTE)
    ipv4.writeChecksum(result, IP)
  }
  if (details.has('bad-checksum')) {
    const at = IP + ipv4.headerLength(result, IP) + checksumAt(ipv4.protocol(result, IP))
    result = altered(result, at, result[at] ^ 0x55)
  }
  return details.has('bad-header-checksum') ? altered(result, IP + 10, result[IP + 10] ^ 0x55) : result
}

const checksumAt = (protocol: number): number => protocol === ipv4.PROTOCOL.tcp ? tcp.CHECKSUM : protocol === ipv4.PROTOCOL.udp ? udp.CHECKSUM : icmp.CHECKSUM

function withExtension(error: Uint8Array): Uint8Array {
  const body = TRANSPORT + icmp.HEADER, frame = new Uint8Array(body + PADDED_QUOTE + EXTENSION.length)
  frame.set(error)
  frame.set(EXTENSION, body + PADDED_QUOTE)
  frame[QUOTE_LENGTH_AT] = PADDED_QUOTE / 4
  write16(frame, IP + 2, frame.length - IP)
  ipv4.writeChecksum(frame, IP)
  icmp.writeChecksum(frame, TRANSPORT, frame.length)
  return frame
}

/** The fragment with the bytes `[start, end)` of the packet's payload. */
function cut(frame: Uint8Array, start: number, end: number): Uint8Array {
  const payload = IP + ipv4.headerLength(frame, IP)
  if (payload + end > frame.length) throw new Error(`there is no fragment ${start}-${end}: the packet has ${frame.length - payload} bytes of payload`)
  const fragment = new Uint8Array(payload + end - start)
  fragment.set(frame.subarray(0, payload))
  fragment.set(frame.subarray(payload + start, payload + end), payload)
  write16(fragment, IP + 2, fragment.length - IP)
  write16(fragment, IP + 6, (payload + end < frame.length ? 0x2000 : 0) | (start >>> 3))
  ipv4.writeChecksum(fragment, IP)
  return fragment
}

/** Only the first fragment has ports. */
function fragmentText(frame: Uint8Array): string {
  const payload = IP + ipv4.headerLength(frame, IP), start = ipv4.fragmentOffset(frame, IP), end = start + IP + ipv4.totalLength(frame, IP) - payload
  const where = ` fragment ${start}-${end}`
  const protocol = ipv4.protocol(frame, IP)
  if (start === 0) {
    const text = show(frame).split(' ')
    return text.slice(0, protocol === ipv4.PROTOCOL.icmp ? 6 : 4).join(' ') + where
  }
  const name = Object.entries(ipv4.PROTOCOL).find(([, number]) => number === protocol)?.[0] ?? `protocol ${protocol}`
  return `${name} ${formatIpv4(ipv4.source(frame, IP))} > ${formatIpv4(ipv4.destination(frame, IP))}${where}`
}

function detailText(frame: Uint8Array, word: string): string[] {
  switch (word) {
    case 'ttl': return [`ttl ${ipv4.timeToLive(frame, IP)}`]
    case 'tos': return [`tos ${ipv4.typeOfService(frame, IP)}`]
    case 'ident': return [`ident ${ipv4.identification(frame, IP)}`]
    case 'df': case 'no-df': return [ipv4.dontFragment(frame, IP) ? 'df' : 'no-df']
    case 'mtu': return [`mtu ${icmp.nextHopMtu(frame, TRANSPORT)}`]
    case 'extension': return isExtended(frame) ? ['extension'] : []
    case 'length': return [`length ${IP + ipv4.totalLength(frame, IP) - TRANSPORT - (ipv4.protocol(frame, IP) === ipv4.PROTOCOL.tcp ? tcp.MINIMUM_HEADER : udp.HEADER)}`]
    default: return []
  }
}

function isExtended(frame: Uint8Array): boolean {
  const at = TRANSPORT + icmp.HEADER + 4 * frame[QUOTE_LENGTH_AT]
  return frame[QUOTE_LENGTH_AT] > 0 && EXTENSION.every((byte, i) => frame[at + i] === byte)
}

function flag(name: string): number {
  if (!FLAG_NAMES.includes(name)) throw new Error(`'${name}' is no TCP flag; there are ${FLAG_NAMES.join(', ')}`)
  return tcp.FLAG[name.toLowerCase() as keyof typeof tcp.FLAG]
}

function endpoint(text: string): ReturnType<typeof parseEndpoint> {
  const [name, port] = text.split(':')
  return parseEndpoint(`${addressOf(name)}:${port}`)
}

const number = (details: Details, word: Word, otherwise: number): number => Number(details.get(word) ?? otherwise)

function range(text: string): [number, number] {
  const [start, end] = text.split('-').map(Number)
  return [start, end]
}
