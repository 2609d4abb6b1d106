// A device on a socket of the kernel's that takes the virtio header: GSO frames and partial checksums pass as they are, batches of
// frames cost one system call where the socket can, and what comes in on one such device goes out on another from the same memory.
import { framesWithin, GSO_SIZE, GSO_TYPE, MessageArray, NEEDS_CHECKSUM, SLOT_BYTES, VIRTIO_HEADER, type FrameMemory } from '../system/frame-arena.js'
import { BATCH, type FrameSocket } from '../system/frame-socket.js'
import type { Watch } from '../system/libc.js'
import type { RouterMemory } from '../router-memory.js'
import type { MacAddress } from '../wire/address.js'
import { batchIn, type WritableBatch } from './batch.js'
import type { Device, DeviceCounters, FrameBatch } from './device.js'
import { SendQueue } from './send-queue.js'

/** Frames of the router's own, and copies from devices of other kinds, wait in slots of their own. */
const OWN_SLOTS = 16
/** Frames of a batch, from which on datagrams of one flow go together. Fewer go each by itself, and whoever looks at the cable sees each. */
const CROWD = 64

/** What a socket received. */
interface SocketBatch extends WritableBatch { readonly memory: FrameMemory }

export class SocketDevice implements Device {
  readonly name: string
  readonly mac: MacAddress
  readonly mtu: number
  readonly isPollable = true
  readonly #socket: FrameSocket
  readonly #batch: SocketBatch
  readonly #own: FrameMemory
  #ownCount = 0
  /** What waits for `flush`, in the order that it goes out in, wherever it lies. */
  readonly #queue = new SendQueue(BATCH, new MessageArray(BATCH))
  #watch: Watch | undefined
  #received = 0
  #sent = 0
  #missed = 0
  #unsent = 0

  /**
   * @param memory where the socket has its frames
   * @param mac the router's address on this device; the interface's own unless given
   */
  constructor(name: string, socket: FrameSocket, memory: RouterMemory, mac: MacAddress = socket.facts.mac as MacAddress) {
    this.name = name
    this.mac = mac
    this.mtu = socket.facts.mtu
    this.#socket = socket
    this.#own = framesWithin(memory, OWN_SLOTS * SLOT_BYTES)
    this.#batch = { ...batchIn(memory, BATCH, socket.memory.bytes), memory: socket.memory }
  }

  get counters(): DeviceCounters {
    this.#missed += this.#socket.missed()
    return { received: this.#received, sent: this.#sent, missed: this.#missed, unsent: this.#unsent }
  }

  watch(ready: () => void): void { this.#watch = this.#socket.watch(ready) }

  receive(): FrameBatch {
    const batch = this.#batch, { bytes, starts } = batch
    batch.count = this.#socket.receive(starts, batch.ends)
    for (let i = 0; i < batch.count; i++) {
      const header = starts[i] - VIRTIO_HEADER
      batch.partial[i] = bytes[header] & NEEDS_CHECKSUM
      batch.segments[i] = bytes[header + GSO_TYPE] === 0 ? 0 : bytes[header + GSO_SIZE] | (bytes[header + GSO_SIZE + 1] << 8)
    }
    this.#received += batch.count
    return batch
  }

  forward(batch: FrameBatch, i: number): void {
    if (!isSocketBatch(batch)) {
      this.send(batch.bytes.subarray(batch.starts[i], batch.ends[i]))
      return
    }
    if (this.#queue.isFull) this.flush()
    const start = batch.starts[i], end = batch.ends[i]
    if (batch.count >= CROWD && this.#socket.takesSegments) this.#queue.addSegment(batch.memory, start, end, batch.partial[i] === 1, batch.segments[i] > 0)
    else this.#queue.add(batch.memory.address + start - VIRTIO_HEADER, end - start + VIRTIO_HEADER)
  }

  send(frame: Uint8Array): void {
    if (this.#ownCount === OWN_SLOTS || this.#queue.isFull) this.flush()
    const slot = this.#ownCount++, at = slot * SLOT_BYTES
    this.#own.bytes.fill(0, at, at + VIRTIO_HEADER)
    this.#own.bytes.set(frame, at + VIRTIO_HEADER)
    this.#queue.add(this.#own.address + at, VIRTIO_HEADER + frame.length)
  }

  flush(): void {
    const queue = this.#queue
    if (queue.isEmpty) return
    const count = queue.build()
    for (let done = 0; done < count;) {
      const sent = this.#socket.send(queue.messages, done, count - done)
      // The interface refused one frame (its queue is full, or the frame too long); those behind it may still pass.
      if (sent === 0) this.#unsent += queue.framesOf(done++)
      for (const end = done + sent; done < end; done++) this.#sent += queue.framesOf(done)
    }
    queue.clear()
    this.#ownCount = 0
  }

  close(): void {
    this.#watch?.close()
    this.#socket.close()
    this.#own.free()
    this.#queue.free()
  }
}

const isSocketBatch = (batch: FrameBatch): batch is SocketBatch => 'memory' in batch
