// What a device asks of the kernel: frames into an arena's slots, and out of them. A packet socket and a TAP are such.
import type { FrameArena, MessageArray } from './frame-arena.js'
import type { InterfaceFacts } from './interface.js'
import type { Watch } from './libc.js'

export interface FrameSocket {
  readonly facts: InterfaceFacts
  /** Fills the arena's slots from the first on, without waiting. Gives how many, 0 when nothing is there. */
  receive(arena: FrameArena): number
  /** Sends `count` messages from `first` on. Gives how many went before one was refused, perhaps none. */
  send(queue: MessageArray, first: number, count: number): number
  /** Frames that came and that there was no room for, since the last call. */
  missed(): number
  watch(callback: () => void): Watch
  close(): void
}
