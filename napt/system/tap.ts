// TAP interfaces (linux/if_tun.h): the kernel's end is an interface of a network namespace, the other end is a file that a frame is
// read from or written to by a call of its own, with the virtio header in front.
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants as system } from 'node:os'
import type Koffi from 'koffi'
import type { RouterMemory } from '../router-memory.js'
import { framesWithin, SLOT_BYTES, slotMessages, VIRTIO_HEADER, type FrameMemory, type MessageArray } from './frame-arena.js'
import type { FrameSocket } from './frame-socket.js'
import { readInterface, setInterfaceUp, type InterfaceFacts } from './interface.js'
import { libc, type Watch } from './libc.js'
import { SystemError } from './error.js'

/** The file that TAPs are made and opened by. */
export const TUN_FILE = '/dev/net/tun'
// The virtio header's size is left at 10, which is TUNSETVNETHDRSZ's default and that of packet sockets.
const TUNSETIFF = 0x400454ca, TUNSETPERSIST = 0x400454cb, TUNSETOFFLOAD = 0x400454d0
const IFF_TAP = 0x2, IFF_NO_PI = 0x1000, IFF_VNET_HDR = 0x4000
const FLAGS = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR
/** Partial checksums, and TCP segments to come, of IPv4 and IPv6, marked for congestion too. */
const TUN_F_ALL = 0x1 | 0x2 | 0x4 | 0x8
/** struct ifreq: a name of 16 bytes, then the flags. */
const SIZEOF_IFREQ = 40, NAME_BYTES = 15, FLAGS_AT = 16
/** The kernel's table of a namespace's interfaces; a file that is open stays that namespace's. Of a line's numbers: frames sent in vain. */
const STATISTICS_FILE = '/proc/thread-self/net/dev', TX_DROPPED = 11, STATISTICS_BYTES = 1 << 16

/** Frames in a batch. */
const SLOTS = 64

interface Foreign {
  ioctl(fd: number, request: number, argument: Uint8Array): number
  ioctlValue(fd: number, request: number, value: number): number
  readv(fd: number, vectors: bigint, count: number): number
  writev(fd: number, vectors: bigint, count: number): number
  errno(): number
}

let loaded: Foreign | undefined

function foreign(): Foreign {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi, library = koffi.load('libc.so.6')
    loaded = {
      ioctl: library.func('int ioctl(int, ulong, void *)'),
      ioctlValue: library.func('ioctl', 'int', ['int', 'ulong', 'ulong']),
      readv: library.func('long readv(int, void *, int)'),
      writev: library.func('long writev(int, void *, int)'),
      errno: () => koffi.errno(),
    }
  }
  return loaded
}

/**
 * Makes a TAP in the calling thread's network namespace that is there before anybody has it open, and afterwards.
 * @throws SystemError
 */
export function createTap(name: string): void {
  const doing = `make TAP '${name}'`, fd = attach(name, doing)
  try {
    set(fd, TUNSETPERSIST, 1, doing)
  } finally {
    closeSync(fd)
  }
}

/** @throws SystemError; of ENOENT and EACCES, `call` is `open`: the file for TAPs is not there, or not this user's to open */
function attach(name: string, doing: string): number {
  if (Buffer.byteLength(name) > NAME_BYTES) throw new SystemError('ioctl', system.errno.EINVAL, doing, `an interface's name has up to ${NAME_BYTES} bytes`)
  const fd = openTunFile(doing), request = new Uint8Array(SIZEOF_IFREQ)
  request.set(new TextEncoder().encode(name))
  new DataView(request.buffer).setUint16(FLAGS_AT, FLAGS, true)
  const c = foreign()
  if (c.ioctl(fd, TUNSETIFF, request) >= 0) return fd
  const errno = c.errno()
  closeSync(fd)
  throw new SystemError('ioctl', errno, doing)
}

function openTunFile(doing: string): number {
  try {
    return openSync(TUN_FILE, constants.O_RDWR | constants.O_NONBLOCK)
  } catch (error) {
    const { errno = 0 } = error as NodeJS.ErrnoException
    throw new SystemError('open', -errno, doing)
  }
}

/** With a request that takes a value, not a pointer. */
function set(fd: number, request: number, value: number, doing: string): void {
  const c = foreign()
  if (c.ioctlValue(fd, request, value) < 0) throw new SystemError('ioctl', c.errno(), doing)
}

export interface TapOptions {
  /** Whether the kernel may hand over what is no frame of a wire yet: partial checksums, and segments to come. */
  readonly offloads: boolean
}

export class TapSocket implements FrameSocket {
  readonly facts: InterfaceFacts
  readonly takesSegments = false
  readonly memory: FrameMemory
  readonly #slots: MessageArray
  readonly #name: string
  readonly #fd: number
  readonly #statistics: number
  readonly #c = foreign()
  readonly #text = Buffer.alloc(STATISTICS_BYTES)
  #missedBefore = 0

  /**
   * Opens a TAP of the calling thread's network namespace, makes it if it is not there, and sets it up. One that this makes goes when it is
   * closed. Its frames are in `memory`. @throws SystemError
   */
  constructor(name: string, { offloads }: TapOptions, memory: RouterMemory) {
    const doing = `open TAP '${name}'`
    this.memory = framesWithin(memory, SLOTS * SLOT_BYTES)
    this.#slots = slotMessages(this.memory, 0, SLOTS)
    this.#name = name
    this.#fd = attach(name, doing)
    try {
      if (offloads) set(this.#fd, TUNSETOFFLOAD, TUN_F_ALL, doing)
      setInterfaceUp(name)
      this.facts = readInterface(name)
      this.#statistics = openSync(STATISTICS_FILE, 'r')
    } catch (error) {
      closeSync(this.#fd)
      throw error
    }
    this.#missedBefore = this.#dropped()
  }

  receive(starts: Int32Array, ends: Int32Array): number {
    for (let i = 0; i < SLOTS; i++) {
      const length = this.#c.readv(this.#fd, this.#slots.vectorAt[i], 1), slot = i * SLOT_BYTES
      if (length <= 0) return i
      starts[i] = slot + VIRTIO_HEADER
      ends[i] = slot + length
    }
    return SLOTS
  }

  send(queue: MessageArray, first: number, count: number): number {
    for (let done = 0; done < count; done++) if (this.#c.writev(this.#fd, queue.vectorAt[first + done], 1) < 0) return done
    return count
  }

  missed(): number {
    const dropped = this.#dropped(), since = dropped - this.#missedBefore
    this.#missedBefore = dropped
    return since
  }

  watch(callback: () => void): Watch { return libc().watchReadable(this.#fd, callback) }

  close(): void {
    closeSync(this.#fd)
    closeSync(this.#statistics)
    this.#slots.free()
    this.memory.free()
  }

  /** Frames that the interface was to carry here and had no room for. */
  #dropped(): number {
    const text = this.#text.toString('latin1', 0, readSync(this.#statistics, this.#text, 0, STATISTICS_BYTES, 0))
    const line = text.split('\n').find(candidate => candidate.trimStart().startsWith(`${this.#name}:`))
    // The interface may be gone.
    if (line === undefined) return this.#missedBefore
    return Number(line.slice(line.indexOf(':') + 1).trim().split(/ +/)[TX_DROPPED])
  }
}
