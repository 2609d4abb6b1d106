// The WAN ports of one protocol on one WAN address: which are taken, which rest, and which comes next (RFC 4787 §4.2, RFC 6056,
// RFC 6888 REQ-4, REQ-8). Deterministic: the same requests at the same times, with the same random numbers, give the same ports.
//
// A port is free, taken (it has holders: one, or several where ports are overloaded) or resting. Where several rules meet, the
// order is: the port that contiguity asks for, the wanted port itself, a free port of the wanted parity, a shared one of it, a
// free port of the other parity, a shared one of that.
import type { PortAllocation, PortCollision } from '../behaviour/behaviour.js'
import type { Random } from '../random.js'
import { EITHER, NO_PORT, parityOf, PortSet, HIGHEST_PORT, type Parity } from './port-set.js'
import { RestingPorts } from './resting-ports.js'

const FIRST_REGISTERED = 1024
const MOST_SHARERS = 0xfffe
/** Taken ports that one allocation asks `sharable` about at most, so that a flood stays cheap. */
const SHARING_TRIES = 128

export interface PortRules {
  readonly allocation: PortAllocation
  /** What `preserve` does when the port is taken. */
  readonly collision: PortCollision
  /** An even port for an even one, an odd one for an odd one, while there are any (RFC 4787 REQ-4). */
  readonly parity: boolean
  /** Below 1024 for below 1024, and above for above (RFC 4787 REQ-3a), unless the range has none of these. */
  readonly keepWellKnown: boolean
  /** Where sequential allocation begins; at the range's beginning when this lies outside. */
  readonly first: number
  /**
   * The ports that hosts are given, both ends included. `from: 0` says that these are ICMP identifiers: none is well-known.
   * From 1 on, a search (sequential or random) begins at 1024 if the range reaches that far; the ports below are only given to
   * the host that wants just them, to those that `keepWellKnown` is about, or when `first` or `setNext` points there.
   */
  readonly from: number
  readonly to: number
  /** Milliseconds for which a released port rests (RFC 6888 REQ-8). */
  readonly reuseDelay: number
}

export interface PortRequest {
  /** The host's own block, both ends included; what lies outside of the range is not given all the same (RFC 7422). */
  readonly from?: number
  readonly to?: number
  /** Tried before anything else: the port behind that of the host's neighbouring port (RFC 4787 §4.2.3). */
  readonly preferred?: number
  /** Whether a taken port may have one more holder (RFC 7857 §3). Without it, none may. It may release ports, not take any. */
  readonly sharable?: (port: number) => boolean
}

const PLAIN: PortRequest = {}

export class PortPool {
  readonly #random: Random
  #rules: PortRules
  readonly #free = PortSet.full()
  readonly #taken = new PortSet()
  /** Holders of a port beyond the first; null while no port has had any. */
  #sharers: Uint16Array | null = null
  #resting: RestingPorts | null = null
  #takenCount = 0
  /** Where sequential allocation goes on, in the part of the range that this lies in. */
  #next: number
  /** The same for other parts, by their first port: hosts' blocks, the well-known ports. */
  readonly #nextIn = new Map<number, number>()

  /** `random` is drawn from once for each random allocation. */
  constructor(rules: PortRules, random: Random) {
    this.#rules = rules
    this.#random = random
    this.#next = rules.first
  }

