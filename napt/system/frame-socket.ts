// What a device asks of the kernel: frames received into memory, and sent from memory. A packet socket and a TAP are such.
import type { FrameMemory, MessageArray } from './frame-arena.js'
import type { InterfaceFacts } from './interface.js'
import type { Watch } from './libc.js'

/** Frames that a call of `receive` may give. */
export const BATCH = 512

export interface FrameSocket {
  readonly facts: InterfaceFacts
  /** Whether it takes datagrams of one flow as segments of one frame. */
  readonly takesSegments: boolean
  /** Where received frames lie, each behind its virtio header, until the next `receive`. */
  readonly memory: FrameMemory
  /** What has come, up to BATCH, without waiting: where each frame begins and ends in the memory. Gives how many. */
  receive(starts: Int32Array, ends: Int32Array): number
  /** Sends `count` messages from `first` on. Gives how many went before one was refused, perhaps none. */
  send(queue: MessageArray, first: number, count: number): number
  /** Frames that came and that there was no room for, since the last call. */
  missed(): number
  watch(callback: () => void): Watch
  close(): void
}
