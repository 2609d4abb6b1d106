// AF_PACKET sockets (packet(7)) through koffi. Frames of a wire's size come in a ring that the kernel fills and this process reads
// without a call; longer ones (GSO) are announced there and fetched from the socket's queue, in batches. Sending is in batches too.
//
// The ring costs the router neither call nor copy a frame: the kernel copies while it delivers, on the sender's core. And it is had in
// full inside a user namespace, where the size of the queue is limited to net.core.rmem_max.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { release } from 'node:os'
import type Koffi from 'koffi'
import type { RouterMemory } from '../router-memory.js'
import { framesWithin, SLOT_BYTES, slotMessages, VIRTIO_HEADER, type FrameMemory, type MessageArray } from './frame-arena.js'
import { BATCH, type FrameSocket } from './frame-socket.js'
import { readInterface, type InterfaceFacts } from './interface.js'
import { hasFeature } from './interface-features.js'
import { libc, type Watch } from './libc.js'
import { SystemError } from './error.js'

const AF_PACKET = 17, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, ETH_P_ALL = 3
const SOL_PACKET = 263, SOL_SOCKET = 1
const PACKET_RX_RING = 5, PACKET_STATISTICS = 6, PACKET_VERSION = 10, TPACKET_V2 = 1
/** What is longer than a slot of the ring goes to the queue in full. */
const PACKET_COPY_THRESH = 7
const PACKET_VNET_HDR = 15
const PACKET_QDISC_BYPASS = 20
/** Else the socket hears its own transmissions. */
const PACKET_IGNORE_OUTGOING = 23
const SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_SNDBUF = 7, SO_RCVBUF = 8
const MSG_DONTWAIT = 0x40
const SIZEOF_SOCKADDR_LL = 20
/**
 * Bytes of a slot of the ring: 76 of headers, 1514 of frame; an odd number of cache lines, for the reason of SLOT_BYTES. Slots do not
 * cross blocks. 4160 slots are 10 ms of 400,000 frames a second.
 */
const RING_SLOT = 1600, BLOCK_BYTES = 1 << 16, BLOCK_SLOTS = Math.floor(BLOCK_BYTES / RING_SLOT), BLOCKS = 104
const RING_SLOTS = BLOCKS * BLOCK_SLOTS, RING_BYTES = BLOCKS * BLOCK_BYTES
/** Where each slot begins. */
const SLOT_AT = Int32Array.from({ length: RING_SLOTS }, (_, slot) => Math.floor(slot / BLOCK_SLOTS) * BLOCK_BYTES + (slot % BLOCK_SLOTS) * RING_SLOT)
/** struct tpacket2_hdr: whose the slot is, length, length that is there, where the frame begins. */
const STATUS = 0, LENGTH = 4, SNAPPED = 8, MAC = 12
const KERNEL = 0, USER = 1, COPY = 2
/** Long frames in a batch: together they fit a core's second cache. */
const LONG_FRAMES = 16
/** As root this much is had; in a user namespace only what net.core.rmem_max and wmem_max allow. */
const BUFFER_BYTES = 64 << 20

/** Since Linux 6.2 the virtio header may announce segments of UDP. Past the queueing discipline, an interface has to take them as they are. */
const SENDS_SEGMENTS = isKernelSince(6, 2), SEGMENTS_UDP = 'tx-udp-segmentation'

interface Foreign {
  recvmmsg(fd: number, headers: bigint, count: number, flags: number, timeout: null): number
  sendmmsg(fd: number, headers: bigint, count: number, flags: number): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array): number
}

let loaded: Foreign | undefined

function foreign(): Foreign {
  if (loaded === undefined) {
    const library = (createRequire(import.meta.url)('koffi') as typeof Koffi).load('libc.so.6')
    loaded = {
      recvmmsg: library.func('int recvmmsg(int, void *, uint, int, void *)'),
      sendmmsg: library.func('int sendmmsg(int, void *, uint, int)'),
      getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
    }
  }
  return loaded
}

export class PacketSocket implements FrameSocket {
  readonly #fd: number
  readonly #c = foreign()
  readonly facts: InterfaceFacts
  readonly takesSegments: boolean
  readonly memory: FrameMemory
  readonly #words: Int32Array
  readonly #halves: Uint16Array
  readonly #long: MessageArray
  /** Which frames of the batch are in the queue. */
  readonly #longAt = new Int32Array(LONG_FRAMES)
  /** The next slot to read, and the slots before it that are still in use. */
  #next = 0
  #held = 0
  #cut = 0
  /** Written to for the sake of order: what is done to the ring before is done before for the kernel, too, and so with what comes after. */
  readonly #fence = new Int32Array(1)