  get rules(): PortRules { return this.#rules }
  /** Ports with holders. */
  get takenCount(): number { return this.#takenCount }

  /** Other rules from now on. Taken ports stay taken, even outside of the range; resting ones rest for the new time. */
  change(rules: PortRules): void {
    if (rules.first !== this.#rules.first) this.#next = rules.first
    this.#rules = rules
  }

  /** Whether a mapping holds the port; one that merely rests is not taken. */
  isTaken(port: number): boolean { return this.#taken.has(port) }

  /** The port that sequential allocation tries first from now on. */
  setNext(port: number): void { this.#next = port }

  /** Takes a given port, resting or outside of the range as it may be; false when it is taken. */
  take(port: number): boolean {
    if (this.isTaken(port)) return false
    // Neither taken nor free: it rests.
    if (!this.#free.has(port)) {
      this.#resting?.remove(port)
      this.#free.add(port)
    }
    this.#hold(port)
    return true
  }

  /** A port for a host's `wanted` one, by the rules, or -1 when there is none. `now` in milliseconds. */
  allocate(wanted: number, now: number, request: PortRequest = PLAIN): number {
    this.#wake(now)
    const { allocation, collision, parity: keepsParity, from, to, keepWellKnown } = this.#rules, { preferred, sharable } = request
    const areIdentifiers = from === 0
    let low = Math.max(from, request.from ?? from), high = Math.min(to, request.to ?? to)
    if (keepWellKnown && !areIdentifiers) {
      if (wanted < FIRST_REGISTERED && low < FIRST_REGISTERED) high = Math.min(high, FIRST_REGISTERED - 1)
      if (wanted >= FIRST_REGISTERED && high >= FIRST_REGISTERED) low = Math.max(low, FIRST_REGISTERED)
    }
    if (low > high) return NO_PORT
    const parity = keepsParity ? parityOf(wanted) : EITHER
    if (preferred !== undefined && (parity === EITHER || parityOf(preferred) === parity) && this.#suits(preferred, low, high, sharable)) return this.#hold(preferred)
    if (allocation === 'preserve' && this.#suits(wanted, low, high, sharable)) return this.#hold(wanted)
    const order = allocation === 'preserve' ? collision : allocation
    if (order === 'refuse') return NO_PORT
    const floor = areIdentifiers || high < FIRST_REGISTERED ? low : Math.max(low, FIRST_REGISTERED)
    return order === 'random' ? this.#allocateRandom(floor, high, parity, sharable) : this.#allocateSequential(low, floor, high, parity, sharable)
  }

  /** Drops one holder of a port; with the last one it begins to rest. A port that nobody holds stays as it is. */
  release(port: number, now: number): void {
    if (!this.isTaken(port)) return
    if (this.#sharers !== null && this.#sharers[port] > 0) {
      this.#sharers[port]--
      return
    }
    this.#taken.delete(port)
    this.#takenCount--
    if (this.#rules.reuseDelay > 0) {
      this.#resting ??= new RestingPorts()
      this.#resting.add(port, now)
    } else {
      this.#free.add(port)
    }
  }

  #suits(port: number, low: number, high: number, sharable: PortRequest['sharable']): boolean {
    return port >= low && port <= high && (this.#free.has(port) || this.#isSharable(port, sharable))
  }

  /** RFC 6056 §3.3.1: a random beginning, and on from there. */
  #allocateRandom(floor: number, high: number, parity: Parity, sharable: PortRequest['sharable']): number {
    const begin = floor + Math.floor(this.#random() / 2 ** 32 * (high - floor + 1))
    const port = this.#search(begin, floor, high, parity, sharable)
    return port === NO_PORT ? NO_PORT : this.#hold(port)
  }

  /** `#next` may lie below the floor: whoever put it there means it. After `high` comes the floor. */
  #allocateSequential(low: number, floor: number, high: number, parity: Parity, sharable: PortRequest['sharable']): number {
    const isHere = this.#next >= low && this.#next <= high
    const kept = isHere ? this.#next : this.#nextIn.get(floor) ?? floor
    const begin = kept <= high ? kept : floor
    const port = this.#search(begin, floor, high, parity, sharable)
    if (port === NO_PORT && sharable === undefined) return NO_PORT
    // After a refusal to share, the next request asks about other ports than those that have just been refused.
    const last = port === NO_PORT ? begin + SHARING_TRIES - 1 : port
    const next = last < high ? last + 1 : floor
    if (isHere) this.#next = next
    else this.#nextIn.set(floor, next)
    return port === NO_PORT ? NO_PORT : this.#hold(port)
  }

  /** From `begin` to `high`, then from `floor` on; the other parity when all else fails. */
  #search(begin: number, floor: number, high: number, parity: Parity, sharable: PortRequest['sharable']): number {
    let port = this.#free.next(begin, high, parity)
    if (port === NO_PORT) port = this.#free.next(floor, begin - 1, parity)
    if (port === NO_PORT && sharable !== undefined) port = this.#searchShared(begin, floor, high, parity, sharable)
    return port === NO_PORT && parity !== EITHER ? this.#search(begin, floor, high, EITHER, sharable) : port
  }

  #searchShared(begin: number, floor: number, high: number, parity: Parity, sharable: PortRequest['sharable']): number {
    let port = begin
    for (let tries = Math.min(SHARING_TRIES, high - Math.min(begin, floor) + 1); tries > 0; tries--) {
      if ((parity === EITHER || parityOf(port) === parity) && this.#isSharable(port, sharable)) return port
      port = port < high ? port + 1 : floor
    }
    return NO_PORT
  }

  #isSharable(port: number, sharable: PortRequest['sharable']): boolean {
    if (sharable === undefined || !this.isTaken(port) || this.#sharers?.[port] === MOST_SHARERS || !sharable(port)) return false
    // Asked, the caller may have found that a holder lapsed, and released it: then the port is free now, or rests.
    return this.isTaken(port) || this.#free.has(port)
  }

  /** One more holder for a port that is free or taken. */
  #hold(port: number): number {
    if (this.isTaken(port)) {
      this.#sharers ??= new Uint16Array(HIGHEST_PORT + 1)
      this.#sharers[port]++
    } else {
      this.#free.delete(port)
      this.#taken.add(port)
      this.#takenCount++
    }
    return port
  }

  /** Ports that have rested long enough are free again. Each one is woken once, however far the clock has jumped. */
  #wake(now: number): void {
    if (this.#resting === null) return
    const time = now - this.#rules.reuseDelay
    for (let port = this.#resting.removeOldest(time); port !== NO_PORT; port = this.#resting.removeOldest(time)) this.#free.add(port)
  }
}
