// A timing wheel. A session stands in the slot of the deadline it had when it was put there; a refresh only writes the new
// deadline, and the slot's turn finds out whether it has really come. Work per turn is bounded, so expiry never stalls the
// packet path. Links are row numbers held by the caller's rows: two fields a row, since the first row of a slot has the slot's
// number in place of a row before it.
import type { Rows } from './rows.js'

const SLOTS = 1024
/** Milliseconds a slot. Look-ups check the exact deadline; the wheel only sees to it that what nobody asks for goes too. */
const GRANULARITY = 250
const NONE = -1

export class ExpiryWheel {
  readonly #heads = new Int32Array(SLOTS).fill(NONE)
  readonly #rows: Rows
  readonly #next: number
  readonly #previous: number
  #turn: number
  /** No slot before this turn has rows. */
  #earliest = 0
  #count = 0

  /** `next` and `previous` are the fields of `rows` that the wheel may use; `now` in milliseconds. */
  constructor(rows: Rows, links: { next: number, previous: number }, now: number) {
    this.#rows = rows
    this.#next = links.next
    this.#previous = links.previous
    this.#turn = Math.floor(now / GRANULARITY)
  }

  add(row: number, deadline: number): void {
    // A deadline beyond the wheel's reach waits in the farthest slot and is put back from there.
    const ahead = Math.min(Math.max(Math.ceil(deadline / GRANULARITY) - this.#turn, 1), SLOTS - 1)
    const slot = (this.#turn + ahead) % SLOTS, head = this.#heads[slot]
    this.#rows.set(row, this.#previous, ~slot)
    this.#rows.set(row, this.#next, head)
    if (head !== NONE) this.#rows.set(head, this.#previous, row)
    this.#heads[slot] = row
    this.#earliest = this.#count === 0 ? this.#turn + ahead : Math.min(this.#earliest, this.#turn + ahead)
    this.#count++
  }

  remove(row: number): void {
    const next = this.#rows.get(row, this.#next), previous = this.#rows.get(row, this.#previous)
    if (previous < 0) this.#heads[~previous] = next
    else this.#rows.set(previous, this.#next, next)
    if (next !== NONE) this.#rows.set(next, this.#previous, previous)
    this.#count--
  }

  /**
   * Turns the wheel to `now` and asks `due` about at most `budget` rows whose slot has come; `due` either removes its row
   * or adds it anew. Returns false when work is left for the next call.
   */
  advance(now: number, budget: number, due: (row: number) => void): boolean {
    const target = Math.floor(now / GRANULARITY)
    // After a jump of the clock every slot needs only one visit.
    this.#turn = Math.max(this.#turn, target - SLOTS)
    while (this.#turn < target || this.#heads[this.#turn % SLOTS] !== NONE) {
      const slot = this.#turn % SLOTS
      for (let row = this.#heads[slot]; row !== NONE; row = this.#heads[slot]) {
        if (budget-- === 0) return false
        this.remove(row)
        due(row)
      }
      if (this.#turn === target) break
      this.#turn++
    }
    return true
  }

  /** Milliseconds until the next slot with rows comes, or Infinity. */
  untilNext(now: number): number {
    if (this.#count === 0) return Infinity
    this.#earliest = Math.max(this.#earliest, this.#turn)
    while (this.#heads[this.#earliest % SLOTS] === NONE) this.#earliest++
    return Math.max(this.#earliest * GRANULARITY - now, 0)
  }
}
