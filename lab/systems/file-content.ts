// What the programs of a run send each other: the same bytes every time, so that runs can be compared, and no short pattern that
// would compress or repeat.

/** @param size bytes */
export function fileContent(size: number, seed = 0x2133): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[i] = state >>> 16
  }
  return bytes
}
