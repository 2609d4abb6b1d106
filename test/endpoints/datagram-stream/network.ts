// Two ends of a datagram stream, and between them a network that loses, repeats, delays, damages and cuts datagrams: in simulated
// time and by a seed, so that an hour of it takes a moment and comes out the same each time.
import { DatagramConnection } from '../../../endpoints/datagram-stream/connection.js'
import { decodePacket } from '../../../endpoints/message/datagram.js'
import { seeded } from '../bench.js'

/** Shares of all datagrams, 0 to 1; times in milliseconds. */
export interface Impairment {
  readonly loss?: number
  readonly duplication?: number
  readonly corruption?: number
  readonly truncation?: number
  /** Of a datagram: `delay` and up to `jitter` more, so that datagrams overtake each other. */
  readonly delay?: number
  readonly jitter?: number
  /** Larger datagrams are lost, bytes. */
  readonly largest?: number
}

export const TOKEN = '0123456789abcdef', CALLER_ID = 'c'.repeat(16), CALLED_ID = 'd'.repeat(16)

interface Arrival { readonly at: number, readonly to: 'caller' | 'called', readonly datagram: Uint8Array }

/** An end, what it is to send, and what it got. */
export class End {
  connection: DatagramConnection | null = null
  readonly received: Uint8Array[] = []
  /** Most bytes that were held at once. */
  mostHeld = 0
  /** Whether its reader takes what comes. */
  reads = true
  #sent = 0
  #hasEnded = false

  constructor(private readonly content: Uint8Array) {}

  get isOver(): boolean { return this.connection?.state === 'over' }
  get bytes(): Buffer { return Buffer.concat(this.received) }

  /** Writes as long as there is room, and reads. */
  use(now: number): void {
    const { connection } = this
    if (connection?.state !== 'open') return
    while (this.#sent < this.content.length && connection.held < 256 * 1024) {
      connection.write(this.content.subarray(this.#sent, this.#sent += Math.min(32_775, this.content.length - this.#sent)))
    }
    this.mostHeld = Math.max(this.mostHeld, connection.held)
    if (this.#sent === this.content.length && !this.#hasEnded) {
      this.#hasEnded = true
      connection.end()
    }
    for (let bytes = this.reads ? connection.read(now) : null; bytes !== null; bytes = connection.read(now)) this.received.push(bytes)
  }
}

export class Network {
  now = 0
  readonly caller: End
  readonly called: End
  /** Every datagram that was sent, as it was sent. */
  readonly sent: { readonly from: 'caller' | 'called', readonly at: number, readonly datagram: Uint8Array }[] = []
  #arrivals: Arrival[] = []
  readonly #random: () => number

  constructor(seed: number, public impairment: Impairment, content: { readonly caller: Uint8Array, readonly called: Uint8Array }) {
    this.#random = seeded(seed)
    for (let i = 0; i < 8; i++) this.#random() // small seeds are alike at first
    this.caller = new End(content.caller)
    this.called = new End(content.called)
    this.caller.connection = DatagramConnection.call(0, CALLER_ID, TOKEN)
  }

  /** Runs until `until` holds; false when `limit` ms pass first or nothing is left to happen. */
  run(until: () => boolean = () => this.caller.isOver && this.called.isOver, limit = 3_600_000): boolean {
    const end = this.now + limit
    for (;;) {
      for (const name of ['caller', 'called'] as const) this.#move(name)
      if (until()) return true
      const next = Math.min(...this.#arrivals.map(({ at }) => at), this.caller.connection?.deadline ?? Infinity, this.called.connection?.deadline ?? Infinity)
      if (next === Infinity || next > end) {
        this.now = Math.min(next, end)
        return false
      }
      this.now = Math.max(this.now, next)
      this.#arrive()
    }
  }

  /** Lets a datagram arrive now. */
  inject(to: 'caller' | 'called', datagram: Uint8Array): void { this[to].connection?.receive(this.now, datagram) }

  #move(name: 'caller' | 'called'): void {
    const end = this[name], { connection } = end
    if (!connection) return
    connection.advance(this.now)
    end.use(this.now)
    for (let datagram = connection.transmit(this.now); datagram !== null; datagram = connection.transmit(this.now)) {
      this.sent.push({ from: name, at: this.now, datagram })
      this.#carry(name === 'caller' ? 'called' : 'caller', datagram)
    }
  }

  #carry(to: 'caller' | 'called', datagram: Uint8Array): void {
    const { loss = 0, duplication = 0, corruption = 0, truncation = 0, delay = 10, jitter = 0, largest = Infinity } = this.impairment
    if (this.#happens(loss) || datagram.length > largest) return
    for (let copies = this.#happens(duplication) ? 2 : 1; copies > 0; copies--) {
      let carried = Uint8Array.from(datagram)
      if (this.#happens(corruption)) carried[this.#random() % carried.length] ^= 1 << this.#random() % 8
      if (this.#happens(truncation)) carried = carried.subarray(0, this.#random() % carried.length)
      this.#arrivals.push({ at: this.now + delay + jitter * this.#share(), to, datagram: carried })
    }
  }

  #arrive(): void {
    const due = this.#arrivals.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at)
    this.#arrivals = this.#arrivals.filter(({ at }) => at > this.now)
    for (const { to, datagram } of due) {
      const end = this[to]
      const open = end.connection ? null : decodePacket(datagram)
      if (open?.kind === 'open' && open.token === TOKEN) end.connection = DatagramConnection.accept(this.now, CALLED_ID, open)
      else end.connection?.receive(this.now, datagram)
    }
  }

  #share(): number { return this.#random() / 2 ** 32 }
  #happens(share: number): boolean { return share > 0 && this.#share() < share }
}

/** Repeatable content. */
export function contentOf(length: number, seed = 1): Uint8Array {
  const random = seeded(seed), content = new Uint8Array(length)
  for (let at = 0; at < length; at++) content[at] = random() >>> 24
  return content
}
