// The list of options behind a fixed header. IPv4 (RFC 791 §3.1) and TCP (RFC 9293 §3.1) write it alike: an option is its kind, its
// length with these two bytes, and its value; the kinds "end of list" and "no operation" are one byte.

export const END_OF_LIST = 0
const NO_OPERATION = 1

/** Where the option behind the one at `at` begins; `end` (of the header) behind the last one, -1 when this one's length cannot be. */
export function nextOption(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === END_OF_LIST) return end
  if (bytes[at] === NO_OPERATION) return at + 1
  const next = at + 1 < end && bytes[at + 1] >= 2 ? at + bytes[at + 1] : -1
  return next <= end ? next : -1
}
