// Ethernet II (IEEE 802.3): destination, source, type.
import { read16, write16 } from './bytes.js'
import type { MacAddress } from './address.js'

export const HEADER = 14
export const TYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const

const DESTINATION = 0, SOURCE = 6, TYPE_AT = 12

/** A frame too short for an Ethernet header, or null. */
export const check = (start: number, end: number): 'truncated' | null => end - start < HEADER ? 'truncated' : null

export const type = (bytes: Uint8Array, frame: number): number => read16(bytes, frame + TYPE_AT)
/** A view, not a copy. */
export const destination = (bytes: Uint8Array, frame: number): MacAddress => bytes.subarray(frame + DESTINATION, frame + DESTINATION + 6) as MacAddress
/** A view, not a copy. */
export const source = (bytes: Uint8Array, frame: number): MacAddress => bytes.subarray(frame + SOURCE, frame + SOURCE + 6) as MacAddress
/** True for broadcast too. */
export const isMulticast = (bytes: Uint8Array, frame: number): boolean => (bytes[frame + DESTINATION] & 1) === 1

/** Whether the frame's destination is `mac`; allocates nothing. */
export function isFor(bytes: Uint8Array, frame: number, mac: MacAddress): boolean {
  for (let i = 0; i < 6; i++) if (bytes[frame + DESTINATION + i] !== mac[i]) return false
  return true
}

export function setAddresses(bytes: Uint8Array, frame: number, to: MacAddress, from: MacAddress): void {
  for (let i = 0; i < 6; i++) {
    bytes[frame + DESTINATION + i] = to[i]
    bytes[frame + SOURCE + i] = from[i]
  }
}

export function setDestination(bytes: Uint8Array, frame: number, to: MacAddress): void {
  for (let i = 0; i < 6; i++) bytes[frame + DESTINATION + i] = to[i]
}

export const setType = (bytes: Uint8Array, frame: number, value: number): void => write16(bytes, frame + TYPE_AT, value)
