// What of a TCP segment was there before: which sequence numbers each direction of a connection has shown. What fills a hole is
// new, though higher numbers were seen already. What is kept is bounded in connections, and in holes of each.
import { FLAG } from '../../napt/wire/tcp.js'
import type { Transport } from '../decode/decode.js'

export interface Repetition {
  /** All of it was there before: payload, SYN and FIN. False for what takes up no sequence numbers. */
  readonly isAgain: boolean
  /** Bytes at the beginning of the payload that were there before. */
  readonly bytes: number
}

/** Directions of connections; the one that was seen first is forgotten for another. */
const MOST_DIRECTIONS = 8192
/** Runs of sequence numbers with holes between them; above it the oldest hole counts as filled. */
const MOST_RUNS = 16

export const NO_REPETITION: Repetition = { isAgain: false, bytes: 0 }

export class Retransmissions {
  readonly #directions = new Map<string, Direction>()

  /** Takes what arrived. `where` tells connections with the same addresses apart: an interface. */
  see(where: string, transport: Transport | null): Repetition {
    if (transport?.protocol !== 'tcp') return NO_REPETITION
    const { source, destination, sequence, flags, payload } = transport
    const key = `${where} ${source.address}:${source.port} ${destination.address}:${destination.port}`
    const isSyn = (flags & FLAG.syn) !== 0, isFin = (flags & FLAG.fin) !== 0
    let direction = this.#directions.get(key)
    if (direction === undefined || (isSyn && direction.base !== sequence)) { // a SYN of another number begins another connection
      this.#directions.delete(key)
      direction = new Direction(sequence)
      this.#directions.set(key, direction)
      if (this.#directions.size > MOST_DIRECTIONS) this.#directions.delete(this.#directions.keys().next().value ?? '')
    }
    const length = payload.length + Number(isSyn) + Number(isFin), before = direction.take(sequence, length)
    return { isAgain: length > 0 && before === length, bytes: Math.min(Math.max(0, before - Number(isSyn)), payload.length) }
  }
}

/** A run of sequence numbers, as distances from the first that was seen. */
interface Run { readonly start: number, readonly end: number }

class Direction {
  /** Sorted, with a hole before each but the first. */
  #runs: readonly Run[] = []
  #highest = 0

  constructor(readonly base: number) {}

  /** @returns how many numbers from `sequence` on were taken before */
  take(sequence: number, length: number): number {
    if (length === 0) return 0
    const start = this.#highest + ((sequence - this.base - this.#highest) | 0) // within 2 GiB of the highest, RFC 9293 §3.4
    const end = start + length
    const around = this.#runs.find(run => run.start <= start && start < run.end)
    this.#highest = Math.max(this.#highest, end)
    if (around !== undefined && around.end >= end) return length
    const touching = this.#runs.filter(run => run.start <= end && run.end >= start)
    const joined = { start: Math.min(start, ...touching.map(run => run.start)), end: Math.max(end, ...touching.map(run => run.end)) }
    const runs = [...this.#runs.filter(run => run.end < start), joined, ...this.#runs.filter(run => run.start > end)]
    this.#runs = runs.length > MOST_RUNS ? [{ start: runs[0].start, end: runs[1].end }, ...runs.slice(2)] : runs
    return around === undefined ? 0 : around.end - start
  }
}
