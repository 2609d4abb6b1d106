// Memory for frames outside the JavaScript heap, and the arrays of messages by which recvmmsg, sendmmsg, readv and writev reach it.
// Received frames are sent from where they lie, by this socket or another.
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import type { RouterMemory } from '../router-memory.js'
import { SystemError } from './error.js'

const PROT_READ_WRITE = 3, MAP_SHARED_FIXED = 0x11, MAP_PRIVATE_ANONYMOUS = 0x22, MAP_PRIVATE_ANONYMOUS_FIXED = 0x32
const SIZEOF_MMSGHDR = 64, SIZEOF_IOVEC = 16
/** Offsets in struct mmsghdr, and of iov_len in struct iovec (64-bit Linux). */
const MSG_IOV = 16, MSG_IOVLEN = 24, MSG_LEN = 56, IOV_LEN = 8

/** Bytes of struct virtio_net_hdr, which precedes every frame in both directions: GSO type and size, partial-checksum flag. */
export const VIRTIO_HEADER = 10
export const NEEDS_CHECKSUM = 1
/** Offsets in it: what kind of segments the frame is to become (0: none), and their payload's bytes, little-endian on these machines. */
export const GSO_TYPE = 1, GSO_SIZE = 4
/**
 * Bytes from slot to slot: 64 KiB of IP behind the Ethernet and virtio headers, and an odd number of cache lines. At a power of two the
 * headers of all frames of a batch would share one set of each cache, which has 8 to 16 ways.
 */
export const SLOT_BYTES = 1027 * 64

interface Foreign {
  readonly koffi: typeof Koffi
  mmap(address: bigint | null, length: number, protection: number, flags: number, fd: number, offset: number): unknown
  munmap(address: unknown, length: number): number
}

let loaded: Foreign | undefined

function foreign(): Foreign {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    const library = koffi.load('libc.so.6')
    loaded = { koffi, mmap: library.func('void * mmap(void *, size_t, int, int, int, int64)'), munmap: library.func('int munmap(void *, size_t)') }
  }
  return loaded
}

const MAP_FAILED = 0xffff_ffff_ffff_ffffn

/** Memory of this process. What begins at offset `at` in it is at `address + at` for the kernel. */
export interface FrameMemory {
  readonly bytes: Uint8Array
  /** Below 2^47, and so exact. */
  readonly address: number
  /** No view of the memory may be used afterwards. */
  free(): void
}

/** Pages of its own. @throws SystemError when there is no memory */
export function framePages(size: number): FrameMemory {
  const c = foreign(), { koffi } = c, pointer = c.mmap(null, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0), address = koffi.address(pointer)
  if (address === MAP_FAILED) throw new SystemError('mmap', koffi.errno(), 'get memory for frames')
  return { bytes: new Uint8Array(koffi.view(pointer, size)), address: Number(address), free: () => c.munmap(pointer, size) }
}

/**
 * Pages of a router's memory, so that its fast path finds the frames.
 * @param ring a descriptor whose own memory, `bytes` long, is the first part of these pages
 * @throws SystemError when there is no memory
 */
export function framesWithin(memory: RouterMemory, size: number, ring?: { readonly fd: number, readonly bytes: number }): FrameMemory {
  const c = foreign(), { koffi } = c, bytes = memory.pages(size), address = koffi.address(bytes)
  if (ring === undefined) return { bytes, address: Number(address), free: () => { /* it is the router's */ } }
  if (koffi.address(c.mmap(address, ring.bytes, PROT_READ_WRITE, MAP_SHARED_FIXED, ring.fd, 0)) === MAP_FAILED) throw new SystemError('mmap', koffi.errno(), 'get memory for frames')
  // WebAssembly's memory must not have a hole.
  return { bytes, address: Number(address), free: () => c.mmap(address, ring.bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_FIXED, -1, 0) }
}

/** An array of mmsghdr, each with an iovec, or several: a frame somewhere in memory, or in pieces. */
export class MessageArray {
  /** Address of each message, for a call that begins with it. Kept, for a BigInt made at each call is garbage. */
  readonly at: readonly bigint[]
  /** Address of each message's own iovec. */
  readonly vectorAt: readonly bigint[]
  readonly #memory: FrameMemory
  readonly #words: Uint32Array
  readonly #vectors: number

  /** @throws SystemError when there is no memory */
  constructor(count: number) {
    this.#vectors = count * SIZEOF_MMSGHDR
    this.#memory = framePages(count * (SIZEOF_MMSGHDR + SIZEOF_IOVEC))
    const { bytes: { buffer }, address } = this.#memory, view = new DataView(buffer)
    this.#words = new Uint32Array(buffer)
    this.at = Array.from({ length: count }, (_, i) => BigInt(address + i * SIZEOF_MMSGHDR))
    this.vectorAt = Array.from({ length: count }, (_, i) => BigInt(address + this.#vectors + i * SIZEOF_IOVEC))
    for (let i = 0; i < count; i++) {
      view.setBigUint64(i * SIZEOF_MMSGHDR + MSG_IOV, this.vectorAt[i], true)
      view.setBigUint64(i * SIZEOF_MMSGHDR + MSG_IOVLEN, 1n, true)
    }
  }

  /** Message `i` has `count` iovecs, from the iovec `first` on; its own one unless that is said. */
  gather(i: number, first: number, count: number): void {
    const word = i * SIZEOF_MMSGHDR >> 2, address = this.#memory.address + this.#vectors + first * SIZEOF_IOVEC
    this.#words[word + (MSG_IOV >> 2)] = address >>> 0
    this.#words[word + (MSG_IOV >> 2) + 1] = address / 0x1_0000_0000
    this.#words[word + (MSG_IOVLEN >> 2)] = count
  }

  /** Iovec `i` is `length` bytes at `address`. */
  set(i: number, address: number, length: number): void {
    const word = (this.#vectors + i * SIZEOF_IOVEC) >> 2
    this.#words[word] = address >>> 0
    this.#words[word + 1] = address / 0x1_0000_0000
    this.#words[word + (IOV_LEN >> 2)] = length
  }

  /** Bytes that recvmmsg put there. */
  received(i: number): number { return this.#words[(i * SIZEOF_MMSGHDR + MSG_LEN) >> 2] }

  free(): void { this.#memory.free() }
}

/** Messages that receive into slots of SLOT_BYTES, which begin at `offset` in the memory. */
export function slotMessages(memory: FrameMemory, offset: number, slots: number): MessageArray {
  const messages = new MessageArray(slots)
  for (let slot = 0; slot < slots; slot++) messages.set(slot, memory.address + offset + slot * SLOT_BYTES, SLOT_BYTES)
  return messages
}
