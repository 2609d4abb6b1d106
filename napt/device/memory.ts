// A device without a machine: tests and offline work put frames in and take frames out.
import type { MacAddress } from '../wire/address.js'
import { completeChecksum } from '../packet.js'
import type { Device, DeviceCounters, FrameBatch } from './device.js'

export class MemoryDevice implements Device {
  readonly name: string
  readonly mac: MacAddress
  readonly mtu: number
  readonly isPollable: boolean = false
  /** What the router sent here, in order; the owner may empty it. */
  readonly sentFrames: Uint8Array[] = []
  #waiting: Uint8Array[] = []
  #ready: (() => void) | undefined
  #received = 0
  #sent = 0

  constructor(name: string, mac: MacAddress, mtu = 1500) {
    this.name = name
    this.mac = mac
    this.mtu = mtu
  }

  get counters(): DeviceCounters { return { received: this.#received, sent: this.#sent, missed: 0, unsent: 0 } }

  /** A frame arrives; it is received as a copy. */
  inject(frame: Uint8Array): void {
    this.#waiting.push(frame)
    this.#ready?.()
  }

  watch(ready: () => void): void { this.#ready = ready }

  receive(): FrameBatch {
    if (this.#waiting.length === 0) return EMPTY
    const batch = batchOf(this.#waiting)
    this.#received += batch.count
    this.#waiting = []
    return batch
  }

  forward(batch: FrameBatch, i: number): void { this.send(copyOf(batch, i)) }

  send(frame: Uint8Array): void {
    this.sentFrames.push(frame.slice())
    this.#sent++
  }

  flush(): void { /* frames are out as soon as they are sent */ }
  close(): void { this.#waiting = [] }
}

/** Copies frames into one batch. */
export function batchOf(frames: readonly Uint8Array[]): FrameBatch {
  const starts = new Int32Array(frames.length), ends = new Int32Array(frames.length)
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0))
  let at = 0
  frames.forEach((frame, i) => {
    bytes.set(frame, at)
    starts[i] = at
    at += frame.length
    ends[i] = at
  })
  return { bytes, count: frames.length, starts, ends, partial: new Uint8Array(frames.length), segments: new Uint16Array(frames.length) }
}

/** A frame of a batch as it would be on a wire: its own memory, its checksum complete. */
export function copyOf(batch: FrameBatch, i: number): Uint8Array {
  const frame = batch.bytes.slice(batch.starts[i], batch.ends[i])
  if (batch.partial[i] === 1) completeChecksum(frame, 0, frame.length)
  return frame
}

/** Nothing has come. */
export const EMPTY: FrameBatch = batchOf([])
