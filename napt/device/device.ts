// What every device is to the router: frames in, frames out, in batches. A batch lies in the memory of the device that
// received it, which may be memory of the kernel's; the router rewrites it there, and a device that can sends it from there.
import type { RouterMemory } from '../router-memory.js'
import type { MacAddress } from '../wire/address.js'

/** Frames that arrived together, valid until the device's next `receive`. */
export interface FrameBatch {
  readonly bytes: Uint8Array
  readonly count: number
  /** Where frame i begins and ends in `bytes`. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** 1 where the transport checksum of frame i is partial (see wire/checksum.ts). */
  readonly partial: Uint8Array
  /** Bytes of transport payload in each packet that frame i stands for (GSO); 0 where the frame is one packet. */
  readonly segments: Uint16Array
}

export interface DeviceCounters {
  readonly received: number
  readonly sent: number
  /** Frames that arrived and that nobody was there in time to take. */
  readonly missed: number
  /** Frames that the way out refused. */
  readonly unsent: number
}

export interface Device {
  readonly name: string
  /** Bytes of an IPv4 packet that fit one frame. */
  readonly mtu: number
  readonly mac: MacAddress
  readonly counters: DeviceCounters
  /** Whether `receive` finds what has come since the event loop last looked; elsewhere only the event loop brings frames. */
  readonly isPollable: boolean
  /** Calls `ready` from the event loop whenever frames may be there to receive. */
  watch(ready: () => void): void
  /** What has arrived, without waiting; a batch of 0 when there is nothing. */
  receive(): FrameBatch
  /** Sends frame `i` of any device's batch, at the latest on `flush`. */
  forward(batch: FrameBatch, i: number): void
  /** Sends a copy of a complete frame. */
  send(frame: Uint8Array): void
  flush(): void
  close(): void
}

export interface DeviceOptions {
  /** Of the router that the device is for: frames that lie there are forwarded fastest. */
  readonly memory?: RouterMemory
}

/** What keeps a device from opening: no such interface, no permission, a missing package. The message says what to do. */
export class DeviceError extends Error {}
