// Small datagrams of many flows as fast as the client's interface takes them. What counts is what arrives: the kernel of the server
// counts the datagrams whose checksum is right and whose socket is there, and nobody there spends time on reading them.
import { udpFrame } from '../../napt/wire/frame.js'
import { parseIpv4, type Port } from '../../napt/wire/address.js'
import type { Path } from './client-side.js'
import { FrameSender } from './frame-sender.js'
import { arrivals, routerProcesses, cpuOf, softirqTime, type Counter } from './kernel-counts.js'
import { PORT, type Datagrams as Result } from './protocol.js'

/** With its headers this makes the smallest Ethernet frame, 64 bytes with the check sequence. */
const PAYLOAD = new Uint8Array(18)
const FIRST_PORT = 20_000

export class Datagrams {
  readonly #sender: FrameSender
  readonly #arrived: Counter
  readonly #router: readonly number[]

  /** @param flows each with a source port of its own */
  constructor({ interface: name, address, mac, nextHop }: Path, server: string, flows: number) {
    const to = { address: parseIpv4(server), port: PORT.sink as Port }
    this.#sender = new FrameSender(name, Array.from({ length: flows }, (_, flow) =>
      udpFrame({ address, port: FIRST_PORT + flow as Port }, to, PAYLOAD, { sourceMac: mac, destinationMac: nextHop, dontFragment: true })))
    this.#arrived = arrivals()
    this.#router = routerProcesses()
  }

  /** Milliseconds. */
  measure(warmUp: number, window: number): Result {
    this.#sendUntil(performance.now() + warmUp)
    const begin = performance.now(), arrived = this.#arrived.read(), cpu = cpuOf(this.#router), softirq = softirqTime()
    const sent = this.#sendUntil(begin + window)
    const elapsed = performance.now() - begin
    return {
      sent, arrived: this.#arrived.read() - arrived, elapsed,
      routerCpu: cpuOf(this.#router) - cpu, softirq: softirqTime() - softirq,
    }
  }

  close(): void {
    this.#sender.close()
    this.#arrived.close()
  }

  #sendUntil(deadline: number): number {
    let sent = 0
    while (performance.now() < deadline) sent += this.#sender.send()
    return sent
  }
}
