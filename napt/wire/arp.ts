// ARP for IPv4 over Ethernet (RFC 826). Offsets count from the ARP packet, after the Ethernet header.
import { read16, readInt32, write16, write32 } from './bytes.js'
import * as ethernet from './ethernet.js'
import { BROADCAST_MAC, type Ipv4Address, type MacAddress } from './address.js'

export const LENGTH = 28
export const OPERATION = { request: 1, reply: 2 } as const

const HARDWARE = 0, PROTOCOL = 2, SIZES = 4, OPERATION_AT = 6, SENDER_MAC = 8, SENDER_IP = 14, TARGET_MAC = 18, TARGET_IP = 24

/**
 * 'truncated' when it does not fit; 'malformed' when it is not IPv4 over Ethernet, or says that a host's MAC address is a
 * broadcast or multicast one, which no router may believe (RFC 1812 §3.3.2); else null.
 */
export function check(bytes: Uint8Array, arp: number, end: number): 'truncated' | 'malformed' | null {
  if (end - arp < LENGTH) return 'truncated'
  const isIpv4OverEthernet = read16(bytes, arp + HARDWARE) === 1 && read16(bytes, arp + PROTOCOL) === ethernet.TYPE.ipv4 && read16(bytes, arp + SIZES) === 0x0604
  return isIpv4OverEthernet && (bytes[arp + SENDER_MAC] & 1) === 0 ? null : 'malformed'
}

export const operation = (bytes: Uint8Array, arp: number): number => read16(bytes, arp + OPERATION_AT)
/** A view, not a copy. */
export const senderMac = (bytes: Uint8Array, arp: number): MacAddress => bytes.subarray(arp + SENDER_MAC, arp + SENDER_MAC + 6) as MacAddress
export const senderAddress = (bytes: Uint8Array, arp: number): Ipv4Address => readInt32(bytes, arp + SENDER_IP) as Ipv4Address
/** A view, not a copy. */
export const targetMac = (bytes: Uint8Array, arp: number): MacAddress => bytes.subarray(arp + TARGET_MAC, arp + TARGET_MAC + 6) as MacAddress
export const targetAddress = (bytes: Uint8Array, arp: number): Ipv4Address => readInt32(bytes, arp + TARGET_IP) as Ipv4Address

export interface ArpParty { readonly mac: MacAddress, readonly address: Ipv4Address }

/** Writes a whole frame at `frame` and returns its length. A request goes to everybody, a reply to its target. */
export function writeFrame(bytes: Uint8Array, frame: number, kind: 'request' | 'reply', sender: ArpParty, target: ArpParty): number {
  const arp = frame + ethernet.HEADER
  ethernet.setAddresses(bytes, frame, kind === 'request' ? BROADCAST_MAC : target.mac, sender.mac)
  ethernet.setType(bytes, frame, ethernet.TYPE.arp)
  write16(bytes, arp + HARDWARE, 1)
  write16(bytes, arp + PROTOCOL, ethernet.TYPE.ipv4)
  write16(bytes, arp + SIZES, 0x0604)
  write16(bytes, arp + OPERATION_AT, OPERATION[kind])
  bytes.set(sender.mac, arp + SENDER_MAC)
  write32(bytes, arp + SENDER_IP, sender.address)
  if (kind === 'request') bytes.fill(0, arp + TARGET_MAC, arp + TARGET_IP)
  else bytes.set(target.mac, arp + TARGET_MAC)
  write32(bytes, arp + TARGET_IP, target.address)
  return ethernet.HEADER + LENGTH
}
