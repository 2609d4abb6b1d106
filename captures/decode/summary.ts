// A frame in one line: `udp 192.168.1.3:2000 → 130.74.23.6:1200, 201 equipment registration`.
import { formatIpv4, parseIpv4, type Ipv4Address } from '../../napt/wire/address.js'
import { formatFlags } from '../../napt/wire/tcp.js'
import { fieldOf, type Decoded, type Ends, type Transport } from './decode.js'
import type { Protocol } from './layer.js'
import { decodeNothing, labelOf, messageOf, type PayloadDecoder } from './payload.js'

const ICMP_NAMES: Readonly<Record<number, string>> = {
  0: 'echo reply', 3: 'destination unreachable', 4: 'source quench', 5: 'redirect', 8: 'echo request',
  11: 'time exceeded', 12: 'parameter problem', 13: 'timestamp request', 14: 'timestamp reply',
}

export interface SummaryWords {
  /** What an address is called: its digits, or a name. */
  readonly host?: (address: Ipv4Address) => string
  /** What a UDP or TCP packet brings, where the caller knows it. */
  readonly content?: string | null
}

/** One line about a frame, without its time. Never shows a payload's fields. */
export function summarize(decoded: Decoded, decoder: PayloadDecoder = decodeNothing, words: SummaryWords = {}): string {
  const wrong = decoded.layers.filter(layer => layer.checksum === 'wrong' || layer.checksum === 'partial')
    .map(layer => `, ${layer.protocol} checksum ${layer.checksum}`).join('')
  return describe(decoded, decoder, words) + wrong + (decoded.defect === null ? '' : `, ${decoded.defect}`)
}

/** Where a frame is from and to alone: `192.168.1.3:2000 → 130.74.23.6:1200`; empty for what is not IPv4. */
export function summarizeEnds(decoded: Decoded): string {
  const { transport } = decoded
  const from = fieldOf(decoded, 'ipv4', 'SA')?.value, to = fieldOf(decoded, 'ipv4', 'DA')?.value
  if (transport === null || transport.protocol === 'icmp') {
    const identifier = fieldOf(decoded, 'icmp', 'identifier')?.value
    return from === undefined || to === undefined ? '' : `${from} → ${to}${identifier === undefined ? '' : `, identifier ${identifier}`}`
  }
  return transportEnds(transport)
}

/** As summarizeEnds, of TCP or UDP. */
export const transportEnds = ({ source, destination }: Ends, host: (address: Ipv4Address) => string = formatIpv4): string =>
  `${host(source.address)}:${source.port} → ${host(destination.address)}:${destination.port}`

/** As summarize, of TCP or UDP whose checksums are right. */
export const summarizeTransport = (transport: Transport, decoder: PayloadDecoder): string =>
  `${transport.protocol} ${transportEnds(transport)}, ${content(transport, decoder)}`

/** As in `echo request`. */
export const icmpName = (type: number): string => ICMP_NAMES[type] ?? `type ${type}`

function describe(decoded: Decoded, decoder: PayloadDecoder, { host = formatIpv4, content: known = null }: SummaryWords): string {
  const { transport } = decoded
  if (transport === null) return describeBelow(decoded, host)
  if (transport.protocol === 'icmp') {
    return `icmp ${host(transport.source.address)} → ${host(transport.destination.address)}, ${icmpName(Number(fieldOf(decoded, 'icmp', 'type')?.value))}`
  }
  return `${transport.protocol} ${transportEnds(transport, host)}, ${known ?? content(transport, decoder)}`
}

function content(transport: Transport, decoder: PayloadDecoder): string {
  const message = messageOf(transport, decoder)
  if (message !== null) return labelOf(message)
  const bytes = `${transport.payload.length} bytes`
  if (transport.protocol === 'udp') return bytes
  return transport.payload.length > 0 ? `${formatFlags(transport.flags)}, ${bytes}` : formatFlags(transport.flags)
}

function describeBelow(decoded: Decoded, host: (address: Ipv4Address) => string): string {
  const named = (protocol: 'arp' | 'ipv4', name: string): string => {
    const field = fieldOf(decoded, protocol, name)
    return field === undefined ? '?' : host(parseIpv4(String(field.value)))
  }
  const value = (protocol: Protocol, name: string): string => String(fieldOf(decoded, protocol, name)?.value ?? '?')
  const last = decoded.layers.at(-1)?.protocol
  if (last === 'arp') {
    return value('arp', 'operation') === '1'
      ? `arp who has ${named('arp', 'target IP')}? tell ${named('arp', 'sender IP')}`
      : `arp ${named('arp', 'sender IP')} is at ${value('arp', 'sender MAC')}`
  }
  if (last === 'ipv4') {
    const isFragment = value('ipv4', 'MF') !== '0' || value('ipv4', 'fragment offset') !== '0'
    return `ipv4 ${named('ipv4', 'SA')} → ${named('ipv4', 'DA')}, protocol ${value('ipv4', 'protocol')}${isFragment ? `, fragment at ${value('ipv4', 'fragment offset')}` : ''}`
  }
  if (last === 'ipv6') return `ipv6 ${value('ipv6', 'SA')} → ${value('ipv6', 'DA')}, next header ${value('ipv6', 'next header')}`
  if (last === undefined) return 'frame'
  return last === 'loopback' ? `loopback family ${value(last, 'family')}` : `${last} type 0x${Number(value(last, 'type')).toString(16).padStart(4, '0')}`
}
