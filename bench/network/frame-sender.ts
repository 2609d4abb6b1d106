// Sends prepared frames as fast as an interface takes them: one AF_PACKET socket that receives nothing, frames that lie in memory of
// the kernel's reach, 64 of them a system call. The measured router must not wait for whoever measures it.
import { closeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { SystemError } from '../../napt/system/error.js'
import { readInterface } from '../../napt/system/interface.js'
import { libc } from '../../napt/system/libc.js'

const AF_PACKET = 17, SOCK_RAW = 3, SOL_PACKET = 263, PACKET_QDISC_BYPASS = 20, SIZEOF_SOCKADDR_LL = 20
const MSG_DONTWAIT = 0x40
const PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22
/** struct mmsghdr and struct iovec of 64-bit Linux, and offsets in them. */
const SIZEOF_MMSGHDR = 64, SIZEOF_IOVEC = 16, MSG_IOV = 16, MSG_IOVLEN = 24, IOV_LEN = 8
const BATCH = 64

type SendMany = (fd: number, headers: bigint, count: number, flags: number) => number

export class FrameSender {
  readonly #fd: number
  readonly #send: SendMany
  readonly #release: () => void
  /** Address of each batch's first message, and how many messages it has. */
  readonly #batches: readonly { readonly at: bigint, readonly count: number }[]
  #next = 0

  /**
   * On an interface of the calling thread's network namespace.
   * @param frames sent in turn, over and over; few ones are repeated until a batch is full
   * @throws SystemError
   */
  constructor(interfaceName: string, frames: readonly Uint8Array[]) {
    const doing = `send frames on '${interfaceName}'`
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi
    const library = koffi.load('libc.so.6')
    this.#send = library.func('int sendmmsg(int, void *, uint, int)') as SendMany
    const mmap = library.func('void * mmap(void *, size_t, int, int, int, int64)') as (...values: unknown[]) => unknown
    const munmap = library.func('int munmap(void *, size_t)') as (address: unknown, length: number) => number
    const repeated = Array.from({ length: Math.max(BATCH, frames.length) }, (_, i) => frames[i % frames.length])
    const slot = Math.ceil(Math.max(...frames.map(({ length }) => length)) / 64) * 64
    const headers = repeated.length * slot, vectors = headers + repeated.length * SIZEOF_MMSGHDR, size = vectors + repeated.length * SIZEOF_IOVEC
    const pointer = mmap(null, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0)
    const base = koffi.address(pointer)
    if (base === 0xffff_ffff_ffff_ffffn) throw new SystemError('mmap', koffi.errno(), doing)
    this.#release = () => { munmap(pointer, size) }
    const memory = koffi.view(pointer, size), bytes = new Uint8Array(memory), view = new DataView(memory)
    repeated.forEach((frame, i) => {
      bytes.set(frame, i * slot)
      const vector = vectors + i * SIZEOF_IOVEC, header = headers + i * SIZEOF_MMSGHDR
      view.setBigUint64(vector, base + BigInt(i * slot), true)
      view.setBigUint64(vector + IOV_LEN, BigInt(frame.length), true)
      view.setBigUint64(header + MSG_IOV, base + BigInt(vector), true)
      view.setBigUint64(header + MSG_IOVLEN, 1n, true)
    })
    this.#batches = Array.from({ length: Math.ceil(repeated.length / BATCH) }, (_, i) => ({
      at: base + BigInt(headers + i * BATCH * SIZEOF_MMSGHDR), count: Math.min(BATCH, repeated.length - i * BATCH),
    }))
    // Protocol 0: it hears nothing.
    this.#fd = libc().socket(AF_PACKET, SOCK_RAW, 0, doing)
    libc().setsockopt(this.#fd, SOL_PACKET, PACKET_QDISC_BYPASS, Uint32Array.of(1), doing)
    const address = new Uint8Array(SIZEOF_SOCKADDR_LL), to = new DataView(address.buffer)
    to.setUint16(0, AF_PACKET, true)
    to.setInt32(4, readInterface(interfaceName).index, true)
    libc().bind(this.#fd, address, doing)
  }

  /** The next batch. @returns how many frames the interface took */
  send(): number {
    const { at, count } = this.#batches[this.#next]
    this.#next = this.#next + 1 === this.#batches.length ? 0 : this.#next + 1
    const sent = this.#send(this.#fd, at, count, MSG_DONTWAIT)
    return sent > 0 ? sent : 0
  }

  close(): void {
    closeSync(this.#fd)
    this.#release()
  }
}
