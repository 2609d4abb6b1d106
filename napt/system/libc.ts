// The C library's calls that Node has no binding for, through koffi. koffi is loaded at the first use (about 20 ms), so
// that importing this file costs nothing. Every call throws a SystemError when the kernel refuses.
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { SystemError } from './error.js'

type Bytes = Uint8Array | Uint32Array | null

/** The foreign functions as koffi hands them over; each answers -1 and sets errno when it fails. */
interface Foreign {
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  setsockopt(fd: number, level: number, option: number, value: Bytes, length: number): number
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number
  unshare(flags: number): number
  setns(fd: number, type: number): number
  mount(source: string, target: string, type: string | null, flags: number, data: string | null): number
  ioctl(fd: number, request: number, argument: InterfaceRequest): number
  waitpid(pid: number, status: Bytes, options: number): number
  syscall(number: number, first: number, second: number): number
}

/** `struct ifreq` with a pointer: the interface's name and the memory that the kernel reads and fills in. */
export interface InterfaceRequest { readonly name: string, readonly data: Uint32Array }

export interface Watch { close(): void }

const SYS_PIDFD_OPEN = 434 // the same number on every architecture
const WNOHANG = 1

/** One per process: koffi keeps what it loads for the life of the process anyway. */
let loaded: Libc | undefined

/** @throws SystemError from each of its calls; an Error where koffi has no build for this machine */
export function libc(): Libc {
  loaded ??= new Libc(createRequire(import.meta.url)('koffi') as typeof Koffi)
  return loaded
}

export class Libc {
  readonly #koffi: typeof Koffi
  readonly #c: Foreign

  constructor(koffi: typeof Koffi) {
    this.#koffi = koffi
    const library = koffi.load('libc.so.6')
    const interfaceRequest = koffi.struct({ name: koffi.array('char', 16, 'String'), data: 'void *' })
    this.#c = {
      socket: library.func('int socket(int, int, int)'),
      bind: library.func('int bind(int, const void *, uint)'),
      setsockopt: library.func('int setsockopt(int, int, int, const void *, uint)'),
      send: library.func('long send(int, const void *, size_t, int)'),
      recv: library.func('long recv(int, void *, size_t, int)'),
      unshare: library.func('int unshare(int)'),
      setns: library.func('int setns(int, int)'),
      mount: library.func('int mount(const char *, const char *, const char *, ulong, const char *)'),
      ioctl: library.func('ioctl', 'int', ['int', 'ulong', koffi.pointer(interfaceRequest)]),
      waitpid: library.func('int waitpid(int, void *, int)'),
      syscall: library.func('long syscall(long, long, long)'),
    }
  }

  /** @returns the new file descriptor; close it with `fs.closeSync` */
  socket(domain: number, type: number, protocol: number, doing: string): number {
    return this.#checked('socket', this.#c.socket(domain, type, protocol), doing)
  }

  /** @param address the whole `struct sockaddr` of the family */
  bind(fd: number, address: Uint8Array, doing: string): void {
    this.#checked('bind', this.#c.bind(fd, address, address.byteLength), doing)
  }

  setsockopt(fd: number, level: number, option: number, value: Uint8Array | Uint32Array, doing: string): void {
    this.#checked('setsockopt', this.#c.setsockopt(fd, level, option, value, value.byteLength), doing)
  }

  /** @returns how many bytes went out */
  send(fd: number, bytes: Uint8Array, flags: number, doing: string): number {
    return this.#checked('send', this.#c.send(fd, bytes, bytes.byteLength, flags), doing)
  }

  /** Blocks unless the socket or the flags say otherwise. @returns how many bytes came */
  recv(fd: number, bytes: Uint8Array, flags: number, doing: string): number {
    return this.#checked('recv', this.#c.recv(fd, bytes, bytes.byteLength, flags), doing)
  }

  /** Moves the calling thread (not the process) into new namespaces. */
  unshare(flags: number, doing: string): void {
    this.#checked('unshare', this.#c.unshare(flags), doing)
  }

  /** Moves the calling thread (not the process) into the namespace behind `fd`. */
  setns(fd: number, type: number, doing: string): void {
    this.#checked('setns', this.#c.setns(fd, type), doing)
  }

  mount(source: string, target: string, type: string | null, flags: number, doing: string): void {
    this.#checked('mount', this.#c.mount(source, target, type, flags, null), doing)
  }

  /** An interface request (`SIOC…`) whose argument is a pointer. */
  ioctl(fd: number, request: number, argument: InterfaceRequest, doing: string): void {
    this.#checked('ioctl', this.#c.ioctl(fd, request, argument), doing)
  }

  /** Takes the exit status of an ended child, so that it is a zombie no longer. @returns whether it had ended */
  reap(pid: number): boolean {
    return this.#c.waitpid(pid, null, WNOHANG) === pid
  }

  /** @returns a descriptor that becomes readable when the process has ended; null when there is no such process */
  pidfdOpen(pid: number): number | null {
    const fd = this.#c.syscall(SYS_PIDFD_OPEN, pid, 0)
    return fd < 0 ? null : fd
  }

  /** Calls `callback` from the event loop whenever `fd` has something to read, until the watch is closed. */
  watchReadable(fd: number, callback: () => void): Watch {
    return this.#koffi.node.poll(fd, { readable: true }, callback)
  }

  #checked(call: string, result: number, doing: string): number {
    if (result < 0) throw new SystemError(call, this.#koffi.errno(), doing)
    return result
  }
}
