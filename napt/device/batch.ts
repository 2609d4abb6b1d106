// Batches in a router's memory: its fast path takes many frames of them at once.
import type { RouterMemory } from '../router-memory.js'
import type { FrameBatch } from './device.js'

export interface WritableBatch extends FrameBatch { count: number }

/** A batch of up to `frames` frames in `bytes`, which are the caller's or as many new ones; the rest lies in the router's memory, for good. */
export function batchIn(memory: RouterMemory, frames: number, bytes: Uint8Array | number): WritableBatch {
  const starts = memory.pages(4 * frames), ends = memory.pages(4 * frames), segments = memory.pages(2 * frames)
  return {
    bytes: typeof bytes === 'number' ? memory.pages(bytes) : bytes, count: 0, partial: memory.pages(frames),
    starts: new Int32Array(starts.buffer, starts.byteOffset, frames), ends: new Int32Array(ends.buffer, ends.byteOffset, frames),
    segments: new Uint16Array(segments.buffer, segments.byteOffset, frames),
  }
}
