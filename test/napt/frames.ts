// Frames from text, for tests: `udp('192.168.1.3:2000', '130.74.23.6:1200', 'x')`. The bench puts the MAC addresses in.
import * as arp from '../../napt/wire/arp.js'
import * as ethernet from '../../napt/wire/ethernet.js'
import * as icmp from '../../napt/wire/icmp.js'
import * as ipv4 from '../../napt/wire/ipv4.js'
import { FLAG } from '../../napt/wire/tcp.js'
import { icmpFrame, tcpFrame, udpFrame, type FrameOptions } from '../../napt/wire/frame.js'
import { parseEndpoint, parseIpv4, type MacAddress } from '../../napt/wire/address.js'
import { write16 } from '../../napt/wire/bytes.js'

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** Where the IPv4 header and, without options, the transport header of a frame are. */
export const IP = ethernet.HEADER
export const TRANSPORT = IP + ipv4.MINIMUM_HEADER

export const udp = (from: string, to: string, payload = '', options: FrameOptions = {}): Uint8Array =>
  udpFrame(parseEndpoint(from), parseEndpoint(to), ascii(payload), options)

/** `flags` as in 'SYN ACK'. */
export function tcp(from: string, to: string, flags: string, payload = '', options: FrameOptions = {}): Uint8Array {
  const bits = flags.split(' ').reduce((sum, name) => sum | FLAG[name.toLowerCase() as keyof typeof FLAG], 0)
  return tcpFrame(parseEndpoint(from), parseEndpoint(to), bits, ascii(payload), options)
}

/** An ICMP query: an echo request unless `type` says otherwise. */
export const ping = (from: string, to: string, identifier: number, payload = '', type: number = icmp.TYPE.echo, options: FrameOptions = {}): Uint8Array =>
  icmpFrame(parseIpv4(from), parseIpv4(to), { type, identifier, sequence: 1 }, ascii(payload), options)

export const pong = (from: string, to: string, identifier: number, payload = ''): Uint8Array => ping(from, to, identifier, payload, icmp.TYPE.echoReply)

/** An ICMP error about a frame; `quote` bytes of its IPv4 packet are quoted (all by default). */
export function icmpError(from: string, to: string, type: number, code: number, about: Uint8Array, quote = about.length - IP): Uint8Array {
  return icmpFrame(parseIpv4(from), parseIpv4(to), { type, code }, about.subarray(IP, IP + quote))
}

export function arpRequest(sender: { mac: MacAddress, address: string }, target: string): Uint8Array {
  const frame = new Uint8Array(ethernet.HEADER + arp.LENGTH)
  arp.writeFrame(frame, 0, 'request', { mac: sender.mac, address: parseIpv4(sender.address) }, { mac: sender.mac, address: parseIpv4(target) })
  return frame
}

export function arpReply(sender: { mac: MacAddress, address: string }, target: { mac: MacAddress, address: string }): Uint8Array {
  const frame = new Uint8Array(ethernet.HEADER + arp.LENGTH)
  arp.writeFrame(frame, 0, 'reply', { mac: sender.mac, address: parseIpv4(sender.address) }, { mac: target.mac, address: parseIpv4(target.address) })
  return frame
}

/** A copy with other bytes at `at`. */
export function altered(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = frame.slice()
  copy.set(bytes, at)
  return copy
}

/** A copy with other bytes in its IPv4 header, whose checksum is right again. */
export function alteredHeader(frame: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = altered(frame, IP + at, ...bytes)
  ipv4.writeChecksum(copy, IP)
  return copy
}

/** A copy whose IPv4 header has options (no-operation) of `length` bytes, a multiple of 4. */
export function withOptions(frame: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(frame.length + length)
  longer.set(frame.subarray(0, TRANSPORT))
  longer.fill(1, TRANSPORT, TRANSPORT + length)
  longer.set(frame.subarray(TRANSPORT), TRANSPORT + length)
  longer[IP] = 0x40 | ((ipv4.MINIMUM_HEADER + length) >>> 2)
  write16(longer, IP + 2, longer.length - IP)
  ipv4.writeChecksum(longer, IP)
  return longer
}

/** A copy with bytes behind the IPv4 packet, as on a wire that pads short frames. */
export function withTrailer(frame: Uint8Array, length: number): Uint8Array {
  const longer = new Uint8Array(frame.length + length).fill(0xee)
  longer.set(frame)
  return longer
}
