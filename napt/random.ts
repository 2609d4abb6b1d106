// A seeded source of random numbers: the same seed gives the same ports, in the same order, on every machine.

/** A whole number of 0 … 2^32 − 1. */
export type Random = () => number

/** Mulberry32: small, and even enough for choosing ports. Nothing secret may hang on it. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
