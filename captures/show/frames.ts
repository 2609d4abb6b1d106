// Which packets of a file are meant, by their numbers: `10-20,35`, `100-`.

/** Text that names no packets. */
export class FramesError extends Error { override readonly name = 'FramesError' }

export interface Frames {
  has(number: number): boolean
  /** No number above this one is meant. */
  readonly last: number
}

export const ALL_FRAMES: Frames = { has: () => true, last: Infinity }

/** @throws FramesError naming the part that is none */
export function parseFrames(text: string): Frames {
  const ranges = text.split(',').map(part => {
    const [, first, dash, last] = (/^\s*(\d{1,10})(?:(-)(\d{1,10})?)?\s*$/.exec(part) ?? []) as (string | undefined)[]
    const range = { first: Number(first), last: dash === undefined ? Number(first) : last === undefined ? Infinity : Number(last) }
    if (!(range.first >= 1 && range.last >= range.first)) throw new FramesError(`--frames: '${part.trim()}' names no frames; give numbers from 1 and ranges, such as 10-20,35 or 100-`)
    return range
  })
  return { has: number => ranges.some(({ first, last }) => number >= first && number <= last), last: Math.max(...ranges.map(({ last }) => last)) }
}
