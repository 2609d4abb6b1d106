// Addresses and ports as numbers and bytes, and their text forms. Branded, so that a port cannot stand for an address.

declare const kind: unique symbol

/** An IPv4 address as a signed 32-bit number with the address's bits: 0x0411a802 for 4.17.168.2, -1 for 255.255.255.255. */
export type Ipv4Address = number & { readonly [kind]: 'Ipv4Address' }
/** A TCP or UDP port, or an ICMP query identifier, 0 … 65535. */
export type Port = number & { readonly [kind]: 'Port' }
/** Six bytes. */
export type MacAddress = Uint8Array & { readonly [kind]: 'MacAddress' }

/** Text that is not an address, a port or a prefix. The message says what was wrong and shows a right one. */
export class AddressError extends Error {}

export const BROADCAST_MAC = new Uint8Array(6).fill(0xff) as MacAddress
export const LIMITED_BROADCAST = -1 as Ipv4Address

/** @throws AddressError unless `text` is four decimal numbers of 0 … 255 */
export function parseIpv4(text: string): Ipv4Address {
  const parts = text.split('.')
  const ok = parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
  if (!ok) throw new AddressError(`'${text}' is not an IPv4 address (four numbers of 0 to 255, such as 192.168.1.11)`)
  return parts.reduce((value, part) => (value << 8) | Number(part), 0) as Ipv4Address
}

export const formatIpv4 = (address: Ipv4Address): string =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`

/** @throws AddressError unless `value` is a whole number of 1 … 65535 */
export function parsePort(value: string | number): Port {
  const port = typeof value === 'number' ? value : /^\d{1,5}$/.test(value) ? Number(value) : NaN
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new AddressError(`'${value}' is not a port (1 to 65535)`)
  return port as Port
}

export interface Endpoint { readonly address: Ipv4Address, readonly port: Port }

/** @throws AddressError unless `text` is `ADDRESS:PORT` */
export function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  if (colon < 0) throw new AddressError(`'${text}' is not ADDRESS:PORT (such as 4.17.168.2:5000)`)
  return { address: parseIpv4(text.slice(0, colon)), port: parsePort(text.slice(colon + 1)) }
}

export const formatEndpoint = (address: Ipv4Address, port: number): string => `${formatIpv4(address)}:${port}`

/** An address with the length of its network's prefix, as in 192.168.1.1/24. */
export interface Prefix { readonly address: Ipv4Address, readonly length: number }

/** @throws AddressError unless `text` is `ADDRESS/LENGTH` with a length of 0 … 32 */
export function parsePrefix(text: string): Prefix {
  const [address, length, ...rest] = text.split('/')
  const bits = /^\d{1,2}$/.test(length) ? Number(length) : NaN
  if (!(bits <= 32) || rest.length > 0) throw new AddressError(`'${text}' is not ADDRESS/LENGTH (such as 192.168.1.1/24)`)
  return { address: parseIpv4(address), length: bits }
}

/** Signed, as addresses are. */
export const prefixMask = (length: number): number => length === 0 ? 0 : -1 << (32 - length)

export const isInPrefix = (address: Ipv4Address, prefix: Prefix): boolean =>
  ((address ^ prefix.address) & prefixMask(prefix.length)) === 0

/** An address that one host can have: not "this network", loopback, multicast or reserved (RFC 1122 §3.2.1.3, RFC 1812 §5.3.7). */
export function isHostAddress(address: Ipv4Address): boolean {
  const first = address >>> 24
  return first !== 0 && first !== 127 && first < 224
}

/** @throws AddressError unless `text` is six hexadecimal bytes with colons */
export function parseMac(text: string): MacAddress {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new AddressError(`'${text}' is not a MAC address (such as 02:00:00:00:00:01)`)
  return Uint8Array.from(text.split(':'), hex => parseInt(hex, 16)) as MacAddress
}

export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac.subarray(0, 6), byte => byte.toString(16).padStart(2, '0')).join(':')
