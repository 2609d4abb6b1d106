// The WAN ports of one protocol: which are taken, and which comes next (RFC 4787 §4.2). Deterministic: the same requests in
// the same order give the same ports.
import type { PortPolicy } from '../behaviour.js'

const HIGHEST = 65535

export class PortPool {
  readonly #taken = new Uint8Array(HIGHEST + 1)
  readonly #lowest: number
  #next: number
  #takenCount = 0
  /** Of those, the ones that a search from the lowest port meets. */
  #takenInRange = 0

  /** `first` is the first port that is given; the search goes on at `lowest` after 65535. */
  constructor(first: number, lowest: number) {
    this.#next = first
    this.#lowest = Math.min(lowest, first)
  }

  get takenCount(): number { return this.#takenCount }

  isTaken(port: number): boolean { return this.#taken[port] === 1 }

  /** The port that a sequential allocation tries first from now on. */
  setNext(port: number): void { this.#next = port }

  /** Takes a given port; false when it is taken already. */
  take(port: number): boolean {
    if (this.#taken[port] === 1) return false
    this.#taken[port] = 1
    this.#takenCount++
    if (port >= this.#lowest) this.#takenInRange++
    return true
  }

  /** A free port for a host's `wanted` one, by the policy, or -1 when there is none. */
  allocate(policy: PortPolicy, wanted: number): number {
    if (policy === 'preserve' && wanted >= this.#lowest && this.take(wanted)) return wanted
    // Without a look at each: a flood of new flows would otherwise cost 64,000 looks a packet.
    if (this.#takenInRange === HIGHEST - this.#lowest + 1 && this.#next >= this.#lowest) return -1
    // `setNext` may have put the search below the lowest port; it still has to get round to 65535.
    for (let tries = HIGHEST - Math.min(this.#lowest, this.#next) + 1; tries > 0; tries--) {
      const port = this.#next
      this.#next = port === HIGHEST ? this.#lowest : port + 1
      if (this.take(port)) return port
    }
    return -1
  }

  release(port: number): void {
    if (this.#taken[port] === 0) return
    this.#taken[port] = 0
    this.#takenCount--
    if (port >= this.#lowest) this.#takenInRange--
  }
}
