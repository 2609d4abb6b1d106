// The Internet checksum (RFC 1071) and its incremental update (RFC 1624, equation 3).
//
// Two forms of a transport checksum reach a router. A complete one covers the whole datagram, complemented. A partial one
// (offload: VIRTIO_NET_HDR_F_NEEDS_CSUM) is only the pseudo-header's sum, not complemented, for the sender's card to finish.
// A change of address alters both; a change of port alters only the complete form.
import { read16, write16 } from './bytes.js'

/** Folds a sum of 16-bit words into 16 bits with end-around carry. `sum` < 2^53. */
export function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return sum
}

/** The unfolded sum of the 16-bit words of `bytes[from, to)`; an odd last byte counts as its word's high half. */
export function sumWords(bytes: Uint8Array, from: number, to: number, initial = 0): number {
  let sum = initial
  let at = from
  for (; at + 1 < to; at += 2) sum += (bytes[at] << 8) | bytes[at + 1]
  if (at < to) sum += bytes[at] << 8
  return sum
}

/** The checksum of `bytes[from, to)`, complemented; 0 when the range holds a right checksum already. */
export const checksum = (bytes: Uint8Array, from: number, to: number, initial = 0): number =>
  ~fold(sumWords(bytes, from, to, initial)) & 0xffff

/** The sum of the IPv4 pseudo-header (RFC 768, RFC 9293 §3.1). `ip` is where the IPv4 header begins. */
export const pseudoHeaderSum = (bytes: Uint8Array, ip: number, protocol: number, length: number): number =>
  sumWords(bytes, ip + 12, ip + 20, protocol + length)

/**
 * Replaces one 16-bit word's share in the checksum at `at` (RFC 1624: HC' = ~(~HC + ~m + m')).
 * Equation 3 never turns a right checksum into the wrong one of the two zeros.
 */
export function update16(bytes: Uint8Array, at: number, before: number, after: number): void {
  let sum = (~read16(bytes, at) & 0xffff) + (~before & 0xffff) + after
  sum = (sum & 0xffff) + (sum >>> 16)
  write16(bytes, at, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff)
}

/** As `update16`, for both halves of a 32-bit value. */
export function update32(bytes: Uint8Array, at: number, before: number, after: number): void {
  let sum = (~read16(bytes, at) & 0xffff) + (~(before >>> 16) & 0xffff) + (~before & 0xffff) + (after >>> 16) + (after & 0xffff)
  sum = (sum & 0xffff) + (sum >>> 16)
  write16(bytes, at, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff)
}

/** As `update32`, for a partial (uncomplemented, pseudo-header only) transport checksum. */
export function updatePartial32(bytes: Uint8Array, at: number, before: number, after: number): void {
  let sum = read16(bytes, at) + (~(before >>> 16) & 0xffff) + (~before & 0xffff) + (after >>> 16) + (after & 0xffff)
  sum = (sum & 0xffff) + (sum >>> 16)
  write16(bytes, at, (sum & 0xffff) + (sum >>> 16))
}

/** The sum of the two 16-bit words of a 32-bit one. */
export const halves = (word: number): number => (word >>> 16) + (word & 0xffff)

/** The one's complement sum in 16 bits, of up to 2^16 words' sum. */
export function folded(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16)
  return (once & 0xffff) + (once >>> 16)
}
