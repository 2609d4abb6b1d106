// A router on loopback between 103 and 102's UDP port, which loses, repeats and overtakes datagrams by a seed.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { LOOPBACK, seeded } from '../bench.js'
import type { Socket } from 'node:dgram'

/** The most that one datagram waits while others overtake it, datagrams. */
const HELD = 5

export class LossyRelay {
  passed = 0
  lost = 0
  /** Everything that was sent through it. */
  readonly seen: Uint8Array[] = []
  #caller = 0
  readonly #random: () => number
  #held: { readonly datagram: Uint8Array, readonly send: () => void, left: number }[] = []

  private constructor(private readonly outside: Socket, private readonly inside: Socket, private readonly share: number, seed: number) {
    this.#random = seeded(seed)
    for (let i = 0; i < 8; i++) this.#random()
  }

  /** @param share of datagrams that are lost, and again of those that wait; half as many come twice. @returns with the port to call */
  static async start(test: { teardown(end: () => unknown): void }, share: number, seed: number): Promise<LossyRelay> {
    const relay = new LossyRelay(await bound(), await bound(), share, seed)
    test.teardown(() => { relay.outside.close(); relay.inside.close() })
    return relay
  }

  get port(): number { return this.outside.address().port }

  /** Begins to pass on, to 102's `port`. */
  lead(port: number): void {
    this.outside.on('message', (datagram, from) => {
      this.#caller = from.port
      this.#pass(datagram, () => this.inside.send(datagram, port, LOOPBACK))
    })
    this.inside.on('message', datagram => this.#pass(datagram, () => this.outside.send(datagram, this.#caller, LOOPBACK)))
  }

  #pass(datagram: Uint8Array, send: () => void): void {
    this.seen.push(datagram)
    const draw = this.#random() / 2 ** 32
    if (draw < this.share) this.lost++
    else if (draw < 2 * this.share) this.#held.push({ datagram, send, left: HELD })
    else {
      this.passed++
      send()
      if (draw > 1 - this.share / 2) send()
    }
    for (const each of this.#held) if (--each.left === 0) each.send()
    this.#held = this.#held.filter(({ left }) => left > 0)
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind({ address: LOOPBACK, port: 0 })
  await once(socket, 'listening')
  return socket
}
