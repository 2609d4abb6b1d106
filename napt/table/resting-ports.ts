// Ports that were released and rest before somebody else gets them (RFC 6888 REQ-8), in the order of their release: a ring that
// is linked through arrays, so that memory has a bound and a port can leave it from the middle.
import { HIGHEST_PORT, NO_PORT } from './port-set.js'

const SIZE = HIGHEST_PORT + 1

export class RestingPorts {
  readonly #next = new Uint16Array(SIZE)
  readonly #previous = new Uint16Array(SIZE)
  readonly #since = new Float64Array(SIZE)
  #oldest = NO_PORT

  /** The port must not rest already; `now` is never earlier than that of the port added before. */
  add(port: number, now: number): void {
    this.#since[port] = now
    if (this.#oldest === NO_PORT) this.#oldest = port
    const last = this.#oldest === port ? port : this.#previous[this.#oldest]
    this.#next[last] = port
    this.#previous[port] = last
    this.#next[port] = this.#oldest
    this.#previous[this.#oldest] = port
  }

  /** The port must rest. */
  remove(port: number): void {
    const next = this.#next[port], previous = this.#previous[port]
    this.#next[previous] = next
    this.#previous[next] = previous
    if (this.#oldest === port) this.#oldest = next === port ? NO_PORT : next
  }

  /** Takes out the port that has rested longest, if it was released at `time` (milliseconds) or before; else -1. */
  removeOldest(time: number): number {
    const port = this.#oldest
    if (port === NO_PORT || this.#since[port] > time) return NO_PORT
    this.remove(port)
    return port
  }
}
