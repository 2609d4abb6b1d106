// AF_PACKET sockets (packet(7)) and their batched calls, through koffi. A batch's memory is mapped once and lives outside the
// JavaScript heap: frame slots, then the array of mmsghdr, then the array of iovec, which the kernel reads and fills in place.
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { readInterface, type InterfaceFacts } from './interface.js'
import { libc, type Watch } from './libc.js'
import { SystemError } from './error.js'

const AF_PACKET = 17, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000, ETH_P_ALL = 3
const SOL_PACKET = 263, SOL_SOCKET = 1
const PACKET_STATISTICS = 6
const PACKET_VNET_HDR = 15
const PACKET_QDISC_BYPASS = 20
/** Else the socket hears its own transmissions. */
const PACKET_IGNORE_OUTGOING = 23
const SO_SNDBUFFORCE = 32, SO_RCVBUFFORCE = 33, SO_SNDBUF = 7, SO_RCVBUF = 8
const MSG_DONTWAIT = 0x40
const PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22
const SIZEOF_MMSGHDR = 64, SIZEOF_IOVEC = 16, SIZEOF_SOCKADDR_LL = 20
/** Offsets in struct mmsghdr, and of iov_len in struct iovec (64-bit Linux). */
const MSG_IOV = 16, MSG_IOVLEN = 24, MSG_LEN = 56, IOV_LEN = 8
/** As root this much is had; in a user namespace only what net.core.rmem_max and wmem_max allow. */
const BUFFER_BYTES = 64 << 20

/** Bytes of struct virtio_net_hdr, which precedes every frame in both directions: GSO type and size, partial-checksum flag. */
export const VIRTIO_HEADER = 10
export const NEEDS_CHECKSUM = 1
/** Offsets in it: what kind of segments the frame is to become (0: none), and their payload's bytes, little-endian on these machines. */
export const GSO_TYPE = 1, GSO_SIZE = 4

interface Foreign {
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): unknown
  munmap(address: unknown, length: number): number
  recvmmsg(fd: number, headers: bigint, count: number, flags: number, timeout: null): number
  sendmmsg(fd: number, headers: bigint, count: number, flags: number): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array): number
}

let loaded: { koffi: typeof Koffi, c: Foreign } | undefined

function foreign(): { koffi: typeof Koffi, c: Foreign } {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    const library = koffi.load('libc.so.6')
    loaded = {
      koffi,
      c: {
        mmap: library.func('void * mmap(void *, size_t, int, int, int, int64)'),
        munmap: library.func('int munmap(void *, size_t)'),
        recvmmsg: library.func('int recvmmsg(int, void *, uint, int, void *)'),
        sendmmsg: library.func('int sendmmsg(int, void *, uint, int)'),
        getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
      },
    }
  }
  return loaded
}

/** Frame slots that recvmmsg fills and sendmmsg sends from. */
export class PacketArena {
  readonly bytes: Uint8Array
  readonly slotBytes: number
  readonly slots: number
  readonly #words: Uint32Array
  readonly #pointer: unknown
  readonly #size: number
  readonly #headersAt: bigint
  readonly #headers: number
  readonly #vectors: number

