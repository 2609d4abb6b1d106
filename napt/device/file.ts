// A device over a capture: the frames of one side of a router, with their times, in; what the router sends there, out. How
// the frames are stored is the caller's affair (captures/ reads and writes pcap files).
import type { MacAddress } from '../wire/address.js'
import { batchOf, copyOf, EMPTY } from './memory.js'
import type { Device, DeviceCounters, FrameBatch } from './device.js'

export interface TimedFrame {
  /** Nanoseconds since 1970. */
  readonly time: bigint
  readonly bytes: Uint8Array
}

export class FileDevice implements Device {
  readonly name: string
  readonly mac: MacAddress
  readonly mtu = 65535
  readonly isPollable = false
  readonly #frames: Iterator<TimedFrame>
  readonly #write: (frame: Uint8Array) => void
  #next: TimedFrame | null
  #arrived: Uint8Array[] = []
  #ready: (() => void) | undefined
  #received = 0
  #sent = 0

  /** `frames` in the order of their times; `write` gets what the router sends, as a copy of its own. */
  constructor(name: string, mac: MacAddress, frames: Iterable<TimedFrame>, write: (frame: Uint8Array) => void) {
    this.name = name
    this.mac = mac
    this.#frames = frames[Symbol.iterator]()
    this.#write = write
    this.#next = this.#take()
  }

  get counters(): DeviceCounters { return { received: this.#received, sent: this.#sent, missed: 0, unsent: 0 } }

  /** When the next frame came, or null at the end of the file. */
  get nextTime(): bigint | null { return this.#next?.time ?? null }

  /** The next frame arrives. */
  deliver(): void {
    if (this.#next === null) return
    this.#arrived.push(this.#next.bytes)
    this.#next = this.#take()
    this.#ready?.()
  }

  watch(ready: () => void): void { this.#ready = ready }

  receive(): FrameBatch {
    if (this.#arrived.length === 0) return EMPTY
    const batch = batchOf(this.#arrived)
    this.#received += batch.count
    this.#arrived = []
    return batch
  }

  forward(batch: FrameBatch, i: number): void {
    this.#sent++
    this.#write(copyOf(batch, i))
  }

  send(frame: Uint8Array): void {
    this.#sent++
    this.#write(frame.slice())
  }

  flush(): void { /* frames are out as soon as they are sent */ }
  close(): void { this.#next = null }

  #take(): TimedFrame | null {
    const { done, value } = this.#frames.next() as { done?: boolean, value: TimedFrame }
    return done === true ? null : value
  }
}
