// Memory for frames outside the JavaScript heap, and the arrays of messages by which recvmmsg and sendmmsg reach it. Received frames
// are sent from where they lie, by this socket or another.
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { SystemError } from './error.js'

const PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22
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
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): unknown
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

class Mapping {
  readonly memory: ArrayBuffer
  readonly address: bigint
  readonly #pointer: unknown

  /** @throws SystemError when there is no memory */
  constructor(bytes: number) {
    const c = foreign(), { koffi } = c
    this.#pointer = c.mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
    this.address = koffi.address(this.#pointer)
    if (this.address === 0xffff_ffff_ffff_ffffn) throw new SystemError('mmap', koffi.errno(), 'get memory for frames')
    this.memory = koffi.view(this.#pointer, bytes)
  }

  /** No view of the memory may be used afterwards. */
  free(): void { foreign().munmap(this.#pointer, this.memory.byteLength) }
}

/** An array of mmsghdr, each with one iovec: a frame somewhere in memory. */
export class MessageArray {
  readonly count: number
  /** Address of each message, for a call that begins with it. Kept, for a BigInt made at each call is garbage. */
  readonly at: readonly bigint[]
  readonly #mapping: Mapping
  readonly #words: Uint32Array
  readonly #longs: BigUint64Array
  readonly #vectors: number

  /** @throws SystemError when there is no memory */
  constructor(count: number) {
    this.count = count
    this.#vectors = count * SIZEOF_MMSGHDR
    this.#mapping = new Mapping(count * (SIZEOF_MMSGHDR + SIZEOF_IOVEC))
    const { memory, address } = this.#mapping, view = new DataView(memory)
    this.#words = new Uint32Array(memory)
    this.#longs = new BigUint64Array(memory)
    this.at = Array.from({ length: count }, (_, i) => address + BigInt(i * SIZEOF_MMSGHDR))
    for (let i = 0; i < count; i++) {
      view.setBigUint64(i * SIZEOF_MMSGHDR + MSG_IOV, address + BigInt(this.#vectors + i * SIZEOF_IOVEC), true)
      view.setBigUint64(i * SIZEOF_MMSGHDR + MSG_IOVLEN, 1n, true)
    }
  }

  /** Message `i` is `length` bytes at `address`. */
  set(i: number, address: bigint, length: number): void {
    const vector = this.#vectors + i * SIZEOF_IOVEC
    this.#longs[vector >> 3] = address
    this.#words[(vector + IOV_LEN) >> 2] = length
  }

  address(i: number): bigint { return this.#longs[(this.#vectors + i * SIZEOF_IOVEC) >> 3] }
  length(i: number): number { return this.#words[(this.#vectors + i * SIZEOF_IOVEC + IOV_LEN) >> 2] }
  /** Bytes that the kernel put there. */
  received(i: number): number { return this.#words[(i * SIZEOF_MMSGHDR + MSG_LEN) >> 2] }
  /** For calls that say so in another way. */
  setReceived(i: number, length: number): void { this.#words[(i * SIZEOF_MMSGHDR + MSG_LEN) >> 2] = length }

  free(): void { this.#mapping.free() }
}

/** Slots of SLOT_BYTES, each the room of one frame behind its virtio header, and a message for each that receives into it. */
export class FrameArena {
  readonly bytes: Uint8Array
  readonly slots: number
  readonly messages: MessageArray
  /** Address of each slot. */
  readonly at: readonly bigint[]
  readonly #mapping: Mapping

  /** @throws SystemError when there is no memory */
  constructor(slots: number) {
    this.slots = slots
    this.#mapping = new Mapping(slots * SLOT_BYTES)
    this.bytes = new Uint8Array(this.#mapping.memory)
    this.at = Array.from({ length: slots }, (_, slot) => this.#mapping.address + BigInt(slot * SLOT_BYTES))
    this.messages = new MessageArray(slots)
    this.at.forEach((address, slot) => this.messages.set(slot, address, SLOT_BYTES))
  }

  /** No view of the memory may be used afterwards. */
  free(): void {
    this.messages.free()
    this.#mapping.free()
  }
}