  /** Opens a socket on an interface of the calling thread's network namespace, with its frames in `memory`. @throws SystemError */
  constructor(interfaceName: string, memory: RouterMemory) {
    const doing = `open interface '${interfaceName}' for raw frames`
    this.facts = readInterface(interfaceName)
    this.takesSegments = SENDS_SEGMENTS && hasFeature(interfaceName, SEGMENTS_UDP)
    // Protocol 0 until bound, or frames of every interface would come in between.
    this.#fd = libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0, doing)
    for (const option of [PACKET_VNET_HDR, PACKET_QDISC_BYPASS, PACKET_IGNORE_OUTGOING]) {
      libc().setsockopt(this.#fd, SOL_PACKET, option, Uint32Array.of(1), doing)
    }
    libc().setsockopt(this.#fd, SOL_PACKET, PACKET_VERSION, Uint32Array.of(TPACKET_V2), doing)
    libc().setsockopt(this.#fd, SOL_PACKET, PACKET_COPY_THRESH, Uint32Array.of(1), doing)
    libc().setsockopt(this.#fd, SOL_PACKET, PACKET_RX_RING, Uint32Array.of(BLOCK_BYTES, BLOCKS, RING_SLOT, RING_SLOTS), doing)
    this.memory = framesWithin(memory, RING_BYTES + LONG_FRAMES * SLOT_BYTES, { fd: this.#fd, bytes: RING_BYTES })
    const { buffer, byteOffset } = this.memory.bytes
    this.#words = new Int32Array(buffer, byteOffset, RING_BYTES >> 2)
    this.#halves = new Uint16Array(buffer, byteOffset, RING_BYTES >> 1)
    this.#long = slotMessages(this.memory, RING_BYTES, LONG_FRAMES)
    this.#growBuffers()
    const address = new Uint8Array(SIZEOF_SOCKADDR_LL), view = new DataView(address.buffer)
    view.setUint16(0, AF_PACKET, true)
    view.setUint16(2, ETH_P_ALL)
    view.setInt32(4, this.facts.index, true)
    libc().bind(this.#fd, address, doing)
  }

  receive(starts: Int32Array, ends: Int32Array): number {
    for (;;) {
      this.#release()
      const ready = this.#ready()
      if (ready === 0) return 0
      const count = this.#take(ready, starts, ends)
      // All of them were cut; there may be others behind them.
      if (count > 0) return count
    }
  }

  /** Frames of the next slots, which are filled, up to LONG_FRAMES long ones. Gives how many. */
  #take(filled: number, starts: Int32Array, ends: Int32Array): number {
    let count = 0, long = 0
    for (let ready = filled; ready > 0 && long < LONG_FRAMES; ready--) {
      const slot = SLOT_AT[this.#next], status = this.#words[(slot + STATUS) >> 2]
      const length = this.#words[(slot + SNAPPED) >> 2], start = slot + this.#halves[(slot + MAC) >> 1]
      this.#next = this.#next + 1 === RING_SLOTS ? 0 : this.#next + 1
      this.#held++
      if ((status & COPY) !== 0) this.#longAt[long++] = count
      // The queue had no room for the whole of it.
      else if (length < this.#words[(slot + LENGTH) >> 2]) {
        this.#cut++
        continue
      }
      starts[count] = start
      ends[count++] = start + length
    }
    return long === 0 ? count : this.#fetchLong(starts, ends, count, long)
  }

  /** How many of the next slots, up to BATCH, are filled. One fence for all: an atomic load of each was a tenth of the router's time. */
  #ready(): number {
    let count = 0, slot = this.#next
    while (count < BATCH && (this.#words[(SLOT_AT[slot] + STATUS) >> 2] & USER) !== 0) {
      slot = slot + 1 === RING_SLOTS ? 0 : slot + 1
      count++
    }
    if (count > 0) Atomics.add(this.#fence, 0, 0)
    return count
  }

  /** Fetches the frames that the ring announced, which are in the queue in the same order. */
  #fetchLong(starts: Int32Array, ends: Int32Array, count: number, long: number): number {
    const fetched = this.#c.recvmmsg(this.#fd, this.#long.at[0], long, MSG_DONTWAIT, null)
    for (let i = 0; i < long; i++) {
      const at = this.#longAt[i], slot = RING_BYTES + i * SLOT_BYTES
      starts[at] = slot + VIRTIO_HEADER
      ends[at] = i < fetched ? slot + this.#long.received(i) : starts[at]
    }
    return count
  }

  /** The slots of the last batch are the kernel's again. */
  #release(): void {
    if (this.#held === 0) return
    Atomics.add(this.#fence, 0, 0)
    for (let slot = this.#next - this.#held; this.#held > 0; this.#held--) {
      this.#words[(SLOT_AT[slot < 0 ? slot + RING_SLOTS : slot] + STATUS) >> 2] = KERNEL
      slot++
    }
  }

  send(queue: MessageArray, first: number, count: number): number {
    const sent = this.#c.sendmmsg(this.#fd, queue.at[first], count, MSG_DONTWAIT)
    return sent > 0 ? sent : 0
  }

  missed(): number {
    const statistics = new Uint32Array(2)
    const result = this.#c.getsockopt(this.#fd, SOL_PACKET, PACKET_STATISTICS, new Uint8Array(statistics.buffer), Uint32Array.of(8))
    const cut = this.#cut
    this.#cut = 0
    return (result === 0 ? statistics[1] : 0) + cut
  }

  watch(callback: () => void): Watch { return libc().watchReadable(this.#fd, callback) }

  close(): void {
    closeSync(this.#fd)
    this.#long.free()
    this.memory.free()
  }

  /** As root with the FORCE options; otherwise the most that the system-wide limit gives. */
  #growBuffers(): void {
    for (const [forced, limited] of [[SO_RCVBUFFORCE, SO_RCVBUF], [SO_SNDBUFFORCE, SO_SNDBUF]]) {
      try {
        libc().setsockopt(this.#fd, SOL_SOCKET, forced, Uint32Array.of(BUFFER_BYTES), 'enlarge the buffer')
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        libc().setsockopt(this.#fd, SOL_SOCKET, limited, Uint32Array.of(BUFFER_BYTES), 'enlarge the buffer')
      }
    }
  }
}

function isKernelSince(major: number, minor: number): boolean {
  const [ours, ofMajor] = release().split('.').map(Number)
  return ours > major || (ours === major && ofMajor >= minor)
}