  /** @throws SystemError when there is no memory */
  constructor(slots: number, slotBytes: number) {
    const { koffi, c } = foreign()
    this.slots = slots
    this.slotBytes = slotBytes
    this.#headers = slots * slotBytes
    this.#vectors = this.#headers + slots * SIZEOF_MMSGHDR
    this.#size = this.#vectors + slots * SIZEOF_IOVEC
    this.#pointer = c.mmap(null, this.#size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
    const base = koffi.address(this.#pointer)
    if (base === 0xffff_ffff_ffff_ffffn) throw new SystemError('mmap', koffi.errno(), 'get memory for frames')
    const memory = koffi.view(this.#pointer, this.#size)
    this.bytes = new Uint8Array(memory)
    this.#words = new Uint32Array(memory)
    this.#headersAt = base + BigInt(this.#headers)
    const view = new DataView(memory)
    for (let slot = 0; slot < slots; slot++) {
      const vector = this.#vectors + slot * SIZEOF_IOVEC, header = this.#headers + slot * SIZEOF_MMSGHDR
      view.setBigUint64(vector, base + BigInt(slot * slotBytes), true)
      view.setBigUint64(header + MSG_IOV, base + BigInt(vector), true)
      view.setBigUint64(header + MSG_IOVLEN, 1n, true)
    }
  }

  /** Bytes that the kernel put into a slot, its virtio header included. */
  receivedLength(slot: number): number { return this.#words[(this.#headers + slot * SIZEOF_MMSGHDR + MSG_LEN) >> 2] }
  /** How much of a slot may be filled, or is to be sent. */
  setLength(slot: number, length: number): void { this.#words[(this.#vectors + slot * SIZEOF_IOVEC + IOV_LEN) >> 2] = length }
  header(slot: number): bigint { return this.#headersAt + BigInt(slot * SIZEOF_MMSGHDR) }

  /** No view of the memory may be used afterwards. */
  free(): void { foreign().c.munmap(this.#pointer, this.#size) }
}

export class PacketSocket {
  readonly fd: number
  readonly facts: InterfaceFacts

  /** Opens a socket on an interface of the calling thread's network namespace. @throws SystemError */
  constructor(interfaceName: string) {
    const doing = `open interface '${interfaceName}' for raw frames`
    this.facts = readInterface(interfaceName)
    // Protocol 0 until bound, or frames of every interface would come in between.
    this.fd = libc().socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0, doing)
    for (const option of [PACKET_VNET_HDR, PACKET_QDISC_BYPASS, PACKET_IGNORE_OUTGOING]) {
      libc().setsockopt(this.fd, SOL_PACKET, option, Uint32Array.of(1), doing)
    }
    this.#growBuffers()
    const address = new Uint8Array(SIZEOF_SOCKADDR_LL), view = new DataView(address.buffer)
    view.setUint16(0, AF_PACKET, true)
    view.setUint16(2, ETH_P_ALL)
    view.setInt32(4, this.facts.index, true)
    libc().bind(this.fd, address, doing)
  }

  /** Fills the arena's slots from the first on, without waiting. @returns how many, 0 when nothing is there */
  receive(arena: PacketArena): number {
    const count = foreign().c.recvmmsg(this.fd, arena.header(0), arena.slots, MSG_DONTWAIT, null)
    return count > 0 ? count : 0
  }

  /** Sends `count` slots from `first` on. @returns how many the interface took, perhaps none */
  send(arena: PacketArena, first: number, count: number): number {
    const sent = foreign().c.sendmmsg(this.fd, arena.header(first), count, MSG_DONTWAIT)
    return sent > 0 ? sent : 0
  }

  /** Frames that the socket's buffer had no room for since the last call. */
  missed(): number {
    const statistics = new Uint32Array(2)
    const result = foreign().c.getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, new Uint8Array(statistics.buffer), Uint32Array.of(8))
    return result === 0 ? statistics[1] : 0
  }

  watch(callback: () => void): Watch { return libc().watchReadable(this.fd, callback) }

  /** As root with the FORCE options; otherwise the most that the system-wide limit gives. */
  #growBuffers(): void {
    for (const [forced, limited] of [[SO_RCVBUFFORCE, SO_RCVBUF], [SO_SNDBUFFORCE, SO_SNDBUF]]) {
      try {
        libc().setsockopt(this.fd, SOL_SOCKET, forced, Uint32Array.of(BUFFER_BYTES), 'enlarge the buffer')
      } catch (error) {
        if (!(error instanceof SystemError)) throw error
        libc().setsockopt(this.fd, SOL_SOCKET, limited, Uint32Array.of(BUFFER_BYTES), 'enlarge the buffer')
      }
    }
  }
}
