// Rows of 32-bit fields in one growing array, with a list of free rows: memory that is laid out once and used again, so that
// a new mapping allocates nothing most of the time.

export class Rows {
  fields: Int32Array
  readonly width: number
  #used = 0
  #free = -1
  #count = 0

  constructor(width: number, capacity = 64) {
    this.width = width
    this.fields = new Int32Array(width * capacity)
  }

  get count(): number { return this.#count }
  /** One above the highest row that was ever used. */
  get limit(): number { return this.#used }
  get bytes(): number { return this.fields.byteLength }

  /** A row whose fields the caller sets. */
  add(): number {
    this.#count++
    if (this.#free >= 0) {
      const row = this.#free
      this.#free = this.fields[row * this.width]
      return row
    }
    if ((this.#used + 1) * this.width > this.fields.length) {
      const grown = new Int32Array(this.fields.length * 2)
      grown.set(this.fields)
      this.fields = grown
    }
    return this.#used++
  }

  remove(row: number): void {
    this.fields[row * this.width] = this.#free
    this.#free = row
    this.#count--
  }
}
