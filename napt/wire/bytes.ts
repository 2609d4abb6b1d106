// Big-endian reads and writes. Free functions over a Uint8Array, because a DataView per frame would be an allocation.
// Callers have checked the bounds (see the `check` function of each protocol).

export const read16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1]

/** Signed, as addresses are kept: such a number is never an allocation, an unsigned one above 2^31 may be. */
export const readInt32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]

/** Unsigned, 0 … 2^32 - 1. */
export const read32 = (bytes: Uint8Array, at: number): number =>
  readInt32(bytes, at) >>> 0

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
