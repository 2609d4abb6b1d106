// First in, first out, in a time that does not grow with what waits (`Array.shift` moves all of a long array), and with nothing
// kept of what has left.

export class Fifo<T> {
  #items: (T | undefined)[] = []
  #first = 0

  get length(): number { return this.#items.length - this.#first }

  /** The one that waits longest; undefined when none does. */
  get first(): T | undefined { return this.#items[this.#first] }

  push(item: T): void { this.#items.push(item) }

  /** Takes out the one that waits longest. */
  shift(): T | undefined {
    const item = this.#items[this.#first]
    if (this.length === 0) return undefined
    this.#items[this.#first++] = undefined
    if (this.#first > this.#items.length / 2) {
      this.#items = this.#items.slice(this.#first)
      this.#first = 0
    }
    return item
  }
}
